"""The machine-readable form of results: the contract of `--json`."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from intake.submission import Answer, Submission
from templates.form import Form, GridSheet, QuestionSheet, Sheet
from validation.findings import Finding
from validation.verdict import Verdict


def verdicts_json(verdicts: Sequence[Verdict], form: Form, *, answers: bool) -> dict[str, Any]:
    """What `ingest --json` and `check --json` print."""
    return {
        "files": [_file(verdict, form, answers=answers) for verdict in verdicts],
        "counts": dict(sorted(Counter(verdict.outcome for verdict in verdicts).items())),
    }


def _file(verdict: Verdict, form: Form, *, answers: bool) -> dict[str, Any]:
    submission = verdict.submission
    told: dict[str, Any] = {
        "path": str(verdict.source.path),
        "sha256": verdict.source.sha256,
        "outcome": verdict.outcome,
        "reason": verdict.reason.get(form.languages[0]) or None,
        "report": verdict.report,
        "recipient": verdict.recipient,
        "form": submission.form if submission else None,
        "version": submission.version if submission else None,
    }
    if answers:
        told["answers"] = answers_json(submission, form) if submission else None
    return told | {"findings": [finding_json(finding) for finding in verdict.findings]}


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "sheet": finding.sheet,
        "cells": list(finding.cells),
        "questions": list(finding.questions),
        "message": finding.message,
        "written": finding.written,
        "elsewhere": [{"sheet": sheet, "cell": cell} for sheet, cell in finding.elsewhere],
    } | ({"waiver": finding.waiver} if finding.waiver else {})


def answers_json(submission: Submission, form: Form) -> dict[str, Any]:
    """Every answer by sheet and question key: codes, ISO dates, numbers, null for empty.

    A question sheet is a mapping, a table a list of rows with `_row` (the row's number in the
    file), a grid a mapping of row keys.
    """
    return {key: _sheet(sheet, submission) for key, sheet in form.sheets.items()}


def _sheet(sheet: Sheet, submission: Submission) -> Any:  # noqa: ANN401 - a JSON value
    rows = submission.sheets[sheet.key].rows
    values = [{key: _value(row.answers.get(key)) for key in sheet.questions} for row in rows]
    if isinstance(sheet, QuestionSheet):
        return values[0] if values else {}
    if isinstance(sheet, GridSheet):
        return {row.key: line for row, line in zip(rows, values, strict=True)}
    return [line | {"_row": row.number} for row, line in zip(rows, values, strict=True)]


def _value(answer: Answer | None) -> Any:  # noqa: ANN401 - a JSON value
    if answer is None or answer.problem:
        return None
    return answer.value.isoformat() if isinstance(answer.value, date) else answer.value
