"""Checks that no predicate can say: named functions, each of one sentence.

A rule names one with `check = "…"`. The function gets the submission and the form and returns
the values its message may use when the rule is broken, None when all is well.
"""

from collections.abc import Callable

from intake.submission import Submission
from templates.form import Form

Broken = dict[str, str] | None


def received_by_deadline(submission: Submission, form: Form) -> Broken:
    """The return was received by the deadline, judged in the form's time zone."""
    received = submission.source.received.astimezone(form.zone)
    if received <= form.deadline:
        return None
    return {"mottatt": f"{received:%d.%m.%Y kl. %H.%M}", "frist": f"{form.deadline:%d.%m.%Y kl. %H.%M}"}


def received_after_opening(submission: Submission, form: Form) -> Broken:
    """The return was received after the form opened, judged in the form's time zone."""
    received = submission.source.received.astimezone(form.zone)
    if received.date() >= form.file.opens:
        return None
    return {"mottatt": f"{received:%d.%m.%Y}", "apning": f"{form.file.opens:%d.%m.%Y}"}


CHECKS: dict[str, Callable[[Submission, Form], Broken]] = {
    "received_by_deadline": received_by_deadline,
    "received_after_opening": received_after_opening,
}
DEADLINE_CHECK = "received_by_deadline"
