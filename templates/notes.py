"""Notes on cells: the parts of the package that hold them, and the old drawings that Excel needs to show them.

Public facts of the format used here: ECMA-376 part 1, 18.7 (comments), and part 4, 19 (VML).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from templates.cells import address
from templates.part import SheetPart
from templates.prefill import xml_text

NOTES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
WIDTH, LINE, LINE_LETTERS = 300, 17, 44  # of a note: pixels, pixels, letters in a line of it
MAX_LINES = 30
SHAPES = 1024  # numbers of shapes that belong to one drawing

Spot = tuple[int, int]  # row and column, counted from 1

DRAWING = """\
<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" \
xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit">\
<o:idmap v:ext="edit" data="{number}"/></o:shapelayout>\
<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">\
<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>{shapes}</xml>"""
SHAPE = """\
<v:shape id="_x0000_s{shape}" type="#_x0000_t202" style="position:absolute;visibility:hidden;z-index:{order}" \
fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>\
<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>\
</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>\
<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"""


@dataclass(frozen=True)
class Notes:
    """The notes of one sheet, by cell, and the number that its parts get."""

    number: int
    author: str
    texts: Mapping[Spot, str]
    sheet: SheetPart

    @property
    def element(self) -> bytes:
        """What stands at the end of the sheet's own part."""
        return f'<legacyDrawing xmlns:r="{OFFICE}" r:id="rId1"/>'.encode()

    def parts(self, sheet: str) -> Iterator[tuple[str, bytes]]:
        """The parts to add to the package, by name; `sheet` is the name of the sheet's part."""
        folder, _, name = sheet.rpartition("/")
        yield f"{folder}/_rels/{name}.rels", self._relations
        yield f"xl/comments{self.number}.xml", self._comments
        yield f"xl/drawings/vmlDrawing{self.number}.vml", self._drawing

    @property
    def listed(self) -> bytes:
        """How the package lists the part of the notes."""
        return f'<Override PartName="/xl/comments{self.number}.xml" ContentType="{NOTES_TYPE}"/>'.encode()

    @property
    def _relations(self) -> bytes:
        drawing = f'Id="rId1" Type="{OFFICE}/vmlDrawing" Target="../drawings/vmlDrawing{self.number}.vml"'
        notes = f'Id="rId2" Type="{OFFICE}/comments" Target="../comments{self.number}.xml"'
        both = f"<Relationship {drawing}/><Relationship {notes}/>"
        return f'<Relationships xmlns="{RELATIONS}">{both}</Relationships>'.encode()

    @property
    def _comments(self) -> bytes:
        said = b"".join(
            b'<comment ref="%s" authorId="0"><text><r><rPr><sz val="9"/><rFont val="Calibri"/></rPr>'
            b'<t xml:space="preserve">%s</t></r></text></comment>'
            % (address(spot[0] - 1, spot[1] - 1).encode(), xml_text(text))
            for spot, text in sorted(self.texts.items())
        )
        head = b'<comments xmlns="%s"><authors><author>%s</author></authors>' % (MAIN.encode(), xml_text(self.author))
        return head + b"<commentList>" + said + b"</commentList></comments>"

    @property
    def _drawing(self) -> bytes:
        shapes = "".join(
            SHAPE.format(
                shape=SHAPES * self.number + order,
                order=order,
                anchor=", ".join(map(str, self._anchor(spot, text))),
                row=spot[0] - 1,
                column=spot[1] - 1,
            )
            for order, (spot, text) in enumerate(sorted(self.texts.items()), 1)
        )
        return DRAWING.format(number=self.number, shapes=shapes).encode()

    def _anchor(self, spot: Spot, text: str) -> tuple[int, ...]:
        """Where the note stands: beside its cell, as large as its text. Columns and rows count from 0, with pixels."""
        row, column = spot
        lines = min(MAX_LINES, sum(1 + len(line) // LINE_LETTERS for line in text.split("\n")) + 1)
        right, across = _reach(map(_column_pixels, self.sheet.widths(column + 1)), WIDTH + 15)
        down, below = _reach(map(_row_pixels, self.sheet.heights(row)), LINE * lines + 4)
        return column, 15, row - 1, 4, column + right, across, row - 1 + down, below


def _reach(sizes: Iterator[int], wanted: int) -> tuple[int, int]:
    """How many columns or rows are passed before that many pixels, and how many pixels are left then."""
    passed = 0
    for size in sizes:
        if size > wanted:
            break
        wanted -= size
        passed += 1
    return passed, wanted


def _column_pixels(width: float) -> int:
    return round(width * 7) + 5 if width else 0


def _row_pixels(height: float) -> int:
    return round(height * 4 / 3)
