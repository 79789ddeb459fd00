"""The states of a letter, what a person can say of it in each, and the page that shows all of them."""

from collections.abc import Mapping

DRAFT = "draft"  # its recipient has no registered address
QUEUED, HELD, SENDING, SENT, FAILED, BOUNCED = "queued", "held", "sending", "sent", "failed", "bounced"
UNCERTAIN = "uncertain"  # nobody knows whether it arrived
DISCARDED = "discarded"  # a person has said that it is not to be sent
OVERTAKEN = "overtaken"  # there was newer to tell before it was sent

STATES = (DRAFT, QUEUED, HELD, SENDING, UNCERTAIN, SENT, FAILED, BOUNCED, DISCARDED, OVERTAKEN)
COUNTING = tuple(state for state in STATES if state != OVERTAKEN)  # what they say is told, or waits for a person
WAITING = (DRAFT, QUEUED)
NEED_A_PERSON = (DRAFT, UNCERTAIN, FAILED, BOUNCED)
LEFT = (SENDING, UNCERTAIN, SENT)  # the owner may have them
BY_HAND = (*LEFT, *WAITING)  # the same where no mail server is named: staff mail what is in outbox/

MAILED = "mailed"  # by hand; without numbers, every letter that waits

# what a person can say of a letter: the states it may be in, and the one it gets
ORDERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "hold": ((DRAFT, QUEUED), HELD),
    "edit": ((HELD,), HELD),
    "release": ((HELD,), QUEUED),
    "resend": ((UNCERTAIN, SENT, FAILED, BOUNCED, DISCARDED), QUEUED),
    "discard": ((DRAFT, QUEUED, HELD, UNCERTAIN, FAILED, BOUNCED), DISCARDED),
    MAILED: ((DRAFT, QUEUED, HELD, UNCERTAIN, FAILED, BOUNCED), SENT),
}

PAGE = "index.html"  # in outbox/
