"""The columns of the register workbook that caseworkers fill in, and how what they wrote is understood."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from intake.exact import Flaw
from intake.notation import find_number, one_line
from intake.values import written
from outputs.exports.columns import MEDIUM, NARROW, WIDE, Column, Labels
from templates.problems import one_of

PROPOSALS = ("grant", "grant_part", "refuse", "clarify")
DECISIONS = ("granted", "granted_part", "refused")
FIELDS = ("priority", "proposal", "decision", "amount_granted", "note")
FEWEST = {"priority": 1, "amount_granted": 0}
MOST = 10**12


class Unusable(NamedTuple):
    """A cell that says nothing we understand: what stands there, and what to write instead."""

    written: str
    instead: str


def casework_columns(labels: Labels) -> Iterator[Column]:
    """Give the columns, with what may stand in each."""
    say = labels.say

    def column(key: str, width: int, **more: Any) -> Column:  # noqa: ANN401 - what a Column says
        return Column(key, say(key), width, hint=say(f"hint_{key}"), **more)

    yield column("priority", NARROW, number_format="0", filled_in="whole")
    yield column("proposal", MEDIUM, words={key: say(f"proposal_{key}") for key in PROPOSALS}, filled_in="choice")
    yield column("decision", MEDIUM, words={key: say(f"decision_{key}") for key in DECISIONS}, filled_in="choice")
    yield column("amount_granted", MEDIUM, number_format="#,##0", filled_in="whole")
    yield column("note", WIDE, wrap=True, filled_in="text")


def understood(cell: object, columns: Mapping[Any, Column]) -> Any:  # noqa: ANN401 - a number, a code or a text
    """Give the value in a cell; None for an empty one, `Unusable` for one that nobody can be sure of.

    `columns` is the same column in each language of the form: a workbook may be in any of them.
    """
    column = next(iter(columns.values()))
    if isinstance(cell, Flaw):
        return Unusable(cell.shown, "write it again; the cell holds an error or a formula without a result")
    text = written(cell).strip()
    if not text:
        return None
    if column.filled_in == "whole":
        return _whole(text, FEWEST[column.key])
    if column.filled_in == "choice":
        return _choice(text, columns)
    return text


def _whole(text: str, fewest: int) -> int | Unusable:
    number = find_number(text, whole=True, percent=False)
    if (
        number is None
        or number.other is not None
        or number.value != int(number.value)
        or not fewest <= number.value <= MOST
    ):
        return Unusable(text, f"write a whole number, {fewest} or more")
    return int(number.value)


def _choice(text: str, columns: Mapping[Any, Column]) -> str | Unusable:
    meant = {label.casefold(): code for column in columns.values() for code, label in column.words.items()}
    code = meant.get(one_line(text).casefold().rstrip("."))
    if code:
        return code
    labels = next(iter(columns.values())).words.values()
    return Unusable(text, f"choose {one_of([f'«{label}»' for label in labels])}")
