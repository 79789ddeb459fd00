"""A rule's tree -> spreadsheet formulas: where it fails, and the values its message may say.

Nothing here knows where a cell is: `Cells` tells. Every cell it gives is a *state*: "" when empty,
the typed value, or a text that begins with BAD when the cell could not be used. What several rules
work out may have a cell of its own (`derived`), with the same meaning; so may what is the same
seen from every row (`once`). The logic is that
of the pipeline: three values, and a rule is not judged where an answer it needs is not there.
Only functions that Excel 2010 and LibreOffice share are used, and no array formulas.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

from templates.form import NUMERIC, Form
from templates.rules.binding import operands
from templates.rules.predicate import (
    Aggregate,
    And,
    Answer,
    Arithmetic,
    Call,
    Coalesce,
    Column,
    Compare,
    Const,
    Contains,
    GridCell,
    In,
    InColumn,
    IsNull,
    Lookup,
    Node,
    Not,
    Or,
    ReceivedOn,
    RowKey,
    Unique,
)

BAD = "¤"  # begins the state of a cell that could not be used
TRUE, FALSE = "TRUE", "FALSE"
COUNTS = frozenset({"COUNT", "COUNT_DISTINCT", "COUNT_IF"})  # never empty
MAX_TEXT = 255  # characters of one text in a formula


class NoFormulaError(Exception):
    """A rule that a spreadsheet cannot judge as we do; it is checked when the return arrives."""


class Cells(Protocol):
    """Where the states are, seen from the row a rule looks at."""

    def state(self, node: Answer | GridCell | Column | Aggregate) -> str: ...
    def is_bad(self, node: Aggregate) -> str: ...
    def column(self, node: Column | Answer) -> str: ...
    def row_key(self) -> str: ...
    def lookup(self, node: Lookup, key: str) -> tuple[str, str]: ...
    def derived(self, node: Node) -> str | None: ...
    def is_fixed(self, formula: str) -> bool: ...
    def once(self, formula: str) -> str: ...


# small pieces


def text(value: str) -> str:
    """A text in a formula, in pieces that a spreadsheet takes."""
    pieces = [value[at : at + MAX_TEXT] for at in range(0, len(value), MAX_TEXT)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def all_of(parts: Iterable[str]) -> str:
    """AND, without what is always so."""
    kept = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else f"AND({','.join(kept)})"


def any_of(parts: Iterable[str]) -> str:
    """OR, without what is never so."""
    kept = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else f"OR({','.join(kept)})"


def when(condition: str, then: str, otherwise: str = FALSE) -> str:
    """IF, without what is decided already; the branch not taken is never calculated."""
    if condition == TRUE or then == otherwise:
        return then
    if condition == FALSE:
        return otherwise
    if (then, otherwise) == (TRUE, FALSE):
        return condition
    return f"IF({condition},{then})" if otherwise == FALSE else f"IF({condition},{then},{otherwise})"


def not_(condition: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(condition, f"NOT({condition})")


def bad(state: str) -> str:
    return f'LEFT({state})="{BAD}"'


def filled(state: str) -> str:
    """Whether a state holds text that can be used; of a range, one truth for each cell."""
    return f'LEFT({state}&"{BAD}")<>"{BAD}"'


class Formula:
    """Writes the formulas of trees that look at the same row."""

    def __init__(self, form: Form, cells: Cells, assumed: frozenset[Node] = frozenset()) -> None:
        self.form = form
        self.cells = cells
        self.assumed = assumed  # operands that are known to hold a value

    def fails(self, tree: Node, judged: Iterable[str] = ()) -> str:
        """True where the rule is judged and does not hold; `judged` are more conditions for judging it."""
        tested = {node for test in tree.walk() if isinstance(test, IsNull | Coalesce) for node in operands(test)}
        needed = list(judged)
        strict: set[Node] = set()
        for node in operands(tree):
            if node not in tested and not _is_count(node):
                strict.add(node)
                needed.append(self.known(node))
            if isinstance(node, Aggregate):
                needed.append(not_(self.cells.is_bad(node)))
            elif node in tested:
                needed.append(f'LEFT({self.cells.state(node)})<>"{BAD}"')  # type: ignore[arg-type]
        certain = {one for node in self._equal(tree, wanted=False) for one in _implied(self.cells.state(node))}
        needed = [part for part in needed if part not in certain]
        inner = Formula(self.form, self.cells, frozenset(strict))
        is_fixed = self.cells.is_fixed
        broken = [inner.false(part) for part in (tree.parts if isinstance(tree, Or) else (tree,))]
        fixed = when(all_of(filter(is_fixed, needed)), all_of(filter(is_fixed, broken)))
        needed = [self.cells.once(fixed), *(part for part in needed if not is_fixed(part))]
        rest = all_of(part for part in broken if not is_fixed(part))
        return all_of(needed) if rest == TRUE else when(all_of(needed), rest)

    def _equal(self, node: Node, *, wanted: bool) -> Iterator[Answer | GridCell | Column]:
        """The answers that equal one of some values wherever a condition is as wanted, so that they are there."""
        match node:
            case And(parts=parts) | Or(parts=parts) if isinstance(node, And) is wanted:
                for part in parts:
                    yield from self._equal(part, wanted=wanted)
            case Not(part=part):
                yield from self._equal(part, wanted=not wanted)
            case In(item=Answer() | GridCell() | Column() as item, options=options) if wanted:
                if all(self._is_like(Compare("=", item, option), wanted=True) for option in options):
                    yield item
            case Compare(left=Answer() | GridCell() | Column() as item) if self._is_like(node, wanted=wanted):
                yield item

    def _is_like(self, node: Compare, *, wanted: bool) -> bool:
        """Whether a comparison fails by itself where its answer is not there or could not be used."""
        is_alike = self.is_text(node.left) == self.is_text(node.right)
        return is_alike and _never_equals_nothing(node, wanted=wanted)

    # conditions: true, false, and unknown when neither

    def true(self, node: Node) -> str:
        """Whether a condition is true; False when it is not known."""
        return self._condition(node, wanted=True)

    def false(self, node: Node) -> str:
        """Whether a condition is false; False when it is not known."""
        return self._condition(node, wanted=False)

    def _condition(self, node: Node, *, wanted: bool) -> str:  # noqa: PLR0911 - a case a node
        match node:
            case Const(value=bool(value)):
                return TRUE if value is wanted else FALSE
            case And(parts=parts) | Or(parts=parts):
                join = all_of if isinstance(node, And) is wanted else any_of
                return join(self._condition(part, wanted=wanted) for part in parts)
            case Not(part=part):
                return self._condition(part, wanted=not wanted)
            case In(item=item, options=options):
                return self._among([Compare("=", item, option) for option in options], wanted=wanted)
            case IsNull(item=item):
                known = self.known(item)
                return not_(known) if wanted else known
            case Compare():
                return self._compared(node, wanted=wanted)
            case InColumn():
                return self._in_column(node, wanted=wanted)
            case Unique():
                return self._unique(node, wanted=wanted)
            case Contains():
                return self._contains(node, wanted=wanted)
        raise NoFormulaError(f"{type(node).__name__} is no condition")

    def _among(self, tests: list[Compare], *, wanted: bool) -> str:
        """Whether the same item equals one of some values, or none."""
        item, others = tests[0].left, [test.right for test in tests]
        if wanted or not all(isinstance(other, Const) and self.is_text(other) for other in others):
            join = any_of if wanted else all_of
            return join(self._compared(test, wanted=wanted) for test in tests)
        return when(self.known(item), all_of(f"{self.value(item)}<>{self.value(other)}" for other in others))

    def _compared(self, node: Compare, *, wanted: bool) -> str:
        texts = self.is_text(node.left), self.is_text(node.right)
        if all(texts) and node.op not in ("=", "<>"):
            raise NoFormulaError("texts are put in order in another way")
        as_number = any(texts) and not all(texts)
        known = all_of(self.known(side, as_number=as_number) for side in (node.left, node.right))
        if not as_number and _never_equals_nothing(node, wanted=wanted) and self._has_cell(node.left):
            known = TRUE
        left, right = (self.value(side, as_number=as_number) for side in (node.left, node.right))
        if _is_literal(left) and _is_literal(right) and node.op in ("=", "<>"):
            return TRUE if (left == right) is ((node.op == "=") is wanted) else FALSE
        opposite = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
        return when(known, f"{left}{node.op if wanted else opposite[node.op]}{right}")

    def _has_cell(self, node: Node) -> bool:
        return isinstance(node, Answer | GridCell | Column) or self.cells.derived(node) is not None

    def _in_column(self, node: InColumn, *, wanted: bool) -> str:
        found = f"SUMPRODUCT(--({self.cells.column(node.column)}={self.value(node.item)})){'>' if wanted else '='}0"
        return when(self.known(node.item), found)

    def _unique(self, node: Unique, *, wanted: bool) -> str:
        same = [self._same(answer) for answer in node.answers]
        known = all_of(self.known(answer) for answer in node.answers)
        return when(known, f"SUMPRODUCT({'*'.join(same)}*1){'=' if wanted else '>'}1")

    def _contains(self, node: Contains, *, wanted: bool) -> str:
        """FIND looks for the words as they are; both sides are in small letters, so case is no matter."""
        words = ",".join(text(word.lower()) for word in node.words)
        found = f"SUMPRODUCT(--ISNUMBER(FIND({{{words}}},LOWER({self.value(node.item)}))))"
        return when(self.known(node.item), f"{found}{'>' if wanted else '='}0")

    def _same(self, answer: Answer) -> str:
        column, own = self.cells.column(answer), self.cells.state(answer)
        return f"EXACT({column},{own})" if self.is_text(answer) else f"({column}={own})"

    # values

    def known(self, node: Node, *, as_number: bool = False) -> str:
        """Whether an expression has a value."""
        if as_number and self.is_text(node):
            return when(self.known(node), f"ISNUMBER({self.value(node, as_number=True)})")
        if node in self.assumed:
            return TRUE
        known = self._known(node)
        derived = None if known == TRUE else self.cells.derived(node)
        if derived is None:
            return known
        return filled(derived) if self.is_text(node) else f"ISNUMBER({derived})"

    def _known(self, node: Node) -> str:  # noqa: PLR0911 - a case a node
        match node:
            case Const(value=value):
                return FALSE if value is None else TRUE
            case ReceivedOn() | RowKey():
                return TRUE
            case Answer() | GridCell() | Column() | Aggregate():
                if _is_count(node):
                    return TRUE
                state = self.cells.state(node)
                return filled(state) if self.is_text(node) else f"ISNUMBER({state})"
            case Coalesce(items=items):
                numeric = self._is_numeric(node)
                return any_of(self.known(item, as_number=numeric) for item in items)
            case Arithmetic(op=op, left=left, right=right):
                both = all_of(self._part_known(side, as_number=True) for side in (left, right))
                if op != "/" or (isinstance(right, Const) and right.value):
                    return both
                return when(both, f"{self._part(right, as_number=True)}<>0")
            case Call(name=name, argument=argument):
                return self._part_known(argument, as_number=name in ("ABS", "ROUND"))
            case Lookup(key=key):
                return when(self.known(key), self.cells.lookup(node, self.value(key))[0])
        raise NoFormulaError(f"{type(node).__name__} is no value")

    def value(self, node: Node, *, as_number: bool = False) -> str:
        """The value of an expression, where it is known to have one."""
        if as_number and self.is_text(node):
            return f"VALUE({self.value(node)})"
        return self.cells.derived(node) or self.written_out(node)

    def written_out(self, node: Node) -> str:  # noqa: PLR0911 - a case a node
        """The value without the cell that may hold it."""
        match node:
            case Const(value=value):
                return _constant(value)
            case ReceivedOn():
                return "TODAY()"
            case RowKey():
                return self.cells.row_key()
            case Answer() | GridCell() | Column() | Aggregate():
                return self.cells.state(node)
            case Coalesce(items=(Answer() | GridCell() | Aggregate() as item, Const(value=0))) if not self.is_text(
                item
            ):
                return f"N({self.cells.state(item)})"
            case Coalesce(items=items):
                return self._first(items, as_number=self._is_numeric(node))
            case Arithmetic(op=op, left=left, right=right):
                return f"({self._part(left, as_number=True)}{op}{self._part(right, as_number=True)})"
            case Call():
                return self._called(node)
            case Lookup(key=key):
                return self.cells.lookup(node, self.value(key))[1]
        raise NoFormulaError(f"{type(node).__name__} is no value")

    def _part(self, node: Node, *, as_number: bool = False) -> str:
        """A value that is part of a calculation: what is calculated itself stands there, without a cell of its own."""
        is_calculated = isinstance(node, Arithmetic | Call)
        return self.written_out(node) if is_calculated else self.value(node, as_number=as_number)

    def _part_known(self, node: Node, *, as_number: bool = False) -> str:
        is_calculated = isinstance(node, Arithmetic | Call) and node not in self.assumed
        return self._known(node) if is_calculated else self.known(node, as_number=as_number)

    def state(self, node: Node) -> str:
        """An expression as a state: its value, "" where it has none."""
        return when(self._known(node), self.written_out(node), '""')

    def _first(self, items: tuple[Node, ...], *, as_number: bool) -> str:
        first, *rest = items
        value = self.value(first, as_number=as_number)
        if not rest or self.known(first, as_number=as_number) == TRUE:
            return value
        return when(self.known(first, as_number=as_number), value, self._first(tuple(rest), as_number=as_number))

    def _called(self, node: Call) -> str:
        if node.name == "LENGTH":
            return f"LEN(TRIM({self._part(node.argument)}))"
        if node.name in ("YEAR", "MONTH"):
            return f"{node.name}({self._part(node.argument)})"
        number = self._part(node.argument, as_number=True)
        return f"ABS({number})" if node.name == "ABS" else f"INT({number}+0.5)"

    # types, as the pipeline sees them

    def is_text(self, node: Node) -> bool:
        match node:
            case Const(value=value):
                return isinstance(value, str)
            case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
                return self.form.sheets[sheet].questions[key].type not in {*NUMERIC, "date"}
            case Coalesce(items=(first, *_)) | Aggregate(function="MIN" | "MAX", of=first):
                return self.is_text(first)
        return isinstance(node, RowKey | Lookup)

    def _is_numeric(self, node: Coalesce) -> bool:
        return any(isinstance(item, Const) and isinstance(item.value, int | float) for item in node.items)


def _never_equals_nothing(node: Compare, *, wanted: bool) -> bool:
    """Whether a state that is no value fails the comparison by itself: it is like no code."""
    is_equal = node.op == ("=" if wanted else "<>")
    return is_equal and isinstance(node.right, Const) and node.right.value not in (None, "")


def _implied(state: str) -> tuple[str, ...]:
    """What is so of every state that is a value."""
    return filled(state), f"ISNUMBER({state})", f'LEFT({state})<>"{BAD}"', f'{state}<>""'


def _is_literal(value: str) -> bool:
    return value.startswith('"') and '"' not in value[1:-1]


def _is_count(node: Node) -> bool:
    return isinstance(node, Aggregate) and node.function in COUNTS


def _constant(value: object) -> str:
    match value:
        case bool():
            return TRUE if value else FALSE
        case str():
            return text(value)
        case date():
            return f"DATE({value.year},{value.month},{value.day})"
        case int() | float():
            return repr(value)
    raise NoFormulaError("nothing has no value")
