"""Files of public registers that staff bring: JSON or CSV, in any spelling of their columns, as rows of one kind."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from templates.form import Form
from templates.orgnr import is_orgnr
from templates.problems import one_of
from templates.registers import FAMILIES, SOURCES
from templates.tables import TableError, xlsx_table

COLUMNS = ("name", "active", "owner", "owner_name", "kommunenr", "kommune", "county", "county_name", "employees")
MAX_BYTES = 200_000_000
MAX_ROWS = 200_000
SHOWN = 5  # rows named in one message
NO = frozenset({"", "false", "0", "nei", "usann", "n", "none", "null"})
GARBLED = re.compile("\u00c3[\u0080-\u00bf\u02dc\u2020\u2026]|\ufffd")  # æ, ø and å read in another way than saved
KOMMUNENR = 4  # digits

Record = tuple[int, dict[str, str]]
"""The number of a row in its file, and what it says by the names of its columns."""


@dataclass(frozen=True)
class RegisterFile:
    """What a file of a register says: a row for each unit that can be used, and what was left out."""

    source: str
    rows: dict[str, dict[str, str]]
    without_number: int  # rows without an organisation number, as schools abroad
    bad_numbers: tuple[str, ...]
    repeated: int  # rows that say the same once more


# the rows of a file


def read_records(path: Path) -> list[Record]:
    """Read a JSON, CSV or Excel file. Raises TableError, with what is wrong and what to do."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise TableError(f"{path.name} cannot be read ({error.strerror})") from error
    if size > MAX_BYTES:
        raise TableError(f"{path.name} is larger than {MAX_BYTES // 10**6} MB; take out the rows you need first")
    if not data.strip():
        raise TableError(f"{path.name} is empty; fetch it again")
    if path.suffix.lower() == ".xlsx":
        return _table(path.name, xlsx_table(path))
    text = _decoded(path.name, data)
    if text.lstrip()[:1] in {"{", "["}:
        return list(_json_records(path.name, text))
    return _table(path.name, _csv_rows(path.name, text))


