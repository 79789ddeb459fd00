"""What caseworkers wrote in an exported workbook, back into the register: looked through first, then kept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping

from intake.guard import Inspection, opened
from intake.reader import SheetCells, UnreadableWorkbookError, Workbook, read_workbook
from intake.values import written
from outputs.exports.casework import FIELDS, Unusable, casework_columns, understood
from outputs.exports.columns import Column, Labels
from outputs.exports.reporting import Reports
from outputs.exports.snapshot import Said, current, differing, in_words
from outputs.register.case_log import Values, exported_rows, find_export, write_casework, write_import
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.round import Round

CODE = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
HEADING_ROWS = 20  # where the headings are looked for: somebody may have put a title above them
AGAIN = "make a new one with behov export, and write it there"
STALE = "Nothing is taken in. Make a new export and write these rows there; to take in the others now, add --skip-stale"
STALE_LEFT = "Those rows are left out; make a new export and write them there."


@dataclass(frozen=True)
class Edit:
    """What one row of the file changes of a report: each field before and after."""

    row: int
    report: str
    owner: str
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Trouble:
    """A row that is not taken in: where, which report, and what is wrong with what to do."""

    row: int
    report: str
    what: str


@dataclass(frozen=True)
class Look:
    """What a file would change, and the rows that stand in the way."""

    name: str
    digest: str
    code: str
    at: datetime
    by: str  # who made the export
    columns: dict[str, Column]
    labels: Labels
    edits: list[Edit]
    stale: list[Trouble]
    wrong: list[Trouble]
    absent: list[str]  # columns that are not in the file, by their headings

    @property
    def changes(self) -> list[tuple[str, str, Any]]:
        return [(edit.report, field, after) for edit in self.edits for field, (_, after) in edit.fields.items()]


def look(round_: Round, register: Register, path: Path) -> Look:
    """Read an exported workbook and hold it against the register. Raises RefusalError for one that is none of ours."""
    data = path.read_bytes()
    with register.reading() as connection:
        return _Reader(round_, register, connection).look(path.name, data)


@dataclass(frozen=True)
class Casework:
    """An exported workbook on its way in."""

    round: Round
    register: Register
    path: Path
    seen: Look
    skip_stale: bool

    @property
    def blocked(self) -> bool:
        return bool(self.seen.wrong) or (bool(self.seen.stale) and not self.skip_stale)

    @property
    def is_new(self) -> bool:
        return bool(self.seen.changes)

    def lines(self) -> Iterator[str]:
        yield from look_lines(self.seen)
        if self.seen.stale:
            yield STALE_LEFT if self.skip_stale else STALE

    def json(self, *, applied: bool) -> dict[str, Any]:
        return look_json(self.seen, applied=applied)

    def keep(self, by: str, now: datetime) -> None:
        """Log what the file changes. Raises RefusalError when the register has changed since it was looked at."""
        with self.register.writing() as connection:
            again = look(self.round, self.register, self.path)
            if (again.digest, again.changes) != (self.seen.digest, self.seen.changes):
                raise RefusalError(f"{self.path.name} or the register changed meanwhile; run the import again")
            row = {"kind": "casework", "source": again.code, "name": again.name, "sha256": again.digest}
            number = write_import(connection, row | {"rows": len(again.edits), "by": by, "at": now})
            write_casework(connection, number, again.changes, by, now)

    def after(self) -> Iterator[str]:
        yield "Go on in a new export: behov export"


def read_export(data: bytes, name: str, wanted: Sequence[str] | None = None) -> Workbook:
    """Read a workbook of staff. Raises RefusalError with what to do for one that cannot be read."""
    package = opened(data, name, large=True)
    if isinstance(package, Inspection):
        why = package.reason.replace("_", " ")
        raise RefusalError(f"{name} cannot be read ({why}); open it in Excel or LibreOffice and save it as .xlsx")
    try:
        return read_workbook(package, wanted)
    except UnreadableWorkbookError as error:
        raise RefusalError(f"{name} is damaged ({error}); take it from your backup or {AGAIN}") from None


class _Reader:
    def __init__(self, round_: Round, register: Register, connection: Connection) -> None:
        self.connection = connection
        self.every = [Labels(register.form, language) for language in register.form.languages]
        self.labels = self.every[0]
        self.reports = Reports(round_, register, self.labels)
        self.shown = {column.key: column for column in self.reports.columns}
        columns = [{column.key: column for column in casework_columns(labels)} for labels in self.every]
        self.columns = {field: {n: one[field] for n, one in enumerate(columns)} for field in FIELDS}

    def look(self, name: str, data: bytes) -> Look:
        tabs = [labels.say(tab) for labels in self.every for tab in ("sheet_reports", "sheet_about")]
        workbook = read_export(data, name, tabs)
        export = self._export(name, workbook)
        sheet = self._sheet(name, workbook)
        top, places = self._headings(name, sheet)
        told = exported_rows(self.connection, export["id"])
        now = current(self.connection, self.reports)
        edits: list[Edit] = []
        stale: list[Trouble] = []
        wrong: list[Trouble] = []
        for row, report, values in self._rows(sheet, top, places, told, wrong):
            edit = self._edit(row, report, values, told[report], now.get(report))
            if isinstance(edit, Edit):
                edits.append(edit)
            elif edit:
                stale.append(edit)
        absent = [self.columns[field][0].label for field in FIELDS if field not in places]
        columns = {field: one[0] for field, one in self.columns.items()}
        digest = sha256(data).hexdigest()
        made = (export["code"], export["at"], export["by"])
        return Look(name, digest, *made, columns, self.labels, edits, stale, wrong, absent)

    def _export(self, name: str, workbook: Workbook) -> RowMapping:
        """Find which export the file is. Raises RefusalError for one that this register has not made."""
        texts = [workbook.properties]
        texts += [
            cell
            for sheet in workbook.sheets
            for row in sheet.rows[:HEADING_ROWS]
            for cell in row[:2]
            if isinstance(cell, str)
        ]
        codes = dict.fromkeys(code for text in texts for code in CODE.findall(text))
        found = [export for code in codes if (export := find_export(self.connection, code))]
        if len(found) > 1:
            raise RefusalError(f"{name} holds sheets of several exports; {AGAIN}")
        if not found:
            why = "was not exported from this round" if codes else "is no exported register: it has no export code"
            raise RefusalError(f"{name} {why}. Is it the right file, and the right --round? If so, {AGAIN}")
        return found[0]

    def _sheet(self, name: str, workbook: Workbook) -> SheetCells:
        tabs = {labels.say("sheet_reports") for labels in self.every}
        found = next((sheet for sheet in workbook.sheets if sheet.name in tabs), None)
        if found is None:
            raise RefusalError(f"{name} has no tab called «{self.labels.say('sheet_reports')}»; give it its name back")
        return found

    def _headings(self, name: str, sheet: SheetCells) -> tuple[int, dict[str, int]]:
        """Find the row of headings, and in which column each of those we read stands."""
        known = {one.label.casefold(): field for field, columns in self.columns.items() for one in columns.values()}
        for labels in self.every:
            known |= {labels.say(key).casefold(): key for key in ("report", "owner")}
        for top, row in enumerate(sheet.rows[:HEADING_ROWS]):
            texts = [written(cell).strip().casefold() for cell in row]
            places: dict[str, int] = {}
            for place, text in enumerate(texts):
                key = known.get(text)
                if key in places:
                    raise RefusalError(f"{name} has two columns called «{written(row[place])}»; take one of them out")
                if key:
                    places[key] = place
            if "report" in places:
                if not places.keys() & set(FIELDS):
                    wanted = ", ".join(f"«{columns[0].label}»" for columns in self.columns.values())
                    raise RefusalError(f"{name} has none of the columns {wanted}; {AGAIN}")
                return top, places
        heading = self.labels.say("report")
        raise RefusalError(f"{name} has no column «{heading}» in «{sheet.name}»; put its heading back, or {AGAIN}")

    def _rows(
        self, sheet: SheetCells, top: int, places: Mapping[str, int], told: Mapping[str, Said], wrong: list[Trouble]
    ) -> Iterator[tuple[int, str, Values]]:
        """Give each report that can be used, with what stands in its cells; the others are added to `wrong`."""
        seen: dict[str, int] = {}
        for row in range(top + 1, len(sheet.rows)):
            cells = {key: sheet.at(row, place) for key, place in places.items()}
            report = written(cells["report"]).strip()
            values = {field: understood(cells[field], self.columns[field]) for field in FIELDS if field in places}
            if not report and not any(values.values()):
                continue
            trouble = self._trouble(report, cells, told.get(report), seen) or self._unusable(values)
            seen.setdefault(report, row + 1)
            if trouble:
                wrong.append(Trouble(row + 1, report, trouble))
            else:
                yield row + 1, report, values

    def _trouble(self, report: str, cells: Mapping[str, object], told: Said | None, seen: Mapping[str, int]) -> str:
        if not report:
            return "has no report number; put it back, or empty the row"
        if report in seen:
            return f"stands in row {seen[report]} too; take one of them out"
        if told is None:
            return f"is not in that export; {AGAIN}"
        owner = written(cells.get("owner", "")).strip()
        if owner and owner.casefold() != str(told[0].get("owner", "")).strip().casefold():
            return (
                f"belongs to «{told[0]['owner']}», and the row says «{owner}»: "
                f"the columns may have been sorted apart; {AGAIN}"
            )
        return ""

    def _unusable(self, values: Values) -> str:
        bad = {field: value for field, value in values.items() if isinstance(value, Unusable)}
        heading = {field: self.columns[field][0].label for field in bad}
        return "; ".join(f"{heading[field]} is «{one.written}»: {one.instead}" for field, one in bad.items())

    def _edit(self, row: int, report: str, values: Values, told: Said, now: Said | None) -> Edit | Trouble | None:
        """Tell what a row changes, or why it is too old to; None when it changes nothing."""
        wanted = {field: value for field, value in values.items() if value != told[1].get(field)}
        there = now[1] if now else {}
        new = {field: (there.get(field), value) for field, value in wanted.items() if value != there.get(field)}
        if not new:
            return None
        if now is None:
            return Trouble(row, report, "is not in the register any more, so nothing can be decided of it")
        changed = [self._change(key, told[0], now[0]) for key in differing(told[0], now[0])]
        changed += [self._change(field, told[1], now[1]) for field in FIELDS if told[1].get(field) != now[1].get(field)]
        if changed:
            return Trouble(row, report, f"has changed since the export: {'; '.join(changed)}")
        return Edit(row, report, str(told[0].get("owner", "")), new)

    def _change(self, key: str, before: Values, after: Values) -> str:
        column = self.columns[key][0] if key in FIELDS else self.shown[key]
        return (
            f"{column.label} {said(column, before.get(key), self.labels)} → {said(column, after.get(key), self.labels)}"
        )


def said(column: Column, value: Any, labels: Labels) -> str:  # noqa: ANN401 - a JSON value
    """Show a value in one line of text; a dash for none."""
    shown = in_words(column, value, labels)
    return "–" if shown is None else " ".join(written(shown).split())


# told


def look_lines(seen: Look, *, shown: bool = True) -> Iterator[str]:
    """What a file would change, and what stands in the way."""
    made = f"{seen.labels.local(seen.at):%d.%m.%Y %H:%M}"
    yield f"{seen.name} was exported {made} by {seen.by}."
    if seen.absent:
        yield f"It has no column {', '.join(seen.absent)}; what is known of that stays as it is."
    if seen.edits:
        yield f"{len(seen.changes)} values of {len(seen.edits)} reports are new:"
        for edit in seen.edits if shown else ():
            fields = (
                f"{seen.columns[field].label} {said(seen.columns[field], before, seen.labels)}"
                f" → {said(seen.columns[field], after, seen.labels)}"
                for field, (before, after) in edit.fields.items()
            )
            yield f"  {edit.report}  {edit.owner}  {'; '.join(fields)}"
    elif not seen.stale and not seen.wrong:
        yield "It says nothing that the register does not know. Nothing changed."
    if seen.wrong:
        yield "Rows that need you:"
        yield from (f"  row {one.row}  {one.report or '(no number)'}  {one.what}" for one in seen.wrong)
    if seen.stale:
        yield "Rows that are older than the register:"
        yield from (f"  row {one.row}  {one.report}  {one.what}" for one in seen.stale)


def look_json(seen: Look, *, applied: bool) -> dict[str, Any]:
    """What `import --json` prints of an exported workbook."""

    def rows(troubles: Sequence[Trouble]) -> list[dict[str, Any]]:
        return [{"row": one.row, "report": one.report, "reason": one.what} for one in troubles]

    return {
        "kind": "casework",
        "file": seen.name,
        "export": {"code": seen.code, "at": seen.labels.local(seen.at).isoformat(), "by": seen.by},
        "changes": [
            {"report": edit.report, "row": edit.row, "field": field, "before": before, "after": after}
            for edit in seen.edits
            for field, (before, after) in edit.fields.items()
        ],
        "stale": rows(seen.stale),
        "wrong": rows(seen.wrong),
        "applied": applied,
    }
