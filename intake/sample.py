"""Made-up owners who fill in the workbooks they were sent: for the demo, tests and benchmarks.

The answers lie with the form, under `samples/`; nothing here knows what they say.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from templates.form import Form
from templates.orgnr import check_digit
from templates.recipients import Recipient, Unit
from templates.sendout import slug

FIRST_ORGNR = 99_800_000  # eight digits from here on; the range is not in use in the registers we ship
PLACEHOLDER = re.compile(r"\{([a-z0-9_.]+)\}")


@dataclass(frozen=True)
class Sample:
    """One clean report: its answers with placeholders, and whom it suits."""

    name: str
    types: tuple[str, ...]
    unit_types: tuple[str, ...]
    answers: dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """One way to break one rule: what to change in a clean sample, and the answers to be told about."""

    rule: str
    sample: str
    changes: dict[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    added: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    part: str = ""
    received: str = ""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Mistake":
        """A mistake as it is written in mistakes.toml."""
        return cls(
            rule=raw["rule"],
            part=raw.get("part", ""),
            sample=raw["sample"],
            changes=raw.get("set", {}),
            removed=tuple(raw.get("remove_rows", ())),
            added=raw.get("add_rows", {}),
            cells=tuple(raw.get("cells", ())),
            received=str(raw.get("received", "")),
        )

    @property
    def places(self) -> set[str]:
        """The answers it changes or is told at; a whole table where rows are added or removed."""
        rows = [path.partition(".")[0] for path in (*self.removed, *self.added)]
        return {*self.changes, *self.cells, *rows}

    def is_apart_from(self, other: "Mistake") -> bool:
        """Whether one report can hold both, and each be seen."""
        sheets = {path.partition(".")[0] for path in other.places}
        return not any(place in other.places or place in sheets for place in self.places) and not any(
            place in {path.partition(".")[0] for path in self.places} for place in other.places
        )


@dataclass(frozen=True)
class Wanted:
    """One line of the mix: so many reports of a sample from owners of a type in a county."""

    county: str
    recipient_type: str
    sample: str
    reports: int


class Samples:
    """The samples of one form."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "samples"

    def _toml(self, name: str) -> dict[str, Any]:
        return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))

    @cached_property
    def clean(self) -> dict[str, Sample]:
        """The clean samples by name."""
        samples = {}
        for raw in self._toml("clean.toml")["sample"]:
            answers = {key: value for key, value in raw.items() if key not in ("name", "types", "unit_types")}
            samples[raw["name"]] = Sample(raw["name"], tuple(raw["types"]), tuple(raw.get("unit_types", ())), answers)
        return samples

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """The mistakes, in the order they are written."""
        return [Mistake.read(raw) for raw in self._toml("mistakes.toml")["mistake"]]

    @cached_property
    def mix(self) -> list[Wanted]:
        """How many reports of each kind a round of real size has."""
        with (self.folder / "mix.csv").open(encoding="utf-8", newline="") as file:
            return [Wanted(**{**row, "reports": int(row["reports"])}) for row in csv.DictReader(file)]  # type: ignore[arg-type]

    @cached_property
    def grants(self) -> dict[str, dict[str, str]]:
        """What an owner that sends a sample was granted before, by sample; none where the form has no grants.csv."""
        path = self.folder / "grants.csv"
        if not path.exists():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            return {row.pop("sample"): row for row in csv.DictReader(file)}

    @cached_property
    def made_up(self) -> dict[str, Any]:
        """What names, numbers and addresses are made from."""
        return self._toml("made_up.toml")


