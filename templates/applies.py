"""What only some owners fill in, and the words worked out beside an answer, as trees of the rule language."""

from collections.abc import Iterator
from dataclasses import dataclass

from templates.form import Beside, Form, GridSheet, QuestionSheet, Sheet, TableSheet
from templates.form_check import FILE, asked
from templates.problems import Problem
from templates.rules.binding import FormNames
from templates.rules.kinds import check_condition, kind_of
from templates.rules.language import PredicateError
from templates.rules.messages import bad_words
from templates.rules.predicate import Node, parse


@dataclass(frozen=True)
class Spot:
    """A question, a row or column of a grid, or a sheet as a whole (`key` is empty)."""

    form: Form
    sheet: Sheet
    key: str
    place: str  # in form.toml
    applies_when: str | None
    beside: Beside | None = None

    @property
    def condition(self) -> Node | None:
        """When it is in use; None when it always is. Raises PredicateError."""
        if self.applies_when is None:
            return None
        tree = parse(self.applies_when, self._names)
        check_condition(self.form, tree)
        return tree

    @property
    def values(self) -> dict[str, Node]:
        """What the words beside it use. Raises PredicateError."""
        written = self.beside.values if self.beside else {}
        trees = {name: parse(value, self._names) for name, value in written.items()}
        for tree in trees.values():
            kind_of(self.form, tree)
        return trees

    @property
    def _names(self) -> FormNames:
        """Of a table or grid nothing may depend on the row: names are written in full there."""
        return FormNames(self.form, self.sheet.key if isinstance(self.sheet, QuestionSheet) else None)


def spots(form: Form) -> Iterator[Spot]:
    """Everything in a form that may be out of use, or has words beside it."""
    for sheet in form.sheets.values():
        place = f"sheets.{sheet.key}"
        if not isinstance(sheet, QuestionSheet):
            yield Spot(form, sheet, "", place, sheet.applies_when)
        for path, question in asked(sheet):
            yield Spot(form, sheet, question.key, path, question.applies_when, question.beside)
        if isinstance(sheet, GridSheet):
            for row in sheet.rows.values():
                yield Spot(form, sheet, row.key, f"{place}.rows.{row.key}", row.applies_when, row.beside)


def spot_problems(form: Form) -> Iterator[Problem]:
    """What is wrong in conditions of use, and in the words beside answers."""
    for spot in spots(form):
        yield from _misplaced(spot)
        try:
            spot.condition  # noqa: B018 - read for what it raises
        except PredicateError as error:
            yield Problem(FILE, f"{spot.place}.applies_when", error.reason, error.fix)
        try:
            spot.values  # noqa: B018 - read for what it raises
        except PredicateError as error:
            yield Problem(FILE, f"{spot.place}.beside.values", error.reason, error.fix)
        for language, text in spot.beside.text.items() if spot.beside else ():
            for bad in bad_words(text, set(spot.beside.values)) if spot.beside else ():
                yield Problem(FILE, f"{spot.place}.beside.text.{language}", bad.reason, bad.fix)


def _misplaced(spot: Spot) -> Iterator[Problem]:
    is_row = isinstance(spot.sheet, GridSheet) and spot.key in spot.sheet.rows
    if spot.beside and not (isinstance(spot.sheet, QuestionSheet) or is_row):
        reason = "there is no room for words beside a column"
        yield Problem(FILE, f"{spot.place}.beside", reason, "Give them to a question sheet's question or a grid's row.")
    if spot.applies_when and spot.key and isinstance(spot.sheet, TableSheet):
        fix = "Use required_when here, or applies_when on the whole sheet."
        yield Problem(FILE, f"{spot.place}.applies_when", "a column of a table is in use for every row", fix)
