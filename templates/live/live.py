"""The live checks: what the owner is told while the form is filled in.

`_regler` holds the formulas, row by row as `templates.live.plan` lays them out; the answer sheets
and the sheet Kontroll only fetch the results.
"""

from collections.abc import Generator, Iterator
from functools import cache

from openpyxl.worksheet.worksheet import Worksheet

from templates.definition import bound_rules
from templates.entry import fetched_state
from templates.form import Form, GridSheet, Question
from templates.layout import ANSWER_COLUMN, RULES_SHEET, SUMMED
from templates.live.block import COUNTED, FIRST_ROW, IN_USE, SHOWN, TEXTS, VALUES
from templates.live.causes import find_causes
from templates.live.found import Findings
from templates.live.items import Item, Live
from templates.live.listing import write_listing
from templates.live.marks import marks_elsewhere
from templates.live.plan import Here, Plan
from templates.live.texts import bad_state, told
from templates.live.words import number, shown
from templates.records import Records
from templates.rules.binding import BoundRule
from templates.rules.formula import BAD, Formula, any_of
from templates.rules.predicate import Answer, Column, GridCell, Lookup, Node, Unique
from templates.shared import Shared
from templates.states import Cell, is_read_often, plain, state, written

MAX_FORMULA = 7000  # characters; a spreadsheet takes 8192, and addresses grow down a column


def make_live(form: Form, language: str) -> Live:
    """Everything that is checked in the workbook of this form in one language."""
    rules = bound_rules(form)
    nodes = [node for rule in rules for tree in _trees(rule) for node in tree.walk()]
    lookups = [(found.list, found.value) for _, one in form.questions() for found in (one.lookup, one.fill) if found]
    lookups += [(node.list, node.value) for node in nodes if isinstance(node, Lookup)]
    plan = Plan(form, language, Records.of(form, lookups), _as_columns(form, nodes))
    live = Live(form, language, rules, plan)
    plan.unusable = bad_state(live, "error_cell")
    return find_causes(live)


def _as_columns(form: Form, nodes: list[Node]) -> set[tuple[str, str]]:
    """The answers that rules read as a column, and those fetched from code lists that they read at all."""
    unique = [answer for node in nodes if isinstance(node, Unique) for answer in node.answers]
    read = {(node.sheet, node.key) for node in (*nodes, *unique) if isinstance(node, Column)} | {
        (answer.sheet, answer.key) for answer in unique
    }
    answers = {(node.sheet, node.key) for node in nodes if isinstance(node, Answer)}
    return read | {(sheet, one.key) for sheet, one in form.questions() if one.type == "lookup"} & answers


def _trees(bound: BoundRule) -> list[Node]:
    return [tree for tree in (bound.tree, *bound.values.values()) if tree is not None]


def write_rules(sheet: Worksheet, live: Live, note: str, more: str) -> None:
    """Fill the sheet `_regler`."""
    sheet.sheet_state = "hidden"
    sheet["A1"] = note
    _Writer(sheet, live, more).write()


