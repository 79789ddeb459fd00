"""The rule language: what CONTAINS says, and what it refuses."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.submission import Answer, Return, Row, SheetAnswers, Submission
from templates.definition import load_form
from templates.form import Form
from templates.rules.binding import FormNames
from templates.rules.kinds import check_condition
from templates.rules.language import PredicateError
from templates.rules.predicate import Answer as Asked
from templates.rules.predicate import Contains, parse
from validation.compile import Scope
from validation.frames import make_frames

HAGELAG = Path(__file__).parent / "forms" / "hagelag"


@pytest.fixture(scope="module")
def form() -> Form:
    form = load_form(HAGELAG)
    constants = form.file.constants | {"ord": ("Rose", "tulipan"), "ett": "rose"}
    return replace(form, file=form.file.model_copy(update={"constants": constants}))


def judged(form: Form, must: str, text: str | None) -> bool:
    """Whether a rule about the report's title fails, when the title is this text."""
    sheet, _, key = form.file.report_title.partition(".")
    answers = {} if text is None else {key: Answer(text, text, "C1")}
    sheets = {name: SheetAnswers(name, {}, ()) for name in form.sheets}
    sheets[sheet] = SheetAnswers(sheet, {}, (Row(0, "", answers),))
    source = Return(Path("x.xlsx"), "0" * 64, datetime(2030, 1, 1, tzinfo=UTC))
    submission = Submission(source, form.name, form.version, "nb", "123456785", "X-0001-1", sheets)
    scope = Scope(make_frames(form, [submission]), sheet)
    failing = scope.failing(parse(must, FormNames(form, sheet)))
    return bool(scope.frame.select(failing.fill_null(value=False)).item())


@pytest.mark.parametrize(
    ("must", "text", "fails"),
    [
        ("NOT CONTAINS({}, 'rose')", "Primrosene våre", True),
        ("NOT CONTAINS({}, 'ROSE')", "primrosene", True),
        ("NOT CONTAINS({}, 'æøå')", "BLÅBÆR ÆØÅ", True),
        ("NOT CONTAINS({}, 'rose')", "Tulipaner", False),
        ("NOT CONTAINS({}, ord)", "Tulipaner", True),
        ("NOT CONTAINS({}, ett)", "Tulipaner", False),
        ("NOT CONTAINS({}, 'r.se')", "rose", False),
        ("NOT CONTAINS({}, 'r*e')", "rose", False),
        ("NOT CONTAINS({}, '(')", "rose (rød)", True),
        ("CONTAINS({}, 'rose')", None, False),
        ("CONTAINS(COALESCE({}, ''), 'rose')", None, True),
    ],
)
def test_contains_looks_for_words_as_they_are_written(form: Form, must: str, text: str | None, *, fails: bool) -> None:
    title = form.file.report_title.partition(".")[2]

    assert judged(form, must.format(title), text) is fails


def test_contains_holds_the_words_of_a_constant(form: Form) -> None:
    sheet, _, key = form.file.report_title.partition(".")

    assert parse(f"CONTAINS({key}, ord)", FormNames(form, sheet)) == Contains(Asked(sheet, key), ("Rose", "tulipan"))


@pytest.mark.parametrize(
    "must", ["CONTAINS({0}, {0})", "CONTAINS({0}, 1)", "CONTAINS({0}, '')", "CONTAINS({0}, ' ')", "CONTAINS({0}, NULL)",
             "CONTAINS({0}, 'a', 'b')", "CONTAINS({0})", "CONTAINS(1, 'a')"]
)  # fmt: skip
def test_contains_takes_a_text_and_words_only(form: Form, must: str) -> None:
    sheet, _, key = form.file.report_title.partition(".")

    with pytest.raises(PredicateError):
        check_condition(form, parse(must.format(key), FormNames(form, sheet)))
