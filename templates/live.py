"""The live checks: what the owner is told while the form is filled in.

`_regler` holds the formulas, row by row as `templates.live_plan` lays them out; the answer sheets
and the sheet Kontroll only fetch the results.
"""

from collections.abc import Generator, Iterator

from openpyxl.worksheet.worksheet import Worksheet

from templates.binding import BoundRule
from templates.cells import letter
from templates.definition import bound_rules
from templates.entry import fetched_state
from templates.form import Form, GridSheet, Question, QuestionSheet
from templates.formula import BAD, Formula, any_of
from templates.layout import RULES_SHEET, SUMMED
from templates.listing import write_listing
from templates.live_causes import Item, Live
from templates.live_plan import FIRST_ROW, FOUND, KEY, MESSAGE, OWN, Block, Here, Plan
from templates.predicate import Aggregate, Answer, Column, GridCell, Node
from templates.shared import Shared
from templates.states import helper, state

MAX_FORMULA = 7000  # characters; a spreadsheet takes 8192, and addresses grow down a column
LONG = 6000  # characters of the parts of a formula that may be set apart
MAX_CHOICES = 25  # LibreOffice takes 30


def make_live(form: Form, language: str) -> Live:
    """Everything that is checked in the workbook of this form in one language."""
    rules = bound_rules(form)
    plan = Plan(form, language, unread=_unread(form, rules))
    for _, question in form.questions():
        if question.type == "kommunenr" and question.list:
            plan.columns.add((question.list, form.lists[question.list].key))
    return Live(form, language, rules, plan).build()


def _unread(form: Form, rules: list[BoundRule]) -> set[tuple[str, str]]:
    trees = (tree for bound in rules for tree in (bound.tree, *bound.values.values()) if tree is not None)
    read = {(node.sheet, node.key) for tree in trees for node in tree.walk() if isinstance(node, Answer | Column)}
    fetched = {(sheet, question.key) for sheet, question in form.questions() if question.type == "lookup"}
    return fetched - read


def write_rules(sheet: Worksheet, live: Live, note: str, more: str) -> None:
    """Fill the sheet `_regler`."""
    sheet.sheet_state = "hidden"
    sheet["A1"] = note
    writer = _Writer(sheet, live, more)
    writer.write()
    write_listing(sheet, live.plan, writer.shared)


