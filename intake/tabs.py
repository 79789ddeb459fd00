"""What an owner wrote where nothing is asked: in tabs of the owner's own, in text boxes, on Veiledning and Kontroll.

Our own words on those two are known by what they say, not by where they stand, so that no program's way of
saving and no inserted row makes them look like the owner's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, pairwise

from intake.around import MOST, said, shortened
from intake.exact import Flaw
from intake.locate import Place, plain
from intake.notes import may_be, pieces_of
from intake.reader import SheetCells, Workbook
from intake.submission import Oddity
from templates import layout as at
from templates.cells import address
from templates.form import Form
from templates.stamp import find_stamps
from templates.texts import Texts

CODE_ROWS = 12  # rows at the top of a sheet where its skjemakode is looked for
ASKING = (at.MARK_QUESTIONS, at.MARK_TABLE, at.MARK_GRID)
MARKS = (*ASKING, at.MARK_CONTROL)
FACTS = ("recipient", "deadline", "sender")  # lines at the top of the guide: «Frist: 1.2.2024 kl. 23.59»
# what Kontroll may say, besides what it counts and lists
SAID = (
    "tab_control", "marked_intro", "ready", "left_one", "left_many", "asked_one", "asked_many", "sheet", "left",
    "cell", "what", "message",
)  # fmt: skip
BLANK = "\0"  # what is filled in
COUNT, FINDING, WEIGHT = 2, 4, 2  # cells of a line on Kontroll: tab and number, or tab, cell, weight and message

Pieces = tuple[str, ...]
"""A text of ours, made plain, cut where something is filled in."""


class OurTabs:
    """Veiledning and Kontroll as our workbook has them, in every language of the form."""

    def __init__(self, form: Form, words: Texts) -> None:
        self.form, self.words = form, words

    def written_elsewhere(self, workbook: Workbook, places: Mapping[str, Place]) -> tuple[Oddity, ...]:
        """What stands in tabs of the owner's own, one for each, in text boxes, in notes, and on our two."""
        read = {place.cells.name for place in places.values()} | {at.STAMP_SHEET}
        others = [cells for cells in workbook.sheets if cells.name not in read]
        notes = (f"{cells.name} {cell}: {text}" for cells in others for cell, text in cells.notes.items())
        told = [text for cells in others for text in islice(self._texts(cells), MOST)]
        return tuple(Oddity("elsewhere", "", shortened(text)) for text in (*told, *workbook.boxes, *notes))

    def _texts(self, cells: SheetCells) -> Iterator[str]:
        """What an owner wrote in this tab, each with where."""
        top = [cell for row in cells.rows[:CODE_ROWS] for cell in row if isinstance(cell, str)]
        if self._is(cells, top, "tab_control", (at.MARK_CONTROL,)):
            yield from self._on_control(cells)
        elif self._is(cells, top, "tab_guide", tuple(self.form.file.title.values())):
            yield from self._on_guide(cells)
        elif cells.is_shown and not any(cell.startswith(ASKING) or find_stamps(cell) for cell in top):
            yield from _first_text(cells)  # and no copy of a tab that asks

    def _is(self, cells: SheetCells, top: Sequence[str], name: str, starts: tuple[str, ...]) -> bool:
        """Whether this is our tab by its name, or by what stands in its top rows."""
        return cells.name in self._in_every_language(name) or any(cell.startswith(starts) for cell in top)

    def _in_every_language(self, *keys: str) -> Collection[str]:
        return {self.words.say(key, code) for key in keys for code in self.form.languages}

    # Veiledning

    def _on_guide(self, cells: SheetCells) -> Iterator[str]:
        before = ""
        for row, column, cell in _filled_in(cells):
            text = plain(said(cell))
            if not self._is_of_the_guide(text, before):
                yield f"{cells.name} {address(row, column)}: {said(cell)}"
            before = text

    def _is_of_the_guide(self, text: str, before: str) -> bool:
        whole, filled, before_bare = self._guide
        return text in whole or _is_one_of(text, filled) or _is_one_of(before, before_bare)

    @cached_property
    def _guide(self) -> tuple[Collection[str], Collection[Pieces], Collection[Pieces]]:
        """The lines that are always the same, those with words and what is filled in, and those before one without."""
        lines = [line for code in self.form.languages for line in self._guide_lines(code)]
        return (
            {line[0] for line in lines if len(line) == 1},
            {line for line in lines if len(line) > 1 and any(line)},
            {line for line, after in pairwise(lines) if not any(after)},
        )

    def _guide_lines(self, language: str) -> Iterator[Pieces]:
        """Give every line of the guide in one language, from top to bottom."""
        say, form = self.words.say, self.form
        yield (plain(form.file.title[language]),)
        yield from ((plain(f"{say(key, language)}:"), "") for key in FACTS)
        yield plain(say("earlier_grants", language)), ""
        for section in form.file.guide:
            yield (plain(section.heading[language]),)
            lines = filter(None, map(str.strip, section.text[language].split("\n")))
            yield from (tuple(map(plain, pieces_of(line))) for line in lines)
        later = (f"– {rule.later[language]}" for rule in form.rules if rule.later)
        yield from ((plain(line),) for line in (say("later", language), say("later_intro", language), *later))

    # Kontroll

    def _on_control(self, cells: SheetCells) -> Iterator[str]:
        marked = {column for row, column, cell in _filled_in(cells) if cell == at.MARK_CONTROL}  # which nobody sees
        for row, column, cell in _filled_in(cells):
            if column not in marked | self._lists(cells.rows[row]) and not _is_one_of(plain(said(cell)), self._control):
                yield f"{cells.name} {address(row, column)}: {said(cell)}"

    def _lists(self, row: Sequence[object]) -> set[int]:
        """The columns of a row in which Kontroll counts what is left on a tab, or tells a finding, whatever it says."""
        first = next((column for column, cell in enumerate(row) if cell in self._tabs), None)
        if first is None:
            return set()
        is_finding = len(row) > first + WEIGHT and row[first + WEIGHT] in self._weights
        return set(range(first, first + (FINDING if is_finding else COUNT)))

    @cached_property
    def _control(self) -> Collection[Pieces]:
        texts = (self.words.say(key, code, antall=BLANK) for key in SAID for code in self.form.languages)
        return {tuple(map(plain, text.split(BLANK))) for text in texts}

    @cached_property
    def _tabs(self) -> Collection[object]:
        return {text for sheet in self.form.sheets.values() for text in sheet.label.values()}

    @cached_property
    def _weights(self) -> Collection[object]:
        return self._in_every_language("correct", "asks")


def _is_one_of(text: str, ours: Collection[Pieces]) -> bool:
    return any(may_be(text, pieces) for pieces in ours)


def _first_text(cells: SheetCells) -> Iterator[str]:
    """The name of a tab and the first that is written there."""
    found = (said(cell) for row in cells.rows for cell in row if str(cell).strip())
    yield from (f"{cells.name}: {text}" for text in islice(found, 1))


def _filled_in(cells: SheetCells) -> Iterator[tuple[int, int, object]]:
    """What stands in the cells of a tab, with row and column counted from 0; of formulas, what gave a result."""
    for row, line in enumerate(cells.rows):
        for column, cell in enumerate(line):
            if cell != "" and not isinstance(cell, Flaw) and said(cell).strip():
                yield row, column, cell
