"""Every rule of behovsmelding-2024 speaks in some case, as tests/expected/findings.txt says it word for word."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from outputs.register.register import TEXTS, Register
from templates.definition import FORMS, bound_rules
from templates.rules.named_checks import NAMED_CHECKS
from templates.texts import load_texts
from tests.cases import DISAGREEMENTS, cases, told_without_registers
from tests.file_cases import NOW, SAMPLE, file_cases
from tests.golden import COMMAND, EXPECTED, name_of, page
from tests.reports import FORM, LANGUAGES, report
from validation.check import REASONS, judge
from validation.checks import sheet_checks
from validation.compile import Scope
from validation.frames import make_frames
from validation.known import NOTHING, unchecked

LIST_DAY = f"{FORM.file.lists['uh_institusjoner'].dated:%d.%m.%Y}"
DAY = re.compile(r"\d\d\.\d\d\.\d{4}")
# Rules that give no finding, and who sees to them instead.
SILENT = {
    "C01": "intake",
    "C02": "intake",
    "C03": "intake",
    "C20": "intake and the register",
    "C21": "the register",
    "C22": "the register",
}
OF_THE_FILE = {
    "P24",
    "C04",
    "C04.fane",
    "C05",
    "C28",
    "C28.skjult",
    "C28.skjult_fane",
    "C28.slatt_sammen",
    "C28.kommentar",
    "C30",
}  # fmt: skip; rules on what no answers tell
# Rules of every form that this form gives no occasion for.
NO_OCCASION = {
    "not_offered": "every question whose choices depend on another answer is open",
    "max": "no question has a greatest value",
    "min_length": "no question has a least length",
    "formula": "the samples are filled in by a program that calculates; tests/hostile.py has one that is not",
    "damaged": "the samples are whole workbooks; tests/hostile.py has damaged cells",
}
# Rules that speak when their register is imported, which no round does yet.
WAITING = {
    "S05": "owners", "S17": "units", "S24": "grants", "P22": "grants", "P02": "units", "P03": "units", "P04": "units",
    "P05": "units", "P08": "units", "C29": "units",
}  # fmt: skip


def test_what_is_told_is_what_is_expected() -> None:
    expected = EXPECTED.read_text(encoding="utf-8")

    assert page() == expected, f"run: {COMMAND}, and read what changed in {EXPECTED.name}"


def test_a_case_tells_of_its_own_rule_and_of_nothing_else() -> None:
    wrong = {
        (case.rule, case.done, language): [name_of(found) for found in told]
        for case in cases()
        for language, told in case.told.items()
        if {name_of(found) for found in told} != {case.rule}
    }

    assert wrong == {}


def test_every_part_of_every_rule_has_a_failing_case_or_a_reason_to_have_none() -> None:
    spoke = {case.rule for case in cases()}
    every = {rule.name for rule in FORM.rules}

    assert every - spoke == SILENT.keys() | NO_OCCASION.keys() | OF_THE_FILE
    assert spoke <= every


def test_what_a_register_says_is_told_with_its_day() -> None:
    """P21 asks a list that comes with the form."""
    said = {
        case.rule: {day for found in told for words in found.message.values() for day in DAY.findall(words)}
        for case in cases()
        for told in case.told.values()
        if case.rule in {"P21", *WAITING}
    }

    assert said == {"P21": {LIST_DAY}} | {rule: {"15.01.2024"} for rule in WAITING}


def test_a_list_that_has_changed_has_another_day() -> None:
    """Write both anew when the list is: rule P21 tells owners the day."""
    content = (FORMS / FORM.name / "lists" / "uh_institusjoner.csv").read_text(encoding="utf-8")

    assert (sha256(content.encode()).hexdigest()[:8], LIST_DAY) == (
        "df40ffec",
        "23.11.2026",
    )


def test_a_case_tells_the_same_in_both_languages() -> None:
    """Rule and severity, and the same cells; the tabs have names of their own."""
    for case in cases():
        first, second = ([(name_of(one), one.severity, one.cells) for one in told] for told in case.told.values())
        assert first == second, case.done


# rules that give no finding


def test_the_rules_without_findings_are_those_that_somebody_else_sees_to() -> None:
    elsewhere = {rule.name: NAMED_CHECKS[rule.check].where for rule in FORM.rules if rule.check}

    assert {name: where for name, where in elsewhere.items() if where} == SILENT
    assert {case.rule for case in file_cases()} == SILENT.keys() | OF_THE_FILE, (
        "each of them has a file that it is about"
    )


def test_the_reason_for_a_file_is_one_of_the_rule_it_is_about() -> None:
    reasons = {rule.name: NAMED_CHECKS[rule.check].reasons for rule in FORM.rules if rule.check}
    about = {case.rule: case.reason for case in file_cases() if case.reason}

    assert about.keys() == SILENT.keys()
    assert {rule for rule, reason in about.items() if reason not in reasons[rule]} == set()


def test_a_reason_belongs_to_one_check_and_is_in_the_catalogue_of_texts() -> None:
    every = [reason for check in NAMED_CHECKS.values() for reason in sorted(check.reasons)]

    assert len(every) == len(set(every))
    assert set(every) <= {*load_texts(REASONS).entries, *load_texts(TEXTS).entries}


def test_a_file_with_nothing_wrong_gets_no_reason_alone_or_in_the_register(tmp_path: Path) -> None:
    alone = judge([report(SAMPLE, LANGUAGES[0])], FORM)

    merged = Register.open(tmp_path / "register.db", FORM).merge(alone, NOW)

    assert [(one.outcome, one.reason, one.findings) for one in (*alone, *merged)] == [("accepted", {}, ())] * 2


def test_no_file_makes_a_rule_without_findings_speak() -> None:
    told = {name_of(found) for case in file_cases() for found in case.verdict.findings}

    assert told == {"S36"} | OF_THE_FILE, "S36: the version that came late"


def test_a_rule_that_this_form_gives_no_occasion_for_is_never_checked() -> None:
    frames = make_frames(FORM, [])
    sheets = [(sheet, Scope(frames, sheet.key)) for sheet in FORM.sheets.values()]
    checks = [check for sheet, scope in sheets for check in sheet_checks(FORM, bound_rules(FORM), scope, sheet)]

    assert {cause.rule.name for _, cause in checks} & NO_OCCASION.keys() == set()


def test_a_rule_without_its_register_is_said_to_be_unchecked_and_finds_nothing() -> None:
    waiting = {name: f"the register «{register}» is not imported" for name, register in WAITING.items()}

    assert dict(unchecked(FORM, NOTHING)) == waiting
    assert {one.rule for one in DISAGREEMENTS} == WAITING.keys()
    assert list(told_without_registers(LANGUAGES[0])) == [[] for _ in DISAGREEMENTS]


# the words

UNFILLED = re.compile(r"[{}]|«\s*»|\(\s*\)|  |\s[.,:;?!)»](?!\w)|[(«]\s|\bNone\b|\bnan\b")
KEY = re.compile(r"\w_\w")
SENTENCES = re.compile(r"[«\w].*[.?!]", re.DOTALL)


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """Everything said in any case, in both languages of both workbooks."""
    findings = [found for case in cases() for told in case.told.values() for found in told]
    said = [found.message for found in findings] + [case.verdict.reason for case in file_cases()]
    return {text for message in said for text in message.values()}


def codes() -> Iterator[str]:
    """The codes of choices that no owner sees: capital letters that are no label."""
    for choices in FORM.file.choices:
        options = FORM.options(choices)
        labels = {label for texts in options.values() for label in texts.values()}
        yield from (code for code in options if code.isupper() and len(code) > 2 and code not in labels)


def test_every_message_is_there_in_every_language() -> None:
    languages = {tuple(found.message) for case in cases() for told in case.told.values() for found in told}

    assert languages == {LANGUAGES}


def test_no_text_has_a_hole_or_a_key_in_it(texts: set[str]) -> None:
    assert [text for text in texts if UNFILLED.search(text) or KEY.search(text)] == []


def test_no_text_says_a_code_that_owners_do_not_see(texts: set[str]) -> None:
    hidden = re.compile(rf"\b(?:{'|'.join(set(codes()))})\b")

    assert hidden.search("REK")
    assert [text for text in texts if hidden.search(text)] == []


def test_every_text_is_whole_sentences_without_blanks_around_them(texts: set[str]) -> None:
    assert [text for text in texts if text != text.strip() or not SENTENCES.fullmatch(text)] == []
