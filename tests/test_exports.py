from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import polars as pl
import pytest
from openpyxl.workbook import Workbook
from python_calamine import CalamineWorkbook

from outputs.exports import reporting, spreadsheet
from outputs.exports.exports import export, export_journal, export_tables
from outputs.exports.norwegian import sort_key
from outputs.exports.spreadsheet import Book
from outputs.register.life import JUDGED, SETTLED
from outputs.register.register import TEXTS, Register
from templates.form import Form
from templates.round import Round
from templates.texts import load_texts
from tests.made_returns import EARLY, ERROR, FULL, OWNER, REMARK, Made, make_form
from validation.verdict import LATE

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
RECIPIENTS = f"""orgnr;navn;type;kommunenr;epost;språk;fylke
{OWNER};Ask båtlag;KLUBB;3203;a@example.no;nb;
974761319;Aasen båtlag;PRIVAT;0301;b@example.no;nn;Oslo
940039541;Ørje båtlag;KLUBB;3203;c@example.no;nb;
"""
Export = Callable[..., Path]


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return make_form(tmp_path / "form")


@pytest.fixture
def register(tmp_path: Path, form: Form) -> Register:
    return Register.open(tmp_path / "register.db", form)


@pytest.fixture
def exported(tmp_path: Path, register: Register) -> Export:
    """Take returns in and write the register workbook."""
    (tmp_path / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    settings = f'form = "{(tmp_path / "form").as_posix()}"\n[office]\nname = "Kontoret"\nemail = "post@example.no"\n'
    (tmp_path / "round.toml").write_text(settings, encoding="utf-8")

    def write(*made: Made, language: str = "nb") -> Path:
        register.merge([one.verdict() for one in made], NOW)
        path = tmp_path / "exports" / "register.xlsx"
        export(Round(tmp_path), register, path, language, NOW)
        return path

    return write


def table(path: Path, sheet: str) -> list[dict[str, object]]:
    """Read a sheet back as an Excel program would: a dict for each row."""
    header, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def opened(path: Path) -> Workbook:
    return openpyxl.load_workbook(path)


def test_there_is_one_row_for_each_report_with_what_the_office_and_the_form_ask_for(exported: Export) -> None:
    path = exported(replace(FULL, outcome="needs_correction", findings=(ERROR, REMARK)))

    assert table(path, "Meldinger") == [
        {
            "Meldingsnummer": "BAT-0001-1",
            "Eier": "Ask båtlag",
            "Eiers org.nr.": OWNER,
            "Eiertype": "Klubb",
            "Kommunenr.": "3203",
            "Kommune": "Asker",
            "Fylke": "Akershus",
            "Status": "Må rettes av eier",
            "Frist for retting": "",
            "Mottatt": datetime(2030, 1, 10, 13),  # in Norway, from 12 o'clock UTC  # noqa: DTZ001 - a cell
            "Antall versjoner": 1,
            "Feil som må rettes": 1,
            "Spørsmål": 1,
            "Brygge 2030": 1250000,
            "Motorer": "Seil, Bensin",
            "Start": date(2030, 5, 1),
            "Tittel": "first",
        }
        | dict.fromkeys(["Prioritet", "Forslag", "Vedtak", "Innvilget beløp", "Notat"], "")
    ]


def test_every_form_sheet_has_its_own_with_choices_in_words(exported: Export) -> None:
    path = exported(FULL)

    own = {"Meldingsnummer": "BAT-0001-1", "Eier": "Ask båtlag"}
    names = ["Meldinger", "Lag", "Meldinger 2", "Penger", "Åpne merknader", "Endringer", "Om filen"]
    assert CalamineWorkbook.from_path(str(path)).sheet_names == names
    assert table(path, "Lag") == [
        own
        | {"Lagets navn": "Ask båtlag", "Slag": "Klubb", "Sted": "3203", "Tittel": "first"}
        | {"Start": date(2030, 5, 1), "Andel": 0.425}
    ]
    assert table(path, "Meldinger 2") == [
        own | {"Rad": 8, "Båt": "Terna", "Motor": "Seil", "Lengde": 7.5},
        own | {"Rad": 9, "Båt": "Måka", "Motor": "Bensin", "Lengde": 6},
    ]
    assert table(path, "Penger") == [
        own | {"Post": "Tomt", "2030": 1000},
        own | {"Post": "Brygge", "2030": 1250000},
    ]


def test_findings_are_listed_errors_first(exported: Export) -> None:
    path = exported(replace(FULL, outcome="needs_correction", findings=(REMARK, ERROR)))

    rows = [list(row.values())[2:] for row in table(path, "Åpne merknader")]
    assert rows == [
        ["Må rettes", "B2", "Lag", "C7", "Fyll ut «Start»."],
        ["Spørsmål", "B3", "Lag", "C8", "Stemmer det?"],
    ]


def test_nynorsk_is_nynorsk(exported: Export) -> None:
    path = exported(replace(FULL, outcome="needs_correction", findings=(ERROR,)), language="nn")

    [row] = table(path, "Meldingar")
    assert {"Eigar", "Motteke", "Tal versjonar", "Bryggje 2030"} <= row.keys()
    assert (row["Status"], row["Motorar"]) == (
        "Må rettast av eigaren",
        "Segl, Bensin",
    )
    assert table(path, "Opne merknader")[0]["Type"] == "Må rettast"


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://example.no","x")',
    "{=1}",
    "http://example.no",
    "\t=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_in_an_answer_is_text(exported: Export, text: str) -> None:
    finding = replace(ERROR, message={"nb": text}, sheet=text, cells=(text,))
    path = exported(
        replace(FULL, questions={"navn": text, "tittel": text}, table=({"report": text},), findings=(finding,))
    )

    for sheet in opened(path):
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == text]
        assert all((cell.data_type, cell.number_format) == ("s", "@") for cell in cells)
        assert cells or sheet.title in {"Penger", "Endringer", "Om filen"}
    with ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert not [name for name, part in parts.items() if b"<f>" in part or b"<hyperlink" in part]


