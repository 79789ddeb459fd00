"""Everything to hold on one sheet: what to test, and what to say and mark when it fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import polars as pl

from templates.form import Form, GridSheet, Question, Rule, Sheet
from templates.rules.binding import BoundRule, FormNames
from templates.rules.predicate import Answer, Node, parse
from validation.compile import Scope, same_text
from validation.frames import KEY, bad, column
from validation.schema import Check

LIMITS = ("min", "max", "min_length", "max_length")


@dataclass(frozen=True)
class Cause:
    """Why a check failed: its rule, the answers to mark, the values its message may say.

    `needs` are the answers the rule depends on: where one of them is required and missing,
    that is the one thing to tell.
    """

    rule: Rule
    sheet: str
    blame: tuple[Node, ...]
    values: dict[str, Node] = field(default_factory=dict)
    needs: tuple[Node, ...] = ()
    missing: bool = False  # a required answer is not there
    limit: float | None = None


def sheet_checks(form: Form, rules: list[BoundRule], scope: Scope, sheet: Sheet) -> list[tuple[Check, Cause]]:
    """Every check of one sheet, required answers first and then in the order of the rules."""
    return [
        *_required_checks(form, scope, sheet),
        *_limit_checks(form, sheet),
        *_example_checks(form, sheet),
        *_choice_checks(form, scope, sheet),
        *_rule_checks(rules, scope, sheet),
    ]


def required_rule(form: Form, sheet: str, key: str) -> Rule:
    """The rule that speaks when a required answer is missing."""
    named = (
        rule for rule in form.rules if f"{sheet}.{key}" in rule.required or (rule.on == sheet and key in rule.required)
    )
    return next(named, None) or next(rule for rule in form.rules if "*" in rule.required)


def reading_rule(form: Form, code: str) -> Rule:
    """The rule that speaks for one way of reading a cell."""
    return next(rule for rule in form.rules if code in rule.reading)


def _required_checks(form: Form, scope: Scope, sheet: Sheet) -> Iterator[tuple[Check, Cause]]:
    for key, question in sheet.questions.items():
        if question.calculated or question.locked or not (question.required or question.required_when):
            continue
        empty = pl.col(column(sheet.key, key)).is_null() & ~pl.col(bad(sheet.key, key))
        if question.required_when:
            names = FormNames(form, sheet.key)
            empty = empty & scope.expression(parse(question.required_when, names)).fill_null(value=False)
        if isinstance(sheet, GridSheet):
            empty = empty & pl.col(KEY).is_in([name for name, row in sheet.rows.items() if not row.sum_of])
        cause = Cause(required_rule(form, sheet.key, key), sheet.key, (Answer(sheet.key, key),), missing=True)
        yield Check(failing=empty), cause


def _limit_checks(form: Form, sheet: Sheet) -> Iterator[tuple[Check, Cause]]:
    for key, question in sheet.questions.items():
        for limit in LIMITS:
            bound = getattr(question, limit)
            if bound is None or question.calculated:
                continue
            rule = next(rule for rule in form.rules if limit in rule.limit)
            cause = Cause(rule, sheet.key, (Answer(sheet.key, key),), limit=bound)
            yield Check(column(sheet.key, key), limit=limit, question=question), cause


def _example_checks(form: Form, sheet: Sheet) -> Iterator[tuple[Check, Cause]]:
    """An example that was left as the answer; only long texts, because a short one may well be true."""
    rule = next((rule for rule in form.rules if "example" in rule.limit), None)
    for key, question in sheet.questions.items():
        if rule is not None and question.example and question.type == "longtext":
            value = same_text(pl.col(column(sheet.key, key)).str.replace_all(r"\s+", " "))
            left = value.is_in([" ".join(text.split()).lower() for text in question.example.values()])
            yield Check(failing=left), Cause(rule, sheet.key, (Answer(sheet.key, key),))


def _choice_checks(form: Form, scope: Scope, sheet: Sheet) -> Iterator[tuple[Check, Cause]]:
    """A choice that is not offered together with the answer that decides the list."""
    for key, question in sheet.questions.items():
        if question.choices_when and not question.open:
            cause = Cause(reading_rule(form, "not_offered"), sheet.key, (Answer(sheet.key, key),))
            yield Check(failing=~_offered(form, scope, sheet, question)), cause


def _offered(form: Form, scope: Scope, sheet: Sheet, question: Question) -> pl.Expr:
    value = pl.col(column(sheet.key, question.key))
    applies: list[pl.Expr] = []
    allowed: list[pl.Expr] = []
    for when in question.choices_when:
        names = FormNames(form, sheet.key)
        other = scope.expression(names.resolve(tuple(when.question.split(".")), vector=False))
        now = (other == when.equals).fill_null(value=False)
        applies.append(now)
        allowed.append(now & value.is_in(list(form.options(when.choices))))
    allowed.append(~reduce(or_, applies) & value.is_in(list(form.options(question.choices or ""))))
    return reduce(or_, allowed)


def _rule_checks(rules: list[BoundRule], scope: Scope, sheet: Sheet) -> Iterator[tuple[Check, Cause]]:
    for bound in rules:
        if bound.tree is not None and bound.rule.on == sheet.key:
            needs = tuple(bound.tree.walk())
            cause = Cause(bound.rule, sheet.key, bound.blame, bound.values, needs)
            yield Check(failing=scope.failing(bound.tree)), cause
