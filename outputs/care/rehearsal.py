"""A command played in a copy of its round that is gone afterwards: `--dry-run` tells what would be, in the same words.

What is played is the command itself, so that it cannot say one thing and do another. The register is
copied, from a server too; what lies in folders is linked where the system lets us, since whatever
writes there puts a new file in the place of the old one.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from outputs.care.backup import copy_register, files_of, point_to_the_copy
from templates.round import Round, RoundError

NOT_NEEDED = ("logs",)
NEVER_READ = "dashboard"  # its pages are only there
LOCK = "sending.lock"  # is written in its place
FORM_LINE = re.compile(r"^form *=.*$", re.MULTILINE)


class Rehearsal:
    """The copy, and what its paths are called in what is told."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = scratch / (folder.resolve().name or "round")
        self._scratch = scratch
        self._names = {str(self.folder): str(folder)}
        self._names |= {f"{self.folder}{os.sep}": "" if folder == Path() else f"{folder}{os.sep}"}

    def instead(self, path: Path) -> Path:
        """Give a place in the copy for what would be written elsewhere."""
        stand_in = self._scratch / f"elsewhere-{len(self._names)}" / path.name
        self._names[str(stand_in)] = str(path)
        return stand_in

    def as_told(self, words: str) -> str:
        """Say it with the paths it will have."""
        for copied in sorted(self._names, key=len, reverse=True):
            for spelled, real in ((copied, self._names[copied]), (copied.replace("\\", "/"), self._names[copied])):
                words = words.replace(spelled, real)
        return words

    def document_as_told(self, document: Any) -> Any:  # noqa: ANN401 - a JSON value
        if isinstance(document, str):
            return self.as_told(document)
        if isinstance(document, dict):
            return {key: self.document_as_told(value) for key, value in document.items()}
        return [self.document_as_told(value) for value in document] if isinstance(document, list) else document


@contextmanager
def rehearsal(folder: Path) -> Iterator[Rehearsal]:
    """Copy a round, or what else a command makes its files in; the copy is removed at the end. Raises RefusalError."""
    with TemporaryDirectory(prefix="behov-", ignore_cleanup_errors=True) as scratch:
        played = Rehearsal(folder, Path(scratch).resolve())
        if (folder / "round.toml").exists():
            played.folder.mkdir()
            _copy_round(Round(folder), played.folder)
        elif folder.is_dir():
            played.folder.mkdir()
            for entry in folder.iterdir():  # so that it is seen not to be empty
                (played.folder / entry.name).touch()
        yield played


def _copy_round(round_: Round, copy: Path) -> None:
    source = round_.folder.resolve()
    for path in files_of(source, copy):
        place = path.relative_to(source)
        if place.parts[0] not in NOT_NEEDED and place.name != LOCK:
            (copy / place).parent.mkdir(parents=True, exist_ok=True)
            _put(path, copy, place)
    for path in source.iterdir():
        if path.is_dir() and path.name not in NOT_NEEDED:
            (copy / path.name).mkdir(exist_ok=True)
    _settle(round_, copy)


def _settle(round_: Round, copy: Path) -> None:
    """Let the copy have its register in a file, and its form where it is. What is wrong, the command itself tells."""
    try:
        settings = round_.settings
    except RoundError:
        return
    if settings.register_url is None:
        copy_register(round_, copy / round_.register.name)
    elif (round_.folder / "key").exists():  # without it no workbook was made, and nothing can have come in
        copy_register(round_, copy / round_.register.name)
        point_to_the_copy(copy / "round.toml")
    form = (round_.folder / settings.form).resolve()
    if (form / "form.toml").is_file() and not form.is_relative_to(round_.folder.resolve()):
        path = copy / "round.toml"
        words = FORM_LINE.sub(lambda _: f"form = '{form.as_posix()}'", path.read_text(encoding="utf-8-sig"))
        path.write_text(words, encoding="utf-8")


def _put(path: Path, copy: Path, place: Path) -> None:
    """Let a file of the round be in the copy: what stands in a folder is only linked."""
    if place.parts[0] == NEVER_READ:
        (copy / place).touch()
    elif len(place.parts) > 1:
        _link(path, copy / place)
    else:
        shutil.copy2(path, copy / place)


def _link(path: Path, place: Path) -> None:
    """Let a file be in the copy too, without copying it where the system lets us.

    Never by a hard link: that is the file itself, so whatever clears the copy away would change its rights as well.
    """
    try:
        place.symlink_to(path)
    except OSError:  # Windows wants rights for it
        shutil.copy2(path, place)
