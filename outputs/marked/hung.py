"""What is found in one version, as its fresh workbook shows it: in the status column, on Kontroll, in notes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from outputs.letters.words import clean
from outputs.marked.placed import Placed, Spot
from templates.cells import column_number, letter
from templates.form import GridSheet, TableSheet
from templates.layout import ANSWER_COLUMN
from templates.live.block import MARK_ZERO, MAX_TEXTS, TEXTS, mark_of
from templates.live.hooks import hooks_of
from templates.live.items import TOP, Cause, Item, Live
from templates.part import Content, ErrorValue, Formula, Shown
from templates.rules.formula import FALSE, TRUE, all_of
from templates.rules.formula import text as quoted
from templates.texts import workbook_texts
from validation.findings import SEVERITIES, Finding

ERROR, WARNING, INFO = SEVERITIES
SAYS = {ERROR: "marked_correct", WARNING: "marked_asks", INFO: "marked_read"}
MAX_MESSAGE = 1000  # characters
MAX_WATCHED = 10  # cells that a finding looks at to see whether they have been changed
BASIC_LINE = re.compile("[^\n\t\U00010000-\U0010ffff]{0,100}")  # of a text, what is held against what was written
MAX_FORMULA = 7000  # characters; a spreadsheet takes 8192
MAX_NOTES = 500  # on one sheet
HUNG_FIRST, OWN, RULE, HUNG_LAST = range(4)  # the order in which the findings of a row are told


@dataclass(frozen=True, slots=True)
class Found:
    """One thing as it is told in one row of a sheet; `column` is the cell to go to."""

    sheet: str
    row: int
    column: str
    is_question: bool
    order: tuple[int, int]
    text: str


class Hung:
    """The findings of one version in its fresh workbook.

    What the workbook finds by itself is only foretold; all else is hung up among it (`templates.live.hooks`).
    """

    def __init__(self, live: Live, placed: Placed, findings: Sequence[Finding]) -> None:
        self.live = live
        self.placed = placed
        self.language = placed.recipient.language
        self.hooks = hooks_of(live)
        self.answers: dict[str, dict[Spot, Content]] = {key: {} for key in live.plan.blocks}
        self.notes: dict[str, dict[tuple[int, int], str]] = {key: {} for key in live.plan.blocks}
        self.found: list[Found] = []
        self.rules: dict[tuple[int, str], Content] = {}
        self._expected: dict[Spot, Content] = {}
        self._odd: set[Spot] = set()
        self._below: dict[Spot, list[str]] = {}
        self._texts: dict[str, int] = {}
        self._known = known_causes(live)
        self._write_answers()
        for finding in findings:
            if finding.severity in SEVERITIES:
                self._add(finding)

    def _write_answers(self) -> None:
        for cell in self.placed.cells():
            self._expected[cell.spot] = cell.content
            if cell.is_odd:
                self._odd.add(cell.spot)
            if not cell.is_ours:
                self.answers[cell.spot.sheet][cell.spot] = cell.content
            if self.placed.is_below(cell.spot):
                status = self.placed.places[cell.spot.sheet].status_column
                self._below.setdefault(Spot(cell.spot.sheet, cell.spot.row, status), [])

    # what is found

    def _add(self, finding: Finding) -> None:
        spots = self.placed.spots(finding.sheet, finding.cells)
        others = [spot for tab, cell in finding.elsewhere if (spot := self.placed.spot(tab, cell))]
        message = clean(self._own(finding), MAX_MESSAGE)
        for spot in dict.fromkeys((*spots, *others)):
            self._note(spot, self._say(SAYS[finding.severity], message=message))
        above = [spot for spot in spots if not self.placed.is_below(spot)]
        told = self._told_live(finding, above) if above and self._odd.isdisjoint(above) else None
        self.found += told or ()
        if finding.severity != INFO:
            left = spots if told is None else [spot for spot in spots if spot not in above]
            if left or told is None:
                self._hang(finding, left, others, message)

    def _note(self, spot: Spot, text: str) -> None:
        notes = self.notes[spot.sheet]
        at = spot.row, column_number(spot.column)
        if at in notes:
            notes[at] += f"\n\n{text}"
        elif len(notes) < MAX_NOTES:
            notes[at] = text

    def _told_live(self, finding: Finding, spots: Sequence[Spot]) -> list[Found] | None:
        """Where the workbook tells this by itself; None when it does not know of it."""
        name = f"{finding.rule}.{finding.part}" if finding.part else finding.rule
        first, is_question, text = spots[0], finding.severity != ERROR, self._own(finding)
        is_error = isinstance(self._expected.get(first), ErrorValue)  # which the workbook tells in words of its own
        if is_error or (name, first.sheet, self._question(first)) in self._known.own:
            order = [(OWN, column_number(spot.column)) for spot in spots]
            return [
                Found(spot.sheet, spot.row, spot.column, is_question, at, text)
                for spot, at in zip(spots, order, strict=True)
            ]
        if name not in self._known.rules:
            return None
        order_of_rule = (RULE, next(n for n, rule in enumerate(self.live.form.rules) if rule.name == name))
        return [
            Found(item.block.place.sheet.key, row, _first_column(cause), is_question, order_of_rule, text)
            for item, cause in self._known.rules[name]
            for row in _rows_told(item, spots)
        ]

    def _question(self, spot: Spot) -> str:
        place = self.placed.places[spot.sheet]
        by_place = {column: key for key, column in place.columns.items()}
        if by_place:
            return by_place[spot.column]
        return next(key for key, row in place.rows.items() if row == spot.row)

    # what we hang up

    def _hang(self, finding: Finding, spots: Sequence[Spot], others: Sequence[Spot], message: str) -> None:
        is_question = finding.severity != ERROR
        watched = self._unchanged([*spots, *others])
        for number, row in enumerate(_by_row(spots)):
            if self.placed.is_below(row[0]):
                self._tell_below(row, message, is_question=is_question)
            elif isinstance(self.placed.places[row[0].sheet].sheet, TableSheet):
                self._tell(row, message, self._unchanged(row), is_question=is_question)
            elif number == 0:
                self._tell(row, message, watched, is_question=is_question)
            else:
                self._mark(row, watched)
        self._mark([spot for spot in others if not self.placed.is_below(spot)], watched)
        if not spots:
            block = self.live.plan.blocks[self.live.form.main_sheet]
            self._tell([Spot(block.place.sheet.key, block.top, ANSWER_COLUMN)], message, TRUE, is_question=is_question)

    def _tell(self, spots: Sequence[Spot], message: str, condition: str, *, is_question: bool) -> None:
        """Tell it in one row, and mark these cells of the row, for as long as the condition holds."""
        first, hooks = spots[0], self.hooks[spots[0].sheet]
        message = message.replace("{", "(").replace("}", ")")  # what stands in braces would be filled in
        number = self._text_number(message)
        code = f"{'-' if is_question else '!'}{number:03}" + "".join(mark_of(spot.column) for spot in spots)
        self._put(first.row, hooks.questions if is_question else hooks.errors, code, condition)
        order = (HUNG_LAST if is_question else HUNG_FIRST, len(self.found))
        self.found.append(Found(first.sheet, first.row, first.column, is_question, order, message))

    def _tell_below(self, spots: Sequence[Spot], message: str, *, is_question: bool) -> None:
        """Tell it beside a row below its table, and of the sheet as a whole."""
        first = spots[0]
        place = self.placed.places[first.sheet]
        said = self._say("marked_row", row=first.row, message=message)
        top = Spot(
            first.sheet, self.live.plan.blocks[first.sheet].top, place.status_column
        )  # an answer's would mark all
        self._tell([top], said, self._unchanged(spots), is_question=is_question)
        self._below.setdefault(Spot(first.sheet, first.row, place.status_column), []).append(message)

    def _mark(self, spots: Iterable[Spot], condition: str) -> None:
        for spot in spots:
            self._put(spot.row, self.hooks[spot.sheet].marks, mark_of(spot.column), condition)

    def _put(self, row: int, column: str, code: str, condition: str) -> None:
        piece = f'"{code}"' if condition == TRUE else f'IF(IFERROR({condition},FALSE),"{code}","")'
        there = self.rules.get((row, column))
        formula = f"{there.text}&{piece}" if isinstance(there, Formula) else piece
        if len(formula) < MAX_FORMULA:  # else the notes tell it
            self.rules[row, column] = Formula(formula)

    def _text_number(self, message: str) -> int:
        """The number of a text on `_regler`, where it is written when it is new."""
        first = len(self.live.plan.texts) + 1
        if first + len(self._texts) >= MAX_TEXTS and message not in self._texts:
            message = self._say("marked_many")
        number = self._texts.setdefault(message, first + len(self._texts))
        self.rules[self.live.plan.first_text + number - 1, TEXTS] = message
        return number

    def _unchanged(self, spots: Sequence[Spot]) -> str:
        return all_of(self._is_as_written(spot) for spot in spots[:MAX_WATCHED])

    def _is_as_written(self, spot: Spot) -> str:
        """The condition that a cell still holds what is written in it here."""
        cell = f"{self.live.plan.blocks[spot.sheet].tab}!{spot.cell}"
        match self._expected.get(spot, ""):
            case ErrorValue():
                return f"ISERROR({cell})"
            case str() as words:
                return f'{cell}=""' if not words else _begins(cell, words)
            case number:
                return f"{cell}={number:.15g}"

    # how it is shown

    def listed(self) -> list[Found]:
        """The rows that Kontroll lists, each by the first of what is found there: errors first."""
        sheets = list(self.live.plan.blocks)
        first = [found[0] for found in self._by_row.values()]
        return sorted(first, key=lambda one: (one.is_question, sheets.index(one.sheet), one.row))

    def statuses(self, sheet: str) -> dict[tuple[int, str], Content]:
        """What the status column of a sheet shows."""
        block = self.live.plan.blocks[sheet]
        column = block.place.status_column
        shown: dict[tuple[int, str], Content] = {
            (row, column): Shown(self.said(found[0]))
            for (key, row), found in self._by_row.items()
            if key == sheet and not (block.is_single and row == block.top)
        }
        below = {spot.row: said for spot, said in self._below.items() if spot.sheet == sheet}
        return shown | {(row, column): self._said_below(said) for row, said in below.items()}

    def _said_below(self, messages: Sequence[str]) -> str:
        """What is said beside a row below its table, where nothing is checked while the owner writes."""
        more = self._say("more", antall=len(messages) - 1) if messages[1:] else ""
        return " ".join(filter(None, [*messages[:1], more.strip(), self._say("marked_below")]))

    def said(self, one: Found) -> str:
        """What is said in a row where this is the first that is found; a table says how many more there are."""
        block = self.live.plan.blocks[one.sheet]
        more = len(self._by_row[one.sheet, one.row]) - 1
        is_row = block.is_table and one.row >= block.first
        return one.text + (self._say("more", antall=more) if more and is_row else "")

    def cell(self, one: Found) -> str:
        """The cell that Kontroll leads to."""
        return f"{one.column}{max(one.row, self.live.plan.blocks[one.sheet].first)}"

    @cached_property
    def _by_row(self) -> dict[tuple[str, int], list[Found]]:
        rows: dict[tuple[str, int], list[Found]] = {}
        for one in sorted(self.found, key=lambda one: (one.is_question, one.order)):
            rows.setdefault((one.sheet, one.row), []).append(one)
        return rows

    def _own(self, finding: Finding) -> str:
        """The message in the language of the workbook, or in the first there is."""
        return finding.message.get(self.language) or next(iter(finding.message.values()), "")

    def _say(self, key: str, **values: object) -> str:
        return workbook_texts().say(key, self.language, **values)


@dataclass(frozen=True)
class Known:
    """What a workbook finds by itself: with single answers (rule, sheet, question), and by rules."""

    own: set[tuple[str, str, str]]
    rules: Mapping[str, list[tuple[Item, Cause]]]


def _by_row(spots: Sequence[Spot]) -> list[list[Spot]]:
    """The cells of each row, in the order the rows are named."""
    rows: dict[tuple[str, int], list[Spot]] = {}
    for spot in spots:
        rows.setdefault((spot.sheet, spot.row), []).append(spot)
    return list(rows.values())


def known_causes(live: Live) -> Known:
    """List what the live checks of a workbook judge."""
    own: set[tuple[str, str, str]] = set()
    rules: dict[str, list[tuple[Item, Cause]]] = {}
    for (sheet, _), item in live.items.items():
        for cause in item.causes:
            if cause.kind != "rule":
                own.add((cause.rule.name, sheet, getattr(cause.blame[0], "key", "")))
            elif cause.failing != FALSE:
                rules.setdefault(cause.rule.name, []).append((item, cause))
    return Known(own, rules)


def _rows_told(item: Item, spots: Sequence[Spot]) -> list[int]:
    """The rows where a rule is told of these cells."""
    rows = dict.fromkeys(spot.row for spot in spots if spot.sheet == item.block.place.sheet.key)
    if item.is_table:
        return list(rows)
    is_of_grid = isinstance(item.block.place.sheet, GridSheet) and item.key != TOP
    return [item.row] if not is_of_grid or item.row in rows else []


def _first_column(cause: Cause) -> str:
    return letter(ord(cause.marks[0]) - MARK_ZERO - 1)


def _begins(cell: str, words: str) -> str:
    """The condition that a cell holds a text: as long as this one, and with the same beginning.

    A spreadsheet counts a character outside the basic plane as one or as two, and may change a line break.
    """
    plain = BASIC_LINE.match(words)
    beginning = plain[0] if plain else ""
    tests = [f"EXACT(LEFT({cell},{len(beginning)}),{quoted(beginning)})"]
    if words == beginning:
        tests.append(f"LEN({cell})={len(words)}")
    return all_of(tests)
