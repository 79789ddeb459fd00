"""The columns of one answer sheet on `_regler`, and how the states of its answers are written in formulas.

The states of a table's codes, whole numbers, dates and addresses stand in one text for each row: a cell for
each of them would make the file twice as large. A number that rules add up keeps a cell of its own.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from templates.cells import column_number, letter
from templates.form import Form, GridSheet, Question, QuestionSheet, TableSheet
from templates.layout import ANSWER_COLUMN, HEADER_ROW, HELP_ROW, SheetLayout
from templates.states import MAX_EMAIL, WHOLE, plain

TEXTS, COUNTED, VALUES, SHOWN = "A", "B", "C", "D"
LISTING = 4  # the first column of the list of findings, counted from 0
BLOCKS = 12  # the first column of the answer sheets'
PLAIN_NAME = re.compile(r"[A-Za-z_]*[a-z][A-Za-z_]*")  # no letters and digits that read as a cell
FIRST_ROW = 2  # of the texts and of what is counted and worked out
TEXTS_NAME = "_t"
MAX_COLUMN = 62  # of an answer sheet: a finding names a column by one character
MAX_TEXTS = 999
MARK_ZERO = 64  # the code of the character before that of column A
BAD_WIDTH = 5  # characters of the state of a cell that could not be used
IN_USE = "."  # begins the text of a row that is in use
NUMBERS = (*WHOLE, "date")  # those whose states are numbers
PACKED = 6  # states in one text at most: a formula has its limits


@dataclass(frozen=True)
class Field:
    """The place of a state in the text of a row."""

    column: str
    first: int
    width: int
    is_number: bool = False

    def of(self, cells: str) -> str:
        return f"TRIM(MID({cells},{self.first},{self.width}))"

    def state(self, cell: str) -> str:
        """The state that stands there: of a number the number itself, where it could be used."""
        return f"IFERROR(VALUE({self.of(cell)}),{self.of(cell)})" if self.is_number else self.of(cell)


@dataclass(frozen=True)
class Block:
    """The columns of one answer sheet on `_regler`."""

    place: SheetLayout
    language: str
    start: int  # its first column, counted from 0
    columns: dict[str, str]  # the questions whose states have a column of their own
    packs: dict[str, Field]  # those that stand in a text with others
    unusable: str  # the state of a cell that shows an error

    @cached_property
    def found(self) -> str:
        return letter(self.start)

    @cached_property
    def marks(self) -> str:
        return letter(self.start + 1)

    @cached_property
    def message(self) -> str:
        return letter(self.start + 2)

    @cached_property
    def written(self) -> str:
        """On a question sheet, what stands in the answer, on one line and without outer blanks."""
        return letter(self.start + 3)

    @cached_property
    def shown(self) -> str:
        """On a question sheet, the answer as people read it."""
        return letter(self.start + 5)

    @cached_property
    def used(self) -> str:
        """In a table, the text of a row: empty when the row is."""
        return letter(self.start + 3)

    @property
    def width(self) -> int:
        taken = {*self.columns.values(), *(field.column for field in self.packs.values())}
        return max([5 if self.is_single else 3, *(column_number(name) - 1 - self.start for name in taken)]) + 1

    @property
    def is_single(self) -> bool:
        return isinstance(self.place.sheet, QuestionSheet)

    @property
    def is_table(self) -> bool:
        return isinstance(self.place.sheet, TableSheet)

    @property
    def top(self) -> int:
        """The row of what is found on the sheet as a whole."""
        return HEADER_ROW if self.is_single else HELP_ROW

    @property
    def first(self) -> int:
        return self.place.first_row

    @property
    def last(self) -> int:
        return self.place.last_row

    @property
    def tab(self) -> str:
        """The answer sheet, as formulas name it."""
        return tab(self.place.sheet.label[self.language])

    def state(self, key: str, row: int, sheet: str = "") -> str:
        """The state of an answer; `sheet` goes before the address where that is on another sheet."""
        if key in self.packs:
            return self.packs[key].state(f"{sheet}{self.packs[key].column}{row}")
        if key in self.columns:
            return f"{sheet}{self.columns[key]}{row}"
        return f"IFERROR({plain(self.answer(key, row))},{self.unusable})"

    def states(self, key: str) -> str:
        """The states of a column, in every row of the sheet."""
        field = self.packs.get(key)
        return field.of(self.all_rows(field.column)) if field else self.all_rows(self.columns[key])

    def filled(self, key: str) -> str:
        """How many rows have something in a column; one that shows an error is not empty."""
        if key in self.packs or key in self.columns:
            return f'SUMPRODUCT(--({self.states(key)}<>""))'
        column = self.place.columns[key]
        return f'IFERROR(SUMPRODUCT(--({plain(f"{self.tab}!{self.all_rows(column)}")}<>"")),1)'

    def answer(self, key: str, row: int | None = None) -> str:
        """The answer cell of a question; of the first row in a table or grid."""
        if self.is_single:
            return f"{self.tab}!{ANSWER_COLUMN}{self.place.rows[key]}"
        return f"{self.tab}!{self.place.columns[key]}{self.first if row is None else row}"

    def all_rows(self, column: str) -> str:
        return f"${column}${self.first}:${column}${self.last}"


def make_block(form: Form, place: SheetLayout, language: str, start: int, keys: list[str], unusable: str) -> Block:
    """Lay out the columns; `keys` are the answers that rules read as a column, and what is fetched and read at all."""
    questions = place.sheet.questions
    if isinstance(place.sheet, QuestionSheet):
        return Block(place, language, start, dict.fromkeys(questions, letter(start + 4)), {}, unusable)
    packs: dict[str, Field] = {}
    columns: dict[str, str] = {}
    at = start + 3
    if isinstance(place.sheet, TableSheet):
        packs, at = _packed(form, place.sheet, at, keys)
    for key, question in questions.items():
        is_text = question.type in ("text", "longtext", "lookup") and not isinstance(place.sheet, GridSheet)
        if key not in packs and (key in keys or not is_text):
            columns[key] = letter(at)
            at += 1
    return Block(place, language, start, columns, packs, unusable)


def _packed(form: Form, sheet: TableSheet, at: int, keys: list[str]) -> tuple[dict[str, Field], int]:
    """The fields of the texts of a row, and the first column after them."""
    looked_up = {question.fill.key for question in sheet.questions.values() if question.fill}
    packs: dict[str, Field] = {}
    first = 1 + len(IN_USE)
    for key, question in sheet.questions.items():
        width, is_number = _width(form, question), question.type in NUMBERS
        if not width or key in looked_up or (is_number and key in keys):
            continue
        if packs and len(packs) % PACKED == 0:
            at, first = at + 1, 1
        packs[key] = Field(letter(at), first, width, is_number)
        first += width
    return packs, at + 1


def _width(form: Form, question: Question) -> int:
    """The greatest length of a state; 0 when it has none."""
    widths = {"orgnr": 9, "kommunenr": BAD_WIDTH, "yesno": BAD_WIDTH, "email": MAX_EMAIL, "date": 7} | dict.fromkeys(
        WHOLE,
        16,  # digits and a sign
    )
    if question.type == "choice":
        return max([BAD_WIDTH, *map(len, form.question_options(question))])
    return widths.get(question.type, 0)


def tab(name: str) -> str:
    """A sheet as formulas name it."""
    return name if PLAIN_NAME.fullmatch(name) else "'" + name.replace("'", "''") + "'"


def mark_of(column: str) -> str:
    """The character that stands for a column of an answer sheet in what is found."""
    number = column_number(column)
    if number > MAX_COLUMN:
        raise ValueError(f"a sheet with live checks has {MAX_COLUMN} columns at most")
    return chr(MARK_ZERO + number)
