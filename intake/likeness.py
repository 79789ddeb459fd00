"""Whose a workbook without a skjemakode looks like: a proposal to a person, never a decision."""

from collections.abc import Iterable

from intake.submission import SheetAnswers
from templates.form import Form
from templates.recipients import Recipient

TELLING = ("orgnr", "name", "email", "contact", "phone")  # what hardly two owners share


def likely_owner(
    form: Form, sheets: dict[str, SheetAnswers], sender: str | None, recipients: Iterable[Recipient]
) -> Recipient | None:
    """The one recipient whose own name, number or address stands in most answers; None when nobody stands out."""
    written = _written(form, sheets)
    likeness = [(_likeness(recipient, written, sender), recipient) for recipient in recipients]
    best = max((score for score, _ in likeness), default=0)
    alike = [recipient for score, recipient in likeness if score == best]
    return alike[0] if best and len(alike) == 1 else None


def _written(form: Form, sheets: dict[str, SheetAnswers]) -> dict[str, str]:
    """What stands now where we had filled in something, by its source."""
    return {
        question.prefill: _plain(row.answers[question.key].value)
        for sheet, question in form.questions()
        if question.prefill and sheet in sheets
        for row in sheets[sheet].rows
        if question.key in row.answers
    }


def _likeness(recipient: Recipient, written: dict[str, str], sender: str | None) -> int:
    ours = {field: _plain(getattr(recipient, field)) for field in TELLING}
    alike = sum(bool(value) and written.get(f"recipient.{field}") == value for field, value in ours.items())
    return alike + (bool(ours["email"]) and _plain(sender) == ours["email"])


def _plain(value: object) -> str:
    return "" if value is None else str(value).casefold()
