"""A cell is understood by the type of its question, in every way Norwegians write."""

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intake.notation import MINUS, NBSP
from intake.submission import Value
from intake.values import MAX_TEXT, READERS, Reading, read_value, show
from templates.form import CodeList, Form, FormFile, Question
from templates.orgnr import check_digit

THIN, NARROW, FIGURE = "\u2009", "\u202f", "\u2007"
AREAS = {
    "0301": {"number": "0301", "name": "Oslo"},
    "3101": {"number": "3101", "name": "Halden"},
    "1580": {"number": "1580", "name": "Haram"},
}
DIGIT_CODES = {"1": {"nb": "Ett år", "nn": "Eitt år"}, "2": {"nb": "To år", "nn": "To år"}}
SCHEMES = {
    "BARN": {"nb": "Språk i barnehagen – hele året", "nn": "Språk i barnehagen – heile året"},
    "SKOLE": {"nb": "Lesing i skolen", "nn": "Lesing i skulen"},
    "ANNET": {"nb": "Annet", "nn": "Anna"},
}
TYPES = ("lookup", *READERS)


def question(kind: str, **settings: object) -> Question:
    return Question.model_validate({"key": kind, "type": kind, "label": {"nb": kind, "nn": kind}, **settings})


def made_form() -> Form:
    text = {"nb": "Prøve", "nn": "Prøve"}
    file = FormFile.model_validate({
        "form": "proeve", "version": "1", "code": "PR", "languages": ["nb", "nn"],
        "opens": "2024-01-01", "deadline": "2024-02-01T23:59:59", "correction_days": 14,
        "title": text, "noun": {"one": text, "the": text, "many": text}, "report_title": "ark.tittel",
        "choices": {
            "years": DIGIT_CODES,
            "schemes": SCHEMES,
            "counties": {"from_list": {"list": "counties", "code": "number", "label": "name"}},
        },
        "sheets": {},
    })  # fmt: skip
    counties = {"03": {"number": "03", "name": "Oslo"}, "31": {"number": "31", "name": "Østfold"}}
    lists = {
        "areas": CodeList("areas", "number", "name", AREAS, {"0101": "3101", "3001": "3101", "1507": "1508/1580"}),
        "counties": CodeList("counties", "number", "name", counties, {}),
    }
    return Form(file, lists, (), {})


FORM = made_form()
CHOICE = question("choice", choices="schemes")
YEARS = question("choice", choices="years")
COUNTY = question("choice", choices="counties")
AREA = question("kommunenr", list="areas")
QUESTIONS = {kind: question(kind) for kind in TYPES} | {"choice": CHOICE, "kommunenr": AREA}


def read(kind: str | Question, cell: object) -> Reading:
    asked = QUESTIONS[kind] if isinstance(kind, str) else kind
    reading = read_value(cell, asked, FORM)
    assert reading is not None
    return reading


# empty cells


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("cell", ["", "  ", "\n\t", "\u00a0\u200b\ufeff", None], ids=repr)
def test_a_cell_where_nobody_sees_anything_is_empty(kind: str, cell: object) -> None:
    assert read_value(cell, QUESTIONS[kind], FORM) is None


def test_a_lookup_is_never_read() -> None:
    assert read_value("Halden", QUESTIONS["lookup"], FORM) is None


def test_every_type_of_question_but_lookup_has_a_reader() -> None:
    types = Question.model_fields["type"].annotation.__args__  # type: ignore[union-attr]

    assert set(types) - {"lookup"} == set(READERS)


# text


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("  Fjellhagen   barnehage ", "Fjellhagen barnehage"),
        ("Fjellhagen\nbarnehage", "Fjellhagen barnehage"),
        (f"Fjellhagen{NBSP}barnehage", "Fjellhagen barnehage"),
        ("A\u030asnes", "Åsnes"),
        ("Sma\u00adrt \u202eog\u202c \u200bgreit\x07", "Smart og greit"),
        ("=1+1", "=1+1"),
        (301.0, "301"),
        (-12.5, "-12,5"),
        (1e-7, "0,0000001"),
        (1e300, "1e+300"),
        (True, "SANN"),
        (date(2024, 8, 1), "01.08.2024"),
        (datetime(2024, 8, 1), "01.08.2024"),  # noqa: DTZ001 - a cell has no time zone
        (datetime(2024, 8, 1, 12, 30), "01.08.2024 12:30"),  # noqa: DTZ001
        (time(10, 12), "10:12:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
    ids=repr,
)
def test_text_is_what_the_owner_sees_on_one_line(cell: object, value: str) -> None:
    reading = read("text", cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, None)


