"""Workers on other machines: the only file that knows distributed, which is an extra."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from intake.sources import SourceError

SECONDS = 20  # to be answered by the scheduler


@contextmanager
def cluster(address: str | None) -> Iterator[Executor | None]:
    """Connect to a cluster of dask.distributed by the address of its scheduler. Raises SourceError.

    Its workers need the same version of the program, and the round's folder at the same path.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise SourceError("--cluster needs one more package: pip install distributed") from None
    try:
        client = Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceError(f"no scheduler answers at {address} ({error}); write it as tcp://HOST:8786") from None
    with client:
        yield client.get_executor(pure=False)  # else a task that was begun twice would be run once
