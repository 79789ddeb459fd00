"""Results as lines for the terminal: how many files ended how, and what waits for a person."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from templates.form import Form
from validation.verdict import Verdict

SHOWN = 12  # files listed under a heading
COMMON = 3  # rules named
NAMED = ("unreadable", "quarantined", "failed")  # outcomes whose files are listed one by one

WORDS = {
    "accepted": "complete",
    "remarks": "complete, with remarks",
    "needs_correction": "to be corrected by owner",
    "late": "late, for decision",
    "superseded": "replaced by a newer version",
    "duplicate": "same file again",
    "empty": "nothing filled in",
    "unreadable": "could not be read",
    "quarantined": "for a person",
    "failed": "our own failure",
    "withdrawn": "withdrawn by the owner",
    "rejected": "rejected by a person",
}
STANDING = (("recipients", "Recipients"), ("sent", "Workbooks"), ("returned", "Returned"), ("reports", "Reports"))


def bad_rows(good: Sequence[object], bad: Sequence[object]) -> str:
    """The rows of recipients that need a person, and what to do about them."""
    rows = "\n".join(f"  {row}" for row in bad)
    return (
        f"of {len(good) + len(bad)} recipients, {len(bad)} need you:\n{rows}\n"
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
    yield from _counts(Counter(verdict.outcome for verdict in verdicts), _most_common(verdicts))
    for outcome in NAMED:
        files = [verdict for verdict in verdicts if verdict.outcome == outcome]
        if files:
            yield f"\n{WORDS[outcome].capitalize()}"
            language = form.languages[0]
            yield from _some([f"«{verdict.source.name}»  {verdict.reason.get(language, '')}" for verdict in files])


def verdict_lines(verdict: Verdict, form: Form) -> Iterator[str]:
    """One file: how it ended, and every finding with its place."""
    language = form.languages[0]
    yield f"{verdict.source.name}: {WORDS[verdict.outcome]}  {verdict.report or ''}".rstrip()
    if verdict.reason:
        yield f"  {verdict.reason[language]}"
    for finding in verdict.findings:
        place = " ".join(filter(None, (finding.sheet, ", ".join(finding.cells))))
        yield f"  {finding.severity:<8}{finding.rule:<6} {place:<23} {finding.message[language]}"


def status_lines(counts: dict[str, Any]) -> Iterator[str]:
    """A round: what was sent, what came back, and what waits for a person."""
    for key, label in STANDING:
        yield f"  {label:<28}{counts[key]:>5}"
    yield ""
    yield from _counts(counts["by_outcome"], "")
    waiting = counts["need_a_person"]
    if waiting:
        yield "\nFor a person"
        yield from _some([_waiting(item) for item in waiting])


def unchecked_lines(unchecked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The rules that nobody may take for kept: not checked, with the reason."""
    by_reason: dict[str, list[str]] = {}
    for rule, reason in unchecked:
        by_reason.setdefault(reason, []).append(rule)
    if by_reason:
        yield "\nNot checked (ikke kontrollert)"
        yield from (f"  {reason}: {', '.join(rules)}" for reason, rules in by_reason.items())


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


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more (all of them: behov status --json)"


def _waiting(item: dict[str, Any]) -> str:
    name, report = Path(item["path"]).name, item["report"] or ""
    why = "  ".join(filter(None, (f"«{name}»", report, item["reason"] or WORDS[item["outcome"]])))
    return f"{why}\n      {item['command']}"
