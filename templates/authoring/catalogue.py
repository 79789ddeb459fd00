"""The rules of a form as a published list: what each says, how much it weighs and where it is checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from templates.form import Form, Rule, Text
from templates.live.live import make_live
from templates.rules.binding import BoundRule, bind
from templates.rules.named_checks import NAMED_CHECKS

SCOPE_WORDS = {"batch": "cross-workbook", "register": "register", "intake": "intake"}
RECEIPT = "on receipt"
LIVE = "in the workbook and on receipt"
PLACES = {"batch": "on receipt, against the other reports of the batch", "register": "on receipt, against a register"}
TOLD = {"nb": "Bokmål", "nn": "Nynorsk"}


@dataclass(frozen=True)
class Entry:
    """One check of one rule; a rule with several parts has as many."""

    rule: Rule
    what: str
    scope: str  # cell, form, cross-sheet, cross-workbook, register or intake
    live: bool  # whether the owner sees it in the workbook
    where: str

    @property
    def message(self) -> Text:
        return self.rule.message

    def json(self) -> dict[str, Any]:
        """What `form rules --json` prints of it."""
        return {
            "id": self.rule.id,
            "severity": self.rule.told_as,
            "scope": self.scope,
            "live": self.live,
            "message": self.message,
            "source": self.rule.source,
        }


def catalogue(form: Form) -> list[Entry]:
    """Every check of a checked form, by rule: the rules in the order of their first check."""
    late = {rule.name for rule in make_live(form, form.languages[0]).later}
    entries = [_entry(bind(form, rule), live=rule.name not in late) for rule in form.rules]
    first = {rule_id: number for number, rule_id in enumerate(dict.fromkeys(rule.id for rule in form.rules))}
    return sorted(entries, key=lambda entry: first[entry.rule.id])


def _entry(bound: BoundRule, *, live: bool) -> Entry:
    rule = bound.rule
    named = NAMED_CHECKS[rule.check] if rule.check else None
    where = (named.where if named else "") or PLACES.get(rule.on or "") or (LIVE if live else RECEIPT)
    return Entry(rule, _what(rule), _scope(bound), live, where)


def _scope(bound: BoundRule) -> str:
    rule = bound.rule
    if rule.check:
        return SCOPE_WORDS.get(rule.on or "", "intake")
    if bound.tree is None:
        return "cell"
    sheets = {sheet for node in bound.tree.walk() if (sheet := getattr(node, "sheet", None)) is not None}
    if sheets - {rule.on}:
        return "cross-sheet"
    return "form" if len(bound.blame) > 1 or rule.unique else "cell"


def _what(rule: Rule) -> str:
    """What must hold, as the rule says it."""
    if rule.check:
        return NAMED_CHECKS[rule.check].says
    if rule.must:
        return f"`{rule.must}`"
    told = {
        "required": "must be filled in", "unique": "not twice", "before": "in this order",
        "at_least_one_of": "at least one yes", "reading": "how the cell was read", "limit": "the question's own limit",
    }  # fmt: skip
    trigger = next(name for name in told if getattr(rule, name))
    names = ["every other required question" if name == "*" else f"`{name}`" for name in getattr(rule, trigger)]
    return f"{told[trigger]}: {', '.join(names)}"


def catalogue_json(form: Form) -> dict[str, Any]:
    """What `form rules --json` prints."""
    return {"rules": [entry.json() for entry in catalogue(form)]}


def catalogue_lines(form: Form) -> Iterator[str]:
    """The rules for a terminal, a line for each check."""
    language = form.languages[0]
    for entry in catalogue(form):
        live = "live" if entry.live else ""
        yield f"{entry.rule.id:<18}{entry.rule.told_as:<9}{entry.scope:<15}{live:<6}{entry.message[language]}"


def catalogue_page(form: Form) -> Iterator[str]:
    """The rules as a page of documentation."""
    entries = catalogue(form)
    yield f"# The rules of {form.name}"
    yield ""
    yield f"Made by `behov form rules {form.name} --markdown`; change the rules in rules.toml, not here."
    yield f"{len({entry.rule.id for entry in entries})} rules, {len(entries)} checks."
    for rule_id, group in groupby(entries, key=lambda entry: entry.rule.id):
        yield f"\n## {rule_id}"
        for entry in group:
            yield ""
            yield from _section(form, entry)


def _section(form: Form, entry: Entry) -> Iterator[str]:
    rule = entry.rule
    on = f"on `{rule.on}`" if rule.on and rule.on in form.sheets else ""
    heads = (rule.part and f"part `{rule.part}`", on, rule.told_as, entry.scope, entry.where)
    yield f"**{' · '.join(filter(None, heads))}**"
    yield ""
    yield f"- what: {entry.what}"
    yield f"- source: {rule.source or 'every form has it'}"
    reasons = sorted(NAMED_CHECKS[rule.check].reasons) if rule.check else []
    if reasons:
        yield f"- told as the reason for the file: {', '.join(f'`{reason}`' for reason in reasons)}"
    yield from (f"- {TOLD.get(language, language)}: {rule.message[language]}" for language in form.languages)
