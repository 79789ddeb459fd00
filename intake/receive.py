"""One Return -> one Submission, or the reason there is none."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, takewhile
from os import fstat
from pathlib import Path

from intake.answers import read_answers
from intake.around import with_oddities
from intake.former import Former
from intake.guard import MAX_FILE, Inspection, is_harmless, opened
from intake.isolation import Work
from intake.likeness import likely_owner
from intake.locate import LocateError, Place, locate
from intake.reader import UnreadableWorkbookError, Workbook, read_workbook
from intake.submission import Answer, Refused, Return, Submission
from intake.tabs import CODE_ROWS, MARKS, OurTabs
from intake.values import Reading, read_value
from templates.form import Form, QuestionSheet
from templates.layout import STAMP_SHEET
from templates.prefill import prefilled
from templates.recipients import Recipient
from templates.stamp import Stamp, find_stamps, is_genuine, is_signed
from templates.texts import Texts, load_texts

WORKBOOK_TEXTS = Path(__file__).parent.parent / "templates" / "texts.toml"
WORDS = ("outside", "elsewhere", "note")  # kinds of what an owner wrote where nothing is asked
OWNER, REPORT = "recipient.orgnr", "report.id"  # what a question may be filled in with

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Office:
    """What the office knows when it takes returns in: its form, its key, whom it sent to.

    Without a key nothing is known of any round: the stamp is read but not proved. `prepare` makes answers ready for
    what keeps them, in the process that reads them.
    """

    form: Form
    key: bytes | None
    recipients: dict[str, Recipient]
    words: Texts = field(default_factory=lambda: load_texts(WORKBOOK_TEXTS))
    prepare: Callable[[Submission], object] | None = None

    @cached_property
    def tabs(self) -> OurTabs:
        return OurTabs(self.form, self.words)


class NotOursError(Exception):
    """A workbook whose identity does not hold; `reason` is a code of intake/texts.toml."""

    def __init__(self, outcome: str, reason: str, stamp: Stamp | None = None, **details: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.stamp = stamp
        self.details = details


Received = Submission | Refused
KILLED = ("quarantined", "killed_reader")  # a file that ended the process that read it


def receive(source: Return, office: Office) -> Received:
    """Read one returned file, in a process of its own when it might harm ours. Never raises."""
    if _is_harmless(source):
        return receive_here(source, office)
    return next(Work(receive_here, office).one_by_one([source])) or Refused(source, *KILLED)


def _is_harmless(source: Return) -> bool:
    try:
        return is_harmless(first_bytes(source.path), source.name)
    except OSError:
        return True  # there is nothing to read


def receive_here(source: Return, office: Office) -> Received:
    """Read one returned file in this process. Never raises: our own failure becomes a Refused of its own kind."""
    try:
        return _prepared(_receive(source, office), office)
    except NotOursError as error:
        report, recipient = (error.stamp.report, error.stamp.recipient) if error.stamp else (None, None)
        return Refused(source, error.outcome, error.reason, error.details, report, recipient)
    except (MemoryError, RecursionError):
        return Refused(source, *KILLED)
    except Exception:
        log.exception("could not read %s", source.path)
        return Refused(source, "failed", "failed")


def _prepared(received: Received, office: Office) -> Received:
    """The same, with its answers made ready."""
    if office.prepare is None:
        return received
    if isinstance(received, Submission):
        return received.prepared_by(office.prepare)
    return replace(received, submission=received.submission and received.submission.prepared_by(office.prepare))


def receive_far(source: Return, office: Office) -> Received:
    """Read one returned file on another machine. Raises OSError when it is not to be found from there."""
    if source.trouble is None:
        source.file.stat()
    return receive_here(source, office)


def _receive(source: Return, office: Office) -> Received:
    if source.trouble is not None:
        return Refused(source, source.trouble.outcome, source.trouble.reason, source.trouble.details)
    package = opened(first_bytes(source.file), source.name)
    if isinstance(package, Inspection):
        return Refused(source, package.outcome, package.reason)
    try:
        workbook = read_workbook(package)
    except UnreadableWorkbookError:
        return Refused(source, "unreadable", "damaged")
    stamp = _identify(workbook, office, source.sender)
    if office.key is not None and not is_genuine(stamp, office.form, office.key):
        return _unproved(source, stamp, workbook, office)
    return _believed(source, stamp, workbook, office)


def _believed(source: Return, stamp: Stamp, workbook: Workbook, office: Office) -> Received:
    """Take the answers, unless there are none or they are from another owner. Raises NotOursError."""
    submission, recipient = _understand(source, stamp, workbook, office)
    _check_locked(submission, stamp, office, _locked_as_sent(workbook, stamp, office))
    if is_unchanged(submission, office.form, recipient):
        return Refused(source, "empty", "empty_return", {}, stamp.report, stamp.recipient)
    other = _another_owner(submission, office)
    if other is not None:
        names = {"owner": recipient.name or recipient.orgnr, "other": other.name or other.orgnr}
        return Refused(source, "quarantined", "another_owner", names, stamp.report, None, submission)
    return submission


def first_bytes(path: Path) -> bytes:
    """The bytes of a file, or enough of them to see that it is too big."""
    with path.open("rb") as file:
        size = fstat(file.fileno()).st_size  # no more memory is asked for than it takes
        return file.read(min(size, MAX_FILE) + 1)


def _understand(source: Return, stamp: Stamp, workbook: Workbook, office: Office) -> tuple[Submission, Recipient]:
    """Read the answers of a workbook with this stamp. Raises NotOursError."""
    form = office.form
    if stamp.version not in (form.version, *form.file.accepts):
        raise NotOursError("quarantined", "unknown_version", stamp, version=stamp.version, current=form.version)
    if office.key is not None and stamp.recipient not in office.recipients:
        raise NotOursError("quarantined", "unknown_recipient", stamp, orgnr=stamp.recipient)
    former = Former(form, stamp.version)
    try:
        places = former.places(locate(workbook, former.then, office.words, former.dropped))
    except LocateError as error:
        raise NotOursError("quarantined", error.reason, stamp, **error.details) from None
    missing = [sheet.label[form.languages[0]] for key, sheet in form.sheets.items() if key not in places]
    if missing:
        raise NotOursError("quarantined", "sheets_missing", stamp, sheets=", ".join(f"«{name}»" for name in missing))
    recipient = office.recipients.get(stamp.recipient) or _stranger(stamp, form, places)
    sheets = read_answers(form, places, recipient, former.recoded, is_1904=workbook.is_1904)
    if stamp.version == form.version:  # of an older one it is not known which words are ours
        sheets = with_oddities(form, places, sheets, office.words)
        main, elsewhere = sheets[form.main_sheet], office.tabs.written_elsewhere(workbook, places)
        sheets[form.main_sheet] = main.beside((*main.oddities, *elsewhere))
    read = Submission(source, form.name, stamp.version, recipient.language, stamp.recipient, stamp.report, sheets)
    return read, recipient


# whose is it?


def _unproved(source: Return, stamp: Stamp, workbook: Workbook, office: Office) -> Refused:
    """A skjemakode that is not ours, or was changed: whose it is nobody knows, but what it says is kept."""
    try:
        submission = _understand(source, stamp, workbook, office)[0]
    except NotOursError:
        return Refused(source, "quarantined", "bad_code", {"code": stamp.code})
    return Refused(source, "quarantined", "bad_code", {"code": stamp.code}, submission=submission)


def _another_owner(submission: Submission, office: Office) -> Recipient | None:
    """The other recipient of the round that the answers say they are from, when they do."""
    for sheet, question in office.form.questions():
        if question.prefill == OWNER and isinstance(office.form.sheets[sheet], QuestionSheet):
            answer = submission.answer(f"{sheet}.{question.key}")
            if answer is not None and answer.value != submission.recipient:
                return office.recipients.get(str(answer.value))
    return None


def _identify(workbook: Workbook, office: Office, sender: str | None) -> Stamp:
    """The one stamp that every carrier agrees on. Raises NotOursError."""
    stamps = dict.fromkeys(chain.from_iterable(find_stamps(text) for text in _carriers(workbook)))
    if not stamps:
        raise _without_code(workbook, office, sender)
    if len(stamps) > 1:
        codes = ", ".join(stamp.code for stamp in stamps)
        raise NotOursError("quarantined", "codes_disagree", codes=codes)
    stamp = next(iter(stamps))
    if not stamp.report.startswith(f"{office.form.file.code}-"):
        raise NotOursError("quarantined", "wrong_form", code=stamp.code)
    return stamp


def _stranger(stamp: Stamp, form: Form, places: Mapping[str, Place] | None = None) -> Recipient:
    """A recipient of whom only the stamp is known, and the language that most tabs are in."""
    tabs = [(form.sheets[key].label, place.cells.name) for key, place in (places or {}).items()]
    language = max(form.languages, key=lambda code: sum(label[code] == name for label, name in tabs))
    return Recipient(stamp.recipient, "", "", "", language)


def _carriers(workbook: Workbook) -> Iterator[str]:
    yield workbook.properties
    for sheet in workbook.sheets:
        for row in takewhile(_is_above_answers, sheet.rows[:CODE_ROWS]):
            yield " | ".join(cell for cell in row if isinstance(cell, str))


def _is_above_answers(row: Sequence[object]) -> bool:
    """Whether no answer has come yet: an owner may well write another report's code in one."""
    return not any(isinstance(cell, str) and cell.startswith(MARKS) for cell in row)


