"""What there is to tell owners: how every return of theirs stands now, as far as it is theirs to hear."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256 as digest
from typing import Any

from sqlalchemy import Connection, exists, select

from outputs.letters.received import REFUSED
from outputs.register.life import QUARANTINED, SETTLED, SUPERSEDED
from outputs.register.log import DUPLICATE, arrivals, origins, refusals
from outputs.register.logbook import came
from outputs.register.register import Register
from outputs.register.rulings import settled_files
from templates.recipients import Recipient
from templates.round import Round

AGAIN = "again:"  # how the same file stands that was sent once more; then what tells that mail apart
DIGEST_LENGTH = 12
# Refused for what is not the owner's to put right, or nothing to write about: staff see to it.
FOR_STAFF = frozenset({
    "another_owner", "killed_reader", "mail_encrypted", "mail_report", "mail_unreadable", "mail_without_files",
    "no_code_likely",
})  # fmt: skip

Standing = dict[str, Any]
"""A return that says something to its owner now: `_columns` names what is known of it."""


def standing_returns(connection: Connection, register: Register, round_: Round) -> list[Standing]:
    """Read every return that says something to its owner now, owner by owner."""
    rows = [*_versions(connection, register), *_refused(connection, register, round_)]
    return sorted(rows, key=lambda row: (row["recipient"], row["report"] or "", row["received"], row["sha256"]))


def sent_again(connection: Connection, rows: Iterable[Standing]) -> list[Standing]:
    """Read where the same file came by another mail: the latest such mail of each of these returns."""
    query = (
        select(origins.c.sha256, origins.c.received, origins.c.message_id, origins.c.sender)
        .join(arrivals, (arrivals.c.sha256 == origins.c.sha256) & (arrivals.c.path == origins.c.path))
        .where(arrivals.c.outcome == DUPLICATE, origins.c.message_id != "")
        .order_by(origins.c.received)
    )
    latest = {row.sha256: row for row in connection.execute(query)}
    return [{**row, **_again(latest[row["sha256"]])} for row in rows if row["sha256"] in latest]


def _again(mail: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    which = digest(f"{mail.message_id} {mail.received}".encode()).hexdigest()[:DIGEST_LENGTH]
    stood = f"{AGAIN}{which}"
    return {"received": mail.received, "message_id": mail.message_id, "sender": mail.sender, "stood": stood}


def _versions(connection: Connection, register: Register) -> list[Standing]:
    """Read the versions that count, and the late ones that wait for a person."""
    report, version = register.current.report, register.current.version
    query = (
        select(
            version.c.sha256,
            version.c.outcome,
            version.c.stood,
            report.c.recipient,
            report.c.report,
            report.c.title,
            report.c.correction_deadline,
            (version.c.sha256 != report.c.sha256).label("stands_by"),
            came.c.received,
            came.c.sender,
            came.c.name,
            came.c.reason,
            origins.c.message_id,
        )
        .join(report, report.c.report == version.c.report)
        .join(came, came.c.sha256 == version.c.sha256)
        .outerjoin(origins, (origins.c.sha256 == came.c.sha256) & (origins.c.path == came.c.path))
        .where(version.c.outcome.not_in((SUPERSEDED, QUARANTINED, *SETTLED)))
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _refused(connection: Connection, register: Register, round_: Round) -> Iterable[Standing]:
    """Read the newest file of each report that gave no version, unless a version came later."""
    counts = {row.report: row for row in connection.execute(select(register.current.report))}
    settled = settled_files(connection)
    found: dict[str, Standing] = {}
    for row in _owned(_unused(connection, register), round_, counts):
        current = counts.get(row["report"])
        if row["sha256"] not in settled and not (current and current.received >= row["received"]):
            known = {"title": current.title, "correction_deadline": current.correction_deadline} if current else {}
            found[row["report"] or row["sha256"]] = {**row, **known, "stands_by": current is not None}
    return found.values()


def _unused(connection: Connection, register: Register) -> list[Standing]:
    """Read every file that gave no version, in order of receipt."""
    version = register.current.version
    believed = exists().where(version.c.sha256 == came.c.sha256, version.c.outcome != QUARANTINED)
    query = (
        select(
            came.c.sha256,
            came.c.outcome,
            came.c.outcome.label("stood"),
            came.c.recipient,
            came.c.report,
            came.c.received,
            came.c.sender,
            came.c.name,
            came.c.reason,
            refusals.c.code,
            origins.c.message_id,
        )
        .outerjoin(refusals, refusals.c.sha256 == came.c.sha256)
        .outerjoin(origins, (origins.c.sha256 == came.c.sha256) & (origins.c.path == came.c.path))
        .where(came.c.outcome.in_(REFUSED), ~believed)
        .order_by(came.c.received)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


# whose it is


def _owned(rows: Iterable[Standing], round_: Round, counts: Mapping[str, Any]) -> Iterator[Standing]:
    """Give the files whose owner is known: by the skjemakode, or by the registered address they came from.

    Who sent a file proves nothing, but the letter goes to the registered address whatever the file says.
    """
    owners = _senders(round_.recipients.values())
    sent: dict[str, list[str]] = {}
    for line in round_.sent().values():
        sent.setdefault(line.orgnr, []).append(line.report)
    for row in rows:
        nothing = {"title": "", "correction_deadline": None}
        owner = owners.get((row["sender"] or "").casefold())
        if row["recipient"]:
            yield {**row, **nothing}
        elif owner and row["code"] and row["code"] not in FOR_STAFF:
            reports = sent.get(owner, [])
            has_come = [counts[report] for report in reports if report in counts]
            same_mail = any(one.received == row["received"] for one in has_come)
            if not same_mail and (len(has_come) < len(reports) or len(reports) == 1):
                yield {**row, **nothing, "recipient": owner, "report": reports[0] if len(reports) == 1 else None}


def _senders(recipients: Iterable[Recipient]) -> dict[str, str]:
    """Tell whose each registered address is, when it is one owner's alone."""
    pairs = {(address.casefold(), one.orgnr) for one in recipients for address in (one.email, one.contact_email)}
    shared = Counter(address for address, _ in pairs)
    return {address: orgnr for address, orgnr in pairs if address and shared[address] == 1}
