"""Charts as inline SVG: the only file that knows altair and vl-convert, which are an extra.

Colours are those of the light page; the style sheet gives each another in the dark. What comes out of
the drawing program is read and let through element by element, so that no text of a workbook is ever
anything but text.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    import altair as alt

SVG = "http://www.w3.org/2000/svg"
FONT = "Arial"  # the widths of its letters; the page says which font is used
SIZE = 13  # pixels

INK, MUTED, LINE, PAPER = "#1b2430", "#56606d", "#dfe3e8", "#ffffff"
ON_LIGHT, ON_DARK = "#1b2431", "#ffffff"  # what stands on a bar; the first differs from INK to have a dark of its own
BLUE, PALE, AMBER, PURPLE, GREY, FAINT = "#1f6f9f", "#9cc9e0", "#e39a2d", "#7a5195", "#aab2bc", "#d3d9e0"

ELEMENTS = frozenset({"svg", "g", "path", "text", "tspan", "line", "rect"})
ATTRIBUTES = frozenset({
    "width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "fill", "fill-opacity", "stroke",
    "dy", "stroke-width", "stroke-dasharray", "stroke-opacity", "text-anchor", "font-size", "font-weight",
})  # fmt: skip
DECIMALS = re.compile(r"\d+\.\d{2,}")
SHIFT = re.compile(r"translate\(([\d.]+),")
INSTALL = ("altair", "vl_convert")


def can_draw() -> bool:
    """Whether the extra that draws is installed."""
    return all(find_spec(name) for name in INSTALL)


@contextmanager
def drawing() -> Iterator[None]:
    """Build charts without holding every part against the schema, which takes most of the time; tests do that."""
    if not can_draw():
        yield
        return
    from altair.utils.schemapi import debug_mode  # noqa: PLC0415 - an extra

    with debug_mode(arg=False):
        yield


def draw(chart: "alt.TopLevelMixin", width: int, margin: int) -> str:
    """Draw a chart as an SVG element to stand in a page: the margin left of the bars is part of the width."""
    import vl_convert  # noqa: PLC0415 - an extra

    axis = {
        "labelColor": MUTED,
        "labelFontSize": SIZE,
        "labelFontWeight": "normal",
        "gridColor": LINE,
        "domain": False,
        "ticks": False,
        "title": None,
    }
    styled = (
        chart.configure(font=FONT, background="transparent", padding=1)
        .configure_axis(**axis)
        .configure_view(strokeWidth=0)
        .configure_title(anchor="start", color=INK, fontSize=SIZE + 1, fontWeight="bold", frame="group", offset=8)
        .configure_concat(spacing=18)
    )
    made = _let_through(vl_convert.vegalite_to_svg(styled.to_dict(validate=False)))
    return etree.tostring(_framed(made, width, margin), encoding="unicode")


def data(rows: Sequence[dict[str, Any]]) -> "alt.InlineData":
    import altair as alt  # noqa: PLC0415 - an extra

    return alt.InlineData(values=list(rows))


def _framed(made: etree._Element, width: int, margin: int) -> etree._Element:
    """Cut the picture to its width, so that all begin at the same place; the program leaves room for more."""
    shifted = float(SHIFT.match(made[0].get("transform", ""))[1])  # type: ignore[index]
    made.set("viewBox", f"{shifted - margin:g} 0 {width} {made.get('height')}")
    made.set("width", str(width))
    return made


def _let_through(drawn: str) -> etree._Element:
    """Keep what a picture needs, and nothing that could do anything."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(drawn.encode(), parser)
    made = etree.Element("svg", nsmap={None: SVG})
    _copy(root, made)
    made.set("focusable", "false")
    return made


def _copy(source: etree._Element, target: etree._Element) -> None:
    for name, value in source.attrib.items():
        if name in ATTRIBUTES and (name, value) not in {("stroke-width", "1"), ("font-weight", "normal")}:
            target.set(name, DECIMALS.sub(_shorter, value))
    target.text = source.text
    for child in source:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name in ELEMENTS and _is_seen(child):
            _copy(child, etree.SubElement(target, name))


def _shorter(decimals: re.Match[str]) -> str:
    return f"{float(decimals[0]):.1f}"


def _is_seen(element: etree._Element) -> bool:
    """Whether it draws anything: groups without content and empty paths are left out."""
    if element.get("display") == "none" or element.get("opacity") == "0":
        return False
    if element.get("class") in {"background", "foreground"}:
        return element.get("stroke") not in {None, "transparent"} or element.get("fill") not in {None, "transparent"}
    return bool(len(element) or element.text or element.get("d") or etree.QName(element).localname in {"line", "rect"})