def test_a_suggestion_list_does_not_limit_an_open_question() -> None:
    asked = question("text", choices="schemes", open=True)

    assert read(asked, "Noe helt annet").value == "Noe helt annet"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\v", "\x85", "\u2028", "\u2029"])
def test_long_text_keeps_its_lines(line_break: str) -> None:
    reading = read("longtext", f"  Først{line_break}{line_break}så  det\u200b \n")

    assert reading.value == "Først\n\nså  det"


def test_raw_keeps_what_was_written_without_what_nobody_sees() -> None:
    assert read("text", " Fjell  hagen\x00 ").raw == " Fjell  hagen "


@pytest.mark.parametrize("kind", READERS)
def test_more_text_than_a_cell_holds_is_too_long(kind: str) -> None:
    reading = read(kind, "a" * (MAX_TEXT + 1))

    assert reading.problem == "too_long"
    assert reading.value is None
    assert len(reading.raw) == MAX_TEXT


def test_as_much_text_as_a_cell_holds_is_read() -> None:
    assert read("longtext", "a" * MAX_TEXT).value == "a" * MAX_TEXT


# numbers

PLAIN_NUMBERS = [
    (1250000.0, 1_250_000),
    (0.0, 0),
    (-5.0, -5),
    (299.99999999999994, 300),
    ("1200", 1200),
    (" 1200 ", 1200),
    ("0", 0),
    ("-5", -5),
    (f"{MINUS}5", -5),
    ("1250000,00", 1_250_000),
]


@pytest.mark.parametrize("kind", ["amount", "integer"])
@pytest.mark.parametrize(("cell", "value"), PLAIN_NUMBERS, ids=repr)
def test_a_plain_number_needs_no_note(kind: str, cell: object, value: int) -> None:
    reading = read(kind, cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, None)
    assert type(reading.value) is int


UNUSUAL_NUMBERS = [
    ("1 250 000", 1_250_000),
    (f"1{NBSP}250{NBSP}000", 1_250_000),
    (f"1{NARROW}250{NARROW}000", 1_250_000),
    (f"1{THIN}250{FIGURE}000", 1_250_000),
    ("1.250.000", 1_250_000),
    ("1,250,000", 1_250_000),
    ("1.250.000,00", 1_250_000),
    ("1,250,000.00", 1_250_000),
    ("1.500,00", 1500),
    ("1500.00", 1500),
    ("kr 1250000", 1_250_000),
    ("kr1250000", 1_250_000),
    ("Kr. 1 250 000,-", 1_250_000),
    ("1250000,-", 1_250_000),
    ("1250000.-", 1_250_000),
    ("1250000,–", 1_250_000),
    ("500,--", 500),
    ("1 250 000 kr", 1_250_000),
    ("1 250 000 kroner", 1_250_000),
    ("NOK 500", 500),
    ("1,25 mill", 1_250_000),
    ("1,25 mill.", 1_250_000),
    ("1,25 Mill. kr", 1_250_000),
    ("1,125 mill.", 1_125_000),
    ("2 millioner kroner", 2_000_000),
    ("2 millionar", 2_000_000),
    ("500 tusen", 500_000),
    ("500'", 500_000),
    ("500’", 500_000),
    ("-1 000", -1000),
    (f"{MINUS}1 000", -1000),
    ("+5", 5),
]


@pytest.mark.parametrize(("cell", "value"), UNUSUAL_NUMBERS)
def test_an_amount_written_as_people_do_is_understood_and_noted(cell: str, value: int) -> None:
    reading = read("amount", cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, "number_read")
    assert reading.details == {"tolket": show(value, QUESTIONS["amount"], "nb", FORM)}


