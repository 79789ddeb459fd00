"""Every rule of behovsmelding-2024 is judged and keeps quiet where it should: on clean reports and beside mistakes."""

from collections.abc import Iterator, Sequence

import polars as pl
import pytest

from intake.submission import Answer, Submission
from templates.definition import bound_rules
from templates.form import Question
from templates.rules.binding import BoundRule, FormNames
from templates.rules.language import read_expression
from templates.rules.predicate import Or, parse
from tests.cases import DISAGREEMENTS, PAIRS, told_between, told_by_registers
from tests.golden import name_of as rule_of
from tests.reports import (
    CLEAN,
    FORM,
    LANGUAGES,
    MISTAKES,
    clean_reports,
    judged_neighbours,
    mistaken_reports,
    name_of,
    neighbouring_reports,
    neighbours,
)
from tests.test_golden import NO_OCCASION, SILENT
from validation.across import ACROSS
from validation.checks import LIMITS, required_rule
from validation.compile import Scope
from validation.frames import Frames, column, make_frames
from validation.rules import CHECKS

LANGUAGE = LANGUAGES[0]
# Alternatives of a rule that no answer makes true, and what they are for.
NEVER = {("S19.mangler_2024", "antall_ar < 1"): "so that the rule waits for the answer it speaks of"}


def all_reports() -> list[Submission]:
    return [*clean_reports(LANGUAGE), *mistaken_reports(LANGUAGE), *neighbouring_reports()]


def quiet_reports() -> list[Submission]:
    """Those that no rule says anything of."""
    pairs = zip(neighbouring_reports(), neighbours(), strict=True)
    return [*clean_reports(LANGUAGE), *(report for report, neighbour in pairs if not neighbour.told)]


@pytest.mark.parametrize("number", range(len(neighbours())))
def test_a_neighbour_is_told_of_by_the_rules_it_names_and_no_other(number: int) -> None:
    told = {rule_of(found) for found in judged_neighbours()[number].findings}

    assert told == neighbours()[number].told, neighbours()[number].why


# what makes a rule hold


def test_every_alternative_of_a_rule_is_somewhere_the_only_one_that_holds() -> None:
    """Of every report here it is known which rules speak: a rule that holds for a wrong reason is found out."""
    trees = [bound for bound in bound_rules(FORM) if bound.tree is not None]
    every = {(bound.rule.name, text) for bound in trees for text in alternatives(bound)}

    assert every - set(held_alone(trees, all_reports())) == NEVER.keys()


def alternatives(bound: BoundRule) -> list[str]:
    """What stands between the ORs of a rule."""
    if not isinstance(bound.tree, Or):
        return ["the whole rule"]
    return [part.sql() for part in read_expression(str(bound.rule.must)).flatten()]


def held_alone(trees: Sequence[BoundRule], reports: Sequence[Submission]) -> Iterator[tuple[str, str]]:
    """The alternatives that alone make their rule hold in a row where it is judged."""
    frames = make_frames(FORM, reports)
    for bound in trees:
        assert bound.tree is not None
        assert bound.rule.on is not None
        scope = Scope(frames, bound.rule.on)
        parts = bound.tree.parts if isinstance(bound.tree, Or) else (bound.tree,)
        judged = scope.judged(bound.tree)
        held = [scope.expression(part).fill_null(value=False).alias(str(at)) for at, part in enumerate(parts)]
        rows = scope.frame.filter(judged).select(held)
        alone = rows.filter(pl.sum_horizontal(pl.all().cast(pl.Int64)) == 1)
        yield from ((bound.rule.name, text) for at, text in enumerate(alternatives(bound)) if alone[str(at)].any())


# every rule


def test_every_part_of_every_rule_is_judged_and_kept_where_nothing_is_wrong() -> None:
    speaking = {rule.name for rule in FORM.rules} - SILENT.keys() - NO_OCCASION.keys()
    frames = make_frames(FORM, quiet_reports())

    assert speaking - {*kept_conditions(frames), *kept_questions(frames), *kept_readings(), *kept_elsewhere()} == set()


def kept_conditions(frames: Frames) -> Iterator[str]:
    """The rules with a condition that is judged and true in some row."""
    for bound in bound_rules(FORM):
        if bound.tree is not None and bound.rule.on is not None:
            scope = Scope(frames, bound.rule.on)
            if _is_somewhere(scope, scope.judged(bound.tree) & scope.expression(bound.tree)):
                yield bound.rule.name


def kept_questions(frames: Frames) -> Iterator[str]:
    """The rules on what is missing, where it is asked for and there; and on limits, where there is an answer."""
    for sheet in FORM.sheets.values():
        scope = Scope(frames, sheet.key)
        for key, question in sheet.questions.items():
            answered = pl.col(column(sheet.key, key)).is_not_null()
            asked = pl.lit(value=question.required)
            if question.required_when:
                asked = scope.expression(parse(question.required_when, FormNames(FORM, sheet.key)))
            if _is_somewhere(scope, answered & asked):
                yield required_rule(FORM, sheet.key, key).name
            if _is_somewhere(scope, answered):
                yield from (rule.name for rule in FORM.rules if set(rule.limit) & _limits(question))


def _limits(question: Question) -> set[str]:
    found = {limit for limit in LIMITS if getattr(question, limit) is not None}
    return found | {"example"} if question.example and question.type == "longtext" else found


def _is_somewhere(scope: Scope, condition: pl.Expr) -> bool:
    return bool(scope.frame.select(condition.fill_null(value=False).any()).item())


def kept_readings() -> Iterator[str]:
    """The rules on how a cell is read whose mistake has a clean answer, read as it stands, in the same place."""
    clean = dict(zip(CLEAN, clean_reports(LANGUAGE), strict=True))
    reading = {rule.name for rule in FORM.rules if rule.reading}
    for mistake in MISTAKES:
        answers = [answer_at(clean[mistake.sample], path) for path in mistake.cells]
        if name_of(mistake) in reading and all(one and not one.problem and not one.note for one in answers):
            yield name_of(mistake)


def answer_at(report: Submission, path: str) -> Answer | None:
    """The answer at skjema.x, table.2.x or grid.ROW.x."""
    sheet, *row, key = path.split(".")
    answers = {(found.key or str(number)): found.answers for number, found in enumerate(report.sheets[sheet].rows, 1)}
    return answers.get(row[0] if row else "1", {}).get(key)


def kept_elsewhere() -> Iterator[str]:
    """The named checks: each is made of every report, or has a test of its own below."""
    yield from (rule.name for rule in FORM.rules if rule.check in CHECKS)
    yield from (one.rule for one in (*PAIRS, *DISAGREEMENTS))


# between reports, and against registers


def test_two_reports_that_differ_in_the_one_thing_are_not_told_of() -> None:
    assert told_between(LANGUAGE, kept=True) == [[] for _ in PAIRS]


def test_a_report_alone_breaks_no_rule_between_reports() -> None:
    between = [(rule, ACROSS[rule.check]) for rule in FORM.rules if rule.check in ACROSS]

    hits = [(rule.name, *check([(0, report)], rule.given)) for rule, check in between for report in all_reports()]

    assert [hit for hit in hits if len(hit) > 1] == []


def test_registers_that_agree_with_a_report_say_nothing_of_it() -> None:
    assert told_by_registers(LANGUAGE, kept=True) == [[] for _ in DISAGREEMENTS]
