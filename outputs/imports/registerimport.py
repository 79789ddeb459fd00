"""A public register's file on its way in: what is new in it, and the dated snapshot that is kept of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from intake.notation import show_date
from intake.registers import RegisterFile
from outputs.imports.known_files import Snapshot, own_day, registers_of, snapshots, write_snapshot
from outputs.register.archive import digest
from outputs.register.case_log import write_import
from outputs.register.register import Register
from templates.round import Round
from validation.known import Known, unchecked

FEWER = 0.8  # of what was known before: less is told, since it looks like half a file
SHOWN = 5


@dataclass(frozen=True)
class RegisterImport:
    """One file of a register, held against the snapshot before."""

    round: Round
    register: Register
    path: Path
    read: RegisterFile
    dated: date
    is_stated: bool  # whether a person has said the date; else it is the file's own
    before: Snapshot | None

    @property
    def blocked(self) -> bool:
        return False

    @property
    def is_new(self) -> bool:
        return self.before is None or self.dated != self.before.dated or self.read.rows != self.before.rows()

    def _counts(self) -> dict[str, int]:
        before = self.before.rows() if self.before else {}
        shared = self.read.rows.keys() & before.keys()
        return {
            "rows": len(self.read.rows),
            "active": sum(row["active"] == "1" for row in self.read.rows.values()),
            "new": len(self.read.rows.keys() - before.keys()),
            "gone": len(before.keys() - self.read.rows.keys()),
            "changed": sum(self.read.rows[orgnr] != before[orgnr] for orgnr in shared),
            "without_number": self.read.without_number,
            "repeated": self.read.repeated,
        }

    def lines(self) -> Iterator[str]:
        counts = self._counts()
        dated = show_date(self.dated) + ("" if self.is_stated else " (the file's own date; say another with --dated)")
        yield f"{self.path.name}: {self.read.source} per {dated}, {counts['rows']} units, {counts['active']} active."
        if self.before:
            yield (
                f"Since {show_date(self.before.dated)}: {counts['new']} new, {counts['changed']} changed,"
                f" {counts['gone']} gone."
            )
            if self.dated < self.before.dated:
                yield "It is older than what is known, which still counts."
            if counts["rows"] < FEWER * len(self.before.rows()):
                yield "It has far fewer units than before: is it half a file?"
        if not self.is_new:
            yield "It says nothing that is not known. Nothing changed."
        if counts["without_number"]:
            yield f"{counts['without_number']} rows have no organisation number and are left out."
        if self.read.bad_numbers:
            more = " and more" if len(self.read.bad_numbers) > SHOWN else ""
            listed = ", ".join(self.read.bad_numbers[:SHOWN])
            yield f"{len(self.read.bad_numbers)} rows have a number that is none and are left out: {listed}{more}."
        if counts["repeated"]:
            yield f"{counts['repeated']} rows say the same once more."

    def json(self, *, applied: bool) -> dict[str, Any]:
        told = {"kind": "register", "file": self.path.name, "source": self.read.source, "dated": self.dated.isoformat()}
        before = self.before.dated.isoformat() if self.before else None
        bad = list(self.read.bad_numbers)
        return {**told, "before": before, **self._counts(), "bad_numbers": bad, "applied": applied}

    def keep(self, by: str, now: datetime) -> None:
        """Keep the snapshot, log it, and hold all reports against it."""
        original = sha256(self.path.read_bytes()).hexdigest()
        told = {"file": self.path.name, "sha256": original, "by": by, "at": now.isoformat()}
        kept = write_snapshot(self.round, self.read.source, self.dated, self.read.rows, told)
        row = {
            "kind": "register",
            "source": self.read.source,
            "dated": self.dated.isoformat(),
            "name": self.path.name,
            "sha256": original,
            "kept": kept.relative_to(self.round.folder).as_posix(),
            "kept_sha256": digest(kept),
            "rows": len(self.read.rows),
            "by": by,
            "at": now,
        }
        with self.register.writing() as connection:
            write_import(connection, row)
            self.register.learn(self._known_now(), now)

    def _known_now(self) -> Known:
        known = self.register.reviewer.known
        registers, missing = registers_of(self.round, self.register.form)
        grants = {name: rows for name, rows in known.registers.items() if name == "grants"}
        return Known(known.waivers, {**registers, **grants}, missing)

    def after(self) -> Iterator[str]:
        """Tell which rules still cannot be checked."""
        waiting = [f"{rule} ({why})" for rule, why in unchecked(self.register.form, self._known_now())]
        if waiting:
            yield f"Still not checked: {', '.join(waiting)}"


def register_import(
    round_: Round, register: Register, path: Path, read: RegisterFile, dated: date | None
) -> RegisterImport:
    """Hold a register's file against what is known."""
    own = own_day(path, register.form.zone)
    before = snapshots(round_).get(read.source)
    return RegisterImport(round_, register, path, read, dated or own, dated is not None, before)
