"""Pictures of every sheet of the workbook for the guides: python -m tests.pictures [FOLDER].

Both languages, as an owner gets it and half filled in. Needs LibreOffice, poppler and
Carlito (fonts-crosextra-carlito), which is as wide as Calibri.
"""

import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from openpyxl import load_workbook

from templates.fill import fill_workbook
from tests.conftest import office
from tests.desk import Desk

FORM = "behovsmelding-2024"
SAMPLE = "des_nettverk"
HALF = ("fylke", "gjelder_for", "melding_type", "tiltak_tittel", "tiltak_tema", "antall_ar", "lokalt_behov", "ordning")
TABLE_ROWS = 2
DOTS = "64"  # per inch: small files, still readable


def half(answers: dict[str, object]) -> dict[str, object]:
    """What somebody has written who was called to the phone: some answers, the first rows, and one mistake."""
    some: dict[str, object] = {}
    for sheet, content in answers.items():
        if isinstance(content, list):
            some[sheet] = content[:TABLE_ROWS]
        elif isinstance(content, dict):
            some[sheet] = {key: value for key, value in content.items() if sheet != "skjema" or key in HALF}
    return some


def workbooks(folder: Path) -> Iterator[tuple[str, Path]]:
    desk = Desk.of(FORM)
    sample = desk.samples.clean[SAMPLE]
    for language in desk.form.languages:
        owner = desk.owner_for(sample, language=language)
        other = desk.owner_for(sample, language=language)
        blank = desk.send(owner)
        answers = desk.fill_in(sample, owner, [other], None)
        for state, content in (
            ("blank", blank),
            ("half", fill_workbook(blank, desk.form, language, half(answers))),
        ):
            path = folder / f"{language}-{state}.xlsx"
            path.write_bytes(content)
            yield f"{language}-{state}", path


def page_of_each_sheet(book: Path, pages: list[str]) -> Iterator[tuple[str, int]]:
    """The first page of every sheet that is seen: the sheets are printed in order, and each begins with its title."""
    number = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl does not read a print area that is a formula
        sheets = load_workbook(book, read_only=True).worksheets
    for sheet in sheets:
        if sheet.sheet_state == "visible":
            title = str(next(sheet.iter_rows(min_row=1, max_row=1, min_col=2, max_col=2, values_only=True))[0])
            words = " ".join(title.split()[:4])
            number = next(at for at, text in enumerate(pages, 1) if at > number and words in " ".join(text.split()))
            yield sheet.title, number


def run(program: str, *arguments: str | Path) -> str:
    path = shutil.which(program)
    assert path is not None, f"{program} is not installed"
    return subprocess.run([path, *arguments], capture_output=True, text=True, encoding="utf-8", check=True).stdout


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        books = dict(workbooks(folder))
        printed = office(folder, "nb-NO").convert_all(list(books.values()), "pdf", folder)
        for (state, book), pdf in zip(books.items(), printed, strict=True):
            text = run("pdftotext", "-layout", pdf, "-")
            for sheet, page in page_of_each_sheet(book, text.split("\f")):
                picture = target / f"{state}-{sheet.lower()}"
                run("pdftoppm", "-r", DOTS, "-png", "-f", str(page), "-l", str(page), "-singlefile", pdf, picture)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
