"""What a command shows in its window: how far long work has come, and lines that fit."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

HANGING = 2  # spaces before what continues a line, beyond its own
NARROWEST = 40  # columns; a line is not cut shorter than this

Step = Callable[[int], None]  # told how many more are done


class Progress(Protocol):
    """Shows how far long work has come."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Step]: ...


@contextmanager
def progress(label: str, total: int) -> Iterator[Step]:
    """Show a progress bar on stderr, if that is a terminal; gives the function that says how many more are done."""
    from rich.console import Console  # noqa: PLC0415 - behov --help does without
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    console = Console(stderr=True)
    time = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (TextColumn("{task.description:<10}"), BarColumn(30), MofNCompleteColumn(), time)
    with Bars(*columns, console=console, disable=not (total and console.is_terminal)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def silent(label: str, total: int) -> Iterator[Step]:
    """Show nothing."""
    del label, total
    yield lambda _count: None


def fitted(words: str, width: int) -> str:
    """Break lines between words, so that none is longer than the window; what continues a line stands further in."""
    return "\n".join(part for line in words.split("\n") for part in _broken(line, width))


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    margin = " " * (len(line) - len(line.lstrip()) + HANGING)
    return textwrap.wrap(
        line, max(width, NARROWEST), subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )
