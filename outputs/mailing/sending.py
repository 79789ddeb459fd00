"""A run of sending: every queued letter is handed over once, however the mail server behaves.

A letter is marked as being sent before the first word about it, and gets its next state from the
server's answer. So a crash at any moment leaves at most one letter that nobody knows about, and
that one is not sent again until a person says so.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from outputs.letters.message import MailError, dated, redirected, registered_address
from outputs.mailing import mailroom
from outputs.mailing.mail import Delivery, Line, UnreachableError, usable_password
from outputs.mailing.mailroom import OutboxError
from outputs.register.letter_states import FAILED, QUEUED, SENT, UNCERTAIN
from outputs.register.log import letters
from outputs.register.register import Register
from templates.round import Round

if TYPE_CHECKING:
    from outputs.progress import Progress

PAUSES = (30, 120, 600)  # seconds before a letter that was refused for now is tried again, and a server that is away
MAX_UNCERTAIN = 3  # letters; a server that breaks off after each of them is not given more
MINUTE = 60
TO_BE_SENT = "to be sent"  # of a run that only tells what it would do


class Clock:
    """The time, and waiting."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def seconds(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did: the letters it tried, and why it ended early, if it did."""

    letters: list[dict[str, Any]]
    counts: dict[str, int]  # letters by how handing them over ended
    stopped: str = ""
    refused: tuple[str, ...] = ()  # addresses that the server did not take, of letters that it took to another

    @property
    def done(self) -> bool:
        """Whether every letter was sent, or would be."""
        return not self.stopped and not self.counts.keys() - {SENT, TO_BE_SENT}


def send_letters(
    round_: Round,
    register: Register,
    kinds: Collection[str],
    progress: "Progress",
    *,
    redirect: str | None = None,
    clock: Clock | None = None,
) -> Run:
    """Send the queued letters of these kinds.

    With `redirect` copies go to that address instead, and the letters stay as they are.
    Raises MailError when nothing can be sent, OutboxError when another run is sending.
    """
    _refuse(redirect)
    clock = clock or Clock()
    with mailroom.alone(round_) as alone:
        if not alone:
            raise OutboxError("letters of this round are being sent already; wait until that is done")
        mailroom.tidy(round_, register, clock.now())
        with register.reading() as connection:
            numbers = mailroom.waiting(connection, kinds)
        sender = _Sender(round_, register, clock, redirect)
        if numbers:
            usable_password(sender.server)  # what is wrong in the settings is told before anything is shown
        with progress("Sending", len(numbers)) as step:
            return sender.send(numbers, step)


def would_send(round_: Round, register: Register, kinds: Collection[str], *, redirect: str | None = None) -> Run:
    """Tell which letters a run would send. Nobody is spoken to. Raises MailError for settings that cannot be used."""
    _refuse(redirect)
    sender = _Sender(round_, register, Clock(), redirect)
    usable_password(sender.server)
    mailroom.tidy(round_, register, sender.clock.now())
    with register.reading() as connection:
        return sender.told(dict.fromkeys(mailroom.waiting(connection, kinds), TO_BE_SENT))


def _refuse(redirect: str | None) -> None:
    if redirect is not None and not registered_address(redirect):
        raise MailError(f"«{redirect}» is not one e-mail address")


