"""Many Returns -> Submissions or the reasons there are none."""

from collections.abc import Callable, Generator

from intake.isolation import Work
from intake.receive import KILLED, Office, Received, receive, receive_here
from intake.submission import Refused, Return

__all__ = ["Received", "receive_all"]

SMALL = 8  # so few files are read one at a time, most of them in our own process: starting workers takes longer


def receive_all(
    sources: list[Return], office: Office, workers: int, told: Callable[[int], None] = lambda _count: None
) -> Generator[Received]:
    """Read every file, in order; `told` is called with the number of files just read."""
    if len(sources) <= SMALL:
        for source in sources:
            yield receive(source, office)
            told(1)
        return
    waiting = iter(sources)
    for results in Work(receive_here, office).in_chunks(sources, workers):
        for result in results:
            source = next(waiting)
            yield result or Refused(source, *KILLED)
        told(len(results))
