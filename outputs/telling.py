"""Results as lines for the terminal: how many files ended how, and what waits for a person."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from intake.mailbox import Collection, Listed
from outputs.register.letter_states import DRAFT, HELD, MAILED, NEED_A_PERSON, PAGE, QUEUED, STATES
from outputs.register.outcomes import WORDS
from outputs.register.waiting import typed
from templates.form import Form
from templates.round import SETTINGS, Round, Sent
from templates.tables import csv_table
from validation.verdict import LATE, Verdict

if TYPE_CHECKING:
    from outputs.mailing.sending import Run
    from outputs.overview.dashboard import Dashboard
    from outputs.top import Top

SHOWN = 12  # files listed under a heading
COMMON = 3  # rules named
EXAMPLE = "postmottak@example.no"  # the office's address in a new round.toml
NAMED = ("unreadable", "quarantined", "failed")  # outcomes whose files are listed one by one

KINDS = {
    "receipt": "receipt",
    "correction": "correction",
    "unreadable": "unreadable file",
    "wrong_form": "wrong form",
    "empty": "empty form",
    "late": "late file",
    "duplicate": "repeated file",
    "invitation": "invitation",
    "reminder": "reminder",
    "extension": "extension",
    "closing": "closing receipt",
}  # of letters
FIGURES = {
    "sent": ("sent", "to {n} owner|to {n} owners"),
    "returned": ("returned", "{percent} % of them"),
    "complete": ("complete", "{n} of them with questions"),
    "wrong": ("to be corrected", "{n} past the deadline for that"),
    "late": ("late", "and {n} withdrawn or rejected"),
    "unreadable": ("unreadable files", ""),
    "missing": ("not yet returned", "{n} owner has not answered|{n} owners have not answered"),
}  # of outputs.top, each with what is said of the second number
NEEDS = {
    "failed": "file stopped on a failure of ours; try again|files stopped on a failure of ours; try again",
    "late": "file came after the deadline; does it count?|files came after the deadline; do they count?",
    "quarantined": "file is put aside; find out whose it is|files are put aside; find out whose they are",
    "unreadable": "file cannot be read; ask its owner for another|files cannot be read; ask their owners for others",
    "letters": "letter did not arrive, or has no address|letters did not arrive, or have no address",
    "ready": "letter is written and not sent|letters are written and not sent",
    "to_mail": "letter in outbox/ is for you to mail; when that is done, say so|"
    "letters in outbox/ are for you to mail; when that is done, say so",
    "overdue": "report is not corrected in time|reports are not corrected in time",
    "silent": "owner has not answered in time|owners have not answered in time",
}  # of outputs.top, for one and for many


def bad_rows(round_: Round, good: Sequence[object], bad: Sequence[object]) -> str:
    """The rows of recipients that need a person, and what to do about them."""
    rows = "\n".join(f"  {row}" for row in bad)
    return (
        f"of {len(good) + len(bad)} recipients in {round_.recipients_file.name}, {len(bad)} need you:\n{rows}\n"
        "Nothing is made until they are right, or leave them out with --skip-bad."
    )


def form_lines(form: Form, notes: Iterable[object]) -> Iterator[str]:
    """A form that is in order: what it has, and what is worth a second look."""
    tables = sum(sheet.kind != "questions" for sheet in form.sheets.values())
    asked = sum(len(sheet.questions) for sheet in form.sheets.values() if sheet.kind == "questions")
    yield (
        f"{form.name} {form.version} is in order: {asked} questions, {tables} tables, "
        f"{len({rule.id for rule in form.rules})} rules, in {' and '.join(form.languages)}."
    )
    yield from (f"Note: {note}" for note in notes)


def summary(verdicts: Sequence[Verdict], form: Form) -> Iterator[str]:
    """A batch: a count for each outcome, and the files that a person must look at."""
    yield ""
    yield from _counts(Counter(verdict.outcome for verdict in verdicts if not verdict.is_known), _most_common(verdicts))
    if known := sum(verdict.is_known for verdict in verdicts):
        yield f"  {'registered by an earlier run':<28}{known:>5}"
    for outcome in (*NAMED, LATE):
        # of those that are late, the ones that a person must know more of than that
        files = [verdict for verdict in verdicts if verdict.outcome == outcome and (outcome != LATE or verdict.reason)]
        if files:
            yield f"\n{WORDS[outcome].capitalize()}"
            yield from _some([_named(verdict, form.languages[0]) for verdict in files])


def _named(verdict: Verdict, language: str) -> str:
    """One file that a person must look at: its name, who sent it, and why."""
    source = verdict.source
    return _about(source.name, f", from {source.sender}" if source.sender else "", verdict.reason.get(language, ""))


def _about(name: str, sender: str, reason: str) -> str:
    """Say why, with the name of the file unless the reason has it and nobody is known to have sent it."""
    return reason if name in reason and not sender else f"«{name}»{sender}  {reason}"


def ingest_lines(
    verdicts: Sequence[Verdict], round_: Round, unchecked: Sequence[tuple[str, str]], *, dry: bool
) -> Iterator[str]:
    """One run of the batch: the summary, what was not checked, and what comes next."""
    if not verdicts:
        yield f"There are no files to take in. Save what owners sent in {round_.inbox}/, or fetch it: behov collect"
        return
    if all(verdict.outcome == "duplicate" for verdict in verdicts):
        yield f"{counted(len(verdicts), 'file')}, all known. Nothing changed."
        return
    yield from summary(verdicts, round_.form)
    yield from unchecked_lines(unchecked)
    yield ""
    if dry:
        yield "Next: behov ingest, without --dry-run"
    else:
        yield f"Nothing is lost: every file is in {round_.archive}/. Next: behov feedback"


def collected_lines(collection: Collection, inbox: Path) -> Iterator[str]:
    """What was fetched from the mailbox, what was not, and what comes next."""
    settings, files = collection.settings, sum(one.attachments for one in collection.new)
    yield (
        f"{settings.user}, {settings.folder}: {counted(len(collection.new), 'new message')} "
        f"with {counted(files, 'attachment')} saved to {inbox}/, {collection.known} known before."
    )
    if came_back := sum(one.came_back for one in collection.new):
        yield f"{counted(came_back, 'letter')} of ours came back; see to it: behov outbox"
    if collection.too_big:
        yield "\nToo big to fetch: save what is attached to them in inbox/ yourself"
        yield from (f"  {_mail_line(mail)}" for mail in collection.too_big)
    if collection.missed:
        yield f"\nThe server did not hand out {counted(collection.missed, 'message')}. Run behov collect again."
    yield "\nThe messages stay in the mailbox. Next: behov ingest"


def _mail_line(mail: Listed) -> str:
    about = mail.opened.mail
    return f"«{about.subject}», from {about.sender or '?'}, {mail.size >> 20} MB"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def check_lines(verdicts: Iterable[Verdict], form: Form) -> Iterator[str]:
    """Each file: how it ended, and every finding with its place."""
    for verdict in verdicts:
        yield from _verdict_lines(verdict, form)


def _verdict_lines(verdict: Verdict, form: Form) -> Iterator[str]:
    language = form.languages[0]
    yield f"{verdict.source.name}: {WORDS[verdict.outcome]}  {verdict.report or ''}".rstrip()
    if verdict.reason:
        yield f"  {verdict.reason[language]}"
    for finding in verdict.findings:
        place = " ".join(filter(None, (finding.sheet, ", ".join(finding.cells))))
        yield f"  {finding.severity:<8}{finding.rule:<6} {place:<23} {finding.message[language]}"


def status_lines(top: "Top", waiting: Sequence[dict[str, Any]], unchecked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A round, as the dashboard begins: what waits for a person, the figures, files that wait, what is unchecked."""
    yield "Waits for a person"
    needs = top.needs()
    for need in needs:
        yield f"  {need.number:>5}  {_one_or_many(NEEDS[need.kind], need.number)}"
        yield f"         {need.command}"
    if not needs:
        yield "  nothing now"
    yield f"\nThe round, with its deadline on {top.deadline:%d.%m.%Y %H:%M}"
    for figure in top.figures():
        label, note = FIGURES[figure.kind]
        note = _one_or_many(note, figure.more).format(n=figure.more, percent=figure.percent) if figure.more else ""
        yield f"  {label:<28}{figure.number:>5}   {note}".rstrip()
    if waiting:
        yield "\nFiles that wait, each with the command that most likely settles it"
        yield from _some([_waiting(item) for item in waiting])
    yield from unchecked_lines(unchecked)


