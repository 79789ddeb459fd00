"""The register made again: its current state from its log, and an older register in the form and place of today."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from outputs.checking import known_of
from outputs.progress import Progress, silent
from outputs.register.database import told_plainly
from outputs.register.log import log, returns
from outputs.register.places import database_at
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from outputs.register.schema import OlderRegisterError, carry_over, copy_log, fits_log
from outputs.register.sqlite import SqliteFile, free_name
from templates.round import Round, Server


def rebuild(round_: Round, now: datetime, progress: Progress = silent) -> dict[str, Any]:
    """Make the current state again, and hold all reports against each other; as `rebuild --json` prints it.

    Raises RefusalError.
    """
    kept = None
    known = known_of(round_)
    try:
        register = Register.of(round_, known)
    except OlderRegisterError:
        kept = _brought_over(round_)
        register = Register.of(round_, known)
    with register.writing():
        register.rebuild(progress)
        register.refresh([], now, "rebuild")
    return {"reports": len(register.reports()), "carried_over_from": kept}


def _brought_over(round_: Round) -> str:
    """Bring an older register up to date, or one in a file to the server; tells where the older one is kept."""
    if not (isinstance(round_.database, Server) and round_.register.exists()):
        return carry_over(database_at(round_.database), round_.form)
    file = SqliteFile(round_.register)
    target = Register.open(round_.database, round_.form)
    with told_plainly(file), file.engine.connect() as source, source.begin(), target.writing() as connection:
        if not fits_log(source, file):
            raise RefusalError(
                f"{round_.register} was made by another version of behov; take «register» out of round.toml, "
                "run behov rebuild, and put it back"
            )
        if connection.scalar(select(returns.c.sha256).limit(1)):
            raise RefusalError(
                f"{target.database.name} holds a register already, and so does {round_.register}; "
                "find out which of them is right, and move the file away or take «register» out of round.toml"
            )
        copy_log(source, connection)
        target.database.count_on(connection, log)
    kept = free_name(round_.register.with_name("register-before-rebuild.db"))
    round_.register.rename(kept)
    return kept.name


def rebuilt_lines(done: dict[str, Any]) -> Iterator[str]:
    if done["carried_over_from"]:
        yield f"The register is brought up to date; the older one is kept as {done['carried_over_from']}."
    yield f"The current state of {done['reports']} reports is made again from the log."
