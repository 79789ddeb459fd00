"""Tables of the log that tell more of what stands elsewhere in it. They only grow, as the rest does."""

from collections.abc import Iterable

from sqlalchemy import Column, Connection, ForeignKey, Integer, Table, Text

from outputs.log import FAILED, decisions, guard, insert_rows, log, returns
from outputs.stored import Moment
from validation.verdict import Verdict

refusals = Table(  # why a return gave no version: a code of intake/texts.toml; an older program did not keep it
    "refusals",
    log,
    Column("sha256", Text, ForeignKey(returns.c.sha256), primary_key=True),
    Column("code", Text, nullable=False),
)
extensions = Table(  # until when a person lets a report be sent in or corrected
    "extensions",
    log,
    Column("decision", Integer, ForeignKey(decisions.c.id), primary_key=True, autoincrement=False),
    Column("due", Moment, nullable=False),
)

for _table in (refusals, extensions):
    guard(_table)


def write_refusals(connection: Connection, verdicts: Iterable[Verdict]) -> None:
    """Log why new returns were refused."""
    rows = [{"sha256": one.source.sha256, "code": one.code} for one in verdicts if one.code and one.outcome != FAILED]
    insert_rows(connection, refusals, rows)
