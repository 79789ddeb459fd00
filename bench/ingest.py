"""Taking files in: ours, the usual way (openpyxl, pandas and pandera, file by file), and the floor.

`python -m bench.ingest FOLDER [COUNT]` makes COUNT distinct filled workbooks, re-saved by LibreOffice,
in FOLDER (kept for the next run), and prints CPU milliseconds for each workbook and the ratios.
Ours is the whole of `behov ingest`: inspect, keep, read, locate, type, validate, merge. The floor is
calamine reading every sheet and nothing else. The three take turns over the same files.
The usual way needs pandas: `pip install --group bench`.
"""

import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from outputs.ingest import ingest
from templates.fill import fill_workbook
from templates.form import Form, QuestionSheet, TableSheet
from templates.layout import HELP_ROW, MARKER_ROW
from templates.round import Round, new_round
from templates.sendout import plan, send_out
from tests.conftest import office
from tests.desk import Desk

FORM = "behovsmelding-2024"
CHUNK = 100  # files of one turn; a round has more, so what a run costs once counts for more here than there
AT_ONCE = 50  # files LibreOffice is given at a time
COLUMNS = ("orgnr", "name", "type", "kommunenr", "email", "language")


def cpu() -> float:
    """Seconds of CPU, of this process and of those it has waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def make_corpus(folder: Path, count: int) -> tuple[Round, list[Path]]:
    """A round with so many workbooks filled in and saved by LibreOffice; what is there already is kept."""
    round_, filled, saved = folder / "round", folder / "filled", folder / "saved"
    made = sorted(saved.glob("*.xlsx")) if saved.exists() else []
    if len(made) >= count:
        return Round(round_), made[:count]
    shutil.rmtree(folder, ignore_errors=True)
    for path in (filled, saved):
        path.mkdir(parents=True)
    new_round(round_, FORM)
    desk = Desk.of(FORM)
    samples = cycle(desk.samples.clean.values())
    pairs = [(sample, desk.owner_for(sample)) for sample, _ in zip(samples, range(count), strict=False)]
    rows = [";".join(getattr(owner, column) for column in COLUMNS) for _, owner in pairs]
    (round_ / "recipients.csv").write_text("\n".join([";".join(COLUMNS), *rows]), encoding="utf-8")
    made_for = Round(round_)
    sent = {line.orgnr: line for line in send_out(made_for, plan(made_for, made_for.recipients.values()))}
    for sample, owner in pairs:
        workbook = (made_for.sent_folder / sent[owner.orgnr].file).read_bytes()
        answers = desk.answers(sample, owner)
        (filled / f"{owner.orgnr}.xlsx").write_bytes(fill_workbook(workbook, desk.form, owner.language, answers))
    paths = sorted(filled.glob("*.xlsx"))
    with tempfile.TemporaryDirectory() as profile:
        program = office(Path(profile))
        for at in range(0, count, AT_ONCE):
            program.convert_all(paths[at : at + AT_ONCE], "xlsx", saved)
    return Round(round_), sorted(saved.glob("*.xlsx"))


@contextmanager
def quiet(label: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG001 - shows nothing
    yield lambda _count: None


def by_us(round_: Round) -> Callable[[Sequence[Path]], None]:
    now = datetime.now(round_.form.zone)

    def take_in(paths: Sequence[Path]) -> None:
        for verdict in ingest(round_, paths, now, quiet, workers=1):
            assert verdict.outcome in {"accepted", "remarks", "needs_correction", "late"}, verdict

    return take_in


def the_usual_way(form: Form) -> Callable[[Sequence[Path]], None]:
    import openpyxl  # noqa: PLC0415 - only here
    import pandas as pd  # noqa: PLC0415
    import pandera.pandas as pa  # noqa: PLC0415

    schemas = {
        key: pa.DataFrameSchema(
            {
                name: pa.Column(nullable=not question.required)
                for name, question in sheet.questions.items()
                if not question.calculated
            }
        )
        for key, sheet in form.sheets.items()
    }
    merged: dict[str, list[Any]] = {key: [] for key in form.sheets}

    def read(path: Path) -> None:
        book = openpyxl.load_workbook(path, data_only=True)
        for key, sheet in form.sheets.items():
            found = book[sheet.label["nb"]]
            rows = list(found.iter_rows(values_only=True))
            if isinstance(sheet, QuestionSheet):
                frame = pd.DataFrame([{row[0]: row[2] for row in rows if row[0] in sheet.questions}])
            else:
                marks = rows[MARKER_ROW - 1]
                data = [row for row in rows[HELP_ROW:] if any(cell not in (None, "") for cell in row[1:])]
                frame = pd.DataFrame([dict(zip(marks, row, strict=False)) for row in data], columns=list(marks))
            if isinstance(sheet, QuestionSheet | TableSheet):
                frame = frame.reindex(columns=list(schemas[key].columns))
                schemas[key].validate(frame, lazy=True)
            merged[key].append(frame)

    def read_all(paths: Sequence[Path]) -> None:
        for path in paths:
            with suppress(pa.errors.SchemaErrors):
                read(path)

    return read_all


def the_floor(paths: Sequence[Path]) -> None:
    for path in paths:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300  # noqa: PLR2004
    round_, paths = make_corpus(folder, count)
    for name in ("register.db", "archive"):
        kept = round_.folder / name
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink(missing_ok=True)
    ways = {"calamine": the_floor, "ours": by_us(round_), "openpyxl + pandas + pandera": the_usual_way(round_.form)}
    for way in ways.values():  # once before, so that nobody pays for imports
        way(paths[:1])
    seconds = dict.fromkeys(ways, 0.0)
    for at in range(1, len(paths), CHUNK):
        for name, way in ways.items():
            start = cpu()
            way(paths[at : at + CHUNK])
            seconds[name] += cpu() - start
    lines = [f"{len(paths) - 1} workbooks of {paths[0].stat().st_size // 1000} kB, CPU for each:"]
    for name, used in seconds.items():
        each = 1000 * used / (len(paths) - 1)
        lines.append(f"{name:<28} {each:8.1f} ms  {used / seconds['calamine']:6.2f} of the floor")
    lines.append(
        f"the usual way costs {seconds['openpyxl + pandas + pandera'] / seconds['ours']:.1f} times as much as ours"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
