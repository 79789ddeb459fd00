"""Where each answer now sits: found by the keys that travel with the rows, confirmed by labels.

Coordinates are never trusted. A key whose row carries another question's label is a conflict,
and so is a question that stands twice. What has lost its key is found by its label alone.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from intake.reader import SheetCells, Workbook
from templates import layout as at
from templates.cells import spot_of
from templates.form import Form, GridRow, GridSheet, Question, QuestionSheet, Sheet, TableSheet
from templates.prompt import prompt
from templates.texts import Texts

MARKS = {QuestionSheet: at.MARK_QUESTIONS, TableSheet: at.MARK_TABLE, GridSheet: at.MARK_GRID}
MARKER_ROWS = 60  # rows searched for a sheet's marker row
SHARE = 0.6  # share of a sheet's questions that must be found, or it is not that sheet
GRID_LABEL_COLUMNS = 3  # columns searched for the labels of a grid's rows when its keys are gone

LONG = 500  # characters; so long a text is not kept for the next file

Items = Mapping[str, Question] | Mapping[str, GridRow]
Spots = list[tuple[str, int]]
"""What stands where: a text or a key, and its row or column."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one sheet's answers sit in this file; rows and columns count from 0.

    `rows` maps question keys (question sheet) or grid row keys to rows; `columns` maps
    question keys to columns (one column for all questions of a question sheet). The rows of a
    table begin at `first_row` and go on to the end of the sheet: what is written below counts.
    """

    cells: SheetCells
    rows: dict[str, int]
    columns: dict[str, int]
    first_row: int


class LocateError(Exception):
    """Answers that cannot be placed without guessing; `reason` is a code of intake/texts.toml."""

    def __init__(self, reason: str, **details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


@dataclass(frozen=True, slots=True)
class _Sought:
    """A sheet that is looked for in a workbook."""

    sheet: Sheet
    languages: tuple[str, ...]
    words: Texts
    gone: frozenset[str]  # keys of what the form asks no more


def locate(workbook: Workbook, form: Form, words: Texts, dropped: Collection[str] = ()) -> dict[str, Place]:
    """The places of every sheet of the form that is there, by sheet key.

    `dropped` is what the form asks no more, as `sheet.question`: the labels of those say nothing.
    Raises LocateError when two sheets claim to be the same one, or keys and labels disagree.
    """
    found = {}
    for key, sheet in form.sheets.items():
        gone = frozenset(path.partition(".")[2] for path in dropped if path.partition(".")[0] == key)
        place = _locate_sheet(workbook, _Sought(sheet, form.languages, words, gone))
        if place is not None:
            found[key] = place
    return found


def _locate_sheet(workbook: Workbook, sought: _Sought) -> Place | None:
    sheet = sought.sheet
    marked = [(cells, spot) for cells in workbook.sheets if (spot := find_marker(cells, sheet))]
    if len(marked) > 1 and any(_content(cells) != _content(marked[0][0]) for cells, _ in marked):
        names = ", ".join(f"«{cells.name}»" for cells, _ in marked)
        raise LocateError("two_forms", sheets=names)
    if marked:
        place = _by_keys(*marked[0], sought)
        return _followed(place, sheet, workbook.names) if place and isinstance(sheet, QuestionSheet) else place
    found = [place for cells in workbook.sheets if (place := _by_labels(cells, sought))]
    return found[0] if len(found) == 1 else None


def _content(cells: SheetCells) -> dict[tuple[int, int], object]:
    """What stands in a sheet, to tell a mere copy from one that was filled in differently."""
    return {
        (row, column): cell for row, line in enumerate(cells.rows) for column, cell in enumerate(line) if cell != ""
    }


def find_marker(cells: SheetCells, sheet: Sheet) -> tuple[int, int] | None:
    """Where the mark of a sheet stands that says which one it is: the row of marks, the column of keys."""
    mark = MARKS[type(sheet)] + sheet.key
    for row in range(min(len(cells.rows), MARKER_ROWS)):
        if mark in cells.rows[row]:
            return row, list(cells.rows[row]).index(mark)
    return None


def _row(cells: SheetCells, row: int) -> Spots:
    return [(cells.text(row, column), column) for column in range(len(cells.rows[row]))]


def _column(cells: SheetCells, column: int, first: int = 0) -> Spots:
    return [(cells.text(row, column), row) for row in range(first, len(cells.rows))]


def plain(text: str) -> str:
    """A label for comparison: without case, the required mark, and differences in blanks."""
    return _known_plain(text) if len(text) < LONG else _plain(text)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("*", " ").casefold().split())


_known_plain = lru_cache(maxsize=4096)(_plain)  # the labels of a form stand in all its files


def _labels(items: Items) -> dict[str, str]:
    """The keys of questions or grid rows by label, less the labels that two of them share."""
    owners = {(plain(text), key) for key, item in items.items() for text in item.label.values()}
    shared = Counter(label for label, _ in owners)
    return {label: key for label, key in owners if shared[label] == 1}


def _named(spots: Spots, labels: Mapping[str, str]) -> Spots:
    """The keys of what stands there by its labels."""
    return [(labels[label], spot) for text, spot in spots if text and (label := plain(text)) in labels]


def _settled(cells: SheetCells, items: Items, found: Spots) -> dict[str, int]:
    """One spot for each item. Raises LocateError when an item has two spots, or two items one."""
    places: dict[str, int] = {}
    owners: dict[int, str] = {}
    for key, spot in found:
        if places.setdefault(key, spot) != spot or owners.setdefault(spot, key) != key:
            raise _conflict(cells, items[key])
    return {key: places[key] for key in items if key in places}


def _conflict(cells: SheetCells, item: Question | GridRow) -> LocateError:
    return LocateError("keys_moved", sheet=cells.name, label=next(iter(item.label.values())))


def _enough(found: Iterable[str], items: Items) -> bool:
    return len(set(found)) >= SHARE * len(items)


# by keys


def _by_keys(cells: SheetCells, spot: tuple[int, int], sought: _Sought) -> Place | None:
    (marker_row, key_column), sheet = spot, sought.sheet
    marker = _row(cells, marker_row)
    keys = [(key, row) for key, row in _column(cells, key_column, marker_row) if key not in sought.gone]
    if isinstance(sheet, QuestionSheet):
        answers = [column for mark, column in marker if mark == at.MARK_ANSWER]
        rows = _rows_by_keys(cells, sheet.questions, marker, keys, key_column)
        return _question_place(cells, sheet, rows, answers or _headed_answers(cells, sought))
    marks = dict(reversed([(key, row) for key, row in keys if key.startswith("#")]))  # the first of each
    header = marks[at.MARK_HEADER] if at.MARK_HEADER in marks else _heading_row(cells, sheet, marker_row + 1)
    without = {column for key, column in marker if key in sought.gone}
    names = [] if header is None else [spot for spot in _row(cells, header) if spot[1] not in without]
    headings = _named(names, _labels(sheet.questions))
    columns = _settled(cells, sheet.questions, [*_known(marker, sheet.questions), *headings])
    rows = _rows_by_keys(cells, sheet.rows, marker, keys, key_column) if isinstance(sheet, GridSheet) else {}
    above = max(marker_row, header or 0, marks.get(at.MARK_HELP, 0))
    first = above + 1 if at.MARK_HELP in marks else _first_answers(cells, above + 1, sought)
    return _table_place(cells, sheet, rows, columns, first)


def _known(spots: Spots, items: Items) -> Spots:
    return [(key, spot) for key, spot in spots if key in items]


def _rows_by_keys(cells: SheetCells, items: Items, marker: Spots, keys: Spots, key_column: int) -> dict[str, int]:
    """The rows of questions or grid rows, by key, and by label where the key is gone."""
    label_column = dict(marker).get(at.MARK_LABEL, key_column + 1)
    beside = [(cells.text(row, label_column), row) for key, row in keys if not key.startswith("#")]
    return _settled(cells, items, [*_known(keys, items), *_named(beside, _labels(items))])


def _question_place(cells: SheetCells, sheet: QuestionSheet, rows: dict[str, int], answers: list[int]) -> Place | None:
    if len(answers) > 1:
        raise _conflict(cells, next(iter(sheet.questions.values())))
    if not answers or not _enough(rows, sheet.questions):
        return None
    return Place(cells, rows, dict.fromkeys(rows, answers[0]), 0)


def _table_place(
    cells: SheetCells, sheet: TableSheet | GridSheet, rows: dict[str, int], columns: dict[str, int], first: int
) -> Place | None:
    if not _enough(columns, sheet.questions) or (isinstance(sheet, GridSheet) and not _enough(rows, sheet.rows)):
        return None
    return Place(cells, rows, columns, first)


# by names

STALE = 3  # more names than this that have left their places were left behind by a program, not moved by the owner


def _followed(place: Place, sheet: QuestionSheet, names: Mapping[str, tuple[str, str]]) -> Place:
    """The same place with every answer that was dragged away from its row: its name went along.

    Raises LocateError for an answer that was dragged onto another's.
    """
    cells, columns, rows = place.cells, dict(place.columns), dict(place.rows)
    owners = {(rows[key], columns[key]): key for key in rows}
    strayed = {}
    for key in rows:
        tab, cell = names.get(at.answer_name(sheet.key, key), ("", ""))
        spot = spot_of(cell) if tab == cells.name else None
        if spot is not None and owners.get(spot) != key:
            strayed[key] = spot
    for key, spot in strayed.items() if len(strayed) <= STALE else ():
        if _is_blank(cells.at(rows[key], columns[key])) and not _is_blank(cells.at(*spot)):
            if spot in owners:
                labels = [next(iter(sheet.questions[one].label.values())) for one in (key, owners[spot])]
                raise LocateError("answer_dragged", sheet=cells.name, label=labels[0], onto=labels[1])
            rows[key], columns[key] = spot
    return Place(cells, rows, columns, place.first_row)


def _is_blank(cell: object) -> bool:
    return isinstance(cell, str) and not cell.strip()


# by labels


def _by_labels(cells: SheetCells, sought: _Sought) -> Place | None:
    sheet = sought.sheet
    if isinstance(sheet, QuestionSheet):
        return _questions_by_labels(cells, sheet, sought)
    header = _heading_row(cells, sheet, 0)
    if header is None:
        return None
    columns = _settled(cells, sheet.questions, _named(_row(cells, header), _labels(sheet.questions)))
    rows = _grid_rows_by_labels(cells, sheet, header) if isinstance(sheet, GridSheet) else {}
    return _table_place(cells, sheet, rows, columns, _first_answers(cells, header + 1, sought))


def _questions_by_labels(cells: SheetCells, sheet: QuestionSheet, sought: _Sought) -> Place | None:
    labels = _labels(sheet.questions)
    width = max((len(row) for row in cells.rows), default=0)
    found = max((_named(_column(cells, column), labels) for column in range(width)), key=len, default=[])
    if not _enough((key for key, _ in found), sheet.questions):
        return None
    return _question_place(cells, sheet, _settled(cells, sheet.questions, found), _headed_answers(cells, sought))


def _headed_answers(cells: SheetCells, sought: _Sought) -> list[int]:
    """The columns with the heading of answers, in the row that has the heading of questions too."""
    questions, answers = (
        {plain(sought.words.say(key, code)) for code in sought.languages} for key in ("question", "answer")
    )
    for row in range(min(len(cells.rows), MARKER_ROWS)):
        texts = [(plain(text), column) for text, column in _row(cells, row)]
        headed = [column for text, column in texts if text in answers]
        if headed and any(text in questions for text, _ in texts):
            return headed
    return []


def _heading_row(cells: SheetCells, sheet: Sheet, first: int) -> int | None:
    """The row with most of the labels; a key may happen to be one too, so it is not just any row with some."""
    labels = _labels(sheet.questions)
    rows = range(first, min(len(cells.rows), MARKER_ROWS))
    found = {row: {key for key, _ in _named(_row(cells, row), labels)} for row in rows}
    best = max(found, key=lambda row: len(found[row]), default=None)
    return best if best is not None and _enough(found[best], sheet.questions) else None


def _first_answers(cells: SheetCells, row: int, sought: _Sought) -> int:
    """The first row from here on that holds neither headings nor help."""
    questions, words = sought.sheet.questions, sought.words
    labels = _labels(questions)
    helps = {plain(prompt(item, code, words)) for item in questions.values() for code in sought.languages} - {""}
    while row < len(cells.rows):
        texts = _row(cells, row)
        is_heading = _enough((key for key, _ in _named(texts, labels)), questions)
        if not is_heading and not any(plain(text) in helps for text, _ in texts):
            break
        row += 1
    return row


def _grid_rows_by_labels(cells: SheetCells, sheet: GridSheet, header: int) -> dict[str, int]:
    labels = _labels(sheet.rows)
    spots = [spot for column in range(GRID_LABEL_COLUMNS) for spot in _column(cells, column, header + 1)]
    return _settled(cells, sheet.rows, _named(spots, labels))
