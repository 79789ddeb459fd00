"""What kind of value every part of a rule gives, so that no rule compares what cannot be compared.

`digits` is text that may be read as a number: the codes of some choices, a column of a code list.
"""

from collections.abc import Callable
from datetime import date
from typing import Literal

from templates.form import NUMERIC, Form, Question
from templates.problems import suggestion
from templates.rules.language import PredicateError
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

Kind = Literal["number", "text", "digits", "date", "condition", "nothing"]
Kinds = tuple[Kind, ...]
Finder = Callable[..., Kind]

NUMBERS: Kinds = ("number", "digits")
TEXTS: Kinds = ("text", "digits")
DATES: Kinds = ("date",)
CONDITIONS: Kinds = ("condition",)
ARGUMENTS = {"LENGTH": TEXTS, "YEAR": DATES, "MONTH": DATES, "ABS": NUMBERS, "ROUND": NUMBERS}
FOLDED: dict[str, Kinds] = {"SUM": ("number",), "STRING_AGG": TEXTS, "COUNT_IF": CONDITIONS}
WORDS = {
    "number": "a number",
    "text": "text",
    "digits": "text",
    "date": "a date",
    "condition": "a condition",
    "nothing": "NULL",
}


def check_condition(form: Form, tree: Node) -> None:
    """Refuse what is not true or false, and what compares things of different kinds. Raises PredicateError."""
    _Checker(form).want(CONDITIONS, tree)


def kind_of(form: Form, tree: Node) -> Kind:
    """The kind of value that an expression gives. Raises PredicateError."""
    return _Checker(form).kind(tree)


def codes_of(form: Form, question: Question) -> list[str] | None:
    """The codes an answer can have; None when it can be anything, or its choices are not in order."""
    if question.open or question.type not in {"choice", "yesno"}:
        return None
    try:
        return list(form.question_options(question)) or None
    except KeyError:  # a choice list that is told as wrong in its own place
        return None