def _without_code(workbook: Workbook, office: Office, sender: str | None) -> NotOursError:
    """What to say of a workbook without a code: whether it is the form, and whose it looks like."""
    try:
        places = locate(workbook, office.form, office.words)
    except LocateError:
        return NotOursError("quarantined", "no_code")
    if not places:
        return NotOursError("unreadable", "foreign")
    nobody = Recipient("", "", "", "", office.form.languages[0])
    sheets = read_answers(
        office.form, places, nobody, Former(office.form, office.form.version).recoded, is_1904=workbook.is_1904
    )
    owner = likely_owner(office.form, sheets, sender, office.recipients.values())
    if owner is None:
        return NotOursError("quarantined", "no_code")
    return NotOursError("quarantined", "no_code_likely", owner=owner.name, orgnr=owner.orgnr)


def _locked_as_sent(workbook: Workbook, stamp: Stamp, office: Office) -> dict[str, str]:
    """What the locked cells held when the workbook was sent, as its stamp sheet says under our signature.

    Empty where the program that saved it lost that sheet. Raises NotOursError when it was changed.
    """
    rows = next((sheet.rows for sheet in workbook.sheets if sheet.name == STAMP_SHEET), [])
    said = {str(row[0]): str(row[1]) for row in rows if len(row) > 1}
    if office.key is None or "locked" not in said:
        return {}
    if not is_signed(stamp, said["locked"], said.get("signature", ""), office.key):
        raise NotOursError("quarantined", "bad_code", code=stamp.code)
    former = Former(office.form, stamp.version)
    return {former.path(path): text for path, text in json.loads(said["locked"]).items()}


