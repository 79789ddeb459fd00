"""Findings as lists of lines: each cell as the owner sees it, in the order the owner meets them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from intake.personal import names_a_person
from outputs.letters.words import Phrases, capital, clean
from templates.form import Form, QuestionSheet
from validation.findings import SEVERITIES, Finding

ERROR, WARNING, INFO = SEVERITIES
NAME_LENGTH = 100  # characters of a name that somebody else chose
MESSAGE_LENGTH = 1000
ADDRESS = re.compile(r"([A-Z]+)(\d+)(?::[A-Z]+(\d+))?")


@dataclass(frozen=True, slots=True)
class Line:
    place: str  # may be empty
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading; `more` says how many were left out."""

    heading: str  # may be empty
    lines: tuple[Line, ...]
    more: str = ""


class Lists:
    """Writes the findings of one form in one language."""

    def __init__(self, form: Form, words: Phrases) -> None:
        self.form = form
        self.words = words
        self._personal = {question.key for _, question in form.questions() if names_a_person(question)}

    def groups(
        self, found: Mapping[str, Sequence[Finding]], shares: Mapping[str, int], *, marked: bool
    ) -> Iterator[Group]:
        """List errors tab by tab, then what we ask about, then what we understood.

        Both mappings go by severity; `shares` says how many lines there is room for, `marked` whether
        a workbook goes along that shows all of it.
        """
        end = "_marked" if marked else ""
        yield from self._errors(self._ordered(found[ERROR]), shares[ERROR], f"more{end}")
        questions = "questions_too_heading" if found[ERROR] else "questions_heading"
        for severity, heading, left in (
            (WARNING, questions, "questions_left"),
            (INFO, "understood_heading", "understood_left"),
        ):
            shown = self._ordered(found[severity])[: shares[severity]]
            lines = tuple(self._line(finding, with_tab=True) for finding in shown)
            if lines:
                yield Group(self.words.say(heading), lines, self._more(f"more{end}", len(found[severity]) - len(lines)))
            elif found[severity]:
                yield Group("", (), self.words.count(f"{left}{end}", len(found[severity])))

    def _errors(self, found: list[Finding], room: int, more: str) -> Iterator[Group]:
        tabs: dict[str, list[Line]] = {}
        for finding in found[:room]:
            heading = clean(finding.sheet, NAME_LENGTH) or self.words.say("whole_file")
            tabs.setdefault(heading, []).append(self._line(finding, with_tab=False))
        for heading, lines in tabs.items():
            yield Group(heading, tuple(lines))
        if len(found) > room:
            yield Group("", (), self._more(more, len(found) - room))

    def _more(self, key: str, n: int) -> str:
        return self.words.say(key, n=n) if n else ""

    def _ordered(self, found: Sequence[Finding]) -> list[Finding]:
        return sorted(found, key=lambda finding: (self.sheet(finding), finding.sheet, _first_cell(finding)))

    def sheet(self, finding: Finding) -> int:
        """Find the number of a finding's sheet in the form, whatever the language of the tab."""
        labels = [sheet.label.values() for sheet in self.form.sheets.values()]
        return next((number for number, label in enumerate(labels) if finding.sheet in label), len(labels))

    def _line(self, finding: Finding, *, with_tab: bool) -> Line:
        """Write place and message; the place leaves out what is said anyway."""
        label = clean(self.words.own(finding.label), NAME_LENGTH).rstrip(":?")
        text = clean(self._without_persons(finding, label), MESSAGE_LENGTH)
        row = "" if self._row_is_a_person(finding) else clean(finding.row_name, NAME_LENGTH)
        place = (
            clean(finding.sheet, NAME_LENGTH) if with_tab else "",
            self._cells(finding, "" if row in label else row),
            "" if f"«{label}" in text else label,
        )
        return Line(capital(", ".join(filter(None, place))), " ".join([text, *self._see_also(finding, text)]))

    def _without_persons(self, finding: Finding, label: str) -> str:
        """Give the message, with the name of the question where it repeats what a contact person's cell holds."""
        text, written = self.words.own(finding.message), finding.written.strip()
        if not written or self._personal.isdisjoint(finding.questions):
            return text
        quoted = text.replace(f"«{finding.written}»", f"«{label}»").replace(f"«{written}»", f"«{label}»")
        return re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", lambda _: f"«{label}»", quoted)

    def _row_is_a_person(self, finding: Finding) -> bool:
        sheets = list(self.form.sheets.values())[self.sheet(finding) :]
        return bool(sheets) and getattr(sheets[0], "row_name", None) in self._personal

    def _cells(self, finding: Finding, row: str) -> str:
        """Name the cells: «cellene F14:F22 (9 rader)», «celle B12 (Fjellhagen barnehage)»."""
        if not finding.cells:
            return ""
        ranges = any(":" in cell for cell in finding.cells)
        listed = self.words.listed(finding.cells)
        cells = self.words.count("cells", len(finding.cells) + ranges, cells=listed)
        if ranges and (rows := self.rows(finding)) > 1:
            return self.words.say("rows", cells=cells, n=rows)
        return self.words.say("named_row", cells=cells, row=row) if row else cells

    def rows(self, finding: Finding) -> int:
        """Count the rows of a table that the cells and ranges cover."""
        sheets = list(self.form.sheets.values())[self.sheet(finding) :]
        if sheets and isinstance(sheets[0], QuestionSheet):
            return 0
        matches = filter(None, map(ADDRESS.fullmatch, finding.cells))
        return len({row for match in matches for row in range(int(match[2]), int(match[3] or match[2]) + 1)})

    def _see_also(self, finding: Finding, text: str) -> Iterator[str]:
        places = [clean(f"{tab} {cell}") for tab, cell in finding.elsewhere]
        places = [place for place in dict.fromkeys(places) if place not in text]
        if places:
            yield self.words.say("see_also", places=self.words.listed(places))


def _first_cell(finding: Finding) -> tuple[int, int, str]:
    """Give row, then column, as sorting wants them."""
    match = ADDRESS.match(finding.cells[0]) if finding.cells else None
    return (int(match[2]), len(match[1]), match[1]) if match else (0, 0, "")
