"""What is written in a workbook is what is read from it, for every type of question."""

import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from openpyxl.cell import Cell

from intake.notation import MONTHS, NBSP
from intake.submission import Answer, Submission, Value
from intake.values import MAX_TEXT
from templates.fill import fill_workbook
from templates.form import NO, YES, GridSheet, Question, QuestionSheet, TableSheet
from templates.orgnr import check_digit
from templates.recipients import Recipient, Unit
from tests.desk import RECIPIENT, Desk

Answers = dict[str, Any]
Read = dict[str, list[dict[str, Value]]]

DESK = Desk(Path(__file__).parent / "forms" / "alle_typer")
FORM = DESK.form
UNITS = (Unit("974760673", "Måkeholmen & sønn", "VAD", "3203"), Unit("971032081", "Ørneredet", "SPURV", "0301"))
OWNERS = {
    language: replace(RECIPIENT, type="VAD", kommunenr="3203", units=UNITS, language=language)
    for language in FORM.languages
}
PLACES = {number: row["navn"] for number, row in FORM.lists["steder"].rows.items()}
LATIN = {code: row["latin"] for code, row in FORM.lists["fugler"].rows.items()}
GIVEN = {"nummer": "ALLE-0001-1", "eier": RECIPIENT.name, "eier_epost": RECIPIENT.email}
GIVEN |= {"eier_telefon": RECIPIENT.phone, "eier_sted": "3203", "eier_gruppe": "VAD"}

# what owners may answer

CHARACTERS = st.sampled_from("aeioåøæÅØÆčšŋđ 🙂👍🇳🇴€«»\"'<>&=+-@#%_{}|") | st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs")  # what nobody sees, and kinds of spaces
)


def one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


TEXT = st.text(CHARACTERS, max_size=40).map(one_line).filter(bool)
LONG_TEXT = (
    st.text(CHARACTERS | st.sampled_from(f"\n\t {NBSP}"), max_size=120)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(bool)
)
WHOLE = st.integers(-(10**14), 10**14)
DECIMAL = st.floats(-1e14, 1e14).map(lambda number: float(f"{number:.15g}"))  # what a spreadsheet keeps
PERCENT = st.integers(-5000, 50_000).map(lambda number: number / 1000)
DAY = st.dates(date(1990, 1, 1), date(2100, 12, 31))
EMAIL = st.from_regex(r"[a-zæøå0-9]{1,12}(\.[a-z0-9]{1,8})?@[a-z0-9æøå]{1,10}\.(no|com|museum)", fullmatch=True)
PHONE = st.integers(20_000_000, 99_999_999).map(str)
ORGNR = (
    st.integers(80_000_000, 99_999_999)
    .filter(lambda number: check_digit(str(number)) is not None)
    .map(lambda number: f"{number}{check_digit(str(number))}")
)
BY_TYPE: dict[str, SearchStrategy[Any]] = {
    "text": TEXT, "longtext": LONG_TEXT, "integer": WHOLE, "amount": WHOLE, "decimal": DECIMAL, "percent": PERCENT,
    "date": DAY, "email": EMAIL, "phone": PHONE, "orgnr": ORGNR, "kommunenr": st.sampled_from(sorted(PLACES)),
    "yesno": st.sampled_from([YES, NO]),
}  # fmt: skip


def answer_to(question: Question) -> SearchStrategy[Any]:
    if question.type == "choice":
        return st.sampled_from(list(FORM.question_options(question)))
    if question.choices:  # the recipient's own units, or another name
        return st.sampled_from([unit.name for unit in UNITS]) | TEXT
    return BY_TYPE[question.type]


def line(questions: Mapping[str, Question]) -> SearchStrategy[Answers]:
    asked = {key: answer_to(item) for key, item in questions.items() if not item.calculated and not item.locked}
    return st.fixed_dictionaries({}, optional=asked)


def answers_to(sheet: QuestionSheet | TableSheet | GridSheet) -> SearchStrategy[Any]:
    if isinstance(sheet, TableSheet):
        return st.lists(line(sheet.questions), max_size=6)
    if isinstance(sheet, GridSheet):
        return st.fixed_dictionaries({key: line(sheet.columns) for key, row in sheet.rows.items() if not row.sum_of})
    return line(sheet.questions)