def _check_locked(submission: Submission, stamp: Stamp, office: Office, locked: dict[str, str]) -> None:
    """Demand that what we wrote and locked still stands. Raises NotOursError."""
    form, recipient = office.form, office.recipients.get(stamp.recipient)
    for sheet, question in form.questions():
        answer = next((row.answers.get(question.key) for row in submission.sheets[sheet].rows), None)
        if answer is None or not question.locked or (recipient is None and question.prefill != REPORT):
            continue
        known = prefilled(question, recipient or _stranger(stamp, form), stamp.report)
        sent = read_value(locked.get(f"{sheet}.{question.key}", known), question, form)
        if not _is_same(answer, sent):
            details = {"label": question.label[form.languages[0]], "was": sent.raw if sent else "", "now": answer.raw}
            raise NotOursError("quarantined", "locked_changed", stamp, **details)


# has anything been written?


def is_unchanged(submission: Submission, form: Form, recipient: Recipient) -> bool:
    """Whether nothing was written beyond what the workbook was sent with, as an answer or beside the answers."""
    if any(oddity.kind in WORDS for sheet in submission.sheets.values() for oddity in sheet.oddities):
        return False
    for sheet_key, sheet in form.sheets.items():
        for row in submission.sheets[sheet_key].rows:
            for key, answer in row.answers.items():
                question = sheet.questions[key]
                sent = read_value(prefilled(question, recipient, submission.report), question, form)
                if not question.calculated and not _is_same(answer, sent):
                    return False
    return True


def _is_same(answer: Answer, sent: Reading | None) -> bool:
    if sent is None:
        return False
    return answer.raw == sent.raw if answer.problem else answer.value == sent.value
