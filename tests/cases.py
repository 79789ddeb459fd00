"""Every rule of behovsmelding-2024 made to speak: in one report, between two reports, against a register."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from intake.sample import Mistake
from intake.submission import Submission
from templates.grants import Grant
from templates.recipients import Recipient
from tests.reports import CLEAN, DESK, FORM, LANGUAGES, MISTAKES, judged_mistakes, name_of, new_owner, send_in
from validation.check import find
from validation.findings import Finding
from validation.known import Known, Register, grants_register

Findings = Sequence[Finding]
Answers = Mapping[str, Any]
LONG = 200  # characters of an answer that nobody wants to read


@dataclass(frozen=True)
class Case:
    """What was done, and what the owner was told in the workbook of each language."""

    rule: str  # with its part: S19.for_mye_2025
    done: str
    told: Mapping[str, Findings]


@cache
def cases() -> tuple[Case, ...]:
    """Every case in which a rule speaks."""
    mistakes = [(name_of(one), done(one)) for one in MISTAKES]
    return (
        *_cases(mistakes, lambda language: [verdict.findings for verdict in judged_mistakes(language)]),
        *_cases([(one.rule, one.done) for one in PAIRS], told_between),
        *_cases([(one.rule, one.done) for one in DISAGREEMENTS], told_by_registers),
    )


def _cases(made: list[tuple[str, str]], tell: Callable[[str], Sequence[Findings]]) -> Iterator[Case]:
    told = {language: tell(language) for language in LANGUAGES}
    for number, (rule, words) in enumerate(made):
        yield Case(rule, words, {language: found[number] for language, found in told.items()})


def done(mistake: Mistake) -> str:
    """What a mistake changes in its sample, in one line."""
    steps = [f"{path} = {_written(value)}" for path, value in mistake.changes.items()]
    steps += [f"without {row}" for row in mistake.removed]
    steps += [f"received {mistake.received}"] if mistake.received else []
    return f"{mistake.sample}: {', '.join(steps)}"


def _written(value: object) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return (text if len(text) < LONG else f"{text[:40]}… ({len(text)} characters)") or "nothing"


# between two reports


@dataclass(frozen=True)
class Pair:
    """Two reports that break a rule between them, and the second one without that.

    In the answers to the second report, unit.… are its owner's, other.1.… is another owner.
    """

    rule: str
    done: str
    first: str
    second: str
    broken: Answers
    kept: Answers = field(default_factory=dict)
    another_owner: bool = False


NEW_UNITS = {"virksomheter.1.v_orgnr": "123456785", "virksomheter.2.v_orgnr": "111111111"}
THIRD_OWNER = {
    "eiere.3.e_navn": "Fjellhagen friskole", "eiere.3.e_orgnr": "987654325", "eiere.3.e_type": "PRIVAT_SKOLE",
    "eiere.3.e_kommunenr": "3203", "eiere.3.e_rolle": "DELTAKER", "eiere.3.e_bekreftet": "Ja",
    "virksomheter.3.v_navn": "Fjellhagen skole", "virksomheter.3.v_orgnr": "974760673",
    "virksomheter.3.v_type": "GRUNNSKOLE", "virksomheter.3.v_eier_orgnr": "987654325",
    "virksomheter.3.v_kommunenr": "{recipient.kommunenr}", "virksomheter.3.v_ansatte": 14,
}  # fmt: skip

PAIRS = (
    Pair("S04", "des_kommune, and des_lesing of the same owner with nearly the same title",
         "des_kommune", "des_lesing", {"skjema.tiltak_tittel": "Vurdering, som fremmer læring!"}),
    Pair("S12", "des_nettverk, and des_nettverk of its other owner with other units",
         "des_nettverk", "des_nettverk", NEW_UNITS,
         NEW_UNITS | THIRD_OWNER | {"skjema.nettverk_navn": "Regnenettverket"}, another_owner=True),
    Pair("C19", "rek_kommune, and rek_supplerande of the same owner with a unit of the first",
         "rek_kommune", "rek_supplerande",
         {"virksomheter.1.v_orgnr": "{unit.1.orgnr}", "virksomheter.1.v_navn": "{unit.1.name}"}),
    Pair("C19.annen_eier", "rek_privat, and rek_privat of another owner with the unit of the first",
         "rek_privat", "rek_privat", {"virksomheter.1.v_orgnr": "{other.1.unit.1.orgnr}"}, another_owner=True),
    Pair("C23", "rek_kommune, and rek_supplerande of the same owner under another name",
         "rek_kommune", "rek_supplerande", {"skjema.eier_navn": "Solsia kommune"}),
    Pair("C23.virksomhet", "rek_kommune, and kom_kommune of the same owner with another name of a unit",
         "rek_kommune", "kom_kommune", {"virksomheter.1.v_navn": "Solsia barnehage"}),
)  # fmt: skip


def told_between(language: str, *, kept: bool = False) -> Sequence[Findings]:
    """What the owner of each pair's first report is told; all pairs are one batch."""
    DESK.begin_again()
    reports = [one for pair in PAIRS for one in _sent_in(pair, language, pair.kept if kept else pair.broken)]
    numbered = [
        replace(one, report=f"{FORM.file.code}-{at // 2 + 1:04}-{at % 2 + 1}") for at, one in enumerate(reports)
    ]
    return find(FORM, numbered)[::2]


