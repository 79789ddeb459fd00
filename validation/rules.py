"""Checks that no predicate can say: named functions, each of one sentence.

A rule names one with `check = "…"`. The function gets the submission, the form and the questions
that the rule gives it, and gives what is to be said where the rule is broken, nothing when all is well.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from intake.submission import Oddity, Submission
from templates.form import Form
from validation.hits import Given, Said
from validation.verdict import Verdict

QUOTED = 3  # texts of one sheet that are told word for word


def moment(when: datetime, form: Form) -> str:
    """Tell a moment as the clock on the wall of the form shows it."""
    return f"{when.astimezone(form.zone):%d.%m.%Y kl. %H.%M}"


def is_in_time(received: datetime, form: Form) -> bool:
    """Whether a moment is no later than the deadline, to the second."""
    # in UTC: within one time zone Python compares the wall clocks, and summer time ends twice
    return received.astimezone(UTC).replace(microsecond=0) <= form.deadline.astimezone(UTC)


def received_by_deadline(submission: Submission, form: Form, _given: Given) -> Iterator[Said]:
    """The return was received by the deadline, judged in the form's time zone."""
    received = submission.source.received
    if not is_in_time(received, form):
        yield Said({"mottatt": moment(received, form), "frist": moment(form.deadline, form)})


def received_after_opening(submission: Submission, form: Form, _given: Given) -> Iterator[Said]:
    """The return was received after the form opened, judged in the form's time zone."""
    received = submission.source.received.astimezone(form.zone)
    if received.date() < form.file.opens:
        yield Said({"mottatt": f"{received:%d.%m.%Y}", "apning": f"{form.file.opens:%d.%m.%Y}"})


# Domains that strangers share: there only the whole address tells one person from another.
SHARED_DOMAINS = frozenset({
    "broadpark.no", "frisurf.no", "getmail.no", "gmail.com", "hotmail.com", "hotmail.no", "icloud.com", "live.com",
    "live.no", "lyse.net", "mac.com", "me.com", "msn.com", "online.no", "outlook.com", "proton.me", "protonmail.com",
    "yahoo.com", "yahoo.no",
})  # fmt: skip


def sender_is_contact(submission: Submission, _form: Form, given: Given) -> Iterator[Said]:
    """The sender is the contact person or at the same domain; nothing is known without a sender or a contact."""
    sender, contact = submission.source.sender, submission.answer(given["email"])
    if sender is None or contact is None or contact.problem or not contact.value:
        return
    if not same_house(sender, str(contact.value)):
        yield Said({"avsender": sender})


def same_house(one: str, other: str) -> bool:
    """Whether two e-mail addresses are the same, or at a domain that strangers do not share."""
    first, second = _address(one), _address(other)
    return first == second or (first[1] == second[1] and first[1] not in SHARED_DOMAINS)


def _address(email: str) -> tuple[str, str]:
    """The name and the domain of an address; a domain with æ, ø or å is written in two ways."""
    name, _, domain = email.strip().casefold().rpartition("@")
    try:
        return name, domain.encode("idna").decode("ascii")
    except UnicodeError:
        return name, domain


def language_decided(submission: Submission, form: Form, given: Given) -> Iterator[Said]:
    """The owner asks for a reply in the language it is registered with."""
    asked, ours = submission.answer(given["asked"]), submission.language
    if asked is None or asked.problem or asked.value == ours or asked.value not in form.languages:
        return
    names = form.question_options(form.question(given["asked"]))
    words = {"onsket": names.get(str(asked.value), {}), "maalform": names.get(ours, {})}
    yield Said({f"{word}.{code}": name.lower() for word, name_in in words.items() for code, name in name_in.items()})


# what stands beside the answers


