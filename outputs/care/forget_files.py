"""Contact persons in the files of a round, beside its register: what goes when they are forgotten.

What was made from the register goes, since it can be made again, and so does what is only a copy: workbooks that
were sent, received files that lie unchanged in archive/, earlier lists of recipients, and what runs wrote in logs/.
Letters and mails stay: they are the correspondence that the law on archives asks to be kept, as the originals in
archive/ are.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from outputs.register.archive import archived, digest
from outputs.runlog import FOLDER
from templates.round import Round
from templates.tables import HEADINGS, csv_table

EXPORTS = (".xlsx", ".csv", ".parquet")
PERSONAL = ("contact", "phone", "contact_email")  # columns of recipients; their own address stays
STAYS = (
    "archive/ (the originals), letters in outbox/, mails and zip files in inbox/, the addresses of the owners in "
    "recipients.csv, round.toml (your own office) and backups"
)


def copies(round_: Round) -> Iterator[Path]:
    """Find the files that were made from the register, and those that are copies of what is kept."""
    yield from _within(round_.exports, "*", EXPORTS)
    yield from _within(round_.dashboard, "*", (".html",))
    yield from _within(round_.outbox, "index.html", (".html",))
    yield from _within(round_.sent_folder, "*", (".xlsx",))
    yield from _within(round_.known, "recipients-*", (".csv",))
    yield from sorted(round_.folder.glob("register-before-rebuild*.db"))
    yield from _archived(round_)
    yield from _logs(round_)


def _within(folder: Path, pattern: str, endings: tuple[str, ...]) -> Iterator[Path]:
    if folder.exists():
        yield from sorted(path for path in folder.rglob(pattern) if path.suffix in endings)


def _archived(round_: Round) -> Iterator[Path]:
    """Find the received files whose originals are in archive/, byte for byte."""
    kept = dict(archived(round_))
    for path in sorted(round_.inbox.rglob("*")) if round_.inbox.exists() else ():
        if path.is_file() and (original := kept.get(digest(path))) and digest(original) == digest(path):
            yield path


def _logs(round_: Round) -> Iterator[Path]:
    """Find what other runs wrote down; who had persons forgotten stays."""
    for path in _within(round_.folder / FOLDER, "*", (".log",)):
        with path.open(encoding="utf-8") as file:
            if "forget" not in file.readline().split():
                yield path


def empty_recipients(round_: Round, *, dry: bool) -> int:
    """Take the contact persons out of the round's list of recipients; gives how many rows had one."""
    workbook, table = round_.folder / "recipients.xlsx", round_.folder / "recipients.csv"
    found = _empty_workbook(workbook, dry=dry) if workbook.exists() else 0
    return found + (_empty_csv(table, dry=dry) if table.exists() else 0)


def _empty_csv(path: Path, *, dry: bool) -> int:
    rows = csv_table(path)
    places = _places(rows[0]) if rows else []
    found = 0
    for row in rows[1:]:
        named = [place for place in places if place < len(row) and row[place].strip()]
        found += bool(named)
        for place in named:
            row[place] = ""
    if found and not dry:
        text = io.StringIO()
        csv.writer(text, delimiter=";", lineterminator="\n").writerows(rows)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(text.getvalue().encode("utf-8-sig"))
        temporary.replace(path)
    return found


def _empty_workbook(path: Path, *, dry: bool) -> int:
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy, and for such files alone

    book = load_workbook(path)
    sheet = book.worksheets[0]
    places = _places([str(cell.value or "") for cell in next(sheet.iter_rows(max_row=1), ())])
    found = 0
    for row in sheet.iter_rows(min_row=2):
        named = [row[place] for place in places if row[place].value]
        found += bool(named)
        for cell in named:
            cell.value = None
    if found and not dry:
        temporary = path.with_name(f"~{path.name}")
        book.save(temporary)
        temporary.replace(path)
    return found


def _places(headings: list[str]) -> list[int]:
    known = {spelling for column in PERSONAL for spelling in HEADINGS["recipients"][column]}
    return [place for place, heading in enumerate(headings) if heading.strip().casefold() in known]
