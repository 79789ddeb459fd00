"""The lists of the dashboard: reports, open findings, files that need a person, owners who have not answered."""

import re
from dataclasses import dataclass
from hashlib import sha256

from outputs.overview.counted import Counted
from outputs.overview.tables import Cell, Column, Table, text
from outputs.overview.words import Words, number

PLAIN_NAME = re.compile(r"[A-Z0-9]{1,12}(?:-[0-9]{1,9}){1,4}")  # so none that Windows keeps for itself
MOST = 400  # rows of a list on the front page
TITLE = 100  # characters of what a report is called
BEGINNING = 25  # rows of a longer one


@dataclass(frozen=True)
class List:
    """One list, whole, and where it stands by itself when it is long."""

    id: str
    heading: str
    table: Table
    words: Words

    @property
    def page(self) -> str:
        return f"{self.id}.html"

    @property
    def is_long(self) -> bool:
        return len(self.table.rows) > MOST

    @property
    def number(self) -> str:
        return number(self.table.total or len(self.table.rows))

    @property
    def only_first(self) -> str:
        return self.words.say("only_first", n=BEGINNING)

    @property
    def all_of_them(self) -> str:
        return self.words.say("all_of_them", n=self.number)

    @property
    def on_front(self) -> "List":
        """The list as it stands on the front page."""
        shown = self.table.beginning(BEGINNING, self.page) if self.is_long else self.table
        return List(self.id, self.heading, shown, self.words)


def page_of(report: str) -> str:
    """Give the file name of a report's page; a number that anybody may have made up is no path."""
    if PLAIN_NAME.fullmatch(report):
        return f"reports/{report}.html"
    return f"reports/_{sha256(report.encode('utf-8', 'replace')).hexdigest()[:24]}.html"


def lists(counted: Counted, words: Words) -> list[List]:
    """Make the four lists."""
    return [
        _reports(counted, words),
        _findings(counted, words),
        _files(counted, words),
        _owners(counted, words),
    ]


def _columns(words: Words, *named: tuple[str, str]) -> list[Column]:
    return [Column(words.say(key), kind) for key, kind in named]


def _list(words: Words, name: str, columns: list[Column], rows: list[list[Cell]]) -> List:
    heading = words.say(f"list_{name}")
    return List(name, heading, Table(f"{name}-list", heading, columns, rows), words)


def _report(name: str) -> Cell:
    return Cell(name, href=page_of(name))


def _reports(counted: Counted, words: Words) -> List:
    roles = counted.form.file.dashboard
    asked = {role: getattr(roles, role) for role in ("region", "scheme") if getattr(roles, role)}
    called = {
        role: {
            code: words.own(label) for code, label in counted.form.question_options(counted.form.question(path)).items()
        }
        for role, path in asked.items()
    }
    columns = _columns(words, ("report", ""), ("owner", "t"), ("what", "t"))
    columns += [Column(words.own(counted.form.question(path).label), "s") for path in asked.values()]
    columns += _columns(words, ("status", "s"), ("received", "d"), ("errors", "n"), ("questions", "n"), ("due", "d"))
    rows = []
    for one in counted.reports:
        row, status = one.row, one.status
        rows.append(
            [
                _report(one.name),
                text(one.owner),
                text(row["title"], TITLE),
                *(text(labels.get(getattr(one, role), getattr(one, role)), 60) for role, labels in called.items()),
                Cell(words.status(status), look=f"state {status}"),
                Cell(words.date(row["received"]), sort=row["received"].isoformat()),
                Cell(str(row["errors"])),
                Cell(str(row["remarks"])),
                _date(words, row["correction_deadline"]),
            ]
        )
    return _list(words, "reports", columns, rows)


def _date(words: Words, moment: object) -> Cell:
    return Cell(words.date(moment), sort=moment.isoformat()) if moment else Cell("")  # type: ignore[arg-type,attr-defined]


def _findings(counted: Counted, words: Words) -> List:
    named = (("report", ""), ("owner", "t"), ("severity", "s"), ("rule", "d"), ("place", ""), ("message", "t"))
    rows = [
        [
            _report(one.report.name),
            text(one.report.owner),
            Cell(words.say(f"severity_{one.finding.severity}"), look=f"state {one.finding.severity}"),
            Cell(one.finding.rule),
            text(" ".join((one.finding.sheet, *one.finding.cells)), 80),
            text(words.own(one.finding.message)),
        ]
        for one in counted.found
    ]
    return _list(words, "findings", _columns(words, *named), rows)


def _files(counted: Counted, words: Words) -> List:
    known = {one.name for one in counted.reports} | set(counted.others)
    named = (("file", "t"), ("report", ""), ("status", "s"), ("received", "d"), ("why", "t"), ("command", "t"))
    rows = [
        [
            text(item["name"], 120),
            _report(item["report"]) if item["report"] in known else text(item["report"], 40),
            Cell(words.status(item["outcome"]), look=f"state {item['outcome']}"),
            Cell(words.date(item["received"]), sort=item["received"].isoformat()),
            text(words.own(item["words"]) or item["reason"]),
            Cell(item["command"], look="code"),
        ]
        for item in counted.waiting
    ]
    return _list(words, "files", _columns(words, *named), rows)


def _owners(counted: Counted, words: Words) -> List:
    named = (("owner", "t"), ("orgnr", "d"), ("email", ""), ("workbooks", "n"), ("invited", "d"), ("reminded", "d"))
    rows = [
        [
            text(one.recipient.name),
            Cell(one.recipient.orgnr),
            text(one.recipient.email),
            Cell(number(one.workbooks)),
            _date(words, one.invited),
            _date(words, one.reminded),
        ]
        for one in counted.silent
    ]
    return _list(words, "owners", _columns(words, *named), rows)
