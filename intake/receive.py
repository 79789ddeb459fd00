"""One Return -> one Submission, or the reason there is none."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from pathlib import Path

from intake.derive import derive
from intake.guard import error_cells, inspect
from intake.locate import LocateError, Place, locate
from intake.personal import without_birth_numbers
from intake.reader import UnreadableWorkbookError, Workbook, read_workbook
from intake.submission import Answer, Refused, Return, Row, SheetAnswers, Submission
from intake.values import Reading, read_value
from templates import layout as at
from templates.cells import address, letter
from templates.form import Form, GridSheet, Question, QuestionSheet, Sheet
from templates.prefill import prefilled
from templates.recipients import Recipient
from templates.stamp import Stamp, find_stamps, is_genuine
from templates.texts import Texts, load_texts

WORKBOOK_TEXTS = Path(__file__).parent.parent / "templates" / "texts.toml"
CODE_ROWS = 12  # rows at the top of a sheet where the skjemakode is looked for
MARKS = (at.MARK_QUESTIONS, at.MARK_TABLE, at.MARK_GRID, at.MARK_CONTROL)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Office:
    """What the office knows when it takes returns in: its form, its key, whom it sent to.

    Without a key nothing is known of any round: the stamp is read but not proved.
    """

    form: Form
    key: bytes | None
    recipients: dict[str, Recipient]
    words: Texts = field(default_factory=lambda: load_texts(WORKBOOK_TEXTS))


class NotOursError(Exception):
    """A workbook whose identity does not hold; `reason` is a code of intake/texts.toml."""

    def __init__(self, outcome: str, reason: str, stamp: Stamp | None = None, **details: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.stamp = stamp
        self.details = details


def receive(source: Return, office: Office) -> Submission | Refused:
    """Read one returned file. Never raises: our own failure becomes a Refused of its own kind."""
    try:
        return _receive(source, office)
    except NotOursError as error:
        report, recipient = (error.stamp.report, error.stamp.recipient) if error.stamp else (None, None)
        return Refused(source, error.outcome, error.reason, error.details, report, recipient)
    except Exception:
        log.exception("could not read %s", source.path)
        return Refused(source, "failed", "failed")


def _receive(source: Return, office: Office) -> Submission | Refused:
    if source.trouble is not None:
        return Refused(source, source.trouble.outcome, source.trouble.reason, source.trouble.details)
    data = source.file.read_bytes()
    trouble = inspect(data, source.name)
    if trouble is not None:
        return Refused(source, trouble.outcome, trouble.reason)
    try:
        workbook = read_workbook(data)
    except UnreadableWorkbookError:
        return Refused(source, "unreadable", "damaged")
    stamp = _identify(workbook, office)
    errors = error_cells(data)
    if office.key is not None and not is_genuine(stamp, office.form, office.key):
        return _unproved(source, stamp, workbook, office, errors)
    return _believed(source, stamp, workbook, office, errors)


def _believed(
    source: Return, stamp: Stamp, workbook: Workbook, office: Office, errors: dict[str, set[str]]
) -> Submission | Refused:
    """Take the answers, unless there are none or they are from another owner. Raises NotOursError."""
    submission, recipient = _understand(source, stamp, workbook, office, errors)
    if is_unchanged(submission, office.form, recipient):
        return Refused(source, "empty", "empty_return", {}, stamp.report, stamp.recipient)
    other = _another_owner(submission, office)
    if other is not None:
        names = {"owner": recipient.name or recipient.orgnr, "other": other.name or other.orgnr}
        return Refused(source, "quarantined", "another_owner", names, stamp.report, None, submission)
    return submission


def _understand(
    source: Return, stamp: Stamp, workbook: Workbook, office: Office, errors: dict[str, set[str]]
) -> tuple[Submission, Recipient]:
    """Read the answers of a workbook with this stamp. Raises NotOursError."""
    form = office.form
    if stamp.version not in (form.version, *form.file.accepts):
        raise NotOursError("quarantined", "unknown_version", stamp, version=stamp.version, current=form.version)
    if office.key is not None and stamp.recipient not in office.recipients:
        raise NotOursError("quarantined", "unknown_recipient", stamp, orgnr=stamp.recipient)
    try:
        places = locate(workbook, form, office.words)
    except LocateError as error:
        raise NotOursError("quarantined", error.reason, stamp, **error.details) from None
    missing = [sheet.label[form.languages[0]] for key, sheet in form.sheets.items() if key not in places]
    if missing:
        raise NotOursError("quarantined", "sheets_missing", stamp, sheets=", ".join(f"«{name}»" for name in missing))
    recipient = office.recipients.get(stamp.recipient) or _stranger(stamp, form)
    sheets = _read_sheets(form, places, errors, recipient)
    read = Submission(source, form.name, stamp.version, recipient.language, stamp.recipient, stamp.report, sheets)
    return read, recipient


# whose is it?


def _unproved(source: Return, stamp: Stamp, workbook: Workbook, office: Office, errors: dict[str, set[str]]) -> Refused:
    """A skjemakode that is not ours, or was changed: whose it is nobody knows, but what it says is kept."""
    try:
        submission = _understand(source, stamp, workbook, office, errors)[0]
    except NotOursError:
        return Refused(source, "quarantined", "bad_code", {"code": stamp.code})
    return Refused(source, "quarantined", "bad_code", {"code": stamp.code}, submission=submission)


def _another_owner(submission: Submission, office: Office) -> Recipient | None:
    """The other recipient of the round that the answers say they are from, when they do."""
    for sheet, question in office.form.questions():
        if question.prefill == "recipient.orgnr" and isinstance(office.form.sheets[sheet], QuestionSheet):
            answer = submission.answer(f"{sheet}.{question.key}")
            if answer is not None and answer.value != submission.recipient:
                return office.recipients.get(str(answer.value))
    return None


def _identify(workbook: Workbook, office: Office) -> Stamp:
    """The one stamp that every carrier agrees on. Raises NotOursError."""
    stamps = dict.fromkeys(chain.from_iterable(find_stamps(text) for text in _carriers(workbook)))
    if not stamps:
        known = locate_any(workbook, office)
        raise NotOursError(*(("quarantined", "no_code") if known else ("unreadable", "foreign")))
    if len(stamps) > 1:
        codes = ", ".join(stamp.code for stamp in stamps)
        raise NotOursError("quarantined", "codes_disagree", codes=codes)
    stamp = next(iter(stamps))
    if not stamp.report.startswith(f"{office.form.file.code}-"):
        raise NotOursError("quarantined", "wrong_form", code=stamp.code)
    return stamp


def _stranger(stamp: Stamp, form: Form) -> Recipient:
    """A recipient of whom only the stamp is known."""
    return Recipient(stamp.recipient, "", "", "", form.languages[0])


def _carriers(workbook: Workbook) -> Iterator[str]:
    yield workbook.properties
    for sheet in workbook.sheets:
        for row in takewhile(_is_above_answers, sheet.rows[:CODE_ROWS]):
            yield " | ".join(cell for cell in row if isinstance(cell, str))


def _is_above_answers(row: Sequence[object]) -> bool:
    """Whether no answer has come yet: an owner may well write another report's code in one."""
    return not any(isinstance(cell, str) and cell.startswith(MARKS) for cell in row)


