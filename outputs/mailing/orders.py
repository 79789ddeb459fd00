"""What a person says of letters by number: that they are held, reworded, released, written again, mailed by hand."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from outputs.letters.message import reworded, words_of
from outputs.mailing.mailroom import OutboxError, move, read_file, sends_itself, write_file
from outputs.register.letter_states import MAILED, ORDERS, QUEUED, RENEW
from outputs.register.log import letter_orders, letters
from outputs.register.register import Register
from templates.round import Round

REPLACED = "replaced"  # in outbox/: the files of letters that are to be written again


@dataclass(frozen=True, slots=True)
class Order:
    """What a person says of letters, one of ORDERS, with name and reason."""

    what: str
    by: str
    reason: str
    at: datetime


def obey(round_: Round, register: Register, numbers: Sequence[int], order: Order) -> None:
    """Do what a person says of letters, all of it or nothing, and log who and why. Raises OutboxError.

    Without numbers «renew» is said of every letter that waits, and so is «mailed» where staff mail the letters.
    """
    of_all = not numbers and (order.what == RENEW or (order.what == MAILED and not sends_itself(round_)))
    if not of_all:
        _see_to_it_that_numbers_are_said(numbers, order)
    _see_to_it_that_all_is_said(order)
    with register.writing() as connection:
        queued = select(letters.c.id).where(letters.c.state == QUEUED).order_by(letters.c.id)
        chosen = connection.scalars(queued).all() if of_all else numbers
        for number in chosen:
            _carry_out(connection, number, order)
        copied = [_copy_aside(connection, round_, number) for number in chosen if order.what == RENEW]
    for path in copied:
        path.unlink(missing_ok=True)


def _copy_aside(connection: Connection, round_: Round, number: int) -> Path:
    """Let a letter have its file where nobody mails it from; gives the place it had."""
    path = connection.scalars(select(letters.c.path).where(letters.c.id == number)).one()
    aside = round_.outbox / REPLACED / Path(path).name
    aside.parent.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # somebody has removed it
        shutil.copy2(round_.folder / path, aside)
    stands = update(letters).where(letters.c.id == number)
    connection.execute(stands.values(path=aside.relative_to(round_.folder).as_posix()))
    return round_.folder / str(path)


def edit(
    round_: Round, register: Register, numbers: Sequence[int], rewrite: Callable[[str], str | None], order: Order
) -> None:
    """Let a person reword letters that are held, and log who and why. Raises OutboxError.

    `rewrite` is given the words of each: the subject, an empty line, and the text. It gives the new ones, or
    None for those that are to stay.
    """
    _see_to_it_that_numbers_are_said(numbers, order)
    _see_to_it_that_all_is_said(order)
    for number in numbers:
        with register.reading() as connection:
            _see_to_it_that_it_may_be(connection, number, order)
            path = round_.folder / connection.scalars(select(letters.c.path).where(letters.c.id == number)).one()
        message = read_file(path)
        words = rewrite(words_of(message))
        if words is None:
            continue
        try:
            message = reworded(message, words)
        except ValueError as error:
            raise OutboxError(f"letter {number}: {error}") from None
        with register.writing() as connection:
            _carry_out(connection, number, order)
            subject = str(message["Subject"])
            connection.execute(update(letters).where(letters.c.id == number).values(subject=subject))
            write_file(path, message)


def _see_to_it_that_numbers_are_said(numbers: Sequence[int], order: Order) -> None:
    if not numbers:
        raise OutboxError(f"say which letters, by number: behov outbox {order.what} NUMBER …; behov outbox lists them")


def _see_to_it_that_all_is_said(order: Order) -> None:
    if order.what == MAILED and not order.by.strip():
        raise OutboxError(f"say who mailed them: behov outbox {order.what} … --by NAME")
    if order.what != MAILED and not (order.by.strip() and order.reason.strip()):
        raise OutboxError(f"say who and why: behov outbox {order.what} … --by NAME --reason TEXT")


def _see_to_it_that_it_may_be(connection: Connection, number: int, order: Order) -> None:
    allowed, _ = ORDERS[order.what]
    found = connection.scalar(select(letters.c.state).where(letters.c.id == number))
    if found is None:
        raise OutboxError(f"there is no letter {number}; behov outbox lists them")
    if found not in allowed:
        needed = " or ".join(allowed)
        raise OutboxError(f"letter {number} is {found}, and «{order.what}» is for letters that are {needed}")


def _carry_out(connection: Connection, number: int, order: Order) -> None:
    _see_to_it_that_it_may_be(connection, number, order)
    said = {"letter": number, "what": order.what, "by": order.by, "reason": order.reason, "at": order.at}
    connection.execute(insert(letter_orders).values(said))
    why = f": {order.reason}" if order.reason.strip() else ""
    move(connection, number, ORDERS[order.what][1], f"{order.what}{why} ({order.by})", order.at)
