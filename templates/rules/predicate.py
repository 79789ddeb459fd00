"""The rule language: a small SQL predicate, parsed by sqlglot and checked against an allow-list.

`parse` turns the text into our own tree of frozen nodes. Whoever compiles the tree (to polars,
to an Excel formula, to the cells to blame) handles these nodes and nothing else.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Protocol

from sqlglot import exp

from templates.problems import suggestion
from templates.rules.language import (
    ARITHMETIC,
    CALLS,
    COMPARISONS,
    FOLDS,
    FUNCTIONS,
    HELD,
    LANGUAGE,
    SPLIT,
    PredicateError,
    read_expression,
)

MAX_DEPTH = 40
MAX_NODES = 1000  # with the names it uses written out
MAX_NUMBER = 10**15  # a spreadsheet keeps 15 digits


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree."""

    def children(self) -> Iterator["Node"]:
        for value in map(self.__getattribute__, self.__match_args__):
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Const(Node):
    value: str | int | float | date | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Answer(Node):
    """The answer to a question in the scope's own row or on a question sheet."""

    sheet: str
    key: str


@dataclass(frozen=True, slots=True)
class RowKey(Node):
    """The key of the grid row the rule is looking at."""

    sheet: str


@dataclass(frozen=True, slots=True)
class GridCell(Node):
    sheet: str
    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Column(Node):
    """All answers in one column of a table or grid."""

    sheet: str
    key: str


@dataclass(frozen=True, slots=True)
class GridLine(Node):
    """All amounts in one row of a grid."""

    sheet: str
    row: str


@dataclass(frozen=True, slots=True)
class TableRows(Node):
    """The used rows of a table."""

    sheet: str


@dataclass(frozen=True, slots=True)
class ReceivedOn(Node):
    """The date the return was received; today in the workbook."""


