"""What is wrong: readings first, then what is missing, limits and rules, for the whole batch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import ascii_uppercase

from intake.submission import Refused, Return, Row, Submission, Value
from templates.definition import bound_rules
from templates.form import Form, Rule
from templates.rules.named_checks import NAMED_CHECKS
from templates.rules.predicate import Answer, Const, Node
from templates.texts import load_texts
from validation.across import ACROSS, live
from validation.checks import Cause, reading_rule, sheet_checks
from validation.compile import Scope
from validation.findings import ORDER, WAIVED, Finding, outcome_of
from validation.frames import ROW, SUBMISSION, make_frames
from validation.hits import Found, Hit, Numbered, Said
from validation.known import KNOWN, NOTHING, Known, Source, why_unchecked
from validation.places import Spot, answer, cell, label, ranges, spots
from validation.rules import CHECKS, DEADLINE_CHECK, is_in_time, moment
from validation.schema import failures
from validation.verdict import LATE, Verdict
from validation.wording import fill, message, row_name

REASONS = Path(__file__).parent.parent / "intake" / "texts.toml"


def judge(received: Sequence[Submission | Refused], form: Form, known: Known = NOTHING) -> list[Verdict]:
    """The verdict on every return by itself, in order. One bad file never stops the others.

    What is wrong between reports is for the register to find, which knows them all: `across_hits`.
    """
    answered = [answers for item in received if (answers := _answers(item))]
    findings = iter(find(form, answered, known, across=False))
    found = [next(findings) if _answers(item) else [] for item in received]
    return [
        _verdict(item, told, form) if isinstance(item, Submission) else _refusal(item, told, form)
        for item, told in zip(received, found, strict=True)
    ]


def _answers(item: Submission | Refused) -> Submission | None:
    return item if isinstance(item, Submission) else item.submission


def _verdict(submission: Submission, findings: list[Finding], form: Form) -> Verdict:
    deadline_rules = {rule.id for rule in form.rules if rule.check == DEADLINE_CHECK}
    late = any(finding.rule in deadline_rules for finding in findings)
    outcome, reason = (LATE, _late_reason(submission.source, form)) if late else (outcome_of(findings), {})
    return Verdict(
        submission.source, outcome, reason, submission, tuple(findings), submission.report, submission.recipient
    )


def _late_reason(source: Return, form: Form) -> dict[str, str]:
    """What to know before deciding: that the time is a guess, or that somebody else may have had the mail in time."""
    forwarded = source.mail.forwarded if source.mail else None
    if source.is_guess:
        return _told("late_by_guess", form, received=moment(source.received, form))
    if forwarded is not None and is_in_time(forwarded, form):
        times = {"received": moment(source.received, form), "forwarded": moment(forwarded, form)}
        return _told("late_forwarded", form, **times)
    return {}


def _refusal(refused: Refused, findings: list[Finding], form: Form) -> Verdict:
    told = _told(refused.reason, form, **{"name": refused.source.name, **refused.details})
    answers, found = refused.submission, tuple(findings)
    return Verdict(
        refused.source, refused.outcome, told, answers, found, refused.report, refused.recipient, refused.reason
    )


def _told(reason: str, form: Form, **details: str) -> dict[str, str]:
    words = load_texts(REASONS).all(reason, **details)
    return {language: words[language] for language in form.languages if language in words}


def known_hits(form: Form, reports: Numbered, known: Known) -> list[tuple[Rule, Hit]]:
    """What the rules on registers find; those whose register is not here find nothing."""
    return [(rule, hit) for rule in form.rules for hit in _known_hits(form, rule, reports, known)]


def across_hits(form: Form, reports: Numbered) -> list[tuple[Rule, Hit]]:
    """What the rules between reports find in these, which are all that count."""
    rules = [rule for rule in form.rules if rule.check in ACROSS]
    return [(rule, hit) for rule in rules for hit in ACROSS[str(rule.check)](reports, rule.given)]


def across_findings(
    form: Form, submission: Submission, hits: Iterable[tuple[Rule, Hit]], known: Known
) -> tuple[Finding, ...]:
    """What the rules between reports found in one submission, as its owner is told."""
    collected = _Collected(form, submission)
    for rule, hit in hits:
        collected.add_hit(rule, hit)
    return tuple(collected.findings(known))


def find(
    form: Form, submissions: Sequence[Submission], known: Known = NOTHING, *, across: bool = True
) -> list[list[Finding]]:
    """The findings of every submission: errors first, otherwise in the order of the form.

    Rules between reports take these for all there are, unless `across` is false.
    """
    collected = [_Collected(form, submission) for submission in submissions]
    failed = _failures(form, collected)
    alone = {scope.frame[SUBMISSION][at] for cause, scope, at in failed if cause.rule.alone}
    for number, one in enumerate(collected):
        if number not in alone:
            one.add_readings()
    _add_failures(
        collected, [one for one in failed if one[0].rule.alone or one[1].frame[SUBMISSION][one[2]] not in alone]
    )
    for one in collected:
        one.add_named_checks()
    _add_hits(form, collected, known, across=across)
    return [one.findings(known) for one in collected]


Failed = tuple[Cause, Scope, int]
"""What failed, where it was looked at, and the row of its frame."""


def _failures(form: Form, collected: list["_Collected"]) -> list[Failed]:
    frames = make_frames(form, [one.submission for one in collected])
    rules = bound_rules(form)
    failed: list[Failed] = []
    for key, sheet in form.sheets.items():
        scope = Scope(frames, key)
        checks = sheet_checks(form, rules, scope, sheet)
        found = failures(scope.frame, [check for check, _ in checks])
        failed += [(checks[number][1], scope, row) for number, row in found]
    return failed


def _add_failures(collected: list["_Collected"], failed: list[Failed]) -> None:
    for cause, scope, at in failed:
        if cause.missing:
            collected[scope.frame[SUBMISSION][at]].note_missing(cause, scope.frame[ROW][at])
    for cause, scope, at in failed:
        values = scope.values(cause.values, [at])[0]
        collected[scope.frame[SUBMISSION][at]].add(cause, scope.frame[ROW][at], values)


def _add_hits(form: Form, collected: list["_Collected"], known: Known, *, across: bool) -> None:
    """What the rules between reports and on registers find; those whose register is not here find nothing."""
    every = list(enumerate(one.submission for one in collected))
    hits = across_hits(form, live([one.submission for one in collected])) if across else []
    hits += known_hits(form, every, known)
    for rule, hit in hits:
        collected[hit.number].add_hit(rule, hit)


def _known_hits(form: Form, rule: Rule, batch: Numbered, known: Known) -> Found:
    if rule.check in KNOWN and not why_unchecked(rule.check, known):
        source = Source(known.registers[NAMED_CHECKS[rule.check].needs], form)
        yield from KNOWN[rule.check](batch, rule.given, source)


@dataclass
class _Collected:
    """The findings of one submission while they are gathered."""

    form: Form
    submission: Submission
    missing: set[tuple[str, str, int]] = field(default_factory=set)  # sheet, question, row number
    found: list[tuple[tuple[int, ...], Finding]] = field(default_factory=list)

    def add_readings(self) -> None:
        for sheet_key, sheet in self.form.sheets.items():
            for row in self.submission.sheets[sheet_key].rows:
                for key, written in row.answers.items():
                    for code in filter(None, (written.problem, written.note)):
                        cause = Cause(reading_rule(self.form, code), sheet.key, (Answer(sheet.key, key),))
                        self._append(cause, row, {})

    def note_missing(self, cause: Cause, position: int) -> None:
        row = self.submission.sheets[cause.sheet].rows[position]
        self.missing |= {(sheet, key, found.number) for sheet, key, found in self._blamed(cause, row)}

    def add(self, cause: Cause, position: int, values: dict[str, Value]) -> None:
        row = self.submission.sheets[cause.sheet].rows[position]
        if cause.missing or cause.rule.alone or not self._waits(cause, row):
            self._append(cause, row, values)

    def add_named_checks(self) -> None:
        for rule in self.form.rules:
            if rule.check in CHECKS:
                for said in CHECKS[rule.check](self.submission, self.form, rule.given):
                    self._append_said(rule, said)

    def _append_said(self, rule: Rule, said: Said) -> None:
        words = {language: fill(rule.message[language], said.words, language) for language in self.form.languages}
        sheet = self.submission.sheets[said.sheet].name if said.sheet else ""
        finding = Finding(
            rule.id, rule.told_as, sheet, ranges(said.cells), (), words, written=said.written, part=rule.part
        )
        self.found.append((self._said_order(said), finding))

    def _said_order(self, said: Said) -> tuple[int, ...]:
        """What is said of a file comes last, what is said of a sheet after the answers of its row."""
        if not said.sheet:
            return (len(self.form.sheets),)
        row = int(said.cells[0].lstrip(ascii_uppercase)) if said.cells else 0
        return (list(self.form.sheets).index(said.sheet), row, len(self.form.sheets[said.sheet].questions))

    def add_hit(self, rule: Rule, hit: Hit) -> None:
        sheets = [path.split(".") for path in hit.marks]
        values: dict[str, Node] = {word: Const(said) for word, said in hit.words.items()}
        cause = Cause(rule, sheets[0][0], tuple(Answer(sheet, key) for sheet, key in sheets), values)
        self._append(cause, hit.row, dict(hit.words))

    def _waits(self, cause: Cause, row: Row) -> bool:
        """Whether an answer that the rule needs is already asked for."""
        return any(
            (sheet, key, found.number) in self.missing
            for node in cause.needs
            for sheet, key, found in spots(self.form, self.submission, node, row)
        )

    def _blamed(self, cause: Cause, row: Row) -> list[Spot]:
        return [spot for node in cause.blame for spot in spots(self.form, self.submission, node, row)]

    def _append(self, cause: Cause, row: Row, values: dict[str, Value]) -> None:
        blamed = self._blamed(cause, row)
        first = blamed[0] if blamed else None
        words = message(self.form, self.submission, cause, first, values)
        written = answer(first) if first else None
        own = [spot for spot in blamed if first and spot[0] == first[0]]
        others = [spot for spot in blamed if first and spot[0] != first[0]]
        finding = Finding(
            rule=cause.rule.id,
            part=cause.rule.part,
            severity=cause.rule.told_as,
            sheet=self.submission.sheets[first[0]].name if first else "",
            cells=ranges(cell(self.submission, spot) for spot in own),
            questions=tuple(dict.fromkeys(spot[1] for spot in own)),
            message=words,
            label=label(self.form, first) if first else {},
            row_name=row_name(self.form, self.submission, first, self.submission.language) if first else "",
            written=written.raw if written else "",
            elsewhere=tuple((self.submission.sheets[spot[0]].name, cell(self.submission, spot)) for spot in others),
        )
        self.found.append((self._order(first), finding))

    def _order(self, spot: Spot | None) -> tuple[int, ...]:
        if spot is None:
            return (len(self.form.sheets),)
        sheet, key, row = spot
        questions = list(self.form.sheets[sheet].questions)
        return (list(self.form.sheets).index(sheet), row.number, questions.index(key))

    def findings(self, known: Known) -> list[Finding]:
        ordered = [finding for _, finding in sorted(self.found, key=lambda item: item[0])]
        told = [self._unless_waived(finding, known) for finding in _merged(ordered)]
        return sorted(told, key=lambda finding: ORDER.index(finding.severity))

    def _unless_waived(self, finding: Finding, known: Known) -> Finding:
        source = self.submission.source
        received = source.received.astimezone(self.form.zone).date()
        for waiver in known.waivers:
            if waiver.holds(self.submission.recipient, finding.rule, received):
                return replace(finding, severity=WAIVED, waiver=str(waiver))
        return finding


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """The same thing said of several rows is said once, with all its cells."""
    merged: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        same = (finding.rule, finding.part, finding.sheet, finding.questions, tuple(finding.message.items()))
        merged.setdefault(same, []).append(finding)
    return [_one(group) for group in merged.values()]


def _one(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    cells = ranges(part for finding in group for item in finding.cells for part in _cells(item))
    elsewhere = tuple(dict.fromkeys(place for finding in group for place in finding.elsewhere))
    written = group[0].written if len({finding.written for finding in group}) == 1 else ""
    return replace(group[0], cells=cells, elsewhere=elsewhere, row_name="", written=written)


def _cells(item: str) -> Iterator[str]:
    first, _, last = item.partition(":")
    if not last:
        yield first
        return
    letters = first.rstrip("0123456789")
    for number in range(int(first[len(letters) :]), int(last[len(letters) :]) + 1):
        yield f"{letters}{number}"
