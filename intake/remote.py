"""Files on a server or in a cloud, by URL: the only file that knows fsspec, which is an extra."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.]+):[/\\]+(?=[^/\\])")  # s3:/bucket is what a path makes of s3://bucket
NOT_A_WORD = re.compile(r"[^\w.]")


class RemoteError(Exception):
    """Why nothing can be fetched: the end of a sentence."""


def is_remote(path: Path) -> bool:
    """Whether a path is a URL; a drive of Windows has one letter."""
    return URL.match(str(path)) is not None


def fetched(path: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Every file under a URL, in order of name, and its copy in the folder, last changed when the server says.

    What lies there stays as it is. Raises RemoteError.
    """
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra
    except ImportError:
        raise RemoteError("that needs one more package: pip install fsspec") from None
    url = URL.sub(r"\1://", str(path), count=1).replace("\\", "/")
    try:
        system, root = url_to_fs(url)
        kept = Path(mkdtemp(dir=folder))
        for number, name in enumerate(sorted(system.find(root))):
            copy = kept / f"{number}{NOT_A_WORD.sub('', Path(name).suffix)}"  # mails are known by how their names end
            system.get_file(name, str(copy))
            changed = system.modified(name).timestamp()
            os.utime(copy, (changed, changed))
            yield Path(f"{path}{name.removeprefix(root)}"), copy
    except Exception as error:  # noqa: BLE001 - each kind of server has its own
        raise RemoteError(str(error) or type(error).__name__) from None
