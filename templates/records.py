"""Code lists that are only looked up by number: all their rows in one cell, which takes a third of the bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from templates.form import Form

END, NEXT = ";", "|"  # after every value; before every row
MAX_CELL = 32_767  # characters a cell holds


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

    def name(self, code_list: str) -> str:
        """The defined name of the cell that holds a list."""
        return f"_r_{code_list}"

    def text(self, code_list: str) -> str:
        rows = self._rows(code_list)
        text = "".join(NEXT + row for row in rows)
        marks = text.count(END), text.count(NEXT)
        if len(text) > MAX_CELL or marks != (len(rows) * len(self.fields[code_list]), len(rows)):
            raise ValueError(f"the list «{code_list}» does not fit in a cell, or holds «{END}» or «{NEXT}»")
        return text

    def found(self, code_list: str, key: str) -> str:
        """Whether the list has a row with this key."""
        return f"ISNUMBER({self._at(code_list, key)})"

    def value(self, code_list: str, key: str, column: str) -> str:
        """A value of the row with this key; an error when there is none."""
        width = max(map(len, self._rows(code_list)))
        row = f"MID({self.name(code_list)},{self._at(code_list, key)}+1,{width})"
        at = self.fields[code_list].index(column) * width + 1
        return f'TRIM(MID(SUBSTITUTE({row},"{END}",REPT(" ",{width})),{at},{width}))'

    def _at(self, code_list: str, key: str) -> str:
        return f'FIND("{NEXT}"&{key}&"{END}",{self.name(code_list)})'

    def _rows(self, code_list: str) -> list[str]:
        rows = self.form.lists[code_list].rows.values()
        return ["".join(row[column] + END for column in self.fields[code_list]) for row in rows]
