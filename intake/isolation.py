"""Reading in worker processes that may die without taking the batch along.

A workbook can make any parser run out of memory, or run for ever. A worker that dies breaks its
whole pool; what was being read is read again file by file, and the file that kills its reader
gives nothing. Where no worker can be started at all, files are read in this process, behind the
guards alone.
"""

import logging
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from intake.limits import WAIT, limit_process, limited

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

BIRTH = 10 * WAIT  # seconds until a worker has been told its work: a busy machine is no fault of it
FAR = 2 * WAIT  # seconds for each file of a task that another machine has
CHUNK = 20  # files for one task: large enough to drown the cost of a task, small enough to share out
AHEAD = 3  # tasks begun for each worker; results wait until they are asked for, so there are no more of them than that
NO_WORKERS = (OSError, ImportError, NotImplementedError, MemoryError, BrokenProcessPool)

Item = TypeVar("Item")
Result = TypeVar("Result")
Context = TypeVar("Context")

log = logging.getLogger(__name__)


class NoWorkersError(Exception):
    """No worker process can be started here."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Item, Context, Result]):
    """What workers do with each item; `read` is a function of a module, and `context` is sent to each worker once."""

    read: Callable[[Item, Context], Result]
    context: Context

    def in_chunks(self, items: list[Item], workers: int) -> Iterator[Sequence[Result | None]]:
        """The results of all items in order, some at a time; None for an item that killed its worker."""
        chunks = list(_chunks(items))
        done, suspects = 0, set[int]()
        try:
            while done < len(chunks):
                if done in suspects:
                    yield list(self.one_by_one(chunks[done], are_suspects=True))
                    done += 1
                    continue
                with closing(_Pool(self, workers)) as pool:
                    futures: dict[int, Future[list[Result | None]]] = {}
                    while done < len(chunks) and done not in suspects:
                        for at in range(done, min(done + AHEAD * workers, len(chunks))):
                            if at not in futures and at not in suspects:
                                futures[at] = pool.begin(chunks[at])
                        if pool.has_killed(futures[done]):
                            break
                        yield futures.pop(done).result()
                        done += 1
                    unread = [at for at, future in futures.items() if pool.has_killed(future)]
                suspects |= set(unread[:workers])  # chunks are begun in order
        except NoWorkersError as error:
            tell_once(str(error))
            for at in range(done, len(chunks)):
                yield [None if at in suspects else self.read(item, self.context) for item in chunks[at]]

    def spread(
        self, items: list[Item], executor: Executor, far: Callable[[Item, Context], Result]
    ) -> Iterator[Sequence[Result | None]]:
        """The results of all items in order, some at a time, as `far` reads them in an executor on other machines.

        What fails there (a worker is gone, or has no such file or another version of the program) or takes too
        long is read here, each item alone. Reading an item twice gives the same.
        """
        tasks = [(chunk, executor.submit(_read_far, far, self.context, chunk)) for chunk in _chunks(items)]
        for chunk, task in tasks:
            try:
                yield task.result(timeout=FAR * len(chunk))
            except Exception as error:  # noqa: BLE001 - each kind of executor has its own
                log.warning("%s files are read here, since the cluster did not: %r", len(chunk), error)
                task.cancel()
                yield list(self.one_by_one(chunk, are_suspects=True))

    def one_by_one(self, items: list[Item], *, are_suspects: bool = False) -> Iterator[Result | None]:
        """The result of each item, read alone; None for an item that killed its worker.

        Suspects are never read in this process: one of them has killed a worker.
        """
        waiting = deque(items)
        try:
            while waiting:
                yield from self._until_killed(waiting)
        except NoWorkersError as error:
            tell_once(str(error))
            yield from (None if are_suspects else self.read(item, self.context) for item in waiting)

    def _until_killed(self, waiting: deque[Item]) -> Iterator[Result | None]:
        with closing(_Pool(self, 1)) as pool:
            while waiting:
                future = pool.begin([waiting[0]])
                killed = pool.has_killed(future)
                waiting.popleft()
                yield None if killed else future.result()[0]
                if killed:
                    return


class _Pool:
    """Worker processes for one kind of work, until one of them dies. Raises NoWorkersError when none can be started."""

    def __init__(self, work: Work[Any, Any, Any], workers: int) -> None:
        pickled, spawn = pickle.dumps(work), get_context("spawn")
        try:
            # Not handed over at birth: a worker that dies then would leave it in a pipe, with us waiting to fill that.
            self._work = spawn.Queue()
            self._pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=(self._work,))
            for _ in range(workers):
                self._work.put(pickled)
            self._ready = self._pool.submit(_nothing)  # begun before any file, so it fails only where no worker starts
        except NO_WORKERS as error:
            raise NoWorkersError(str(error)) from error

    def begin(self, items: list[Any]) -> "Future[list[Any]]":
        try:
            return self._pool.submit(_read_chunk, items)
        except BrokenProcessPool as error:
            broken: Future[list[Any]] = Future()
            broken.set_exception(error)
            return broken
        except NO_WORKERS as error:
            raise NoWorkersError(str(error)) from error

    def has_killed(self, future: "Future[list[Any]]") -> bool:
        """Whether what was begun, or something beside it, has killed a worker."""
        killed = isinstance(future.exception(), BrokenProcessPool)
        if killed and isinstance(self._ready.exception(), BrokenProcessPool):
            raise NoWorkersError(str(self._ready.exception()))
        return killed

    def close(self) -> None:
        """Let the workers finish what they read just now, and begin on nothing more."""
        self._pool.shutdown(cancel_futures=True)
        self._work.cancel_join_thread()  # nobody may be left to take it
        self._work.close()


@cache
def tell_once(why: str) -> None:
    log.warning("no worker process can be started, so files are read without that protection: %s", why)


def _chunks(items: list[Item]) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


# in the worker

_work: Work[Any, Any, Any] | None = None


def _start(work: "Queue[bytes]") -> None:
    global _work  # noqa: PLW0603 - a worker keeps its work between its tasks
    Thread(target=_end_with_parent, daemon=True).start()
    _work = pickle.loads(work.get(timeout=BIRTH))  # noqa: S301 - from ourselves
    limit_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; ours tells the workers to stop


def _end_with_parent() -> None:
    """End when the batch was killed: a worker would wait for its next task for ever."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _nothing() -> None:
    """Show that a worker runs."""


def _read_chunk(items: list[Any]) -> list[Any]:
    return [_read_limited(item) for item in items]


def _read_limited(item: Any) -> Any:  # noqa: ANN401 - whatever the work is
    assert _work is not None
    with limited():
        return _work.read(item, _work.context)


def _read_far(far: Callable[[Item, Context], Result], context: Context, items: list[Item]) -> list[Result]:
    """Read in a process that is not ours to limit: its cluster does that."""
    return [far(item, context) for item in items]
