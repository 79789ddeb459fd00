"""A rule's tree -> polars: where it fails, and the values its message may say.

A rule is not judged where an answer it needs is empty or could not be used. An answer that the
rule itself tests for emptiness (IS NULL, COALESCE, COUNT) may be empty. Otherwise the logic is
SQL's, with unknown as a third value.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from operator import add, and_, mul, or_, sub

import polars as pl

from intake.submission import Submission, Value
from templates.form import NUMERIC, Form, GridSheet, Question
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
    GridLine,
    In,
    InColumn,
    IsNull,
    Lookup,
    Node,
    Not,
    Or,
    ReceivedOn,
    RowKey,
    TableRows,
    Unique,
)
from validation.frames import KEY, RECEIVED, SUBMISSION, Frames, bad, column, make_frames

COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": pl.Expr.eq, "<>": pl.Expr.ne, "<": pl.Expr.lt, "<=": pl.Expr.le, ">": pl.Expr.gt, ">=": pl.Expr.ge,
}  # fmt: skip
ARITHMETIC = {"+": add, "-": sub, "*": mul}
NEVER_EMPTY = ("COUNT", "COUNT_DISTINCT", "COUNT_IF")

Rows = tuple[str, tuple[str, ...] | None]  # of a sheet: those with these keys, or all
Place = tuple[str, str]  # sheet and question


class Scope:
    """One sheet's rows with everything a tree needs beside them."""

    def __init__(self, frames: Frames, sheet: str) -> None:
        self.frames = frames
        self.form = frames.form
        self._frame = frames.wide[sheet]
        self._names: dict[Node, str] = {}  # of the columns that are fetched from other rows and sheets
        self._wanted: dict[Node, str] = {}  # those of them that are not fetched yet

    # what callers ask

    @property
    def frame(self) -> pl.DataFrame:
        """The rows, with all that the expressions built so far look at."""
        if self._wanted:
            self._fetch()
        return self._frame

    def failing(self, tree: Node) -> pl.Expr:
        """True where the rule is judged and does not hold, over this scope's frame."""
        return self.judged(tree) & ~self.expression(tree)

    def judged(self, tree: Node) -> pl.Expr:
        """True where every answer that the rule needs is there and could be used."""
        usable = [~self.bad(node) for node in operands(tree)]
        filled = [self.expression(node).is_not_null() for node in self._strict(tree)]
        return reduce(and_, usable + filled, pl.lit(value=True))

    def values(self, expressions: dict[str, Node], rows: list[int] | None = None) -> list[dict[str, Value]]:
        """The value of each expression in each row, or in those at the positions given."""
        if not expressions:
            return [{} for _ in (range(self.frame.height) if rows is None else rows)]
        built = [self.expression(node).alias(key) for key, node in expressions.items()]
        frame = self.frame if rows is None else self.frame[rows]
        return frame.select(built).to_dicts()

    def _strict(self, tree: Node) -> list[Node]:
        """The operands that must be filled in for the rule to be judged."""
        tested = {node for test in tree.walk() if isinstance(test, IsNull | Coalesce) for node in operands(test)}
        counted = {node for node in operands(tree) if _is_count(node)}
        return [node for node in operands(tree) if node not in tested | counted]

    def bad(self, node: Node) -> pl.Expr:
        """True where an operand holds a cell that could not be used."""
        if isinstance(node, Answer):
            return pl.col(bad(node.sheet, node.key)).fill_null(value=False)
        return pl.col(self._join(node) + "!").fill_null(value=False)

    # nodes

    def expression(self, node: Node) -> pl.Expr:
        """The polars expression of a node, over this scope's frame."""
        build: dict[type[Node], Callable[..., pl.Expr]] = {
            Const: _const,
            Answer: _answer,
            Column: _answer,
            RowKey: lambda _: pl.col(KEY),
            ReceivedOn: lambda _: pl.col(RECEIVED),
            GridCell: self._joined_value,
            Aggregate: self._joined_value,
            And: self._and,
            Or: self._or,
            Not: self._not,
            Compare: self._compare,
            In: self._in,
            InColumn: self._in_column,
            Contains: self._contains,
            Unique: self._unique,
            IsNull: lambda test: self.expression(test.item).is_null(),
            Coalesce: self._coalesce,
            Arithmetic: self._arithmetic,
            Call: self._call,
            Lookup: self._lookup,
        }
        return build[type(node)](node)

    def _and(self, node: And) -> pl.Expr:
        return reduce(and_, map(self.expression, node.parts))

    def _or(self, node: Or) -> pl.Expr:
        return reduce(or_, map(self.expression, node.parts))

    def _not(self, node: Not) -> pl.Expr:
        return ~self.expression(node.part)

    def _compare(self, node: Compare) -> pl.Expr:
        left, right = self._alike(node.left, node.right)
        return COMPARE[node.op](left, right)

    def _in(self, node: In) -> pl.Expr:
        return reduce(or_, (self._compare(Compare("=", node.item, option)) for option in node.options))

    def _in_column(self, node: InColumn) -> pl.Expr:
        item = self._comparable(node.item)
        listed = pl.col(self._join(node.column))
        return pl.when(item.is_null()).then(None).otherwise(listed.list.contains(item).fill_null(value=False))

    def _contains(self, node: Contains) -> pl.Expr:
        text = self.expression(node.item).str.to_lowercase()
        return reduce(or_, (text.str.contains(word.lower(), literal=True) for word in node.words))

    def _unique(self, node: Unique) -> pl.Expr:
        keys = [self._comparable(answer) for answer in node.answers]
        return pl.len().over(SUBMISSION, *keys) == 1

    def _coalesce(self, node: Coalesce) -> pl.Expr:
        numeric = any(isinstance(item, Const) and isinstance(item.value, int | float) for item in node.items)
        items = [self._number(item) if numeric else self.expression(item) for item in node.items]
        return pl.coalesce(*items)

    def _arithmetic(self, node: Arithmetic) -> pl.Expr:
        left, right = self._number(node.left), self._number(node.right)
        if node.op == "/":
            return pl.when(right != 0).then(left / right)  # dividing by zero gives nothing to judge
        result: pl.Expr = ARITHMETIC[node.op](left, right)
        return result

    def _call(self, node: Call) -> pl.Expr:
        argument = node.argument
        if node.name == "LENGTH":
            return self.expression(argument).str.strip_chars().str.len_chars()
        if node.name == "YEAR":
            return self.expression(argument).dt.year().cast(pl.Int64)
        if node.name == "MONTH":
            return self.expression(argument).dt.month().cast(pl.Int64)
        number = self._number(argument)
        return number.abs() if node.name == "ABS" else (number + 0.5).floor().cast(pl.Int64)

    def _lookup(self, node: Lookup) -> pl.Expr:
        rows = self.form.lists[node.list].rows
        mapping = {key: row[node.value] for key, row in rows.items()}
        return self.expression(node.key).replace_strict(mapping, default=None, return_dtype=pl.String())

    # types

    def is_text(self, node: Node) -> bool:
        """Whether a node's value is text."""
        match node:
            case Const(value=value):
                return isinstance(value, str)
            case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
                return self._question(sheet, key).type not in {*NUMERIC, "date"}
            case Coalesce(items=(first, *_)) | Aggregate(function="MIN" | "MAX", of=first):
                return self.is_text(first)
        return isinstance(node, RowKey | Lookup)

    def _question(self, sheet: str, key: str) -> Question:
        return self.form.sheets[sheet].questions[key]

    def _alike(self, left: Node, right: Node) -> tuple[pl.Expr, pl.Expr]:
        """Two sides that can be compared: text with text, else numbers or dates."""
        text = self.is_text(left), self.is_text(right)
        if all(text):
            return same_text(self.expression(left)), same_text(self.expression(right))
        if any(text):  # the codes of some choices are numbers
            return self._number(left), self._number(right)
        return self.expression(left), self.expression(right)

    def _comparable(self, node: Node) -> pl.Expr:
        return same_text(self.expression(node)) if self.is_text(node) else self.expression(node)

    def _number(self, node: Node) -> pl.Expr:
        built = self.expression(node)
        return built.cast(pl.Float64, strict=False) if self.is_text(node) else built

    # values from other rows and sheets, fetched for all expressions at once

    def _joined_value(self, node: Node) -> pl.Expr:
        return pl.col(self._join(node))

    def _join(self, node: Node) -> str:
        if node not in self._names:
            self._names[node] = self._wanted[node] = f"_j{len(self._names)}"
        return self._names[node]

    def _fetch(self) -> None:
        wanted, self._wanted = self._wanted, {}
        scopes = {sheet.key: Scope(self.frames, sheet.key) for sheet in self.form.sheets.values()}
        folded: dict[Rows, list[pl.Expr]] = {}
        for node, name in wanted.items():
            rows, value, places = self._folded(node, scopes)
            folded.setdefault(rows, []).extend([value.alias(name), _any_bad(places).alias(f"{name}!")])
        for (sheet, keys), values in folded.items():
            frame = scopes[sheet].frame
            frame = frame if keys is None else frame.filter(pl.col(KEY).is_in(keys))
            found = frame.group_by(SUBMISSION, maintain_order=True).agg(values)
            self._frame = self._frame.join(found, on=SUBMISSION, how="left", maintain_order="left")
        counts = [name for node, name in wanted.items() if _is_count(node)]
        self._frame = self._frame.with_columns(pl.col(counts).fill_null(0))

    def _folded(self, node: Node, scopes: dict[str, "Scope"]) -> tuple[Rows, pl.Expr, list[Place]]:
        """The rows that a node looks at, its value in those of one submission, and the cells that it needs."""
        if isinstance(node, Column):
            return (node.sheet, None), _list_of(self, node), [(node.sheet, node.key)]
        if isinstance(node, GridCell):
            cell = pl.col(column(node.sheet, node.column)).first()
            return (node.sheet, (node.row,)), cell, [(node.sheet, node.column)]
        assert isinstance(node, Aggregate)
        if isinstance(node.of, TableRows):
            return (node.sheet, None), pl.len().cast(pl.Int64), []
        if isinstance(node.of, GridLine):
            return self._grid_line(node.function, node.of)
        if isinstance(node.of, Column):
            return self._folded_column(node.function, node.of)
        counted = scopes[node.sheet].expression(node.of).fill_null(value=False).sum().cast(pl.Int64)
        places = [(found.sheet, found.key) for found in node.of.walk() if isinstance(found, Column | Answer)]
        return (node.sheet, None), counted, places

    def _folded_column(self, function: str, of: Column) -> tuple[Rows, pl.Expr, list[Place]]:
        sheet = self.form.sheets[of.sheet]
        keys = tuple(key for key, row in sheet.rows.items() if not row.sum_of) if isinstance(sheet, GridSheet) else None
        return (of.sheet, keys), _fold(function, pl.col(column(of.sheet, of.key))), [(of.sheet, of.key)]

    def _grid_line(self, function: str, of: GridLine) -> tuple[Rows, pl.Expr, list[Place]]:
        sheet = self.form.sheets[of.sheet]
        keys = [key for key, question in sheet.questions.items() if question.type in NUMERIC and not question.sum_of]
        cells = pl.concat_list([pl.col(column(of.sheet, key)) for key in keys]).first()
        filled = cells.list.drop_nulls()
        by_list: dict[str, pl.Expr] = {
            "SUM": pl.when(filled.list.len() > 0).then(filled.list.sum()),
            "MIN": filled.list.min(),
            "MAX": filled.list.max(),
            "COUNT": filled.list.len().cast(pl.Int64),
            "COUNT_DISTINCT": filled.list.n_unique().cast(pl.Int64),
        }
        return (of.sheet, (of.row,)), by_list[function], [(of.sheet, key) for key in keys]


