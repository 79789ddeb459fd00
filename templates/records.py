"""Code lists that are only looked up by number: all their rows in one cell, which takes a third of the bytes.

What follows from how a number begins, as the county of a municipality does, stands once for all numbers that begin so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from templates.form import CodeList, Form

END, NEXT, BEGINS = ";", "|", "^"  # after every value; before every row; before what a beginning has
MAX_CELL = 32_767  # characters a cell holds
MANY = 4  # rows for each beginning, or it is no shorter to tell them apart


@dataclass(frozen=True)
class Split:
    """A code list cut in two: what follows from how a key begins, and the rest."""

    size: int  # characters of the key that others follow from; 0 when none do
    begun: list[str]  # columns, the beginning of the key first; none when size is 0
    own: list[str]  # columns that every row has, the key first
    beginnings: list[str]  # the texts of the first
    rows: list[str]  # and of the others


@dataclass(frozen=True)
class Records:
    """The code lists of municipalities, with the columns that are looked up."""

    form: Form
    fields: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Form, looked_up: Iterable[tuple[str, str]]) -> "Records":
        """The lists that a kommunenr is looked up in; `looked_up` are lists with columns."""
        fields = {}
        for name in sorted({question.list for _, question in form.questions() if question.list}):
            columns = sorted({column for code_list, column in looked_up if code_list == name})
            fields[name] = list(dict.fromkeys([form.lists[name].key, *columns]))
        return cls(form, fields)

    @cached_property
    def splits(self) -> dict[str, Split]:
        return {name: _split(self.form.lists[name], columns) for name, columns in self.fields.items()}

    def name(self, code_list: str) -> str:
        """The defined name of the cell that holds a list."""
        return f"_r_{code_list}"

    def text(self, code_list: str) -> str:
        split = self.splits[code_list]
        text = "".join(BEGINS + one for one in split.beginnings) + "".join(NEXT + row for row in split.rows)
        values = len(split.beginnings) * len(split.begun) + len(split.rows) * len(split.own)
        marks = text.count(END), text.count(NEXT), text.count(BEGINS)
        if len(text) > MAX_CELL or marks != (values, len(split.rows), len(split.beginnings)):
            raise ValueError(f"the list «{code_list}» does not fit in a cell, or holds «{END}», «{NEXT}» or «{BEGINS}»")
        return text

    def found(self, code_list: str, key: str) -> str:
        """Whether the list has a row with this key."""
        return f"ISNUMBER({self._at(code_list, NEXT, key)})"

    def value(self, code_list: str, key: str, column: str) -> str:
        """A value of the row with this key; an error when there is none."""
        split = self.splits[code_list]
        if column in split.own:
            return self._cut(code_list, NEXT, key, split.rows, split.own.index(column))
        beginning = f"MID({self.name(code_list)},{self._at(code_list, NEXT, key)}+1,{split.size})"
        if self.beginning(code_list, column):
            return beginning
        return self._cut(code_list, BEGINS, beginning, split.beginnings, split.begun.index(column))

    def beginning(self, code_list: str, column: str) -> int:
        """How much of every key a column holds, in characters; 0 when it holds something else."""
        split = self.splits[code_list]
        return split.size if split.begun[:1] == [column] else 0

    def _cut(self, code_list: str, mark: str, key: str, rows: list[str], at: int) -> str:
        """One of the values after a key."""
        width = max(map(len, rows))
        row = f"MID({self.name(code_list)},{self._at(code_list, mark, key)}+1,{width})"
        return f'TRIM(MID(SUBSTITUTE({row},"{END}",REPT(" ",{width})),{at * width + 1},{width}))'

    def _at(self, code_list: str, mark: str, key: str) -> str:
        return f'FIND("{mark}"&{key}&"{END}",{self.name(code_list)})'


def _shown(code_list: CodeList, row: dict[str, str], column: str) -> str:
    is_name = column == code_list.label != code_list.key
    return "" if is_name and row[code_list.key] in code_list.unnamed else row[column]


def _split(code_list: CodeList, columns: list[str]) -> Split:
    rows, key = list(code_list.rows.values()), code_list.key

    def follows(column: str, size: int) -> bool:
        return len({(row[key][:size], row[column]) for row in rows}) == len({row[key][:size] for row in rows})

    def texts(columns: list[str]) -> list[str]:
        return list(dict.fromkeys("".join(_shown(code_list, row, column) + END for column in columns) for row in rows))

    for size in range(1, min((len(row[key]) for row in rows), default=0)):
        is_beginning = [column for column in columns if all(row[column] == row[key][:size] for row in rows)]
        if is_beginning and len({row[key][:size] for row in rows}) * MANY <= len(rows):
            begun = is_beginning + [one for one in columns if one not in is_beginning and follows(one, size)]
            own = [column for column in columns if column not in begun]
            return Split(size, begun, own, texts(begun) if begun[1:] else [], texts(own))
    return Split(0, [], columns, [], texts(columns))
