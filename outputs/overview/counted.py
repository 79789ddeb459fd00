"""What is counted: the round as it stands, in figures and lists, before anything is worded."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from intake.submission import Value
from outputs.exports.norwegian import sort_key
from outputs.letters.notice_letters import INVITATION, REMINDER
from outputs.register.current_answers import asked_by, read_answers
from outputs.register.life import JUDGED, NEEDS_CORRECTION
from outputs.register.log import as_finding, findings, letters
from outputs.register.logbook import came
from outputs.register.register import Register
from outputs.register.waiting import waiting
from outputs.top import Top, top_of
from templates.form import Form
from templates.recipients import Recipient
from templates.round import Round
from templates.rules.binding import FormNames
from templates.rules.predicate import Answer, Column, GridCell, GridLine, Node, TableRows, parse
from validation.compile import values_of
from validation.findings import NEEDS_A_PERSON, Finding
from validation.verdict import LATE

OPEN = ("error", "warning")  # findings that somebody is to do something about


@dataclass(frozen=True)
class Report:
    """One report as it counts now. `region` and `scheme` are codes, `amounts` one for each year asked about."""

    row: Mapping[str, Any]
    owner: str
    region: str = ""
    scheme: str = ""
    amounts: tuple[int | None, ...] = ()

    @property
    def name(self) -> str:
        return str(self.row["report"])

    @property
    def status(self) -> str:
        return str(self.row["status"])


@dataclass(frozen=True)
class Found:
    """One open finding, and whose it is."""

    report: Report
    finding: Finding


@dataclass(frozen=True)
class Silent:
    """An owner from whom nothing has come: how many workbooks it has, and when it was written to."""

    recipient: Recipient
    workbooks: int
    invited: datetime | None
    reminded: datetime | None


@dataclass
class CorrectionRound:
    """What became of the reports that had errors the first, second, … time they came in."""

    asked: int = 0
    corrected: int = 0
    again: int = 0  # a new version came, and it has errors too
    settled: int = 0  # by a person
    left: int = 0


@dataclass(frozen=True)
class Counted:
    """A round, counted."""

    form: Form
    top: Top
    reports: list[Report]
    others: list[str]  # reports of which no version counts
    files: list[dict[str, Any]]
    waiting: list[dict[str, Any]]  # files that need a person
    silent: list[Silent]
    found: list[Found]
    rounds: list[CorrectionRound]
    granted: dict[tuple[int, str], int] = field(default_factory=dict)  # kroner by year and scheme


def count(round_: Round, register: Register, now: datetime) -> Counted:
    """Count all there is to tell of a round, from one view of its register."""
    with register.reading() as connection:
        reports = _reports(connection, round_, register)
        files = register.files()
        top = top_of(round_, register, files, now)
        by_name = {report.name: report for report in reports}
        version = register.current.version
        every = connection.scalars(select(version.c.report).distinct())
        return Counted(
            form=round_.form,
            top=top,
            reports=reports,
            others=sorted(set(every) - by_name.keys()),
            files=files,
            waiting=_waiting(files),
            silent=_silent(connection, round_, top.silent),
            found=_found(connection, register, by_name),
            rounds=_rounds(connection, register, by_name),
            granted=_granted(round_),
        )


# reports


def _reports(connection: Connection, round_: Round, register: Register) -> list[Report]:
    table = register.current.report
    rows = connection.execute(select(table)).mappings().all()
    wanted = expressions(round_.form)
    asked = asked_by(_paths(round_.form, wanted.values()))
    values: Sequence[Mapping[str, Value]] = [{}] * len(rows)
    if wanted and rows:
        values = values_of(round_.form, read_answers(connection, register.current, rows, asked), wanted)
    reports = []
    for row, found in zip(rows, values, strict=True):
        known = round_.recipients.get(row["recipient"])
        owner = known.name if known else row["owner"] or row["recipient"]
        amounts = tuple(_amount(found[str(one.year)]) for one in round_.form.file.dashboard.amounts)
        place, scheme = (str(found.get(role) or "") for role in ("region", "scheme"))
        reports.append(Report(dict(row), owner, place, scheme, amounts))
    return sorted(reports, key=lambda report: (sort_key(report.owner), sort_key(report.name)))


def expressions(form: Form) -> dict[str, Node]:
    """Give what is to be known of each report, as the form says it: region, scheme, and an amount for each year."""
    roles = form.file.dashboard
    named = {"region": roles.region, "scheme": roles.scheme} | {str(one.year): one.value for one in roles.amounts}
    return {name: parse(text, FormNames(form, None)) for name, text in named.items() if text}


def _paths(form: Form, trees: Iterable[Node]) -> Iterator[str]:
    """List the questions that expressions ask about."""
    for node in (node for tree in trees for node in tree.walk()):
        match node:
            case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
                yield f"{sheet}.{key}"
            case GridLine(sheet=sheet) | TableRows(sheet=sheet):
                yield from (f"{sheet}.{key}" for key in form.sheets[sheet].questions)


def _amount(value: Value) -> int | None:
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# what is to be done


def _waiting(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [file for file in files if file["outcome"] in NEEDS_A_PERSON]
    told = zip(rows, waiting(rows), strict=True)
    return [{**item, "name": row["name"], "received": row["received"], "words": row["reason"]} for row, item in told]


def _silent(connection: Connection, round_: Round, owners: Collection[str]) -> list[Silent]:
    workbooks = Counter(line.orgnr for line in round_.sent().values())
    query = select(letters.c.recipient, letters.c.kind, func.max(letters.c.made_at))
    query = query.where(letters.c.kind.in_((INVITATION, REMINDER))).group_by(letters.c.recipient, letters.c.kind)
    written = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    silent = [
        Silent(recipient, workbooks[orgnr], written.get((orgnr, INVITATION)), written.get((orgnr, REMINDER)))
        for orgnr, recipient in round_.recipients.items()
        if orgnr in owners
    ]
    return sorted(silent, key=lambda one: sort_key(one.recipient.name))


def _found(connection: Connection, register: Register, reports: Mapping[str, Report]) -> list[Found]:
    table = register.current.finding
    query = select(table).where(table.c.severity.in_(OPEN)).order_by(table.c.severity, table.c.report, table.c.position)
    rows = connection.execute(query).mappings()
    return [
        Found(reports[row["report"]], as_finding(row))
        for row in rows
        if reports[row["report"]].status in (*JUDGED, LATE)
    ]


# corrections


def _rounds(connection: Connection, register: Register, reports: Mapping[str, Report]) -> list[CorrectionRound]:
    """Follow each report through its versions: those with errors ask for another."""
    version = register.current.version.c
    errors = select(findings.c.sha256).where(findings.c.severity == "error").distinct().subquery()
    query = (
        select(version.report, version.outcome, errors.c.sha256.is_not(None))
        .join(came, came.c.sha256 == version.sha256)
        .outerjoin(errors, errors.c.sha256 == version.sha256)
        .where(came.c.outcome.in_(JUDGED))
        .order_by(version.report, version.number)
    )
    rounds: list[CorrectionRound] = []
    for report, rows in groupby(connection.execute(query), lambda row: str(row[0])):
        wrong = [had_errors or now == NEEDS_CORRECTION for _, now, had_errors in rows]
        if report in reports:
            _follow(wrong, reports[report].status, rounds)
    return rounds


def _follow(wrong: Sequence[bool], status: str, rounds: list[CorrectionRound]) -> None:
    number = 0
    for place, has_errors in enumerate(wrong):
        if not has_errors:
            continue
        if number == len(rounds):
            rounds.append(CorrectionRound())
        one = rounds[number]
        number += 1
        one.asked += 1
        if place + 1 < len(wrong):
            one.again += wrong[place + 1]
            one.corrected += not wrong[place + 1]
        elif status == NEEDS_CORRECTION:
            one.left += 1
        else:
            one.settled += 1


# earlier years


def _granted(round_: Round) -> dict[tuple[int, str], int]:
    """Sum the grants of the last year before those asked about, by year and scheme; "" where none is known."""
    roles = round_.form.file.dashboard
    years = {int(grant.year) for grant in round_.grants if grant.amount}
    before = [year for year in years if not roles.amounts or year < min(one.year for one in roles.amounts)]
    codes = _codes(round_.form, roles.scheme)
    granted: dict[tuple[int, str], int] = {}
    for grant in round_.grants:
        if before and int(grant.year) == max(before) and grant.amount:
            key = max(before), codes.get(grant.scheme.casefold(), "")
            granted[key] = granted.get(key, 0) + grant.amount
    return granted


def _codes(form: Form, path: str | None) -> dict[str, str]:
    """Give the codes of a question's choices by all that people call them."""
    if path is None:
        return {}
    options = form.question_options(form.question(path))
    called = {label.casefold(): code for code, labels in options.items() for label in labels.values()}
    return called | {code.casefold(): code for code in options}
