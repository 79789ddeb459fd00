"""Where everything of the live checks stands on the hidden sheet `_regler`.

Every row there is the row of the same number on the answer sheets, which have columns of their own
side by side: what is found in the row, the cells that findings elsewhere mark, the message, and the
states of the row's answers. The first columns hold the texts, what rules count and work out, and the
list of all findings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from templates.cells import letter
from templates.form import NUMERIC, Form, GridSheet, Question
from templates.layout import SheetLayout, column_name, layout
from templates.live.block import (
    BLOCKS,
    COUNTED,
    FIRST_ROW,
    MAX_TEXTS,
    SHOWN,
    VALUES,
    Block,
    make_block,
)
from templates.records import Records
from templates.rules.formula import BAD, FALSE, TRUE, Formula, NoFormulaError, filled, text
from templates.rules.predicate import (
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
    Not,
    RowKey,
    TableRows,
)
from templates.shared import ADDRESS


@dataclass
class Plan:
    """The addresses, and the cells that rules turn out to need."""

    form: Form
    language: str
    records: Records
    as_columns: set[tuple[str, str]]  # texts of tables that rules read as columns, and fetched ones they read
    unusable: str = ""  # the state of a cell that shows an error
    counted: dict[Aggregate, int] = field(default_factory=dict)  # to its number
    values: dict[str, int] = field(default_factory=dict)  # formulas of what rules and messages work out
    texts: dict[str, int] = field(default_factory=dict)  # formulas of texts
    columns: set[tuple[str, str]] = field(default_factory=set)  # of code lists
    conditions: dict[tuple[str, Node], str] = field(default_factory=dict)  # what COUNT_IF counts, to column
    fetched: dict[tuple[str, str], str] = field(default_factory=dict)  # formulas of each row of a table, to column
    shown: set[int] = field(default_factory=set)  # the rows of values that texts say
    helpers: dict[tuple[str, str], str] = field(default_factory=dict)  # of questions, to column
    extra: int = 0  # columns given out after those of the blocks

    @cached_property
    def blocks(self) -> dict[str, Block]:
        blocks = {}
        start = BLOCKS
        for key, place in layout(self.form).items():
            keys = [name for sheet, name in self.as_columns if sheet == key]
            blocks[key] = make_block(self.form, place, self.language, start, keys, self.unusable)
            start += blocks[key].width
        return blocks

    def helper(self, sheet: str, key: str) -> str:
        """The column of what the states of a question are read from; of a question sheet one for all, under no key."""
        if (sheet, key) not in self.helpers:
            self.helpers[sheet, key] = self.new_column()
        return self.helpers[sheet, key]

    @property
    def last_column(self) -> str:
        return letter(BLOCKS + sum(block.width for block in self.blocks.values()) - 1)

    @property
    def last_row(self) -> int:
        return max(block.last for block in self.blocks.values())

    @property
    def first_text(self) -> int:
        """The row of the first text: below all formulas, since texts among themselves take fewer bytes."""
        return self.last_row + 1

    def new_column(self) -> str:
        """A column after those of the blocks."""
        self.extra += 1
        return letter(BLOCKS + sum(block.width for block in self.blocks.values()) + self.extra - 1)

    def text_number(self, formula: str) -> int:
        """The number of a text: its place in the column of texts."""
        number = self.texts.setdefault(formula, len(self.texts) + 1)
        if number > MAX_TEXTS:
            raise ValueError(f"there are more than {MAX_TEXTS} texts to tell")
        return number

    def text(self, number: int) -> str:
        return list(self.texts)[number - 1]

    def shown_value(self, formula: str) -> str:
        """The cell of a value as people read it."""
        row = FIRST_ROW + self.values.setdefault(formula, len(self.values))
        self.shown.add(row)
        return f"${SHOWN}${row}"

    def value_cell(self, formula: str) -> str:
        return f"${VALUES}${FIRST_ROW + self.values.setdefault(formula, len(self.values))}"

    def counted_cell(self, node: Aggregate) -> str:
        if node not in self.counted:
            self.value_of(node)  # whatever has no formula is told before a cell is given to it
            self.counted.setdefault(node, len(self.counted))
        return f"${COUNTED}${FIRST_ROW + self.counted[node]}"

    # the states of answers

    def state(self, node: Answer | GridCell | Column, row: int | None = None) -> str:
        block = self.blocks[node.sheet]
        if isinstance(node, GridCell):
            return f"${block.columns[node.column]}${block.place.rows[node.row]}"
        if block.is_single:
            return f"${block.columns[node.key]}${block.place.rows[node.key]}"
        return block.state(node.key, block.first if row is None else row)

    def ranges(self, node: Column) -> list[str]:
        """The states of a column; of a grid without the rows that are sums."""
        block = self.blocks[node.sheet]
        sheet = block.place.sheet
        if not isinstance(sheet, GridSheet):
            return [block.states(node.key)]
        name = block.columns[node.key]
        rows = [block.place.rows[key] for key, row in sheet.rows.items() if not row.sum_of]
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
                return f'SUMPRODUCT(--({block.all_rows(block.used)}<>""))'
            case GridLine():
                return _folded(node.function, ",".join(self.line(node.of)))
            case Column():
                return self._column_value(node.function, node.of)
        return self._plain_count(node) or f"SUM({self.blocks[node.sheet].all_rows(self._condition(node))})"

    def _plain_count(self, node: Aggregate) -> str:
        """How many rows have one of these codes, or none of them; empty when COUNT_IF asks for something else."""
        codes, item, is_not = _codes(node.of)
        block = self.blocks[node.sheet]
        here = Here(self, block.place, block.first)
        if isinstance(item, Column) and Formula(self.form, here).is_text(item):
            rows = block.states(item.key)
        elif isinstance(item, Lookup) and isinstance(item.key, Column) and (size := here.beginning(item)):
            rows = f"LEFT({block.states(item.key.key)},{size})"
        elif isinstance(item, Lookup) and (column := here.derived(item)):
            rows = block.all_rows(column.rstrip("0123456789"))
        else:
            return ""
        if is_not:
            return f"SUMPRODUCT(({filled(rows)}){''.join(f'*({rows}<>{text(code)})' for code in codes)})"
        return "+".join(f"SUMPRODUCT(--({rows}={text(code)}))" for code in codes)

    def is_bad(self, node: Aggregate) -> str:
        """Whether something could not be used of what is counted or added up."""
        match node.of:
            case TableRows():
                return FALSE
            case GridLine():
                ranges = self.line(node.of)
            case Column():
                ranges = self.ranges(node.of)
            case _:
                ranges = [part for found in node.of.walk() for part in self._read_by(found)]
        unusable = "+".join(f'SUMPRODUCT(--(LEFT({cells})="{BAD}"))' for cells in dict.fromkeys(ranges))
        return self.value_cell(f"{unusable}>0")

    def _read_by(self, node: Node) -> list[str]:
        if isinstance(node, Column):
            return self.ranges(node)
        return [self.state(node)] if isinstance(node, Answer) else []

    def _condition(self, node: Aggregate) -> str:
        """The column where each row says whether COUNT_IF counts it."""
        block = self.blocks[node.sheet]
        if (node.sheet, node.of) not in self.conditions:
            Formula(self.form, Here(self, block.place, block.first)).true(node.of)
            self.conditions[node.sheet, node.of] = self.new_column()
        return self.conditions[node.sheet, node.of]

    def _column_value(self, function: str, of: Column) -> str:
        ranges = self.ranges(of)
        is_text = Formula(self.form, Here(self, self.blocks[of.sheet].place, 0)).is_text(of)
        if not is_text and function != "COUNT_DISTINCT":
            return _folded(function, ",".join(ranges))
        if function == "COUNT":
            return "+".join(f"SUMPRODUCT(--({filled(part)}))" for part in ranges)
        if function == "COUNT_DISTINCT" and len(ranges) == 1:
            return _distinct(ranges[0], self.blocks[of.sheet].all_rows("A"))
        raise NoFormulaError(f"{function} over texts")


@dataclass(frozen=True)
class Here:
    """The cells as a rule sees them from one row of `_regler`."""

    plan: Plan
    place: SheetLayout
    row: int
    key: str = ""  # of a row in a grid
    is_told: bool = False  # what is worked out is only told, not judged

    def state(self, node: Answer | GridCell | Column | Aggregate) -> str:
        if isinstance(node, Aggregate):
            return self.plan.counted_cell(node)
        return self.plan.state(node, self.row if node.sheet == self.place.sheet.key else None)

    def is_bad(self, node: Aggregate) -> str:
        return self.plan.is_bad(node)

    def column(self, node: Column | Answer) -> str:
        block = self.plan.blocks[node.sheet]
        return block.states(node.key)

    def row_key(self) -> str:
        return f'"{self.key}"'

    def lookup(self, node: Lookup, key: str) -> tuple[str, str]:
        """Whether a row of a code list has this key, and a value of it."""
        records = self.plan.records
        if size := self.beginning(node):
            return TRUE, f"LEFT({key},{size})"
        if node.list in records.fields and _is_number(self.plan.form, node.key):
            code_list = self.plan.form.lists[node.list]
            if code_list.unnamed and node.value == code_list.label and not self.is_told:
                raise NoFormulaError("a label that the workbook has not for every row")
            return records.found(node.list, key), records.value(node.list, key, node.value)
        keys = self._list_column(node.list, self.plan.form.lists[node.list].key)
        at = f"MATCH(TRUE,INDEX({keys}={key},0),0)"
        return f"ISNUMBER({at})", f'INDEX({self._list_column(node.list, node.value)},{at})&""'

    def beginning(self, node: Lookup) -> int:
        """How many characters of its key a lookup gives, where the key is one that the list has; 0 for other values."""
        records, key = self.plan.records, node.key
        if node.list not in records.fields or not isinstance(key, Answer | Column):
            return 0
        is_of_list = self.plan.form.sheets[key.sheet].questions[key.key].list == node.list
        return records.beginning(node.list, node.value) if is_of_list else 0

    def _list_column(self, code_list: str, column: str) -> str:
        self.plan.columns.add((code_list, column))
        return column_name(code_list, column)

    def derived(self, node: Node) -> str | None:
        """The cell of what several rules work out: once for the workbook, or once for each row of a table."""
        if not isinstance(node, Lookup | Coalesce | Arithmetic | Call) or _holds_empty(self.plan.form, node):
            return None
        is_short = isinstance(node, Coalesce) and node.items[1:] == (Const(0),)
        if is_short or (isinstance(node, Lookup) and self.beginning(node)):
            return None  # short enough where it stands
        if all(self.is_single(found) for found in node.walk()):
            return self.plan.value_cell(Formula(self.plan.form, self).state(node))
        block = self.plan.blocks[self.place.sheet.key]
        if not isinstance(node, Lookup) or not block.is_table or self.is_told:
            return None
        at = self.place.sheet.key, Formula(self.plan.form, self).state(node)
        if at not in self.plan.fetched:
            self.plan.fetched[at] = self.plan.new_column()
        return f"{self.plan.fetched[at]}{self.row}"

    def is_fixed(self, formula: str) -> bool:
        """Whether a formula is the same seen from every row."""
        return all(found[1] or found[4] for found in ADDRESS.finditer(formula))

    def once(self, formula: str) -> str:
        """A fixed condition; the rows of a table find it worked out."""
        is_row = self.plan.blocks[self.place.sheet.key].is_table
        return self.plan.value_cell(formula) if is_row and formula not in (TRUE, FALSE) else formula

    def is_single(self, node: Node) -> bool:
        """Whether a node is the same seen from every row."""
        if isinstance(node, Answer):
            return self.plan.blocks[node.sheet].is_single
        return not isinstance(node, RowKey | Column) or self.row == 0


def _holds_empty(form: Form, node: Node) -> bool:
    """Whether a value may be an empty text, which as a state means that there is none."""
    lookups = (found for found in node.walk() if isinstance(found, Lookup))
    return any("" in {row[one.value] for row in form.lists[one.list].rows.values()} for one in lookups)


def _codes(condition: Node) -> tuple[list[str], Node | None, bool]:
    """The codes that a condition compares something with, and whether it is to be none of them."""
    match condition:
        case Not(part=In(item=item, options=options)):
            is_not = True
        case In(item=item, options=options):
            is_not = False
        case Compare(op="=" | "<>" as op, left=item, right=Const() as right):
            options, is_not = (right,), op == "<>"
        case _:
            return [], None, False
    codes = [one.value for one in options if isinstance(one, Const) and isinstance(one.value, str) and one.value]
    return codes, item if len(codes) == len(options) else None, is_not


def _is_number(form: Form, key: Node) -> bool:
    """Whether a key is the number of a municipality, as the owner gave it."""
    return isinstance(key, Answer | Column) and form.sheets[key.sheet].questions[key.key].type == "kommunenr"


def _folded(function: str, cells: str) -> str:
    if function == "COUNT":
        return f"COUNT({cells})"
    if function not in ("SUM", "MIN", "MAX"):
        raise NoFormulaError(f"{function} over numbers")
    return f'IF(COUNT({cells})=0,"",{function}({cells}))'


def _distinct(cells: str, rows: str) -> str:
    """How many different states there are; the mark at the end lets an empty one be found as well."""
    marked = f'{cells}&"|"'
    for character in "~*?":  # which would stand for others
        marked = f'SUBSTITUTE({marked},"{character}","~{character}")'
    first = rows.partition(":")[0]
    return f'SUMPRODUCT(({filled(cells)})*(MATCH({marked},{cells}&"|",0)=ROW({rows})-ROW({first})+1))'


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
