"""What a rule would have done: run over the reports that a round has already, nothing stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outputs.checking import known_of
from outputs.register.register import Register
from templates.problems import suggestion
from templates.round import Round, RoundError
from validation.check import find
from validation.findings import Finding
from validation.rules import OF_THE_FILE


@dataclass(frozen=True)
class Tried:
    """One rule over the reports of a round: how many there are, and whom it hits."""

    rule: str
    reports: int
    hits: tuple[tuple[str, str, Finding], ...]  # report, owner's number, finding

    @property
    def hit_reports(self) -> int:
        return len({report for report, _, _ in self.hits})


def try_rule(round_: Round, register: Register, rule: str) -> Tried:
    """Judge every report that counts by the form as it is now; tell what one rule (S19, or S19.part) says.

    All rules are run, since one waits where another tells the cause. What is told of the file rather than its
    answers is what was found when it was read. Raises RoundError for an unknown rule.
    """
    names = {name for one in round_.form.rules for name in (one.id, one.name)}
    if rule not in names:
        hint = suggestion(rule, sorted(names), "See: behov form rules.")
        raise RoundError(f"{round_.form.name} has no rule «{rule}». {hint}")
    reports = [row["report"] for row in register.reports()]
    submissions = list(register.submissions(reports).values())
    on_receipt = register.findings_of(reports)
    of_the_file = {one.name for one in round_.form.rules if one.check in OF_THE_FILE}
    hits = [
        (submission.report, submission.recipient, finding)
        for submission, found in zip(submissions, find(round_.form, submissions, known_of(round_)), strict=True)
        for finding in (*found, *(one for one in on_receipt.get(submission.report, ()) if _name(one) in of_the_file))
        if rule in (finding.rule, _name(finding))
    ]
    return Tried(rule, len(reports), tuple(sorted(hits, key=lambda hit: hit[0])))


def _name(finding: Finding) -> str:
    return f"{finding.rule}.{finding.part}" if finding.part else finding.rule


def tried_json(tried: Tried) -> dict[str, Any]:
    """What `form try-rule --json` prints."""
    hits = [
        {"report": report, "recipient": recipient, "severity": found.severity, "sheet": found.sheet,
         "cells": list(found.cells), "message": found.message}
        for report, recipient, found in tried.hits
    ]  # fmt: skip
    return {"rule": tried.rule, "reports": tried.reports, "hits": hits}


def tried_lines(tried: Tried, round_: Round) -> Iterator[str]:
    """Whom the rule hits, a line for each finding."""
    yield f"{tried.rule} would hit {tried.hit_reports} of {tried.reports} reports. Nothing is stored or sent."
    language = round_.form.languages[0]
    for report, orgnr, found in tried.hits:
        owner = round_.recipients[orgnr].name if orgnr in round_.recipients else orgnr
        place = " ".join(filter(None, (found.sheet, ", ".join(found.cells))))
        yield f"  {report}  {owner}  {found.severity}  {place}  {found.message[language]}"
