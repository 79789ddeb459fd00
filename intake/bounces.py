"""Mails that say that a mail of ours was not delivered (RFC 3464): which one, and why."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from intake.mail import MAX_PARTS, MOST, POLICY, REPORT
from intake.names import shown

STATUS = "message/delivery-status"
ORIGINAL = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers")
FAILED = "failed"  # the other actions: delayed, delivered, relayed, expanded
WORDS = 300  # characters of what servers say

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail server's word that a mail was not delivered. Anybody can write such a mail; its words prove nothing."""

    message_ids: tuple[str, ...]  # what the mail that came back may be called; the surest first
    words: str  # to whom, and why


def read_bounce(raw: bytes) -> Bounce | None:
    """Tell what a mail says has come back.

    None for every other mail: one that is only delayed, that was read, or whose reader is away. Never raises.
    """
    if any(raw.count(mark) > most for mark, most in MOST):
        return None
    try:
        return _read(message_from_bytes(raw, policy=POLICY))
    except Exception:  # it is a stranger's mail, and may be made in any way
        log.info("a report could not be taken apart", exc_info=True)
        return None


def _read(message: Message) -> Bounce | None:
    if message.get_content_type() != REPORT:
        return None
    parts = list(_inside(message))[:MAX_PARTS]
    blocks = [block for part in parts if part.get_content_type() == STATUS for block in _inside(part)]
    failed = [block for block in blocks if _field(block, "Action").casefold() == FAILED]
    originals = [_headers(part) for part in parts if part.get_content_type() in ORIGINAL]
    named = [*(_field(one, "Message-ID") for one in originals), *_answered(message)]
    ids = tuple(dict.fromkeys(one for one in named if one))
    return Bounce(ids, _words(failed)) if failed and ids else None


def _inside(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    yield from (one for one in payload if isinstance(one, Message)) if isinstance(payload, list) else ()


def _headers(part: Message) -> Message:
    """Give the headers of the mail that came back, from the mail itself or from its headers alone."""
    inner = next(_inside(part), None)
    if inner is not None and inner.keys():
        return inner
    content = part.get_payload(decode=True)
    return message_from_bytes(content if isinstance(content, bytes) else b"", policy=POLICY)


def _answered(message: Message) -> list[str]:
    """List the mails that the report says it answers, for servers that leave out what came back."""
    return [*reversed(_field(message, "In-Reply-To").split()), *reversed(_field(message, "References").split())]


def _field(message: Message, name: str) -> str:
    return shown(str(message.get(name, "")))


def _words(failed: list[Message]) -> str:
    said = []
    for block in failed:
        address = _field(block, "Final-Recipient") or _field(block, "Original-Recipient")
        why = _field(block, "Diagnostic-Code") or _field(block, "Status")
        said.append(f"{_value(address)}: {_value(why)}" if address else _value(why))
    return "; ".join(said)[:WORDS]


def _value(typed: str) -> str:
    """Give what follows the type: «rfc822; kari@example.no», «smtp; 550 no such user»."""
    return (typed.partition(";")[2] or typed).strip()
