"""What owners will see of a form: its workbook in every language, and pictures of it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from templates.form import Form
from templates.prefill import compile_base, slot_values, stamp_workbook, unit_rows
from templates.recipients import Recipient, Unit
from templates.round import Office
from templates.stamp import make_stamp, report_id
from templates.texts import workbook_texts
from templates.workbook import build_base

NOBODY, UNIT = "999999999", "999999998"  # orgnr that no one has
KEY = b"preview"  # no round's key: a preview that is filled in and returned is refused
DOTS = "110"  # per inch
SECONDS = 180  # a conversion that takes longer is given up


def preview(form: Form, folder: Path) -> Iterator[Path]:
    """Write the workbook in each language, and its pages as PDF and PNG when LibreOffice and poppler are there.

    Gives the path of each file when it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for language in form.languages:
        path = folder / f"{form.name}-{language}.xlsx"
        path.write_bytes(_workbook(form, language))
        yield path
        pages = _as_pdf(path)
        if pages is not None:
            yield pages
            yield from _as_pictures(pages)


def _workbook(form: Form, language: str) -> bytes:
    texts = workbook_texts()
    office = Office(name=texts.say("preview_office", language), email="post@kontoret.example")
    name, unit = texts.say("preview_owner", language), texts.say("preview_unit", language)
    owner = Recipient(NOBODY, name, "", "post@eier.example", language, units=(Unit(UNIT, unit),))
    base = compile_base(build_base(form, language, office))
    stamp = make_stamp(form, report_id(form, 1, 1), owner.orgnr, KEY)
    return stamp_workbook(base, slot_values(form, owner, stamp, KEY), unit_rows(form, owner))


def _as_pdf(path: Path) -> Path | None:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    made = path.with_suffix(".pdf")
    made.unlink(missing_ok=True)
    if program is not None:
        with tempfile.TemporaryDirectory() as profile:  # of its own: an open LibreOffice would not answer
            own = f"-env:UserInstallation={Path(profile).as_uri()}"
            _run(program, "--headless", own, "--convert-to", "pdf", "--outdir", str(path.parent), str(path))
    return made if made.exists() else None


def _as_pictures(pages: Path) -> list[Path]:
    program = shutil.which("pdftoppm")
    for old in pages.parent.glob(f"{pages.stem}-*.png"):
        old.unlink()
    if program is not None:
        _run(program, "-r", DOTS, "-png", str(pages), str(pages.with_suffix("")))
    return sorted(pages.parent.glob(f"{pages.stem}-*.png"))


def _run(*command: str) -> None:
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
