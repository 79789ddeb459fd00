"""A person's decision on a report: whether its state permits it, and what it says of each version."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from outputs.register.life import (
    ASIDE,
    DECIDING,
    FREE,
    JUDGED,
    NEEDS_CORRECTION,
    REJECTED,
    SUPERSEDED,
    TAKEN,
    WAITING,
    WITHDRAWN,
)
from outputs.register.log import decisions
from outputs.register.logbook import came
from outputs.register.outcomes import WORDS
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from outputs.register.rulings import WAIVE, read_decided
from outputs.register.subject import SHORTEST, find_subject
from outputs.register.waiting import SHORT, decide_words, numbered
from templates.problems import one_of, suggestion
from templates.round import Round
from validation.findings import WAIVED, Finding
from validation.rules import DEADLINE_CHECK
from validation.verdict import LATE

NAMES_VERSION, NAMES_RULE = "prefer", WAIVE  # decisions that say what they are about
WHOLE = (NAMES_RULE, "withdraw")  # decisions on the report, whatever version counts

log = logging.getLogger(__name__)

Found = dict[str, Any]
"""One version as the register has it now."""


@dataclass(frozen=True)
class Decision:
    """What was decided, by whom and why, and what came of it."""

    report: str | None
    file: str | None  # of the version, or of what is no version of any report
    decision: str
    version: int | None
    rule: str | None
    reason: str
    by: str
    at: str
    before: str
    now: str
    changed: bool

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: a decision, what it is about, and by whom and why."""

    what: str
    about: str  # a version, a rule, or empty
    reason: str
    by: str
    at: datetime


def decide(round_: Round, register: Register, subject: str, wish: Wish) -> Decision:
    """Record a person's decision on a report, or on a file that is none. Raises RefusalError."""
    for option, words in (("--reason", wish.reason), ("--by", wish.by)):
        if not words.strip():
            raise RefusalError(f"a decision needs {option}: who decides, and why, stays in the register")
    with register.writing() as connection:
        report, version = find_subject(round_, connection, subject)
        if report is None:
            return _put_aside(connection, str(version), wish)
        return _Case(register, connection, report, version).decide(wish)


def _put_aside(connection: Connection, sha256: str, wish: Wish) -> Decision:
    """Settle a file that gave no answers: all a person can do is to put it aside."""
    row = connection.execute(select(came).where(came.c.sha256 == sha256)).mappings().one()
    if wish.what != "reject":
        how = decide_words(sha256[:SHORT], "reject")
        raise RefusalError(f"«{row['name']}» holds no answers, so it can only be put aside: behov {how}")
    before = connection.execute(select(decisions).where(decisions.c.report.is_(None))).mappings()
    settled = any(sha256 in other["rulings"] for other in before)
    if not settled:
        _record(connection, None, wish, {sha256: REJECTED}, [])
    return Decision(
        report=None,
        file=row["name"],
        decision=wish.what,
        version=None,
        rule=None,
        reason=wish.reason,
        by=wish.by,
        at=wish.at.isoformat(),
        before=REJECTED if settled else row["outcome"],
        now=REJECTED,
        changed=not settled,
    )


def _record(
    connection: Connection, report: str | None, wish: Wish, rulings: dict[str, str], waives: Sequence[str]
) -> None:
    row = {"report": report, "what": wish.what, "rulings": rulings, "waives": sorted(set(waives))}
    connection.execute(insert(decisions).values(**row, by=wish.by, reason=wish.reason, at=wish.at))
    log.info("decision  %s  %s  by %s: %s", report, wish.what, wish.by, wish.reason)