class _Writer:
    def __init__(self, sheet: Worksheet, live: Live, more: str) -> None:
        self.sheet = sheet
        self.live = live
        self.plan: Plan = live.plan
        self.more = more
        self.shared = Shared(sheet)
        self.cells: dict[str, dict[int, str]] = {}  # formulas by column and row
        self.arrays: dict[str, tuple[int, int, str]] = {}  # by column: the first and last row, and the formula there
        self.bad = cache(lambda code: bad_state(live, code))
        self.findings = Findings(live)

    def write(self) -> None:
        for block in self.plan.blocks.values():
            if block.is_single:
                words = f'IFERROR({plain(f"{block.tab}!{ANSWER_COLUMN}{block.first}")},"")'
                self.arrays[block.written] = block.first, block.last, words
        for item in self.live.items.values():
            for column, formula in self.row(item):
                self.put(item, column, formula)
        for (sheet, row), formula in marks_elsewhere(self.live).items():
            self.keep(self.plan.blocks[sheet].marks, row, formula)
        self.write_aside()
        for column, formulas in self.cells.items():
            self.shared.write_alike(column, formulas)
        for column, array in self.arrays.items():
            self.shared.write_array(column, *array)
        write_listing(self.sheet, self.plan, self.shared)

    def put(self, item: Item, column: str, formula: str) -> None:
        if column in self.plan.helpers.values() and not item.block.is_single:
            self.arrays.setdefault(column, (item.row, item.block.last, formula))
        elif item.is_table:
            self.check(column, item.row, formula)
            self.shared.write(column, item.row, item.block.last, formula)
        else:
            self.keep(column, item.row, formula)

    def keep(self, column: str, row: int, formula: str) -> None:
        self.check(column, row, formula)
        self.cells.setdefault(column, {})[row] = formula

    def check(self, column: str, row: int, formula: str) -> None:
        if len(formula) >= MAX_FORMULA:
            raise ValueError(f"the formula of {RULES_SHEET}!{column}{row} is {len(formula)} characters long")

    def row(self, item: Item) -> Iterator[tuple[str, str]]:
        if item.key:
            yield from self.states(item)
        if item.causes:
            yield from self.findings.of(item)
            yield item.block.message, told(self.live, item, self.more)

    # states

    def states(self, item: Item) -> Iterator[tuple[str, str]]:
        block, sheet = item.block, item.block.place.sheet
        if block.is_single:
            yield from self.single(item)
            return
        if item.is_table:
            yield from self.packed(item)
        for key, column in block.columns.items():
            question = sheet.questions[key]
            if isinstance(sheet, GridSheet) and (question.sum_of or sheet.rows[item.key].sum_of):
                yield column, self.sum_state(item, sheet, question)
            else:
                formula = yield from self.answer_state(item, question)
                yield column, formula
        if item.is_table:
            yield from self.worked_out(item)

    def packed(self, item: Item) -> Generator[tuple[str, str], None, None]:
        """The texts of a row in use, with the states of its codes and numbers, each padded to its width."""
        block = item.block
        texts = {block.used: [f'"{IN_USE}"']}
        for key, field in block.packs.items():
            state_of = yield from self.answer_state(item, block.place.sheet.questions[key])
            texts.setdefault(field.column, []).append(f'LEFT({state_of}&"{" " * field.width}",{field.width})')
        entries = [key for key, question in block.place.sheet.questions.items() if not question.calculated]
        answers = "&".join(block.answer(key, item.row) for key in entries)
        for column, pieces in texts.items():
            in_use = (
                f'IFERROR({plain(answers)},"{IN_USE}")=""' if column == block.used else f'{block.used}{item.row}=""'
            )
            yield column, f'IF({in_use},"",{"&".join(pieces)})'

    def worked_out(self, item: Item) -> Iterator[tuple[str, str]]:
        """What rules look up and count in every row of a table."""
        block, sheet = item.block, item.block.place.sheet.key
        for (at, node), column in self.plan.conditions.items():
            if at == sheet:
                true = Formula(self.live.form, Here(self.plan, block.place, item.row)).true(node)
                yield column, f'IF({block.used}{item.row}="",0,IF({true},1,0))'
        for (at, formula), column in self.plan.fetched.items():
            if at == sheet:
                yield column, formula

    def single(self, item: Item) -> Iterator[tuple[str, str]]:
        block = item.block
        question = block.place.sheet.questions[item.key]
        cell, column, read = block.answer(item.key), block.columns[item.key], block.written
        if written(question, cell) != plain(cell):
            read = self.plan.helper(block.place.sheet.key, "")
            yield read, f'IFERROR({written(question, cell)},"")'
        yield column, self.state_of(item, question, cell, f"{read}{item.row}")
        if (block.place.sheet.key, item.key) in self.live.shown:
            yield block.shown, shown(self.live.form, question, cell, f"{column}{item.row}")

    def answer_state(self, item: Item, question: Question) -> Generator[tuple[str, str], None, str]:
        """The formula of a state in a table or grid, and the cell it may need beside it."""
        cell = item.block.answer(question.key, item.row)
        at = written(question, cell)
        if is_read_often(question) and not question.lookup:
            helper = self.plan.helper(item.block.place.sheet.key, question.key)
            yield helper, f'IFERROR({at},"")'
            at = f"{helper}{item.row}"
        return self.state_of(item, question, cell, at)

    def state_of(self, item: Item, question: Question, cell: str, at: str) -> str:
        form, records, place = self.live.form, self.plan.records, item.block.place
        fetched = '""'
        if question.lookup or question.fill:
            key = (question.lookup or question.fill).key  # type: ignore[union-attr]
            here = Here(self.plan, place, item.row)
            by = here.state(Answer(place.sheet.key, key))
            fetched = fetched_state(form, records, question, place, by, item.block.answer(key, item.row))
        return fetched if question.lookup else state(question, Cell(form, records, cell, at, self.bad), fetched)

    def sum_state(self, item: Item, sheet: GridSheet, question: Question) -> str:
        """A sum of what is there; of something unreadable there is none."""
        if question.sum_of:
            nodes = [GridCell(sheet.key, item.key, part) for part in question.sum_of]
        elif question.type in SUMMED:
            nodes = [GridCell(sheet.key, part, question.key) for part in sheet.rows[item.key].sum_of]
        else:
            return '""'
        cells = [self.plan.state(node).replace("$", "") for node in nodes]
        unreadable = any_of(f'LEFT({cell})="{BAD}"' for cell in cells)
        return f'IF(OR(COUNT({",".join(cells)})=0,{unreadable}),"",SUM({",".join(cells)}))'

    # beside the blocks

    def write_aside(self) -> None:
        plan = self.plan
        for node, number_of_node in plan.counted.items():
            row = FIRST_ROW + number_of_node
            self.keep(COUNTED, row, plan.value_of(node))
        for formula, at in plan.values.items():
            row = FIRST_ROW + at
            self.keep(VALUES, row, formula)
            if row in plan.shown:
                value = f"{VALUES}{row}"
                self.keep(SHOWN, row, f'IF(ISNUMBER({value}),{number(f"ROUND({value},1)", "decimal")},"")')
        for row, formula in enumerate(plan.texts, plan.first_text):
            self.write_text(row, formula)

    def write_text(self, row: int, formula: str) -> None:
        words = _literal(formula)
        if words is None:
            self.keep(TEXTS, row, formula)
            return
        cell = self.sheet[f"{TEXTS}{row}"]
        cell.value = words
        cell.data_type = "s"


def _literal(formula: str) -> str | None:
    """The text that a formula is, when it is no more than that."""
    pieces = formula[1:-1].split('"&"')
    if not formula.startswith('"') or any(piece.replace('""', "").count('"') for piece in pieces):
        return None
    return "".join(pieces).replace('""', '"')