def _sent_in(pair: Pair, language: str, answers: Answers) -> tuple[Submission, Submission]:
    first, second = CLEAN[pair.first], CLEAN[pair.second]
    owner, stranger = new_owner(first, language, second), new_owner(second, language)
    sender, other = (stranger, owner) if pair.another_owner else (owner, stranger)
    change = Mistake(pair.rule, pair.second, dict(answers))
    return send_in(first, owner, [stranger]), send_in(second, sender, [other], change)


# against registers

Registers = dict[str, Register]
Says = Callable[[Recipient], Registers]


DAY = date(2024, 1, 15)
NBR = {"register": "NBR", "date": "15.01.2024", "dated": "2024-01-15"}


def agreeing(owner: Recipient) -> Registers:
    """Registers that know what the owner writes, and no earlier grant."""
    return {"owners": {owner.orgnr: NBR}, "units": unit_register(owner), "grants": {}}


def unit_register(owner: Recipient, /, **changed: str) -> dict[str, dict[str, str]]:
    """The owner's units as the owner knows them, but for what is changed."""
    return {
        unit.orgnr: {
            "name": unit.name, "active": "1", "owner": owner.orgnr, "owner_name": owner.name,
            "kommunenr": unit.kommunenr, "kommune": "", "county": "32", "county_name": "Akershus",
            "employees": "40",
        } | NBR | changed
        for unit in owner.units
    }  # fmt: skip


def units(**changed: str) -> Says:
    return lambda owner: {"units": unit_register(owner, **changed)}


def one_more_unit(**changed: str) -> Says:
    """The owner's units, and another one of the same owner."""
    return lambda owner: {"units": unit_register(owner) | {"0": next(iter(unit_register(owner, **changed).values()))}}


def grant(reference: str, title: str) -> Says:
    return lambda owner: {"grants": grants_register([Grant(reference, owner.orgnr, title, "2023")], DAY)}


@dataclass(frozen=True)
class Disagreement:
    """A clean report, what a register says otherwise, and what it says that is no disagreement."""

    rule: str
    done: str
    broken: Says
    kept: Says = agreeing
    sample: str = "rek_privat"


DISAGREEMENTS = (
    Disagreement("S05", "rek_privat: the owner is not registered", lambda _: {"owners": {}}),
    Disagreement("S17", "rek_privat: the owner has a unit in Vestland",
                 one_more_unit(county="46", county_name="Vestland"),
                 one_more_unit(county="33", county_name="Buskerud")),
    Disagreement("S24", "rek_supplerande: the owner has no earlier grant", lambda _: {},
                 grant("2022/41876", "Ute i leik"), "rek_supplerande"),
    Disagreement("P22", "rek_privat: the owner has a grant to nearly the same title",
                 grant("2023/7", "Trygge relasjonar i lek"), grant("2023/7", "Språk i lek")),
    Disagreement("P02", "rek_privat: the unit is not registered", lambda _: {"units": {}}),
    Disagreement("P03", "rek_privat: the unit has another name", units(name="Rødhette barnehage")),
    Disagreement("P04", "rek_privat: the unit is closed", units(active="0")),
    Disagreement("P05", "rek_privat: the unit has another owner", units(owner="1", owner_name="Rødhette AS")),
    Disagreement("P08", "rek_privat: the unit is in Drammen", units(kommunenr="3301", kommune="Drammen")),
    Disagreement("C29", "rek_privat: the unit has three employees", units(employees="3")),
)  # fmt: skip


def told_by_registers(language: str, *, kept: bool = False) -> Sequence[Findings]:
    """What each owner is told when the registers disagree with that owner in one thing; all are one batch."""
    reports: list[Submission] = []
    registers: Registers = {}
    for one, owner, submission in _clean(language):
        said = agreeing(owner) | (one.kept if kept else one.broken)(owner)
        registers = {name: {**registers.get(name, {}), **rows} for name, rows in said.items()}
        reports.append(submission)
    return find(FORM, reports, Known(registers=registers))


def told_without_registers(language: str) -> Sequence[Findings]:
    return find(FORM, [submission for _, _, submission in _clean(language)])


def _clean(language: str) -> Iterator[tuple[Disagreement, Recipient, Submission]]:
    DESK.begin_again()
    for number, one in enumerate(DISAGREEMENTS, 1):
        owner = new_owner(CLEAN[one.sample], language)
        submission = send_in(CLEAN[one.sample], owner, [])
        yield one, owner, replace(submission, report=f"{FORM.file.code}-{number:04}-1")
