"""The register made again: its current state from its log, and an older register in the form of today."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from outputs.ingest import known_of
from outputs.register import Register
from outputs.schema import OlderRegisterError, carry_over
from templates.round import Round


def rebuild(round_: Round, now: datetime) -> dict[str, Any]:
    """Make the current state again, and hold all reports against each other; as `rebuild --json` prints it.

    Raises RefusalError.
    """
    kept = None
    try:
        register = Register.open(round_.register, round_.form, known_of(round_))
    except OlderRegisterError:
        kept = carry_over(round_.register, round_.form)
        register = Register.open(round_.register, round_.form, known_of(round_))
    with register.writing():
        register.rebuild()
        register.refresh([], now, "rebuild")
    return {"reports": len(register.reports()), "carried_over_from": kept.name if kept else None}


def rebuilt_lines(done: dict[str, Any]) -> Iterator[str]:
    if done["carried_over_from"]:
        yield f"register.db is brought up to date; the older one is kept as {done['carried_over_from']}."
    yield f"The current state of {done['reports']} reports is made again from the log."
