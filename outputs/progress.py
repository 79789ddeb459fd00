"""What a command shows while it works."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Step = Callable[[int], None]  # told how many more are done


class Progress(Protocol):
    """Shows how far long work has come."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Step]: ...


@contextmanager
def progress(label: str, total: int) -> Iterator[Step]:
    """Show a progress bar on stderr; gives the function that says how many more are done."""
    from rich.console import Console  # noqa: PLC0415 - behov --help does without
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    time = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (TextColumn("{task.description:<10}"), BarColumn(30), MofNCompleteColumn(), time)
    with Bars(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def silent(label: str, total: int) -> Iterator[Step]:
    """Show nothing."""
    del label, total
    yield lambda _count: None
