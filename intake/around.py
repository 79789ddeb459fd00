"""What stands in a file beside its answers: where nothing is read, or over what we wrote.

A cell is ours by its place (beside a key, under a mark, in the column of findings) or by its text, so
that no program's way of saving and no inserted row or column makes our own words look like the owner's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice

from intake.exact import NO_VALUE, Flaw
from intake.locate import MARKER_ROWS, Place, find_marker, plain
from intake.notes import OwnersNotes
from intake.personal import mask
from intake.submission import Answer, Oddity, Row, SheetAnswers
from intake.values import show
from templates import layout as at
from templates.cells import address, spot_of
from templates.form import Form, GridSheet, Question, QuestionSheet, Sheet, TableSheet
from templates.prompt import prompt
from templates.stamp import find_stamps
from templates.texts import Texts

MOST = 100  # cells told of one sheet
SHOWN = 60  # characters told of one cell
NOTE_SHOWN = 300  # characters told of one note
HEADINGS = ("question", "answer", "status", "help")
LEGENDS = ("legend", "legend_table")


def with_oddities(
    form: Form, places: Mapping[str, Place], sheets: Mapping[str, SheetAnswers], words: Texts
) -> dict[str, SheetAnswers]:
    """The same sheets, each with what stands in it beside its answers."""
    return {
        key: answers.beside(_Look(form, form.sheets[key], places[key], answers, words).found())
        for key, answers in sheets.items()
    }


@dataclass
class _Look:
    """One sheet while it is looked over."""

    form: Form
    sheet: Sheet
    place: Place
    answers: SheetAnswers
    words: Texts

    def found(self) -> tuple[Oddity, ...]:
        looks = (self._tab, self._labels, self._sums, self._hidden, self._merged, self._notes, self._outside)
        return tuple(oddity for look in looks for oddity in islice(look(), MOST))

    # over what we wrote

    def _tab(self) -> Iterator[Oddity]:
        name, known = self.place.cells.name, self.sheet.label
        if plain(name) not in map(plain, known.values()):
            yield Oddity("tab", "", shortened(name), dict(known))

    def _labels(self) -> Iterator[Oddity]:
        for (row, column), label in self._labelled():
            text = self.place.cells.text(row, column)
            known = label.values()
            if text and text.removesuffix(at.REQUIRED_MARK) not in known and plain(text) not in map(plain, known):
                yield Oddity("label", address(row, column), shortened(text), dict(label))

    def _labelled(self) -> Iterator[tuple[tuple[int, int], Mapping[str, str]]]:
        """Where our keys say that a label of ours stands."""
        labels = self._columns(at.MARK_LABEL)
        items = self.sheet.rows if isinstance(self.sheet, GridSheet) else self.sheet.questions
        if not isinstance(self.sheet, TableSheet):
            keyed = ((row, key) for row, key in self.keys.items() if key in items)
            yield from (((row, column), items[key].label) for row, key in keyed for column in labels)
        if not isinstance(self.sheet, QuestionSheet):
            heads = [row for row, key in self.keys.items() if key == at.MARK_HEADER]
            marked = [(column, key) for column, key in self.marks.items() if key in self.sheet.questions]
            yield from (((row, column), self.sheet.questions[key].label) for row in heads[:1] for column, key in marked)

    def _sums(self) -> Iterator[Oddity]:
        """Sums that somebody wrote over, where that makes a difference; a formula in the cell is a sum still."""
        for key, row in self._grid_rows():
            line = self.sheet.rows[key] if isinstance(self.sheet, GridSheet) else None
            for name, question in self.sheet.questions.items():
                counted = row.answers.get(name)
                calculated = question.sum_of or (line is not None and line.sum_of)
                if counted is None or not calculated or name not in self.place.columns:
                    continue
                cell = self.place.cells.at(row.number - 1, self.place.columns[name])
                if cell not in ("", NO_VALUE, counted.value) and not self.place.cells.formula(counted.cell):
                    right = {code: show(counted.value, question, code, self.form) for code in self.form.languages}
                    yield Oddity("total", counted.cell, self._shown(cell, question), right)

    def _grid_rows(self) -> Iterator[tuple[str, Row]]:
        if isinstance(self.sheet, GridSheet):
            yield from ((row.key, row) for row in self.answers.rows)

    def _shown(self, cell: object, question: Question) -> str:
        number = isinstance(cell, int | float)
        return show(cell, question, self.form.languages[0], self.form) if number else said(cell)  # type: ignore[arg-type]

    # where nobody looks

    def _hidden(self) -> Iterator[Oddity]:
        """What is filled in and not seen, which is read like the rest: of a row its first answer."""
        written = self._written()
        if written and not self.place.cells.is_shown:
            yield Oddity("hidden_tab", "", shortened(self.place.cells.name))
        rows, columns = self.place.cells.hidden(), self.place.cells.hidden_columns()
        told = set()
        for (row, column), answer in written if rows or columns else ():
            if column in columns or (row + 1 in rows and row not in told):
                told.add(row)
                yield Oddity("hidden", answer.cell, shortened(answer.raw))

    def _written(self) -> list[tuple[tuple[int, int], Answer]]:
        """What the owner has filled in, and where: rows and columns count from 0."""
        asked = {
            key for key, question in self.sheet.questions.items() if not question.calculated and not question.locked
        }
        answers = [answer for row in self.answers.rows for key, answer in row.answers.items() if key in asked]
        return sorted((spot, answer) for answer in answers if (spot := spot_of(answer.cell)))

    def _merged(self) -> Iterator[Oddity]:
        """Cells for answers that have become part of another cell: the spreadsheet shows and keeps one of them."""
        for area in self.place.cells.merged():
            (top, left), (bottom, right) = (spot_of(corner) or (0, 0) for corner in area.split(":"))
            across = {*range(left, right + 1)}
            for row in range(top, min(bottom, top + MOST) + 1):
                for column in sorted(self._answer_columns(row) & across):
                    if (row, column) != (top, left):
                        yield Oddity("merged", address(row, column), area)

    def _answer_columns(self, row: int) -> frozenset[int]:
        if isinstance(self.sheet, QuestionSheet):
            return self.spots.get(row, frozenset())
        is_row = row >= self.place.first_row if isinstance(self.sheet, TableSheet) else row in self.grid_rows
        return self.columns if is_row else frozenset()

    def _notes(self) -> Iterator[Oddity]:
        notes = self.place.cells.notes
        owners = OwnersNotes(self.form, self.words) if notes else None
        for cell, note in notes.items():
            if owners and (text := owners.theirs(note)):
                yield Oddity("note", cell, shortened(text, NOTE_SHOWN))

    def _outside(self) -> Iterator[Oddity]:
        for row, line in enumerate(self.place.cells.rows):
            if line.count("") == len(line):
                continue
            ours = self._our_columns(row)
            for column, cell in enumerate(line):
                if cell != "" and column not in ours and not self._is_our_text(cell):
                    yield Oddity("outside", address(row, column), shortened(said(cell)))

    def _our_columns(self, row: int) -> frozenset[int]:
        """The columns of a row that hold answers, or what our workbook has there."""
        keyed = row in self.keys
        if isinstance(self.sheet, QuestionSheet):
            own = self.always | self.spots.get(row, frozenset())
            return own | self.beside if keyed else own
        if row in self.heads:
            return self.always | self.columns | self.beside
        if isinstance(self.sheet, TableSheet):
            return self.always | self.columns if row >= self.place.first_row else self.always
        if row in self.grid_rows:
            return self.always | self.columns | (self.beside if keyed else frozenset())
        return self.always

    def _is_our_text(self, cell: object) -> bool:
        if not isinstance(cell, str):
            return cell == NO_VALUE
        text = cell.strip()
        if not text or text.startswith(("#", at.CODE_MARK)) or text in self.words_of_ours:
            return True
        return bool(find_stamps(text)) or plain(text) in self.texts

    # what is ours

    @cached_property
    def marker(self) -> tuple[int, int] | None:
        return find_marker(self.place.cells, self.sheet)

    @cached_property
    def always(self) -> frozenset[int]:
        """The columns that are ours from top to bottom: of keys, and of findings."""
        return self.status | ({self.marker[1]} if self.marker else set())

    @cached_property
    def marks(self) -> dict[int, str]:
        """The marks of the marker row, by column."""
        if self.marker is None:
            return {}
        row, first = self.marker
        cells = self.place.cells
        return {column: text for column in range(first + 1, len(cells.rows[row])) if (text := cells.text(row, column))}

    @cached_property
    def keys(self) -> dict[int, str]:
        """The keys of the key column, by row."""
        if self.marker is None:
            return {}
        first, column = self.marker
        cells = self.place.cells
        below = enumerate(cells.rows[first:], first)
        return {row: cells.text(row, column) for row, line in below if column < len(line) and line[column] != ""}

    def _columns(self, *marks: str) -> frozenset[int]:
        return frozenset(column for column, mark in self.marks.items() if mark in marks)

    @cached_property
    def beside(self) -> frozenset[int]:
        """The columns of our own words in a row with a key."""
        return self._columns(at.MARK_LABEL, at.MARK_HELP)

    @cached_property
    def status(self) -> frozenset[int]:
        """The column of findings: by its mark, or by its heading where the marks are gone."""
        if self.marks:
            return self._columns(at.MARK_STATUS)
        headings = {plain(self.words.say("status", code)) for code in self.form.languages}
        rows = enumerate(self.place.cells.rows[:MARKER_ROWS])
        return frozenset(
            column
            for _, line in rows
            for column, cell in enumerate(line)
            if isinstance(cell, str) and plain(cell) in headings
        )

    @cached_property
    def columns(self) -> frozenset[int]:
        return frozenset(self.place.columns.values())

    @cached_property
    def heads(self) -> frozenset[int]:
        """The rows of marks, headings and help."""
        marked = {row for row, key in self.keys.items() if key in (at.MARK_HEADER, at.MARK_HELP)}
        return frozenset(marked | ({self.marker[0]} if self.marker else set()))

    @cached_property
    def grid_rows(self) -> frozenset[int]:
        return frozenset(self.place.rows.values())

    @cached_property
    def spots(self) -> dict[int, frozenset[int]]:
        """The columns of answers on a question sheet, by row."""
        found: dict[int, frozenset[int]] = {}
        for key, row in self.place.rows.items():
            found[row] = found.get(row, frozenset()) | {self.place.columns[key]}
        return found

    @cached_property
    def words_of_ours(self) -> frozenset[str]:
        """Everything our workbook may say on this sheet, in any language."""
        return frozenset(text for code in self.form.languages for text in self._says(code))

    @cached_property
    def texts(self) -> frozenset[str]:
        """The same, as a program or a person may have rewritten it."""
        return frozenset(map(plain, self.words_of_ours))

    def _says(self, language: str) -> Iterator[str]:
        sheet, say = self.sheet, self.words.say
        yield from (say(key, language) for key in HEADINGS)
        yield from (text[language] for text in (sheet.label, sheet.title) if text)
        intro = f"{sheet.intro[language]} " if sheet.intro else ""
        yield from (intro + say(key, language) for key in LEGENDS)
        for question in sheet.questions.values():
            yield from (question.key, question.label[language], prompt(question, language, self.words))
        if isinstance(sheet, QuestionSheet):
            sections = [text for section in sheet.sections.values() for text in (section.label, section.intro)]
            yield from (text[language] for text in sections if text)
        if isinstance(sheet, GridSheet):
            yield from (text[language] for text in (sheet.row_label, *(row.label for row in sheet.rows.values())))
            yield from sheet.rows


def said(cell: object) -> str:
    """A cell as its owner sees it, near enough to know it again."""
    if isinstance(cell, Flaw):
        return cell.shown or "?"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.strftime("%d.%m.%Y") if isinstance(cell, date) else str(cell)


def shortened(text: str, most: int = SHOWN) -> str:
    """A text in one line, masked and not too long."""
    line = mask(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