class _Checker:
    """Finds the kind of every node of one tree."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.found: dict[Node, Kind] = {}
        self.finders: dict[type[Node], Finder] = {
            Const: _constant_kind,
            Answer: self.answer,
            Column: self.answer,
            GridCell: self.answer,
            RowKey: lambda _: "text",
            ReceivedOn: lambda _: "date",
            Lookup: self.lookup,
            And: lambda both: self.conditions(*both.parts),
            Or: lambda either: self.conditions(*either.parts),
            Not: lambda test: self.conditions(test.part),
            Compare: lambda test: self.compared(test.left, test.right),
            In: lambda test: self.compared(test.item, *test.options),
            InColumn: lambda test: self.compared(test.item, test.column),
            IsNull: lambda test: self.compared(test.item),
            Contains: self.contains,
            Unique: lambda _: "condition",
            Coalesce: self.coalesce,
            Arithmetic: self.arithmetic,
            Call: self.call,
            Aggregate: self.aggregate,
        }

    def kind(self, node: Node) -> Kind:
        if node not in self.found:
            self.found[node] = self.finders[type(node)](node)
        return self.found[node]

    def want(self, kinds: Kinds, node: Node, for_: str = "it") -> Kind:
        found = self.kind(node)
        if found not in kinds:
            reason = f"{for_} must be {WORDS[kinds[0]]}, but {_said(node)} is {WORDS[found]}"
            raise PredicateError(reason, _hint(kinds))
        return found

    def question(self, node: Node) -> Question | None:
        match node:
            case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
                return self.form.sheets[sheet].questions[key]
        return None

    def answer(self, node: Node) -> Kind:
        question = self.question(node)
        assert question is not None
        if question.type in NUMERIC:
            return "number"
        if question.type == "date":
            return "date"
        codes = codes_of(self.form, question)
        counted = question.type == "choice" and (codes is None or all(code.isdigit() for code in codes))
        return "digits" if counted or question.type == "lookup" else "text"

    def lookup(self, node: Lookup) -> Kind:
        self.want(TEXTS, node.key, "the key of LOOKUP")
        return "digits"

    def conditions(self, *parts: Node) -> Kind:
        for part in parts:
            self.want(CONDITIONS, part, "each side of AND, OR and NOT")
        return "condition"

    def compared(self, item: Node, *others: Node) -> Kind:
        """Two or more values that are held against each other."""
        for node in (item, *others):
            if self.kind(node) == "condition":
                raise PredicateError("a comparison is compared again", "Write a < b AND b < c, or use BETWEEN.")
            if self.kind(node) == "nothing":
                raise PredicateError("nothing is equal to NULL", "Write IS NULL or IS NOT NULL.")
        for other in others:
            self.alike(item, other)
            self.known_code(item, other)
            self.known_code(other, item)
        return "condition"

    def alike(self, left: Node, right: Node) -> Kind:
        """The kind that two values share."""
        one, two = self.kind(left), self.kind(right)
        for family in (TEXTS, NUMBERS, DATES):
            if one in family and two in family:
                return one if two == "digits" else two
        reason = f"{_said(left)} is {WORDS[one]} and {_said(right)} is {WORDS[two]}"
        raise PredicateError(
            reason, "Compare what is alike: text is written 'x', a number 1, a date DATE '2024-08-01'."
        )

    def known_code(self, node: Node, other: Node) -> None:
        question = self.question(node)
        if question is None or not isinstance(other, Const) or not isinstance(other.value, str) or not other.value:
            return
        codes = codes_of(self.form, question)
        if codes is not None and other.value.strip().casefold() not in map(str.casefold, codes):
            reason = f"«{other.value}» is not a choice of «{question.key}»"
            raise PredicateError(reason, suggestion(other.value, codes, "Use a code of its choices."))

    def contains(self, node: Contains) -> Kind:
        self.want(TEXTS, node.item, "what CONTAINS looks in")
        return "condition"

    def coalesce(self, node: Coalesce) -> Kind:
        filled = [item for item in node.items if self.kind(item) != "nothing"]
        if not filled:
            return "nothing"
        kinds = [self.alike(filled[0], item) for item in filled]
        return next((kind for kind in kinds if kind != "digits"), "digits")

    def arithmetic(self, node: Arithmetic) -> Kind:
        for side in (node.left, node.right):
            self.want(NUMBERS, side, f"each side of {node.op}")
        return "number"

    def call(self, node: Call) -> Kind:
        self.want(ARGUMENTS[node.name], node.argument, f"what {node.name} takes")
        return "number"

    def aggregate(self, node: Aggregate) -> Kind:
        if not isinstance(node.of, Column) and node.function != "COUNT_IF":
            return "number"  # rows are counted; a row of a grid is amounts
        found = self.kind(node.of)
        if node.function in FOLDED:
            self.want(FOLDED[node.function], node.of, f"what {node.function} takes")
        return found if node.function in {"MIN", "MAX", "STRING_AGG"} else "number"


def _constant_kind(node: Const) -> Kind:
    match node.value:
        case bool():
            return "condition"
        case int() | float():
            return "number"
        case date():
            return "date"
    return "nothing" if node.value is None else "text"


def _said(node: Node) -> str:
    """A part of a rule as its author knows it."""
    match node:
        case Const(value=value):
            return f"'{value}'" if isinstance(value, str) else str(value)
        case Answer(key=key):
            return f"«{key}»"
        case Column(sheet=sheet, key=key):
            return f"«{sheet}.{key}»"
        case GridCell(sheet=sheet, row=row, column=key):
            return f"«{sheet}.{row}.{key}»"
        case Aggregate(function=name) | Call(name=name):
            return name
    return type(node).__name__.upper()


def _hint(kinds: Kinds) -> str:
    if kinds == CONDITIONS:
        return "Write a comparison, as in x = 'Ja' or x >= 1."
    return "Use DATE '2024-08-01' or a date question." if kinds == DATES else f"Use {WORDS[kinds[0]]} there."