class Owners:
    """Hands out owners: public ones from the form's lists, and made-up ones with valid numbers."""

    def __init__(self, form: Form, samples: Samples, random: Random) -> None:
        self.form = form
        self.data = samples.made_up
        self.random = random
        self._orgnrs = _orgnrs()
        self._places = self._all_places()
        self._made = 0

    def public(self) -> list[Recipient]:
        """The public owners, each with a contact person and units that are made up."""
        source = self.data["public"]
        rows = self.form.lists[source["list"]].rows.values()
        chosen = [row for row in rows if _matches(row, source["where"])]
        return [
            Recipient(
                orgnr=row[source["orgnr"]],
                name=row[source["name"]],
                type=source["types"][row[source["type_column"]]],
                email=source["email"].format(slug=slug(row[source["name"]])),
                language=self.form.languages[0],
                kommunenr=row[source["kommunenr"]],
                county=row[source["county"]],
                contact=self.random.choice(self.data["names"]["people"]),
                phone=self._phone(),
            )
            for row in chosen
        ]

    def make(self, kind: str, county: str) -> Recipient:
        """An owner of this type in this county, plainly made up."""
        number, names = self._made, self.data["names"]
        name = self.data["owner"][kind].format(place=next(self._places))
        return Recipient(
            orgnr=next(self._orgnrs),
            name=name,
            type=kind,
            email=f"post@{slug(name)}.{self.data['domain']}",
            language=self.data["languages"][number % len(self.data["languages"])],
            kommunenr=self._municipality(county),
            county=county,
            contact=names["people"][number % len(names["people"])],
            phone=self._phone(),
        )

    def unit(self, kind: str, owner: Recipient) -> Unit:
        """A unit of this type where its owner is."""
        name = self.data["unit"][kind].format(place=next(self._places))
        kommunenr = owner.kommunenr or self._municipality(owner.county)
        return Unit(next(self._orgnrs), name, kind, kommunenr, owner.orgnr)

    def extras(self, owner: Recipient) -> dict[str, str]:
        """What samples may say about owners of this type, beyond what a recipient is."""
        extras = {"grant": self.data.get("grant", "")}
        for name, source in self.data.get("extra", {}).get(owner.type, {}).items():
            rows = [row for row in self.form.lists[source["list"]].rows.values() if _matches(row, source["where"])]
            extras[name] = rows[int(owner.orgnr) % len(rows)][source["column"]]
        return extras

    def _phone(self) -> str:
        self._made += 1
        return str(self.data["phone"].format(number=self._made))

    def _municipality(self, county: str) -> str:
        source = self.data["municipalities"]
        rows = self.form.lists[source["list"]].rows.values()
        return self.random.choice([row[source["number"]] for row in rows if row[source["county"]] == county])

    def _all_places(self) -> Iterator[str]:
        names = self.data["names"]
        turn = 0
        while True:
            pairs = [first + second for second in names["second"] for first in names["first"]]
            self.random.shuffle(pairs)
            yield from pairs if turn == 0 else (f"{pair} {turn + 1}" for pair in pairs)
            turn += 1


def _matches(row: Mapping[str, str], where: Mapping[str, str]) -> bool:
    return all(row[key] == value for key, value in where.items())


def _orgnrs() -> Iterator[str]:
    number = FIRST_ORGNR
    while True:
        digit = check_digit(str(number))
        if digit is not None:
            yield f"{number}{digit}"
        number += 1


def units_for(sample: Sample, owner: Recipient) -> list[Unit]:
    """The owner's units that a sample speaks of as unit.1, unit.2, …; too few when some are missing."""
    unused = list(owner.units)
    found = []
    for kind in sample.unit_types:
        unit = next((unit for unit in unused if unit.type == kind), None)
        if unit is not None:
            unused.remove(unit)
            found.append(unit)
    return found


def fill_in(
    sample: Sample,
    owner: Recipient,
    others: Sequence[Recipient],
    extras: Mapping[str, str],
    mistakes: Sequence[Mistake] = (),
) -> dict[str, Any]:
    """The answers of one report, as `templates.fill` takes them.

    `others` are the owners that a network sample speaks of as other.1, other.2, …; `extras`
    are more facts about the owner (Owners.extras).
    """
    answers = {sheet: _copied(given) for sheet, given in sample.answers.items()}
    for mistake in mistakes:
        _break(answers, mistake)
    people = {
        "recipient": vars(owner) | dict(extras),
        "unit": units_for(sample, owner),
        "other": list(others),
    }
    return {sheet: _said(given, people) for sheet, given in answers.items()}


def _copied(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _break(answers: dict[str, Any], mistake: Mistake) -> None:
    """Change what the mistake says; rows count from 1 within their table."""
    for path, value in mistake.changes.items():
        sheet, *rest = path.split(".")
        at = answers.setdefault(sheet, {})
        if isinstance(at, list):
            row = int(rest[0]) - 1
            at += [{} for _ in range(row + 1 - len(at))]
            at[row][rest[1]] = value
        elif len(rest) == 1:
            at[rest[0]] = value
        else:
            at.setdefault(rest[0], {})[rest[1]] = value
    for sheet, rows in mistake.added.items():
        answers.setdefault(sheet, []).extend(_copied(rows))
    removed = [path.split(".") for path in mistake.removed]
    for sheet, number in sorted(((sheet, int(number)) for sheet, number in removed), reverse=True):
        del answers[sheet][number - 1]


def _said(value: Any, people: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {key: _said(item, people) for key, item in value.items()}
    if isinstance(value, list):
        return [_said(item, people) for item in value]
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: _find(found[1], people), value)
    return value


def _find(path: str, people: Mapping[str, Any]) -> str:
    """Follow recipient.name, unit.1.orgnr or other.1.unit.1.name; nothing where there is nothing."""
    found: Any = people
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list):
            found = found[int(step) - 1] if int(step) <= len(found) else None
        elif isinstance(found, Recipient) and step == "unit":
            found = list(found.units)
        else:
            found = getattr(found, step, None)
    return "" if found is None else str(found)
