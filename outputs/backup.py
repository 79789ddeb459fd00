"""A copy of a round that is itself a round: the register as it is at one moment, and every file that goes with it."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outputs.archive import UNFINISHED
from outputs.refusals import RefusalError
from templates.round import Round


@dataclass(frozen=True)
class Copied:
    """What one backup did: files in it, and those that were new or changed."""

    folder: Path
    files: int
    copied: int

    def json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "files": self.files, "copied": self.copied}

    def lines(self) -> Iterator[str]:
        yield f"{self.folder} holds {self.files} files; {self.copied} of them were copied now."
        yield f"It is a round of its own, with the key: keep it private. Prove it: behov --round {self.folder} verify"


def back_up(round_: Round, folder: Path) -> Copied:
    """Copy a round to a folder, also while others work in it; again into the same folder copies what is new.

    Nothing is ever removed from a backup. The register is copied first: what it speaks of is on the
    disk before it is logged, so every file it needs is in the copy. Raises RefusalError.
    """
    source, target = round_.folder.resolve(), folder.resolve()
    if source.is_relative_to(target):
        raise RefusalError(f"{folder} holds the round itself; choose another folder")
    if target.exists() and any(target.iterdir()) and not (target / "round.toml").exists():
        raise RefusalError(f"{folder} is no backup of a round; choose an empty folder")
    target.mkdir(parents=True, exist_ok=True)
    copied = 0
    if round_.register.exists():
        _copy_register(round_.register, target / round_.register.name)
        copied += 1
    files = list(_files(source, target))
    copied += sum(_copy(path, target / path.relative_to(source)) for path in files)
    return Copied(folder, len(files) + round_.register.exists(), copied)


def _copy_register(path: Path, target: Path) -> None:
    """Copy a database that may be in use, and prove the copy before it takes the place of the last one."""
    temporary = _unfinished(target)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        temporary.unlink()
        raise RefusalError(f"{path} is damaged ({found}); the last backup is left as it was")
    temporary.replace(target)


def _files(source: Path, target: Path) -> Iterator[Path]:
    """Find every file of the round but the register, what is being written, and backups."""
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not (here / name / "round.toml").exists() and here / name != target
        )
        for name in sorted(names):
            register = here == source and name.startswith("register.db")
            if not register and not name.startswith(UNFINISHED) and not name.endswith(".tmp"):
                yield here / name


def _copy(path: Path, target: Path) -> bool:
    """Copy a file unless it is there already; tells whether it was copied."""
    there, here = target.stat() if target.exists() else None, path.stat()
    if there and (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _unfinished(target)
    shutil.copy2(path, temporary)  # with its time, which says when a file was received, and who may read it
    temporary.replace(target)
    return True


def _unfinished(target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
    os.close(handle)
    return Path(name)
