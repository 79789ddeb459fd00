"""The usual way to take filled workbooks in: pandas reads, pandera judges, one file after the other.

What an engineer who knows the form writes: `pandas.read_excel` (openpyxl) of every sheet, since one call gives
them all; the tables cut out by their headings and typed; for each sheet one lazy `pandera.pandas` schema with
what the form asks of every answer (required, choices, limits) and its rules as conditions on whole columns,
totals being worked out once for each file; and at the end the frames of all files put together. It does less
than ours: it trusts the file, the places and the types of cells, and words no findings.
"""

import re
from collections.abc import Callable
from functools import reduce
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub, truediv
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from templates.definition import bound_rules
from templates.form import NUMERIC, Form, Question, QuestionSheet, Sheet
from templates.layout import HELP_ROW, MARKER_ROW
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

KEY = "_key"
COMPARE: dict[str, Callable[[Any, Any], Any]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul, "/": truediv}
FOLDS: dict[str, Callable[["pd.Series[Any]"], Any]] = {
    "SUM": lambda values: values.sum(min_count=1),
    "MIN": lambda values: values.min(), "MAX": lambda values: values.max(),
    "COUNT": lambda values: values.count(), "COUNT_DISTINCT": lambda values: values.nunique(),
}  # fmt: skip
CALLS: dict[str, Callable[[Any], Any]] = {
    "LENGTH": lambda text: text.str.len(), "ABS": lambda number: number.abs(), "ROUND": lambda number: number.round(),
    "YEAR": lambda day: day.dt.year, "MONTH": lambda day: day.dt.month,
}  # fmt: skip


class UsualWay:
    """Reads, judges and keeps the frames of one file after the other."""

    def __init__(self, form: Form, *, every_sheet: bool = True) -> None:
        self.form = form
        self.labels = {sheet.label["nb"]: key for key, sheet in form.sheets.items()}
        self.tabs = None if every_sheet else list(self.labels)
        self.rules = Rules(form)
        self.schemas = {key: schema_of(form, sheet, self.rules) for key, sheet in form.sheets.items()}
        self.merged: dict[str, list[pd.DataFrame]] = {key: [] for key in form.sheets}
        self.failures: list[pd.DataFrame] = []

    def take_in(self, path: Path) -> None:
        raw = pd.read_excel(path, sheet_name=self.tabs, header=None, engine="openpyxl")
        sheets = {key: self.form.sheets[key] for key in self.labels.values()}
        frames = {
            key: typed(self.form, sheets[key], cut_out(sheets[key], raw[tab])) for tab, key in self.labels.items()
        }
        self.rules.begin(frames)
        for key, frame in frames.items():
            try:
                self.schemas[key].validate(frame, lazy=True)
            except SchemaErrors as errors:
                self.failures.append(errors.failure_cases)
            self.merged[key].append(frame.assign(file=path.name))

    def merge(self) -> dict[str, pd.DataFrame]:
        return {key: pd.concat(frames, ignore_index=True) for key, frames in self.merged.items()}


def cut_out(sheet: Sheet, raw: pd.DataFrame) -> pd.DataFrame:
    """The answers of one sheet: a row for each line of a table, one row for a sheet of questions."""
    if isinstance(sheet, QuestionSheet):
        asked = raw[raw[0].isin(list(sheet.questions))]
        return pd.DataFrame([asked.set_index(0)[2].to_dict()], columns=list(sheet.questions))
    table = raw.iloc[HELP_ROW:].set_axis(raw.iloc[MARKER_ROW - 1].astype(str), axis=1)
    table = table[[key for key in sheet.questions if key in table.columns]].assign(**{KEY: raw[0]})
    written = [key for key, question in sheet.questions.items() if not question.calculated and key in table.columns]
    return table.dropna(how="all", subset=written).reset_index(drop=True)