def _decoded(name: str, data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        garbled = GARBLED.search(text)
        if garbled:
            line = text.count("\n", 0, garbled.start()) + 1
            raise TableError(
                f"{name} row {line} has letters that were spoilt when it was saved (æ, ø or å); "
                "fetch it again, or save it as «CSV UTF-8»"
            )
        return text
    raise TableError(f"{name} is no text that can be read; save it as «CSV UTF-8», or fetch the JSON again")


def _csv_rows(name: str, text: str) -> list[list[str]]:
    delimiter = max(";,\t", key=text.partition("\n")[0].count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise TableError(
            f"{name} ends within a cell, or has a stray quotation mark ({error}); fetch it again"
        ) from None


def _table(name: str, rows: list[list[str]]) -> list[Record]:
    if not rows:
        raise TableError(f"{name} is empty; fetch it again")
    heads = [head.strip() for head in rows[0]]
    records = []
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(heads):
            end = "the file seems to be cut off" if number == len(rows) else "a line is broken in two"
            raise TableError(f"{name} row {number} has {len(cells)} of {len(heads)} columns: {end}; fetch it again")
        records.append((number, {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}))
    return records


def _json_records(name: str, text: str) -> Iterator[Record]:
    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        what = "ends in the middle" if error.pos >= len(text.rstrip()) - 1 else f"is no JSON at line {error.lineno}"
        raise TableError(f"{name} {what}; fetch it again") from None
    pages = read if isinstance(read, list) and all(_items(page) is not None for page in read) and read else [read]
    found = [item for page in pages for item in _of_page(name, page)]
    _check_whole(name, pages, len(found))
    for number, item in enumerate(found, 1):
        if not isinstance(item, dict):
            raise TableError(f"{name} item {number} is no object; fetch the list of units again")
        yield number, _flat(item)


def _items(page: Any) -> list[Any] | None:  # noqa: ANN401 - JSON
    """Give the list that a page of an answer holds."""
    if not isinstance(page, dict):
        return None
    lists = [value for value in page.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return lists[0] if len(lists) == 1 and "AntallSider" in page else None


def _of_page(name: str, page: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if isinstance(page, list):
        return page
    items = _items(page)
    if items is not None:
        return items
    if isinstance(page, dict) and any(isinstance(value, str | int) for value in page.values()):
        return [page]  # one unit in detail
    raise TableError(f"{name} holds no list of units; fetch it again")


def _check_whole(name: str, pages: list[Any], found: int) -> None:
    """Refuse some pages of many."""
    first = pages[0] if isinstance(pages[0], dict) else {}
    total = next((value for key, value in first.items() if key.casefold().startswith("tota")), None)
    if isinstance(total, int) and found < total:
        raise TableError(
            f"{name} has {found} of {total} units ({len(pages)} of {first.get('AntallSider')} pages); "
            "fetch all pages, or more units on each, and put the pages in one JSON list"
        )


def _flat(item: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in item.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            flat |= _owner(key, value)
        elif value is not None:
            flat[prefix + key] = str(value).strip()
    return flat


def _owner(key: str, relations: list[Any]) -> dict[str, str]:
    """Find the owner among the relations of a unit."""
    for family in FAMILIES.values():
        how = family.get("relations")
        if how and key in how["list"]:
            for relation in relations:
                flat = _flat(relation) if isinstance(relation, dict) else {}
                if any(flat.get(name) == how["owner"] for name in how["type"]):
                    start = f"{how['unit']}."
                    return {
                        f"{how['becomes']}.{name.removeprefix(start)}": value
                        for name, value in flat.items()
                        if name.startswith(start)
                    }
    return {}


# what a file is


def source_of(path: Path, records: list[Record], stated: str = "") -> str | None:
    """Tell which register the rows are from; None for a file of something else. Raises TableError when in doubt."""
    heads = {head.casefold() for _, record in records[:1000] for head in record}
    families = [
        name for name, family in FAMILIES.items() if any(column.casefold() in heads for column in family["told_by"])
    ]
    if stated:
        known = {source.casefold(): source for source in SOURCES}
        if stated.casefold() not in known:
            raise TableError(f"there is no register «{stated}»; use {one_of(list(SOURCES))}")
        return known[stated.casefold()]
    of_family = [name for name, source in SOURCES.items() if source["family"] in families]
    if len(of_family) < 2:  # noqa: PLR2004 - one, or none
        return of_family[0] if of_family else None
    in_name = [name for name in of_family if name.casefold() in path.stem.casefold()]
    rows = {name: sum(_is_yes(r, SOURCES[name]["rows_are"]) for _, r in records) for name in of_family}
    best = max(rows, key=lambda name: rows[name])
    if rows[best] and rows[best] > sum(rows.values()) - rows[best]:
        return best
    if len(in_name) == 1:
        return in_name[0]
    raise TableError(f"{path.name} may be from {one_of(of_family)}; say which with --source")


def _is_yes(record: Mapping[str, str], columns: Iterable[str]) -> bool:
    return _value(record, columns).casefold() not in NO


def _value(record: Mapping[str, str], columns: Iterable[str]) -> str:
    return next((record[column] for column in columns if record.get(column)), "")


# the rows as the rules want them


def read_register(path: Path, records: list[Record], source: str, form: Form) -> RegisterFile:
    """Give the units of a register's file. Raises TableError, naming the rows that say different things of one unit."""
    family = FAMILIES[SOURCES[source]["family"]]
    names = _spelt(family, {head for _, record in records for head in record})
    missing = [name for name in ("orgnr", "name") if not names[name]]
    if missing:
        raise TableError(f"{path.name} has no column «{family[missing[0]][0]}» (or {one_of(family[missing[0]])})")
    if len(records) > MAX_ROWS:
        raise TableError(f"{path.name} has {len(records)} rows; take out those you need first ({MAX_ROWS} at most)")
    as_unit = _Units(names, form)
    rows: dict[str, dict[str, str]] = {}
    seen: dict[str, int] = {}
    bad: list[str] = []
    clash: list[str] = []
    counts: Counter[str] = Counter()
    for number, record in records:
        orgnr = "".join(_value(record, names["orgnr"]).split()).removesuffix(".0")
        unit = as_unit.row(record)
        if not orgnr:
            counts["without"] += 1
        elif not is_orgnr(orgnr):
            bad.append(f"row {number} «{orgnr}»")
        elif orgnr in rows and rows[orgnr] != unit:
            clash.append(f"{orgnr} in rows {seen[orgnr]} and {number}")
        elif orgnr in rows:
            counts["repeated"] += 1
        else:
            rows[orgnr], seen[orgnr] = unit, number
    if clash:
        raise TableError(
            f"{path.name} says different things of the same number: {_some(clash)}; take out those that are wrong"
        )
    if not rows or len(bad) > len(rows):
        raise TableError(f"{path.name} has no organisation numbers where they should be ({_some(bad)}); fetch it again")
    return RegisterFile(source, rows, counts["without"], tuple(bad), counts["repeated"])


def _some(items: list[str]) -> str:
    return ", ".join(items[:SHOWN]) + (" and more" if len(items) > SHOWN else "") or "none"


def _spelt(family: Mapping[str, Any], heads: Iterable[str]) -> dict[str, list[str]]:
    """Find each column as the file spells it, whatever its capital letters."""
    there = {head.casefold(): head for head in heads}
    return {
        name: [there[spelling.casefold()] for spelling in known if spelling.casefold() in there]
        for name, known in family.items()
        if isinstance(known, list)
    }


class _Units:
    """Makes rows for the rules of what a file says of units."""

    def __init__(self, names: Mapping[str, list[str]], form: Form) -> None:
        self.names = names
        self.places = form.file.registers.places
        self.codes = form.lists.get(self.places.list) if self.places else None

    def row(self, record: Mapping[str, str]) -> dict[str, str]:
        get: Callable[[str], str] = lambda name: " ".join(_value(record, self.names[name]).split())  # noqa: E731
        gone = any(record.get(column, "").casefold() not in NO for column in self.names["gone"])
        active = not self.names["active"] or _is_yes(record, self.names["active"])
        row = {name: get(name) for name in ("name", "owner", "owner_name", "employees")}
        row["employees"] = row["employees"].removesuffix(".0")
        row["active"] = "1" if active and not gone else "0"
        row["is_owner"] = "1" if any(_is_yes(record, [column]) for column in self.names["is_owner"]) else ""
        return row | self._place(get("kommunenr"), get("kommune"))

    def _place(self, number: str, kommune: str) -> dict[str, str]:
        """Say where a unit is by today's numbers."""
        number = number.removesuffix(".0")
        number = number.zfill(KOMMUNENR) if number else ""
        found: Mapping[str, str] = {}
        if self.codes and self.places:
            number = self.codes.recoded.get(number, number) if number not in self.codes.rows else number
            found = self.codes.rows.get(number, {})
            kommune = found.get(self.codes.label, kommune)
        county = found.get(self.places.county, number[:2]) if self.places else number[:2]
        name = found.get(self.places.county_name, "") if self.places else ""
        return {"kommunenr": number, "kommune": kommune, "county": county, "county_name": name or county}
