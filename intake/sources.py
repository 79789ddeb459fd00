"""Where returns come from: files and folders, with the time each was received."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from intake.submission import Return

SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # made by programs, never by an owner


class SourceError(Exception):
    """A path that cannot be taken in: one sentence that says what to do."""


def find_returns(paths: Iterable[Path], zone: ZoneInfo) -> list[Return]:
    """Every file under these paths, in order of name; folders are searched to the bottom.

    A file counts as received when it was last changed (its modification time).
    Raises SourceError for a path that does not exist.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise SourceError(f"{path} does not exist; give a file or a folder of returned workbooks")
        found = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        files.update(dict.fromkeys(item for item in found if item.name.casefold() not in SYSTEM_FILES))
    return [_return(path, zone) for path in files]


def _return(path: Path, zone: ZoneInfo) -> Return:
    try:
        return _hashed(path, zone)
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); make it readable, or take it out") from None


def _hashed(path: Path, zone: ZoneInfo) -> Return:
    received = datetime.fromtimestamp(path.stat().st_mtime, tz=zone)
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return Return(path, digest.hexdigest(), received)