ANSWERS = st.fixed_dictionaries({key: answers_to(sheet) for key, sheet in FORM.sheets.items()})

# writing


def by_us(owner: Recipient, answers: Answers) -> bytes:
    return fill_workbook(DESK.send(owner), FORM, owner.language, answers)


def by_openpyxl(owner: Recipient, answers: Answers) -> bytes:
    """The same answers, as a program that loads and saves the whole workbook writes them."""
    workbook = openpyxl.load_workbook(io.BytesIO(DESK.send(owner)))
    for sheet, key, row, value in each(answers):
        place = DESK.layout[sheet]
        cell = workbook[place.sheet.label[owner.language]][place.cell(key, row)]
        put(cell, place.sheet.questions[key], value, owner.language)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def each(answers: Answers) -> Iterator[tuple[str, str, int | str | None, Value]]:
    """Every answer with its sheet, its question and its row."""
    for sheet, written in answers.items():
        for row, items in lines(sheet, written):
            yield from ((sheet, key, row, value) for key, value in items.items())


def lines(sheet: str, written: Any) -> Iterable[tuple[int | str | None, Answers]]:  # noqa: ANN401 - any answers
    match FORM.sheets[sheet]:
        case TableSheet():
            return enumerate(written, DESK.layout[sheet].first_row)
        case GridSheet():
            return list(written.items())
        case _:
            return [(None, written)]


def put(cell: Cell, question: Question, value: Value, language: str) -> None:
    label = FORM.question_options(question).get(str(value))
    cell.value = label[language] if label else value
    if isinstance(cell.value, str):
        cell.data_type = "s"  # «=1+1» is an answer here, not a formula


each_writer = pytest.mark.parametrize("write", [by_us, by_openpyxl])
Writer = Callable[[Recipient, Answers], bytes]

# reading


def read_back(folder: Path, content: bytes) -> Submission:
    taken = DESK.take_in(folder / "svar.xlsx", content)
    assert isinstance(taken, Submission)
    return taken


def understood(submission: Submission) -> Read:
    """The values of a submission, after a look that none was hard to read."""
    return {
        key: [{name: clean(answer) for name, answer in row.answers.items()} for row in sheet.rows]
        for key, sheet in submission.sheets.items()
    }


def clean(answer: Answer) -> Value:
    assert (answer.problem, answer.note) == (None, None), answer
    return answer.value


def expected(answers: Answers) -> Read:
    """What must be read: what was written, what we had filled in, and what follows from both."""
    return {
        "svar": [with_latin(with_place(GIVEN | answers["svar"]))],
        "rader": [with_place(with_unit(row)) for row in answers["rader"] if row],
        "rutenett": with_sums(answers["rutenett"]),
    }


def with_unit(row: Answers) -> Answers:
    unit = next((unit for unit in UNITS if unit.name == row.get("enhet")), None)
    if unit is None:
        return row
    return {"enhet_nr": unit.orgnr, "enhet_gruppe": unit.type, "sted": unit.kommunenr, **row}


def with_place(row: Answers) -> Answers:
    return row | ({"stedsnavn": PLACES[row["sted"]]} if "sted" in row else {})


def with_latin(row: Answers) -> Answers:
    return ({"latin": LATIN[row["fugl"]]} if row.get("fugl") in LATIN else {}) | row


def with_sums(grid: dict[str, Answers]) -> list[Answers]:
    columns = ("forste", "andre", "heltall", "desimaltall")
    parts = {column: [grid[row][column] for row in ("REISE", "MAT") if column in grid[row]] for column in columns}
    total = {column: sum(numbers) for column, numbers in parts.items() if numbers}
    return [with_sum(row) for row in (grid["REISE"], grid["MAT"], total, grid["EGET"])]


def with_sum(row: Answers) -> Answers:
    parts = [row[column] for column in ("forste", "andre") if column in row]
    return row | ({"sum": sum(parts)} if parts else {})


def typed(read: Read) -> dict[str, list[dict[str, tuple[str, Value]]]]:
    """Values with their types: 5 is not 5.0."""
    return {
        sheet: [{key: (type(value).__name__, value) for key, value in row.items()} for row in rows]
        for sheet, rows in read.items()
    }


# the tests


