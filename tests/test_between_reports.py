"""What is found between reports: over all that count, whatever the order they came in, and told to those concerned."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outputs.letters.message import read_message
from outputs.mailing.mailroom import letter_list
from outputs.mailing.notices import make_reminders
from outputs.mailing.outbox import make_letters
from outputs.register.decide import Wish, decide
from outputs.register.log import review_findings, reviews
from outputs.register.register import Register
from templates.form import Form
from templates.round import Round
from tests.databases import Places
from tests.made_returns import ACROSS_RULES, EARLY, ERROR, FORM, LATE_FINDING, OWNER, Made, day, make_form

NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
LATER = datetime(2030, 2, 12, 8, tzinfo=UTC)
OTHER, ONE, TWO, FOREIGN = "964952612", "BAT-0001-1", "BAT-0001-2", "BAT-0002-1"
RECIPIENTS = f"""orgnr;navn;type;epost;språk
{OWNER};Ask båtlag;KLUBB;ask@example.no;nb
{OTHER};Hemmelig båtlag;KLUBB;hemmelig@example.no;nb
"""


def made(content: str, report: str, title: str, *boats: str, received: datetime = EARLY, **more: Any) -> Made:  # noqa: ANN401
    rows: Any = tuple({"report": boat, "motor": "SEIL"} for boat in boats)
    owner = OTHER if report == FOREIGN else OWNER
    questions: Any = {"slag": "KLUBB", "tittel": title}
    return replace(Made(content, received, report=report, recipient=owner, questions=questions, table=rows), **more)


FIRST = made("first", ONE, "Ny brygge", "Terna", "Måka")
SAME = made("same", TWO, "Ny  brygge!")
STRANGER = made("stranger", FOREIGN, "Hemmelig tittel", "Måka")
CHANGED = made("changed", TWO, "Noe helt annet", received=day(12))
LATE = made("late", FOREIGN, "Hemmelig tittel", "Terna", received=day(3, month=2), outcome="late",
            findings=(LATE_FINDING,))  # fmt: skip


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return make_form(tmp_path / "form", FORM, ACROSS_RULES)


@pytest.fixture
def round_(tmp_path: Path, places: Places, form: Form) -> Round:
    folder = (tmp_path / form.name).with_name("form").as_posix()
    settings = f'{places.setting()}form = "{folder}"\n[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    (tmp_path / "round.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    return Round(tmp_path)


@pytest.fixture
def register(round_: Round) -> Register:
    return Register.of(round_)


def take_in(register: Register, *batch: Made) -> list[list[str]]:
    verdicts = register.merge([one.verdict() for one in batch], NOW)
    return [[finding.rule for finding in verdict.findings] for verdict in verdicts]


def found(register: Register) -> dict[str, list[tuple[str, tuple[str, ...], str]]]:
    reports = [row["report"] for row in register.reports()]
    return {
        report: [(one.rule, one.cells, one.message["nb"]) for one in findings]
        for report, findings in register.findings_of(reports).items()
    }


def statuses(register: Register) -> dict[str, str]:
    return {row["report"]: row["status"] for row in register.reports()}


def logged(register: Register) -> list[tuple[Any, ...]]:
    query = select(reviews, review_findings).outerjoin(review_findings, review_findings.c.review == reviews.c.id)
    with register.reading() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(reviews.c.id, review_findings.c.position))]


# whatever the order


def splits(batch: Sequence[Made]) -> Iterator[list[Sequence[Made]]]:
    """Split a list into batches in every way."""
    for number in range(len(batch)):
        for cuts in combinations(range(1, len(batch)), number):
            yield [batch[start:end] for start, end in zip([0, *cuts], [*cuts, len(batch)], strict=True)]


def orders(batch: Sequence[Made]) -> Iterable[Sequence[Sequence[Made]]]:
    """Every order, one file at a time, and every split of one order."""
    yield from ([[one] for one in order] for order in permutations(batch))
    yield from splits(batch)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        pytest.param(
            (FIRST, SAME, STRANGER),
            {
                ONE: [("B6", ("B9",), "Båten er meldt av en annen."), ("B5", ("C10",), f"Ligner på {TWO}.")],
                TWO: [("B5", ("C10",), f"Ligner på {ONE}.")],
                FOREIGN: [("B6", ("B8",), "Båten er meldt av en annen.")],
            },
            id="three reports",
        ),
        pytest.param(
            (FIRST, SAME, CHANGED, LATE),
            {
                ONE: [("B6", ("B8",), "Båten er meldt av en annen.")],
                FOREIGN: [("B1", (), "For sent."), ("B6", ("B8",), "Båten er meldt av en annen.")],
            },
            id="a newer version and a late report",
        ),
    ],
)
def test_reports_in_any_order_and_any_batches_give_the_same_findings(
    tmp_path: Path, form: Form, batch: tuple[Made, ...], expected: dict[str, list[tuple[str, tuple[str, ...], str]]]
) -> None:
    for number, split in enumerate(orders(batch)):
        register = Register.open(tmp_path / f"{number}.db", form)
        for part in split:
            take_in(register, *part)

        assert found(register) == expected, split


def test_any_order_gives_the_same_findings_on_either_database(places: Places, form: Form) -> None:
    found_in: list[Any] = []
    for number, order in enumerate(permutations((FIRST, SAME, STRANGER))):
        register = Register.open(places.place(f"order{number}"), form)
        for part in (order[: number % 3], order[number % 3 :]):  # a batch or two
            take_in(register, *part)
        found_in.append(found(register))

    assert {rule for findings in found_in[0].values() for rule, _, _ in findings} == {"B5", "B6"}
    assert found_in == [found_in[0]] * 6


def test_the_run_tells_what_it_found_beside_reports_of_earlier_runs(register: Register) -> None:
    assert take_in(register, FIRST) == [[]]
    assert take_in(register, SAME, STRANGER) == [["B5"], ["B6"]]


def test_a_dry_run_tells_the_same_and_writes_nothing(register: Register) -> None:
    take_in(register, FIRST)
    [verdict] = register.merge([STRANGER.verdict()], NOW, keep=False)

    assert [finding.rule for finding in verdict.findings] == ["B6"]
    assert (logged(register), statuses(register)) == ([], {ONE: "accepted"})


# what comes later


def test_a_finding_that_a_later_report_gives_is_logged_and_changes_how_the_earlier_one_stands(
    register: Register,
) -> None:
    take_in(register, FIRST)
    assert statuses(register) == {ONE: "accepted"}

    take_in(register, STRANGER)

    assert statuses(register) == {ONE: "needs_correction", FOREIGN: "needs_correction"}
    assert len(logged(register)) == 2


def test_what_is_no_longer_found_is_gone_from_the_state_and_stays_in_the_log(register: Register) -> None:
    take_in(register, FIRST, SAME)
    before = logged(register)
    assert set(found(register)) == {ONE, TWO}

    take_in(register, CHANGED)

    assert found(register) == {}
    assert logged(register)[: len(before)] == before


def test_nothing_new_is_logged_when_nothing_changes(register: Register) -> None:
    take_in(register, FIRST, STRANGER)
    before = logged(register)

    take_in(register, FIRST, STRANGER)
    take_in(register, made("far", TWO, "Noe helt annet"))

    assert logged(register) == before


@pytest.mark.parametrize("what", ["reject", "withdraw"])
def test_a_report_that_is_out_is_not_held_against_others(round_: Round, register: Register, what: str) -> None:
    take_in(register, FIRST, STRANGER)

    decide(round_, register, FOREIGN, Wish(what, "", "avtalt", "Kari", NOW))

    assert statuses(register)[ONE] == "accepted"
    assert ONE not in found(register)


def test_answers_in_doubt_are_not_held_against_others(register: Register) -> None:
    take_in(register, FIRST, replace(STRANGER, outcome="quarantined"))

    assert statuses(register) == {ONE: "accepted"}


# what owners are told


def text(round_: Round, letter: dict[str, Any]) -> str:
    part = read_message(round_.folder / letter["path"]).get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


def test_what_a_later_report_shows_reaches_the_owner_in_the_next_letter(round_: Round, register: Register) -> None:
    take_in(register, FIRST)
    assert [letter["kind"] for letter in make_letters(round_, register, NOW)] == ["receipt"]
    take_in(register, STRANGER)

    told = {letter["recipient"]: letter for letter in make_letters(round_, register, LATER)}

    assert {recipient: letter["kind"] for recipient, letter in told.items()} == {
        OWNER: "correction",
        OTHER: "correction",
    }
    words = text(round_, told[OWNER])
    assert "Båten er meldt av en annen." in words
    assert "Vi har gått gjennom listen «Ny brygge» fra Ask båtlag" in words
    assert make_letters(round_, register, LATER) == []


def test_nobody_is_reminded_of_what_a_later_report_shows_before_the_letter_about_it(
    round_: Round, register: Register
) -> None:
    take_in(register, replace(FIRST, outcome="needs_correction", findings=(ERROR,)))
    make_letters(round_, register, NOW)
    take_in(register, STRANGER)
    past = [NOW + timedelta(days=days) for days in (20, 40)]

    assert make_reminders(round_, register, past[0]) == []
    assert len(make_letters(round_, register, past[0])) == 2
    assert [letter["recipient"] for letter in make_reminders(round_, register, past[1])] == [OWNER, OTHER]


def test_a_letter_that_still_waits_gives_way_to_one_with_what_a_later_report_shows(
    round_: Round, register: Register
) -> None:
    settings = (round_.folder / "round.toml").read_text(encoding="utf-8")
    (round_.folder / "round.toml").write_text(f'{settings}[mail]\nhost = "smtp.kontoret.no"\n', encoding="utf-8")
    sending = Round(round_.folder)
    take_in(register, FIRST)
    make_letters(sending, register, NOW)
    take_in(register, STRANGER)

    told = {letter["recipient"]: letter for letter in make_letters(sending, register, LATER)}

    assert [letter["state"] for letter in letter_list(register)] == ["overtaken", "queued", "queued"]
    assert "på nytt" not in text(sending, told[OWNER]), "this is the first that reaches the owner"
    assert make_letters(sending, register, LATER) == []


def test_one_more_question_is_told_though_the_report_stands_as_before(round_: Round, register: Register) -> None:
    take_in(register, FIRST, SAME)
    make_letters(round_, register, NOW)
    take_in(register, replace(SAME, content="third", report="BAT-0001-0"))

    letters = make_letters(round_, register, LATER)

    assert [letter["recipient"] for letter in letters] == [OWNER]
    assert "Ligner på BAT-0001-0." in text(round_, letters[0])


def test_no_letter_tells_of_another_owners_report(round_: Round, register: Register) -> None:
    take_in(register, FIRST)
    take_in(register, STRANGER)

    told = {letter["recipient"]: text(round_, letter) for letter in make_letters(round_, register, NOW)}

    assert not any(secret in told[OWNER] for secret in ("Hemmelig", OTHER, FOREIGN))
    assert not any(secret in told[OTHER] for secret in ("brygge", "Ask", OWNER, ONE))


def test_what_no_longer_is_wrong_is_told_as_in_order(round_: Round, register: Register) -> None:
    take_in(register, FIRST, STRANGER)
    make_letters(round_, register, NOW)
    decide(round_, register, FOREIGN, Wish("reject", "", "avtalt", "Kari", NOW))

    [letter] = make_letters(round_, register, LATER)

    assert (letter["recipient"], letter["kind"]) == (OWNER, "receipt")
