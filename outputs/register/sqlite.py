"""A register in a file of SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from outputs.register.database import IMMEDIATE
from outputs.register.refusals import RefusalError

BUSY_SECONDS = 30  # how long one process waits for another to finish writing
PAUSE = 0.02  # seconds until it tries again, where SQLite does not wait
WAY_OUT = {  # what a person can do, by how the error is called
    "SQLITE_BUSY": "another program is using it; close it there, or try again",
    "SQLITE_LOCKED": "another program is using it; close it there, or try again",
    "SQLITE_FULL": "make room on its disk, and try again; nothing is lost",
    "SQLITE_IOERR": "see whether its disk is full or out of reach, and try again; nothing is lost",
    "SQLITE_CANTOPEN": "see whether you may write in its folder",
    "SQLITE_READONLY": "see whether you may write in it and in its folder",
}
MARK = 7  # hexadecimal digits: what fits in `PRAGMA application_id`
RESTORE = "put it back from your backup"


class SqliteFile:
    """One file, and at rest nothing beside it."""

    numbers_without_gaps = True

    def __init__(self, path: Path, round_: str = "") -> None:
        self.path = path
        self.mark = int(round_[:MARK], 16) if round_ else None  # of the round that it is opened for
        self.name = str(path)
        self.engine = engine_at(path)
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    def number(self, connection: Connection) -> int:
        owner = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        if self.mark is None or owner == self.mark:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if owner:
            raise RefusalError(
                f"{self.path} is the register of another round, whose key is another. Put the key that belongs to it "
                "back; for a new round start in a folder of its own: behov new DIR --form NAME"
            )
        return 0  # nobody's yet, so it is made this round's

    def set_number(self, connection: Connection, number: int) -> None:
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
        if self.mark is not None:
            connection.exec_driver_sql(f"PRAGMA application_id = {self.mark}")

    def prepare(self, connection: Connection) -> None:
        """Do nothing: the file is the register's alone."""

    def is_ours(self, table: str) -> bool:  # noqa: ARG002 - the file is the register's alone
        return True

    def triggers(self, connection: Connection, *, in_force: bool = False) -> set[tuple[str, str]]:  # noqa: ARG002
        query = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        return {(table, name) for table, name in connection.exec_driver_sql(query)}

    @contextmanager
    def set_aside(self) -> Iterator[tuple[Connection, str, str]]:
        """Keep a copy of the file, and put a new one in its place when all is written."""
        kept = free_name(self.path.with_name(f"{self.path.stem}-before-rebuild{self.path.suffix}"))
        new = self.path.with_name(f"~{self.path.name}")
        new.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(kept)) as copy:
            source.backup(copy)
        engine = engine_at(new)
        event.listen(engine, "connect", lambda connection, _: connection.execute("ATTACH ? AS old", [str(kept)]))
        try:
            with engine.begin() as connection:
                yield connection, "old", kept.name
        except BaseException:
            kept.unlink()
            new.unlink(missing_ok=True)
            raise
        new.replace(self.path)

    def count_on(self, connection: Connection, log: MetaData) -> None:
        """Do nothing: SQLite gives the number after the highest."""

    def scrub(self) -> None:
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("VACUUM")

    def damage(self, connection: Connection) -> Iterator[str]:
        name = self.path.name
        try:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        except DatabaseError as error:
            yield f"{name} is damaged ({error.orig}); {RESTORE}"
            return
        yield from (f"{name} is damaged ({line}); {RESTORE}" for line in found if line != "ok")
        yield from (f"{name} has rows in «{table}» that belong to nothing; {RESTORE}" for table, *_ in orphans)

    def plainly(self, error: DBAPIError) -> str | None:
        code = getattr(error.orig, "sqlite_errorname", "")
        way_out = next((words for name, words in WAY_OUT.items() if code.startswith(name)), None)
        if isinstance(error, OperationalError) and way_out:
            return f"{self.path} cannot be used now ({error.orig}): {way_out}"
        if type(error) is DatabaseError:
            return f"{self.path} is damaged ({error.orig}); {RESTORE}"
        return None


def free_name(path: Path) -> Path:
    """The path, or one with a number where it is taken."""
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.rstrip('0123456789').rstrip('-')}-{number}{path.suffix}")
    return path


def engine_at(path: Path) -> Engine:
    """Give an engine without a pool: no connection outlives its transaction, and at rest the register is one file."""
    url = URL.create("sqlite", database=str(path))
    return create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin
    _keep_a_log_of_writes(connection)
    for setting in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        connection.execute(f"PRAGMA {setting}")


def _keep_a_log_of_writes(connection: sqlite3.Connection) -> None:
    """Set write-ahead logging. SQLite itself does not wait here for somebody who does the same to a new file."""
    until = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(PAUSE)
        else:
            return


def _begin(connection: Connection) -> None:
    # A writer takes its turn at once: one that began by reading could not go on after another wrote.
    writes: Any = connection.get_execution_options().get(IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
