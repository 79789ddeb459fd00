"""The register as plain files for other programs: CSV for spreadsheets and archives, Parquet for analysis."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from intake.notation import show_date
from outputs.exports.columns import Column, Shown
from templates.form import NO, YES

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
INTERCHANGE = "utf-8-sig"  # with the mark by which Excel knows it


def write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Shown]]) -> None:
    """Write a table as a Norwegian spreadsheet reads it: semicolons, decimal commas, no text that is a formula."""
    with _new(path) as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(column.label for column in columns)
        for row in rows:
            writer.writerow(_plain(column.shown(value)) for column, value in zip(columns, row, strict=True))


@contextmanager
def _new(path: Path) -> Iterator[TextIO]:
    """Open a file that takes the place of `path` when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"~{path.name}")
    try:
        with temporary.open("w", encoding=INTERCHANGE, newline="") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _plain(value: Shown) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, datetime):
        return f"{show_date(value)} {value:%H:%M}"
    if isinstance(value, date):
        return show_date(value)
    if isinstance(value, int | float):
        return str(value).replace(".", ",")
    return f"'{value}" if value.startswith(STARTS_A_FORMULA) else value


def write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Sequence[Shown]]) -> None:
    """Write a table with the keys of its columns, and codes rather than their labels."""
    import polars as pl  # noqa: PLC0415 - heavy, and for these files alone

    listed = list(rows)
    series = {
        column.key: _series(pl, column.key, [row[place] for row in listed]) for place, column in enumerate(columns)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"~{path.name}")
    try:
        pl.DataFrame(series).write_parquet(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _series(pl: Any, name: str, values: list[Shown]) -> Any:  # noqa: ANN401 - the library itself
    """Give a column one type: that of its values, or text where they differ."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]  # type: ignore[arg-type]
    elif len(kinds) > 1:
        values = [None if value is None else _plain(value) for value in values]
    dtype = None if kinds else pl.String
    return pl.Series(name, values, dtype=dtype)
