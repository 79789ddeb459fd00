"""Whether a register.db fits the program and the form, and how one that an older program made is carried over.

The log's shape stands in `PRAGMA user_version`; the shape of the current state, which can always be
made again, in a table of its own.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Column, Connection, Integer, MetaData, Table, create_engine, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from outputs import case_log
from outputs.log import FAILED
from outputs.projection import Projection
from outputs.refusals import RefusalError
from templates.form import Form
from validation.across import ACROSS

log = case_log.exports.metadata  # the whole log: importing its last part adds that
made = MetaData()
shape = Table("shape", made, Column("number", Integer, primary_key=True))


class OlderRegisterError(RefusalError):
    """A register that another version of the program made."""


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn what the database says of a file that is no register into a RefusalError."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.OperationalError):  # locked, no space, no such folder
            raise RefusalError(f"{path} cannot be used now ({error.orig}); try again") from None
        raise RefusalError(f"{path} is damaged ({error.orig}); put it back from your backup") from None


def fits(connection: Connection, current: Projection) -> bool:
    """Tell whether all tables are as the program and the form want them."""
    if _user_version(connection) != _number(log) or not inspect(connection).has_table(shape.name):
        return False
    return connection.scalar(select(shape.c.number)) == _number(current.metadata)


def fit(connection: Connection, current: Projection, path: Path) -> None:
    """Make what is missing, and the tables of the current state in the form's shape, empty.

    Raises OlderRegisterError when the log itself has other columns than ours.
    """
    inspector = inspect(connection)
    found = {table: _names(inspector.get_columns(table)) for table in inspector.get_table_names()}
    if any(found.get(table.name, _names(table.columns)) != _names(table.columns) for table in log.sorted_tables):
        raise OlderRegisterError(
            f"{path} was made by another version of behov; bring it up to date with: behov rebuild (nothing is lost)"
        )
    stored = MetaData()
    stored.reflect(connection)
    for table in reversed(stored.sorted_tables):
        if table.name not in log.tables:
            table.drop(connection)
    for metadata in (log, current.metadata, made):
        metadata.create_all(connection)
    connection.execute(shape.insert().values(number=_number(current.metadata)))
    connection.exec_driver_sql(f"PRAGMA user_version = {_number(log)}")


def _names(columns: Iterable[object]) -> set[str]:
    return {column["name"] if isinstance(column, dict) else column.name for column in columns}  # type: ignore[attr-defined]


def _user_version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _number(metadata: MetaData) -> int:
    """A number that stands for the tables as the program wants them."""
    tables = sorted(str(CreateTable(table)) for table in metadata.sorted_tables)
    return zlib.crc32("".join(tables).encode()) >> 1  # a signed 32-bit field


# carrying over


def carry_over(path: Path, form: Form) -> Path:
    """Bring the log of an older register into a new one in its place; gives where the older one is kept.

    What it lacks gets the value that says «unknown». What an older program found between reports of
    one batch is left out, since all reports are held against each other anew. Raises RefusalError
    when it has not what a register needs.
    """
    kept = _free(path.with_name(f"{path.stem}-before-rebuild{path.suffix}"))
    new = path.with_name(f"~{path.name}")
    new.unlink(missing_ok=True)
    engine = create_engine(URL.create("sqlite", database=str(new)), poolclass=NullPool)
    with engine.begin() as connection:
        log.create_all(connection)
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(kept)) as copy:
        old.backup(copy)
    try:
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("ATTACH ? AS old", [str(kept)])
            with connection:
                for table in log.sorted_tables:
                    _copy(connection, table, form)
    except sqlite3.Error as error:
        kept.unlink()
        new.unlink()
        raise RefusalError(
            f"{path} is too old to be carried over ({error}); keep it, move it away, "
            "and take the files of archive/ in again with: behov ingest archive"
        ) from None
    new.replace(path)
    return kept


def _copy(connection: sqlite3.Connection, table: Table, form: Form) -> None:
    """Copy the rows of one table of the log, as far as the older one has its columns."""
    had = {row[1] for row in connection.execute(f"PRAGMA old.table_info({table.name})")}
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name in had)
    if had and not columns:
        raise sqlite3.DatabaseError(f"«{table.name}» is something else there")
    if columns:
        connection.execute(
            f"INSERT INTO main.{table.name} ({columns})"  # noqa: S608 - names of our own tables
            f" SELECT {columns} FROM old.{table.name} WHERE {_wanted(table, form)}"
        )


def _wanted(table: Table, form: Form) -> str:
    """Leave out what is recorded in another way now."""
    if table.name in ("returns", "arrivals", "origins"):
        return f"sha256 NOT IN (SELECT sha256 FROM old.returns WHERE outcome = '{FAILED}')"  # noqa: S608
    if table.name == "findings":
        rules = ", ".join(f"'{rule.id}/{rule.part}'" for rule in form.rules if rule.check in ACROSS)
        return f"rule || '/' || part NOT IN ({rules})"
    return "1"


def _free(path: Path) -> Path:
    """The path, or one with a number where it is taken."""
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.rstrip('0123456789').rstrip('-')}-{number}{path.suffix}")
    return path
