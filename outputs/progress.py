"""What a command shows while it works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr; gives the function that says how many more are done."""
    from rich.console import Console  # noqa: PLC0415 - behov --help does without
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    time = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (TextColumn("{task.description:<10}"), BarColumn(30), MofNCompleteColumn(), time)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def silent(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show nothing."""
    del label, total
    yield lambda _count: None
