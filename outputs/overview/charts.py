"""How each picture is drawn: calm, labelled where the eye is, the same in colour and without."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outputs.overview.drawing import (
    AMBER,
    BLUE,
    FAINT,
    GREY,
    INK,
    MUTED,
    ON_DARK,
    ON_LIGHT,
    PALE,
    PAPER,
    PURPLE,
    SIZE,
    data,
    draw,
)
from outputs.overview.words import number

DASHES = [3, 3]
SPACED = "replace(format(datum.value, ',~f'), /,/g, ' ')"  # «10 000»
BAND = 26  # pixels of a row
THICK = 18  # pixels of a bar
LEADING = 15  # pixels from line to line
GUTTER = 52  # pixels for the numbers of an axis
PER_LETTER = 7.0  # pixels, about
PER_BOLD_LETTER = 8.3  # pixels, about, of a heading
MOST_LINES = 2  # of a label; the table behind the picture has all of it
COLOURS = {
    "accepted": BLUE,
    "remarks": PALE,
    "needs_correction": AMBER,
    "late": PURPLE,
    "withdrawn": GREY,
    "rejected": FAINT,
    "corrected": BLUE,
    "settled": PALE,
    "again": PURPLE,
    "left": AMBER,
    "error": AMBER,
    "warning": PALE,
}
DARK = frozenset({BLUE, PURPLE})  # what stands on these is written in white


@dataclass(frozen=True)
class Day:
    """One day: files that came, reports in all, and whether the deadline had passed."""

    files: int
    in_all: int
    after: bool


@dataclass(frozen=True)
class Returns:
    """All days, how many were sent, the place of the deadline, what stands under the axis, and the words."""

    days: Sequence[Day]
    sent: int
    deadline: int
    ticks: Mapping[int, str]
    words: Mapping[str, str]


@dataclass(frozen=True)
class Bar:
    """One amount, in kroner, and in words."""

    label: str
    amount: int
    told: str
    past: bool = False


@dataclass(frozen=True)
class Amounts:
    """The bars of one scheme."""

    label: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Rule:
    """How many reports break one rule."""

    label: str
    reports: int
    severity: str


@dataclass(frozen=True)
class Labels:
    """What stands left of the bars, in lines that fit, and how high a row has to be for it."""

    lines: Mapping[str, Sequence[str]]
    margin: int

    @classmethod
    def of(cls, labels: Sequence[str], width: int) -> "Labels":
        """Give labels the room they need, and no more than two fifths of the width."""
        letters = max(min(max(map(len, labels), default=0), int(width * 0.4 / PER_LETTER)), 1)
        lines = {
            label: textwrap.wrap(label, letters, max_lines=MOST_LINES, placeholder=" …") or [""] for label in labels
        }
        longest = max((len(line) for label in lines.values() for line in label), default=0)
        return cls(lines, int(longest * PER_LETTER) + 10 if longest else 0)

    def step(self, labels: Sequence[str]) -> Any:  # noqa: ANN401 - an altair step
        """Give the height of a row, for the label of these that has most lines."""
        import altair as alt  # noqa: PLC0415 - an extra

        return alt.Step(max(BAND, LEADING * max((len(self.lines[label]) for label in labels), default=1) + 6))

    def rows(self, labels: Sequence[str]) -> Any:  # noqa: ANN401 - an altair channel
        import altair as alt  # noqa: PLC0415 - an extra

        return alt.Y("l:N", sort=list(labels), axis=None)

    def written(self, labels: Sequence[str]) -> list[Any]:
        """Write the labels left of their rows, each line at its own height."""
        import altair as alt  # noqa: PLC0415 - an extra

        heights: dict[float, list[dict[str, Any]]] = {}
        for label in labels:
            for at, line in enumerate(self.lines[label]):
                height = LEADING * (at - (len(self.lines[label]) - 1) / 2)
                heights.setdefault(height, []).append({"l": label, "t": line})
        return [
            alt.Chart(data(rows))
            .mark_text(align="right", dx=-8, dy=height, color=MUTED, fontSize=SIZE)
            .encode(x=alt.value(0), y=self.rows(labels), text="t:N")
            for height, rows in heights.items()
        ]


Rows = Sequence[tuple[str, Mapping[str, int]]]


def returns(chart: Returns, width: int) -> str:
    """Draw how reports came in: all in all above, files day by day below, and the deadline through both."""
    import altair as alt  # noqa: PLC0415 - an extra

    words, days = chart.words, chart.days
    room = width - GUTTER - 26  # the last date may stand out to the right
    last = len(days) - 1
    most = max(chart.sent, days[-1].in_all, 1)
    rows = [{"at": at, "files": day.files, "all": day.in_all, "after": day.after} for at, day in enumerate(days)]
    shown = dict(list(chart.ticks.items())[:: 1 + (len(chart.ticks) * 80 > room)])
    names = ", ".join(f'"{at}": "{name}"' for at, name in shown.items())
    bare = alt.X("at:Q", axis=None, scale=alt.Scale(domain=[-1, last + 1], nice=False))
    dated = alt.X(
        "at:Q",
        axis=alt.Axis(values=list(shown), labelExpr=f"({{{names}}})[datum.value]", grid=False, labelPadding=6),
        scale=alt.Scale(domain=[-1, last + 1], nice=False),
    )
    tall = alt.Y(
        "all:Q",
        scale=alt.Scale(domain=[0, most * 1.16], nice=False),
        axis=alt.Axis(tickCount=3, labelExpr=SPACED, minExtent=GUTTER - 2, maxExtent=GUTTER - 2),
    )
    step = alt.MarkDef(type="area", interpolate="step-after", color=BLUE, fillOpacity=0.14, line={"color": BLUE})
    area = alt.Chart(data(rows), mark=step).encode(x=bare, y=tall)
    top = [
        area,
        _dashes(chart.sent, tall),
        _text([{"at": -1, "all": chart.sent, "t": words["sent"]}], bare, tall, dx=6, dy=-8),
        _deadline(chart.deadline, bare),
    ]
    thick = max(1.5, min(14, room / len(days) * 0.7))
    colour = alt.condition("datum.after", alt.value(PURPLE), alt.value(BLUE))
    highest = max(day.files for day in days)
    low = alt.Y(
        "files:Q",
        scale=alt.Scale(domain=[0, highest * 1.35], nice=False),
        axis=alt.Axis(tickCount=2, labelExpr=SPACED, minExtent=GUTTER - 2, maxExtent=GUTTER - 2),
    )
    bars = alt.Chart(data(rows)).mark_bar(width=thick).encode(x=dated, y=low, color=colour)
    right = chart.deadline > last / 2
    said = _text(
        [{"at": chart.deadline + 0.5, "files": highest * 1.35, "t": words["deadline"]}],
        dated,
        low,
        dx=-6 if right else 6,
        dy=8,
        align="right" if right else "left",
        bold=True,
    )
    bottom = [bars, _deadline(chart.deadline, dated), said]
    upper = alt.layer(*top).properties(width=room, height=150, title=_title(words["in_all"], width, GUTTER - 2))
    lower = alt.layer(*bottom).properties(width=room, height=90, title=_title(words["per_day"], width, GUTTER - 2))
    return draw(alt.vconcat(upper, lower), width, GUTTER - 2)


def places(blocks: Sequence[tuple[str, Rows]], width: int) -> str:
    """Draw stacked bars: a block for each scheme, a row for each region."""
    import altair as alt  # noqa: PLC0415 - an extra

    most = max((sum(counts.values()) for _, rows in blocks for _, counts in rows), default=1) or 1
    labels = Labels.of([label for _, rows in blocks for label, _ in rows], width)
    made = [
        _stack(rows, most, labels, width).properties(title=_title(label, width, labels.margin))
        for label, rows in blocks
        if rows
    ]
    return draw(alt.vconcat(*made), width, labels.margin)


def progress(rows: Rows, width: int) -> str:
    """Draw what became of the reports that had errors, a bar for each time."""
    import altair as alt  # noqa: PLC0415 - an extra

    most = max(sum(counts.values()) for _, counts in rows) or 1
    labels = Labels.of([label for label, _ in rows], width)
    return draw(alt.vconcat(_stack(rows, most, labels, width)), width, labels.margin)


def amounts(blocks: Sequence[Amounts], width: int) -> str:
    """Draw amounts, a block for each scheme and a bar for each year; earlier years are grey."""
    import altair as alt  # noqa: PLC0415 - an extra

    most = max((bar.amount for one in blocks for bar in one.bars), default=1) or 1
    labels = Labels.of([bar.label for one in blocks for bar in one.bars], width)
    room = width - labels.margin
    space = _space(bar.told for one in blocks for bar in one.bars)
    scale = alt.Scale(domain=[0, most * room / max(room - space, 1)], nice=False)
    made = []
    for one in blocks:
        rows = [{"l": bar.label, "n": bar.amount, "t": bar.told, "past": bar.past} for bar in one.bars]
        names = [bar.label for bar in one.bars]
        colour = alt.condition("datum.past", alt.value(GREY), alt.value(BLUE))
        base = alt.Chart(data(rows)).encode(x=alt.X("n:Q", axis=None, scale=scale), y=labels.rows(names))
        bars = base.mark_bar(height=THICK, cornerRadiusEnd=2).encode(color=colour)
        told = base.mark_text(align="left", dx=6, color=INK, fontSize=SIZE).encode(text="t:N")
        chart = alt.layer(bars, told, *labels.written(names))
        chart = chart.properties(width=room, height=labels.step(names), title=_title(one.label, width, labels.margin))
        made.append(chart)
    return draw(alt.vconcat(*made), width, labels.margin)


def findings(rules: Sequence[Rule], width: int) -> str:
    """Draw the most common findings, each named on the line above its bar."""
    import altair as alt  # noqa: PLC0415 - an extra

    most = max(rule.reports for rule in rules)
    letters = int((width - 8) / PER_LETTER)
    rows = [
        {
            "at": at,
            "l": textwrap.shorten(rule.label, letters, placeholder=" …"),
            "n": rule.reports,
            "t": number(rule.reports),
            "c": COLOURS[rule.severity],
        }
        for at, rule in enumerate(rules)
    ]
    space = _space([number(most)])
    scale = alt.Scale(domain=[0, most * width / (width - space)], nice=False)
    x, y = alt.X("n:Q", axis=None, scale=scale), alt.Y("at:O", axis=None, scale=alt.Scale(padding=0))
    base = alt.Chart(data(rows)).encode(y=y)
    bars = base.mark_bar(height=12, cornerRadiusEnd=2, yOffset=9).encode(x=x, color=alt.Color("c:N", scale=None))
    names = base.mark_text(align="left", dy=-8, color=INK, fontSize=SIZE, limit=width).encode(
        x=alt.value(0), text="l:N"
    )
    counts = base.mark_text(align="left", dx=6, dy=9, color=INK, fontSize=SIZE).encode(x=x, text="t:N")
    return draw(alt.layer(bars, names, counts).properties(width=width - 2, height=alt.Step(40)), width, 0)


def _stack(rows: Rows, most: int, labels: Labels, width: int) -> Any:  # noqa: ANN401 - an altair chart
    """Draw bars of several parts, the number in each part that has room for it, and the sum at its end."""
    import altair as alt  # noqa: PLC0415 - an extra

    room = width - labels.margin
    per_one = (room - _space([number(most)])) / most
    parts = []
    for label, counts in rows:
        start = 0
        for state, n in counts.items():
            if n:
                told = number(n)
                fits = n * per_one >= 9 * len(told) + 4
                colour = COLOURS[state]
                ink = ON_DARK if colour in DARK else ON_LIGHT
                parts.append({"l": label, "a": start, "b": start + n, "c": colour, "t": told if fits else "", "i": ink})
            start += n
    sums = [{"l": label, "b": sum(counts.values()), "t": number(sum(counts.values()))} for label, counts in rows]
    names = [label for label, _ in rows]
    scale, y = alt.Scale(domain=[0, room / per_one], nice=False), labels.rows(names)
    bars = alt.Chart(data(parts)).mark_bar(height=THICK, stroke=PAPER, strokeWidth=1.5)
    bars = bars.encode(y=y, x=alt.X("a:Q", axis=None, scale=scale), x2="b:Q", color=alt.Color("c:N", scale=None))
    inside = alt.Chart(data(parts)).mark_text(fontSize=SIZE - 1).transform_calculate(m="(datum.a + datum.b) / 2")
    inside = inside.encode(y=y, x=alt.X("m:Q", axis=None, scale=scale), text="t:N", color=alt.Color("i:N", scale=None))
    ends = alt.Chart(data(sums)).mark_text(align="left", dx=7, color=INK, fontSize=SIZE, fontWeight="bold")
    ends = ends.encode(y=y, x=alt.X("b:Q", axis=None, scale=scale), text="t:N")
    return alt.layer(bars, inside, ends, *labels.written(names)).properties(width=room, height=labels.step(names))


# what they share


def _title(label: str, width: int, margin: int) -> Any:  # noqa: ANN401 - an altair title
    import altair as alt  # noqa: PLC0415 - an extra

    return alt.TitleParams(textwrap.wrap(label, int(width / PER_BOLD_LETTER)) or "", dx=-margin)


def _space(ends: Iterable[str]) -> float:
    """Give the pixels that what stands at the end of a bar needs."""
    return 10 + PER_BOLD_LETTER * max(map(len, ends), default=0)


def _dashes(at: int, y: Any) -> Any:  # noqa: ANN401 - altair's own
    import altair as alt  # noqa: PLC0415 - an extra

    return alt.Chart(data([{"all": at}])).mark_rule(color=GREY, strokeDash=DASHES).encode(y=y)


def _deadline(at: int, x: Any) -> Any:  # noqa: ANN401 - altair's own
    import altair as alt  # noqa: PLC0415 - an extra

    return alt.Chart(data([{"at": at + 0.5}])).mark_rule(color=INK, strokeWidth=1.5).encode(x=x)


def _text(rows: Sequence[dict[str, Any]], x: Any, y: Any, *, bold: bool = False, **where: Any) -> Any:  # noqa: ANN401
    import altair as alt  # noqa: PLC0415 - an extra

    weight = "bold" if bold else "normal"
    mark: dict[str, Any] = {
        "align": "left",
        "color": INK if bold else MUTED,
        "fontSize": SIZE,
        "fontWeight": weight,
    } | where
    return alt.Chart(data(rows)).mark_text(**mark).encode(x=x, y=y, text="t:N")
