"""Waivers: rules that an owner need not keep until a date, each by somebody and for a reason."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from templates.form import Form
from templates.orgnr import is_orgnr
from templates.problems import suggestion

COLUMNS = ("orgnr", "rule", "reason", "until", "by")
DECIDED = "received_by_deadline"  # a late report is decided one by one, never waived


class WaiversError(Exception):
    """A waivers file that cannot be used; says every row that needs a person."""


@dataclass(frozen=True)
class Waiver:
    """One rule (all its parts) that one owner need not keep in what is received until a day."""

    orgnr: str
    rule: str
    reason: str
    until: date
    by: str

    def holds(self, orgnr: str, rule: str, received: date) -> bool:
        return (self.orgnr, self.rule) == (orgnr, rule) and received <= self.until

    def __str__(self) -> str:
        return f"{self.reason} ({self.by}, {self.until:%d.%m.%Y})"


def read_waivers(path: Path, form: Form, recipients: Collection[str]) -> tuple[Waiver, ...]:
    """Read a round's `waivers.csv`; none when there is no such file. Raises WaiversError."""
    if not path.exists():
        return ()
    waivers, wrong = [], []
    for number, row in enumerate(_rows(path), 2):
        reasons = list(_wrong(row, form, recipients))
        if reasons:
            wrong.append(f"  row {number}: {'; '.join(reasons)}")
        else:
            waivers.append(Waiver(**{**row, "until": date.fromisoformat(row["until"])}))  # type: ignore[arg-type]
    if wrong:
        raise WaiversError("\n".join([f"{path.name} has rows that need you:", *wrong]))
    return tuple(waivers)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WaiversError(f"{path.name} is not saved as UTF-8; save it as «CSV UTF-8»") from None
    reader = csv.DictReader(io.StringIO(text), delimiter=";", restval="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise WaiversError(f"{path.name} has no column «{missing[0]}»; the first row must be: {';'.join(COLUMNS)}")
    for row in reader:
        yield {name: " ".join(row[name].split()) for name in COLUMNS}


def _wrong(row: Mapping[str, str], form: Form, recipients: Collection[str]) -> Iterator[str]:
    rules = {rule.id: rule.check for rule in form.rules}
    if not is_orgnr(row["orgnr"]):
        yield f"«{row['orgnr']}» is not an organisation number"
    elif row["orgnr"] not in recipients:
        yield f"{row['orgnr']} is no recipient of this round"
    if row["rule"] not in rules:
        yield f"there is no rule «{row['rule']}». {suggestion(row['rule'], list(rules), 'See: behov form rules.')}"
    elif rules[row["rule"]] == DECIDED:
        yield f"{row['rule']} cannot be waived; a late report is decided for itself"
    yield from (f"«{name}» is empty" for name in ("reason", "by") if not row[name])
    try:
        date.fromisoformat(row["until"])
    except ValueError:
        yield f"«{row['until']}» is not a date; write 2024-06-30"
