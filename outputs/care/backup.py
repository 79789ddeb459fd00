"""A copy of a round that is itself a round: the register as it is at one moment, and every file that goes with it."""

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from outputs.care.verify_copy import lost_since
from outputs.register.archive import UNFINISHED
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from outputs.register.schema import copy_log, fits_log
from outputs.register.sqlite import SqliteFile
from outputs.register.waiting import typed
from templates.round import File, Round

REGISTER_LINE = re.compile(r"^register *=.*$", re.MULTILINE)


@dataclass(frozen=True)
class Copied:
    """What one backup did: files in it, and those that were new or changed."""

    folder: Path
    files: int
    copied: int

    def json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "files": self.files, "copied": self.copied}

    def lines(self, *, dry: bool = False) -> Iterator[str]:
        if dry:
            yield f"{self.copied} of {self.files} files would be copied to {self.folder}."
            yield "Nothing was written (--dry-run)."
            return
        yield f"{self.folder} holds {self.files} files; {self.copied} of them were copied now."
        prove = f"behov --round {typed(self.folder)} verify"
        yield f"It is a round of its own, with the key: keep it private. Prove it: {prove}"


def back_up(round_: Round, folder: Path, *, dry: bool = False) -> Copied:
    """Copy a round to a folder, also while others work in it; again into the same folder copies what is new.

    Nothing is ever removed from a backup. The register is copied first: what it speaks of is on the
    disk before it is logged, so every file it needs is in the copy. With `dry` files are only counted.
    Raises RefusalError.
    """
    source, target = round_.folder.resolve(), folder.resolve()
    if source.is_relative_to(target):
        raise RefusalError(f"{folder} holds the round itself; choose another folder")
    if target.exists() and any(target.iterdir()) and not (target / "round.toml").exists():
        raise RefusalError(f"{folder} is no backup of a round; choose an empty folder")
    if dry:
        registers = int(round_.settings.register_url is not None or round_.register.exists())
        files = list(files_of(source, target))
        copied = sum(_is_new(path, target / path.relative_to(source)) for path in files)
        return Copied(folder, len(files) + registers, copied + registers)
    target.mkdir(parents=True, exist_ok=True)
    registers = copy_register(round_, target / round_.register.name)
    files = list(files_of(source, target))
    copied = sum(_copy(path, target / path.relative_to(source)) for path in files)
    if round_.settings.register_url is not None:
        point_to_the_copy(target / "round.toml")
    return Copied(folder, len(files) + registers, copied + registers)


def copy_register(round_: Round, target: Path) -> int:
    """Copy a register that may be in use, and prove the copy before it takes the place of the last one."""
    on_server = round_.settings.register_url is not None
    if not (on_server or round_.register.exists()):
        return 0
    temporary = _unfinished(target)
    try:
        if on_server:
            _copy_from_server(round_, temporary)
        else:
            _copy_file(round_.register, temporary)
        if target.exists():
            _refuse_loss(target, temporary)
    except BaseException:
        temporary.unlink()
        raise
    temporary.replace(target)
    return 1


def _refuse_loss(last: Path, new: Path) -> None:
    """Let no copy take the place of one that holds more of the log; another program's may not be compared."""
    before, now = SqliteFile(last), SqliteFile(new)
    try:
        with before.engine.connect() as earlier, now.engine.connect() as later:
            lost = list(lost_since(earlier, later)) if fits_log(earlier, before) else []
    except DBAPIError:  # the last one cannot be read, so it is no loss
        return
    if lost:
        raise RefusalError(
            f"the last backup is left as it was, since {lost[0]} that it still holds. Find out who changed it "
            f"(behov verify --against {typed(last.parent)} tells all), or back up to another folder"
        )


def _copy_file(path: Path, temporary: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise RefusalError(f"{path} is damaged ({found}); the last backup is left as it was")


def _copy_from_server(round_: Round, temporary: Path) -> None:
    """Copy the log as it is at one moment into a file; the current state is made of it."""
    copy = Register.open(File(temporary, round_.database.round), round_.form)
    with Register.of(round_).reading() as source, copy.writing() as target:
        copy_log(source, target)
        copy.rebuild()


def point_to_the_copy(settings: Path) -> None:
    """Let the copy of a round be a round whose register is the file beside it, never the one on the server."""
    words = settings.read_text(encoding="utf-8-sig")
    settings.write_text(
        REGISTER_LINE.sub(r"# in this copy the register is in register.db: \g<0>", words), encoding="utf-8"
    )
    if Round(settings.parent).settings.register_url is not None:
        settings.unlink()
        raise RefusalError('write register = "…" in round.toml on one line, so that the copy can do without it')


def files_of(source: Path, target: Path) -> Iterator[Path]:
    """Find every file of the round but the register, what is being written, and backups."""
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not (here / name / "round.toml").exists() and here / name != target
        )
        for name in sorted(names):
            register = here == source and name.startswith("register.db")
            unfinished = name.startswith(UNFINISHED) and not Path(name).suffix  # ~$svar.xlsx is somebody's file
            if not register and not unfinished and not name.endswith(".tmp"):
                yield here / name


def _copy(path: Path, target: Path) -> bool:
    """Copy a file unless it is there already; tells whether it was copied."""
    if not _is_new(path, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _unfinished(target)
    shutil.copy2(path, temporary)  # with its time, which says when a file was received, and who may read it
    temporary.replace(target)
    return True


def _is_new(path: Path, target: Path) -> bool:
    there, here = target.stat() if target.exists() else None, path.stat()
    return not there or (there.st_size, there.st_mtime_ns) != (here.st_size, here.st_mtime_ns)


def _unfinished(target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
    os.close(handle)
    return Path(name)