class _Writer:
    def __init__(self, sheet: Worksheet, live: Live, more: str) -> None:
        self.sheet = sheet
        self.live = live
        self.plan = live.plan
        self.more = more
        self.shared = Shared(sheet)
        self.spared: dict[int, int] = {}  # columns given out, by row

    def write(self) -> None:
        for item in self.live.items.values():
            if item.key:
                for column, formula in self.states(item):
                    self.put(item, column, formula)
            for column, formula in self.found(item):
                self.put(item, column, formula)
            self.sheet[f"{KEY}{item.row}"] = places(item)
        self.write_aside()

    def put(self, item: Item, column: str, formula: str) -> None:
        if len(formula) >= MAX_FORMULA:
            raise ValueError(f"the formula of {RULES_SHEET}!{column}{item.row} is {len(formula)} characters long")
        last = item.block.last if item.is_table else item.row
        self.shared.write(column, item.row, last, formula)

    # states

    def states(self, item: Item) -> Iterator[tuple[str, str]]:
        block, sheet = item.block, item.block.place.sheet
        for key, question in sheet.questions.items():
            if key not in block.states or (isinstance(sheet, QuestionSheet) and key != item.key):
                continue
            if isinstance(sheet, GridSheet) and (question.sum_of or sheet.rows[item.key].sum_of):
                yield block.states[key], self.sum_state(item, sheet, question)
                continue
            yield from self.answer_state(item, key, question)
        for node, column in block.conditions.items():
            here = Here(self.plan, block.place, item.row)
            yield column, f'IF({block.used}="",0,IF({Formula(self.live.form, here).true(node)},1,0))'
        for lookup, column in block.fetched.items():
            here = Here(self.plan, block.place, item.row)
            yield column, Formula(self.live.form, here).state(lookup)

    def answer_state(self, item: Item, key: str, question: Question) -> Iterator[tuple[str, str]]:
        block = item.block
        row = block.place.rows[item.key] if isinstance(block.place.sheet, GridSheet) else None
        cell = block.answer(key, row)
        helped = ""
        if key in block.helpers:
            helped = f"{block.helpers[key]}{item.row}"
            yield block.helpers[key], helper(question, cell) or ""
        source = question.fill or question.lookup
        fetched = '""'
        if source:
            by = Answer(block.place.sheet.key, source.key)
            here = Here(self.plan, block.place, item.row)
            fetched = fetched_state(self.live.form, question, block.place, here.state(by), block.answer(source.key))
        yield block.states[key], fetched if question.lookup else state(self.live.form, question, cell, helped, fetched)

    def sum_state(self, item: Item, sheet: GridSheet, question: Question) -> str:
        """A sum of what is there; of something unreadable there is none."""
        if question.sum_of:
            nodes = [GridCell(sheet.key, item.key, part) for part in question.sum_of]
        elif question.type in SUMMED:
            nodes = [GridCell(sheet.key, part, question.key) for part in sheet.rows[item.key].sum_of]
        else:
            return '""'
        cells = [self.plan.state(node) for node in nodes]
        unreadable = any_of(f'LEFT({cell})="{BAD}"' for cell in cells)
        return f'IF(OR(COUNT({",".join(cells)})=0,{unreadable}),"",SUM({",".join(cells)}))'

    # findings

    def found(self, item: Item) -> Iterator[tuple[str, str]]:
        """What is found in a row, as the letters of its causes, and the message of the first one."""
        letters = item.letters
        first = set(item.first)
        if not letters:
            return
        found = {cause: f'IF({cause.failing},"{letter}","")' for cause, letter in letters.items()}
        own = "&".join(test for cause, test in found.items() if cause in first) or '""'
        others = yield from self.beside(item, [f"&{test}" for cause, test in found.items() if cause not in first])
        row = item.row
        if item.is_table:
            yield OWN, f'IF({item.block.used}="","","."&{own})'
            yield FOUND, f'IF({OWN}{row}="","",MID({OWN}{row},2,99){others})'
        else:
            if first:
                yield OWN, own
            yield FOUND, f"{OWN}{row}{others}" if first else others.removeprefix("&")
        yield MESSAGE, (yield from self.message(item))

    def message(self, item: Item) -> Generator[tuple[str, str], None, str]:
        """The message of the first cause that is found, and how many more there are in a table row."""
        found = f"{FOUND}{item.row}"
        told = yield from self.beside(item, list(_messages(item, f"LEFT({found})")))
        before, after = self.more.split("{antall}")
        more = f'&IF(LEN({found})>1,"{before}"&LEN({found})-1&"{after}","")' if item.is_table else ""
        return f'IF({found}="","",{told.removeprefix("&")}{more})'

    def beside(self, item: Item, pieces: list[str]) -> Generator[tuple[str, str], None, str]:
        """Pieces that each begin with &, as one; those too long for one formula get columns of their own."""
        if sum(map(len, pieces)) <= LONG:
            return "".join(pieces)
        names = []
        for chunk in _chunks(pieces):
            names.append(self.overflow(item))
            yield names[-1], chunk.removeprefix("&")
        return "".join(f"&{name}{item.row}" for name in names)

    def overflow(self, item: Item) -> str:
        """A column of the block that is free in this row."""
        columns = item.block.overflow
        number = self.spared.get(item.row, 0)
        self.spared[item.row] = number + 1
        if number == len(columns):
            columns.append(item.block.next_column())
        return columns[number]

    # beside the blocks

    def write_aside(self) -> None:
        column = self.plan.aside
        for node, number in self.plan.counted.items():
            row = FIRST_ROW + number
            self.sheet[f"{letter(column + 1)}{row}"] = "=" + self.plan.value_of(node)
            self.sheet[f"{letter(column + 2)}{row}"] = "=" + self.plan.is_bad_of(node)
        for formula, number in self.plan.values.items():
            self.sheet[f"{letter(column + 3)}{FIRST_ROW + number}"] = "=" + formula
        for words, number in self.plan.texts.items():
            cell = self.sheet[f"{letter(column)}{FIRST_ROW + number}"]
            cell.value = words
            cell.data_type = "s"


def _messages(item: Item, first: str) -> Iterator[str]:
    """The message of the cause whose letter is the first one, in pieces that a formula has room for."""
    waiting: list[tuple[str, str]] = []
    for cause, name in item.letters.items():
        said = f'"{"-" if cause.is_warning else "!"}"&{cause.message}'
        if waiting and (len(waiting) == MAX_CHOICES or sum(len(text) for _, text in waiting) + len(said) > LONG):
            yield _chosen(waiting, first)
            waiting = []
        waiting.append((name, said))
    yield _chosen(waiting, first)


def _chosen(messages: list[tuple[str, str]], first: str) -> str:
    at = f'FIND({first},"{"".join(name for name, _ in messages)}")'
    return f'&IF(ISNUMBER({at}),CHOOSE({at},{",".join(text for _, text in messages)}),"")'


def _chunks(pieces: list[str]) -> Iterator[str]:
    chunk = ""
    for piece in pieces:
        if chunk and len(chunk) + len(piece) > LONG:
            yield chunk
            chunk = ""
        chunk += piece
    yield chunk


def places(item: Item) -> str:
    """The column to go to for each cause: its letter, then the column in two places."""
    return "".join(f"{name}{_column(item.block, cause.blame):<2}" for cause, name in item.letters.items())


def _column(block: Block, blame: tuple[Node, ...]) -> str:
    sheet = block.place.sheet
    if isinstance(sheet, QuestionSheet):
        return "C"
    for node in blame:
        key = getattr(node, "key", getattr(node, "column", ""))
        if not isinstance(node, Aggregate) and getattr(node, "sheet", "") == sheet.key and key in block.place.columns:
            return block.place.columns[key]
    return next(iter(block.place.columns.values()))
