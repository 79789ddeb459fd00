"""The page of one report: how it stands, what was found, its history, its letters and its answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from outputs.letters.words import clean
from outputs.overview import pages
from outputs.overview.tables import Cell, Column, Table, text
from outputs.overview.words import Words, lines, number
from outputs.register.prepared import ROW, ROW_KEY, column_names
from outputs.story import Story
from templates.form import Form, GridSheet, Question, QuestionSheet, Sheet

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""The typed rows of each form sheet of one report."""

NOTHING = Cell("–")  # in a table, for a cell that nothing was written in
NAME_LENGTH = 200  # characters of what an owner or a report is called


@dataclass(frozen=True)
class ReportPage:
    """What the page of one report shows."""

    report: str
    owner: str
    title: str
    status: str
    due: str
    findings: Table
    earlier: list[tuple[str, Table]]
    commands: list[str]
    history: Table
    letters: Table
    answers: list[Table]


class ReportPages:
    """Makes the pages of reports; what they share is made once."""

    def __init__(self, form: Form, words: Words) -> None:
        self.form = form
        self.words = words
        self.style = pages.style("base", "last")
        self.labels = {
            (sheet, question.key): {code: words.own(label) for code, label in form.question_options(question).items()}
            for sheet, question in form.questions()
        }
        self.columns = {key: column_names(sheet) for key, sheet in form.sheets.items()}
        self.named = {key: self._names(sheet) for key, sheet in form.sheets.items()}
        self.heads = {key: self._heads(sheet) for key, sheet in form.sheets.items()}
        self.asked = self._columns(("question", ""), ("answer", "t"))
        self.unanswered = Cell(words.say("not_answered"), look="muted")

    def html(self, told: Story, rows: Rows) -> str:
        """Write the page of one report, from its story and its answers."""
        return pages.render("report.html", self.words, self.style, pages.NO_SCRIPT, page=self.page(told, rows))

    def page(self, told: Story, rows: Rows) -> ReportPage:
        counting = next((file for file in told["files"] if file["counts"]), None)
        others = [file for file in told["files"] if file["findings"] and not file["counts"]]
        return ReportPage(
            report=clean(told["report"], NAME_LENGTH),
            owner=clean(told["owner"] or told["recipient"] or "", NAME_LENGTH),
            title=clean(told["title"] or "", NAME_LENGTH),
            status=told["status"],
            due=self.words.moment(told["correction_deadline"]),
            findings=self._findings("now", self.words.say("findings"), counting),
            earlier=[self._earlier(at, file) for at, file in enumerate(others)],
            commands=told["commands"],
            history=self._history(told),
            letters=self._letters(told),
            answers=[
                table for key, sheet in self.form.sheets.items() for table in self._sheet(sheet, rows.get(key, ()))
            ],
        )

    def _columns(self, *named: tuple[str, str]) -> list[Column]:
        return [Column(self.words.say(key), kind) for key, kind in named]

    # what was found

    def _earlier(self, at: int, file: Story) -> tuple[str, Table]:
        said = self.words.say("earlier_version", number=file["number"] or "?", n=len(file["findings"]))
        return said, self._findings(f"earlier-{at}", said, file)

    def _findings(self, name: str, caption: str, file: Story | None) -> Table:
        named = (("rule", ""), ("severity", ""), ("place", ""), ("message", "t"), ("written", ""))
        rows = [
            [
                Cell(finding["rule"]),
                Cell(self.words.say(f"severity_{finding['severity']}"), look=f"state {finding['severity']}"),
                text(" ".join((finding["sheet"], *finding["cells"])), 80),
                text(" – ".join(filter(None, (self.words.own(finding["message"]), finding.get("waiver"))))),
                text(finding["written"], 80),
            ]
            for finding in (file["findings"] if file else ())
        ]
        return Table(f"findings-{name}", caption, self._columns(*named), rows)

    # what happened

    def _history(self, told: Story) -> Table:
        events = sorted(self._events(told), key=lambda event: event[0])
        rows = [[Cell(self.words.moment(at)), cell, status] for at, cell, status in events]
        named = (("when", "d"), ("happened", "t"), ("status", ""))
        return Table("history-table", self.words.say("history"), self._columns(*named), rows)

    def _events(self, told: Story) -> Iterator[tuple[datetime, Cell, Cell]]:
        say, nothing = self.words.say, Cell("")
        for file in told["files"]:
            yield self._received(file)
            for seen in file["seen"][1:]:
                yield _at(seen["at"]), text(say("event_again", path=seen["path"])), nothing
            for better in file.get("retimed", ()):
                known = self.words.moment(better["received"])
                yield _at(better["at"]), text(say("event_retimed", received=known)), nothing
            for review in file["reviews"]:
                rules = ", ".join(review["rules"]) or say("event_nothing_more")
                yield _at(review["at"]), text(say("event_review", rules=rules)), nothing
        for letter in told["letters"]:
            state = Cell(say(f"letter_{letter['state']}"))
            yield _at(letter["at"]), text(say("event_letter", subject=letter["subject"])), state
        for one in told["decisions"]:
            what = say(f"decision_{one['decision']}", rules=", ".join(one["waives"]))
            yield (
                _at(one["at"]),
                text(say("event_decision", by=one["by"], decision=what, reason=one["reason"])),
                nothing,
            )

    def _received(self, file: Story) -> tuple[datetime, Cell, Cell]:
        say = self.words.say
        said = say("event_received" if file["number"] else "event_file", number=file["number"], file=file["file"])
        said += say("event_sender", sender=file["sender"]) if file["sender"] else ""
        status = self.words.status(file["outcome"]) + (f", {say('counts')}" if file["counts"] else "")
        href = f"../../{quote(file['original'])}" if file["number"] and file["original"] else ""
        return (
            _at(file["received"]),
            Cell(clean(said, NAME_LENGTH), href=href),
            Cell(status, look=f"state {file['outcome']}"),
        )

    def _letters(self, told: Story) -> Table:
        named = (("subject", "t"), ("letter_to", ""), ("letter_state", ""), ("when", "d"))
        rows = [
            [
                Cell(
                    clean(letter["subject"], NAME_LENGTH),
                    href=f"../../{quote(letter['path'])}" if letter["path"] else "",
                ),
                text(", ".join(letter["to"]) or self.words.say("nobody")),
                Cell(self.words.say(f"letter_{letter['state']}")),
                Cell(self.words.moment(letter["at"])),
            ]
            for letter in told["letters"]
        ]
        return Table("letters-table", self.words.say("letters"), self._columns(*named), rows)

    # what was answered

    def _sheet(self, sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
        if not rows:
            return
        named = self.named[sheet.key]
        if isinstance(sheet, QuestionSheet):
            for section in sheet.sections.values():
                answered = [
                    [named[key], self._answer(sheet, question, rows[0]) or self.unanswered]
                    for key, question in section.questions.items()
                ]
                yield Table(f"answers-{sheet.key}-{section.key}", named[f"{section.key}/"].text, self.asked, answered)
            return
        body = [
            [
                named[row[ROW_KEY]] if isinstance(sheet, GridSheet) else Cell(str(row[ROW])),
                *(self._answer(sheet, question, row) or NOTHING for question in sheet.questions.values()),
            ]
            for row in rows
        ]
        yield Table(f"answers-{sheet.key}", named[""].text, self.heads[sheet.key], body)

    def _names(self, sheet: Sheet) -> dict[str, Cell]:
        """Give what the sheet (""), its sections (with a slash), questions and rows are called."""
        called = {"": sheet.label} | {key: question.label for key, question in sheet.questions.items()}
        if isinstance(sheet, QuestionSheet):
            called |= {f"{key}/": section.label for key, section in sheet.sections.items()}
        elif isinstance(sheet, GridSheet):
            called |= {key: row.label for key, row in sheet.rows.items()}
        return {key: Cell(self.words.own(label)) for key, label in called.items()}

    def _heads(self, sheet: Sheet) -> list[Column]:
        first = self.words.own(sheet.row_label) if isinstance(sheet, GridSheet) else self.words.say("row")
        numbers = {
            key for key, question in sheet.questions.items() if question.type in {"amount", "integer", "percent"}
        }
        questions = sheet.questions
        return [
            Column(first),
            *(Column(self.named[sheet.key][key].text, "n" if key in numbers else "") for key in questions),
        ]

    def _answer(self, sheet: Sheet, question: Question, row: Mapping[str, Any]) -> Cell | None:
        value = row[self.columns[sheet.key][question.key]]
        if value is None:
            return None
        if question.type == "amount":
            return Cell(number(value))
        if isinstance(value, date):
            return Cell(f"{value:%d.%m.%Y}")
        words = str(value)
        label = self.labels[sheet.key, question.key].get(words)
        if label is None and "\n" in words:
            return Cell(lines(words), look="text")
        return Cell(label or clean(words))


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
