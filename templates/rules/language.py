"""The text of a rule as SQL, before its names mean anything: one expression, no comments, not too long."""

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

MAX_LENGTH = 1000  # characters; longer rules are several rules

FUNCTIONS = (
    "SUM", "COUNT", "MIN", "MAX", "COUNT_IF", "STRING_AGG", "COALESCE", "ABS", "LENGTH", "YEAR", "MONTH", "ROUND",
    "CONTAINS", "LOOKUP", "RECEIVED_ON",
)  # fmt: skip
LANGUAGE = f"Use AND OR NOT, = <> < <= > >=, + - * /, IN BETWEEN IS NULL, DATE '2024-08-01', {' '.join(FUNCTIONS)}."
SPLIT = "Split it into several rules."


class PredicateError(ValueError):
    """A rule text that is not in the language: the reason, and what to write instead."""

    def __init__(self, reason: str, fix: str = LANGUAGE) -> None:
        super().__init__(f"{reason}. {fix}")
        self.reason = reason
        self.fix = fix


@lru_cache(1024)  # a rule is read when the form is checked and again when it is used; nobody changes the tree
def read_expression(text: str) -> exp.Expr:
    """The one expression that a text holds. Raises PredicateError."""
    if len(text) > MAX_LENGTH:
        raise PredicateError(f"it is {len(text)} characters long; the limit is {MAX_LENGTH}", SPLIT)
    try:
        if any(token.comments for token in sqlglot.tokenize(text)):
            raise PredicateError("it holds a comment", "Write a comment on a line of its own that begins with #.")
        trees = sqlglot.parse(text, error_level=sqlglot.ErrorLevel.RAISE)
    except ParseError as error:
        raise PredicateError(*_unreadable(text, error)) from None
    except SqlglotError:  # the words cannot even be told apart
        raise PredicateError("a quote or a comment in it has no end", "Write a text as 'text'.") from None
    if not trees or trees[0] is None:
        raise PredicateError("it is empty", "Write an expression.")
    if len(trees) > 1:
        raise PredicateError("it is more than one expression", "Write each in a rule of its own, without semicolons.")
    return trees[0]


def _unreadable(text: str, error: ParseError) -> tuple[str, str]:
    word = str(error.errors[0].get("highlight") or "") if error.errors else ""
    place = f"from «{word}» on" if word and word != text.strip() else "as it stands"
    return f"it cannot be read {place}", "Look for a missing word, quote or parenthesis there."


# What sqlglot's trees may hold, and what we call it

COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
CALLS: dict[type[exp.Expr], str] = {
    exp.Abs: "ABS", exp.Length: "LENGTH", exp.Year: "YEAR", exp.Month: "MONTH", exp.Round: "ROUND",
}  # fmt: skip
FOLDS: dict[type[exp.Expr], str] = {
    exp.Sum: "SUM", exp.Count: "COUNT", exp.Min: "MIN", exp.Max: "MAX", exp.GroupConcat: "STRING_AGG",
}  # fmt: skip
# What a sqlglot node may hold; anything more (ROUND to decimals, IN a query) is not in the language.
HELD = frozenset({
    "this", "expression", "expressions", "low", "high", "to", "is_string", "table", "db", "catalog", "big_int",
})  # fmt: skip
