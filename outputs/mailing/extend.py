"""A person gives one report more time, before or after it has come in."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from outputs.mailing.outbox import end_of
from outputs.register.decide import Wish
from outputs.register.log import decisions, extensions
from outputs.register.logbook import latest_deadlines
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.problems import suggestion
from templates.round import Round
from validation.verdict import LATE

EXTEND = "extend"  # how it stands among the decisions


def extend(round_: Round, register: Register, report: str, until: date, wish: Wish) -> dict[str, Any]:
    """Let a report be sent in or corrected until the end of a day. Raises RefusalError.

    Gives what `extend --json` prints. Done once more it changes nothing.
    """
    for option, words in (("--reason", wish.reason), ("--by", wish.by)):
        if not words.strip():
            raise RefusalError(f"more time needs {option}: who decides, and why, stays in the register")
    due = end_of(until, round_.form)
    with register.writing() as connection:
        status = {row["report"]: row["status"] for row in register.reports()}
        names = {name.casefold(): name for name in (*round_.sent(), *status)}
        name = names.get(report.casefold())
        if name is None:
            hint = suggestion(report, sorted(names.values()), "See: behov status.")
            raise RefusalError(f"there is no report «{report}». {hint}")
        before = latest_deadlines(connection, [name]).get(name)
        changed = not (before == due and _is_extended(register, name, due))
        if changed:
            _permit(round_, name, status.get(name), due, before, wish.at)
            decision = {
                "report": name,
                "what": EXTEND,
                "rulings": {},
                "waives": [],
                "by": wish.by,
                "reason": wish.reason,
            }
            made = connection.scalar(insert(decisions).values(**decision, at=wish.at).returning(decisions.c.id))
            connection.execute(insert(extensions).values(decision=made, due=due))
            register.set_correction_deadline(name, due)
    return {"report": name, "until": due.isoformat(), "by": wish.by, "reason": wish.reason, "changed": changed}


def _is_extended(register: Register, report: str, due: datetime) -> bool:
    query = select(extensions.c.due).join(decisions).where(decisions.c.report == report)
    with register.reading() as connection:
        return due in set(connection.scalars(query))


def _permit(
    round_: Round, report: str, status: str | None, due: datetime, before: datetime | None, now: datetime
) -> None:
    """Refuse what gives nobody more time. Raises RefusalError."""
    if status == LATE:
        raise RefusalError(f"{report} has come, too late; take it in with: behov decide {report} accept-late")
    if due < now:
        raise RefusalError(f"{due:%d.%m.%Y} has passed; give a day to come")
    earlier = max(filter(None, (round_.form.deadline, before)))
    if due <= earlier:
        raise RefusalError(f"{report} has until {earlier.astimezone(round_.form.zone):%d.%m.%Y} already")


def extended_lines(done: dict[str, Any]) -> Iterator[str]:
    """What came of it."""
    until = f"{datetime.fromisoformat(done['until']):%d.%m.%Y}"
    if not done["changed"]:
        yield f"{done['report']}: has until {until} already. Nothing changed."
        return
    yield f"{done['report']}: may be sent in or corrected until {until}, by {done['by']}."
    yield "To tell its owner: behov feedback"
