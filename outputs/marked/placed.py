"""Where the answers of one version stand in a fresh workbook, and what is written there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from intake.derive import fetch
from intake.submission import Answer, Row, SheetAnswers, Submission
from intake.values import read_value
from templates.cells import REFERENCE
from templates.fill import stored
from templates.form import Form, GridSheet, Question, QuestionSheet
from templates.layout import ANSWER_COLUMN, SheetLayout
from templates.part import Content, ErrorValue
from templates.recipients import Recipient
from validation.findings import Finding
from validation.places import ranges

RANGE = re.compile(r"([A-Z]+)(\d+):[A-Z]+(\d+)")
ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})  # those that a file may hold
UNKNOWN = frozenset({"error_cell", "formula_without_value", "damaged_cell"})  # nobody can say what the answer was
NUMBER = re.compile(r"-?\d+(?:,\d+)?")  # as `intake.values.written` writes the number of a cell


@dataclass(frozen=True, slots=True)
class Spot:
    """One cell of the fresh workbook."""

    sheet: str  # the key of an answer sheet
    row: int
    column: str

    @property
    def cell(self) -> str:
        return f"{self.column}{self.row}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer in the fresh workbook.

    `is_ours` says that the template writes it: what is locked, fetched or summed. `is_odd` that it could not be
    written so that the same fault is found again.
    """

    spot: Spot
    content: Content
    is_ours: bool
    is_odd: bool


class Placed:
    """One version, with the place of everything in a fresh workbook in one language.

    A question stands where the template has it. The rows of a table stand as far from its top as the
    owner had them, so that an address the owner knows holds; where they would not fit, without the
    gaps between them. What is left stands below the table.
    """

    def __init__(
        self, form: Form, places: dict[str, SheetLayout], submission: Submission, recipient: Recipient
    ) -> None:
        self.form = form
        self.places = places
        self.recipient = recipient
        self.sheets = {key: answers for key, answers in submission.sheets.items() if key in places}
        self.tabs = {answers.name: key for key, answers in self.sheets.items()}
        self.rows = {key: self._rows(key, answers) for key, answers in self.sheets.items()}

    def _rows(self, key: str, answers: SheetAnswers) -> dict[int, int]:
        """The new number of each row that the owner used."""
        place, sheet = self.places[key], self.form.sheets[key]
        if isinstance(sheet, QuestionSheet):
            return {}
        if isinstance(sheet, GridSheet):
            return {row.number: place.rows[row.key] for row in answers.rows if row.key in place.rows}
        by = place.first_row - answers.first_row
        if all(place.first_row <= row.number + by <= place.last_row for row in answers.rows):
            return {row.number: row.number + by for row in answers.rows}
        return {row.number: place.first_row + index for index, row in enumerate(answers.rows)}

    # places

    def spot(self, tab: str, cell: str) -> Spot | None:
        """Where a cell of the owner's file stands now; None for one that is no answer's."""
        key, found = self.tabs.get(tab), REFERENCE.fullmatch(cell)
        if key is None or found is None:
            return None
        place, answers = self.places[key], self.sheets[key]
        if isinstance(place.sheet, QuestionSheet):
            question = next((name for name, at in answers.places.items() if at == cell), "")
            return Spot(key, place.rows[question], ANSWER_COLUMN) if question in place.rows else None
        question = next((name for name, column in answers.places.items() if column == found[1]), "")
        number = int(found[2])
        row = self.rows[key].get(number, number + place.first_row - answers.first_row)
        return Spot(key, row, place.columns[question]) if question in place.columns else None

    def spots(self, tab: str, cells: tuple[str, ...]) -> list[Spot]:
        """Where cells and ranges of the owner's file stand now, one by one."""
        return [spot for item in cells for cell in _single(item) if (spot := self.spot(tab, cell))]

    def is_below(self, spot: Spot) -> bool:
        """Whether a row stands below its table, where the workbook checks nothing."""
        return spot.row > self.places[spot.sheet].last_row

    def moved(self, finding: Finding) -> Finding:
        """The same finding as the fresh workbook shows it; cells that are no answer's keep their addresses."""
        own = self.spots(finding.sheet, finding.cells)
        others = tuple(self._moved(tab, cell) for tab, cell in finding.elsewhere)
        if not own:
            return replace(finding, elsewhere=others)
        return replace(finding, sheet=self.tab(own[0]), cells=ranges(spot.cell for spot in own), elsewhere=others)

    def _moved(self, tab: str, cell: str) -> tuple[str, str]:
        spot = self.spot(tab, cell)
        return (self.tab(spot), spot.cell) if spot else (tab, cell)

    def tab(self, spot: Spot) -> str:
        return self.places[spot.sheet].sheet.label[self.recipient.language]

    # answers

    def cells(self) -> Iterator["Cell"]:
        """Every cell with an answer, and those that the owner emptied of what we had filled in."""
        for key, answers in self.sheets.items():
            place = self.places[key]
            for row in answers.rows:
                for name, question in place.sheet.questions.items():
                    answer = row.answers.get(name)
                    if (answer or question.prefill) and self._is_there(place, row, name):
                        is_ours = question.locked or question.calculated or self._is_sum(place, row)
                        is_ours = is_ours or self._is_fetched(question, row, answer)
                        content = self._content(question, answer)
                        is_odd = bool(answer and answer.problem and not self._reads_alike(question, answer, content))
                        yield Cell(self._at(key, name, row), content, is_ours=is_ours, is_odd=is_odd)

    def _is_there(self, place: SheetLayout, row: Row, name: str) -> bool:
        sheet = place.sheet
        return name in place.rows or (name in place.columns and (row.key in place.rows or sheet.kind == "table"))

    def _at(self, key: str, name: str, row: Row) -> Spot:
        place = self.places[key]
        if isinstance(place.sheet, QuestionSheet):
            return Spot(key, place.rows[name], ANSWER_COLUMN)
        return Spot(key, self.rows[key][row.number], place.columns[name])

    def _is_sum(self, place: SheetLayout, row: Row) -> bool:
        return isinstance(place.sheet, GridSheet) and bool(place.sheet.rows[row.key].sum_of)

    def _is_fetched(self, question: Question, row: Row, answer: Answer | None) -> bool:
        """Whether the formula of the template gives the same answer."""
        if question.fill is None:
            return False
        if answer is None:
            return True
        read = fetch(self.form, question, question.fill, row.answers.get(question.fill.key), self.recipient)
        return read is not None and answer.problem is None and answer.value == read.value

    def _content(self, question: Question, answer: Answer | None) -> Content:
        if answer is None:
            return ""
        if answer.problem is None:
            return stored(self.form, question, self.recipient.language, answer.value)
        if answer.problem in UNKNOWN:  # an empty cell would be no answer, and a text might be one
            return ErrorValue(answer.raw if answer.raw in ERRORS else "#N/A")
        if not self._reads_alike(question, answer, answer.raw) and NUMBER.fullmatch(answer.raw):
            return float(answer.raw.replace(",", "."))
        return answer.raw

    def _reads_alike(self, question: Question, answer: Answer, content: Content) -> bool:
        """Whether an answer that could not be used has the same fault when it is read again."""
        if isinstance(content, ErrorValue):
            return True
        read = read_value(content, question, self.form)
        return read is not None and read.problem == answer.problem


def _single(item: str) -> Iterator[str]:
    found = RANGE.fullmatch(item)
    if found is None:
        yield item
        return
    for row in range(int(found[2]), int(found[3]) + 1):
        yield f"{found[1]}{row}"
