"""Letters that came back, as the mailbox tells."""

from collections.abc import Callable
from datetime import datetime

from intake.bounces import read_bounce
from outputs.mailing.mailroom import bounced
from outputs.register.register import Register


def bounce_taker(register: Callable[[], Register], now: datetime) -> Callable[[bytes], bool]:
    """Give what marks a letter as come back when a mail says so, and tells whether it was one of ours.

    The register is opened when there is something to ask it. Taking the same mail twice changes nothing.
    """

    def take(raw: bytes) -> bool:
        bounce = read_bounce(raw)
        if bounce is None:
            return False
        return any(bounced(register(), message_id, bounce.words, now) for message_id in bounce.message_ids)

    return take