class _Case:
    """One report before a person who decides."""

    def __init__(self, register: Register, connection: Connection, report: str, sha256: str | None) -> None:
        self.register = register
        self.connection = connection
        self.report = report
        self.named = sha256  # the file that was named, when it was not the report
        self.versions = self._versions()

    def _versions(self) -> list[Found]:
        version, report = self.register.current.version, self.register.current.report
        query = (
            select(version, came.c.name, came.c.outcome.label("received_as"), report.c.sha256.label("counts"))
            .join(came, came.c.sha256 == version.c.sha256)
            .outerjoin(report, report.c.report == version.c.report)
            .where(version.c.report == self.report)
            .order_by(version.c.number)
        )
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def decide(self, wish: Wish) -> Decision:
        if self._is_repeated(wish):
            return self._told(wish, None, self.state, changed=False)
        version = self._chosen(wish)
        self._refuse_in_vain(wish, version)
        rulings, waives = self._rulings(wish, version), self._waives(wish, version)
        before = self.state
        _record(self.connection, self.report, wish, rulings, waives)
        self.register.refresh([self.report], wish.at, f"decide {wish.what}")
        self.versions = self._versions()
        return self._told(wish, None if wish.what in WHOLE else version, before, changed=True)

    def _told(self, wish: Wish, version: Found | None, before: str, *, changed: bool) -> Decision:
        return Decision(
            report=self.report,
            file=version["name"] if version else None,
            decision=wish.what,
            version=version["number"] if version else None,
            rule=wish.about if wish.what == NAMES_RULE else None,
            reason=wish.reason,
            by=wish.by,
            at=wish.at.isoformat(),
            before=before,
            now=self.state,
            changed=changed,
        )

    @property
    def counting(self) -> Found | None:
        return next((row for row in self.versions if row["sha256"] == row["counts"]), None)

    @property
    def state(self) -> str:
        """How the report stands; without a version that counts, as the first that waits."""
        return str((self.counting or self.versions[0])["outcome"])

    def _is_repeated(self, wish: Wish) -> bool:
        """Whether the last decision on the report is the very same."""
        query = select(decisions).where(decisions.c.report == self.report).order_by(decisions.c.id.desc()).limit(1)
        last = self.connection.execute(query).mappings().first()
        if last is None or (last["what"], last["by"], last["reason"]) != (wish.what, wish.by, wish.reason):
            return False
        if wish.what == NAMES_RULE:
            return wish.about in last["waives"]
        asked = [row["sha256"] for row in self.versions if self._is_named(row, wish.about)]
        return not asked or last["rulings"].get(asked[0]) in (TAKEN, REJECTED, WITHDRAWN)

    # which version

    def _is_named(self, row: Found, about: str) -> bool:
        name = about or self.named or ""
        return name == str(row["number"]) or (len(name) >= SHORTEST and row["sha256"].startswith(name.casefold()))

    def _chosen(self, wish: Wish) -> Found:
        """Find the version that is decided on. Raises RefusalError."""
        permitted = DECIDING[wish.what]
        if wish.what not in WHOLE and (wish.about or self.named):
            return self._by_name(wish)
        if wish.what == NAMES_VERSION:
            raise RefusalError(f"say which version: behov {decide_words(self.report, wish.what, 'VERSION')}; "
                                f"{self.report} has {numbered(self.versions)}")  # fmt: skip
        waiting = [row for row in self.versions if row["outcome"] in WAITING and row["outcome"] in permitted]
        counting = [row for row in self.versions if row == self.counting and row["outcome"] in permitted]
        candidates = counting if wish.what in WHOLE else waiting or counting
        if wish.what == "accept" and counting and counting[0] not in candidates:
            candidates = [*counting, *candidates]
        if not candidates:
            raise RefusalError(self._not_permitted(wish.what, self.state))
        if len(candidates) > 1:
            raise RefusalError(
                f"{len(candidates)} versions of {self.report} wait: {numbered(candidates)}; "
                f"name one: behov {decide_words(self.report, wish.what, str(candidates[-1]['number']))}"
            )
        return candidates[0]

    def _by_name(self, wish: Wish) -> Found:
        named = next((row for row in self.versions if self._is_named(row, wish.about)), None)
        if named is None:
            raise RefusalError(f"{self.report} has no version «{wish.about}»; it has {numbered(self.versions)}")
        settled = wish.what == NAMES_VERSION and named == self.counting and len(self._others_open(named)) == 0
        if named["outcome"] not in DECIDING[wish.what] or settled:
            raise RefusalError(self._not_permitted(wish.what, named["outcome"], f"version {named['number']} of "))
        return named

    def _others_open(self, chosen: Found) -> list[Found]:
        return [row for row in self.versions if row != chosen and row["outcome"] in WAITING]

    def _not_permitted(self, what: str, state: str, of: str = "") -> str:
        can = [f"«{name}»" for name, states in DECIDING.items() if name != what and state in states]
        instead = f"you can {one_of(can)}" if can else "nothing is left to decide"
        why = f"{of}{self.report} is «{state}», and that does not permit «{what}»"
        return f"{why}; {instead} (see: behov show {self.report})"

    def _refuse_in_vain(self, wish: Wish, version: Found) -> None:
        """Refuse to take a version in beside a newer one that counts, which would replace it at once."""
        newer = self.counting
        if wish.what in ("accept", "accept-late") and newer and newer["number"] > version["number"]:
            number = str(version["number"])
            prefer, reject = (f"behov {decide_words(self.report, what, number)}" for what in (NAMES_VERSION, "reject"))
            raise RefusalError(
                f"version {newer['number']} of {self.report} is newer, and counts; "
                f"to have version {number} count instead: {prefer}; to put it aside: {reject}"
            )

    # what it means

    def _rulings(self, wish: Wish, version: Found) -> dict[str, str]:
        """Say what the decision makes of each version that it concerns."""
        chosen = str(version["sha256"])
        others = {row["sha256"]: row["outcome"] for row in self.versions if row["sha256"] != chosen}
        if wish.what == NAMES_RULE:
            return {}
        if wish.what == "withdraw":
            own = {sha256: WITHDRAWN for sha256, state in others.items() if state in (*JUDGED, LATE)}
            return {chosen: WITHDRAWN, **own, **_all(others, (SUPERSEDED,), ASIDE)}
        if wish.what == "reject":
            return {chosen: REJECTED, **self._left_by(version, others)}
        if wish.what == NAMES_VERSION:
            return {chosen: TAKEN, **_all(others, (*JUDGED, *WAITING, SUPERSEDED), ASIDE)}
        return {chosen: TAKEN}

    def _left_by(self, version: Found, others: dict[str, str]) -> dict[str, str]:
        """Say what becomes of the others when a version is rejected.

        With one received in time the report is rejected, and no older version takes its place; one
        that a person had taken in leaves things as they were before.
        """
        if version["sha256"] != version["counts"]:
            return {}
        if version["received_as"] in JUDGED:
            return _all(others, (SUPERSEDED,), ASIDE)
        decided = read_decided(self.connection, [self.report])
        rulings = decided[self.report].rulings if self.report in decided else {}
        return {sha256: FREE for sha256 in others if rulings.get(sha256) == ASIDE}

    def _waives(self, wish: Wish, version: Found) -> list[str]:
        """List the rules that the report need not keep: the one named, or those that stood in the way."""
        found = self.register.findings_in([version["sha256"]]).get(version["sha256"], ())
        late = {rule.id for rule in self.register.form.rules if rule.check == DEADLINE_CHECK}
        if wish.what == NAMES_RULE:
            return [self._rule(wish.about, found, late)]
        if wish.what not in ("accept", "accept-late", NAMES_VERSION):
            return []
        approved = wish.what == "accept" and version["outcome"] == NEEDS_CORRECTION
        return [one.rule for one in found if one.severity == "error" and (approved or one.rule in late)]

    def _rule(self, name: str, found: Sequence[Finding], late: set[str]) -> str:
        if name in late:
            raise RefusalError(f"{name} cannot be waived; a late report is taken in with: accept-late")
        there = sorted({one.rule for one in found if one.severity != WAIVED and one.rule not in late})
        if name not in there:
            hint = (
                suggestion(name, there, "See: behov show.") if there else "Nothing is found in it that can be waived."
            )
            raise RefusalError(f"{self.report} has no finding of the rule «{name}». {hint}")
        return name


def _all(states: dict[str, str], among: Sequence[str], ruling: str) -> dict[str, str]:
    return {sha256: ruling for sha256, state in states.items() if state in among}


def decided_lines(done: Decision) -> Iterator[str]:
    """What came of a decision."""
    name = done.report or f"«{done.file}»"
    if not done.changed:
        yield f"{name}: decided before. Nothing changed; it is {WORDS[done.now]}."
        return
    about = f" version {done.version}" if done.version else f" {done.rule}" if done.rule else ""
    yield f"{name}: {done.decision}{about}, by {done.by}. Before: {WORDS[done.before]}; now: {WORDS[done.now]}."
    if done.report:
        yield f"The whole story: behov show {done.report}    Letters that are owed now: behov feedback"