class _Sender:
    """One run, over one connection at a time."""

    def __init__(self, round_: Round, register: Register, clock: Clock, redirect: str | None) -> None:
        self.round, self.register, self.clock = round_, register, clock
        self.server = round_.settings.mail
        self.sender = self.server.sender or round_.settings.office.email
        if not registered_address(self.sender):
            raise MailError(f"«{self.sender}» is not an address that mail servers take; see sender in round.toml")
        self.redirect = redirect
        self.ended: dict[int, str] = {}
        self.refused: list[str] = []
        self.uncertain = 0
        self._line: Line | None = None
        self._last = float("-inf")  # when the last letter was begun

    def send(self, numbers: Sequence[int], step: Callable[[int], None]) -> Run:
        if not numbers:
            return Run([], {})
        stopped = ""
        self._line = Line(self.server)  # so that what is wrong is told before a letter is touched
        try:
            left = self._once(numbers, step)
            for pause in PAUSES:
                if left:
                    self._hang_up()
                    self.clock.pause(pause)
                    left = self._once(left, step)
        except MailError as error:
            stopped = str(error)
        finally:
            self._hang_up()
        return self.told(self.ended, stopped)

    def told(self, ended: Mapping[int, str], stopped: str = "") -> Run:
        counts = dict(sorted(Counter(ended.values()).items()))
        return Run(self._rows(ended), counts, stopped, tuple(self.refused))

    def _once(self, numbers: Sequence[int], step: Callable[[int], None]) -> list[int]:
        """Try each letter; give those that may be tried again."""
        refused = []
        for number in numbers:
            self._wait_for_turn()
            self._open_line()
            state = self._copy(number) if self.redirect else self._one(number)
            if state == QUEUED:
                refused.append(number)
            elif state:
                step(1)
            self.uncertain += state == UNCERTAIN
            if self.uncertain >= MAX_UNCERTAIN:
                raise MailError(f"{self.server.host} has broken off after taking {MAX_UNCERTAIN} letters; find out why")
        return refused

    def _one(self, number: int) -> str | None:
        """Send one letter and keep how it went; nothing is done to one that is queued no more."""
        try:
            message, to = self._letter(number)
        except OutboxError as error:
            return self._end(number, Delivery(FAILED, str(error)))
        with self.register.writing() as connection:
            if not mailroom.claim(connection, number, self.clock.now()):
                return None
        try:
            delivery = self._deliver(message, to)
        except MailError as error:
            self._end(number, Delivery(QUEUED, str(error)))
            raise
        return self._end(number, delivery)

    def _copy(self, number: int) -> str:
        """Send a copy of one letter to the test address; it does not count."""
        assert self.redirect is not None
        try:
            message, _ = self._letter(number)
        except OutboxError as error:
            delivery = Delivery(FAILED, str(error))
        else:
            delivery = self._deliver(redirected(message, self.redirect), [self.redirect])
        with self.register.writing() as connection:
            words = f"copy to {self.redirect}: {delivery.state} {delivery.words}"
            mailroom.remark(connection, number, words, self.clock.now())
        self.ended[number] = delivery.state
        return delivery.state

    def _letter(self, number: int) -> tuple[EmailMessage, list[str]]:
        with self.register.reading() as connection:
            row = connection.execute(select(letters).where(letters.c.id == number)).mappings().one()
        message = mailroom.message_of(self.round, row)
        dated(message, self.clock.now().astimezone(self.round.form.zone))
        return message, [address.addr_spec for address in message["To"].addresses]

    def _end(self, number: int, delivery: Delivery) -> str:
        with self.register.writing() as connection:
            mailroom.move(connection, number, delivery.state, delivery.words, self.clock.now())
        self.refused += delivery.refused
        self.ended[number] = delivery.state
        return delivery.state

    def _rows(self, ended: Collection[int]) -> list[dict[str, Any]]:
        columns = (letters.c.recipient, letters.c.kind, letters.c.to, letters.c.path, letters.c.state)
        with self.register.reading() as connection:
            rows = connection.execute(select(letters.c.id, *columns).order_by(letters.c.id)).mappings().all()
        return [{column.name: row[column.name] for column in columns} for row in rows if row["id"] in ended]

    # the connection

    def _deliver(self, message: EmailMessage, to: Sequence[str]) -> Delivery:
        """Hand a message over; a connection that had been used and is gone is opened anew for it."""
        used = self._open_line().taken > 0
        delivery = self._hand_over(message, to)
        if used and delivery.state == QUEUED and not delivery.goes_on:
            delivery = self._hand_over(message, to)
        return delivery

    def _hand_over(self, message: EmailMessage, to: Sequence[str]) -> Delivery:
        delivery = self._open_line().send(message, self.sender, to)
        if not delivery.goes_on:
            self._hang_up()
        return delivery

    def _open_line(self) -> Line:
        if self._line and self._line.taken >= self.server.per_connection:
            self._hang_up()
        if self._line is None:
            self._line = self._connect()
        return self._line

    def _connect(self) -> Line:
        """Connect again; a server that is away for a moment is waited for."""
        for pause in PAUSES:
            try:
                return Line(self.server)
            except UnreachableError:
                self.clock.pause(pause)
        return Line(self.server)

    def _hang_up(self) -> None:
        if self._line:
            self._line.close()
        self._line = None

    def _wait_for_turn(self) -> None:
        if self.server.per_minute:
            wait = self._last + MINUTE / self.server.per_minute - self.clock.seconds()
            if wait > 0:
                self.clock.pause(wait)
        self._last = self.clock.seconds()
