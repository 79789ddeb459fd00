"""A fresh workbook with an owner's answers, and a mark on everything that is to be corrected.

It is made like any workbook that is sent, and comes back like one: the current version of the form, the same
report number, nothing of the owner's file but what the answers were understood as. What only we can check is
hung up among the workbook's own live checks, and stays until a cell it is about is changed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openpyxl import Workbook

from intake.submission import Submission
from outputs.letters.words import clean
from outputs.marked.hung import Hung
from outputs.marked.placed import Placed
from templates.control import ASKED, ASKED_COLUMN, COUNT, SHEETS_HEAD
from templates.form import Form
from templates.layout import RULES_SHEET
from templates.live.hooks import add_hooks
from templates.live.items import Live
from templates.live.listing import LISTED
from templates.notes import DRAWING_TYPE, Notes
from templates.part import Content, SheetPart, Shown
from templates.prefill import Base, compile_base, slot_values, stamped_parts, unit_rows, with_parts
from templates.recipients import Recipient
from templates.round import Office
from templates.stamp import make_stamp
from templates.texts import workbook_texts
from templates.workbook import build_base
from validation.findings import Finding

TYPES, BOOK = "[Content_Types].xml", "xl/workbook.xml"
VIEW = re.compile(rb"<workbookView\b[^>]*/>")
AUTHOR_LENGTH = 40  # characters
INTRO = 2  # the row of Kontroll that says what the file is


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked workbook, with the findings as they stand in it."""

    name: str
    content: bytes
    findings: tuple[Finding, ...]


class Marker:
    """Makes the marked workbooks of a round."""

    def __init__(self, form: Form, office: Office, key: bytes) -> None:
        self.form = form
        self.office = office
        self.key = key
        self._templates: dict[str, _Template] = {}

    def mark(self, submission: Submission, findings: Sequence[Finding], recipient: Recipient) -> Marked:
        """Write one version anew, in the language that its recipient is registered with."""
        if recipient.language not in self._templates:
            self._templates[recipient.language] = _Template(self.form, self.office, recipient.language)
        template = self._templates[recipient.language]
        placed = Placed(self.form, template.places, submission, recipient)
        stamp = make_stamp(self.form, submission.report, recipient.orgnr, self.key)
        values = slot_values(self.form, recipient, stamp, self.key)
        content = template.filled(placed, findings, values, unit_rows(self.form, recipient))
        name = workbook_texts().say("marked_file", recipient.language, report=submission.report)
        return Marked(name, content, tuple(map(placed.moved, findings)))


class _Template:
    """The base workbook in one language, cut up so that answers and marks can be put in."""

    def __init__(self, form: Form, office: Office, language: str) -> None:
        self.language = language
        self.author = clean(office.name, AUTHOR_LENGTH)
        built: list[tuple[Live, list[str]]] = []

        def add(workbook: Workbook, live: Live) -> None:
            add_hooks(workbook, live)
            built.append((live, workbook.sheetnames))

        workbook = build_base(form, language, office, add)
        [(self.live, tabs)] = built
        self.places = {key: block.place for key, block in self.live.plan.blocks.items()}
        names = {tab: f"xl/worksheets/sheet{number}.xml" for number, tab in enumerate(tabs, 1)}
        self.names = {key: names[place.sheet.label[language]] for key, place in self.places.items()}
        control = workbook_texts().say("tab_control", language)
        self.rules, self.control = names[RULES_SHEET], names[control]
        self.apart = {TYPES, self.rules, self.control, *self.names.values()}
        self.base: Base = compile_base(workbook, self.apart)
        self.parts = {name: SheetPart(self.base.parts[name]) for name in self.apart - {TYPES}}
        view = b'<workbookView activeTab="%d"/>' % tabs.index(control)
        self.base.parts[BOOK] = VIEW.sub(view, self.base.parts[BOOK])

    def filled(
        self, placed: Placed, findings: Sequence[Finding], values: Mapping[str, str], units: list[tuple[str, ...]]
    ) -> bytes:
        """The bytes of one marked workbook."""
        hung = Hung(self.live, placed, findings)
        cells: dict[str, dict[tuple[int, str], Content]] = {name: {} for name in self.parts}
        for key, name in self.names.items():
            cells[name] = {(spot.row, spot.column): content for spot, content in hung.answers[key].items()}
            cells[name] |= hung.statuses(key)
        cells[self.rules] = dict(hung.rules)
        cells[self.control] = self._control(hung)
        notes = {
            name: Notes(number, self.author, hung.notes[key], self.parts[name])
            for number, (key, name) in enumerate(self.names.items(), 1)
            if hung.notes[key]
        }
        parts = dict(stamped_parts(self.base, values, units, less=self.apart))
        for name in sorted(self.parts):
            last = notes[name].element if name in notes else b""
            parts[name] = self.parts[name].written(cells[name], values, last)
        for name, note in notes.items():
            parts |= dict(note.parts(name))
        parts[TYPES] = self._types(notes.values())
        return with_parts(self.base, parts.items())

    def _types(self, notes: Iterable[Notes]) -> bytes:
        listed = b"".join(note.listed for note in notes)
        drawing = b'<Default Extension="vml" ContentType="%s"/>' % DRAWING_TYPE.encode() if listed else b""
        return self.base.parts[TYPES].replace(b"</Types>", drawing + listed + b"</Types>")

    # what Kontroll shows before anybody has calculated it

    def _control(self, hung: Hung) -> dict[tuple[int, str], Content]:
        left = {key: sum(not one.is_question for one in hung.found if one.sheet == key) for key in self.places}
        errors, questions = sum(left.values()), sum(one.is_question for one in hung.found)
        cells: dict[tuple[int, str], Content] = {
            (INTRO, "B"): self._say("marked_intro"),
            (COUNT, "B"): Shown(self._counted("left", errors) if errors else self._say("ready")),
            (ASKED, ASKED_COLUMN): Shown(questions),
            (ASKED, "B"): Shown(self._counted("asked", questions) if questions else ""),
        }
        cells |= {(row, "C"): Shown(n) for row, n in enumerate(left.values(), SHEETS_HEAD + 1)}
        head = SHEETS_HEAD + len(left) + 2
        for row, one in enumerate(hung.listed()[:LISTED], head + 1):
            what = self._say("asks" if one.is_question else "correct")
            tab = self.places[one.sheet].sheet.label[self.language]
            for column, shown in zip("BCDE", (tab, hung.cell(one), what, hung.said(one)), strict=True):
                cells[row, column] = Shown(shown)
        return cells

    def _counted(self, key: str, number: int) -> str:
        return self._say(f"{key}_one") if number == 1 else self._say(f"{key}_many", antall=number)

    def _say(self, key: str, **values: object) -> str:
        return workbook_texts().say(key, self.language, **values)
