"""What is found in each row of `_regler`: one text that says how each finding is told and the columns to mark."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from templates.live.items import Cause, Item, Live
from templates.rules.formula import BAD, FALSE, any_of, when
from templates.rules.predicate import Node
from templates.shared import seen_from

OFTEN = 3  # rows of a sheet that find a thing alike: then it stands in a column of its own, written once


class Findings:
    """The formulas of what is found in the rows of a workbook."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.silent = [live.plan.value_cell(cause.failing) for cause in live.alone]
        self.pieces = {id(item): list(_pieces(item)) for item in live.items.values()}
        rows: Counter[tuple[str, str]] = Counter()
        for item in live.items.values():
            rows.update({(item.block.found, seen_from(item.row, piece)) for piece in self.pieces[id(item)]})
        self.often = {piece for piece, number in rows.items() if number >= OFTEN}
        self.columns: dict[tuple[str, int], str] = {}

    def of(self, item: Item) -> Iterator[tuple[str, str]]:
        """The columns and formulas of a row: errors first, and for each answer what its own cell shows."""
        pieces = self.pieces[id(item)]
        runs = [(often, "&".join(run)) for often, run in groupby(pieces, lambda piece: self._is_often(item, piece))]
        if len(runs) > 1:
            for number, (often, formula) in enumerate(runs):
                if often:
                    column = self._column(item, number)
                    yield column, formula
                    runs[number] = often, f"{column}{item.row}"
        yield item.block.found, self._told(item, "&".join(formula for _, formula in runs) or '""')

    def _is_often(self, item: Item, piece: str) -> bool:
        return (item.block.found, seen_from(item.row, piece)) in self.often

    def _column(self, item: Item, number: int) -> str:
        place = item.block.found, number
        if place not in self.columns:
            self.columns[place] = self.live.plan.new_column()
        return self.columns[place]

    def _told(self, item: Item, found: str) -> str:
        """Nothing in an unused row; and what is found alone silences all else."""
        own = "&".join(f'IF({one.failing},"{one.code}","")' for one in item.causes if one.rule.alone) or '""'
        if item.is_table:
            unused = f'{item.block.used}{item.row}=""'
            return f'IF({any_of((unused, *self.silent))},"",{found})'
        return f"IF({any_of(self.silent)},{own},{found})" if self.silent else found


def _pieces(item: Item) -> Iterator[str]:
    judged = [cause for cause in item.causes if not cause.rule.alone]
    yield from _of_severity(judged, item, is_warning=False)
    yield from _of_severity(judged, item, is_warning=True)


def _of_severity(judged: list[Cause], item: Item, *, is_warning: bool) -> Iterator[str]:
    """What is found of one severity: with each answer first, then by the rules."""
    causes = [cause for cause in judged if cause.is_warning is is_warning]
    own = [cause for cause in causes if cause.kind != "rule"]
    for node in dict.fromkeys(cause.blame[0] for cause in own):
        yield _of_answer(item, node, [cause for cause in own if cause.blame[0] == node])
    for cause in causes:
        if cause.kind == "rule" and cause.failing != FALSE:
            yield f'IF({cause.failing},"{cause.code}","")'


def _of_answer(item: Item, node: Node, causes: list[Cause]) -> str:
    """What is found with one answer: it is missing, could not be used, or is outside its limits."""
    at = item.block.state(getattr(node, "key", ""), item.row)
    missing = next((when(one.failing, f'"{one.code}"', '""') for one in causes if one.kind == "missing"), '""')
    outside = "&".join(f'IF({one.failing},"{one.code}","")' for one in causes if one.kind in ("limit", "offered"))
    unusable = next((f'MID({at},2,4)&"{one.marks}"' for one in causes if one.kind == "reading"), '""')
    readings = [one for one in item.causes if one.kind == "reading" and one.blame[0] == node]
    if unusable != '""' and len({one.is_warning for one in readings}) > 1:
        unusable = f'IF(MID({at},2,1)="{causes[0].told[0]}",{unusable},"")'
    there = when(f'LEFT({at})="{BAD}"', unusable, outside or '""')
    return there if missing == '""' and not outside else f'IF({at}="",{missing},{there})'
