"""The round in one page, with a page for each report: count, word, draw, write."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from outputs.overview.counted import count
from outputs.overview.drawing import can_draw
from outputs.overview.lists import page_of
from outputs.overview.pages import front_pages
from outputs.overview.report_page import ReportPages
from outputs.overview.words import Words
from outputs.progress import Progress
from outputs.register.register import Register
from outputs.story import stories
from templates.round import Round

CHUNK = 500  # reports at a time
REPORTS = "reports"  # the folder of the reports' own pages


@dataclass(frozen=True)
class Dashboard:
    """What was made: the front page, how many pages in all, and whether it has pictures."""

    path: Path
    pages: int
    drawn: bool

    def json(self) -> dict[str, object]:
        return {"path": str(self.path), "pages": self.pages, "pictures": self.drawn}


def make_dashboard(
    round_: Round, register: Register, now: datetime, language: str, progress: Progress, *, drawn: bool | None = None
) -> Dashboard:
    """Write `dashboard/` in the round folder; what stood there is replaced, the front page last.

    Without the extra `dashboard` the page has tables and no pictures.
    """
    drawn = can_draw() if drawn is None else drawn
    words, folder = Words(round_.form, language), round_.dashboard
    (folder / REPORTS).mkdir(parents=True, exist_ok=True)
    written = set()
    with register.reading():
        counted = count(round_, register, now)
        names = sorted([report.name for report in counted.reports] + counted.others)
        with progress("Pages", len(names)) as step:
            for name, html in _report_pages(round_, register, words, names):
                written.add(_write(folder / page_of(name), html))
                step(1)
        front = dict(front_pages(round_, counted, words, drawn=drawn))
    for name, html in front.items():
        written.add(_write(folder / name, html))
    _sweep(folder, written)
    return Dashboard(folder / "index.html", len(written), drawn)


def _report_pages(round_: Round, register: Register, words: Words, names: list[str]) -> Iterator[tuple[str, str]]:
    pages = ReportPages(round_.form, words)
    told = stories(round_, register, names)
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        answers = {sheet: register.sheet_rows(sheet, chunk) for sheet in round_.form.sheets}
        for name in chunk:
            yield name, pages.html(next(told), {sheet: rows.get(name, []) for sheet, rows in answers.items()})


def _write(path: Path, html: str) -> Path:
    """Write a page at once or not at all."""
    temporary = path.with_name(f"~{path.name}")
    temporary.write_text(html, encoding="utf-8", newline="\n")
    return temporary.replace(path)


def _sweep(folder: Path, written: set[Path]) -> None:
    """Remove pages of an earlier dashboard that are no longer true."""
    for path in (*folder.glob("*.html"), *(folder / REPORTS).glob("*.html")):
        if path not in written:
            path.unlink()
