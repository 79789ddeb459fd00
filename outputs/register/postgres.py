"""A register in a schema of a PostgreSQL server; the only file that knows psycopg."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from outputs.register.database import IMMEDIATE, Values
from outputs.register.refusals import RefusalError
from templates.round import Server

PASSWORD = "BEHOV_REGISTER_PASSWORD"  # noqa: S105 - the name of the variable that holds it
BUSY = "30s"  # how long one process waits for another to finish writing
CONNECT_SECONDS = "10"
NUMBERS = "made_for"  # holds the shape of the log, as `PRAGMA user_version` does in SQLite, and whose register it is
ASIDE = "_before_rebuild"  # after the name of the register's own schema
CURRENT = ("report", "version", "finding", "label", "shape")  # tables of the current state that no form names


class PostgresSchema:
    """One schema, which is the register's alone."""

    numbers_without_gaps = False

    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = server.shown
        url = make_url(server.url).set(drivername="postgresql+psycopg")
        self.where, self.user = f"{url.host or 'this machine'}", url.username or "you"
        self.database = url.database or ""
        options = {
            "options": f"-csearch_path={server.schema} -clock_timeout={BUSY}",
            "connect_timeout": url.query.get("connect_timeout", CONNECT_SECONDS),
            "application_name": "behov",
        }
        if os.environ.get(PASSWORD):
            options["password"] = os.environ[PASSWORD]  # else libpq finds it: PGPASSWORD, or ~/.pgpass
        try:
            self.engine = create_engine(url, poolclass=NullPool, connect_args=options)
        except ModuleNotFoundError:
            raise RefusalError(
                "this round's register is in PostgreSQL, which needs one more package: "
                "pipx inject behov 'psycopg[binary]'"
            ) from None
        event.listen(self.engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):  # writers take turns, and each sees what the last wrote
            query = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
            connection.execute(query, {"name": f"behov {self.server.schema}"})
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def number(self, connection: Connection) -> int:
        if not inspect(connection).has_table(NUMBERS):
            return 0
        number, owner = connection.exec_driver_sql(f"SELECT log, round FROM {NUMBERS}").one()  # noqa: S608
        if owner != self.server.round:
            raise RefusalError(
                f"{self.name} holds the register of another round; give this round a schema of its own in round.toml"
            )
        return int(number)

    def set_number(self, connection: Connection, number: int) -> None:
        connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {NUMBERS} (log INTEGER, round TEXT)")
        connection.exec_driver_sql(f"DELETE FROM {NUMBERS}")  # noqa: S608 - a name of our own
        row = {"log": number, "round": self.server.round}
        connection.execute(text(f"INSERT INTO {NUMBERS} VALUES (:log, :round)"), row)  # noqa: S608

    def prepare(self, connection: Connection) -> None:
        inspector = inspect(connection)
        if inspector.has_table(NUMBERS):
            return
        if inspector.has_schema(self.server.schema):
            there = inspector.get_table_names(self.server.schema)
            if there:
                raise RefusalError(
                    f"{self.name} holds other tables ({', '.join(sorted(there)[:3])}); "
                    "give this round a schema of its own in round.toml: ?schema=NAME"
                )
        else:
            connection.exec_driver_sql(f'CREATE SCHEMA "{self.server.schema}"')

    def is_ours(self, table: str) -> bool:
        return table in CURRENT or table.startswith("sheet_")

    def triggers(self, connection: Connection, *, in_force: bool = False) -> set[tuple[str, str]]:
        query = (
            "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid)"
        )
        if in_force:
            query += " AND tgenabled <> 'D'"
        return {(table, name) for table, name in connection.exec_driver_sql(query)}

    @contextmanager
    def set_aside(self) -> Iterator[tuple[Connection, str, str]]:
        """Move the older tables to a schema of their own."""
        with self.engine.connect().execution_options(**{IMMEDIATE: True}) as connection, connection.begin():
            inspector = inspect(connection)
            there = inspector.get_schema_names()
            first = f"{self.server.schema}{ASIDE}"
            old = next(name for name in (first, *(f"{first}_{n}" for n in range(2, 1000))) if name not in there)
            connection.exec_driver_sql(f'CREATE SCHEMA "{old}"')
            for table in inspector.get_table_names():
                if table != NUMBERS:
                    connection.exec_driver_sql(f'ALTER TABLE "{table}" SET SCHEMA "{old}"')
            yield connection, old, f"schema {old}"

    def count_on(self, connection: Connection, log: MetaData) -> None:
        for table in log.sorted_tables:
            for column in table.primary_key.columns:
                if column is table.autoincrement_column:
                    query = (
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), max({column.name}))"
                    )
                    connection.exec_driver_sql(f"{query} FROM {table.name}")

    def scrub(self) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in inspect(connection).get_table_names():
                connection.exec_driver_sql(f'VACUUM FULL "{table}"')
            for schema in inspect(connection).get_schema_names():  # what was set aside still holds it all
                if re.fullmatch(rf"{re.escape(self.server.schema)}{ASIDE}(_\d+)?", schema):
                    connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')

    def damage(self, connection: Connection) -> Iterator[str]:  # noqa: ARG002 - the server looks after its files
        yield from ()

    def plainly(self, error: DBAPIError) -> str | None:
        state = getattr(error.orig, "sqlstate", None)
        said = next(iter(str(error.orig).splitlines()), "").rpartition(": ")[2].strip()
        if state == "55P03":  # lock_not_available
            return f"{self.name} is being written by somebody else; try again"
        if state == "42501":  # insufficient_privilege
            return f"«{self.user}» may not do that in {self.name} ({said}); ask who runs the server"
        if state == "2BP01":  # dependent_objects_still_exist
            return f"the form's tables in {self.name} have changed, and views of yours stand on them; drop those first"
        if error.connection_invalidated or type(error).__name__ == "OperationalError":
            return self._unreachable(said)
        return None

    def _unreachable(self, said: str) -> str:
        if "password" in said:
            return (
                f"the server {self.where} does not let «{self.user}» in ({said}); "
                f"the password is read from {PASSWORD}, PGPASSWORD or ~/.pgpass"
            )
        if "does not exist" in said:
            return f"the server {self.where} has no such thing ({said}); ask who runs it"
        return f"the register's server {self.where} cannot be reached ({said}); try again"


# many rows at once


def copy_values(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Values]) -> None:
    """Insert rows of values in the order of the names."""
    columns = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def insert_missing(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Values]) -> None:
    """Insert those rows that are not there already, in one statement."""
    columns = ", ".join(f'"{name}"' for name in names)
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    query = (
        f'INSERT INTO "{table.name}" ({columns})'  # noqa: S608 - names of our own tables
        f' SELECT {columns} FROM json_populate_recordset(NULL::"{table.name}", CAST(:rows AS json))'
        " ON CONFLICT DO NOTHING"
    )
    connection.execute(text(query), {"rows": json.dumps(listed, default=_plain)})


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know: the driver's own JSON, or a moment
    return value.obj if hasattr(value, "obj") else value.isoformat()
