"""What can be checked of WCAG 2.1 AA in the workbook: contrast, headers, names, nothing for the mouse only."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Color
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates import layout
from tests.desk import RECIPIENT, Desk

DESK = Desk.of("behovsmelding-2024")
TEXT, LINE = 4.5, 3.0  # least contrast: WCAG 2.1, 1.4.3 and 1.4.11
WHITE, BLACK = "FFFFFF", "000000"
SIDES = ("left", "right", "top", "bottom")

each_language = pytest.mark.parametrize("language", DESK.form.languages)


@cache
def sent(language: str) -> bytes:
    return DESK.send(replace(RECIPIENT, language=language))


def contrast(one: str, other: str) -> float:
    """How far two colours are from each other, 1 to 21 (WCAG 2.1)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def hexadecimal(colour: Color | None, otherwise: str) -> str:
    return str(colour.rgb)[-6:] if colour is not None and colour.type == "rgb" else otherwise


def ground(fill: Any) -> str:  # noqa: ANN401 - openpyxl wraps its styles
    return hexadecimal(fill.fgColor, WHITE) if fill is not None and fill.fill_type == "solid" else WHITE


def ink(font: Any) -> str:  # noqa: ANN401
    return hexadecimal(font.color, BLACK) if font is not None else BLACK


def lines(border: Any) -> Iterator[str]:  # noqa: ANN401
    for side in SIDES:
        edge = getattr(border, side, None)
        if edge is not None and edge.style:
            yield hexadecimal(edge.color, BLACK)


@cache
def opened(language: str) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(sent(language)))


def visible(language: str) -> list[Worksheet]:
    return [sheet for sheet in opened(language).worksheets if sheet.sheet_state == "visible"]


def test_the_measure_of_contrast_is_that_of_wcag() -> None:
    assert round(contrast("FFFFFF", "000000"), 1) == 21.0
    assert round(contrast("767676", "FFFFFF"), 2) == 4.54


@each_language
def test_every_text_and_every_line_stands_out(language: str) -> None:
    weak = []
    for sheet in visible(language):
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.has_style):
            behind = ground(cell.fill)
            if contrast(ink(cell.font), behind) < TEXT:
                weak.append(f"{sheet.title}!{cell.coordinate}: text")
            answered = not cell.protection.locked  # around other cells the lines are no more than ornament
            if answered and any(contrast(line, behind) < LINE for line in lines(cell.border)):
                weak.append(f"{sheet.title}!{cell.coordinate}: line")

    assert weak == []


@each_language
def test_what_is_marked_stands_out_too(language: str) -> None:
    weak = []
    for sheet in visible(language):
        for cells in sheet.conditional_formatting:
            for look in (rule.dxf for rule in cells.rules if rule.dxf):
                behind = hexadecimal(look.fill.bgColor, WHITE) if look.fill else WHITE
                if contrast(ink(look.font), behind) < TEXT:
                    weak.append(f"{sheet.title}!{cells.sqref}: text")
                if any(contrast(line, behind) < LINE for line in lines(look.border)):
                    weak.append(f"{sheet.title}!{cells.sqref}: line")

    assert weak == []


@each_language
def test_every_answer_sheet_has_a_header_row_that_stays_and_is_printed_on_each_page(language: str) -> None:
    for place in DESK.layout.values():
        sheet = opened(language)[place.sheet.label[language]]
        header = sheet[layout.HEADER_ROW]

        assert sheet.print_title_rows, sheet.title
        assert sheet.freeze_panes, sheet.title
        assert all(cell.value for cell in header[1:]), sheet.title


@each_language
def test_every_column_of_answers_has_a_heading_of_its_own(language: str) -> None:
    for place in DESK.layout.values():
        headings = [cell.value for cell in opened(language)[place.sheet.label[language]][layout.HEADER_ROW][1:]]

        assert len(headings) == len(set(headings)), place.sheet.key


@each_language
def test_nothing_needs_a_mouse_or_a_description(language: str) -> None:
    with zipfile.ZipFile(io.BytesIO(sent(language))) as package:
        parts = package.namelist()

    assert [part for part in parts if any(word in part for word in ("drawing", "ctrlProp", "activeX", "media"))] == []


@each_language
def test_what_is_marked_is_said_in_words_on_the_same_row(language: str) -> None:
    for place in DESK.layout.values():
        sheet = opened(language)[place.sheet.label[language]]
        status = [cell.value for cell in sheet[place.status_column]]

        assert any(str(value).startswith("=") for value in status), sheet.title