def _one_or_many(words: str, number: int) -> str:
    """Choose from «one|many»."""
    one, _, many = words.partition("|")
    return many if many and number != 1 else one


def unchecked_lines(unchecked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The rules that nobody may take for kept: not checked, with the reason."""
    by_reason: dict[str, list[str]] = {}
    for rule, reason in unchecked:
        by_reason.setdefault(reason, []).append(rule)
    if by_reason:
        yield "\nNot checked (ikke kontrollert)"
        yield from (f"  {reason}: {', '.join(rules)}" for reason, rules in by_reason.items())


def sent_out_lines(
    workbooks: Sequence[Sent], made: Sequence[dict[str, Any]], round_: Round, run: "Run | None", now: datetime
) -> Iterator[str]:
    """The workbooks and letters of a send-out, and what in the settings is probably not meant."""
    yield f"{counted(len(workbooks), 'workbook')} in {round_.sent_folder}/"
    yield from letter_lines(made, round_, run)
    if workbooks:
        yield f"Look at one: {round_.sent_folder / workbooks[0].file}"
    doubts = list(_doubts(round_, now))
    yield from doubts
    if doubts:
        again = 'behov outbox renew --by "…" --reason "…"'
        yield f"If that is not meant, put it right; then {again}, and behov send-out."


def _doubts(round_: Round, now: datetime) -> Iterator[str]:
    deadline, email = round_.form.deadline, round_.settings.office.email
    used, other = round_.recipients_file, round_.folder / "recipients.csv"
    if used != other and other.exists() and len(csv_table(other)) > 1:
        yield f"\nNote: the owners are those of {used.name}; what stands in {other.name} too is not used."
    if deadline < now:
        yield f"\nNote: the deadline that owners are told, {deadline:%d.%m.%Y %H:%M}, has passed."
    if email == EXAMPLE:
        yield f"\nNote: owners are told to answer to {email}, which is the example that {SETTINGS} comes with."


def letter_lines(made: Sequence[dict[str, Any]], round_: Round, run: "Run | None") -> Iterator[str]:
    """Letters that were written, and how sending went."""
    if made:
        kinds = Counter(letter["kind"] for letter in made)
        told = ", ".join(counted(kinds[kind], words) for kind, words in KINDS.items() if kinds[kind])
        stays = "" if run else " (nothing has left this machine)"
        yield f"{counted(len(made), 'letter')} in {round_.outbox}/: {told}{stays}."
    else:
        yield "No new letters: everybody has been told."
    if drafts := sum(letter["state"] == DRAFT for letter in made):
        yield f"{drafts} of them have nobody to go to: no usable address in the recipients file."
    yield from _strangers([letter for letter in made if letter.get("senders")])
    if made:
        yield f"Look at them: {round_.outbox / PAGE}"
    if made and not run:
        by_hand = f'Mail those files yourself, since round.toml has no [mail]; then: behov outbox {MAILED} --by "…"'
        yield "To send them: the same command with --send." if round_.settings.mail.host else by_hand
    if run:
        yield from (f"  {state:<28}{count:>5}" for state, count in run.counts.items())
        if run.refused:
            yield f"Sent, but not to {', '.join(run.refused)}: the mail server does not take that address."
        if run.stopped:
            yield f"Sending stopped: {run.stopped}. The rest waits; the same command goes on with it."
        if not run.done:
            yield "What waits for a person: behov outbox"


def _strangers(letters: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The letters about files that somebody sent who does not get them."""
    if letters:
        yield f"{len(letters)} of them answer files from somebody else than they go to. Does the owner know?"
        lines = [
            f"{', '.join(one['to']) or 'nobody'}  the file came from {', '.join(one['senders'])}" for one in letters
        ]
        yield from _some(lines, "behov outbox --json")


def left_lines(left: Sequence[str]) -> Iterator[str]:
    """The owners that could not be told how it ended."""
    if left:
        yield (
            f"{counted(len(left), 'owner')} left out: something waits for a person, or may still be corrected "
            f"(behov status). {', '.join(left[:SHOWN])}{' …' if len(left) > SHOWN else ''}"
        )


def exported_lines(made: Sequence[Path], kind: str) -> Iterator[str]:
    """What was written of the register, and how it comes back."""
    yield from (f"Wrote {path}" for path in made)
    if kind == "xlsx":
        yield f"What is written in the yellow columns comes back with: behov import {typed(made[0])} --dry-run"


def dashboard_lines(made: "Dashboard") -> Iterator[str]:
    """The dashboard: where it is, and what it lacks."""
    yield f"Wrote {made.path}, {counted(made.pages, 'page')} in all. Open it in a web browser."
    if not made.drawn:
        yield "It has tables and no pictures. For pictures: pip install altair vl-convert-python, then run this again."


def outbox_lines(letters: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The outbox: how many letters stand how, those that a person has stopped or must look at, and those to be sent."""
    counts = Counter(letter["state"] for letter in letters)
    yield from (f"  {state:<28}{counts[state]:>5}" for state in STATES if counts[state])
    if waiting := [letter for letter in letters if letter["state"] in (*NEED_A_PERSON, HELD)]:
        yield "\nFor a person"
        yield from (f"  {one['id']:>5}  {one['state']:<10}{', '.join(one['to'])}  {one['note']}" for one in waiting)
    if ready := [letter for letter in letters if letter["state"] == QUEUED]:
        yield "\nTo be sent, by number"
        lines = [f"{one['id']:>5}  {one['kind']:<12}{', '.join(one['to'])}  {one['subject']}" for one in ready]
        yield from _some(lines, f"outbox/{PAGE}")


def histories_lines(letters: Iterable[dict[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    """Some letters, one by one."""
    for letter in letters:
        yield from _history(letter, zone)


def _history(letter: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """One letter: what it is, and all that has happened to it, in local time."""
    yield f"{letter['id']}  {letter['kind']} to {', '.join(letter['to']) or 'nobody'}: {letter['state']}"
    yield f"  {letter['subject']}"
    yield f"  {letter['path']}"
    for event in letter["events"]:
        at = datetime.fromisoformat(event["at"]).astimezone(zone)
        yield f"  {at:%d.%m.%Y %H:%M}  {event['state']:<10}{event['note']}".rstrip()


def _counts(counts: dict[str, int], remark: str) -> Iterator[str]:
    for outcome, words in WORDS.items():
        if counts.get(outcome):
            extra = f"   {remark}" if outcome == "needs_correction" and remark else ""
            yield f"  {words:<28}{counts[outcome]:>5}{extra}"


def _most_common(verdicts: Sequence[Verdict]) -> str:
    to_correct = [verdict for verdict in verdicts if verdict.outcome == "needs_correction"]
    rules = Counter(finding.rule for verdict in to_correct for finding in verdict.errors)
    most = ", ".join(f"{rule} ({count})" for rule, count in rules.most_common(COMMON))
    return f"{rules.total()} findings, most common: {most}" if rules else ""


def _some(lines: Sequence[str], all_of_them: str = "behov status --json") -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more (all of them: {all_of_them})"


def _waiting(item: dict[str, Any]) -> str:
    name, report = Path(item["path"]).name, item["report"] or ""
    why = "  ".join(filter(None, (report, _about(name, "", item["reason"] or WORDS[item["outcome"]]))))
    return f"{why}\n      {item['command']}"