@pytest.mark.parametrize(
    "cell",
    [
        "ca. 30", "30 stk", "10-20", "10 20", "1 2500 00", "12 34", "1'250'000", "mill", "kr", "-", "1e5",
        "1_000", "0x10", "inf", "nan", "١٢٣", "12³", "25 %", "1,2,3", "1..5", "9" * 16, "1" * 200,
        "0301 Oslo", math.inf, -math.inf, math.nan, 1e15, 1e300, True, False, date(2024, 5, 1),
        time(10, 12), timedelta(1),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_number_is_asked_about(cell: object) -> None:
    reading = read("amount", cell)

    assert (reading.value, reading.problem, reading.details) == (None, "not_a_number", {})


@pytest.mark.parametrize("cell", [1234.5, "1234,5", "1234.5", "12,50", "0,5 kr", "0,0000005 mill"], ids=repr)
def test_an_amount_is_in_whole_kroner(cell: object) -> None:
    assert read("amount", cell).problem == "not_whole"


@pytest.mark.parametrize(
    ("kind", "cell", "alternatives"),
    [
        ("amount", "1.500", (f"1{NBSP}500", "1,5")),
        ("amount", "12,500", (f"12{NBSP}500", "12,5")),
        ("amount", "kr -1.500,-", (f"{MINUS}1{NBSP}500", f"{MINUS}1,5")),
        ("amount", "1.500 mill", (f"1{NBSP}500{NBSP}000{NBSP}000", f"1{NBSP}500{NBSP}000")),
        ("decimal", "1.500", (f"1{NBSP}500", "1,5")),
        ("percent", "12.500 %", (f"12{NBSP}500{NBSP}%", f"12,5{NBSP}%")),
    ],
)
def test_a_number_that_may_be_two_is_asked_about(kind: str, cell: str, alternatives: tuple[str, str]) -> None:
    reading = read(kind, cell)

    assert (reading.value, reading.problem) == (None, "ambiguous_number")
    assert (reading.details["alt1"], reading.details["alt2"]) == alternatives


@pytest.mark.parametrize(
    ("cell", "value", "note"),
    [
        (12.5, 12.5, None),
        (0.1 + 0.2, 0.3, None),
        ("12,5", 12.5, None),
        ("12,500", 12.5, None),
        ("0,125", 0.125, None),
        ("0.125", 0.125, "number_read"),
        ("12.5", 12.5, "number_read"),
        ("1 250,5", 1250.5, "number_read"),
    ],
    ids=repr,
)
def test_a_decimal_number_has_a_comma(cell: object, value: float, note: str | None) -> None:
    reading = read("decimal", cell)

    assert (reading.value, reading.note) == (value, note)
    assert type(reading.value) is float


@pytest.mark.parametrize(
    ("cell", "value", "note"),
    [
        (0.25, 0.25, None),
        (0.425, 0.425, None),
        (42.5, 42.5, None),
        ("25 %", 0.25, None),
        ("25%", 0.25, None),
        (f"42,5{NBSP}%", 0.425, None),
        ("0,25", 0.25, None),
        ("25 prosent", 0.25, "number_read"),
        ("12.5 %", 0.125, "number_read"),
    ],
    ids=repr,
)
def test_a_percentage_is_a_share_of_one(cell: object, value: float, note: str | None) -> None:
    reading = read("percent", cell)

    assert (reading.value, reading.note) == (value, note)


# dates

AUGUST = date(2024, 8, 1)


@pytest.mark.parametrize(
    "cell",
    [
        AUGUST,
        datetime(2024, 8, 1),  # noqa: DTZ001 - a cell has no time zone
        datetime(2024, 8, 1, 12, 30),  # noqa: DTZ001
        "01.08.2024",
        "1.8.2024",
        " 1.8.2024 ",
        "2024-08-01",
    ],
)
def test_a_date_written_as_asked_for_needs_no_note(cell: object) -> None:
    reading = read("date", cell)

    assert (reading.value, reading.problem, reading.note) == (AUGUST, None, None)
    assert type(reading.value) is date


@pytest.mark.parametrize(
    "cell",
    [
        45505.0, 45505.75, "1.8.24", "01.08.24", "1. 8. 2024", "1.8.2024.", "2024/8/1", "2024.08.01",
        "1/8-24", "1/8-2024", "1. august 2024", "1.august 2024", "1 August 2024", "1. aug. 2024",
        "1 aug 2024", "01.08.2024 00:00", "01.08.2024 00:00:00", "2024-08-01 00:00:00",
        "2024-08-01T00:00:00",
    ],
    ids=repr,
)  # fmt: skip
def test_a_date_written_otherwise_is_understood_and_noted(cell: object) -> None:
    reading = read("date", cell)

    assert (reading.value, reading.problem, reading.note) == (AUGUST, None, "date_read")
    assert reading.details == {"tolket": "01.08.2024"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("13/2/2024", date(2024, 2, 13)),
        ("2/13/2024", date(2024, 2, 13)),
        ("13-02-2024", date(2024, 2, 13)),
        ("2/2/2024", date(2024, 2, 2)),
        ("31. desember 1999", date(1999, 12, 31)),
        ("17. mai 2024", date(2024, 5, 17)),
        ("1. sept. 2024", date(2024, 9, 1)),
        ("24.12.89", date(2089, 12, 24)),
        ("24.12.90", date(1990, 12, 24)),
        (32874.0, date(1990, 1, 1)),
        (73415.5, date(2100, 12, 31)),
    ],
    ids=repr,
)
def test_a_date_that_can_be_but_one_day_is_that_day(cell: object, value: date) -> None:
    assert read("date", cell).value == value


@pytest.mark.parametrize(
    ("cell", "first", "second"),
    [
        ("1/2/2024", "01.02.2024", "02.01.2024"),
        ("01-02-2024", "01.02.2024", "02.01.2024"),
        ("1/2/24", "01.02.2024", "02.01.2024"),
        ("24-08-01", "24.08.2001", "01.08.2024"),
    ],
    ids=repr,
)
def test_a_date_that_may_be_two_days_is_asked_about(cell: str, first: str, second: str) -> None:
    reading = read("date", cell)

    assert (reading.value, reading.problem) == (None, "ambiguous_date")
    assert reading.details == {"alt1": first, "alt2": second}


@pytest.mark.parametrize(
    "cell",
    [
        "30.02.2024", "31.11.2024", "2024-13-01", "00.00.0000", "32.1.24", "august 2024", "1. mnd 2024",
        "1. ma 2024", "høst 2024", "2024", "1.8", "45505", "01.08.٢٠٢٤", 2024.0, 20240801.0, 32873.0,
        73416.0, -1.0, math.nan, math.inf, True, time(10, 12), timedelta(days=45505),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_date_is_asked_about(cell: object) -> None:
    reading = read("date", cell)

    assert (reading.value, reading.problem) == (None, "not_a_date")


# addresses and numbers that name something


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("kari@example.no", "kari@example.no"),
        (" Kari.Nordmann+skjema@Example.NO\u200b ", "Kari.Nordmann+skjema@example.no"),
        ("mailto:kari@example.no", "kari@example.no"),
        ("MAILTO: kari@example.no", "kari@example.no"),
        ("post@Blåbærlia-Skole.no", "post@blåbærlia-skole.no"),
        ("post@a\u030as.no", "post@ås.no"),
        ("bjørn_o'hara@post.example.no", "bjørn_o'hara@post.example.no"),
    ],
    ids=repr,
)
def test_an_address_is_read_with_its_domain_in_lower_case(cell: str, value: str) -> None:
    reading = read("email", cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, None)


@pytest.mark.parametrize(
    "cell",
    [
        "kari", "kari@", "@example.no", "kari@example", "kari@example.n", "kari @example.no",
        "kari@exa mple.no", "a@example.no,b@example.no", "a@example.no;b@example.no",
        "a@example.no b@example.no", "a@b@example.no", "Kari <kari@example.no>",
        "a@example.no%0aBcc:b@example.no", "a%0ab@example.no", "a@example.no\nBcc: b@example.no",
        ".a@example.no", "a.@example.no", "a..b@example.no", "a@-example.no", "a@example-.no",
        "a@.example.no", "a@example..no", "a@example_x.no", "a@127.0.0.1", "a" * 65 + "@example.no",
        "a@" + "b." * 130 + "no", 5.0, True,
    ],
    ids=repr,
)  # fmt: skip
def test_anything_but_one_address_is_asked_about(cell: object) -> None:
    reading = read("email", cell)

    assert (reading.value, reading.problem) == (None, "email")


@pytest.mark.parametrize(
    "cell",
    [
        "22003344", "22 00 33 44", "220 03 344", f"22{NBSP}00{NBSP}33{NBSP}44", "22.00.33.44",
        "+47 22 00 33 44", "(+47) 22003344", "0047 22003344", "4722003344", 22003344.0, 4722003344.0,
    ],
    ids=repr,
)  # fmt: skip
def test_a_norwegian_telephone_number_has_eight_digits(cell: object) -> None:
    reading = read("phone", cell)

    assert (reading.value, reading.note) == ("22003344", None)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("+46 8 123 456", "+46 8 123 456"),
        ("2200 3344  / 90 00 00 00", "2200 3344 / 90 00 00 00"),
        ("sentralbord", "sentralbord"),
        (2200334.0, "2200334"),
        ("02200334", "02200334"),
    ],
    ids=repr,
)
def test_any_other_telephone_number_is_kept_and_noted(cell: object, value: str) -> None:
    reading = read("phone", cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, "phone")


