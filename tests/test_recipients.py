"""Recipients and their units are read from what staff can make in Excel; a row that cannot be used is told."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from templates.recipients import Recipient, Unit, read_recipients
from templates.tables import BadRow, TableError

LANGUAGES = ("nb", "nn")
ASKER = Recipient(
    "920125298",
    "Asker kommune",
    "KOMMUNE",
    "post@asker.example",
    "nb",
    "3203",
    contact="Kari Prøve",
    phone="66 90 90 90",
)
OSLO = Recipient("123456785", "Ås Øvre barnehage", "PRIVAT", "post@aas.example", "nn", "0301")
HEAD = ("orgnr", "navn", "type", "kommunenr", "epost", "språk", "kontaktperson", "telefon")
ROWS = (
    ("920125298", "Asker kommune", "KOMMUNE", "3203", "post@asker.example", "nb", "Kari Prøve", "66 90 90 90"),
    ("123456785", "Ås Øvre barnehage", "PRIVAT", "0301", "post@aas.example", "nn", "", ""),
)


def as_text(rows: tuple[tuple[str, ...], ...], delimiter: str = ";") -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def read(folder: Path, content: str | bytes, **settings: Any) -> tuple[list[Recipient], list[BadRow]]:  # noqa: ANN401
    path = folder / "recipients.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_recipients(path, LANGUAGES, **settings)


def write_xlsx(path: Path, rows: list[tuple[object, ...]]) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    workbook.save(path)
    return path


def told(folder: Path, **changes: str) -> str:
    """What is told of one row with these changes."""
    row = dict(zip(HEAD, ROWS[0], strict=True)) | changes
    good, bad = read(folder, as_text((tuple(row), tuple(row.values()))))
    assert good == []
    [one] = bad
    return str(one)


# the file


@pytest.mark.parametrize("delimiter", [";", ",", "\t"], ids=["semicolon", "comma", "tab"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_however_it_was_saved(tmp_path: Path, delimiter: str, encoding: str) -> None:
    assert read(tmp_path, as_text((HEAD, *ROWS), delimiter).encode(encoding)) == ([ASKER, OSLO], [])


@pytest.mark.parametrize(
    "head",
    [
        ("orgnr", "name", "type", "kommunenr", "email", "language", "contact", "phone"),
        ("Org.nr.", "Navn", "Eiertype", "Kommunenummer", "E-post", "Målform", "Kontaktperson", "Telefon"),
        ("ORGANISASJONSNUMMER", "Namn", "Eigartype", "Kommune", "Epost", "Språk", "Kontakt", "Tlf"),
        (" org.nr ", "navn", "type", "kommunenr", "e-mail", "språk", "kontaktperson", "telefon"),
    ],
    ids=["English", "bokmål", "nynorsk", "with blanks"],
)
def test_headings_are_understood_in_norwegian_and_english(tmp_path: Path, head: tuple[str, ...]) -> None:
    assert read(tmp_path, as_text((head, *ROWS))) == ([ASKER, OSLO], [])


def test_columns_may_stand_in_any_order_and_others_are_left_alone(tmp_path: Path) -> None:
    text = "Merknad;Språk;E-post;Type;Navn;Org.nr.\nring;nb;post@asker.example;KOMMUNE;Asker kommune;920125298\n"

    [asker], bad = read(tmp_path, text)

    assert (asker.orgnr, asker.email, asker.kommunenr, asker.copies, bad) == (
        "920125298", "post@asker.example", "", 1, [],
    )  # fmt: skip


def test_quotes_empty_lines_and_blanks_are_taken_as_excel_writes_them(tmp_path: Path) -> None:
    text = (
        "orgnr;navn;type;epost;språk\r\n\r\n"
        ' 920 125 298 ;"Asker; ""den\u00a0store""\r\nkommune";KOMMUNE; post@asker.example ;NB\r\n;;;;\r\n'
    )

    [asker], bad = read(tmp_path, text)

    assert (asker.orgnr, asker.name, asker.email, asker.language) == (
        "920125298", 'Asker; "den store" kommune', "post@asker.example", "nb",
    )  # fmt: skip
    assert bad == []


def test_excel_files_are_read_with_numbers_as_numbers(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [
        HEAD,
        (920125298, "Asker kommune", "KOMMUNE", 3203, "post@asker.example", "nb", "Kari Prøve", "66 90 90 90"),
        (123456785.0, "Ås Øvre barnehage", "PRIVAT", 301, "post@aas.example", "nn", None, None),
    ]

    assert read_recipients(write_xlsx(tmp_path / "recipients.xlsx", rows), LANGUAGES) == ([ASKER, OSLO], [])


def test_a_lost_zero_and_a_decimal_point_are_put_right(tmp_path: Path) -> None:
    text = "orgnr;navn;type;kommunenr;fylke;epost;språk;antall\n920125298.0;A;X;301.0;3;a@b.example;nb;2.0\n"

    [one], bad = read(tmp_path, text)

    assert (one.orgnr, one.kommunenr, one.county, one.copies, bad) == ("920125298", "0301", "03", 2, [])


def test_rows_have_the_numbers_that_the_spreadsheet_shows(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [HEAD, ROWS[0], (), (), ("1", *ROWS[1][1:])]

    _, in_csv = read(tmp_path, as_text((HEAD, ROWS[0])) + ";\r\n\r\n" + as_text((("1", *ROWS[1][1:]),)))
    _, in_xlsx = read_recipients(write_xlsx(tmp_path / "recipients.xlsx", rows), LANGUAGES)

    assert [row.row for row in in_csv] == [row.row for row in in_xlsx] == [5]


# files that cannot be read


def refusal(path: Path) -> str:
    with pytest.raises(TableError) as raised:
        read_recipients(path, LANGUAGES)
    return str(raised.value)


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "recipients.csv"

    assert refusal(path) == f"{path} does not exist; put your owners there, one row each"


def test_an_empty_file_is_told_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "recipients.csv"
    path.touch()

    assert refusal(path).startswith("recipients.csv is empty; the first row must name the columns: orgnr, name, type")


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (
            "navn;type;epost;språk",
            "has no column «orgnr» (also understood: orgnr, org.nr., org.nr, organisasjonsnummer)",
        ),
        ("orgnr;nav;type;epost;språk", "has no column «name» (also understood: name, navn, namn); is «nav» meant?"),
        ("orgnr;navn;epost;språk", "has no column «type» (also understood: type, eiertype, eigartype)"),
        ("orgnr;navn;type;språk", "has no column «email» (also understood: email, epost, e-post, e-mail)"),
        ("orgnr;navn;type;epost", "has no column «language» (also understood: language, språk, målform)"),
    ],
)
def test_a_missing_column_is_told_with_every_name_it_could_have(tmp_path: Path, head: str, sentence: str) -> None:
    path = tmp_path / "recipients.csv"
    path.write_text(f"{head}\n", encoding="utf-8")

    assert refusal(path) == f"recipients.csv {sentence}"


@pytest.mark.parametrize("content", [b"", b"orgnr;navn", b"PK\x03\x04 and then nothing"])
def test_a_file_that_is_no_excel_file_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipients.xlsx"
    path.write_bytes(content)

    assert refusal(path) == "recipients.xlsx cannot be opened as an Excel file; save it as .xlsx or .csv"


def test_a_file_that_cannot_be_opened_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "recipients.csv"
    path.mkdir()

    assert refusal(path).startswith("recipients.csv cannot be read (")
    assert refusal(path).endswith("); close it in other programs")


def test_an_excel_file_with_the_wrong_name_is_told_without_a_traceback(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "recipients.xlsx", [HEAD]).rename(tmp_path / "recipients.csv")

    assert refusal(path).startswith("recipients.csv ")


# rows that cannot be used


@pytest.mark.parametrize(
    ("orgnr", "reason"),
    [
        ("820760062", "«820760062» is not an organisation number (check digit)"),
        ("92012529", "«92012529» is not an organisation number (must have 9 digits)"),
        ("9201252980", "«9201252980» is not an organisation number (must have 9 digits)"),
        ("9,20125E+08", "«9,20125E+08» is not an organisation number (must have 9 digits)"),
        ("٩٢٠١٢٥٢٩٨", "«٩٢٠١٢٥٢٩٨» is not an organisation number (check digit)"),
        ("", "«» is not an organisation number (must have 9 digits)"),
    ],
)
def test_a_bad_number_is_told_with_its_row(tmp_path: Path, orgnr: str, reason: str) -> None:
    assert told(tmp_path, orgnr=orgnr) == f"row 2  Asker kommune  {reason}"


@pytest.mark.parametrize(
    "email",
    [
        "post@asker.example; per@asker.example",
        "post@asker.example, per@asker.example",
        "post@asker.example per@asker.example",
        "Post <post@asker.example>",
        "post@asker",
        "post.asker.example",
        "post@@asker.example",
    ],
)
def test_what_is_not_one_address_is_told(tmp_path: Path, email: str) -> None:
    assert told(tmp_path, epost=f'"{email}"') == f"row 2  Asker kommune  «{email}» is not one e-mail address"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epost": ""}, "Asker kommune  no e-mail address"),
        ({"navn": ""}, "(no name)  no name"),
        ({"språk": "bokmål"}, "Asker kommune  language is «bokmål»; use nb or nn"),
        ({"språk": ""}, "Asker kommune  language is «»; use nb or nn"),
        ({"kommunenr": "Asker"}, "Asker kommune  «Asker» is not a kommunenummer (must have 4 digits)"),
        ({"kommunenr": "32031"}, "Asker kommune  «32031» is not a kommunenummer (must have 4 digits)"),
        ({"antall": "0"}, "Asker kommune  copies is «0»; use a number from 1 to 99"),
        ({"antall": "100"}, "Asker kommune  copies is «100»; use a number from 1 to 99"),
        ({"antall": "to"}, "Asker kommune  copies is «to»; use a number from 1 to 99"),
    ],
)
def test_a_bad_value_is_told(tmp_path: Path, changes: dict[str, str], reason: str) -> None:
    assert told(tmp_path, **changes) == f"row 2  {reason}"


def test_everything_wrong_in_a_row_is_told_at_once(tmp_path: Path) -> None:
    assert told(tmp_path, orgnr="123", navn="", epost="post", språk="svensk") == (
        "row 2  (no name)  «123» is not an organisation number (must have 9 digits); no name; "
        "«post» is not one e-mail address; language is «svensk»; use nb or nn"
    )


def test_a_number_that_stands_twice_is_told_with_both_rows(tmp_path: Path) -> None:
    good, bad = read(tmp_path, as_text((HEAD, *ROWS, ("920 125 298", "Asker igjen", *ROWS[0][2:]))))

    assert good == [ASKER, OSLO]
    assert [str(row) for row in bad] == ["row 4  Asker igjen  920125298 stands in row 2 too"]


def test_a_type_must_be_one_that_the_form_knows(tmp_path: Path) -> None:
    good, bad = read(tmp_path, as_text((HEAD, *ROWS)), types=["KOMMUNE", "BYDEL", "FYLKE"])

    assert good == [ASKER]
    assert [str(row) for row in bad] == ["row 3  Ås Øvre barnehage  type is «PRIVAT»; use KOMMUNE, BYDEL or FYLKE"]


def test_bad_rows_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    good, bad = read(tmp_path, as_text((HEAD, ("1", *ROWS[0][1:]), ROWS[1], ("2", *ROWS[0][1:]))))

    assert good == [OSLO]
    assert [row.row for row in bad] == [2, 4]


# known units

UNIT_HEAD = ("eier", "orgnr", "navn", "type", "kommunenr")
UNITS = (
    ("920125298", "974567989", "Solsikken barnehage", "BARNEHAGE", "3203"),
    ("123456785", "971035854", "Ås barnehage", "BARNEHAGE", "301"),
)


def read_with_units(folder: Path, *rows: tuple[str, ...]) -> tuple[list[Recipient], list[BadRow]]:
    (folder / "units.csv").write_text(as_text((UNIT_HEAD, *rows)), encoding="cp1252")
    return read(folder, as_text((HEAD, *ROWS)))


def test_units_are_given_to_their_owners(tmp_path: Path) -> None:
    [asker, oslo], bad = read_with_units(tmp_path, *UNITS)

    assert asker.units == (Unit("974567989", "Solsikken barnehage", "BARNEHAGE", "3203", "920125298"),)
    assert oslo.units == (Unit("971035854", "Ås barnehage", "BARNEHAGE", "0301", "123456785"),)
    assert bad == []


def test_units_may_stand_in_an_excel_file(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "units.xlsx", [UNIT_HEAD, (920125298, 974567989, "Solsikken", "BARNEHAGE", 3203)])

    [asker, _], bad = read(tmp_path, as_text((HEAD, *ROWS)))

    assert asker.units == (Unit("974567989", "Solsikken", "BARNEHAGE", "3203", "920125298"),)
    assert bad == []


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("920125298", "974567980", "Solsikken", "", ""), "«974567980» is not an organisation number (check digit)"),
        (("920125298", "", "Solsikken", "", ""), "«» is not an organisation number (must have 9 digits)"),
        (("971035854", "974567989", "Solsikken", "", ""), "its owner «971035854» is not among the recipients"),
        (("", "974567989", "Solsikken", "", ""), "its owner «» is not among the recipients"),
        (("920125298", "974567989", "Solsikken", "", "Asker"),
         "«Asker» is not a kommunenummer (must have 4 digits)"),
    ],
)  # fmt: skip
def test_a_bad_unit_is_told_with_its_file_and_row_and_its_owner_still_gets_a_workbook(
    tmp_path: Path, row: tuple[str, ...], sentence: str
) -> None:
    good, bad = read_with_units(tmp_path, UNITS[0][:1] + UNITS[1][1:], row)

    assert [one.orgnr for one in good] == ["920125298", "123456785"]
    assert [unit.name for unit in good[0].units] == ["Ås barnehage"]
    assert [str(one) for one in bad] == [f"units.csv row 3  Solsikken  {sentence}"]


def test_a_unit_without_a_name_is_told(tmp_path: Path) -> None:
    _, bad = read_with_units(tmp_path, ("920125298", "974567989", "", "", ""))

    assert [str(one) for one in bad] == ["units.csv row 2  (no name)  no name"]


def test_a_unit_that_stands_twice_is_told_with_both_rows(tmp_path: Path) -> None:
    good, bad = read_with_units(tmp_path, UNITS[0], UNITS[1], UNITS[0])

    assert [len(one.units) for one in good] == [1, 1]
    assert [str(one) for one in bad] == ["units.csv row 4  Solsikken barnehage  974567989 stands in row 2 too"]


def test_the_units_of_an_owner_whose_row_is_bad_are_not_told_as_well(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text(as_text((UNIT_HEAD, UNITS[0])), encoding="utf-8")

    good, bad = read(tmp_path, as_text((HEAD, (*ROWS[0][:4], "no address", *ROWS[0][5:]))))

    assert good == []
    assert [str(one) for one in bad] == ["row 2  Asker kommune  «no address» is not one e-mail address"]


def test_a_units_file_without_a_column_is_told(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("orgnr;navn\n", encoding="utf-8")
    (tmp_path / "recipients.csv").write_text(as_text((HEAD, *ROWS)), encoding="utf-8")

    assert refusal(tmp_path / "recipients.csv") == (
        "units.csv has no column «owner» (also understood: owner, eier, eigar, eier_orgnr, eiers org.nr.)"
    )