@dataclass(frozen=True, slots=True)
class And(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    part: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    op: str  # = <> < <= > >=
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    item: Node
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InColumn(Node):
    item: Node
    column: Column


@dataclass(frozen=True, slots=True)
class Contains(Node):
    """At least one of the words stands in the text, as written, without regard to case."""

    item: Node
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unique(Node):
    """No other row of the table has the same answers in these columns."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    item: Node


@dataclass(frozen=True, slots=True)
class Coalesce(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    op: str  # + - * /
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    name: str  # ABS LENGTH YEAR MONTH ROUND
    argument: Node


@dataclass(frozen=True, slots=True)
class Lookup(Node):
    """The `value` column of a code list, found by its key."""

    list: str
    key: Node
    value: str


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    function: str
    of: Node  # Column, GridLine, TableRows, or the condition of COUNT_IF
    sheet: str


class Names(Protocol):
    """What the names in a rule mean; made by the form for one scope."""

    def resolve(self, parts: tuple[str, ...], *, vector: bool) -> Node: ...
    def check_lookup(self, list_name: str, column: str) -> None: ...


def parse(text: str, names: Names) -> Node:
    """Read one predicate or expression.

    Raises PredicateError when the text is not in the language or names something unknown.
    """
    try:
        tree = _Builder(names).build(read_expression(text), depth=0)
    except RecursionError:
        raise PredicateError("it is nested too deeply", SPLIT) from None
    if next(islice(tree.walk(), MAX_NODES, None), None) is not None:
        raise PredicateError("it is too large with the names it uses written out", SPLIT)
    return tree


class _Builder:
    """Turns a sqlglot tree into ours, refusing every node that is not listed here."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.single: dict[type[exp.Expr], Callable[[exp.Expr, int], Node]] = {
            exp.Paren: lambda tree, depth: self.build(tree.this, depth),
            exp.Not: lambda tree, depth: Not(self.build(tree.this, depth)),
            exp.Neg: lambda tree, depth: Arithmetic("-", Const(0), self.build(tree.this, depth)),
            exp.Null: lambda _tree, _depth: Const(None),
            exp.Boolean: lambda tree, _depth: Const(bool(tree.this)),
            exp.Literal: lambda tree, _depth: _literal(tree),
            exp.Column: self.one,
            exp.And: lambda tree, depth: And(self.flat(tree, depth)),
            exp.Or: lambda tree, depth: Or(self.flat(tree, depth)),
            exp.In: self.is_in,
            exp.Between: self.between,
            exp.Is: self.is_null,
            exp.Coalesce: self.coalesce,
            exp.Contains: self.contains,
            exp.Cast: self.date_literal,
            exp.Anonymous: self.named_call,
            exp.CountIf: self.count_if,
        }

    def build(self, tree: exp.Expr, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise PredicateError("it is nested too deeply", SPLIT)
        kind = type(tree)
        if any(value for name, value in tree.args.items() if name not in HELD):
            raise _not_ours(tree)
        if kind in self.single:
            return self.single[kind](tree, depth + 1)
        if kind in COMPARISONS:
            return Compare(COMPARISONS[kind], *self.operands(tree, depth))
        if kind in ARITHMETIC:
            return Arithmetic(ARITHMETIC[kind], *self.operands(tree, depth))
        if kind in CALLS:
            return Call(CALLS[kind], self.build(tree.this, depth + 1))
        if kind in FOLDS:
            return self.aggregate(FOLDS[kind], tree)
        raise _not_ours(tree)

    def operands(self, tree: exp.Expr, depth: int) -> tuple[Node, Node]:
        return self.build(tree.this, depth + 1), self.build(tree.expression, depth + 1)

    def flat(self, tree: exp.Expr, depth: int) -> tuple[Node, ...]:
        return tuple(self.build(part, depth + 1) for part in tree.flatten())

    def one(self, tree: exp.Expr, _depth: int) -> Node:
        found = self.names.resolve(_parts(tree), vector=False)
        if isinstance(found, Const) and isinstance(found.value, tuple):
            raise PredicateError(f"«{tree.sql()}» is a list of values", f"Write IN ({tree.sql()}).")
        return found

    def is_in(self, tree: exp.Expr, depth: int) -> Node:
        item = self.build(tree.this, depth)
        options = tree.expressions
        if not options:
            raise PredicateError("IN has nothing to choose from", "Write IN ('a', 'b') or IN (table.column).")
        if len(options) == 1 and isinstance(options[0], exp.Column):
            return _in_named(item, self.names.resolve(_parts(options[0]), vector=True))
        return In(item, tuple(part for option in options for part in self.options(option, depth)))

    def options(self, tree: exp.Expr, depth: int) -> tuple[Node, ...]:
        if isinstance(tree, exp.Column):
            return _spread(self.names.resolve(_parts(tree), vector=False))
        return (self.build(tree, depth),)

    def between(self, tree: exp.Expr, depth: int) -> Node:
        item = self.build(tree.this, depth)
        low, high = self.build(tree.args["low"], depth), self.build(tree.args["high"], depth)
        return And((Compare(">=", item, low), Compare("<=", item, high)))

    def is_null(self, tree: exp.Expr, depth: int) -> Node:
        if not isinstance(tree.expression, exp.Null):
            raise PredicateError("IS is only for emptiness", "Write IS NULL, IS NOT NULL or =.")
        return IsNull(self.build(tree.this, depth))

    def coalesce(self, tree: exp.Expr, depth: int) -> Node:
        return Coalesce(tuple(self.build(part, depth) for part in (tree.this, *tree.expressions)))

    def contains(self, tree: exp.Expr, depth: int) -> Node:
        words = [node.value if isinstance(node, Const) else None for node in self.options(tree.expression, depth)]
        if not words or not all(isinstance(word, str) and word.strip() for word in words):
            raise PredicateError("CONTAINS looks for something else than words", "Write CONTAINS(question, 'words').")
        return Contains(self.build(tree.this, depth), tuple(map(str, words)))

    def date_literal(self, tree: exp.Expr, _depth: int) -> Node:
        if tree.args["to"].this == exp.DataType.Type.DATE and isinstance(tree.this, exp.Literal):
            try:
                return Const(date.fromisoformat(tree.this.this))
            except ValueError:
                raise PredicateError(f"«{tree.this.this}» is not a date", "Write DATE '2024-08-01'.") from None
        raise PredicateError("CAST is not in the rule language", "A date is written DATE '2024-08-01'.")

    def named_call(self, tree: exp.Expr, depth: int) -> Node:
        name = str(tree.this).upper()
        if name == "RECEIVED_ON" and not tree.expressions:
            return ReceivedOn()
        if name == "LOOKUP":
            return self.lookup(tree.expressions, depth)
        raise PredicateError(f"the function {name} is not in the rule language", suggestion(name, FUNCTIONS, LANGUAGE))

    def lookup(self, arguments: list[exp.Expr], depth: int) -> Node:
        match arguments:
            case [exp.Column() as source, key, exp.Column() as column] if len(_parts(source) + _parts(column)) == 2:  # noqa: PLR2004 - two bare names
                self.names.check_lookup(source.name, column.name)
                return Lookup(source.name, self.build(key, depth), column.name)
        raise PredicateError("LOOKUP takes a list, a key and a column", "Write LOOKUP(list, question, column).")

    def aggregate(self, function: str, tree: exp.Expr) -> Node:
        inner = tree.this
        if isinstance(inner, exp.Distinct) and function == "COUNT" and len(inner.expressions) == 1:
            function, inner = "COUNT_DISTINCT", inner.expressions[0]
        wanted = f"{function} takes one column of a table or one row of a grid", f"Write {function}(table.column)."
        if tree.expressions or not isinstance(inner, exp.Column):
            raise PredicateError(*wanted)
        of = self.names.resolve(_parts(inner), vector=True)
        allowed = {"COUNT": (Column, GridLine, TableRows), "STRING_AGG": (Column,)}.get(function, (Column, GridLine))
        if not isinstance(of, allowed):
            raise PredicateError(*wanted)
        return Aggregate(function, of, of.sheet)

    def count_if(self, tree: exp.Expr, depth: int) -> Node:
        inner = _Builder(_AsColumns(self.names)).build(tree.this, depth)
        sheets = {node.sheet for node in inner.walk() if isinstance(node, Column)}
        if len(sheets) != 1:
            reason = "COUNT_IF takes a condition on the columns of one table"
            raise PredicateError(reason, "Write COUNT_IF(table.column = …).")
        return Aggregate("COUNT_IF", inner, sheets.pop())


def _not_ours(tree: exp.Expr) -> PredicateError:
    return PredicateError(f"«{tree.sql()[:60]}» is not in the rule language")


@dataclass(frozen=True)
class _AsColumns:
    """Inside COUNT_IF a name of a table is the column, judged row by row."""

    names: Names

    def resolve(self, parts: tuple[str, ...], *, vector: bool) -> Node:  # noqa: ARG002 - part of Names
        found = self.names.resolve(parts, vector=True)
        if isinstance(found, Answer) and len(parts) == 1:
            return self.names.resolve((found.sheet, found.key), vector=True)
        return found

    def check_lookup(self, list_name: str, column: str) -> None:
        self.names.check_lookup(list_name, column)


def _literal(tree: exp.Expr) -> Node:
    text = str(tree.this)
    if tree.args.get("is_string"):
        return Const(text)
    number = float(text)
    if not math.isfinite(number) or abs(number) >= MAX_NUMBER:
        raise PredicateError(f"«{text[:20]}» is too large a number", "A spreadsheet keeps 15 digits.")
    return Const(number if "." in text or "e" in text.lower() else int(text))


def _parts(tree: exp.Expr) -> tuple[str, ...]:
    parts: list[exp.Identifier] = tree.parts  # type: ignore[attr-defined]
    if any(part.args.get("quoted") for part in parts):
        text = parts[-1].name
        raise PredicateError(f'"{text}" is in double quotes', f"Write a text as '{text}', a name without quotes.")
    return tuple(part.name for part in parts)


def _in_named(item: Node, found: Node) -> Node:
    """`x IN (name)`: a column, a list of values, or one value."""
    if isinstance(found, Column):
        return InColumn(item, found)
    if isinstance(found, TableRows | GridLine):
        raise PredicateError(f"«{found.sheet}» in IN is not one column", "Write IN (table.column).")
    return In(item, _spread(found))


def _spread(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Const) and isinstance(node.value, tuple):
        return tuple(Const(item) for item in node.value)
    return (node,)