@pytest.mark.parametrize(
    "cell",
    [
        "123456785", "123 456 785", f"123{NBSP}456{NBSP}785", "123.456.785", "NO 123 456 785 MVA",
        "no123456785mva", "123456785MVA", "Org.nr. 123 456 785", 123456785.0,
    ],
    ids=repr,
)  # fmt: skip
def test_an_organisation_number_is_its_nine_digits(cell: object) -> None:
    reading = read("orgnr", cell)

    assert (reading.value, reading.problem, reading.note) == ("123456785", None, None)


@pytest.mark.parametrize(
    ("cell", "digits"),
    [
        ("12345678", "8"),
        (12345678.0, "8"),
        ("1234567850", "10"),
        ("ukjent", "0"),
        (123456785.5, "10"),
        (True, "0"),
    ],
    ids=repr,
)
def test_an_organisation_number_of_another_length_tells_its_digits(cell: object, digits: str) -> None:
    reading = read("orgnr", cell)

    assert (reading.value, reading.problem, reading.details) == (None, "orgnr_length", {"siffer": digits})


@pytest.mark.parametrize("cell", ["123456789", 820397631.0, "820 760 062", "920699768"], ids=repr)
def test_an_organisation_number_with_a_wrong_check_digit_is_asked_about(cell: object) -> None:
    assert read("orgnr", cell).problem == "orgnr_check"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("0301", "0301"), (301.0, "0301"), ("301", "0301"), (3101.0, "3101"), (" 31 01 ", "3101")],
)
def test_a_municipality_number_gets_its_lost_zero_back(cell: object, value: str) -> None:
    reading = read("kommunenr", cell)

    assert (reading.value, reading.problem, reading.note) == (value, None, None)


