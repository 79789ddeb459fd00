"""While the owner writes: what is drawn as not in use, and the words worked out beside an answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from string import Formatter

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.applies import Spot, spots
from templates.form import GridSheet, QuestionSheet
from templates.layout import HELP_ROW, RULES_SHEET, SheetLayout
from templates.live.items import TOP, Live
from templates.live.marks import found_name
from templates.live.plan import Here
from templates.rules.formula import Formula, any_of, text


@dataclass
class InUse:
    """The spots of a form that may be out of use, or have words beside them, with their formulas."""

    live: Live
    names: dict[str, str] = field(default_factory=dict)  # defined name to the cell that says whether it is off
    _off: dict[tuple[str, str], str] = field(default_factory=dict)
    _beside: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cells: dict[str, str] = {}
        for spot in spots(self.live.form):
            at = spot.sheet.key, spot.key
            if spot.condition is not None:
                cell = self.live.plan.value_cell(self._formula(spot).false(spot.condition))
                self._off[at] = cells.setdefault(cell, f"_u_{len(cells) + 1}")
                self.names[self._off[at]] = f"{RULES_SHEET}!{cell}"
            if spot.beside is not None:
                self._beside[at] = self._words(spot)

    def define(self) -> Iterator[DefinedName]:
        """The names: a conditional format may not name a cell of another sheet."""
        for name, cell in self.names.items():
            yield DefinedName(name, attr_text=cell)

    def has(self, sheet: str, key: str) -> bool:
        """Whether there is something to say of a spot besides what is wrong."""
        return (sheet, key) in {*self._off, *self._beside}

    def status(self, sheet: str, key: str, told: str, off: str) -> str:
        """What stands beside an answer: what is wrong; else that it is not in use; else its own words."""
        name, beside = self._off.get((sheet, key)), self._beside.get((sheet, key))
        if name is None and beside is None:
            return f'{told}&""'
        rest = beside or '""'
        return f'IF({told}<>"",{told},{f"IF({name},{text(off)},{rest})" if name else rest})'

    def draw(self, sheet: Worksheet, place: SheetLayout) -> None:
        """Let one sheet show what is not in use, and what is no fault in the status column."""
        look = {"fill": style.fill(style.LOCKED), "font": Font(color=style.MUTED, italic=True)}
        for cells, name in self._cells(place):
            rule = FormulaRule(formula=[name], **look)  # type: ignore[no-untyped-call]
            sheet.conditional_formatting.add(cells, rule)
        if any(at[0] == place.sheet.key for at in (*self._off, *self._beside)):
            calm = FormulaRule(  # type: ignore[no-untyped-call]
                formula=[f'INDEX({found_name(place.sheet.key)},ROW(),1)=""'],
                font=Font(color=style.MUTED, bold=False, italic=True),
            )
            column = place.status_column
            sheet.conditional_formatting.add(f"{column}{HELP_ROW}:{column}{place.last_row}", calm)

    def _cells(self, place: SheetLayout) -> Iterator[tuple[str, str]]:
        sheet, last = place.sheet, place.status_column
        for (key, part), name in self._off.items():
            if key != sheet.key:
                continue
            if part == TOP:
                yield f"B{place.first_row}:{last}{place.last_row}", name
            elif isinstance(sheet, QuestionSheet) or (isinstance(sheet, GridSheet) and part in sheet.rows):
                yield f"B{place.rows[part]}:{last}{place.rows[part]}", name
            else:
                yield f"{place.columns[part]}{place.first_row}:{place.columns[part]}{place.last_row}", name

    def _formula(self, spot: Spot) -> Formula:
        return Formula(self.live.form, Here(self.live.plan, self.live.plan.blocks[spot.sheet.key].place, 0))

    def _words(self, spot: Spot) -> str:
        """The formula of the words beside an answer; nothing while a value is not known."""
        assert spot.beside is not None
        formula, plan = self._formula(spot), self.live.plan
        cells = {name: f"{RULES_SHEET}!{plan.shown_value(formula.state(node))}" for name, node in spot.values.items()}
        pieces = []
        for literal, name, _, _ in Formatter().parse(spot.beside.text[self.live.language]):
            pieces += [text(literal)] if literal else []
            pieces += [cells[name]] if name else []
        unknown = any_of(f'{cell}=""' for cell in cells.values())
        return f'IF({unknown},"",{"&".join(pieces)})'
