"""Whether a register fits the program and the form, and how one that an older program made is carried over.

The log's shape is one number that the database keeps; those of what can be made again, the current
state and the guards of the log, stand in a table of their own.
"""

import zlib
from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer, MetaData, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.schema import CreateTable

from outputs.register.database import Database
from outputs.register.guards import put_up, words_of
from outputs.register.labelled import is_view
from outputs.register.log import FAILED, GUARDS, log
from outputs.register.projection import Projection
from outputs.register.refusals import RefusalError
from outputs.register.rows import insert_rows
from templates.form import Form
from validation.across import ACROSS

CHUNK = 1000  # rows at a time

made = MetaData()
shape = Table(
    "shape",
    made,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("guards", Integer, nullable=False),  # a register of an older program has no such column
)


class OlderRegisterError(RefusalError):
    """A register that another version of the program made, or that lies elsewhere than it should."""


def fits(connection: Connection, database: Database, current: Projection) -> bool:
    """Tell whether all tables are as the program and the form want them, and the guards those of the program."""
    if not fits_log(connection, database) or not inspect(connection).has_table(shape.name):
        return False
    return _stored(connection) == (_shape(current), _guards(connection))


def fits_log(connection: Connection, database: Database) -> bool:
    """Tell whether the tables of the log are as the program wants them."""
    return database.number(connection) == _number(log)


def fit(connection: Connection, database: Database, current: Projection) -> None:
    """Make what is missing, and the tables of the current state in the form's shape, empty.

    Guards are made where the program has others than the one that made them; those that somebody has
    taken away stay away, for `verify` to tell.

    Raises OlderRegisterError when the log itself has other columns than ours.
    """
    database.prepare(connection)
    inspector = inspect(connection)
    found = {table: _names(inspector.get_columns(table)) for table in inspector.get_table_names()}
    if any(found.get(table.name, _names(table.columns)) != _names(table.columns) for table in log.sorted_tables):
        raise OlderRegisterError(
            f"{database.name} was made by another version of behov; "
            "bring it up to date with: behov rebuild (nothing is lost)"
        )
    is_guarded = shape.name in found and _stored(connection)[1:] == (_guards(connection),)
    for view in inspector.get_view_names():
        if is_view(view):
            connection.exec_driver_sql(f'DROP VIEW "{view}"')
    stored = MetaData()
    stored.reflect(connection, only=lambda name, _: name not in log.tables and database.is_ours(name))
    for table in reversed(stored.sorted_tables):
        if table.name not in log.tables:
            table.drop(connection)
    for metadata in (log, current.metadata, made):
        metadata.create_all(connection)
    if not (is_guarded and log.tables.keys() <= found.keys()):
        put_up(connection, GUARDS, database.triggers(connection))
    for statement in current.views.values():
        connection.exec_driver_sql(statement)
    connection.execute(shape.insert().values(number=_shape(current), guards=_guards(connection)))
    database.set_number(connection, _number(log))


def _names(columns: Iterable[object]) -> set[str]:
    return {column["name"] if isinstance(column, dict) else column.name for column in columns}  # type: ignore[attr-defined]


def _stored(connection: Connection) -> tuple[int, ...]:
    """The numbers of a register that some program made."""
    return tuple(connection.execute(select(text("*")).select_from(shape)).first() or ())


def _shape(current: Projection) -> int:
    """A number that stands for the current state's tables, and for what the form's codes mean."""
    return _number(current.metadata, *current.views.values(), repr(current.labels))


def _guards(connection: Connection) -> int:
    """A number that stands for the guards as the program wants them."""
    return _number(MetaData(), *words_of(GUARDS, connection.dialect.name))


def _number(metadata: MetaData, *more: str) -> int:
    """A number that stands for the tables as the program wants them."""
    tables = sorted(str(CreateTable(table)) for table in metadata.sorted_tables)
    return zlib.crc32("".join([*tables, *more]).encode()) >> 1  # a signed 32-bit field


# carrying over


def carry_over(database: Database, form: Form) -> str:
    """Bring the log of an older register into a new one in its place; tells where the older one is kept.

    What it lacks gets the value that says «unknown». What an older program found between reports of
    one batch is left out, since all reports are held against each other anew. Raises RefusalError
    when it has not what a register needs.
    """
    try:
        with database.set_aside() as (connection, old, kept):
            log.create_all(connection)
            put_up(connection, GUARDS, set())
            for table in log.sorted_tables:
                _copy(connection, old, table, form)
            database.count_on(connection, log)
    except (DBAPIError, _StrangeError) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        raise RefusalError(
            f"{database.name} is too old to be carried over ({said}); keep it, move it away, "
            "and take the files of archive/ in again with: behov ingest archive"
        ) from None
    return kept


class _StrangeError(Exception):
    """A table of the same name that is something else."""


def _copy(connection: Connection, old: str, table: Table, form: Form) -> None:
    """Copy the rows of one table of the log, as far as the older one has its columns."""
    try:
        had = _names(inspect(connection).get_columns(table.name, schema=old))
    except NoSuchTableError:
        return
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name in had)
    if not columns:
        raise _StrangeError(f"«{table.name}» is something else there")
    query = (
        f'INSERT INTO "{table.name}" ({columns})'  # noqa: S608 - names of our own tables
        f' SELECT {columns} FROM "{old}"."{table.name}" WHERE {_wanted(old, table, form)}'
    )
    connection.execute(text(query))


def _wanted(old: str, table: Table, form: Form) -> str:
    """Leave out what is recorded in another way now."""
    if table.name in ("returns", "arrivals", "origins"):
        return f"sha256 NOT IN (SELECT sha256 FROM \"{old}\".returns WHERE outcome = '{FAILED}')"  # noqa: S608
    across = [rule for rule in form.rules if rule.check in ACROSS]
    if table.name == "findings" and across:
        rules = ", ".join(f"'{rule.id}/{rule.part}'" for rule in across)
        return f"rule || '/' || part NOT IN ({rules})"
    return "1 = 1"


def copy_log(source: Connection, target: Connection) -> None:
    """Copy every row of the log into tables of the same shape in another database."""
    for table in log.sorted_tables:
        rows = source.execution_options(yield_per=CHUNK).execute(select(table)).mappings()
        for chunk in rows.partitions():
            insert_rows(target, table, [dict(row) for row in chunk])
