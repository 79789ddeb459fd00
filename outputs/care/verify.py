"""Proof that nothing is lost or changed: the log, the archived originals, and the current state made from them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from outputs.care.verify_copy import held_against
from outputs.care.verify_log import gaps
from outputs.progress import Progress, silent
from outputs.register.archive import archived, digest
from outputs.register.log import GUARDS, forgettings, imports, returns, submissions
from outputs.register.prepared import load_submission
from outputs.register.register import Register
from outputs.telling import counted
from templates.round import Round

ORIGINAL = re.compile(r"[0-9a-f]{64}")
SHOWN = 5  # reports named in one problem
REBUILD = "make it again with: behov rebuild"
AGAINST = "behov verify --against BACKUP tells"
UNCHANGED = f"which {AGAINST}, {REBUILD}"


def verify(round_: Round, register: Register, backup: Path | None = None, progress: Progress = silent) -> list[str]:
    """List every problem in words, each with what to do; none when all is well.

    With a backup, nothing that its log holds may be gone or changed. Raises RefusalError, RoundError for what is none.
    """
    lost = held_against(round_, register, backup) if backup else []
    return [*lost, *_problems(round_, register, progress)]


def _problems(round_: Round, register: Register, progress: Progress) -> list[str]:
    with register.writing() as connection:  # so that nobody else changes what is looked at
        if damaged := list(register.database.damage(connection)):
            return [*damaged, *_archive(round_, None, progress)]
        kept = {row.sha256: row.name for row in connection.execute(select(returns.c.sha256, returns.c.name))}
        answers = list(_answers(connection))
        made_again = [] if answers else _projection(register, connection, progress)
        return [
            *_triggers(register, connection),
            *gaps(connection, numbered=register.database.numbers_without_gaps),
            *answers,
            *_archive(round_, kept, progress),
            *_imported(round_, connection),
            *made_again,
        ]


def _triggers(register: Register, connection: Connection) -> Iterator[str]:
    """Look whether the log is still guarded against change."""
    there, dialect = register.database.triggers(connection, in_force=True), connection.dialect.name
    wanted = [(guard.table, guard.name) for guard in GUARDS if guard.words(dialect)]
    for table in dict.fromkeys(table for table, name in wanted if (table, name) not in there):
        yield (
            f"the log «{table}» can be changed: its triggers are gone. Find out who took them away, "
            f"and what they changed, which {AGAINST}"
        )


def _answers(connection: Connection) -> Iterator[str]:
    """Look whether every stored version can be read, and is the one of its return."""
    for row in connection.execute(select(submissions)).mappings():
        try:
            read = load_submission(row["answers"])
        except (ValueError, TypeError, KeyError):
            read = None
        if read is None or (read.source.sha256, read.report) != (row["sha256"], row["report"]):
            which = f"{row['report']} ({row['sha256'][:12]})"
            yield f"the answers of {which} are damaged; put the register back from your backup"


def _archive(round_: Round, kept: dict[str, str] | None, progress: Progress) -> Iterator[str]:
    """Look whether every original is there, unchanged, and that none is there that the log, if known, does not know."""
    there = dict(archived(round_))
    for sha256, name in sorted((kept or {}).items()):
        if sha256 not in there:
            yield (
                f"the original of «{name}» ({sha256[:12]}) is not in archive/; "
                "put it back from your backup, or from where the file came"
            )
    with progress("Originals", len(there)) as step:
        for sha256, path in sorted(there.items()):
            if not ORIGINAL.fullmatch(sha256):
                yield f"archive/{path.name} was not put there by behov; move it away"
            elif digest(path) != sha256:
                yield f"archive/{path.name} is not what was received; put it back from your backup"
            elif kept is not None and sha256 not in kept:
                yield f"archive/{path.name} is not in the register, as when a run broke off; run behov ingest again"
            step(1)


def _imported(round_: Round, connection: Connection) -> Iterator[str]:
    """Look whether every snapshot of a register is there, unchanged."""
    forgotten = connection.scalar(select(func.max(forgettings.c.at)))
    for row in connection.execute(select(imports).where(imports.c.kept.is_not(None)).order_by(imports.c.id)).mappings():
        path = round_.folder / row["kept"]
        if not path.is_file():
            if forgotten and row["kind"] == "recipients" and row["at"] <= forgotten:
                continue  # it named contact persons
            yield f"{row['kept']} is lost; put it back from your backup, or import {row['name']} again"
        elif digest(path) != row["kept_sha256"]:
            yield f"{row['kept']} is not what was imported; put it back from your backup"


def _projection(register: Register, connection: Connection, progress: Progress) -> Iterator[str]:
    """Make the current state again, compare, and leave it as it was."""
    before = current_state(register, connection)
    with register.tried():
        register.rebuild(progress)
        after = current_state(register, connection)
    for table in before:
        if before[table] != after[table]:
            differing = counted(len(set(map(repr, before[table])) ^ set(map(repr, after[table]))), "row")
            yield f"the table «{table}» is not what the log says ({differing}). If the log is as it was, {UNCHANGED}"
    changed = sorted(report for report, _, _ in register.reviewer.changes(connection).values())
    if changed:
        named = ", ".join(changed[:SHOWN]) + (" and more" if len(changed) > SHOWN else "")
        yield f"what is found between reports has changed ({named}), as when rules or waivers change; {REBUILD}"


def current_state(register: Register, connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Read all rows of the tables that are made from the log, in one order."""
    tables = register.current.metadata.sorted_tables
    return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def verified_lines(problems: list[str]) -> Iterator[str]:
    yield from (f"- {problem}" for problem in problems)
    well = "All is well: the log, the originals and the current state."
    yield f"{counted(len(problems), 'problem')}." if problems else well
