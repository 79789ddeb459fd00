"""The triggers that refuse to change the log, in the words of each database."""

from collections.abc import Collection

from sqlalchemy import DDL, MetaData, Table, event

from outputs.database import POSTGRESQL
from outputs.letter_states import OVERTAKEN, WAITING

FIXED = ("id", "key", "recipient", "kind", "made_at", '"by"')  # columns of letters that never change
UNTIL_IT_LEAVES = ('"to"', "subject")  # these change only while a letter waits, or when it is made again
GONE = f"OLD.state NOT IN {(*WAITING, OVERTAKEN)}"
FUNCTION = "refuse_to_change"  # of PostgreSQL, in the register's own schema

Guard = tuple[str, str]  # table and name of a trigger


def guard(log: MetaData, append_only: Collection[Table], letters: Table) -> list[Guard]:
    """Have the triggers made with the tables; gives what verify looks for."""
    words = (
        f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = '23000'; END $$"
    )
    event.listen(log, "before_create", DDL(words).execute_if(dialect=POSTGRESQL))  # type: ignore[no-untyped-call]
    guards = [_refuse(table, action) for table in append_only for action in ("DELETE", "UPDATE")]
    for table in (*append_only, letters):
        _refuse_truncate(table)
    guards.append(_refuse(letters, "DELETE"))
    guards.append(_refuse(letters, "UPDATE", FIXED))
    guards.append(_refuse(letters, "UPDATE", UNTIL_IT_LEAVES, GONE, "no_UPDATE_letters_gone"))
    return guards


def _refuse(table: Table, action: str, columns: Collection[str] = (), when: str = "", name: str = "") -> Guard:
    trigger = name or f"no_{action}_{table.name}"
    of = f" OF {', '.join(columns)}" if columns else ""
    head = f'CREATE TRIGGER "{trigger}" BEFORE {action}{of} ON {table.name}'
    sqlite = f" {f'WHEN {when}' if when else ''} BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    postgresql = f" FOR EACH ROW {f'WHEN ({when})' if when else ''} EXECUTE FUNCTION {FUNCTION}()"
    _with(table, "sqlite", head + sqlite)
    _with(table, POSTGRESQL, head + postgresql)
    return table.name, trigger


def _refuse_truncate(table: Table) -> None:
    head = f'CREATE TRIGGER "no_TRUNCATE_{table.name}" BEFORE TRUNCATE ON {table.name}'
    _with(table, POSTGRESQL, f"{head} FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()")


def _with(table: Table, dialect: str, words: str) -> None:
    event.listen(table, "after_create", DDL(words).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
