"""The marked workbooks that go with a letter: one for each report that is to be corrected."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from sqlalchemy import Connection

from outputs.letters.feedback import Attachment
from outputs.letters.message import with_room
from outputs.letters.received import Received
from outputs.marked.marked import Marked, Marker
from outputs.register.logbook import read_submissions
from templates.recipients import Recipient
from templates.round import Round

log = logging.getLogger(__name__)


class Marking:
    """Marks what the owners of a round are to correct. What it is made from is built once, when it is needed."""

    def __init__(self, round_: Round) -> None:
        self.round = round_

    @cached_property
    def _marker(self) -> Marker:
        return Marker(self.round.form, self.round.settings.office, self.round.key)

    def mark(
        self, connection: Connection, recipient: Recipient, about: Sequence[Received]
    ) -> tuple[list[Received], list[Attachment]]:
        """Make a workbook for each return with something to correct.

        Gives the returns, with the cells of their findings as the workbooks have them, and the files. One that
        the letter has no room for is put beside the letters, for staff to send in another way.
        """
        wrong = [item for item in about if item.errors and recipient.orgnr in self.round.recipients]
        submissions = read_submissions(connection, [item.sha256 for item in wrong]) if wrong else {}
        made: dict[str, Marked] = {}
        for item in wrong:
            try:
                made[item.sha256] = self._marker.mark(submissions[item.sha256], item.findings, recipient)
            except Exception:  # the letter says all there is to say without it
                log.exception("could not mark the workbook of %s", item.report)
        files = [Attachment(marked.name, marked.content) for marked in made.values()]
        kept = {file.name for file in with_room(files, self.round.settings.mail)}
        for file in files:
            if file.name not in kept:
                self.round.outbox.mkdir(parents=True, exist_ok=True)
                temporary = self.round.outbox / f"{file.name}.tmp"
                temporary.write_bytes(file.content)
                temporary.replace(self.round.outbox / file.name)
        return [_with_file(item, made.get(item.sha256), kept) for item in about], files


def _with_file(item: Received, marked: Marked | None, kept: set[str]) -> Received:
    if marked is None or marked.name not in kept:
        return item
    return replace(item, findings=marked.findings, marked=marked.name)
