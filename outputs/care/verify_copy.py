"""What an earlier copy of a register holds of the log, held against it: nothing of that may be gone or changed.

Whoever can write in the database can take the triggers away, change what was logged, and put them
back. A copy that they cannot reach still tells.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, RowMapping, Table, select

from outputs.register.guards import FIXED, FORGOTTEN
from outputs.register.log import APPEND_ONLY, ERASABLE, letters
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from outputs.telling import counted
from templates.round import Round

CHUNK = 1000  # rows at a time
SHOWN = 5  # rows named in one problem


def held_against(round_: Round, register: Register, folder: Path) -> list[str]:
    """List what a backup of the round has of the log and the register has not. Raises RefusalError, RoundError."""
    copy = Round(folder)
    if not (folder / "round.toml").exists() or not copy.register.exists():
        raise RefusalError(f"{folder} is no backup of a round; name the folder that behov backup wrote")
    if copy.key != round_.key:
        raise RefusalError(f"{folder} is a copy of another round: its key is another")
    with Register.of(copy).reading() as earlier, register.reading() as now:
        return [f"{problem}; it stands in {folder}" for problem in lost_since(earlier, now)]


def lost_since(earlier: Connection, now: Connection) -> Iterator[str]:
    """Tell of each table of the log which rows of an earlier copy are gone, or say something else."""
    for table in (*APPEND_ONLY, letters):
        gone, changed = [], []
        for was, row in _pairs(earlier, now, table):
            if row is None:
                gone.append(_name(table, was))
            elif any(was[name] != row[name] for name in _kept(table, was, row)):
                changed.append(_name(table, was))
        for names, what in ((gone, "lost"), (changed, "changed")):
            if names:
                yield f"the log «{table.name}» has {what} {counted(len(names), 'row')} ({_some(names)})"


def _pairs(earlier: Connection, now: Connection, table: Table) -> Iterator[tuple[RowMapping, RowMapping | None]]:
    """Give each row of the copy with the one that has its key now."""
    first = table.primary_key.columns[0]
    rows = earlier.execution_options(yield_per=CHUNK).execute(select(table).order_by(first)).mappings()
    for chunk in rows.partitions():
        within = select(table).where(first >= chunk[0][first.name], first <= chunk[-1][first.name])
        there = {_key(table, row): row for row in now.execute(within).mappings()}
        for row in chunk:
            yield row, there.get(_key(table, row))


def _key(table: Table, row: RowMapping) -> tuple[object, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _kept(table: Table, was: RowMapping, row: RowMapping) -> Sequence[str]:
    """Name the columns that may not have changed."""
    if table is letters:
        return FIXED
    emptied = FORGOTTEN in row and row[FORGOTTEN] != was[FORGOTTEN]
    left = {FORGOTTEN, *ERASABLE[table]} if emptied else ()
    return [column.name for column in table.columns if column.name not in left]


def _name(table: Table, row: RowMapping) -> str:
    key = " ".join(str(part)[:12] for part in _key(table, row))
    return f"{row['report']}, {key}" if row.get("report") else key


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")