@pytest.mark.parametrize(
    ("sheet", "column", "expected"),
    [
        ("Meldinger", "Brygge 2030", "#,##0"),
        ("Meldinger", "Start", "dd.mm.yyyy"),
        ("Meldinger", "Mottatt", "dd.mm.yyyy hh:mm"),
        ("Meldinger", "Antall versjoner", "0"),
        ("Meldinger", "Kommunenr.", "@"),
        ("Penger", "2030", "#,##0"),
        ("Lag", "Andel", "0.0 %"),
    ],
)
def test_values_are_shown_as_they_are_read_in_norway(exported: Export, sheet: str, column: str, expected: str) -> None:
    cells = opened(exported(FULL))[sheet]
    header = [cell.value for cell in cells[1]]

    assert cells.cell(2, header.index(column) + 1).number_format == expected


def test_every_sheet_can_be_filtered_and_keeps_its_header_in_sight(exported: Export) -> None:
    book = opened(exported(FULL, replace(FULL, content="other", report="BAT-0002-1")))

    assert book["Meldinger"].auto_filter.ref == "A1:V3"
    assert book["Meldinger 2"].auto_filter.ref == "A1:F5"
    tables = [sheet for sheet in book if sheet.title != "Om filen"]
    assert {sheet.freeze_panes for sheet in tables} == {"C2"}
    assert all(sheet.auto_filter.ref for sheet in tables)


def test_a_text_of_several_lines_has_room_in_every_program(exported: Export) -> None:
    book = opened(exported(replace(FULL, questions=FULL.questions | {"tittel": "Båt " * 30})))

    assert book["Meldinger"].row_dimensions[2].height >= 45
    about = book["Om filen"]
    tall = [row for row in range(1, about.max_row + 1) if len(str(about.cell(row, 2).value)) > 100]
    assert len(tall) == 2
    assert all(about.row_dimensions[row].height >= 30 for row in tall)


def test_a_round_without_returns_gives_a_workbook_with_headers(exported: Export) -> None:
    path = exported()

    assert table(path, "Meldinger") == []
    assert opened(path)["Penger"]["C1"].value == "Post"


def test_reports_are_sorted_by_owner_the_norwegian_way(exported: Export) -> None:
    made = [
        replace(FULL, content=f"{number}{orgnr}", report=f"BAT-{number}", recipient=orgnr)
        for number, orgnr in [
            ("0003-1", "974761319"),
            ("0001-10", OWNER),
            ("0001-2", OWNER),
            ("0002-1", "940039541"),
        ]
    ]
    path = exported(*made)

    order = [(row["Eier"], row["Meldingsnummer"]) for row in table(path, "Meldinger")]
    assert order == [
        ("Ask båtlag", "BAT-0001-2"),
        ("Ask båtlag", "BAT-0001-10"),
        ("Ørje båtlag", "BAT-0002-1"),
        ("Aasen båtlag", "BAT-0003-1"),
    ]
    assert [row["Eier"] for row in table(path, "Penger")][::2] == [owner for owner, _ in order]


def test_the_norwegian_alphabet_ends_with_ae_oe_aa() -> None:
    in_order = [
        "Aremark",
        "Asker",
        "Bærum",
        "Bø",
        "Drammen",
        "Évora",
        "Zoo",
        "Ærfugl",
        "Ørje",
        "Årnes",
        "Ås",
        "Aasen",
    ]

    assert sorted(sorted(in_order), key=sort_key) == in_order


def test_an_owner_who_is_no_longer_a_recipient_is_named_as_in_the_return(exported: Export) -> None:
    path = exported(replace(FULL, recipient="999999999", questions={"navn": "Borte båtlag"}))

    [row] = table(path, "Meldinger")
    assert (row["Eier"], row["Eiertype"], row["Kommune"]) == ("Borte båtlag", "", "")