@pytest.mark.parametrize("cell", ["3001", 3001.0, "0101", 101.0], ids=repr)
def test_an_old_municipality_number_becomes_the_new_one(cell: object) -> None:
    reading = read("kommunenr", cell)

    assert (reading.value, reading.note) == ("3101", "kommunenr_recoded")
    assert reading.details == {"nytt": "3101", "nytt_navn": "Halden"}


def test_an_old_number_that_became_several_is_asked_about() -> None:
    assert read("kommunenr", "1507").problem == "kommunenr_ambiguous"


@pytest.mark.parametrize("cell", ["9999", "Halden", "3101 Halden", "31010", "31", 3101.5, "٣١٠١", True], ids=repr)
def test_what_is_no_municipality_number_is_asked_about(cell: object) -> None:
    assert read("kommunenr", cell).problem == "kommunenr_unknown"


def test_any_four_digits_will_do_without_a_list() -> None:
    assert read(question("kommunenr"), "9999").value == "9999"


# choices


@pytest.mark.parametrize("cell", ["Ja", " Ja ", "Nei"], ids=repr)
def test_yes_and_no_are_read_as_they_stand(cell: str) -> None:
    reading = read("yesno", cell)

    assert (reading.value, reading.note) == (cell.strip(), None)


@pytest.mark.parametrize("cell", ["ja", "JA", "Ja.", "x", "X", "1", 1.0, True, "true", "SANN", "✓", "sant"], ids=repr)
def test_other_words_for_yes_are_understood_and_noted(cell: object) -> None:
    reading = read("yesno", cell)

    assert (reading.value, reading.note, reading.details) == ("Ja", "choice_read", {"tolket": "Ja"})


