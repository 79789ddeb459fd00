"""What caseworkers write in an exported workbook comes back into the register, and stays there."""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import cli
from outputs.exports.exports import export
from outputs.register.case_log import read_casework
from outputs.register.log import casework, exports, imports
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.round import Round
from tests.databases import Places
from tests.made_returns import ERROR, FULL, OWNER, Made, day, make_form
from tests.survival import Job, no_libreoffice, run_libreoffice

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
OTHER = "974761319"
SETTINGS = 'form = "{form}"\n[office]\nname = "Kontoret"\nemail = "post@example.no"\n'
RECIPIENTS = f"orgnr;navn;type;kommunenr;epost;språk\n{OWNER};Ask båtlag;KLUBB;3203;a@example.no;nb\n"
RECIPIENTS += f"{OTHER};Aasen båtlag;PRIVAT;0301;b@example.no;nn\n"
FIRST, SECOND = "BAT-0001-1", "BAT-0002-1"


class Desk:
    """A round with a register, and a caseworker with the exported workbook."""

    def __init__(self, folder: Path, setting: str = "") -> None:
        self.folder = folder
        self.form = make_form(folder / "form")
        (folder / "round.toml").write_text(
            setting + SETTINGS.format(form=(folder / "form").as_posix()), encoding="utf-8"
        )
        (folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
        self.register = Register.of(self.round)

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def take_in(self, *made: Made) -> None:
        self.register.merge([one.verdict() for one in made], NOW)

    def export(self, name: str = "register.xlsx", language: str = "nb") -> Path:
        path = self.round.exports / name
        export(self.round, self.register, path, language, NOW)
        return path

    def run(self, *words: str | Path, expect: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, ["--round", str(self.folder), *map(str, words)])
        assert result.exit_code == expect, result.output
        return result

    def bring(self, path: Path, *words: str, expect: int = 0) -> Any:  # noqa: ANN401 - a JSON document
        return json.loads(self.run("import", path, "--json", *words, expect=expect).stdout)

    def known(self) -> dict[str, dict[str, Any]]:
        with self.register.reading() as connection:
            return read_casework(connection)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.take_in(FULL, replace(FULL, content="second", report=SECOND, recipient=OTHER))
    return desk


def headings(sheet: Worksheet) -> list[object]:
    return [cell.value for cell in sheet[1]]


def write(path: Path, cells: dict[str, dict[str, object]], change: Callable[[Any], None] | None = None) -> Path:
    """Write in the columns of reports, by heading, and save as another file."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = headings(sheet)
    for row in sheet.iter_rows(min_row=2):
        for heading, value in cells.get(str(row[0].value), {}).items():
            row[heads.index(heading)].value = value  # type: ignore[assignment]
    if change:
        change(book)
    filled = path.with_name("saksbehandlet.xlsx")
    book.save(filled)
    return filled


def rows(path: Path, sheet: str = "Meldinger") -> list[dict[str, object]]:
    header, *lines = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()
    return [dict(zip(map(str, header), line, strict=True)) for line in lines]


WRITTEN: dict[str, object] = {
    "Prioritet": 1,
    "Forslag": "Innvilges",
    "Vedtak": "Delvis innvilget",
    "Innvilget beløp": 250_000,
    "Notat": "Se møte 3. mars\nAvklart – ærlig talt",
}
MEANT = {
    "priority": 1,
    "proposal": "grant",
    "decision": "granted_part",
    "amount_granted": 250_000,
    "note": "Se møte 3. mars\nAvklart – ærlig talt",
}


def test_what_a_caseworker_writes_is_kept_with_who_and_when(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN})

    told = desk.bring(filled, "--yes", "--by", "Kari Holm")

    assert told["applied"]
    assert {change["field"]: change["after"] for change in told["changes"]} == MEANT
    assert desk.known() == {FIRST: MEANT}
    with desk.register.reading() as connection:
        assert set(connection.scalars(select(casework.c.by))) == {"Kari Holm"}
        assert connection.execute(select(imports.c.kind, imports.c.name, imports.c.rows)).all() == [
            ("casework", "saksbehandlet.xlsx", 1)
        ]


def test_it_stands_in_every_later_export_and_after_a_rebuild(tmp_path: Path, places: Places) -> None:
    desk = Desk(tmp_path, places.setting())
    desk.take_in(FULL)
    desk.bring(write(desk.export(), {FIRST: WRITTEN}), "--yes")
    desk.take_in(replace(FULL, content="third", report="BAT-0003-1"))
    desk.run("rebuild")

    first = next(row for row in rows(desk.export()) if row["Meldingsnummer"] == FIRST)

    assert {heading: first[heading] for heading in WRITTEN} == WRITTEN


def test_the_story_of_a_report_tells_what_was_written_of_it(desk: Desk) -> None:
    desk.bring(write(desk.export(), {FIRST: {"Vedtak": "Avslag"}}), "--yes", "--by", "Kari Holm")

    assert "decision: refused  by Kari Holm" in desk.run("show", FIRST).stdout


def test_nothing_is_kept_before_somebody_says_so(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN})

    assert "Nothing is changed yet" in desk.run("import", filled, expect=1).stdout
    assert not desk.bring(filled, "--dry-run", "--yes")["applied"]
    assert desk.known() == {}


def test_the_differences_are_shown_in_the_words_of_the_workbook(desk: Desk) -> None:
    desk.bring(write(desk.export(), {FIRST: {"Forslag": "Må avklares", "Prioritet": 2}}), "--yes")

    told = desk.run("import", write(desk.export(), {FIRST: {"Forslag": "Avslås", "Prioritet": None}}), "--dry-run")

    assert f"  {FIRST}  Ask båtlag  Prioritet 2 → –; Forslag Må avklares → Avslås\n" in told.stdout


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN})
    desk.bring(filled, "--yes")

    again = desk.bring(filled, "--yes")

    assert (again["changes"], again["stale"], again["applied"]) == ([], [], False)
    assert "Nothing changed" in desk.run("import", filled, "--yes").stdout


def test_an_emptied_cell_empties_what_is_known(desk: Desk) -> None:
    desk.bring(write(desk.export(), {FIRST: WRITTEN}), "--yes")

    desk.bring(write(desk.export(), {FIRST: {"Vedtak": None, "Innvilget beløp": ""}}), "--yes")

    assert desk.known()[FIRST].keys() == {"priority", "proposal", "note"}


def test_what_one_wrote_is_not_emptied_by_another_who_did_not_see_it(desk: Desk) -> None:
    exported = desk.export()
    desk.bring(write(exported, {FIRST: WRITTEN}), "--yes")

    desk.bring(write(exported, {SECOND: {"Prioritet": 2}}), "--yes")

    assert desk.known() == {FIRST: MEANT, SECOND: {"priority": 2}}


def test_a_register_of_ten_thousand_reports_is_read_back(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN})
    row = "".join(f'<c r="{column}{{0}}"><v>1</v></c>' for column in "ABCDEFGHIJKLMNOPQRSTU")
    data = "".join(f'<row r="{number}">{row.format(number)}</row>' for number in range(1, 20_002)).encode()
    long = filled.with_name("langt.xlsx")
    with zipfile.ZipFile(filled) as source, zipfile.ZipFile(long, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/worksheets/sheet3.xml":  # a table of the form: far longer than any owner's
                part = re.sub(rb"(?<=<sheetData>).*(?=</sheetData>)", data, part, flags=re.DOTALL)
                assert data in part
            target.writestr(name, part)

    desk.bring(long, "--yes")

    assert desk.known() == {FIRST: MEANT}


# what is refused


def test_a_row_is_stale_when_its_report_has_changed_since(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN, SECOND: {"Prioritet": 2}})
    newer = replace(FULL, content="newer", received=day(12), questions=FULL.questions | {"andel": 0.5})
    desk.take_in(replace(newer, findings=(ERROR,), outcome="needs_correction"))

    told = desk.bring(filled, "--yes", expect=1)

    [stale] = told["stale"]
    assert (stale["report"], told["applied"], desk.known()) == (FIRST, False, {})
    assert "Tittel first → newer" in stale["reason"]
    assert "Status Komplett → Må rettes av eier" in stale["reason"]
    assert "make a new export" in desk.run("import", filled, "--yes", expect=1).stdout.lower()


def test_the_rows_that_are_not_stale_may_be_taken_in(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: WRITTEN, SECOND: {"Prioritet": 2}})
    desk.take_in(replace(FULL, content="newer", received=day(12)))

    told = desk.bring(filled, "--yes", "--skip-stale")

    assert told["applied"]
    assert desk.known() == {SECOND: {"priority": 2}}


def test_a_row_is_stale_when_somebody_else_has_written_in_it(desk: Desk) -> None:
    exported = desk.export()
    desk.bring(write(exported, {FIRST: {"Prioritet": 1}}), "--yes")

    told = desk.bring(write(exported, {FIRST: {"Prioritet": 3}}), "--yes", expect=1)

    assert told["stale"][0]["reason"] == "has changed since the export: Prioritet – → 1"
    assert desk.known() == {FIRST: {"priority": 1}}


def test_an_export_of_another_round_is_refused(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Desk(tmp_path_factory.mktemp("annen"))
    other.take_in(FULL)

    told = desk.run("import", write(other.export(), {FIRST: WRITTEN}), "--yes", expect=2)

    assert "was not exported from this round" in told.stderr
    assert desk.known() == {}


def shift(book: Any) -> None:  # noqa: ANN401 - an openpyxl workbook
    """Sort the first two columns and leave the others where they are."""
    sheet = book.worksheets[0]
    sheet["A2"], sheet["A3"] = sheet["A3"].value, sheet["A2"].value


def copy_a_row(book: Any) -> None:  # noqa: ANN401
    sheet = book.worksheets[0]
    for column, cell in enumerate(sheet[2], 1):
        sheet.cell(4, column, cell.value)


@pytest.mark.parametrize(
    ("cells", "change", "said"),
    [
        (
            {FIRST: {"Prioritet": "først"}},
            None,
            "row 2  BAT-0001-1  Prioritet is «først»: write a whole number, 1 or more",
        ),
        ({FIRST: {"Prioritet": 0}}, None, "Prioritet is «0»: write a whole number"),
        ({FIRST: {"Innvilget beløp": "1.500"}}, None, "Innvilget beløp is «1.500»"),
        ({FIRST: {"Innvilget beløp": -5}}, None, "Innvilget beløp is «-5»"),
        ({FIRST: {"Forslag": "Kanskje"}}, None, "Forslag is «Kanskje»: choose «Innvilges», "),
        ({FIRST: {"Notat": "=1/0"}}, None, "the cell holds an error or a formula without a result"),
        ({FIRST: {"Prioritet": 1}}, shift, "the columns may have been sorted apart"),
        ({FIRST: {"Prioritet": 1}}, copy_a_row, "row 4  BAT-0001-1  stands in row 2 too"),
        ({FIRST: {"Meldingsnummer": None, "Prioritet": 1}}, None, "row 2  (no number)  has no report number"),
        ({FIRST: {"Meldingsnummer": "BAT-0009-1", "Prioritet": 1}}, None, "is not in that export"),
    ],
)
def test_a_row_nobody_can_be_sure_of_stops_the_import(
    desk: Desk, cells: dict[str, dict[str, object]], change: Callable[[Any], None] | None, said: str
) -> None:
    told = desk.run("import", write(desk.export(), cells, change), "--yes", expect=1)

    assert said in told.stdout
    assert desk.known() == {}


def without_numbers(book: Any) -> None:  # noqa: ANN401
    book.worksheets[0]["A1"] = "Nr."


def another_tab(book: Any) -> None:  # noqa: ANN401
    book.worksheets[0].title = "Mine"


def twice(book: Any) -> None:  # noqa: ANN401
    sheet = book.worksheets[0]
    sheet.cell(1, sheet.max_column + 1, "Prioritet")


def nothing_to_read(book: Any) -> None:  # noqa: ANN401
    sheet = book.worksheets[0]
    for cell in sheet[1]:
        cell.value = None if cell.value in WRITTEN else cell.value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_numbers, "has no column «Meldingsnummer» in «Meldinger»"),
        (another_tab, "has no tab called «Meldinger»"),
        (twice, "has two columns called «Prioritet»"),
        (nothing_to_read, "has none of the columns «Prioritet», «Forslag»"),
    ],
)
def test_a_workbook_that_was_changed_too_much_is_refused_with_what_to_do(
    desk: Desk, change: Callable[[Any], None], said: str
) -> None:
    told = desk.run("import", write(desk.export(), {}, change), "--yes", expect=2)

    assert said in told.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read (empty"),
        (b"%PDF-1.7 ", "cannot be read (pdf"),
        (b"PK\x03\x04half a file", "cannot be read (truncated)"),
    ],
)
def test_what_is_no_workbook_is_refused_with_what_to_do(desk: Desk, content: bytes, said: str) -> None:
    path = desk.folder / "register.xlsx"
    path.write_bytes(content)

    told = desk.run("import", path, "--yes", expect=2)

    assert said in told.stderr
    assert "save it as .xlsx" in told.stderr


def test_a_file_that_is_not_there_is_told(desk: Desk) -> None:
    assert "does not exist" in desk.run("import", desk.folder / "borte.xlsx", expect=2).stderr


def test_what_changes_while_one_is_asked_is_not_overwritten(desk: Desk) -> None:
    from outputs.imports.imports import look_through  # noqa: PLC0415 - what the command does, in two steps

    exported = desk.export()
    seen = look_through(desk.round, desk.register, write(exported, {FIRST: {"Prioritet": 5}}))
    desk.bring(write(exported, {FIRST: {"Prioritet": 1}}), "--yes")

    with pytest.raises(RefusalError, match="meanwhile"):
        seen.keep("Kari", NOW)


# what people do with a workbook


def tidied(book: Any) -> None:  # noqa: ANN401
    """Put a title above, a column of one's own beside, sort, hide, and take a column out."""
    sheet = book.worksheets[0]
    sheet.delete_cols(headings(sheet).index("Notat") + 1)
    sheet.insert_cols(2)
    sheet["B1"] = "Mitt"
    for column in range(1, sheet.max_column + 1):
        upper, lower = sheet.cell(2, column), sheet.cell(3, column)
        upper.value, lower.value = lower.value, upper.value
    sheet.row_dimensions[2].hidden = True
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Til forumet 15. mars"


def test_sorted_hidden_and_moved_cells_are_found_by_their_headings(desk: Desk) -> None:
    filled = write(desk.export(), {FIRST: {"Prioritet": 1}, SECOND: {"Prioritet": "2", "Vedtak": "avslag"}}, tidied)

    assert "It has no column Notat" in desk.run("import", filled, "--dry-run").stdout
    desk.bring(filled, "--yes")

    assert desk.known() == {FIRST: {"priority": 1}, SECOND: {"priority": 2, "decision": "refused"}}


def test_a_workbook_in_nynorsk_says_the_same(desk: Desk) -> None:
    desk.bring(
        write(desk.export(language="nn"), {FIRST: {"Forslag": "Får avslag", "Innvilga beløp": "12 500 kr"}}), "--yes"
    )

    assert desk.known() == {FIRST: {"proposal": "refuse", "amount_granted": 12_500}}


# what has changed since the export before


def test_the_first_export_tells_of_no_changes(desk: Desk) -> None:
    path = desk.export()

    assert rows(path, "Endringer") == []
    about = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Om filen").to_python()
    assert any("første eksporten" in str(cell) for row in about for cell in row)


def test_an_export_tells_what_has_changed_since_the_one_before(desk: Desk) -> None:
    desk.bring(write(desk.export(), {FIRST: {"Prioritet": 1}}), "--yes")
    desk.take_in(
        replace(FULL, content="newer", received=day(12), grid={"BRYGGE": 900}),
        replace(FULL, content="third", report="BAT-0003-1"),
    )

    told = [tuple(row.values()) for row in rows(desk.export(), "Endringer")]

    assert (FIRST, "Ask båtlag", "Endret", "Brygge 2030", 1_250_000, 900) in told
    assert (FIRST, "Ask båtlag", "Endret", "Prioritet", "", 1) in told
    assert (FIRST, "Ask båtlag", "Endret", "Tittel", "first", "newer") in told
    assert ("BAT-0003-1", "Ask båtlag", "Ny", "Tittel", "", "third") in told
    assert {row[0] for row in told} == {FIRST, "BAT-0003-1"}


def test_an_export_again_with_nothing_new_is_the_same_file_with_the_same_changes(desk: Desk) -> None:
    desk.export()
    desk.take_in(replace(FULL, content="third", report="BAT-0003-1"))
    path = desk.export()
    before = path.read_bytes()

    assert desk.export().read_bytes() == before
    with desk.register.reading() as connection:
        assert len(connection.execute(select(exports)).all()) == 2


@pytest.mark.parametrize("table", [exports, imports, casework])
def test_what_is_logged_of_exports_and_imports_is_never_changed(desk: Desk, table: Any) -> None:  # noqa: ANN401
    desk.bring(write(desk.export(), {FIRST: WRITTEN}), "--yes")

    for change in (table.delete(), table.update().values(by="en annen")):
        with pytest.raises(IntegrityError, match="append-only"), desk.register.writing() as connection:
            connection.execute(change)


# in LibreOffice itself


def decisions(path: Path, count: int) -> Iterator[tuple[str, str, str, str, object]]:
    """Fill in the first reports: report, heading, cell, kind and value."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    heads = headings(sheet)
    for number, row in enumerate(sheet.iter_rows(min_row=2, max_row=count + 1), 1):
        written = WRITTEN | {
            "Prioritet": number,
            "Innvilget beløp": 1000 * number,
            "Notat": f"Nr. {number}: æøå – «=1+1»",
        }
        for heading, value in written.items():
            kind = "text" if isinstance(value, str) else "number"
            yield str(row[0].value), heading, row[heads.index(heading)].coordinate, kind, value


@pytest.mark.slow
def test_fifty_decisions_written_in_libreoffice_outlive_a_new_ingest_and_a_new_export(tmp_path: Path) -> None:
    if why := no_libreoffice():
        pytest.skip(why)
    desk = Desk(tmp_path)
    desk.take_in(*(replace(FULL, content=f"tiltak {n}", report=f"BAT-{n:04}-1") for n in range(1, 61)))
    exported = desk.export()
    wanted = list(decisions(exported, 50))
    cells = tmp_path / "cells.json"
    cells.write_text(
        json.dumps(
            [{"sheet": "Meldinger", "cell": cell, "type": kind, "value": value} for *_, cell, kind, value in wanted]
        ),
        encoding="utf-8",
    )
    saved = tmp_path / "fra-libreoffice.xlsx"
    (tmp_path / "office").mkdir()
    run_libreoffice([Job(exported, cells, exported, saved)], tmp_path / "office")

    told = desk.bring(saved, "--yes", "--by", "Kari Holm")
    assert len({change["report"] for change in told["changes"]}) == 50
    newer = [replace(FULL, content=f"nytt {n}", report=f"BAT-{n:04}-1", received=day(13)) for n in range(1, 20)]
    desk.take_in(*newer, *(replace(FULL, content=f"tiltak {n}", report=f"BAT-{n:04}-1") for n in range(61, 71)))

    found = {str(row["Meldingsnummer"]): row for row in rows(desk.export())}
    assert len(found) == 70
    assert [found[report][heading] for report, heading, *_ in wanted] == [value for *_, value in wanted]