def typed(form: Form, sheet: Sheet, frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as numbers, days as days, choices as codes; what cannot be is empty."""
    columns = {key: _typed(form, question, frame[key]) for key, question in sheet.questions.items() if key in frame}
    return pd.DataFrame(columns | ({KEY: frame[KEY]} if KEY in frame else {}))


def _typed(form: Form, question: Question, column: "pd.Series[Any]") -> "pd.Series[Any]":
    if question.type in NUMERIC:
        return pd.to_numeric(column, errors="coerce")
    if question.type == "date":
        return pd.to_datetime(column, errors="coerce")
    text = column.astype("string").str.strip()
    if question.type == "choice" and question.choices:
        codes = {label: code for code, option in form.options(question.choices).items() for label in option.values()}
        return text.map(lambda label: codes.get(label, label), na_action="ignore").astype("string")
    return text


def schema_of(form: Form, sheet: Sheet, rules: "Rules") -> pa.DataFrameSchema:
    columns = {
        key: pa.Column(nullable=not question.required, required=False, checks=_limits(form, question))
        for key, question in sheet.questions.items()
        if not question.calculated
    }
    return pa.DataFrameSchema(columns, checks=rules.of(sheet))


def _limits(form: Form, question: Question) -> list[pa.Check]:
    checks = []
    if question.type == "choice" and question.choices and not question.open and not question.choices_when:
        checks.append(pa.Check.isin(list(form.options(question.choices))))
    if question.min is not None:
        checks.append(pa.Check.ge(question.min))
    if question.max is not None:
        checks.append(pa.Check.le(question.max))
    if question.min_length or question.max_length:
        checks.append(pa.Check.str_length(question.min_length, question.max_length))
    return checks


class Rules:
    """The conditions of the form's rules, over the frames of one file at a time."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.begin({})

    def begin(self, frames: dict[str, pd.DataFrame]) -> None:
        self.frames = frames
        self.totals: dict[Node, Any] = {}

    def of(self, sheet: Sheet) -> list[pa.Check]:
        bound = [one for one in bound_rules(self.form) if one.tree is not None and one.rule.on == sheet.key]
        return [pa.Check(self._holds(one.tree, sheet.key), error=one.rule.name) for one in bound if one.tree]

    def _holds(self, tree: Node, sheet: str) -> Callable[[pd.DataFrame], Any]:
        """A rule is kept where an answer of the row that it does not test for emptiness is empty."""
        tested = {node for test in tree.walk() if isinstance(test, IsNull | Coalesce) for node in test.walk()}
        answers = [node for node in operands(tree) if isinstance(node, Answer) and node.sheet == sheet]
        needed = [node.key for node in answers if node not in tested]

        def holds(frame: pd.DataFrame) -> Any:  # noqa: ANN401 - a column of booleans
            kept = self._series(tree, frame).fillna(value=True)
            for key in needed:
                kept |= frame[key].isna()
            return kept.astype(bool)

        return holds

    def value(self, node: Node, frame: pd.DataFrame) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - one for each node
        match node:
            case Const(value=value):
                return pd.NA if value is None else value
            case ReceivedOn():
                return pd.Timestamp.now()
            case RowKey():
                return frame[KEY]
            case Column(sheet=sheet, key=key):
                return self.frames[sheet][key]
            case Answer(sheet=sheet, key=key):
                return frame[key] if key in frame else self.frames[sheet][key].iloc[0]
            case GridCell() | Aggregate():
                if node not in self.totals:
                    self.totals[node] = self._total(node)
                return self.totals[node]
            case Compare(op=op, left=left, right=right):
                return COMPARE[op](*_alike(self.value(left, frame), self.value(right, frame)))
            case And(parts=parts) | Or(parts=parts):
                return reduce(and_ if isinstance(node, And) else or_, (self.value(part, frame) for part in parts))
            case Not(part=part):
                return ~self._series(part, frame).astype("boolean")
            case In(item=item, options=options):
                return self._series(item, frame).isin([one.value for one in options if isinstance(one, Const)])
            case InColumn(item=item, column=column):
                return self._series(item, frame).isin(self.value(column, frame))
            case IsNull(item=item):
                return self._series(item, frame).isna()
            case Coalesce(items=items):
                return reduce(lambda one, two: one.fillna(two), (self._series(item, frame) for item in items))
            case Contains(item=item, words=words):
                return self._series(item, frame).str.contains("|".join(map(re.escape, words)), case=False)
            case Unique(answers=answers):
                return ~frame.duplicated([answer.key for answer in answers], keep=False)
            case Arithmetic(op=op, left=left, right=right):
                return ARITHMETIC[op](self.value(left, frame), self.value(right, frame))
            case Call(name=name, argument=argument):
                return CALLS[name](self._series(argument, frame))
            case Lookup(list=name, key=key, value=column):
                rows = self.form.lists[name].rows
                return self._series(key, frame).map({code: row[column] for code, row in rows.items()})
        raise TypeError(node)

    def _series(self, node: Node, frame: pd.DataFrame) -> "pd.Series[Any]":
        found = self.value(node, frame)
        return found if isinstance(found, pd.Series) else pd.Series(found, index=frame.index)

    def _total(self, node: GridCell | Aggregate) -> Any:  # noqa: ANN401 - a number or nothing
        frame = self.frames[node.sheet]
        if isinstance(node, GridCell):
            return frame.set_index(KEY)[node.column].get(node.row, pd.NA)
        if isinstance(node.of, TableRows):
            return len(frame)
        if node.function == "COUNT_IF":
            return int(self._series(node.of, frame).fillna(value=False).astype(bool).sum())
        if isinstance(node.of, GridLine):
            line = frame[frame[KEY] == node.of.row].select_dtypes("number")
            return FOLDS[node.function](line.iloc[0]) if len(line) else pd.NA
        return FOLDS[node.function](self.value(node.of, frame))


def _alike(left: Any, right: Any) -> tuple[Any, Any]:  # noqa: ANN401 - values or columns
    """Two sides that pandas can compare: the codes of some choices are numbers."""
    is_text = [isinstance(one, str) or isinstance(getattr(one, "dtype", None), pd.StringDtype) for one in (left, right)]
    if is_text[0] == is_text[1]:
        return left, right
    return pd.to_numeric(left, errors="coerce"), pd.to_numeric(right, errors="coerce")
