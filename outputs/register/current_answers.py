"""Some answers of the reports that count now, read from the typed tables: far less than whole submissions."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, RowMapping, select

from intake.submission import Answer, Return, Row, SheetAnswers, Submission
from outputs.register.prepared import REPORT, ROW, ROW_KEY
from outputs.register.projection import Projection

Asked = Mapping[str, Sequence[str]]
"""The questions whose answers are wanted, by sheet."""


def asked_by(paths: Iterable[str]) -> dict[str, list[str]]:
    """Sort questions, each written sheet.question, by their sheet."""
    asked: dict[str, list[str]] = {}
    for path in sorted(set(paths)):
        sheet, _, key = path.partition(".")
        asked.setdefault(sheet, []).append(key)
    return asked


def read_answers(
    connection: Connection, current: Projection, reports: Iterable[RowMapping], asked: Asked
) -> list[Submission]:
    """Give for each report, a row of the current state, a submission that holds these answers and no others."""
    rows = {sheet: _rows(connection, current, sheet, keys) for sheet, keys in asked.items()}
    return [
        Submission(
            source=Return(Path(), row["sha256"], row["received"]),
            form=current.form.name,
            version="",
            language="",
            recipient=row["recipient"],
            report=row["report"],
            sheets={
                sheet: SheetAnswers("", {}, rows.get(sheet, {}).get(row["report"], ())) for sheet in current.form.sheets
            },
        )
        for row in reports
    ]


def _rows(connection: Connection, current: Projection, sheet: str, keys: Sequence[str]) -> dict[str, tuple[Row, ...]]:
    table, names = current.sheets[sheet], current.columns[sheet]
    place = next((name for name in (ROW, ROW_KEY) if name in table.primary_key.columns), REPORT)
    query = select(table.c.report, table.c[place], *(table.c[names[key]] for key in keys))
    rows: dict[str, list[Row]] = {}
    for report, at, *values in connection.execute(query.order_by(*current.order(sheet))):
        answers = {key: Answer(value, "", "") for key, value in zip(keys, values, strict=True) if value is not None}
        number, key = (at, "") if place == ROW else (0, at if place == ROW_KEY else "")
        rows.setdefault(report, []).append(Row(number, key, answers))
    return {report: tuple(found) for report, found in rows.items()}
