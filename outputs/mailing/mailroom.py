"""The mailroom: every letter and where it stands. Only here does a state change.

A letter is written to its file first and then entered. Each change of state is logged with its
time and what caused it, and the log only grows.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from outputs.letters.message import UNSENT, address_to, addresses, read_message
from outputs.register.letter_states import (
    BOUNCED,
    BY_HAND,
    COUNTING,
    DRAFT,
    LEFT,
    OVERTAKEN,
    QUEUED,
    SENDING,
    UNCERTAIN,
    WAITING,
)
from outputs.register.log import letter_events, letter_ids, letter_orders, letters
from outputs.register.register import Register
from templates.round import Round, RoundError

DIGEST_LENGTH = 12  # characters of a file name
TURN = "#"  # before the number of a turn
PATIENCE = 1  # seconds; another command may look at the outbox just now

log = logging.getLogger(__name__)


class OutboxError(RoundError):
    """Something the outbox does not do: one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a letter that letter: to whom, of what kind, about what, as it stood.

    `about` holds pairs: the SHA-256 of a version and how it stood, or a report or deadline and what
    it is told for. `turn` counts the letters that say the very same: what was so, and then was not,
    may be so again.
    """

    recipient: str
    kind: str
    about: frozenset[tuple[str, str]]
    turn: int = 1

    def __str__(self) -> str:
        pairs = (f"{what}={how}" for what, how in sorted(self.about))
        return " ".join([self.recipient, self.kind, *pairs, *([f"{TURN}{self.turn}"] if self.turn > 1 else [])])

    @classmethod
    def parse(cls, text: str) -> "Key":
        recipient, kind, *rest = text.split(" ")
        turn = int(rest.pop().removeprefix(TURN)) if rest and rest[-1].startswith(TURN) else 1
        parts = (pair.partition("=") for pair in rest)
        return cls(recipient, kind, frozenset((what, how) for what, _, how in parts), turn)


# entering letters


def known(connection: Connection, kinds: Collection[str], states: Collection[str] = COUNTING) -> Iterator[Key]:
    """Read the keys of the letters of these kinds in these states; the newest last."""
    return (key for key, _ in known_since(connection, kinds, states))


def known_since(
    connection: Connection, kinds: Collection[str], states: Collection[str] = COUNTING
) -> Iterator[tuple[Key, datetime]]:
    """Read the keys of the letters of these kinds in these states, and when they were made; the newest last."""
    query = select(letters.c.key, letters.c.made_at).where(letters.c.kind.in_(kinds), letters.c.state.in_(states))
    rows = connection.execute(query.order_by(letters.c.id)).all()
    return ((Key.parse(row.key), row.made_at) for row in rows)


def enter(
    connection: Connection, round_: Round, key: Key, message: EmailMessage, now: datetime, note: str = ""
) -> list[dict[str, Any]]:
    """Write the letter to its file and enter it, with a note for staff; give nothing if it is there already.

    One that was overtaken is entered again. A recipient without a registered address gets a draft.
    """
    earlier = connection.execute(select(letters.c.id, letters.c.state).where(letters.c.key == str(key))).one_or_none()
    if earlier and earlier.state != OVERTAKEN:
        return []
    path = write_file(round_.outbox / _file_name(key), message)
    state = QUEUED if message["To"] else DRAFT
    to = [address.addr_spec for address in message["To"].addresses] if message["To"] else []
    what = {"recipient": key.recipient, "kind": key.kind}
    how = {"to": to, "path": path.relative_to(round_.folder).as_posix(), "state": state}
    entered = {**how, "subject": str(message["Subject"])}
    if earlier:
        connection.execute(update(letters).where(letters.c.id == earlier.id).values(entered))
        number = earlier.id
    else:
        new = insert(letters).values(**what, **entered, key=str(key), made_at=now)
        number = connection.scalar(new.returning(letters.c.id))
    connection.execute(insert(letter_ids).values(message_id=str(message["Message-ID"]), letter=number))
    _log(connection, number, state, note, now)
    return [what | how]


def sends_itself(round_: Round) -> bool:
    """Whether letters leave by the program; else staff mail the files, and a queued letter may have been mailed."""
    return bool(round_.settings.mail.host)


def heard_in(round_: Round) -> Sequence[str]:
    """Give the states of the letters that owners may have."""
    return LEFT if sends_itself(round_) else BY_HAND


def overtake(connection: Connection, stale: Iterable[Key], now: datetime) -> None:
    """Take letters back that have not been sent, because there is something newer to tell."""
    for key in stale:
        query = select(letters.c.id).where(letters.c.key == str(key), letters.c.state.in_(WAITING))
        for number in connection.scalars(query).all():
            move(connection, number, OVERTAKEN, "there was something newer to tell", now)


def _file_name(key: Key) -> str:
    digest = hashlib.sha256(str(key).encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{key.recipient}-{key.kind}-{digest}.eml"


def write_file(path: Path, message: EmailMessage) -> Path:
    """Write the letter at once or not at all, so that it outlives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(message.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    return temporary.replace(path)


# the state of a letter


def move(connection: Connection, number: int, state: str, note: str, now: datetime) -> None:
    """Bring a letter into a state, and log when and why."""
    connection.execute(update(letters).where(letters.c.id == number).values(state=state))
    _log(connection, number, state, note, now)


def remark(connection: Connection, number: int, words: str, now: datetime) -> None:
    """Log something of a letter that does not change its state."""
    state = connection.scalar(select(letters.c.state).where(letters.c.id == number))
    _log(connection, number, str(state), words, now)


def claim(connection: Connection, number: int, now: datetime) -> bool:
    """Mark a queued letter as being sent; tell whether it still was queued."""
    queued = update(letters).where(letters.c.id == number, letters.c.state == QUEUED).values(state=SENDING)
    if not connection.execute(queued.returning(letters.c.id)).all():
        return False
    _log(connection, number, SENDING, "", now)
    return True


def _log(connection: Connection, number: int, state: str, words: str, now: datetime) -> None:
    connection.execute(insert(letter_events).values(letter=number, state=state, note=words, at=now))
    log.info("letter %s  %s  %s", number, state, words)


@contextmanager
def alone(round_: Round) -> Iterator[bool]:
    """Tell whether this process is the only one that sends letters, and keep it so.

    The lock is one of SQLite's, since those end with the process on every system.
    """
    round_.outbox.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(round_.outbox / "sending.lock", timeout=PATIENCE, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            yield False
        else:
            yield True


def tidy(round_: Round, register: Register, now: datetime) -> None:
    """Bring states up to date when nobody is sending.

    A letter that a run left in flight is uncertain. A letter waits in the queue while its recipient
    has a registered address, as a draft while there is none, and goes to the address as it is now.
    """
    with register.writing() as connection:
        rows = connection.execute(select(letters).where(letters.c.state.in_((*WAITING, SENDING)))).mappings().all()
        for row in rows:
            if row["state"] == SENDING:
                words = "a run broke off while it sent this letter; nobody knows whether it arrived"
                move(connection, row["id"], UNCERTAIN, words, now)
                continue
            recipient = round_.recipients.get(row["recipient"])
            to = addresses(recipient) if recipient else []
            state = QUEUED if to else DRAFT
            if (to, state) != (row["to"], row["state"]):
                connection.execute(update(letters).where(letters.c.id == row["id"]).values(to=to))
                move(connection, row["id"], state, f"the registered address is now: {', '.join(to) or 'none'}", now)


def settle(round_: Round, register: Register, now: datetime) -> None:
    """Bring states up to date, unless letters are being sent this moment."""
    with alone(round_) as undisturbed:
        if undisturbed:
            tidy(round_, register, now)


def waiting(connection: Connection, kinds: Collection[str]) -> list[int]:
    """List the letters of these kinds that are to be sent, in the order they were made."""
    query = select(letters.c.id).where(letters.c.state == QUEUED, letters.c.kind.in_(kinds)).order_by(letters.c.id)
    return list(connection.scalars(query))


def message_of(round_: Round, row: RowMapping) -> EmailMessage:
    """Read a letter from its file, addressed as the recipient is registered now.

    Raises OutboxError when the file is gone or spoilt, or the recipient has no registered address.
    """
    message = read_file(round_.folder / row["path"])
    if row["recipient"] not in round_.recipients or not addresses(round_.recipients[row["recipient"]]):
        raise OutboxError(f"{row['recipient']} has no registered address")
    if missing := [name for name in ("From", "Subject", "Message-ID", "Content-Language") if not message[name]]:
        raise OutboxError(f"{row['path']} has lost its {missing[0]}; discard the letter, or put its file right")
    address_to(message, round_.recipients[row["recipient"]])
    del message[UNSENT]
    return message


def read_file(path: Path) -> EmailMessage:
    try:
        return read_message(path)
    except OSError as error:
        raise OutboxError(f"{path} cannot be read: {error.strerror}") from error


def bounced(register: Register, message_id: str, words: str, now: datetime) -> bool:
    """Mark the letter with this Message-ID as come back; tell whether it is one of ours."""
    with register.writing() as connection:
        query = select(letters.c.id, letters.c.state).join(letter_ids).where(letter_ids.c.message_id == message_id)
        letter = connection.execute(query).one_or_none()
        if letter and letter.state in (*LEFT, QUEUED):  # a queued one may have been mailed by hand
            move(connection, letter.id, BOUNCED, words, now)
        return letter is not None


# what a person sees


def letter_list(register: Register) -> list[dict[str, Any]]:
    """List the letters in the order they were made, with the last that was logged of each."""
    with register.reading() as connection:
        rows = connection.execute(select(letters).order_by(letters.c.id)).mappings().all()
        last = {row["letter"]: row for row in _events(connection)}
    return [_told(row) | _event(last[row["id"]]) for row in rows]


def letter_history(register: Register, number: int) -> dict[str, Any]:
    """Tell all there is of one letter. Raises OutboxError for one that is not here."""
    with register.reading() as connection:
        row = connection.execute(select(letters).where(letters.c.id == number)).mappings().one_or_none()
        if row is None:
            raise OutboxError(f"there is no letter {number}; behov outbox lists them")
        events = [_event(event) for event in _events(connection, number)]
        orders = connection.execute(select(letter_orders).where(letter_orders.c.letter == number)).mappings().all()
    said = [{key: order[key] for key in ("what", "by", "reason")} | {"at": _when(order)} for order in orders]
    return _told(row) | {"events": events, "orders": said}


def _events(connection: Connection, number: int | None = None) -> Sequence[RowMapping]:
    query = select(letter_events).order_by(letter_events.c.id)
    chosen = query if number is None else query.where(letter_events.c.letter == number)
    return connection.execute(chosen).mappings().all()


def _told(row: RowMapping) -> dict[str, Any]:
    return {key: row[key] for key in ("id", "recipient", "kind", "to", "subject", "path", "state")}


def _event(row: RowMapping) -> dict[str, Any]:
    return {"state": row["state"], "note": row["note"], "at": _when(row)}


def _when(row: RowMapping) -> str:
    return str(row["at"].isoformat())