def _is_count(node: Node) -> bool:
    return isinstance(node, Aggregate) and node.function in NEVER_EMPTY


def _any_bad(places: list[Place]) -> pl.Expr:
    flags = [pl.col(bad(*place)) for place in places]
    return pl.any_horizontal(flags).any() if flags else pl.lit(value=False)


def _const(node: Const) -> pl.Expr:
    value = node.value
    assert not isinstance(value, tuple)
    return pl.lit(value, dtype=pl.Date()) if isinstance(value, date) else pl.lit(value)


def _answer(node: Answer | Column) -> pl.Expr:
    return pl.col(column(node.sheet, node.key))


def same_text(expression: pl.Expr) -> pl.Expr:
    """Text as it is compared: without case and outer blanks."""
    return expression.str.strip_chars().str.to_lowercase()


def _list_of(scope: Scope, node: Column) -> pl.Expr:
    values = pl.col(column(node.sheet, node.key)).drop_nulls()
    return same_text(values) if scope.is_text(node) else values


def _fold(function: str, values: pl.Expr) -> pl.Expr:
    folds: dict[str, pl.Expr] = {
        "SUM": pl.when(values.count() > 0).then(values.sum()),
        "MIN": values.min(), "MAX": values.max(), "COUNT": values.count().cast(pl.Int64),
        "COUNT_DISTINCT": values.drop_nulls().n_unique().cast(pl.Int64),
        "STRING_AGG": values.drop_nulls().unique(maintain_order=True).str.join(", "),
    }  # fmt: skip
    return folds[function]


def values_of(form: Form, submissions: Sequence[Submission], expressions: dict[str, Node]) -> list[dict[str, Value]]:
    """The value of each expression for each submission, in order."""
    frames = make_frames(form, submissions)
    return Scope(frames, form.main_sheet).values(expressions)
