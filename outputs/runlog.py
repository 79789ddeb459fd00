"""A file for each run that does something, in the round's logs/: the command, its steps, what it told, how it ended."""

import logging
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

OURS = ("cli", "intake", "outputs", "templates", "validation")
FOLDER = "logs"
LINE = "%(asctime)s  %(message)s"
TOLD = {"told": True}  # goes with a line that is told to the user anyway

log = logging.getLogger(__name__)


class RunLog(logging.FileHandler):
    """Makes its file when there is a first thing to write, so that a command that only looks leaves none."""

    def __init__(self, folder: Path, words: Sequence[str], started: datetime) -> None:
        self.heading = f"{started:%Y-%m-%d %H:%M:%S}  behov {' '.join(words)}\n"
        super().__init__(_free(folder, f"{started:%Y-%m-%dT%H%M%S}"), encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        stream = super()._open()
        stream.write(self.heading)
        return stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; where nothing may be written, the run goes on without it."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as logging calls it
        """Go on without a line that the disk has no room for."""

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def run_log(round_folder: Path | None, words: Sequence[str], *, verbose: bool = False) -> Iterator[None]:
    """Write the steps of this run to a file of the round, if there is one, and with `verbose` to stderr as well."""
    file = RunLog(round_folder / FOLDER, words, datetime.now().astimezone()) if round_folder else None
    shown = logging.StreamHandler(sys.stderr) if verbose else None
    if shown:
        shown.addFilter(lambda record: not hasattr(record, "told"))
    nowhere = None if file or shown else logging.NullHandler()  # else logging shows errors on stderr
    handlers: list[logging.Handler] = [handler for handler in (file, shown, nowhere) if handler]
    root = logging.getLogger()
    before, code = root.level, None
    for handler in handlers:
        handler.setFormatter(logging.Formatter(LINE, "%H:%M:%S"))
        handler.addFilter(_is_worth_a_line)
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    except BaseException as end:
        code = getattr(end, "code", getattr(end, "exit_code", None))  # of SystemExit; of click's own
        raise
    finally:
        if file and file.stream:
            log.info("ended, exit code %s", code or 0, extra=TOLD)
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


@contextmanager
def unwritten() -> Iterator[None]:
    """Write no file of what is only tried; what is shown on stderr is shown all the same."""
    root = logging.getLogger()
    files = [handler for handler in root.handlers if isinstance(handler, RunLog)]
    for handler in files:
        root.removeHandler(handler)
    try:
        yield
    finally:
        for handler in files:
            root.addHandler(handler)


def keep_trace(failure: Exception) -> Path:
    """Write a failure of ours to a file, for those who mend the program."""
    handlers = logging.getLogger().handlers
    of_run = next((Path(handler.baseFilename) for handler in handlers if isinstance(handler, RunLog)), None)
    if of_run is not None:
        log.error("failed", exc_info=failure)
        return of_run
    with tempfile.NamedTemporaryFile("w", prefix="behov-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.writelines(traceback.format_exception(failure))
    return Path(file.name)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Our own steps; of the libraries only what they warn of."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


def _free(folder: Path, name: str) -> Path:
    """A file that is not there yet: two runs may begin in the same second."""
    paths = [folder / f"{name}.log", *(folder / f"{name}_{number}.log" for number in range(2, 100))]
    return next((path for path in paths if not path.exists()), paths[-1])
