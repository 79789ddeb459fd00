"""Tables as the pages show them: what a column is called and holds, and cells that may lead somewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from outputs.letters.words import clean

LONGEST = 300  # characters of one cell
AT_ONCE = 1000  # rows that are shown together where there is script: a browser needs a second for ten times as many


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Its kind: "n" for numbers, "d" for moments, "s" for what to choose by, "t" for what needs room."""

    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what it says, where it leads, what it is sorted by when that is not what it says, and its look."""

    text: str
    href: str = ""
    sort: str = ""
    look: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption. `page` is where the whole of it stands, when this is only its beginning."""

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]] = field(default=())
    total: int = 0  # rows of the whole, when this is only its beginning
    page: str = ""
    most: int = AT_ONCE

    @property
    def kinds(self) -> list[Markup]:
        """Give the attribute of each column's cells."""
        return [Markup(' class="{}"').format(column.kind) if column.kind else Markup() for column in self.columns]

    def beginning(self, rows: int, page: str) -> "Table":
        """Give the first rows, with where the rest is."""
        return Table(self.id, self.caption, self.columns, self.rows[:rows], len(self.rows), page)


def text(words: str | None, limit: int | None = LONGEST) -> Cell:
    """Make a cell of what somebody wrote: visible characters on one line."""
    return Cell(clean(words or "", limit))
