"""Programs that fill and save our workbooks, and what is left of a workbook afterwards.

`python -m tests.survival` prints the table of docs/programs.md for the programs that are here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates.form import GridSheet, Question, QuestionSheet
from templates.layout import ANSWER_COLUMN, KEY_COLUMN, MARKER_ROW, STAMP_SHEET, SheetLayout
from templates.recipients import Recipient
from templates.stamp import find_stamps
from tests.conftest import office, office_program
from tests.desk import Desk
from tests.test_libreoffice import ANSWERS, OWNER, TYPES

HERE = Path(__file__).parent / "programs"
NODE_MODULES = HERE / "node_modules"
OWN_PYTHON = HERE / ".venv" / "bin" / "python"
SYSTEM_PYTHON = "/usr/bin/python3"  # the one Debian's LibreOffice works with
POI_JARS = os.environ.get("BEHOV_POI_JARS", "")  # a folder with the jars of Apache POI: no package has all of them
LONG_TABLE = 120  # rows
OTHERWISE: dict[Any, Any] = {"_x0041_": "1\u00a0250\u00a0000 kr – 40\u00a0%", date(2100, 12, 31): date(2037, 12, 31)}

DESK = Desk.of("behovsmelding-2024")


# what is filled in


@dataclass(frozen=True)
class Case:
    """A workbook as sent, and what its owner writes."""

    name: str
    desk: Desk
    owner: Recipient
    answers: Mapping[str, Any]

    def sent(self) -> bytes:
        return self.desk.send(self.owner)

    def filled(self) -> bytes:
        """Filled in by us: what the programs are compared with."""
        return self.desk.fill(dict(self.answers), self.owner)

    def cells(self) -> str:
        """What a program is to write: one cell a line, every value as text."""
        lines = (json.dumps(cell, ensure_ascii=False) for cell in self._cells())
        return "[\n" + ",\n".join(lines) + "\n]\n"

    def _cells(self) -> Iterator[dict[str, str]]:
        for path, question, value in self._written():
            if value in ("", None):
                continue
            tab, cell = self.desk.cell(path, self.owner.language)
            kind, text = self._stored(question, value)
            yield {"sheet": tab, "cell": cell, "type": kind, "value": text}

    def _written(self) -> Iterator[tuple[str, Question, Any]]:
        for key, given in self.answers.items():
            sheet = self.desk.form.sheets[key]
            if isinstance(sheet, QuestionSheet):
                lines = {key: given}
            elif isinstance(sheet, GridSheet):
                lines = {f"{key}.{row}": line for row, line in given.items()}
            else:
                lines = {f"{key}.{number}": line for number, line in enumerate(given, 1)}
            for start, line in lines.items():
                yield from ((f"{start}.{name}", sheet.questions[name], value) for name, value in line.items())

    def _stored(self, question: Question, value: Any) -> tuple[str, str]:  # noqa: ANN401 - any answer
        if isinstance(value, date):
            return "date", value.isoformat()
        if isinstance(value, int | float) and question.type not in ("choice", "text"):
            return "number", repr(value)
        label = self.desk.form.question_options(question).get(str(value))
        return "text", label[self.owner.language] if label else str(value)


def cases() -> list[Case]:
    """A long table in bokmål, a network and every type of answer in nynorsk, and one that nobody wrote in."""
    alone, network = DESK.samples.clean["rek_kommune"], DESK.samples.clean["des_nettverk"]
    owner, other = DESK.owner_for(alone, language="nb"), DESK.owner_for(network, language="nn")
    others = [DESK.owner_for(network) for _ in range(3)]
    DESK.recipients.update({one.orgnr: one for one in others})
    long = DESK.answers(alone, owner)
    units = long["virksomheter"]
    long["virksomheter"] = [dict(units[number % len(units)]) for number in range(LONG_TABLE)]
    return [
        Case("long", DESK, owner, long),
        Case("network", DESK, other, DESK.fill_in(network, other, others, None)),
        Case("every_type", TYPES, OWNER, {**ANSWERS, "rader": [kept_by_all(line) for line in ANSWERS["rader"]]}),
        Case("untouched", DESK, other, {}),
    ]


def kept_by_all(line: Mapping[str, Any]) -> dict[str, Any]:
    """A row less what a program itself stores as something else: docs/programs.md tells of both."""
    return {key: OTHERWISE.get(value, value) for key, value in line.items()}


# the programs


@dataclass(frozen=True)
class Job:
    """One workbook to fill: as sent, what to write, the same filled in by us, and where to save."""

    blank: Path
    cells: Path
    filled: Path
    saved: Path


@dataclass(frozen=True)
class Program:
    """A program that fills and saves workbooks. `missing` says why it cannot be run, "" when it can."""

    name: str
    missing: Callable[[], str]
    run: Callable[[Sequence[Job], Path], None]  # with a folder of its own
    version: Callable[[], str]
    in_ci: bool = True
    keeps_formulas: bool = True


def call(*command: str | Path) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, f"{command[:3]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def script(*start: str | Path) -> Callable[[Sequence[Job], Path], None]:
    """Run a script of tests/programs/ on all workbooks in one go."""
    return lambda jobs, _folder: _call_script(start, jobs)


def _call_script(start: Sequence[str | Path], jobs: Sequence[Job]) -> None:
    call(*start, *(path for job in jobs for path in (job.blank, job.cells, job.saved)))


def run_libreoffice(jobs: Sequence[Job], folder: Path) -> None:
    """LibreOffice is filled from outside, while it listens on a pipe."""
    program, pipe = office(folder), f"behov{uuid4().hex}"
    options = ["--headless", "--norestore", f"-env:UserInstallation={program.profile.as_uri()}"]
    with subprocess.Popen(
        [program.program, *options, f"--accept=pipe,name={pipe};urp;"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        try:
            _call_script([SYSTEM_PYTHON, HERE / "with_uno.py", pipe], jobs)
            running.wait(60)
        finally:
            running.kill()


def run_gnumeric(jobs: Sequence[Job], _folder: Path) -> None:
    """Open, calculate and save: Gnumeric has no way to be filled from outside."""
    for job in jobs:
        call("ssconvert", "--recalc", "--export-type=Gnumeric_Excel:xlsx2", job.filled, job.saved)


def no_libreoffice() -> str:
    if office_program() is None:
        return "LibreOffice is not installed"
    can = (
        shutil.which(SYSTEM_PYTHON) and subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], check=False).returncode == 0
    )
    return "" if can else "python3-uno is not installed"


def no_command(*names: str) -> Callable[[], str]:
    return lambda: next((f"{name} is not installed" for name in names if shutil.which(name) is None), "")


def no_node_module(name: str) -> Callable[[], str]:
    def missing() -> str:
        return no_command("node")() or ("" if (NODE_MODULES / name).is_dir() else f"{name}: run make programs")

    return missing


def no_python_module(name: str) -> Callable[[], str]:
    return lambda: "" if any(_own_packages(name)) else f"{name}: run make programs"


def _own_packages(name: str) -> Iterator[Path]:
    return (HERE / ".venv").glob(f"lib/python3*/site-packages/{name}-*.dist-info")


def no_poi() -> str:
    return no_command("java")() or ("" if POI_JARS else "BEHOV_POI_JARS names no folder")


def node_version(name: str) -> Callable[[], str]:
    return lambda: str(json.loads((NODE_MODULES / name / "package.json").read_text(encoding="utf-8"))["version"])


def own_version(name: str) -> Callable[[], str]:
    return lambda: next(_own_packages(name)).name.removesuffix(".dist-info").rpartition("-")[2]


def poi_version() -> str:
    return next(Path(POI_JARS).glob("poi-[0-9]*.jar")).stem.rpartition("-")[2]


PROGRAMS = [
    Program(
        "LibreOffice",
        no_libreoffice,
        run_libreoffice,
        lambda: call(str(office_program()), "--version").split()[1],
    ),
    Program(
        "Gnumeric",
        no_command("ssconvert"),
        run_gnumeric,
        lambda: call("ssconvert", "--version").split("'")[1],
    ),
    Program(
        "SheetJS",
        no_node_module("xlsx"),
        script("node", HERE / "with_sheetjs.mjs"),
        node_version("xlsx"),
        keeps_formulas=False,  # it leaves out those that have no result yet
    ),
    Program("ExcelJS", no_node_module("exceljs"), script("node", HERE / "with_exceljs.mjs"), node_version("exceljs")),
    Program(
        "openpyxl",
        lambda: "",
        script(sys.executable, HERE / "with_openpyxl.py"),
        lambda: call(sys.executable, "-c", "import openpyxl; print(openpyxl.__version__)").strip(),
    ),
    Program(
        "excelize",
        no_python_module("excelize"),
        script(OWN_PYTHON, HERE / "with_excelize.py"),
        own_version("excelize"),
        in_ci=False,
    ),
    Program(
        "pandas",
        no_python_module("pandas"),
        script(OWN_PYTHON, HERE / "with_pandas.py"),
        own_version("pandas"),
        keeps_formulas=False,
    ),
    Program(
        "Apache POI",
        no_poi,
        script("java", "-cp", f"{POI_JARS}/*", HERE / "WithPoi.java"),
        poi_version,
        in_ci=False,
    ),
]


def run(program: Program, all_cases: Sequence[Case], folder: Path) -> dict[str, Path]:
    """Let a program fill every case; the saved workbooks by the name of the case."""
    jobs = {}
    for case in all_cases:
        job = Job(*(folder / f"{case.name}{end}" for end in ("-sent.xlsx", ".json", "-ours.xlsx", ".xlsx")))
        job.blank.write_bytes(case.sent())
        job.cells.write_text(case.cells(), encoding="utf-8")
        job.filled.write_bytes(case.filled())
        jobs[case.name] = job
    (folder / "own").mkdir()
    program.run(list(jobs.values()), folder / "own")
    return {name: job.saved for name, job in jobs.items()}


# what is left


def features(path: Path, case: Case) -> dict[str, set[object]]:
    """What a workbook has besides its answers; what is gone from a set was lost."""
    with warnings.catch_warnings(action="ignore"):  # openpyxl warns of what it does not know
        workbook = load_workbook(path)
    tabs = {place.sheet.label[case.owner.language]: place for place in case.desk.layout.values()}
    sheets = [sheet for sheet in workbook.worksheets if sheet.title in tabs]
    return _identity(workbook, sheets) | _hidden(workbook, sheets) | _help(workbook, sheets) | _look(sheets, tabs)


def _identity(workbook: Workbook, sheets: Sequence[Worksheet]) -> dict[str, set[object]]:
    core = workbook.properties
    custom = workbook.custom_doc_props.props  # type: ignore[attr-defined]
    return {
        "skjemakode in sight": _codes(sheet["B2"].value for sheet in sheets),
        "skjemakode in hidden A1": _codes(sheet["A1"].value for sheet in sheets),
        "skjemakode on its hidden sheet": _codes(cell.value for cell in workbook[STAMP_SHEET]["B"]),
        "skjemakode in title and keywords": _codes([core.subject, core.keywords]),
        "skjemakode in a property of our own": _codes(item.value for item in custom),
        "skjemakode in the footer": _codes(sheet.oddFooter.left.text for sheet in sheets),  # type: ignore[union-attr]
    }


def _codes(texts: Iterable[object]) -> set[object]:
    return {stamp.code for text in texts for stamp in find_stamps(str(text))}


def _hidden(workbook: Workbook, sheets: Sequence[Worksheet]) -> dict[str, set[object]]:
    columns = {sheet.title for sheet in sheets if sheet.column_dimensions[KEY_COLUMN].hidden}
    rows = {(sheet.title, "row") for sheet in sheets if sheet.row_dimensions[MARKER_ROW].hidden}
    return {
        "hidden sheets": {sheet.title for sheet in workbook.worksheets if sheet.sheet_state != "visible"},
        "hidden keys": columns | rows,
    }


def _help(workbook: Workbook, sheets: Sequence[Worksheet]) -> dict[str, set[object]]:
    limits = {(sheet.title, rule) for sheet in sheets for rule in sheet.data_validations.dataValidation}
    cells = (cell for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row)
    return {
        "defined names": {name for name in workbook.defined_names if name.startswith("_")},
        "formulas": {(cell.parent.title, cell.coordinate) for cell in cells if cell.data_type == "f"},
        "dropdowns and limits": {
            (tab, *spot) for tab, rule in limits for one in rule.sqref.ranges for spot in one.cells
        },
        "colours that follow the answers": {sheet.title for sheet in sheets if len(sheet.conditional_formatting)},
    }


def _look(sheets: Sequence[Worksheet], tabs: Mapping[str, SheetLayout]) -> dict[str, set[object]]:
    cells = [
        sheet[f"{ANSWER_COLUMN}{row}"]
        for sheet in sheets
        for key, row in tabs[sheet.title].rows.items()
        if isinstance(tabs[sheet.title].sheet, QuestionSheet) and not key.startswith("#")
    ]
    return {
        "colours": {(cell.coordinate, cell.fill.start_color.rgb) for cell in cells},
        "protected sheets": {sheet.title for sheet in sheets if sheet.protection.sheet},
        "unlocked answers": {cell.coordinate for cell in cells if not cell.protection.locked},
        "title rows in print": {sheet.title for sheet in sheets if sheet.print_title_rows},
    }


def kept(before: Mapping[str, set[object]], after: Mapping[str, set[object]]) -> dict[str, str]:
    """Whether each thing was kept: yes, no, or some of it."""
    words = {}
    for name, wanted in before.items():
        left = wanted & after[name]
        words[name] = "yes" if left == wanted else "some" if left else "no"
    return words


def main() -> None:
    """Print the table of docs/programs.md."""
    here = [program for program in PROGRAMS if not program.missing()]
    case = cases()[0]
    columns = {}
    with tempfile.TemporaryDirectory() as folder:
        for program in here:
            own = Path(folder) / program.name
            own.mkdir()
            saved = run(program, [case], own)[case.name]
            columns[program.name] = kept(features(own / f"{case.name}-ours.xlsx", case), features(saved, case))
    lines = [["kept after filling and saving", *columns], ["---"] * (len(columns) + 1)]
    lines.append(["version", *(program.version() for program in here)])
    lines += [[name, *(column[name] for column in columns.values())] for name in next(iter(columns.values()))]
    sys.stdout.writelines(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
