"""Rules that no single workbook can show: between the reports of a batch, and against registers."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from intake.personal import is_birth_number, mask
from intake.submission import Submission
from outputs.register.register import Register
from templates.form import Form
from templates.grants import Grant
from templates.recipients import Recipient
from templates.rules.named_checks import NAMED_CHECKS
from tests.cases import NBR
from tests.desk import Desk
from validation.across import ACROSS, alike
from validation.check import find, judge
from validation.findings import Finding
from validation.known import KNOWN, NOTHING, Known, grants_register, unchecked
from validation.rules import CHECKS

DESK = Desk.of("behovsmelding-2024")
CLEAN = DESK.samples.clean
Judged = tuple[str, str, str, tuple[str, ...], str]


@pytest.fixture(scope="module")
def form() -> Form:
    return DESK.form


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retur")


def owner(sample: str) -> tuple[Recipient, list[Recipient]]:
    first = DESK.owner_for(CLEAN[sample])
    others = [DESK.owner_for(CLEAN[sample])]
    DESK.recipients.update({other.orgnr: other for other in others})
    return first, others


def report(
    folder: Path,
    sample: str,
    number: int,
    sender: Recipient,
    others: list[Recipient],
    **changed: Any,  # noqa: ANN401
) -> Submission:
    """A clean report with this number; `changed` gives other answers by sheet__question or sheet__row__question."""
    answers = DESK.answers(CLEAN[sample], sender) if not others else _network(sample, sender, others)
    for path, value in changed.items():
        sheet, *rest = path.split("__")
        place = answers[sheet] if len(rest) == 1 else answers[sheet][int(rest[0]) - 1]
        place[rest[-1]] = value
    taken = DESK.take_in(folder / f"{number}.xlsx", DESK.fill(answers, sender))
    assert isinstance(taken, Submission)
    return replace(taken, report=f"BM24-0001-{number}")


def _network(sample: str, sender: Recipient, others: list[Recipient]) -> dict[str, Any]:
    from intake.sample import fill_in  # noqa: PLC0415 - only networks name other owners

    return fill_in(CLEAN[sample], sender, others, DESK.owners.extras(sender))


def told(findings: list[Finding]) -> list[Judged]:
    return [(one.rule, one.severity, one.sheet, one.cells, one.message["nb"]) for one in findings]


# tables


def test_every_named_check_has_its_function_or_says_who_makes_it() -> None:
    by_scope = {scope: {name for name, check in NAMED_CHECKS.items() if check.scope == scope and not check.where}
                for scope in ("submission", "batch", "register", "intake")}  # fmt: skip
    by_scope["submission"] |= by_scope.pop("intake")

    assert by_scope == {"submission": CHECKS.keys(), "batch": ACROSS.keys(), "register": KNOWN.keys()}
    functions: dict[str, Any] = {**CHECKS, **ACROSS, **KNOWN}
    wrong = {
        name: one.__doc__
        for name, one in functions.items()
        if not str(one.__doc__).startswith(NAMED_CHECKS[name].says[:-1])
    }
    assert not wrong, "a function and the table say the same sentence"


# between reports


def test_the_same_measure_twice_is_asked_about_with_the_owners_own_number(form: Form, folder: Path) -> None:
    sender, _ = owner("des_kommune")
    first = report(folder, "des_kommune", 1, sender, [])
    second = report(folder, "des_kommune", 2, sender, [], skjema__tiltak_tittel="Vurdering, som fremmer læring!")

    one, other = find(form, [first, second])

    assert told(one)[0] == (
        "S04", "warning", "Skjema", ("C34",), "Meldingen ligner på BM24-0001-2 fra samme eier. Er det samme tiltak?"
    )  # fmt: skip
    assert told(other)[0][4] == "Meldingen ligner på BM24-0001-1 fra samme eier. Er det samme tiltak?"
    assert other[0].message["nn"] == "Meldinga liknar på BM24-0001-1 frå same eigar. Er det same tiltak?"


def test_another_scheme_or_another_title_is_another_measure(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_kommune")
    first = report(folder, "rek_kommune", 1, sender, [])
    second = report(folder, "rek_kommune", 2, sender, [], skjema__tiltak_tittel="Uteområdet som læringsarena")

    assert [one.rule for found in find(form, [first, second]) for one in found if one.rule == "S04"] == []


def test_two_versions_of_one_report_are_not_held_against_each_other(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    first = report(folder, "rek_privat", 1, sender, [])

    assert find(form, [first, first]) == [[], []]


def test_a_unit_in_two_own_reports_is_asked_about_once_for_each_row(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_kommune")
    first = report(folder, "rek_kommune", 1, sender, [])
    second = report(folder, "rek_kommune", 2, sender, [], skjema__tiltak_tittel="Lek ute hele året")

    found = find(form, [first, second])[0]

    assert [one.rule for one in found] == ["C19", "C19", "C19"]
    name = sender.units[0].name
    assert told(found)[0] == (
        "C19", "warning", "Virksomheter", ("C7",),
        f"{name} er også med i BM24-0001-2. Skal virksomheten være med i begge?",
    )  # fmt: skip


def test_a_unit_that_another_owner_reported_is_told_without_whose_or_what(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    stranger, _ = owner("rek_privat")
    first = report(folder, "rek_privat", 1, sender, [])
    second = report(folder, "rek_privat", 2, stranger, [], virksomheter__1__v_orgnr=sender.units[0].orgnr)

    found = find(form, [first, second])[0]

    assert [(one.rule, one.part, one.cells) for one in found] == [("C19", "annen_eier", ("C7",))]
    text = found[0].message["nb"]
    assert not any(secret in text for secret in (stranger.name, stranger.orgnr, "BM24"))


def test_a_network_that_two_owners_report_is_an_error_for_both(form: Form, folder: Path) -> None:
    sender, others = owner("des_nettverk")
    other = others[0]
    first = report(folder, "des_nettverk", 1, sender, others)
    second = report(folder, "des_nettverk", 2, other, [sender])

    for found in find(form, [first, second]):
        network = [one for one in found if one.rule == "S12"]
        assert [(one.severity, one.sheet, one.cells) for one in network] == [("error", "Skjema", ("C24",))]
        assert (
            network[0].message["nb"].startswith("Nettverket er også meldt av en annen eier. Bare én eier skal melde.")
        )
        assert not any(secret in network[0].message["nb"] for secret in (sender.name, other.name, "BM24"))


def test_one_number_with_two_names_in_one_report_is_no_matter_between_reports(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_kommune")
    twice = {"virksomheter__2__v_orgnr": sender.units[0].orgnr}

    found = find(form, [report(folder, "rek_kommune", 1, sender, [], **twice)])[0]

    assert [one.rule for one in found] == ["C17"]


def test_one_number_with_two_names_in_own_reports_is_asked_about(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    first = report(folder, "rek_privat", 1, sender, [], skjema__eier_navn="Sol AS")
    changed = {"skjema__eier_navn": "Solsia barnehager", "skjema__ordning": "KOM", "skjema__private_involvert": "Ja"}
    second = report(folder, "rek_privat", 2, sender, [], **changed)

    found = [one for one in find(form, [first, second])[0] if one.rule == "C23"]

    names = "«Sol AS», «Solsia barnehager»"
    assert told(found) == [
        ("C23", "warning", "Skjema", ("C20",),
         f"{sender.orgnr} står med ulike navn i meldingene deres: {names}. Hvilket navn er riktig?"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Språk i lek", "språk i  lek.", True),
        ("Språk i hele barnehagen", "Språk i heile barnehagen", True),
        ("Språk i lek", "Lek ute", False),
        ("", "", False),
        ("!", "?", False),
    ],
)
def test_titles_are_alike_but_for_case_punctuation_and_a_letter(one: str, other: str, *, same: bool) -> None:
    assert alike(one, other) is same


def test_the_register_finds_what_a_single_batch_would_with_the_same_words_and_cells(
    form: Form, folder: Path, tmp_path: Path
) -> None:
    sender, others = owner("des_nettverk")
    network = [
        report(folder, "des_nettverk", 1, sender, others),
        report(folder, "des_nettverk", 2, sender, others, skjema__tiltak_tittel="Noe helt annet"),
        report(folder, "des_nettverk", 3, others[0], [sender]),
    ]
    expected = {one.report: tuple(findings) for one, findings in zip(network, find(form, network), strict=True)}
    assert {one.rule for findings in expected.values() for one in findings} >= {"S12", "C19"}

    register = Register.open(tmp_path / "register.db", form)
    for one in network:
        register.merge(judge([one], form), datetime.now(UTC))

    assert register.findings_of(list(expected)) == expected


# against registers


def test_a_rule_without_its_register_is_unchecked_and_never_kept(form: Form) -> None:
    reasons = dict(unchecked(form, NOTHING))

    assert {"S05", "S17", "S24", "P02", "P03", "P04", "P05", "P08", "P22", "C29"} <= reasons.keys()
    assert reasons["S05"] == "the register «owners» is not imported"
    assert "P21" not in reasons, "its list comes with the form"
    assert "S05" not in dict(unchecked(form, Known(registers={"owners": {}})))


def registered(sender: Recipient, **changed: str) -> dict[str, dict[str, str]]:
    unit = sender.units[0]
    row = {
        "name": unit.name, "active": "1", "owner": sender.orgnr, "owner_name": sender.name, "kommunenr": unit.kommunenr,
        "kommune": "", "county": "32", "county_name": "Akershus", "employees": "40",
    }  # fmt: skip
    return {unit.orgnr: row | NBR | changed}


REGISTERED: dict[str, tuple[dict[str, str], tuple[str, ...], str]] = {
    "P03": ({"name": "Rødhette barnehage"}, ("B7",), "mens NBR per 15.01.2024 sier «Rødhette barnehage»"),
    "P04": ({"active": "0"}, ("C7",), "står som nedlagt eller inaktiv i NBR per 15.01.2024"),
    "P05": ({"owner": "1", "owner_name": "Rødhette AS"}, ("E7",), "NBR per 15.01.2024 oppgir Rødhette AS som eier"),
    "P08": (
        {"kommunenr": "3301", "kommune": "Drammen"},
        ("F7",),
        "NBR per 15.01.2024 plasserer virksomheten i Drammen",
    ),
    "C29": ({"employees": "3"}, ("I7",), "men i NBR per 15.01.2024 har virksomheten 3 ansatte"),
}


def test_what_the_register_knows_too_is_accepted_without_a_word(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    known = Known(registers={"units": registered(sender), "owners": {sender.orgnr: NBR}, "grants": {}})

    assert find(form, [report(folder, "rek_privat", 1, sender, [])], known) == [[]]


@pytest.mark.parametrize("rule", REGISTERED)
def test_what_the_register_knows_otherwise_is_asked_about(rule: str, form: Form, folder: Path) -> None:
    changed, cells, words = REGISTERED[rule]
    sender, _ = owner("rek_privat")
    known = Known(registers={"units": registered(sender, **changed)})

    found = find(form, [report(folder, "rek_privat", 1, sender, [])], known)[0]

    assert [(one.rule, one.severity, one.sheet, one.cells) for one in found] == [
        (rule, "warning", "Virksomheter", cells)
    ]
    assert words in found[0].message["nb"]
    assert "{" not in found[0].message["nn"]


def test_a_unit_outside_the_register_is_asked_about_once(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    stranger, _ = owner("rek_privat")

    found = find(form, [report(folder, "rek_privat", 1, sender, [])], Known(registers={"units": registered(stranger)}))[
        0
    ]

    number = sender.units[0].orgnr
    assert told(found) == [
        ("P02", "warning", "Virksomheter", ("C7",),
         f"Vi finner ikke {number} i NBR per 15.01.2024. Er nummeret riktig?"),
    ]  # fmt: skip


def test_an_owner_that_is_no_owner_is_an_error(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")

    found = find(form, [report(folder, "rek_privat", 1, sender, [])], Known(registers={"owners": {"1": NBR}}))[0]

    assert told(found)[0][:4] == ("S05", "error", "Skjema", ("C19",))
    assert told(found)[0][4].startswith(
        f"{sender.orgnr} er ikke registrert som barnehage- eller skoleeier i NBR per 15.01.2024."
    )


def test_units_in_other_counties_are_told_for_information(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    far = registered(sender) | {
        "1": registered(sender)[sender.units[0].orgnr] | {"county": "46", "county_name": "Vestland"}
    }

    found = find(form, [report(folder, "rek_privat", 1, sender, [])], Known(registers={"units": far}))[0]

    assert told(found) == [
        ("S17", "info", "Skjema", ("C19",),
         "NBR per 15.01.2024 viser at dere også har virksomheter i Vestland. Husk å melde behov for dem der."),
    ]  # fmt: skip


def test_grants_are_looked_up_by_reference_and_by_title(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_supplerande")
    supplement = report(folder, "rek_supplerande", 1, sender, [])
    private, _ = owner("rek_privat")
    new = report(folder, "rek_privat", 2, private, [])
    grants = grants_register([Grant("2023/7", private.orgnr, "Trygge relasjonar i lek", "2023")], date(2024, 1, 15))

    first, second = find(form, [supplement, new], Known(registers={"grants": grants}))

    assert told(first)[0] == (
        "S24", "warning", "Skjema", ("C12",),
        "Vi finner ikke 2022/41876 i oversikten vår over tildelinger til dere per 15.01.2024. Er referansen riktig?",
    )  # fmt: skip
    says = "Oversikten vår over tildelinger per 15.01.2024 viser at dere alt har tildeling for 2023 til et lignende"
    assert told(second)[0] == (
        "P22", "warning", "Skjema", ("C34",), f"{says} tiltak (2023/7). Er dette supplerende?",
    )  # fmt: skip


# birth numbers


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("15819567872", "•••••••••••"),
        ("Se 158195 67872.", "Se ••••••••••••."),
        ("15819567871", "15819567871"),  # wrong check digit
        ("158195678720", "158195678720"),  # twelve digits
        ("997058925", "997058925"),
        ("ingen", "ingen"),
    ],
)
def test_a_birth_number_is_masked_wherever_it_stands(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_both_check_digits_count() -> None:
    assert is_birth_number("15819567872")
    assert not is_birth_number("15819567782")


def test_no_part_of_a_birth_number_is_left_after_reading(form: Form, folder: Path) -> None:
    sender, _ = owner("rek_privat")
    text = "Vi har et barn (158195 67872) som trenger støtte i leken, og vi vil lære mer om det sammen."
    taken = report(folder, "rek_privat", 1, sender, [], skjema__lokalt_behov=text)

    answer = taken.answer("skjema.lokalt_behov")
    finding = find(form, [taken])[0][0]

    assert answer is not None
    assert str(answer.value).startswith("Vi har et barn (••••••••••••) som trenger støtte")
    assert (finding.rule, finding.severity, finding.written) == ("C24", "error", answer.raw)
    assert "67872" not in repr(taken) + repr(finding)