def test_what_a_spreadsheet_cannot_hold_is_no_obstacle(exported: Export) -> None:
    path = exported(replace(FULL, questions={"tittel": "x" * 40_000, "start": date(24, 2, 1), "navn": "A\x02"}))

    [row] = table(path, "Lag")
    assert len(str(row["Tittel"])) == 32_767
    assert row["Start"] == "01.02.0024"


def test_a_table_goes_on_in_a_new_sheet_where_one_is_full(exported: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "LAST_ROW", 2)
    path = exported(FULL)

    assert CalamineWorkbook.from_path(str(path)).sheet_names == [
        "Meldinger", "Lag", "Meldinger 2", "Meldinger 3", "Penger", "Penger 2", "Åpne merknader",
        "Endringer", "Om filen",
    ]  # fmt: skip
    assert [row["Post"] for name in ("Penger", "Penger 2") for row in table(path, name)] == ["Tomt", "Brygge"]


def test_reports_are_written_some_at_a_time(exported: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "CHUNK", 2)
    path = exported(*(replace(FULL, content=str(n), report=f"BAT-000{n}-1") for n in range(1, 6)))

    assert [row["Tittel"] for row in table(path, "Meldinger")] == ["1", "2", "3", "4", "5"]
    assert len(table(path, "Penger")) == 10


def test_long_names_of_sheets_stay_apart_and_within_bounds(tmp_path: Path) -> None:
    with Book(tmp_path / "book.xlsx") as book:
        names = [book.add_sheet("A" * 31).get_name() for _ in range(3)]

    assert names == ["A" * 31, "A" * 29 + " 2", "A" * 29 + " 3"]


def test_an_export_that_fails_leaves_the_one_before(
    exported: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = exported(FULL).read_bytes()

    def fail(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(reporting, "values_of", fail)
    with pytest.raises(RuntimeError):
        exported(FULL)

    assert (tmp_path / "exports" / "register.xlsx").read_bytes() == before
    assert len(list((tmp_path / "exports").iterdir())) == 1


def test_every_way_a_report_may_stand_has_words() -> None:
    say = load_texts(TEXTS).say

    for status in {*JUDGED, *SETTLED, LATE}:
        assert say(f"status_{status}", "nb") and say(f"status_{status}", "nn")  # noqa: PT018 - both languages


# for other programs


def parts(path: Path) -> list[list[str]]:
    return [line.split(";") for line in path.read_text(encoding="utf-8-sig").splitlines()]


def test_csv_is_as_a_norwegian_spreadsheet_reads_it(exported: Export, tmp_path: Path, register: Register) -> None:
    exported(replace(FULL, questions=FULL.questions | {"tittel": "=1+1"}))
    made = export_tables(Round(tmp_path), register, tmp_path / "csv", "nb", "csv")

    assert [path.name for path in made] == [
        "reports.csv", "sheet_lag.csv", "sheet_meldinger.csv", "sheet_penger.csv", "findings.csv",
    ]  # fmt: skip
    assert (tmp_path / "csv" / "reports.csv").read_bytes().startswith(b"\xef\xbb\xbfMeldingsnummer;Eier;")
    heads, row = parts(made[0])
    told = dict(zip(heads, row, strict=True))
    assert (told["Tittel"], told["Start"], told["Brygge 2030"]) == ("'=1+1", "01.05.2030", "1250000")
    assert parts(made[2])[1][2:] == ["8", "Terna", "Seil", "7,5"]


def test_parquet_has_keys_codes_and_types(exported: Export, tmp_path: Path, register: Register) -> None:
    exported(FULL)
    export_tables(Round(tmp_path), register, tmp_path / "parquet", "nb", "parquet")

    boats = pl.read_parquet(tmp_path / "parquet" / "sheet_meldinger.parquet")
    assert boats.columns[:3] == ["report", "owner", "row"]
    assert boats["motor"].to_list() == ["SEIL", "BENSIN"]
    assert boats["lengde"].dtype == pl.Float64
    reports = pl.read_parquet(tmp_path / "parquet" / "reports.parquet")
    assert reports["status"].to_list() == ["accepted"]
    assert reports["start"].dtype == pl.Date
    assert pl.read_parquet(tmp_path / "parquet" / "findings.parquet").height == 0


def test_the_journal_list_tells_of_every_file_with_its_sender_title_and_digest(
    exported: Export, tmp_path: Path, register: Register
) -> None:
    exported(FULL, replace(FULL, content="uleselig", outcome="unreadable", received=EARLY.replace(day=11)))
    path = tmp_path / "journal.csv"
    export_journal(Round(tmp_path), register, path, "nb")

    heads, first, second = parts(path)
    assert heads[:5] == ["Dato", "Inn/ut", "Avsender eller mottaker", "E-post", "Tittel"]
    assert first[:5] == ["10.01.2030 13:00", "Inn", "Ask båtlag", "post@example.no", "Liste BAT-0001-1: first"]
    assert first[-1] == FULL.source().sha256
    assert second[4] == "Liste BAT-0001-1: uleselig.xlsx"
