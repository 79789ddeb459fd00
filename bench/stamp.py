"""Stamping a recipient's workbook against building it: openpyxl in full, XlsxWriter with the same content.

`python -m bench.stamp [RECIPIENTS]` prints milliseconds of CPU for each workbook, and the ratios.
The three take turns, so that a busy machine slows them alike. XlsxWriter is given every cell,
format, validation and conditional format of a stamped workbook, read once beforehand.
"""

import io
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from time import process_time
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from templates.prefill import compile_base, slot_values, stamp_workbook, unit_rows
from templates.recipients import Recipient, Unit
from templates.stamp import make_stamp, report_id
from templates.workbook import build_base
from tests.desk import KEY, RECIPIENT, SENDER, Desk

ROUNDS = 10  # full builds of each kind
UNITS = tuple(Unit(f"9{number:08}", f"Enhet {number}", "BARNEHAGE", "3203") for number in range(30))


def recipients(count: int) -> Iterator[Recipient]:
    for number in range(count):
        yield replace(RECIPIENT, orgnr=f"9{number:08}", name=f"Eier {number} i Ås", units=UNITS)


@dataclass
class Clock:
    """CPU seconds of one way to make a workbook."""

    seconds: float = 0.0
    made: int = 0

    def time(self, make: Callable[[], object]) -> None:
        start = process_time()
        make()
        self.seconds += process_time() - start
        self.made += 1

    @property
    def each(self) -> float:
        return 1000 * self.seconds / self.made


def write(target: Any, row: int, column: int, value: Any, look: Any) -> None:  # noqa: ANN401 - XlsxWriter has no types
    if isinstance(value, ArrayFormula):
        target.write_array_formula(value.ref, value.text, look)
    elif isinstance(value, str) and value.startswith("="):
        target.write_formula(row, column, value, look)
    elif isinstance(value, str):
        target.write_string(row, column, value, look)
    elif value is None:
        target.write_blank(row, column, None, look)
    else:
        target.write_number(row, column, value, look)


def rewrite(cells: "Content") -> bytes:
    """The same workbook by XlsxWriter."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        looks = [book.add_format(look) for look in cells.looks]
        for name, sheet in cells.sheets.items():
            target = book.add_worksheet(name)
            for row, column, value, look in sheet.cells:
                write(target, row, column, value, looks[look])
            for cells_of, options in sheet.validations:
                target.data_validation(cells_of, options)
            for cells_of, formula in sheet.marks:
                target.conditional_format(cells_of, {"type": "formula", "criteria": formula, "format": looks[0]})
            for row, height in sheet.heights:
                target.set_row(row, height)
        for name, formula in cells.names:
            book.define_name(name, formula)
    return buffer.getvalue()


@dataclass
class SheetContent:
    cells: list[tuple[int, int, Any, int]]
    validations: list[tuple[str, dict[str, Any]]]
    marks: list[tuple[str, str]]
    heights: list[tuple[int, float]]


@dataclass
class Content:
    """What stands in a workbook, in the terms of XlsxWriter."""

    sheets: dict[str, SheetContent]
    looks: list[dict[str, Any]]
    names: list[tuple[str, str]]


def content(book: Workbook) -> Content:
    looks: dict[int, int] = {}
    kinds: list[dict[str, Any]] = []
    sheets = {}
    for sheet in book.worksheets:
        cells = []
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None or cell.has_style):
            if cell.style_id not in looks:
                looks[cell.style_id] = len(kinds)
                kinds.append(_look(cell))
            known = isinstance(cell.value, int | float | str | ArrayFormula | None)
            value = cell.value if known else str(cell.value)
            cells.append((int(cell.row or 1) - 1, int(cell.column or 1) - 1, value, looks[cell.style_id]))
        kept = [one for one in sheet.data_validations.dataValidation if one.type]
        validations = [(str(cells_of), _limits(one)) for one in kept for cells_of in one.sqref.ranges]
        marks = [
            (str(cells_of), "=" + rule.formula[0])
            for found in sheet.conditional_formatting
            for rule in found.rules
            for cells_of in found.sqref.ranges
        ]
        heights = [
            (int(row or 1) - 1, one.height) for row, one in sheet.row_dimensions.items() if one.height is not None
        ]
        sheets[sheet.title] = SheetContent(cells, validations, marks, heights)
    names = [(name, f"={one.attr_text}") for name, one in book.defined_names.items()]
    return Content(sheets, kinds, names)


def _look(cell: Any) -> dict[str, Any]:  # noqa: ANN401 - openpyxl has several kinds of cells
    look = {"bold": cell.font.b, "font_size": cell.font.sz, "text_wrap": cell.alignment.wrap_text}
    look |= {"locked": cell.protection.locked, "num_format": cell.number_format, "border": bool(cell.border.left.style)}
    return look


def _limits(rule: Any) -> dict[str, Any]:  # noqa: ANN401 - openpyxl's validation
    kinds = {"list": "list", "whole": "integer", "decimal": "decimal", "date": "date", "textLength": "length"}
    first = rule.formula1 or ""
    source = {"source": f"={first}"} if rule.type == "list" else {"criteria": "<=", "value": f"={first}"}
    return {"validate": kinds[rule.type], **source, "input_message": rule.prompt or "", "ignore_blank": True}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    form = Desk.of("behovsmelding-2024").form
    stamping, building, rewriting = Clock(), Clock(), Clock()
    base = compile_base(build_base(form, "nb", SENDER))

    def stamped(number: int, owner: Recipient) -> bytes:
        stamp = make_stamp(form, report_id(form, number, 1), owner.orgnr, KEY)
        return stamp_workbook(base, slot_values(form, owner, stamp, KEY), unit_rows(form, owner))

    cells = content(openpyxl.load_workbook(io.BytesIO(stamped(1, next(recipients(1))))))
    start = middle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, owner in enumerate(recipients(count), 1):
        stamping.time(partial(stamped, number, owner))
        if number == count // 2:
            middle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if number % max(1, count // ROUNDS) == 0:
            building.time(lambda: build_base(form, "nb", SENDER))
            rewriting.time(lambda: rewrite(cells))
    end = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = [
        f"stamped    {stamping.each:8.1f} ms  ({stamping.made} workbooks)",
        f"openpyxl   {building.each:8.1f} ms  {building.each / stamping.each:6.1f} times as much",
        f"XlsxWriter {rewriting.each:8.1f} ms  {rewriting.each / stamping.each:6.1f} times as much",
        f"most memory: {start // 1024} MB before, {middle // 1024} MB half way, {end // 1024} MB after",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
