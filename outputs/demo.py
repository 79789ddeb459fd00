"""A complete round on sample data: send-out, simulated owners, ingest, letters, export."""

import csv
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from intake.broken import BROKEN
from intake.sample import Mistake, Owners, Sample, Samples, Wanted, fill_in
from outputs.exports.exports import export
from outputs.ingest import ingest
from outputs.mailing.outbox import make_letters
from outputs.mailing.preview import write_preview
from outputs.overview.dashboard import make_dashboard
from outputs.progress import Progress
from outputs.register.register import Register
from outputs.register.waiting import typed
from outputs.telling import summary
from templates.definition import find_form
from templates.fill import fill_workbook
from templates.form import Form
from templates.grants import Grant
from templates.recipients import Recipient, Unit
from templates.round import Round, RoundError, Sent, new_round
from templates.sendout import plan, send_out
from validation.verdict import Verdict

MARK = "this-is-a-demo.txt"  # a folder without it is never overwritten
LATE, RESENT, TWICE = 5, 10, 8  # of 235 reports; more or fewer in proportion
USUAL = 235
MOST = 20  # reports of one owner; beyond them there are more owners, who are made up
FIRST_CASE = 40_001  # the number of the first earlier grant in its year
DAYS_TO_ANSWER = 60  # before the deadline the first workbook comes back
OFFICE_HOURS = (8 * 60, 16 * 60)  # minutes after midnight


@dataclass
class Entry:
    """One report that an owner will send in."""

    owner: Recipient
    sample: Sample
    mistakes: tuple[Mistake, ...] = ()
    late: bool = False
    resent: bool = False  # corrected in time by a second version
    twice: bool = False  # the same file comes again


@dataclass(frozen=True)
class Demo:
    """What a demo made, and where."""

    form: Form
    sent: int
    reports: int
    letters: int
    verdicts: list[Verdict]
    places: dict[str, Path]


def run_demo(folder: Path, form_name: str, returns: int | None, seed: int, progress: Progress) -> Demo:
    """Make a round in this folder, replacing an earlier demo there.

    Raises RoundError when the folder holds something else, or the form has no samples.
    """
    if not (find_form(form_name) / "samples").is_dir():
        raise RoundError(f"the form {form_name} has no samples/ to make a demo of; choose a form that has")
    round_ = _fresh_round(folder, form_name, seed)
    form = round_.form
    random = Random(seed)  # noqa: S311 - a repeatable demo, no secret
    story = Story(form, Samples(find_form(form_name)), random)
    entries = story.entries(returns)
    _write_recipients(round_, story.recipients(entries), list(story.grants.values()))
    lines = plan(round_, round_.recipients.values())
    with progress("Workbooks", len(lines)) as step:
        send_out(round_, lines, lambda: step(1))
    _return_workbooks(round_, story, entries, lines, progress)
    now = form.deadline.replace(hour=0, minute=0, second=0) + timedelta(days=1, minutes=OFFICE_HOURS[1])
    verdicts = ingest(round_, [], now, progress)
    register = Register.of(round_)
    letters = make_letters(round_, register, now, progress)
    write_preview(round_, register, now)
    export(round_, register, round_.exports / "register.xlsx", form.languages[0], now)
    dashboard = make_dashboard(round_, register, now, form.languages[0], progress)
    places = {
        "workbooks": round_.sent_folder,
        "returned files": round_.inbox,
        "letters": round_.outbox,
        "register workbook": round_.exports / "register.xlsx",
        "dashboard": dashboard.path,
    }
    reports = len({verdict.report for verdict in verdicts if verdict.submission})
    return Demo(form, len(lines), reports, len(letters), verdicts, places)


def demo_lines(done: Demo, folder: Path) -> Iterator[str]:
    """What a demo made, and where to look."""
    yield from summary(done.verdicts, done.form)
    made = f"{done.sent} workbooks were made, {done.reports} reports are registered"
    yield f"\n{made}, {done.letters} letters are written."
    yield ""
    yield from (f"  {label:<18}{path}" for label, path in done.places.items())
    yield f"\nTry: behov --round {typed(folder)} status"


