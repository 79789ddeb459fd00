"""The archive: every received file as it came, under its SHA-256, read-only."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from intake.submission import Return
from templates.round import Round

SUFFIX_LENGTH = 16
UNFINISHED = "~"  # begins the name of a file that is being written
STALE = 300  # seconds; writing one file takes a moment, so an older unfinished one was left by a run that was killed


class ArchiveError(Exception):
    """A received file that cannot be kept as it was read."""


def archive(round_: Round, source: Return) -> Path:
    """Keep a received file unchanged under its SHA-256, read-only.

    Raises ArchiveError when the file is no longer the one that was read.
    """
    kept = round_.archive / f"{source.sha256}{source.path.suffix.lower()[:SUFFIX_LENGTH]}"
    if kept.exists():
        return kept
    content = source.file.read_bytes()
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise ArchiveError(f"{source.path} was changed after it was read; take it in again")
    round_.archive.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=round_.archive, prefix=UNFINISHED)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)  # the log will say that we have it
        temporary.chmod(0o444)
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)
    return kept


def sweep(round_: Round) -> None:
    """Remove what a killed run left unfinished in the archive."""
    for path in round_.archive.glob(f"{UNFINISHED}*"):
        if path.stat().st_mtime < time.time() - STALE:
            path.unlink(missing_ok=True)


def archived(round_: Round) -> Iterator[tuple[str, Path]]:
    """Give every file that is kept, by the SHA-256 in its name."""
    for path in sorted(round_.archive.glob("*")):
        if not path.name.startswith(UNFINISHED):
            yield path.name.partition(".")[0], path


def digest(path: Path) -> str:
    """The SHA-256 of what a file holds now (hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
