"""Rules against what the office knows beyond the workbooks: imported registers and earlier grants.

A register is a table of texts by its key. A rule whose register is not here is not checked, and
staff are told so; it never counts as kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from intake.notation import show_date
from intake.submission import Row, Submission
from templates.form import Form
from templates.grants import Grant
from templates.rules.named_checks import NAMED_CHECKS
from templates.waivers import Waiver
from validation.across import alike
from validation.hits import Found, Given, Hit, Numbered, answers, only_row, text

Register = Mapping[str, Mapping[str, str]]
"""The rows of a register by their key (an organisation number, the reference of a grant)."""

YES = "1"
OF_UNITS = ("units", "owners")  # what imported registers tell
NEEDED = {  # the column of a register without which a check has nothing to look at
    "registered_owner": "owner",
    "units_elsewhere": "owner",
    "registered_municipality": "kommunenr",
    "enough_employees": "employees",
}


@dataclass(frozen=True)
class Known:
    """What the office knows when it judges: whom it let off a rule, and the registers that were imported.

    `units` has the columns name, active (1 or 0), owner, owner_name, kommunenr, kommune, county,
    county_name, employees, register, date and dated (ISO), `owners` the last three of them, and `grants`
    owner, title, year, date and dated.
    """

    waivers: tuple[Waiver, ...] = ()
    registers: Mapping[str, Register] = field(default_factory=dict)
    missing: tuple[str, ...] = ()  # what must be imported too before all units are known

    @property
    def of_one(self) -> "Known":
        """The same without registers: the register judges by those, over all reports that count, again and again."""
        return replace(self, registers={}, missing=())


NOTHING = Known()


def grants_register(grants: Iterable[Grant], dated: date) -> Register:
    """Earlier grants, as they were known on a day, as a register by reference."""
    said = {"date": show_date(dated), "dated": dated.isoformat()}
    return {
        grant.reference: {"owner": grant.owner, "title": grant.title, "year": grant.year} | said for grant in grants
    }


@dataclass(frozen=True)
class Source:
    """One register that is here, and the form that is judged."""

    rows: Register
    form: Form


def unchecked(form: Form, known: Known) -> list[tuple[str, str]]:
    """The rules that could not be checked, each with the reason."""
    told = {}
    for rule in form.rules:
        why = why_unchecked(rule.check, known) if rule.check else ""
        if why:
            told[rule.id] = why
    return list(told.items())


def why_unchecked(check: str, known: Known) -> str:
    """Tell why a check cannot be made against what is here; empty when it can, or needs nothing."""
    named = NAMED_CHECKS[check]
    if not named.needs:
        return ""
    if named.needs not in known.registers:
        imports = f"; import {' and '.join(known.missing)}" if known.missing and named.needs in OF_UNITS else ""
        return f"the register «{named.needs}» is not imported{imports}"
    column, rows = NEEDED.get(check, ""), known.registers[named.needs]
    if column and rows and not any(row[column] for row in rows.values()):
        return f"the register «{named.needs}» says nothing of «{column}»"
    return ""


Check = Callable[[Numbered, Given, Source], Found]


def is_owner(batch: Numbered, given: Given, source: Source) -> Found:
    """The number is registered as an owner."""
    words = _all_of(source.rows.values())
    for number, report in batch:
        orgnr = text(report, given["orgnr"])
        if orgnr and orgnr not in source.rows:
            yield Hit(number, only_row(report, given["orgnr"]), (given["orgnr"],), words)


def units_elsewhere(batch: Numbered, given: Given, source: Source) -> Found:
    """The owner has no active units outside the counties of the form."""
    counties = source.form.question_options(source.form.question(given["counties"]))
    elsewhere: dict[str, list[Mapping[str, str]]] = {}
    for unit in source.rows.values():
        if unit["active"] == YES and unit["county"] not in counties:
            elsewhere.setdefault(unit["owner"], []).append(unit)
    for number, report in batch:
        found = elsewhere.get(text(report, given["orgnr"]))
        if found:
            words = {"fylkesliste": _listed(found, "county_name")} | _all_of(found)
            yield Hit(number, only_row(report, given["orgnr"]), (given["orgnr"],), words)


def earlier_grant(batch: Numbered, given: Given, source: Source) -> Found:
    """The reference is an earlier grant to the owner."""
    words = _dated(source.rows.values())
    for number, report in batch:
        reference = text(report, given["reference"])
        grant = source.rows.get(reference, {})
        if reference and grant.get("owner") != text(report, given["orgnr"]):
            yield Hit(number, only_row(report, given["reference"]), (given["reference"],), words)


def no_similar_grant(batch: Numbered, given: Given, source: Source) -> Found:
    """The owner has no grant to a measure with a title like this one."""
    grants: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
    for reference, grant in source.rows.items():
        grants.setdefault(grant["owner"], []).append((reference, grant))
    for number, report in batch:
        title = text(report, given["title"])
        own = grants.get(text(report, given["orgnr"]), [])
        same = next(((ref, grant) for ref, grant in own if alike(grant["title"], title)), None)
        if same and not text(report, given["reference"]):  # who names an earlier grant knows of it
            words = {"ref": same[0], "aar": same[1]["year"], "registerdato": same[1]["date"]}
            yield Hit(number, only_row(report, given["title"]), (given["title"],), words)


def in_register(batch: Numbered, given: Given, source: Source) -> Found:
    """The number is in the register."""
    words = _all_of(source.rows.values())
    for number, report in batch:
        for row, orgnr in answers(report, given["orgnr"]):
            if str(orgnr) not in source.rows:
                yield Hit(number, row, (given["orgnr"],), words)


def registered_name(batch: Numbered, given: Given, source: Source) -> Found:
    """The name is the registered one."""
    for number, row, unit, name in _compared(batch, given, source, "name"):
        if not alike(unit["name"], name):
            yield Hit(number, row, (given["name"],), {"registernavn": unit["name"]} | _where(unit))


def unit_is_active(batch: Numbered, given: Given, source: Source) -> Found:
    """The unit is active."""
    for number, row, unit, _ in _compared(batch, given, source, "orgnr"):
        if unit["active"] != YES:
            yield Hit(number, row, (given["orgnr"],), _where(unit))


def registered_owner(batch: Numbered, given: Given, source: Source) -> Found:
    """The owner is the registered one."""
    for number, row, unit, owner in _compared(batch, given, source, "owner"):
        if unit["owner"] and owner != unit["owner"]:
            words = {"registereier": unit["owner_name"] or unit["owner"]} | _where(unit)
            yield Hit(number, row, (given["owner"],), words)


def registered_municipality(batch: Numbered, given: Given, source: Source) -> Found:
    """The municipality is the registered one."""
    for number, row, unit, kommunenr in _compared(batch, given, source, "kommunenr"):
        if unit["kommunenr"] and kommunenr != unit["kommunenr"]:
            words = {"registerkommune": unit["kommune"] or unit["kommunenr"]} | _where(unit)
            yield Hit(number, row, (given["kommunenr"],), words)


def enough_employees(batch: Numbered, given: Given, source: Source) -> Found:
    """No more take part than are registered as employed."""
    for number, row, unit, count in _compared(batch, given, source, "count"):
        if unit["employees"].isdigit() and count.isdigit() and int(count) > int(unit["employees"]):
            yield Hit(number, row, (given["count"],), {"registertall": unit["employees"]} | _where(unit))


KNOWN: dict[str, Check] = {
    "is_owner": is_owner,
    "units_elsewhere": units_elsewhere,
    "earlier_grant": earlier_grant,
    "no_similar_grant": no_similar_grant,
    "in_register": in_register,
    "registered_name": registered_name,
    "unit_is_active": unit_is_active,
    "registered_owner": registered_owner,
    "registered_municipality": registered_municipality,
    "enough_employees": enough_employees,
}


def _where(unit: Mapping[str, str]) -> dict[str, str]:
    """Name the register that says it, and the day it speaks of."""
    return {"register": unit["register"], "registerdato": unit["date"]}


def _all_of(rows: Collection[Mapping[str, str]]) -> dict[str, str]:
    """Name all registers that the rows are from, and the day of the oldest."""
    return {"register": _listed(rows, "register")} | _dated(rows)


def _dated(rows: Collection[Mapping[str, str]]) -> dict[str, str]:
    """Name the day of the oldest row."""
    oldest = min(rows, key=lambda row: row["dated"], default={"date": ""})
    return {"registerdato": oldest["date"]}


def _listed(rows: Iterable[Mapping[str, str]], column: str) -> str:
    return ", ".join(dict.fromkeys(row[column] for row in rows))


def _compared(
    batch: Numbered, given: Given, source: Source, what: str
) -> Iterator[tuple[int, Row, Mapping[str, str], str]]:
    """Every row whose unit is registered, with the register's row and what the owner wrote of `what`."""
    for number, report in batch:
        written = _by_row(report, given[what])
        for row, orgnr in answers(report, given["orgnr"]):
            unit = source.rows.get(str(orgnr))
            if unit is not None and row.number in written:
                yield number, row, unit, written[row.number]


def _by_row(report: Submission, path: str) -> dict[int, str]:
    return {row.number: str(value) for row, value in answers(report, path)}
