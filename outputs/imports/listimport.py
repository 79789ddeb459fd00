"""Recipients and earlier grants on their way into the round's own files: what is new, and what is kept as it was."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from intake.notation import show_date
from intake.registers import Record
from outputs.imports.known_files import grants_day, grants_of, own_day
from outputs.register.archive import digest
from outputs.register.case_log import write_import
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.grants import read_grants_file
from templates.recipients import REQUIRED, read_recipients
from templates.round import Round
from templates.tables import HEADINGS, BadRow, read_rows
from validation.known import Known

KEYS = {"recipients": "orgnr", "grants": "reference"}  # what tells the rows of a file apart
NEEDED: dict[str, tuple[str, ...]] = {
    "recipients": REQUIRED,
    "grants": ("reference", "owner", "title", "year"),
}

Rows = dict[str, dict[str, str]]


def kind_of(records: list[Record]) -> str | None:
    """Tell whether a table holds recipients or grants, by its columns."""
    heads = {head.strip().casefold() for _, record in records[:1] for head in record}
    for kind, needed in NEEDED.items():
        if all(heads & set(HEADINGS[kind][column]) for column in needed):
            return kind
    return None


@dataclass(frozen=True)
class ListImport:
    """One file, held against the round's own: its rows are added or take the place of those with the same key."""

    round: Round
    register: Register
    path: Path
    kind: str
    rows: Rows
    before: Rows
    bad: list[BadRow]
    dated: date
    is_stated: bool  # whether a person has said the date; else it is the file's own

    @property
    def blocked(self) -> bool:
        return bool(self.bad)

    @property
    def is_new(self) -> bool:
        return bool(self._new() or self._changed() or self._is_redated())

    def _is_redated(self) -> bool:
        """Tell whether a person says another day of grants that are known; a list of recipients is of no day."""
        return self.kind == "grants" and self.is_stated and self.dated != grants_day(self.round)

    @property
    def target(self) -> Path:
        return self.round.folder / f"{self.kind}.csv"

    def _new(self) -> list[str]:
        return [key for key in self.rows if key not in self.before]

    def _changed(self) -> list[str]:
        return [key for key, row in self.rows.items() if key in self.before and self._differing(key, row)]

    def _differing(self, key: str, row: dict[str, str]) -> list[str]:
        return [name for name, value in row.items() if value and value != self.before[key].get(name, "")]

    def _left(self) -> int:
        return sum(key not in self.rows for key in self.before)

    def lines(self) -> Iterator[str]:
        dated = f" per {self._told_day()}" if self.kind == "grants" else ""
        counts = f"{len(self._new())} new, {len(self._changed())} changed"
        yield f"{self.path.name}: {len(self.rows)} {self.kind}{dated}; {counts}."
        yield from (f"  new  {key}  {self._named(self.rows[key])}" for key in self._new())
        for key in self._changed():
            told = "; ".join(
                f"{name} {self.before[key].get(name) or '–'} → {self.rows[key][name]}"
                for name in self._differing(key, self.rows[key])
            )
            yield f"  {key}  {self._named(self.rows[key])}  {told}"
        if self._left():
            yield f"{self._left()} that are not in the file stay; take them out of {self.target.name} by hand."
        if self.bad:
            yield "Rows that need you; nothing is taken in until they are right:"
            yield from (f"  {row}" for row in self.bad)
        elif not self.is_new:
            yield "It says nothing that is not known. Nothing changed."

    def _told_day(self) -> str:
        return show_date(self.dated) + ("" if self.is_stated else " (the file's own date; say another with --dated)")

    def _named(self, row: dict[str, str]) -> str:
        return row.get("name") or row.get("title") or ""

    def json(self, *, applied: bool) -> dict[str, Any]:
        wrong = [{"row": row.row, "reason": row.reason} for row in self.bad]
        told: dict[str, Any] = {"kind": self.kind, "file": self.path.name, "rows": len(self.rows)}
        if self.kind == "grants":
            told["dated"] = self.dated.isoformat()
        return {**told, "new": self._new(), "changed": self._changed(), "wrong": wrong, "applied": applied}

    def keep(self, by: str, now: datetime) -> None:
        """Write the round's file anew, keep the one before in `known/`, and log it."""
        original = sha256(self.path.read_bytes()).hexdigest()
        merged = self.before | {key: self.before.get(key, {}) | _said(row) for key, row in self.rows.items()}
        self.round.known.mkdir(parents=True, exist_ok=True)
        if self.target.exists():
            earlier = self.round.known / f"{self.kind}-before-{now:%Y-%m-%d-%H%M%S}.csv"
            earlier.write_bytes(self.target.read_bytes())
        snapshot = self.round.known / f"{self.kind}-{now:%Y-%m-%d-%H%M%S}-per-{self.dated}-{original[:8]}.csv"
        snapshot.write_bytes(_csv(self.kind, merged))
        temporary = self.target.with_suffix(".tmp")
        temporary.write_bytes(_csv(self.kind, merged))
        temporary.replace(self.target)
        row = {
            "kind": self.kind,
            "source": self.kind,
            "dated": self.dated.isoformat(),
            "name": self.path.name,
            "sha256": original,
            "kept": snapshot.relative_to(self.round.folder).as_posix(),
            "kept_sha256": digest(snapshot),
            "rows": len(self.rows),
            "by": by,
            "at": now,
        }
        with self.register.writing() as connection:
            write_import(connection, row)
            if self.kind == "grants":
                known = self.register.reviewer.known
                registers = {**known.registers, **grants_of(self.round)}
                self.register.learn(Known(known.waivers, registers, known.missing), now)

    def after(self) -> Iterator[str]:
        if self.kind == "recipients":
            yield "Make the workbooks that are new: behov send-out"


def _said(row: dict[str, str]) -> dict[str, str]:
    """What a row says; a cell that is empty says nothing, and takes nothing away."""
    return {name: value for name, value in row.items() if value}


def _csv(kind: str, rows: Rows) -> bytes:
    spellings = HEADINGS[kind]
    columns = [column for column in spellings if any(row.get(column) for row in rows.values())]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(spellings[column][1] if len(spellings[column]) > 1 else column for column in columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows.values())
    return text.getvalue().encode("utf-8-sig")


def list_import(round_: Round, register: Register, path: Path, kind: str, dated: date | None) -> ListImport:
    """Read a file of recipients or grants. Raises TableError, RefusalError."""
    workbook = round_.folder / f"{kind}.xlsx"
    if workbook.exists():
        raise RefusalError(f"the round has its {kind} in {workbook.name}; write the new rows there, or save it as .csv")
    readers: dict[str, Callable[[], list[BadRow]]] = {
        "recipients": lambda: [row for row in _bad_recipients(round_, path) if not row.file],
        "grants": lambda: read_grants_file(path)[1],
    }
    rows = _rows(path, kind)
    target = round_.folder / f"{kind}.csv"
    before = _rows(target, kind) if target.exists() else {}
    own = own_day(path, register.form.zone)
    return ListImport(
        round_, register, path, kind, rows, before, readers[kind](), dated or own, is_stated=dated is not None
    )


def _bad_recipients(round_: Round, path: Path) -> list[BadRow]:
    return read_recipients(path, round_.form.languages, round_.recipient_types)[1]


def _rows(path: Path, kind: str) -> Rows:
    return {row[KEYS[kind]]: row for _, row in read_rows(path, kind, NEEDED[kind])}
