"""The texts of findings: what stands once on `_regler`, and the formula that tells it in a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from string import Formatter

from templates.form import GridSheet, Rule, TableSheet
from templates.layout import HEADER_ROW, LABEL_COLUMN, REQUIRED_MARK
from templates.live.block import MARK_ZERO, TEXTS_NAME, mark_of
from templates.live.items import TOP, Cause, Item, Live
from templates.live.plan import Here
from templates.live.words import OF_THE_CELL, as_written, number, reading_words, shown, text_formula
from templates.rules.formula import BAD, FALSE, TRUE, Formula, text, when
from templates.rules.predicate import Answer, Column, GridCell, Lookup, Node

OTHERS = "{antall}"  # in the words about more findings in a row


def bad_state(live: Live, code: str) -> str:
    """The state of a cell that could not be used: it says how that is told."""
    rule = live.reading(code)
    kept = {name: name for name in OF_THE_CELL}
    number = live.plan.text_number(text_formula(rule.message[live.language], {}, kept))
    return f'"{BAD}{Cause(rule, "reading", FALSE, number, "", ()).told}"'


@dataclass(frozen=True)
class Words:
    """What the text of one cause says, told in an item: in the text itself where it is the same from every row."""

    live: Live
    item: Item
    here: Here
    blame: tuple[Node, ...]
    given: Mapping[str, str] = field(default_factory=dict)  # formulas
    values: Mapping[str, Node] = field(default_factory=dict)

    def number(self, rule: Rule) -> int:
        """The number of the text of a rule."""
        template = rule.message[self.live.language]
        words, kept = dict(self.given), {}
        names = dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name)
        for name in (name for name in names if name not in words):
            formula, is_of_row = self._filled(name)
            if formula is None:
                kept[name] = name
            elif is_of_row and self.item.is_table:
                kept[name] = self._hole(name, formula)
            else:
                words[name] = formula
        return self.live.plan.text_number(text_formula(template, words, kept))

    def _hole(self, name: str, formula: str) -> str:
        """The name of a hole that is filled with this in every row of the sheet."""
        holes = self.live.holes[self.here.place.sheet.key]
        while holes.setdefault(name, formula) != formula:
            name += "_"
        return name

    def _filled(self, name: str) -> tuple[str | None, bool]:
        """What fills a hole, and whether that is another thing in every row; None where the row itself tells."""
        if name in self.values:
            return self._value(self.values[name])
        if self.target.key != TOP and name in self.target.block.place.sheet.questions:
            return self._answer(self.target, name)
        if self.target is self.item and name in OF_THE_CELL and self.item.key != TOP:
            return None, True
        return self._elsewhere(name), False

    @property
    def first(self) -> Node | None:
        """The first cell that is marked."""
        return next((node for node in self.blame if isinstance(node, Answer | Column | GridCell)), None)

    @property
    def target(self) -> Item:
        """The item of the first cell that is marked."""
        sheet, key = getattr(self.first, "sheet", ""), getattr(self.first, "key", "")
        if self.first is None or sheet == self.item.block.place.sheet.key:
            return self.item
        return self.live.items.get((sheet, key), self.live.items[sheet, TOP])

    def _elsewhere(self, name: str) -> str:
        """What a text says of the first cell it marks, when that is not in the row where it is told."""
        if self.first is None:
            return '""'
        block = self.target.block
        key = getattr(self.first, "key", getattr(self.first, "column", ""))
        sheet = block.place.sheet
        cell = block.answer(key)
        address = cell.rpartition("!")[2]
        known = {
            "felt": text(sheet.questions[key].label[self.live.language]),
            "rad": text(address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
            "celle": text(f"{sheet.label[self.live.language]} {address}"),
        }
        if block.is_single:
            known["verdi"] = as_written(cell, TRUE if sheet.questions[key].type == "date" else FALSE)
        return known.get(name, '""')

    def _answer(self, item: Item, key: str) -> tuple[str, bool]:
        """An answer of a row, as people read it."""
        block = item.block
        if block.is_single:
            self.live.shown.add((block.place.sheet.key, key))
            return f"${block.shown}${block.place.rows[key]}", False
        cell = block.answer(key, item.row)
        return shown(self.live.form, block.place.sheet.questions[key], cell, block.state(key, item.row)), True

    def _value(self, node: Node) -> tuple[str, bool]:
        """A value that a message says; a number that looks at no row has a cell of its own."""
        if isinstance(node, Answer):
            item = self.live.items.get((node.sheet, node.key)) or self.live.items[node.sheet, self.here.key or "*"]
            words, is_of_row = self._answer(item, node.key)
            state = self.here.state(node)
            return f'IF(LEFT({state})="{BAD}","",{words})', is_of_row  # what could not be used has no value
        if isinstance(node, Lookup) and (fetched := self._fetched(node)):
            return fetched, True
        formula = Formula(self.live.form, replace(self.here, is_told=True))
        value = when(formula.known(node), formula.value(node), '""')
        is_of_row = not all(self.here.is_single(found) for found in node.walk())
        if formula.is_text(node):
            return value, is_of_row
        if not is_of_row:
            return self.live.plan.shown_value(value), False
        return f'IF(ISNUMBER({value}),{number(f"ROUND({value},1)", "decimal")},"")', True

    def _fetched(self, node: Lookup) -> str:
        """The cell of the row where the owner sees the value of a code list already."""
        block = self.item.block
        if self.item.is_table and isinstance(node.key, Answer) and node.key.sheet == block.place.sheet.key:
            for key, question in block.place.sheet.questions.items():
                source = question.lookup
                if source and (source.list, source.key, source.value) == (node.list, node.key.key, node.value):
                    return f'{block.answer(key)}&""'
        return ""


def told(live: Live, item: Item, more: str) -> str:
    """The formula of the message in the first row of an item; `more` says how many more there are in a table row."""
    found = item.found
    said = f"INDEX({TEXTS_NAME},VALUE(MID({found},2,3)))"
    texts = {live.plan.text(cause.number) for cause in item.causes}
    if item.key != TOP:
        for name, words in _fillings(live, item):
            if any(f"{{{name}}}" in one for one in texts):
                said = f'SUBSTITUTE({said},"{{{name}}}",{words})'
    if item.is_table:
        before, after = more.split(OTHERS)
        count = f'LEN({found})-LEN(SUBSTITUTE(SUBSTITUTE({found},"!",""),"-",""))'
        said += f'&IF({count}>1,"{before}"&{count}-1&"{after}","")'
    return f'IF({found}="","",{said})'


def _fillings(live: Live, item: Item) -> Iterator[tuple[str, str]]:
    """What fills the holes where a text is told; what owners have written comes last."""
    block, row, column = item.block, item.row, f"CODE(MID({item.found},5,1))-{MARK_ZERO}"
    sheet = block.place.sheet
    last = block.place.last_column
    cell = block.answer(item.key) if block.is_single else f"INDEX({block.tab}!$A{row}:${last}{row},{column})"
    head = f"INDEX({block.tab}!$A${HEADER_ROW}:${last}${HEADER_ROW},{column})"
    label = f"{block.tab}!${LABEL_COLUMN}{row}"
    words = {"felt": _label(label if block.is_single else head), "navn": '""', "rad": 'ROW()&""'}
    words["celle"] = f"{text(sheet.label[live.language] + ' ')}&ADDRESS(ROW(),{column},4)"
    words |= reading_words(cell)
    if isinstance(sheet, GridSheet):
        words |= {"felt": f'{label}&", "&{_label(head)}', "navn": label}
    elif isinstance(sheet, TableSheet) and sheet.row_name:
        words["navn"] = as_written(block.answer(sheet.row_name))
    yield from words.items()
    yield from live.holes[sheet.key].items()
    yield "verdi", as_written(cell, _is_date(item))


def _label(cell: str) -> str:
    """A label without the mark of what must be answered."""
    return f'SUBSTITUTE(SUBSTITUTE({cell}&"{BAD}","{REQUIRED_MARK}{BAD}",""),"{BAD}","")'


def _is_date(item: Item) -> str:
    """Whether the cell that is told about is one for a date."""
    questions = item.block.place.sheet.questions
    if item.block.is_single:
        return TRUE if questions[item.key].type == "date" else FALSE
    marks = "".join(
        mark_of(column) for key, column in item.block.place.columns.items() if questions[key].type == "date"
    )
    return f'ISNUMBER(FIND(MID({item.found},5,1),"{marks}"))' if marks else FALSE
