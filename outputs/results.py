"""The machine-readable form of results: the contract of `--json`."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from intake.mailbox import Collection, Listed
from intake.submission import Answer, Submission
from templates.form import Form, GridSheet, QuestionSheet, Sheet
from templates.round import Round, Sent
from templates.tables import BadRow
from validation.findings import Finding
from validation.verdict import Verdict

if TYPE_CHECKING:
    from outputs.mailing.sending import Run


def verdicts_json(verdicts: Sequence[Verdict], form: Form, *, answers: bool) -> dict[str, Any]:
    """What `ingest --json` and `check --json` print."""
    return {
        "files": [_file(verdict, form, answers=answers) for verdict in verdicts],
        "counts": dict(sorted(Counter(verdict.outcome for verdict in verdicts).items())),
    }


def sent_out_json(
    workbooks: Sequence[Sent],
    left_out: Sequence[BadRow],
    made: Sequence[dict[str, Any]],
    round_: Round,
    run: "Run | None",
) -> dict[str, Any]:
    """What `send-out --json` prints."""
    files = [
        {"report": one.report, "recipient": one.orgnr, "path": str(round_.sent_folder / one.file)} for one in workbooks
    ]
    return {"workbooks": files, "skipped": [str(row) for row in left_out], **letters_json(made, run)}


def letters_json(made: Sequence[dict[str, Any]], run: "Run | None") -> dict[str, Any]:
    """What `feedback --json` and `remind --json` print: the letters this call made or tried to send."""
    if run is None:
        return {"letters": list(made)}
    letters: dict[str, dict[str, Any]] = {}
    for row in (*made, *run.letters):
        letters[row["path"]] = letters.get(row["path"], {}) | row
    return {"letters": list(letters.values()), "sending": run.counts, "stopped": run.stopped or None}


def collected_json(collection: Collection) -> dict[str, Any]:
    """What `collect --json` prints."""
    return {
        "mailbox": collection.settings.user,
        "folder": collection.settings.folder,
        "messages": [
            {**_mail(one.listed), "path": str(one.path), "attachments": one.attachments, "came_back": one.came_back}
            for one in collection.new
        ],
        "known": collection.known,
        "too_big": [_mail(mail) for mail in collection.too_big],
        "missed": collection.missed,
    }


def _mail(listed: Listed) -> dict[str, Any]:
    mail = listed.opened.mail
    return {
        "uid": int(listed.uid),
        "message_id": mail.message_id,
        "sender": mail.sender or None,
        "subject": mail.subject,
        "received": listed.received.isoformat(),
        "size": listed.size,
    }


def _file(verdict: Verdict, form: Form, *, answers: bool) -> dict[str, Any]:
    submission = verdict.submission
    told: dict[str, Any] = {
        "path": str(verdict.source.path),
        "sha256": verdict.source.sha256,
        "outcome": verdict.outcome,
        "reason": verdict.reason.get(form.languages[0]) or None,
        "received": verdict.source.received.astimezone(form.zone).isoformat(),
        "clock": verdict.source.clock,
        "sender": verdict.source.sender,
        "message_id": verdict.source.mail.message_id if verdict.source.mail else None,
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
