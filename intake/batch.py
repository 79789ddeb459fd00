"""Many Returns -> Submissions or the reasons there are none."""

from collections.abc import Callable, Generator
from concurrent.futures import Executor

from intake.isolation import Work
from intake.receive import KILLED, Office, Received, receive, receive_far, receive_here
from intake.submission import Refused, Return

__all__ = ["Received", "receive_all"]

SMALL = 8  # so few files are read one at a time, most of them in our own process: starting workers takes longer


def receive_all(
    sources: list[Return], office: Office, workers: int | Executor, told: Callable[[int], None] = lambda _count: None
) -> Generator[Received]:
    """Read every file, in order; `told` is called with the number of files just read.

    `workers` is how many processes of this machine read, or an executor, which must find the files by their paths.
    """
    if len(sources) <= SMALL:
        for source in sources:
            read = receive(source, office)
            told(1)
            yield read
        return
    waiting, work = iter(sources), Work(receive_here, office)
    done = work.in_chunks(sources, workers) if isinstance(workers, int) else work.spread(sources, workers, receive_far)
    for results in done:
        told(len(results))  # before they are given: nobody asks for more after the last one
        for result in results:
            source = next(waiting)
            yield result or Refused(source, *KILLED)