def test_the_form_asks_every_type_of_question_on_a_sheet_and_in_a_table() -> None:
    for sheet in ("svar", "rader"):
        asked = {question.type for question in FORM.sheets[sheet].questions.values()}
        assert asked == {*BY_TYPE, "choice", "lookup"}


@each_writer
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(answers=ANSWERS, language=st.sampled_from(FORM.languages))
def test_every_answer_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, write: Writer, answers: Answers, language: str
) -> None:
    answers["svar"].setdefault("tekst", "Noe er alltid skrevet")
    content = write(OWNERS[language], answers)

    submission = read_back(tmp_path_factory.getbasetemp(), content)

    assert typed(understood(submission)) == typed(expected(answers))
    assert submission.report == "ALLE-0001-1"


def spaced(number: int, blank: str) -> str:
    return f"{number:,}".replace(",", blank)


NUMBER_STYLES: list[Callable[[int], str]] = [
    str,
    lambda number: spaced(number, " "),
    lambda number: spaced(number, NBSP),
    lambda number: spaced(number, "\u2009"),
    lambda number: spaced(number, " ").replace("-", "\u2212"),
    lambda number: f"  {number}\t",
]
AMOUNT_STYLES: list[Callable[[int], str]] = [
    *NUMBER_STYLES,
    lambda number: f"kr {spaced(number, ' ')}",
    lambda number: f"{spaced(number, NBSP)} kr",
    lambda number: f"{number},-",
    lambda number: f"{number},00",
]
DECIMAL_STYLES: list[Callable[[float], str]] = [
    lambda number: f"{number:f}".replace(".", ","),
    lambda number: f"{number:,.6f}".replace(",", " ").replace(".", ","),
]
PERCENT_STYLES: list[Callable[[float], str]] = [
    lambda number: f"{number * 100:.1f} %".replace(".", ","),
    lambda number: f"{number * 100:.1f}{NBSP}%".replace(".", ","),
    lambda number: f"{number * 100:.1f} prosent".replace(".", ","),
]
DAY_STYLES: list[Callable[[date], str]] = [
    lambda day: f"{day:%d.%m.%Y}",
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day.day}. {day.month}. {day.year}",
    lambda day: day.isoformat(),
    lambda day: f"{day.day}. {MONTHS[day.month - 1]} {day.year}",
]
PHONE_STYLES: list[Callable[[str], str]] = [
    lambda phone: f"{phone[:2]} {phone[2:4]} {phone[4:6]} {phone[6:]}",
    lambda phone: f"+47 {phone}",
    lambda phone: f"0047{phone}",
]
ORGNR_STYLES: list[Callable[[str], str]] = [
    lambda orgnr: f"{orgnr[:3]} {orgnr[3:6]}{NBSP}{orgnr[6:]}",
    lambda orgnr: f"NO {orgnr} MVA",
]
STYLES: dict[str, tuple[SearchStrategy[Any], list[Callable[..., str]]]] = {
    "heltall": (WHOLE, NUMBER_STYLES),
    "belop": (WHOLE, AMOUNT_STYLES),
    "desimaltall": (st.integers(-(10**12), 10**12).map(lambda number: number / 1000), DECIMAL_STYLES),
    "prosent": (PERCENT, PERCENT_STYLES),
    "dato": (DAY, DAY_STYLES),
    "telefon": (PHONE, PHONE_STYLES),
    "enhet_nr": (ORGNR, ORGNR_STYLES),
    "ja_nei": (st.sampled_from([YES, NO]), [str.lower, str.upper, lambda word: f" {word} "]),
    "gruppe": (st.just("VAD"), [str, str.lower, lambda _: "Vadefuglar", lambda _: " vadefugler "]),
}


@st.composite
def rows_in_two_styles(draw: st.DrawFn) -> tuple[Answers, Answers]:
    """One row of typed values, and the same row as somebody would write it in words."""
    row, words = {}, {}
    for key, (values, styles) in STYLES.items():
        row[key] = draw(values)
        words[key] = draw(st.sampled_from(styles))(row[key])
    return row, words


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=st.lists(rows_in_two_styles(), min_size=1, max_size=8))
def test_a_value_written_as_text_equals_the_typed_one(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[Answers, Answers]]
) -> None:
    content = by_us(OWNERS["nb"], {"rader": [row for pair in pairs for row in pair]})

    read = read_back(tmp_path_factory.getbasetemp(), content).sheets["rader"].rows

    values = [{key: (answer.problem, answer.value) for key, answer in row.answers.items()} for row in read]
    assert values[0::2] == [{key: (None, value) for key, value in row.items()} for row, _ in pairs]
    assert values[1::2] == values[0::2]


