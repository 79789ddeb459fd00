"""The triggers that refuse to change the log, in the words of each database.

One thing may change: what a `behov forget` removes. A row that loses it names, in `forgotten`, the
newest record of who did that and why, so that nothing can be changed without such a record.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from outputs.register.database import POSTGRESQL
from outputs.register.letter_states import HELD, OVERTAKEN, WAITING

FIXED = ("id", "key", "recipient", "kind", "made_at", "by")  # columns of letters that never change
UNTIL_IT_LEAVES = ("to", "subject")  # these change only while a letter waits, or when it is made again
GONE = f"OLD.state NOT IN {(*WAITING, HELD, OVERTAKEN)}"
FORGOTTEN = "forgotten"
NOT_FORGETTING = (
    "(NEW.forgotten IS NULL OR NEW.forgotten IS OLD.forgotten"
    " OR NEW.forgotten IS NOT (SELECT max(id) FROM forgettings))"
)
# of PostgreSQL, in the register's own schema
REFUSE, REFUSE_BUT_FORGET = "refuse_to_change", "refuse_but_forget"
RAISE = "RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = '23000'"
FUNCTIONS = (
    f"CREATE OR REPLACE FUNCTION {REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {RAISE}; END $$",
    f"""CREATE OR REPLACE FUNCTION {REFUSE_BUT_FORGET}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE newest INTEGER;
    BEGIN
        EXECUTE format('SELECT max(id) FROM %%I.forgettings', TG_TABLE_SCHEMA) INTO newest;
        IF NEW.forgotten IS NULL OR NEW.forgotten IS NOT DISTINCT FROM OLD.forgotten OR NEW.forgotten <> newest THEN
            {RAISE};
        END IF;
        RETURN NEW;
    END $$""",  # noqa: S608 - names of our own
)
OURS = "no_"  # how the name of every trigger begins

Standing = set[tuple[str, str]]
"""Triggers that are in a database, by table and name."""


@dataclass(frozen=True)
class Guard:
    """A trigger: its table, its name, and how a database is told to make it; no words where it has no such thing."""

    table: str
    name: str
    sqlite: str
    postgresql: str

    def words(self, dialect: str) -> str:
        return self.postgresql if dialect == POSTGRESQL else self.sqlite


def guards_of(
    append_only: Collection[Table], letters: Table, erasable: Mapping[Table, Collection[str]]
) -> Iterator[Guard]:
    """Give every guard of the log. `erasable` are the columns that a person may have forgotten, by table."""
    for table in (*append_only, letters):
        yield _refuse_truncate(table)
        yield _refuse(table, "DELETE")
    for table in append_only:
        yield from _refuse_update(table, erasable.get(table, ()))
    yield _refuse(letters, "UPDATE", FIXED)
    yield _refuse(letters, "UPDATE", UNTIL_IT_LEAVES, GONE, "no_UPDATE_letters_gone", forget=True)


def _refuse_update(table: Table, erasable: Collection[str]) -> Iterator[Guard]:
    yield _refuse(table, "UPDATE", forget=bool(erasable))
    if erasable:
        fixed = [column.name for column in table.columns if column.name not in {*erasable, FORGOTTEN}]
        yield _refuse(table, "UPDATE", fixed, name=f"no_UPDATE_{table.name}_fixed")


def _refuse(
    table: Table, action: str, columns: Iterable[str] = (), when: str = "", name: str = "", *, forget: bool = False
) -> Guard:
    trigger = name or f"{OURS}{action}_{table.name}"
    names = ", ".join(f'"{column}"' for column in columns)
    head = f'CREATE TRIGGER "{trigger}" BEFORE {action}{f" OF {names}" if names else ""} ON {table.name}'
    conditions = [*([when] if when else []), *([NOT_FORGETTING] if forget else [])]
    only = f" WHEN {' AND '.join(conditions)}" if conditions else ""
    sqlite = f"{only} BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    function = REFUSE_BUT_FORGET if forget else REFUSE
    postgresql = f" FOR EACH ROW {f'WHEN ({when})' if when else ''} EXECUTE FUNCTION {function}()"
    return Guard(table.name, trigger, head + sqlite, head + postgresql)


def _refuse_truncate(table: Table) -> Guard:
    trigger = f"{OURS}TRUNCATE_{table.name}"
    head = f'CREATE TRIGGER "{trigger}" BEFORE TRUNCATE ON {table.name}'
    return Guard(table.name, trigger, "", f"{head} FOR EACH STATEMENT EXECUTE FUNCTION {REFUSE}()")


def put_up(connection: Connection, guards: Collection[Guard], standing: Standing) -> None:
    """Make the guards, instead of those of an older program."""
    dialect = connection.dialect.name
    for table, name in sorted(standing):
        if name.startswith(OURS):
            where = f' ON "{table}"' if dialect == POSTGRESQL else ""
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"{where}')
    for words in words_of(guards, dialect):
        connection.exec_driver_sql(words)


def words_of(guards: Collection[Guard], dialect: str) -> list[str]:
    """List how a database is told to make the guards, and what they need."""
    needed = FUNCTIONS if dialect == POSTGRESQL else ()
    return [*needed, *(words for guard in guards if (words := guard.words(dialect)))]
