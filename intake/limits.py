"""How much one file may cost the process that reads it: memory, processor time and waiting.

A file is read at most twice, so that its time is at most twice what is given here. What goes
beyond that ends the process, not the batch. Windows limits the waiting alone.
"""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SECONDS = 4  # of the processor; an ordinary workbook takes a hundredth of it
WAIT = 12  # seconds in all: a busy machine is no fault of the file
MEMORY = 1 << 30  # bytes of address space


def limit_process() -> None:
    """Let this process have so much memory and no more, and leave no file behind when it is ended."""
    if resource is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[1]  # a machine may allow less
        memory = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def limited() -> Iterator[None]:
    """End this process if what it does now takes too long, even where Python has no say."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path, a device
        faulthandler.dump_traceback_later(WAIT, exit=True, file=nowhere)
        _limit_processor_time()
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _limit_processor_time() -> None:
    """Allow so many more seconds than this process has used."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS + 1, most))