@pytest.mark.parametrize("cell", ["nei", "NEI", "nei.", "0", 0.0, False, "false", "usant", "USANN"], ids=repr)
def test_other_words_for_no_are_understood_and_noted(cell: object) -> None:
    reading = read("yesno", cell)

    assert (reading.value, reading.note, reading.details) == ("Nei", "choice_read", {"tolket": "Nei"})


@pytest.mark.parametrize("cell", ["kanskje", "Ja/Nei", "ja, delvis", "2", 2.0, "?", "-", date(2024, 8, 1)], ids=repr)
def test_what_is_neither_yes_nor_no_is_asked_about(cell: object) -> None:
    assert read("yesno", cell).problem == "not_yes_no"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Lesing i skolen", "SKOLE"),
        ("Lesing i skulen", "SKOLE"),
        ("  Lesing  i skolen ", "SKOLE"),
        ("Spra\u030ak i barnehagen – hele året", "BARN"),
        ("Språk i barnehagen - hele året", "BARN"),
        ("Språk i barnehagen — heile året", "BARN"),
    ],
    ids=repr,
)
def test_a_label_in_any_language_gives_its_code(cell: str, code: str) -> None:
    reading = read(CHOICE, cell)

    assert (reading.value, reading.problem, reading.note) == (code, None, None)


@pytest.mark.parametrize(
    "cell", ["lesing i skolen", "LESING I SKULEN", "Lesing i skolen.", "SKOLE", "skole", "Skole ."]
)
def test_a_choice_recognised_otherwise_is_noted_with_its_label(cell: str) -> None:
    reading = read(CHOICE, cell)

    assert (reading.value, reading.note) == ("SKOLE", "choice_read")
    assert reading.details == {"tolket.nb": "Lesing i skolen", "tolket.nn": "Lesing i skulen"}


@pytest.mark.parametrize(
    ("asked", "cell", "code"),
    [(YEARS, 1.0, "1"), (YEARS, "2", "2"), (COUNTY, 3.0, "03"), (COUNTY, "03", "03")],
)
def test_a_number_gives_the_choice_with_that_code(asked: Question, cell: object, code: str) -> None:
    assert read(asked, cell).value == code


def test_an_unknown_choice_tells_the_choices_and_the_closest_one() -> None:
    reading = read(CHOICE, "Lesing i skola")

    assert (reading.value, reading.problem) == (None, "not_a_choice")
    assert reading.details == {
        "valg.nb": "«Språk i barnehagen – hele året», «Lesing i skolen», «Annet»",
        "valg.nn": "«Språk i barnehagen – heile året», «Lesing i skulen», «Anna»",
        "nesten.nb": "Lesing i skolen",
        "nesten.nn": "Lesing i skulen",
    }


@pytest.mark.parametrize("cell", ["qqq", 7.0, False, date(2024, 8, 1)], ids=repr)
def test_an_unknown_choice_may_be_close_to_none(cell: object) -> None:
    reading = read(CHOICE, cell)

    assert reading.problem == "not_a_choice"
    assert (reading.details["nesten.nb"], reading.details["nesten.nn"]) == ("", "")