def _fresh_round(folder: Path, form_name: str, seed: int) -> Round:
    if (folder / MARK).exists():
        for path in (folder / "archive").glob("*"):
            path.chmod(0o600)  # Windows removes no file that is read-only
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise RoundError(f"{folder} holds something that is no demo; choose another folder")
    round_ = new_round(folder, form_name)
    (folder / MARK).write_text("Made by behov demo, which may replace the whole folder.\n", encoding="utf-8")
    key = folder / "key"
    key.write_text(sha256(f"demo {seed}".encode()).hexdigest(), encoding="ascii")  # the same codes on every run
    key.chmod(0o600)
    return round_


class Story:
    """Who sends what in: drawn from the form's mix, the same for the same seed."""

    def __init__(self, form: Form, samples: Samples, random: Random) -> None:
        self.form = form
        self.samples = samples
        self.random = random
        self.owners = Owners(form, samples, random)
        self.public = self.owners.public()
        self.units: dict[str, list[Unit]] = {}
        self.grants: dict[tuple[str, str], Grant] = {}  # by owner and sample
        self.asks = Counter[str]()  # how many reports each owner sends
        self.pools: dict[tuple[str, str], list[Recipient]] = {}
        for owner in self.public:
            self.pools.setdefault((owner.type, owner.county), []).append(owner)

    def entries(self, returns: int | None) -> list[Entry]:
        """One entry for each report, with the mistakes and habits spread among them."""
        wanted = list(self._expanded(returns))
        entries = [self._entry(one, turn) for turn, one in enumerate(wanted)]
        self._make_mistakes(entries)
        clean = [entry for entry in entries if not entry.mistakes]
        self.random.shuffle(clean)
        share = len(entries) / USUAL
        late, twice = round(LATE * share), round(TWICE * share)
        for entry in clean[:late]:
            entry.late = True
        for entry in clean[late : late + twice]:
            entry.twice = True
        return entries

    def _expanded(self, returns: int | None) -> Iterator[Wanted]:
        lines = [line for line in self.samples.mix for _ in range(line.reports)]
        total = returns or len(lines)
        for number in range(total):
            yield lines[number * len(lines) // total if total < len(lines) else number % len(lines)]

    def _entry(self, wanted: Wanted, turn: int) -> Entry:
        sample = self.samples.clean[wanted.sample]
        public = self.pools.get((wanted.recipient_type, wanted.county))
        owner = public[turn % len(public)] if public else None
        if owner is None or self.asks[owner.orgnr] == MOST:
            owner = self.owners.make(wanted.recipient_type, wanted.county)
        self.asks[owner.orgnr] += 1
        self._give_units(owner, sample)
        self._give_grant(owner, sample)
        return Entry(owner, sample)

    def _give_grant(self, owner: Recipient, sample: Sample) -> None:
        """Let an owner have been granted something before, once for each kind of report it sends."""
        row = self.samples.grants.get(sample.name)
        if row and (owner.orgnr, sample.name) not in self.grants:
            reference = f"{row['year']}/{FIRST_CASE + len(self.grants)}"
            grant = Grant(reference, owner.orgnr, row["title"], row["year"], int(row["amount"]), row["scheme"])
            self.grants[owner.orgnr, sample.name] = grant

    def _give_units(self, owner: Recipient, sample: Sample) -> None:
        units = self.units.setdefault(owner.orgnr, [])
        for kind in dict.fromkeys(sample.unit_types):
            lacking = sample.unit_types.count(kind) - sum(unit.type == kind for unit in units)
            units += [self.owners.unit(kind, owner) for _ in range(lacking)]

    def _make_mistakes(self, entries: Sequence[Entry]) -> None:
        """Every mistake once, then some more that are corrected in time."""
        open_entries: dict[str, list[Entry]] = {}
        for entry in entries:
            open_entries.setdefault(entry.sample.name, []).append(entry)
        again = self.samples.mistakes[:: max(1, len(self.samples.mistakes) // RESENT)]
        for mistake, resent in [(one, False) for one in self.samples.mistakes] + [(one, True) for one in again]:
            suited = open_entries.get(mistake.sample, [])
            free = [entry for entry in suited if not entry.mistakes]
            if not free and not resent:  # more mistakes than reports: some owners make several
                free = [entry for entry in suited if _has_room(entry, mistake)]
            if free:
                entry = self.random.choice(free)
                entry.mistakes, entry.resent = (*entry.mistakes, mistake), resent

    def recipients(self, entries: Sequence[Entry]) -> list[Recipient]:
        """Everyone who gets a workbook: the public owners, and the made-up ones that answer."""
        owners = {owner.orgnr: owner for owner in (*self.public, *(entry.owner for entry in entries))}
        return [
            replace(owner, copies=self.asks[orgnr] or 1, units=tuple(self.units.get(orgnr, ())))
            for orgnr, owner in owners.items()
        ]

    def others(self, owner: Recipient, known: dict[str, Recipient]) -> list[Recipient]:
        """Owners of the same kind and county that can be in a network together."""
        same = [one for one in known.values() if (one.type, one.county) == (owner.type, owner.county)]
        return [one for one in same if one.orgnr != owner.orgnr and one.units][:3]


def _has_room(entry: Entry, mistake: Mistake) -> bool:
    """Whether a report can hold one more mistake without hiding another."""
    told_apart = all(mistake.is_apart_from(other) for other in entry.mistakes)
    return told_apart and not entry.resent and not any(one.received for one in (mistake, *entry.mistakes))


def _write_recipients(round_: Round, recipients: Sequence[Recipient], grants: Sequence[Grant]) -> None:
    columns = ("orgnr", "name", "type", "kommunenr", "county", "email", "language", "contact", "phone", "copies")
    _write(round_.folder / "recipients.csv", columns, recipients)
    units = [unit for one in recipients for unit in one.units]
    _write(round_.folder / "units.csv", ("owner", "orgnr", "name", "type", "kommunenr"), units)
    if grants:
        path = round_.folder / "grants.csv"
        _write(path, ("reference", "owner", "title", "year", "amount", "scheme"), grants)
        asked = (round_.form.deadline - timedelta(days=DAYS_TO_ANSWER)).timestamp()
        os.utime(path, (asked, asked))  # rules name the day of the file


def _write(path: Path, columns: Sequence[str], rows: Sequence[object]) -> None:
    """Write a file such as staff make: a row for each, with these of what is known of it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(columns)
        writer.writerows([getattr(one, column) for column in columns] for one in rows)


def _return_workbooks(
    round_: Round, story: Story, entries: Sequence[Entry], lines: Sequence[Sent], progress: Progress
) -> None:
    waiting: dict[str, list[Sent]] = {}
    for line in lines:
        waiting.setdefault(line.orgnr, []).append(line)
    with progress("Owners", len(entries)) as step:
        for number, entry in enumerate(entries):
            _return_one(round_, story, entry, waiting[entry.owner.orgnr].pop(0), number)
            step(1)
    left = [line for lines in waiting.values() for line in lines]
    for (kind, make), line in zip(BROKEN.items(), left, strict=False):
        name, content = make((round_.sent_folder / line.file).read_bytes(), line.report)
        _put(round_, name, content, story.form.deadline - timedelta(days=len(kind)))


def _return_one(round_: Round, story: Story, entry: Entry, line: Sent, number: int) -> None:
    owner = round_.recipients[entry.owner.orgnr]
    others = story.others(owner, round_.recipients)
    blank = (round_.sent_folder / line.file).read_bytes()
    grant = story.grants.get((owner.orgnr, entry.sample.name))
    extras = story.owners.extras(owner) | ({"grant": grant.reference} if grant else {})

    def filled(mistakes: Sequence[Mistake]) -> bytes:
        answers = fill_in(entry.sample, owner, others, extras, mistakes)
        return fill_workbook(blank, round_.form, line.language, answers)

    first = _received(round_.form, story.random, entry)
    content = filled(entry.mistakes)
    _put(round_, line.file, content, first)
    if entry.resent:
        _put(round_, f"Kopi av {line.file}", filled(()), min(first + timedelta(days=3), round_.form.deadline))
    if entry.twice:
        _put(round_, f"{Path(line.file).stem} (2).xlsx", content, first + timedelta(hours=number % 24 + 1))


def _received(form: Form, random: Random, entry: Entry) -> datetime:
    for mistake in entry.mistakes:
        if mistake.received:
            return datetime.fromisoformat(mistake.received).replace(tzinfo=form.zone)
    days = 1 if entry.late else -random.randrange(1, DAYS_TO_ANSWER)
    minutes = random.randrange(*OFFICE_HOURS)
    return form.deadline.replace(hour=0, minute=0, second=0) + timedelta(days=days, minutes=minutes)


def _put(round_: Round, name: str, content: bytes, received: datetime) -> None:
    path = round_.inbox / name
    path.write_bytes(content)
    os.utime(path, (received.timestamp(), received.timestamp()))