def rows_in_table(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Nothing is written outside the answers: beside them, in a row or tab of the owner's own, in a text box."""
    for sheet, found in _oddities(submission, "outside"):
        yield Said(_quoted(found), sheet, tuple(one.cell for one in found), found[0].text)
    for _, found in _oddities(submission, "elsewhere"):
        yield Said(_quoted(found), "", (), found[0].text)


def _quoted(found: list[Oddity]) -> dict[str, str]:
    shown = ", ".join(f"«{one.text}»" for one in found[:QUOTED])
    return {"tekst": shown + (" …" if len(found) > QUOTED else "")}


def rows_in_sight(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Rows and columns that are filled in are not hidden."""
    for sheet, found in _oddities(submission, "hidden"):
        yield Said({}, sheet, tuple(one.cell for one in found), found[0].text)


def tabs_in_sight(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Tabs that are filled in are not hidden."""
    for sheet, found in _oddities(submission, "hidden_tab"):
        yield Said({}, sheet, (), found[0].text)


def answers_apart(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Cells for answers are not merged: then only one of them holds something."""
    for sheet, found in _oddities(submission, "merged"):
        for area in dict.fromkeys(one.text for one in found):
            yield Said({"celler": area}, sheet, tuple(one.cell for one in found if one.text == area))


def no_notes(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Nothing is written in notes on cells, which are no answers."""
    for sheet, found in _oddities(submission, "note"):
        for one in found:
            yield Said({"tekst": one.text}, sheet, (one.cell,), one.text)


def sums_as_sent(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Sums are not written over; they are calculated again, and what stands in their cells is not used."""
    yield from _one_by_one(submission, "total", "riktig")


def layout_kept(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Questions have the labels they were sent with; answers are found by key, not by address."""
    yield from _one_by_one(submission, "label", "felt")


def tabs_kept(submission: Submission, _form: Form, _given: Given) -> Iterator[Said]:
    """Tabs have the names they were sent with."""
    yield from _one_by_one(submission, "tab", "fane")


def _one_by_one(submission: Submission, kind: str, word: str) -> Iterator[Said]:
    """Each by itself, with what our workbook has there under this word."""
    for sheet, found in _oddities(submission, kind):
        for one in found:
            expected = {f"{word}.{language}": text for language, text in one.expected.items()}
            yield Said({"verdi": one.text, **expected}, sheet, (one.cell,) if one.cell else (), one.text)


def _oddities(submission: Submission, kind: str) -> Iterator[tuple[str, list[Oddity]]]:
    for key, sheet in submission.sheets.items():
        found = [one for one in sheet.oddities if one.kind == kind]
        if found:
            yield key, found


CHECKS: dict[str, Callable[[Submission, Form, Given], Iterator[Said]]] = {
    "received_by_deadline": received_by_deadline,
    "received_after_opening": received_after_opening,
    "sender_is_contact": sender_is_contact,
    "language_decided": language_decided,
    "rows_in_table": rows_in_table,
    "rows_in_sight": rows_in_sight,
    "tabs_in_sight": tabs_in_sight,
    "answers_apart": answers_apart,
    "no_notes": no_notes,
    "sums_as_sent": sums_as_sent,
    "layout_kept": layout_kept,
    "tabs_kept": tabs_kept,
}
OF_THE_FILE = frozenset(
    {
        "rows_in_table",
        "rows_in_sight",
        "tabs_in_sight",
        "answers_apart",
        "no_notes",
        "sums_as_sent",
        "layout_kept",
        "tabs_kept",
    }
)
"""Checks of what stands beside the answers: only who reads the file can make them."""
DEADLINE_CHECK = "received_by_deadline"
SENDER_CHECK = "sender_is_contact"


def without_sender(form: Form, verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """The rules that could not be checked on some of the files, because nobody knows who sent them."""
    unknown = sum(verdict.submission is not None and verdict.source.sender is None for verdict in verdicts)
    files = "1 file" if unknown == 1 else f"{unknown} files"
    reason = f"the sender of {files} is not known"
    return [(rule.id, reason) for rule in form.rules if rule.check == SENDER_CHECK and unknown]
