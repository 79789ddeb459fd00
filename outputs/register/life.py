"""The life of a report: its states, what may follow what, and which of its versions counts now.

Nothing here reads or writes: what counts is worked out from the versions and from what persons have
decided, so that it is the same in whatever order things came in.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from validation.verdict import LATE

RECEIVED = "received"  # before it is judged
ACCEPTED, REMARKS, NEEDS_CORRECTION = "accepted", "remarks", "needs_correction"
QUARANTINED = "quarantined"  # in conflict: its answers are kept, and do not count until a person believes them
SUPERSEDED, WITHDRAWN, REJECTED = "superseded", "withdrawn", "rejected"

JUDGED = (ACCEPTED, REMARKS, NEEDS_CORRECTION)
WAITING = (LATE, QUARANTINED)  # for a person
SETTLED = (WITHDRAWN, REJECTED)  # by a person; what comes in later may count
STATES = (RECEIVED, *JUDGED, *WAITING, SUPERSEDED, *SETTLED)

AS_FOUND = "as found"  # the one of JUDGED that the findings of the version give
AS_RECEIVED = "as received"  # AS_FOUND, or the one of WAITING that it was


def _from(states: Iterable[str], to: str) -> dict[str, str]:
    return dict.fromkeys(states, to)


JUDGING: dict[str, dict[str, str]] = {
    "judged": _from((RECEIVED, *JUDGED), AS_FOUND),  # and again, when another report changes what is found
    "came late": {RECEIVED: LATE},
    "came in time after all": {LATE: AS_FOUND},  # the same file told better when it was received
    "came late after all": _from(JUDGED, LATE),
    "doubted": {RECEIVED: QUARANTINED},
    "a newer counts": _from((RECEIVED, *JUDGED, LATE), SUPERSEDED),
    "a person prefers another": _from((*JUDGED, *WAITING), SUPERSEDED),
    "what replaced it is out": {SUPERSEDED: AS_RECEIVED},
}
DECIDING: dict[str, dict[str, str]] = {
    "accept": _from((NEEDS_CORRECTION, QUARANTINED, *SETTLED), AS_FOUND),
    "accept-late": {LATE: AS_FOUND},
    "reject": _from((*JUDGED, *WAITING), REJECTED),
    "withdraw": _from((*JUDGED, LATE), WITHDRAWN),
    "prefer": _from((*JUDGED, *WAITING, SUPERSEDED, *SETTLED), AS_FOUND),
    "waive": {**_from(JUDGED, AS_FOUND), LATE: LATE},
}
TRANSITIONS = JUDGING | DECIDING
"""All that can happen to a version: event to state before to state after."""

# What a decision says of one version.
TAKEN, ASIDE, FREE = "taken", "aside", "free"  # FREE takes back that it was set aside
RULINGS = {TAKEN: AS_FOUND, ASIDE: SUPERSEDED, REJECTED: REJECTED, WITHDRAWN: WITHDRAWN}


class Version(NamedTuple):
    """One version of a report; sorted by when it was received, then by path."""

    received: datetime
    path: str
    sha256: str
    report: str
    outcome: str  # how checking ended


class Standing(NamedTuple):
    """Where one version stands now: its number by time of receipt, its state, and whether it counts."""

    version: Version
    number: int
    state: str  # one of STATES, or AS_FOUND
    counts: bool = False

    @property
    def waits(self) -> bool:
        return self.state in WAITING


def rank(versions: Iterable[Version], rulings: Mapping[str, str]) -> tuple[Standing, ...]:
    """Say where each version of a report stands, in order of receipt; at most one counts.

    `rulings` are the latest on each version, by SHA-256. The newest version received in time, or
    taken in by a person, counts. Where all are late the first counts until a person has decided;
    where all are settled, the newest one that was ever believed.
    """
    ordered = sorted(versions)
    states = [_state(version, rulings) for version in ordered]
    counts = _counting(ordered, states)
    for number in range(counts or 0):
        if states[number] in (AS_FOUND, LATE):
            states[number] = SUPERSEDED
    return tuple([Standing(version, at + 1, states[at], at == counts) for at, version in enumerate(ordered)])


def _state(version: Version, rulings: Mapping[str, str]) -> str:
    """Tell the state of one version by itself."""
    ruling = rulings.get(version.sha256, FREE)
    if ruling in RULINGS:
        return RULINGS[ruling]
    return AS_FOUND if version.outcome in JUDGED else version.outcome


def _counting(versions: list[Version], states: list[str]) -> int | None:
    """Find the place of the version that counts."""
    if AS_FOUND in states:
        return len(states) - 1 - states[::-1].index(AS_FOUND)
    if LATE in states:
        return states.index(LATE)
    settled = [place for place, state in enumerate(states) if state in SETTLED]
    return max((place for place in settled if versions[place].outcome != QUARANTINED), default=None)


def counting(standings: Iterable[Standing]) -> Standing | None:
    for standing in standings:
        if standing.counts:
            return standing
    return None
