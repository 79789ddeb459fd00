"""Reports of made-up owners to test behovsmelding-2024 with: clean ones, mistaken ones, and neighbours of both.

Every report of one sample is of the same owner, so that what one is told never depends on the others.
"""

import io
import re
import tomllib
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from intake.sample import Mistake, Sample
from intake.submission import Submission
from templates.fill import fill_workbook
from templates.recipients import Recipient
from tests.desk import Desk
from validation.check import judge
from validation.verdict import Verdict

DESK = Desk.of("behovsmelding-2024")
FORM = DESK.form
LANGUAGES = FORM.languages
CLEAN = DESK.samples.clean
ERROR = "#N/A"  # as an answer: the cell holds this error
STANDARD = (  # the rules of every form that this form has no mistake for
    Mistake("date_read", "rek_privat", {"skjema.start_dato": "19. august 2024"}, cells=("skjema.start_dato",)),
    Mistake("long_text", "rek_privat", {"skjema.mal": "ord " * 8200}, cells=("skjema.mal",)),
    Mistake("error_cell", "rek_privat", {"skjema.start_dato": ERROR}, cells=("skjema.start_dato",)),
)
MISTAKES = (*DESK.samples.mistakes, *STANDARD)
NEIGHBOURS = Path(__file__).with_name("neighbours.toml")


def name_of(mistake: Mistake) -> str:
    """The rule it breaks, with its part: S19.for_mye_2025."""
    return f"{mistake.rule}.{mistake.part}" if mistake.part else mistake.rule


def new_owner(sample: Sample, language: str = LANGUAGES[0], more: Sample | None = None) -> Recipient:
    """The next made-up owner, with units for a sample, or for two of them."""
    wanted = Counter(sample.unit_types) | Counter(more.unit_types if more else ())
    return DESK.owner_for(replace(sample, unit_types=tuple(wanted.elements())), language=language)


def filled(sample: Sample, owner: Recipient, others: list[Recipient], change: Mistake | None = None) -> bytes:
    """The workbook of an owner who fills in a sample with a change in it."""
    answers = DESK.fill_in(sample, owner, others, change)
    workbook = fill_workbook(_sent(owner), FORM, owner.language, answers)
    if change and ERROR in change.changes.values():
        return rewritten(workbook, rb't="inlineStr"><is><t[^>]*>#N/A</t></is>', b't="e"><v>#N/A</v>')
    return workbook


@cache
def _sent(owner: Recipient) -> bytes:
    return DESK.send(owner)


def rewritten(workbook: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with another text in place of a pattern, which must be there."""
    buffer, found = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data, count = re.subn(old, new, source.read(entry))
            found += count
            target.writestr(entry, data)
    assert found, f"{old!r} is not in the workbook"
    return buffer.getvalue()


def send_in(sample: Sample, owner: Recipient, others: list[Recipient], change: Mistake | None = None) -> Submission:
    """What comes of such a workbook, received when the change says, else in time."""
    DESK.recipients.update({one.orgnr: one for one in (owner, *others)})
    received = datetime.fromisoformat(change.received).replace(tzinfo=FORM.zone) if change and change.received else None
    with TemporaryDirectory() as folder:
        taken = DESK.take_in(Path(folder) / "melding.xlsx", filled(sample, owner, others, change), received)
    assert isinstance(taken, Submission), taken
    return taken


def owner_of_all(name: str, language: str) -> Recipient:
    """The owner that every report of this sample is of."""
    DESK.begin_again()
    return new_owner(CLEAN[name], language)


def report(name: str, language: str, change: Mistake | None = None) -> Submission:
    """What that owner returns."""
    owner, sample = owner_of_all(name, language), CLEAN[name]
    return send_in(sample, owner, [DESK.owner_for(sample) for _ in range(3)], change)


@cache
def clean_reports(language: str) -> tuple[Submission, ...]:
    """Every clean sample, in order."""
    return tuple(report(name, language) for name in CLEAN)


@cache
def mistaken_reports(language: str) -> tuple[Submission, ...]:
    """Every mistake, in order."""
    return tuple(report(one.sample, language, one) for one in MISTAKES)


@dataclass(frozen=True)
class Neighbour:
    """A variation of a clean sample, and the rules that speak of it, mostly none."""

    change: Mistake
    why: str
    told: frozenset[str]


@cache
def neighbours() -> tuple[Neighbour, ...]:
    raw = tomllib.loads(NEIGHBOURS.read_text(encoding="utf-8"))["neighbour"]
    return tuple(
        Neighbour(Mistake.read({"rule": "", **one}), one["why"], frozenset(one.get("told", ()))) for one in raw
    )


@cache
def neighbouring_reports() -> tuple[Submission, ...]:
    """Every neighbour, in order."""
    return tuple(report(one.change.sample, LANGUAGES[0], one.change) for one in neighbours())


@cache
def judged_clean(language: str) -> list[Verdict]:
    return judge(clean_reports(language), FORM)


@cache
def judged_mistakes(language: str) -> list[Verdict]:
    """The verdict on every mistake, all of them judged as one batch, as staff do."""
    return judge(mistaken_reports(language), FORM)


@cache
def judged_neighbours() -> list[Verdict]:
    return judge(neighbouring_reports(), FORM)
