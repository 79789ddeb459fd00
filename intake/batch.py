"""Many Returns -> Submissions, in worker processes that may die without taking the batch along."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context

from intake.receive import Office, receive
from intake.submission import Refused, Return, Submission

CHUNK = 20  # files for one task: large enough to drown the cost of a task, small enough to share out
SMALL = 8  # this many files are read in our own process: starting workers would take longer

Received = Submission | Refused


def receive_all(
    sources: list[Return], office: Office, workers: int, told: Callable[[int], None] = lambda _count: None
) -> Iterator[Received]:
    """Read every file, in order; `told` is called with the number of files just read."""
    if workers <= 1 or len(sources) <= SMALL:
        for source in sources:
            yield receive(source, office)
            told(1)
        return
    for chunk, results in _in_processes(list(_chunks(sources)), office, workers):
        yield from results
        told(len(chunk))


def _chunks(sources: list[Return]) -> Iterator[list[Return]]:
    waiting = iter(sources)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def _in_processes(
    chunks: list[list[Return]], office: Office, workers: int
) -> Iterator[tuple[list[Return], list[Received]]]:
    """Run chunks in a pool; when a worker dies, build a new pool and read its chunk file by file."""
    remaining = chunks
    while remaining:
        with _pool(workers, office) as pool:
            futures = [pool.submit(_receive_chunk, chunk) for chunk in remaining]
            for chunk, future in zip(remaining, futures, strict=True):
                try:
                    yield chunk, future.result()
                except BrokenProcessPool:
                    break
                remaining = remaining[1:]
        if remaining:
            chunk, remaining = remaining[0], remaining[1:]
            yield chunk, [_alone(source, office) for source in chunk]


def _alone(source: Return, office: Office) -> Received:
    """Read one suspected file in a process of its own."""
    with _pool(1, office) as pool:
        try:
            return pool.submit(_receive_chunk, [source]).result()[0]
        except BrokenProcessPool:
            return Refused(source, "quarantined", "killed_reader")


def _pool(workers: int, office: Office) -> Executor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(office,))


_office: Office | None = None


def _start(office: Office) -> None:
    global _office  # noqa: PLW0603 - a worker keeps the form between its tasks
    _office = office


def _receive_chunk(sources: list[Return]) -> list[Received]:
    assert _office is not None
    return [receive(source, _office) for source in sources]
