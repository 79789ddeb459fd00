"""Reading in worker processes that may die without taking the batch along.

A workbook can make any parser run out of memory, or run for ever. A worker that dies breaks its
whole pool; what was being read is read again file by file, and the file that kills its reader
gives nothing.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

from intake.limits import limit_process, limited

CHUNK = 20  # files for one task: large enough to drown the cost of a task, small enough to share out

Item = TypeVar("Item")
Result = TypeVar("Result")
Context = TypeVar("Context")


@dataclass(frozen=True, slots=True)
class Work(Generic[Item, Context, Result]):
    """What workers do with each item; `read` is a function of a module, and `context` is sent to each worker once."""

    read: Callable[[Item, Context], Result]
    context: Context

    def in_chunks(self, items: list[Item], workers: int) -> Iterator[Sequence[Result | None]]:
        """The results of all items in order, some at a time; None for an item that killed its worker."""
        chunks = list(_chunks(items))
        done, suspects = 0, set[int]()
        while done < len(chunks):
            if done in suspects:
                yield list(self.one_by_one(chunks[done]))
                done += 1
                continue
            with self._pool(workers) as pool:
                wanted = [number for number in range(done, len(chunks)) if number not in suspects]
                futures: dict[int, Future[list[Result]]] = {
                    number: pool.submit(_read_chunk, chunks[number]) for number in wanted
                }
                while done in futures and not isinstance(futures[done].exception(), BrokenProcessPool):
                    yield futures[done].result()
                    done += 1
            unread = [number for number in futures if isinstance(futures[number].exception(), BrokenProcessPool)]
            suspects |= set(unread[:workers])  # chunks are begun in order

    def one_by_one(self, items: list[Item]) -> Iterator[Result | None]:
        """The result of each item, read alone; None for an item that killed its worker."""
        waiting = iter(items)
        while True:
            with self._pool(1) as pool:
                for item in waiting:
                    try:
                        result: Result | None = pool.submit(_read_chunk, [item]).result()[0]
                    except BrokenProcessPool:
                        break
                    yield result
                else:
                    return
            yield None

    @contextmanager
    def _pool(self, workers: int) -> Iterator[Executor]:
        """Workers; when we are stopped they finish what they read just now, and begin on nothing more."""
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(self,))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _chunks(items: list[Item]) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


# in the worker

_work: Work[Any, Any, Any] | None = None


def _start(work: Work[Item, Context, Result]) -> None:
    global _work  # noqa: PLW0603 - a worker keeps its work between its tasks
    _work = work
    limit_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; ours tells the workers to stop


def _read_chunk(items: list[Any]) -> list[Any]:
    return [_read_limited(item) for item in items]


def _read_limited(item: Any) -> Any:  # noqa: ANN401 - whatever the work is
    assert _work is not None
    with limited():
        return _work.read(item, _work.context)
