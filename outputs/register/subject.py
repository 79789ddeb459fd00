"""What a person means by a name: a report, or one received file."""

from sqlalchemy import Connection, select

from outputs.register.log import returns, submissions
from outputs.register.refusals import RefusalError
from outputs.register.waiting import SHORT
from templates.problems import suggestion
from templates.round import Round

SHORTEST = 6  # characters of a SHA-256 that may name a file


def find_subject(round_: Round, connection: Connection, subject: str) -> tuple[str | None, str | None]:
    """Find the report, or the SHA-256 of the file, that somebody means: its number, a file name, or its SHA-256.

    Raises RefusalError when there is none or more than one.
    """
    reports = sorted(connection.scalars(select(submissions.c.report).distinct()))
    for report in reports:
        if report.casefold() == subject.casefold():
            return report, None
    query = select(returns.c.sha256, returns.c.name, returns.c.report.label("sent"), submissions.c.report)
    query = query.outerjoin(submissions)
    files = connection.execute(query).all()
    found = [file for file in files if subject == file.name]
    if len(subject) >= SHORTEST:
        found = [file for file in files if file.sha256.startswith(subject.casefold())] or found
    found = found or [file for file in files if (file.sent or "").casefold() == subject.casefold()]
    if len(found) == 1:
        return found[0].report, found[0].sha256
    if found:
        names = ", ".join(file.sha256[:SHORT] for file in found)
        raise RefusalError(f"{len(found)} files go by «{subject}»; name one by its SHA-256: {names}")
    sent = [report for report in round_.sent() if report.casefold() == subject.casefold()]
    if sent:
        raise RefusalError(f"nothing has come in for {sent[0]} yet")
    raise RefusalError(f"there is no report or file «{subject}». {suggestion(subject, reports, 'See: behov status.')}")