@pytest.mark.parametrize("language", FORM.languages)
def test_choices_are_understood_in_both_languages_whatever_the_workbook_is_in(tmp_path: Path, language: str) -> None:
    rows = [{"gruppe": label} for labels in FORM.options("gruppe").values() for label in labels.values()]
    content = by_us(OWNERS[language], {"rader": rows})

    read = understood(read_back(tmp_path, content))["rader"]

    assert [row["gruppe"] for row in read] == [code for code in FORM.options("gruppe") for _ in FORM.languages]


HARD_TEXTS = [
    "=1+1", "+47 22", "-5", "@sum", "#N/A", "#REF!", "0047", "1e5", "01.02.2024", "SANN", "'merket", "'", "]]>",
    "<b>&amp;</b>", "_x0041_", "_x005F_x0041_", "@@code@@", "C:\\temp\\{0}%s", "Lønn/frikjøp – «å»", "👩🏽 🇳🇴",
]  # fmt: skip


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_what_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    content = by_us(OWNERS["nb"], {"svar": {"tekst": text, "lang_tekst": text}})

    read = understood(read_back(tmp_path, content))["svar"][0]

    assert (read["tekst"], read["lang_tekst"]) == (text, text)


@each_writer
def test_the_longest_text_of_a_cell_comes_back_whole(tmp_path: Path, write: Writer) -> None:
    text = ("Fagdag på Ås\n" * MAX_TEXT)[: MAX_TEXT - 1] + "!"

    read = understood(read_back(tmp_path, write(OWNERS["nb"], {"svar": {"lang_tekst": text}})))

    assert read["svar"][0]["lang_tekst"] == text


def test_lines_break_the_same_way_whatever_program_broke_them(tmp_path: Path) -> None:
    written = ["Én\r\nto", "Én\nto", "Én\rto"]

    read = understood(read_back(tmp_path, by_us(OWNERS["nb"], {"rader": [{"lang_tekst": text} for text in written]})))

    assert [row["lang_tekst"] for row in read["rader"]] == ["Én\nto"] * 3


def test_a_letter_of_two_characters_is_the_same_letter(tmp_path: Path) -> None:
    read = understood(read_back(tmp_path, by_us(OWNERS["nb"], {"svar": {"tekst": "Bla\u030alys"}})))

    assert read["svar"][0]["tekst"] == "Blålys"


@pytest.mark.parametrize("nothing", ["", None, "   ", "\n"])
def test_an_emptied_answer_is_no_answer(tmp_path: Path, nothing: str | None) -> None:
    content = by_us(OWNERS["nb"], {"svar": {"tekst": "Måker", "eier": nothing, "eier_telefon": nothing}})

    read = read_back(tmp_path, content)

    assert read.answer("svar.eier") is None
    assert read.answer("svar.eier_telefon") is None
    assert read.answer("svar.tekst") is not None


def test_a_table_may_be_full_and_may_have_gaps(tmp_path: Path) -> None:
    table = FORM.sheets["rader"]
    assert isinstance(table, TableSheet)
    rows: list[Answers] = [{} if number % 3 == 1 else {"heltall": number} for number in range(table.rows)]

    read = read_back(tmp_path, by_us(OWNERS["nb"], {"rader": rows})).sheets["rader"]

    first = DESK.layout["rader"].first_row
    assert [(row.number, row.answers["heltall"].value) for row in read.rows] == [
        (first + number, number) for number in range(table.rows) if number % 3 != 1
    ]


def test_what_an_owner_writes_instead_of_the_fetched_value_counts(tmp_path: Path) -> None:
    rows = [{"enhet": UNITS[1].name}, {"enhet": UNITS[1].name, "sted": "3301"}, {"enhet": "Ukjent", "sted": "0301"}]

    read = understood(read_back(tmp_path, by_us(OWNERS["nb"], {"rader": rows})))["rader"]

    assert [row["stedsnavn"] for row in read] == ["Oslo", "Drammen", "Oslo"]
    assert [row.get("enhet_nr") for row in read] == ["971032081", "971032081", None]
