"""What the round keeps of imported registers: dated snapshots in `known/`, and what the rules are told of them."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from intake.notation import show_date
from outputs.register.refusals import RefusalError
from templates.form import Form
from templates.grants import grants_file, read_grants
from templates.round import Round
from validation.known import Register, grants_register

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
NAME = re.compile(r"(?P<source>.+)-(?P<dated>\d{4}-\d{2}-\d{2})-(?P<number>\d{2})\.json")
YES = "1"


@dataclass(frozen=True)
class Snapshot:
    """One imported register as it was on a day."""

    source: str
    dated: date
    path: Path

    def rows(self) -> dict[str, dict[str, str]]:
        """Read its units by organisation number. Raises RefusalError when the file is damaged."""
        return _read(self.path, self.path.stat().st_mtime_ns)


@cache
def _read(path: Path, _changed: int) -> dict[str, dict[str, str]]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        columns = kept["columns"]
        return {orgnr: dict(zip(columns, values, strict=True)) for orgnr, values in kept["rows"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RefusalError(f"{path} is damaged; put it back from your backup, or import the register again") from None


def snapshots(round_: Round) -> dict[str, Snapshot]:
    """Give the latest snapshot of each register."""
    latest: dict[str, Snapshot] = {}
    for path in sorted(round_.known.glob("*.json")):
        if found := NAME.fullmatch(path.name):
            latest[found["source"]] = Snapshot(found["source"], date.fromisoformat(found["dated"]), path)
    return latest


def write_snapshot(
    round_: Round, source: str, dated: date, rows: dict[str, dict[str, str]], told: dict[str, Any]
) -> Path:
    """Keep the rows of a register for this day; `told` is what else is to be known of them. Nothing is replaced."""
    round_.known.mkdir(parents=True, exist_ok=True)
    taken = len(list(round_.known.glob(f"{source}-{dated.isoformat()}-*.json")))
    path = round_.known / f"{source}-{dated.isoformat()}-{taken + 1:02}.json"
    columns = list(next(iter(rows.values()), {}))
    kept = {"source": source, "dated": dated.isoformat(), **told, "columns": columns}
    kept["rows"] = {orgnr: [row[column] for column in columns] for orgnr, row in sorted(rows.items())}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    temporary.replace(path)
    return path


def registers_of(round_: Round, form: Form) -> tuple[dict[str, Register], tuple[str, ...]]:
    """Give the registers that rules may ask, and the imports that are still missing for the units to be whole.

    One snapshot alone may hold the schools and not the kindergartens; then nobody can say that a unit is in none.
    """
    latest = snapshots(round_)
    ways = [way for way in form.file.registers.units if all(name in latest for name in way)]
    if not latest or (form.file.registers.units and not ways):
        wanted = min(form.file.registers.units, key=lambda way: len(set(way) - set(latest)), default=())
        return {}, tuple(name for name in wanted if name not in latest)
    first = list(ways[0]) if ways else []
    order = [*first, *(name for name in latest if name not in first)]
    units: dict[str, dict[str, str]] = {}
    for name in order:
        said = {"register": name, "date": show_date(latest[name].dated), "dated": latest[name].dated.isoformat()}
        for orgnr, row in latest[name].rows().items():
            known = units.setdefault(orgnr, {**row, **said})
            known |= {column: value for column, value in row.items() if not known[column]}
    registers: dict[str, Register] = {"units": units}
    if all(_has_owners(latest[name]) for name in first or latest):
        registers["owners"] = dict(_owners(units))
    return registers, ()


def grants_of(round_: Round) -> dict[str, Register]:
    """Give the earlier grants as a register, when there are any. Raises TableError."""
    grants, dated = read_grants(round_.folder)[0], grants_day(round_)
    return {"grants": grants_register(grants, dated)} if grants and dated else {}


def grants_day(round_: Round) -> date | None:
    """Tell which day the round's earlier grants speak of: the import's, or of a list written by hand the file's own."""
    path = grants_file(round_.folder)
    if path is None:
        return None
    imported = sorted(round_.known.glob(f"{path.stem}-[0-9]*{path.suffix}"), reverse=True)
    same = (kept for kept in imported if kept.read_bytes() == path.read_bytes())
    return own_day(next(same, path), round_.form.zone)


def own_day(path: Path, zone: ZoneInfo) -> date:
    """Tell which day a file speaks of: the last one in its name, as in nbr-2024-01-15.json, or of its last change."""
    with suppress(IndexError, ValueError):  # no day, or digits that are none
        return date.fromisoformat(ISO_DAY.findall(path.name)[-1])
    return datetime.fromtimestamp(path.stat().st_mtime, zone).date()


def _has_owners(snapshot: Snapshot) -> bool:
    return any(row["owner"] or row["is_owner"] for row in snapshot.rows().values())


def _owners(units: dict[str, dict[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give every owner with the register that says so, and the day it speaks of."""
    for orgnr, row in units.items():
        said = {column: row[column] for column in ("register", "date", "dated")}
        if row["owner"]:
            yield row["owner"], said
        if row["is_owner"] == YES:
            yield orgnr, said