def locate_any(workbook: Workbook, office: Office) -> bool:
    """Whether any sheet of the form can be recognised in the workbook."""
    try:
        return bool(locate(workbook, office.form, office.words))
    except LocateError:
        return True


# what does it say?


def _read_sheets(
    form: Form, places: dict[str, Place], errors: dict[str, set[str]], recipient: Recipient
) -> dict[str, SheetAnswers]:
    read = {}
    for key, sheet in form.sheets.items():
        broken = errors.get(places[key].cells.name, set())
        read[key] = derive(form, sheet, _read_sheet(form, sheet, places[key], broken), recipient)
    return read


def _read_sheet(form: Form, sheet: Sheet, place: Place, broken: set[str]) -> SheetAnswers:
    if isinstance(sheet, QuestionSheet):
        spots = {key: (row, place.columns[key]) for key, row in place.rows.items()}
        only = Row(0, "", _answers(form, sheet, place, spots, broken))
        return SheetAnswers(place.cells.name, {key: address(*spot) for key, spot in spots.items()}, (only,))
    places = {key: letter(column) for key, column in place.columns.items()}
    lines = [(row, key) for key, row in place.rows.items()] if isinstance(sheet, GridSheet) else _used(sheet, place)
    rows = tuple(
        Row(
            row + 1,
            key,
            _answers(form, sheet, place, {name: (row, col) for name, col in place.columns.items()}, broken),
        )
        for row, key in lines
    )
    return SheetAnswers(place.cells.name, places, rows, place.first_row + 1)


def _used(sheet: Sheet, place: Place) -> list[tuple[int, str]]:
    """The rows of a table where the owner has written something."""
    columns = [
        place.columns[key]
        for key, question in sheet.questions.items()
        if key in place.columns and not question.calculated
    ]
    return [
        (row, "")
        for row in range(place.first_row, len(place.cells.rows))
        if any(not _blank(place.cells.at(row, column)) for column in columns)
    ]


def _blank(cell: object) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _answers(
    form: Form, sheet: Sheet, place: Place, spots: dict[str, tuple[int, int]], broken: set[str]
) -> dict[str, Answer]:
    answers = {}
    for key, (row, column) in spots.items():
        question = sheet.questions[key]
        if question.calculated:
            continue
        where = address(row, column)
        reading = (
            Reading(None, "", "error_cell") if where in broken else _read(place.cells.at(row, column), question, form)
        )
        if reading is not None:
            answers[key] = Answer(
                reading.value, reading.raw, where, reading.problem, reading.note, dict(reading.details)
            )
    return answers


def _read(cell: object, question: Question, form: Form) -> Reading | None:
    reading = None if cell == "" else read_value(cell, question, form)
    return None if reading is None else without_birth_numbers(reading, question)


def is_unchanged(submission: Submission, form: Form, recipient: Recipient) -> bool:
    """Whether nothing was written beyond what the workbook was sent with."""
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