# writing


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("amount", 1_250_000, f"1{NBSP}250{NBSP}000"),
        ("amount", 850, "850"),
        ("amount", 100, "100"),
        ("amount", -1500, f"{MINUS}1{NBSP}500"),
        ("decimal", 1234.5, f"1{NBSP}234,5"),
        ("percent", 0.425, f"42,5{NBSP}%"),
        ("percent", 0.07, f"7{NBSP}%"),
        ("date", date(2024, 12, 31), "31.12.2024"),
        ("choice", "SKOLE", "Lesing i skulen"),
        ("choice", "UKJENT", "UKJENT"),
        ("yesno", "Ja", "Ja"),
        ("text", "Fjellhagen", "Fjellhagen"),
        ("text", None, ""),
    ],
)
def test_a_value_is_shown_the_norwegian_way(kind: str, value: Value, text: str) -> None:
    assert show(value, QUESTIONS[kind], "nn", FORM) == text


# round trips

whole = st.integers(-(10**15) + 1, 10**15 - 1)
decimals = st.decimals(-(10**9), 10**9, places=4).map(float)
visible = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"]), min_size=1).filter(
    lambda text: bool(text.strip())
)


@given(whole)
def test_an_amount_shown_is_read_back(value: int) -> None:
    assert read("amount", show(value, QUESTIONS["amount"], "nb", FORM)).value == value


@given(whole)
def test_an_amount_in_a_number_cell_is_itself(value: int) -> None:
    assert read("amount", float(value)).value == value


@given(decimals)
def test_a_decimal_number_shown_is_read_back(value: float) -> None:
    assert read("decimal", show(value, QUESTIONS["decimal"], "nb", FORM)).value == value


@given(decimals)
def test_a_percentage_shown_is_read_back(value: float) -> None:
    assert read("percent", show(value, QUESTIONS["percent"], "nb", FORM)).value == pytest.approx(value)


@given(st.dates())
def test_a_date_shown_is_read_back_without_a_note(value: date) -> None:
    reading = read("date", show(value, QUESTIONS["date"], "nb", FORM))

    assert (reading.value, reading.note) == (value, None)


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_the_serial_number_of_a_date_is_that_date(value: date) -> None:
    assert read("date", float((value - date(1899, 12, 30)).days)).value == value


@given(st.sampled_from(sorted(SCHEMES)), st.sampled_from(["nb", "nn"]))
def test_a_choice_shown_is_read_back_without_a_note(code: str, language: str) -> None:
    reading = read(CHOICE, show(code, CHOICE, language, FORM))

    assert (reading.value, reading.note) == (code, None)


@given(st.integers(10_000_000, 99_999_999).map(str))
def test_every_organisation_number_is_read(first_eight: str) -> None:
    last = check_digit(first_eight)
    reading = read("orgnr", f"{first_eight[:3]} {first_eight[3:6]} {first_eight[6:]}{last or 0}")

    assert (reading.value, reading.problem) == (
        (f"{first_eight}{last}", None) if last is not None else (None, "orgnr_check")
    )


@given(visible)
def test_text_read_once_is_read_the_same_again(text: str) -> None:
    for kind in ("text", "longtext"):
        value = read(kind, text).value
        assert read(kind, value).value == value


cells: st.SearchStrategy[object] = st.one_of(
    st.text(),
    st.text("0123456789 .,-+/%'krmilltusen"),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)


@given(st.sampled_from([*QUESTIONS.values(), YEARS, COUNTY]), cells)
@example(QUESTIONS["amount"], "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 !")
@example(QUESTIONS["email"], "a@" + "a-" * 120 + "!")
def test_every_cell_gives_a_value_or_a_problem(asked: Question, cell: object) -> None:
    reading = read_value(cell, asked, FORM)

    if reading is not None:
        assert (reading.value is None) == (reading.problem is not None)
        assert reading.problem is None or reading.note is None
        assert reading.raw.strip()
        assert show(reading.value, asked, "nb", FORM) or reading.problem


MAKERS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "padded": lambda text: f"  {text} . ",
}


@pytest.mark.parametrize("change", MAKERS)
@given(code=st.sampled_from(sorted(SCHEMES)))
def test_case_and_blanks_never_change_a_choice(change: str, code: str) -> None:
    assert read(CHOICE, MAKERS[change](SCHEMES[code]["nb"])).value == code
