"""Checks that no predicate can say: named functions, each of one sentence.

A rule names one with `check = "…"`. The function gets the submission, the form and the questions
that the rule gives it, and returns the values its message may use when the rule is broken, None
when all is well.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from intake.submission import Submission
from templates.form import Form
from validation.hits import Given
from validation.verdict import Verdict

Broken = dict[str, str] | None


def moment(when: datetime, form: Form) -> str:
    """Tell a moment as the clock on the wall of the form shows it."""
    return f"{when.astimezone(form.zone):%d.%m.%Y kl. %H.%M}"


def is_in_time(received: datetime, form: Form) -> bool:
    """Whether a moment is no later than the deadline, to the second."""
    # in UTC: within one time zone Python compares the wall clocks, and summer time ends twice
    return received.astimezone(UTC).replace(microsecond=0) <= form.deadline.astimezone(UTC)


def received_by_deadline(submission: Submission, form: Form, _given: Given) -> Broken:
    """The return was received by the deadline, judged in the form's time zone."""
    received = submission.source.received
    if is_in_time(received, form):
        return None
    return {"mottatt": moment(received, form), "frist": moment(form.deadline, form)}


def received_after_opening(submission: Submission, form: Form, _given: Given) -> Broken:
    """The return was received after the form opened, judged in the form's time zone."""
    received = submission.source.received.astimezone(form.zone)
    if received.date() >= form.file.opens:
        return None
    return {"mottatt": f"{received:%d.%m.%Y}", "apning": f"{form.file.opens:%d.%m.%Y}"}


# Domains that strangers share: there only the whole address tells one person from another.
SHARED_DOMAINS = frozenset({
    "broadpark.no", "frisurf.no", "getmail.no", "gmail.com", "hotmail.com", "hotmail.no", "icloud.com", "live.com",
    "live.no", "lyse.net", "mac.com", "me.com", "msn.com", "online.no", "outlook.com", "proton.me", "protonmail.com",
    "yahoo.com", "yahoo.no",
})  # fmt: skip


def sender_is_contact(submission: Submission, _form: Form, given: Given) -> Broken:
    """The sender is the contact person or at the same domain; nothing is known without a sender or a contact."""
    sender, contact = submission.source.sender, submission.answer(given["email"])
    if sender is None or contact is None or contact.problem or not contact.value:
        return None
    ours, theirs = _address(sender), _address(str(contact.value))
    same_domain = ours[1] == theirs[1] and ours[1] not in SHARED_DOMAINS
    return None if ours == theirs or same_domain else {"avsender": sender}


def _address(email: str) -> tuple[str, str]:
    """The name and the domain of an address; a domain with æ, ø or å is written in two ways."""
    name, _, domain = email.strip().casefold().rpartition("@")
    try:
        return name, domain.encode("idna").decode("ascii")
    except UnicodeError:
        return name, domain


CHECKS: dict[str, Callable[[Submission, Form, Given], Broken]] = {
    "received_by_deadline": received_by_deadline,
    "received_after_opening": received_after_opening,
    "sender_is_contact": sender_is_contact,
}
DEADLINE_CHECK = "received_by_deadline"
SENDER_CHECK = "sender_is_contact"


def without_sender(form: Form, verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """The rules that could not be checked on some of the files, because nobody knows who sent them."""
    unknown = sum(verdict.submission is not None and verdict.source.sender is None for verdict in verdicts)
    files = "1 file" if unknown == 1 else f"{unknown} files"
    reason = f"the sender of {files} is not known"
    return [(rule.id, reason) for rule in form.rules if rule.check == SENDER_CHECK and unknown]
