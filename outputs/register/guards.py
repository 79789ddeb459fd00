"""The triggers that refuse to change the log, in the words of each database.

One thing may change: what a `behov forget` removes. A row that loses it names, in `forgotten`, the
newest record of who did that and why, so that nothing can be changed without such a record.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlalchemy import DDL, MetaData, Table, event

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

Guard = tuple[str, str]  # table and name of a trigger


def guard(
    log: MetaData, append_only: Collection[Table], letters: Table, erasable: Mapping[Table, Collection[str]]
) -> list[Guard]:
    """Have the triggers made with the tables; gives what verify looks for.

    `erasable` are the columns that a person may have forgotten, by table.
    """
    for words in FUNCTIONS:
        event.listen(log, "before_create", DDL(words).execute_if(dialect=POSTGRESQL))  # type: ignore[no-untyped-call]
    for table in (*append_only, letters):
        _refuse_truncate(table)
    guards = [_refuse(table, "DELETE") for table in (*append_only, letters)]
    for table in append_only:
        guards += _refuse_update(table, erasable.get(table, ()))
    guards.append(_refuse(letters, "UPDATE", FIXED))
    guards.append(_refuse(letters, "UPDATE", UNTIL_IT_LEAVES, GONE, "no_UPDATE_letters_gone", forget=True))
    return guards


def _refuse_update(table: Table, erasable: Collection[str]) -> Iterator[Guard]:
    yield _refuse(table, "UPDATE", forget=bool(erasable))
    if erasable:
        fixed = [column.name for column in table.columns if column.name not in {*erasable, FORGOTTEN}]
        yield _refuse(table, "UPDATE", fixed, name=f"no_UPDATE_{table.name}_fixed")


def _refuse(
    table: Table, action: str, columns: Iterable[str] = (), when: str = "", name: str = "", *, forget: bool = False
) -> Guard:
    trigger = name or f"no_{action}_{table.name}"
    names = ", ".join(f'"{column}"' for column in columns)
    head = f'CREATE TRIGGER "{trigger}" BEFORE {action}{f" OF {names}" if names else ""} ON {table.name}'
    conditions = [*([when] if when else []), *([NOT_FORGETTING] if forget else [])]
    only = f" WHEN {' AND '.join(conditions)}" if conditions else ""
    sqlite = f"{only} BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    function = REFUSE_BUT_FORGET if forget else REFUSE
    postgresql = f" FOR EACH ROW {f'WHEN ({when})' if when else ''} EXECUTE FUNCTION {function}()"
    _with(table, "sqlite", head + sqlite)
    _with(table, POSTGRESQL, head + postgresql)
    return table.name, trigger


def _refuse_truncate(table: Table) -> None:
    head = f'CREATE TRIGGER "no_TRUNCATE_{table.name}" BEFORE TRUNCATE ON {table.name}'
    _with(table, POSTGRESQL, f"{head} FOR EACH STATEMENT EXECUTE FUNCTION {REFUSE}()")


def _with(table: Table, dialect: str, words: str) -> None:
    event.listen(table, "after_create", DDL(words).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
