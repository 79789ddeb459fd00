"""Where everything of the live checks stands on the hidden sheet `_regler`.

Every sheet of the form has a block of rows there: first one for the sheet as a whole, then one for
each row of the sheet, in the same order. In every row stand what was found there, the message, and
the states of the row's answers. Beside the blocks stand the texts, and what rules count and add up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from templates.cells import letter
from templates.form import NUMERIC, Form, GridSheet, Question, QuestionSheet, TableSheet
from templates.formula import BAD, Formula, NoFormulaError, any_of, filled, text
from templates.layout import ANSWER_COLUMN, SheetLayout, column_name, layout
from templates.predicate import (
    Aggregate,
    Answer,
    Arithmetic,
    Call,
    Coalesce,
    Column,
    Compare,
    Const,
    GridCell,
    GridLine,
    In,
    Lookup,
    Node,
    RowKey,
    TableRows,
)
from templates.states import helper

KEY, FOUND, OWN, MESSAGE = "A", "B", "C", "D"  # the columns of every block
FIRST_STATE = 4  # counted from 0: E
FIRST_ROW = 3
ROOM = 24  # columns for what is counted, looked up and too long


@dataclass(frozen=True)
class Block:
    """The rows of one sheet on `_regler`."""

    place: SheetLayout
    language: str
    top: int  # the row of the sheet as a whole
    states: dict[str, str]  # question to column
    helpers: dict[str, str]
    conditions: dict[Node, str] = field(default_factory=dict)  # what COUNT_IF counts, to column
    fetched: dict[Lookup, str] = field(default_factory=dict)  # what rules look up for each row, to column
    overflow: list[str] = field(default_factory=list)  # the columns of what is too long for one formula

    @property
    def first(self) -> int:
        return self.top + 1

    @property
    def last(self) -> int:
        return self.row(self.place.last_row)

    def row(self, answer_row: int) -> int:
        """The row here of a row of the answer sheet."""
        return self.top + 1 + answer_row - self.place.first_row

    @property
    def tab(self) -> str:
        """The answer sheet, as formulas name it."""
        return "'" + self.place.sheet.label[self.language].replace("'", "''") + "'"

    def next_column(self) -> str:
        """The next column of the block that nothing stands in."""
        taken = len(set(self.states.values()) | set(self.helpers.values()))
        return letter(FIRST_STATE + taken + len(self.conditions) + len(self.fetched) + len(self.overflow))

    @property
    def used(self) -> str:
        """The answers that make a row of a table used, as one text: of the first row."""
        kept = [name for key, name in self.states.items() if not self.place.sheet.questions[key].calculated]
        return "&".join(f"{name}{self.first}" for name in kept)

    def answer(self, key: str, row: int | None = None) -> str:
        """The answer cell of a question; of the first row in a table or grid."""
        if isinstance(self.place.sheet, QuestionSheet):
            return f"{self.tab}!${ANSWER_COLUMN}${self.place.rows[key]}"
        return f"{self.tab}!{self.place.columns[key]}{self.place.first_row if row is None else row}"

    def all_rows(self, column: str) -> str:
        return f"${column}${self.first}:${column}${self.last}"


@dataclass
class Plan:
    """The addresses, and the cells that rules turn out to need."""

    form: Form
    language: str
    counted: dict[Aggregate, int] = field(default_factory=dict)  # to its number
    values: dict[str, int] = field(default_factory=dict)  # formulas of what rules and messages work out
    texts: dict[str, int] = field(default_factory=dict)
    columns: set[tuple[str, str]] = field(default_factory=set)  # of code lists
    unread: set[tuple[str, str]] = field(default_factory=set)  # fetched answers that no rule looks at

    @cached_property
    def blocks(self) -> dict[str, Block]:
        blocks = {}
        top = FIRST_ROW
        for key, place in layout(self.form).items():
            names = _state_columns(place, {name for sheet, name in self.unread if sheet == key})
            helped = [name for name, question in place.sheet.questions.items() if helper(question, "x")]
            if isinstance(place.sheet, QuestionSheet):
                helpers = dict.fromkeys(helped, letter(FIRST_STATE + 1))
            else:
                helpers = {name: letter(FIRST_STATE + len(names) + n) for n, name in enumerate(helped)}
            blocks[key] = Block(place, self.language, top, names, helpers)
            top = blocks[key].last + 1
        return blocks

    @cached_property
    def aside(self) -> int:
        """The first column beside the blocks, with room for what COUNT_IF counts."""
        return FIRST_STATE + ROOM + max(len(block.states) + len(block.helpers) for block in self.blocks.values())

    def text_cell(self, words: str) -> str:
        return f"${letter(self.aside)}${FIRST_ROW + self.texts.setdefault(words, len(self.texts))}"

    def value_cell(self, formula: str) -> str:
        return f"${letter(self.aside + 3)}${FIRST_ROW + self.values.setdefault(formula, len(self.values))}"

    def counted_cell(self, node: Aggregate, *, is_bad: bool = False) -> str:
        if node not in self.counted:
            self.value_of(node)  # whatever has no formula is told before a cell is given to it
            self.counted.setdefault(node, len(self.counted))
        return f"${letter(self.aside + (2 if is_bad else 1))}${FIRST_ROW + self.counted[node]}"

    # the states of answers

    def state(self, node: Answer | GridCell | Column, row: int | None = None) -> str:
        block = self.blocks[node.sheet]
        sheet = block.place.sheet
        if isinstance(node, GridCell):
            return f"${block.states[node.column]}${block.row(block.place.rows[node.row])}"
        if isinstance(sheet, QuestionSheet):
            return f"${block.states[node.key]}${block.row(block.place.rows[node.key])}"
        return f"{block.states[node.key]}{block.first if row is None else row}"

    def ranges(self, node: Column) -> list[str]:
        """The states of a column; of a grid without the rows that are sums."""
        block = self.blocks[node.sheet]
        name = block.states[node.key]
        sheet = block.place.sheet
        if not isinstance(sheet, GridSheet):
            return [block.all_rows(name)]
        rows = [block.row(block.place.rows[key]) for key, row in sheet.rows.items() if not row.sum_of]
        return [f"${name}${first}:${name}${last}" for first, last in _runs(rows)]

    def line(self, node: GridLine) -> list[str]:
        sheet = self.blocks[node.sheet].place.sheet
        keys = [key for key, question in sheet.questions.items() if question.type in NUMERIC and not question.sum_of]
        return [self.state(GridCell(node.sheet, node.row, key)) for key in keys]

    # what rules count and add up

    def value_of(self, node: Aggregate) -> str:
        match node.of:
            case TableRows(sheet=sheet):
                block = self.blocks[sheet]
                keys = [key for key in block.states if not block.place.sheet.questions[key].calculated]
                rows = "&".join(block.all_rows(block.states[key]) for key in keys)
                return f'SUMPRODUCT(--({rows}<>""))'
            case GridLine():
                return _folded(node.function, ",".join(self.line(node.of)))
            case Column():
                return self._column_value(node.function, node.of)
        return self._plain_count(node) or f"SUM({self.blocks[node.sheet].all_rows(self._condition(node))})"

    def _plain_count(self, node: Aggregate) -> str:
        """How many rows have one of these codes; empty when COUNT_IF asks for something else."""
        match node.of:
            case Compare(op="=", left=item, right=Const(value=str(code))) if code:
                codes = [code]
            case In(item=item, options=options) if all(isinstance(one, Const) and one.value for one in options):
                codes = [str(one.value) for one in options if isinstance(one, Const)]
            case _:
                return ""
        block = self.blocks[node.sheet]
        here = Here(self, block.place, block.first)
        if isinstance(item, Column) and Formula(self.form, here).is_text(item):
            rows = block.all_rows(block.states[item.key])
        elif isinstance(item, Lookup) and here.derived(item):
            rows = block.all_rows(block.fetched[item])
        else:
            return ""
        return "+".join(f"SUMPRODUCT(--({rows}={text(code)}))" for code in codes)

    def is_bad_of(self, node: Aggregate) -> str:
        match node.of:
            case TableRows():
                return "FALSE"
            case GridLine():
                ranges = self.line(node.of)
            case Column():
                ranges = self.ranges(node.of)
            case _:
                ranges = [part for found in node.of.walk() for part in self._read_by(found)]
        return any_of(f'SUMPRODUCT(--(LEFT({part})="{BAD}"))>0' for part in ranges)

    def _read_by(self, node: Node) -> list[str]:
        if isinstance(node, Column):
            return self.ranges(node)
        return [self.state(node)] if isinstance(node, Answer) else []

    def _condition(self, node: Aggregate) -> str:
        """The column where each row says whether COUNT_IF counts it."""
        block = self.blocks[node.sheet]
        if node.of not in block.conditions:
            Formula(self.form, Here(self, block.place, block.first)).true(node.of)
            block.conditions[node.of] = block.next_column()
        return block.conditions[node.of]

    def _column_value(self, function: str, of: Column) -> str:
        ranges = self.ranges(of)
        is_text = Formula(self.form, Here(self, self.blocks[of.sheet].place, 0)).is_text(of)
        if not is_text and function != "COUNT_DISTINCT":
            return _folded(function, ",".join(ranges))
        if function == "COUNT":
            return "+".join(f"SUMPRODUCT(--({filled(part)}))" for part in ranges)
        if function == "COUNT_DISTINCT" and len(ranges) == 1:
            return _distinct(ranges[0])
        raise NoFormulaError(f"{function} over texts")


@dataclass(frozen=True)
class Here:
    """The cells as a rule sees them from one row of `_regler`."""

    plan: Plan
    place: SheetLayout
    row: int
    key: str = ""  # of a row in a grid

    def state(self, node: Answer | GridCell | Column | Aggregate) -> str:
        if isinstance(node, Aggregate):
            return self.plan.counted_cell(node)
        return self.plan.state(node, self.row if node.sheet == self.place.sheet.key else None)

    def is_bad(self, node: Aggregate) -> str:
        return self.plan.counted_cell(node, is_bad=True)

    def column(self, node: Column | Answer) -> str:
        block = self.plan.blocks[node.sheet]
        return block.all_rows(block.states[node.key])

    def row_key(self) -> str:
        return f'"{self.key}"'

    def list_column(self, code_list: str, column: str) -> str:
        self.plan.columns.add((code_list, column))
        return column_name(code_list, column)

    def derived(self, node: Node) -> str | None:
        """The cell of what several rules work out: once for the workbook, or once for each row of a table."""
        if not isinstance(node, Lookup | Coalesce | Arithmetic | Call) or _holds_empty(self.plan.form, node):
            return None
        if all(self._is_single(found) for found in node.walk()):
            return self.plan.value_cell(Formula(self.plan.form, self).state(node))
        block = self.plan.blocks[self.place.sheet.key]
        if not isinstance(node, Lookup) or not isinstance(block.place.sheet, TableSheet):
            return None
        if node not in block.fetched:
            block.fetched[node] = block.next_column()
        return f"{block.fetched[node]}{self.row}"

    def _is_single(self, node: Node) -> bool:
        """Whether a node is the same seen from every row."""
        if isinstance(node, Answer):
            return isinstance(self.plan.blocks[node.sheet].place.sheet, QuestionSheet)
        return not isinstance(node, RowKey | Column) or self.row == 0


def _holds_empty(form: Form, node: Node) -> bool:
    """Whether a value may be an empty text, which as a state means that there is none."""
    lookups = (found for found in node.walk() if isinstance(found, Lookup))
    return any("" in {row[one.value] for row in form.lists[one.list].rows.values()} for one in lookups)


def _state_columns(place: SheetLayout, unread: set[str]) -> dict[str, str]:
    keys = [key for key in place.sheet.questions if key not in unread]
    if isinstance(place.sheet, QuestionSheet):
        return dict.fromkeys(keys, letter(FIRST_STATE))
    return {key: letter(FIRST_STATE + number) for number, key in enumerate(keys)}


def _folded(function: str, cells: str) -> str:
    if function == "COUNT":
        return f"COUNT({cells})"
    if function not in ("SUM", "MIN", "MAX"):
        raise NoFormulaError(f"{function} over numbers")
    return f'IF(COUNT({cells})=0,"",{function}({cells}))'


def _distinct(cells: str) -> str:
    """How many different states there are; the mark at the end lets an empty one be found as well."""
    marked = f'{cells}&"|"'
    for character in "~*?":  # which would stand for others
        marked = f'SUBSTITUTE({marked},"{character}","~{character}")'
    first = cells.partition(":")[0]
    return f'SUMPRODUCT(({filled(cells)})*(MATCH({marked},{cells}&"|",0)=ROW({cells})-ROW({first})+1))'


def _runs(rows: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of rows that follow each other."""
    kept = list(rows)
    first = kept[0]
    for at, row in enumerate(kept):
        if at + 1 == len(kept) or kept[at + 1] != row + 1:
            yield first, row
            first = kept[at + 1] if at + 1 < len(kept) else row


def asks(question: Question) -> bool:
    """Whether the owner answers a question, so that the answer may be missing."""
    return not (question.calculated or question.locked) and bool(question.required or question.required_when)
