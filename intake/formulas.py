"""Formulas that have no result yet: the reader gives their cells as empty."""

import io
import re
import zipfile
from collections.abc import Iterator

from intake.package import Package
from intake.reader import UNREAD

CELL = re.compile(
    rb"""<(?P<prefix>(?:\w+:)?)c\b(?P<attributes>[^>]*)>\s*
    <(?P=prefix)f\b(?:[^>]*/>|[^>]*>[^<]*</(?P=prefix)f>)\s*
    (?:<(?P=prefix)v\s*/>|<(?P=prefix)v>\s*</(?P=prefix)v>)?\s*
    </(?P=prefix)c>""",
    re.VERBOSE,
)
REFERENCE = re.compile(rb"""\sr=["']([A-Z]+\d+)["']""")
EMPTY_TEXT = re.compile(rb"""\st=["']str["']""")  # the result is a text of no characters


def formulas_without_result(data: bytes) -> dict[str, set[str]]:
    """List the cells whose formula has not been calculated, by the name of their sheet.

    A program that writes formulas and does not calculate leaves such cells. For files that
    `inspect` has let through.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive)
        return {
            sheet.name: set(_cells(package.read(sheet.part))) for sheet in package.sheets() if sheet.name not in UNREAD
        }


def _cells(xml: bytes) -> Iterator[str]:
    for cell in CELL.finditer(xml):
        reference = REFERENCE.search(cell["attributes"])
        if reference and not EMPTY_TEXT.search(cell["attributes"]):
            yield reference[1].decode()
