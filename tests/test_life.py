"""The life of a report: what follows what, what counts, and what a person may decide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from outputs.register.decide import Decision, Wish, decide
from outputs.register.life import (
    AS_FOUND,
    AS_RECEIVED,
    ASIDE,
    DECIDING,
    FREE,
    JUDGED,
    REJECTED,
    STATES,
    SUPERSEDED,
    TAKEN,
    TRANSITIONS,
    WITHDRAWN,
    Version,
    rank,
)
from outputs.register.log import decisions
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.round import Round
from tests.databases import Places
from tests.made_returns import ERROR, LATE_FINDING, REMARK, REPORT, Made, day, make_form
from validation.verdict import Verdict

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
FIRST = Made("first", day(10))
WRONG = Made("wrong", day(11), "needs_correction", findings=(ERROR, REMARK))
LATE = Made("late", day(3, month=2), "late", findings=(LATE_FINDING, REMARK))
LATER = Made("later", day(4, month=2), "late", findings=(LATE_FINDING, ERROR))
DOUBTED = Made("doubted", day(20), "quarantined")
Decide = Callable[..., Decision]


@pytest.fixture
def round_(tmp_path: Path, places: Places) -> Round:
    make_form(tmp_path / "form")
    form = f'{places.setting()}form = "{(tmp_path / "form").as_posix()}"\n'
    settings = f'{form}[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    (tmp_path / "round.toml").write_text(settings, encoding="utf-8")
    return Round(tmp_path)


@pytest.fixture
def register(round_: Round) -> Register:
    return Register.of(round_)


@pytest.fixture
def person(round_: Round, register: Register) -> Decide:
    def decides(
        what: str, about: str = "", subject: str = REPORT, reason: str = "avtalt", by: str = "Kari"
    ) -> Decision:
        return decide(round_, register, subject, Wish(what, about, reason, by, NOW))

    return decides


def take_in(register: Register, *made: Made) -> None:
    register.merge([one.verdict() for one in made], NOW)


def states(register: Register) -> list[str]:
    """Read the states of the versions of the report, by number."""
    version = register.current.version
    with register.reading() as connection:
        return list(connection.scalars(select(version.c.outcome).order_by(version.c.number)))


def status(register: Register) -> str:
    return str(register.reports()[0]["status"])


# the table


def test_the_table_speaks_of_states_only_and_every_state_can_be_reached() -> None:
    known = {*STATES, AS_FOUND, AS_RECEIVED}
    assert all({*moves, *moves.values()} <= known for moves in TRANSITIONS.values())

    reached = {to for moves in TRANSITIONS.values() for to in moves.values()}
    assert {*STATES} - {"received"} - {*JUDGED} <= reached


def test_no_state_is_a_dead_end_for_a_person() -> None:
    able = {state for moves in DECIDING.values() for state in moves}

    assert able == {*STATES} - {"received"}


def test_the_program_rejects_and_withdraws_nothing_by_itself() -> None:
    by_itself = {event: moves for event, moves in TRANSITIONS.items() if event not in DECIDING}

    assert not {REJECTED, WITHDRAWN} & {to for moves in by_itself.values() for to in moves.values()}


def version(number: int, outcome: str) -> Version:
    return Version(day(number), "", str(number), REPORT, outcome)


@pytest.mark.parametrize(
    ("outcomes", "rulings", "expected", "counts"),
    [
        (("accepted", "remarks"), {}, [SUPERSEDED, AS_FOUND], 2),
        (("accepted", "late"), {}, [AS_FOUND, "late"], 1),
        (("late", "late"), {}, ["late", "late"], 1),
        (("accepted", "late", "accepted"), {}, [SUPERSEDED, SUPERSEDED, AS_FOUND], 3),
        (("accepted", "quarantined"), {}, [AS_FOUND, "quarantined"], 1),
        (("quarantined", "accepted"), {}, ["quarantined", AS_FOUND], 2),
        (("quarantined",), {}, ["quarantined"], None),
        (("accepted", "late"), {"2": TAKEN}, [SUPERSEDED, AS_FOUND], 2),
        (("accepted", "remarks"), {"1": TAKEN, "2": ASIDE}, [AS_FOUND, SUPERSEDED], 1),
        (("accepted", "remarks"), {"1": ASIDE, "2": REJECTED}, [SUPERSEDED, REJECTED], 2),
        (("accepted",), {"1": WITHDRAWN}, [WITHDRAWN], 1),
        (("accepted", "late"), {"1": WITHDRAWN}, [WITHDRAWN, "late"], 2),
        (("quarantined",), {"1": REJECTED}, [REJECTED], None),
        (("accepted", "late"), {"1": FREE, "2": REJECTED}, [AS_FOUND, REJECTED], 1),
    ],
)
def test_what_counts_follows_from_receipt_and_decisions(
    outcomes: tuple[str, ...], rulings: dict[str, str], expected: list[str], counts: int | None
) -> None:
    standings = rank([version(number, outcome) for number, outcome in enumerate(outcomes, 1)], rulings)

    assert [standing.state for standing in standings] == expected
    assert next((standing.number for standing in standings if standing.counts), None) == counts


# what a person decides


def test_a_late_version_that_is_accepted_counts_and_its_lateness_is_let_off(register: Register, person: Decide) -> None:
    take_in(register, FIRST, LATE)

    done = person("accept-late", reason="strømbrudd")

    assert (done.before, done.now, done.version, done.changed) == ("accepted", "remarks", 2, True)
    assert states(register) == ["superseded", "remarks"]
    assert [(one.severity, one.waiver) for one in register.findings(REPORT)] == [
        ("waived", "strømbrudd (Kari, 01.03.2030)"),
        ("warning", ""),
    ]


def test_a_late_version_that_is_rejected_leaves_the_one_in_time(register: Register, person: Decide) -> None:
    take_in(register, FIRST, LATE)

    person("reject")

    assert states(register) == ["accepted", "rejected"]
    assert register.status_counts()["need_a_person"] == []


def test_what_a_person_took_in_and_rejects_after_all_leaves_things_as_before(
    register: Register, person: Decide
) -> None:
    take_in(register, FIRST, LATE)
    person("prefer", "2")
    assert states(register) == ["superseded", "remarks"]

    person("reject", "2")

    assert states(register) == ["accepted", "rejected"]


def test_a_rejected_report_is_not_replaced_by_its_older_version_but_by_a_new_one(
    register: Register, person: Decide
) -> None:
    take_in(register, FIRST, WRONG)
    person("reject")
    assert states(register) == ["superseded", "rejected"]
    assert status(register) == "rejected"

    take_in(register, Made("third", day(12)))

    assert states(register) == ["superseded", "rejected", "accepted"]


def test_a_withdrawn_report_can_be_taken_up_again(register: Register, person: Decide) -> None:
    take_in(register, FIRST)

    assert person("withdraw").now == "withdrawn"
    assert person("accept").now == "accepted"


def test_a_report_with_errors_that_is_accepted_is_let_off_those_and_no_others(
    register: Register, person: Decide
) -> None:
    take_in(register, WRONG)

    assert person("accept").now == "remarks"
    take_in(register, replace(WRONG, content="again", received=day(12)))

    assert status(register) == "needs_correction", "a new version is judged by itself"


def test_a_waived_rule_is_let_off_in_every_version(register: Register, person: Decide) -> None:
    take_in(register, WRONG)

    done = person("waive", "B2")
    take_in(register, replace(WRONG, content="again", received=day(12)))

    assert (done.rule, done.now) == ("B2", "remarks")
    assert status(register) == "remarks"
    assert [one.severity for one in register.findings(REPORT)] == ["waived", "warning"]


def test_answers_in_doubt_count_once_a_person_believes_them(register: Register, person: Decide) -> None:
    take_in(register, FIRST, DOUBTED)

    assert person("accept").version == 2
    assert states(register) == ["superseded", "accepted"]
    assert register.submission(REPORT).source == DOUBTED.source()


def test_nobody_accepts_a_version_in_vain_beside_a_newer_that_counts(register: Register, person: Decide) -> None:
    take_in(register, DOUBTED, Made("newest", day(25)))
    assert states(register) == ["quarantined", "accepted"]

    with pytest.raises(RefusalError, match=f"version 2 of {REPORT} is newer, and counts; .*decide {REPORT} prefer 1"):
        person("accept")

    assert states(register) == ["quarantined", "accepted"]
    person("prefer", "1")
    assert states(register) == ["accepted", "superseded"]


def test_of_several_versions_a_person_may_prefer_any(register: Register, person: Decide) -> None:
    take_in(register, FIRST, WRONG, LATE, LATER, DOUBTED)

    assert person("prefer", "1").now == "accepted"

    assert states(register) == ["accepted", "superseded", "superseded", "superseded", "superseded"]
    assert person("prefer", LATER.source().sha256[:8]).now == "needs_correction"
    assert states(register)[4] == "needs_correction"


def test_a_file_without_answers_can_be_put_aside(register: Register, person: Decide) -> None:
    unreadable = Verdict(FIRST.source(), "unreadable", {"nb": "En PDF."})
    register.merge([unreadable], NOW)

    done = person("reject", subject=FIRST.source().sha256[:12])

    assert (done.report, done.before, done.now) == (None, "unreadable", "rejected")
    assert register.status_counts()["by_outcome"] == {"rejected": 1}
    assert register.status_counts()["need_a_person"] == []


def test_the_same_decision_again_changes_nothing(register: Register, person: Decide) -> None:
    take_in(register, FIRST, LATE)
    person("accept-late")

    again = person("accept-late")

    assert (again.changed, again.now) == (False, "remarks")
    with register.reading() as connection:
        assert len(connection.execute(select(decisions)).all()) == 1


def test_a_decision_is_logged_with_who_when_and_why(register: Register, person: Decide) -> None:
    take_in(register, FIRST, LATE)
    person("accept-late", reason="strømbrudd", by="Kari Holm")

    with register.reading() as connection:
        [row] = connection.execute(select(decisions)).mappings()
    assert (row["by"], row["reason"], row["at"], row["what"]) == ("Kari Holm", "strømbrudd", NOW, "accept-late")
    assert row["rulings"] == {LATE.source().sha256: "taken"}


REFUSED = {
    "an unknown report": (("accept", "", "BAT-0001-2"), "no report or file «BAT-0001-2». Did you mean «BAT-0001-1»?"),
    "no reason": (("reject", "", REPORT, " "), "a decision needs --reason"),
    "nobody": (("reject", "", REPORT, "avtalt", ""), "a decision needs --by"),
    "a state that does not permit it": (
        ("accept-late", "1"),
        "does not permit «accept-late»; you can «reject», «withdraw», «prefer» or «waive»",
    ),
    "nothing to accept": (("accept",), "BAT-0001-1 is «accepted», and that does not permit «accept»"),
    "which of two": (
        ("accept-late",),
        "2 (late, «late.xlsx»), 3 (late, «later.xlsx»); name one: behov decide BAT-0001-1 accept-late 3",
    ),
    "no version named": (("prefer",), "say which version: behov decide BAT-0001-1 prefer VERSION"),
    "no such version": (("prefer", "9"), "BAT-0001-1 has no version «9»; it has 1 (accepted, «first.xlsx»)"),
    "a rule that found nothing": (("waive", "B9"), "BAT-0001-1 has no finding of the rule «B9»"),
    "the deadline": (("waive", "B1"), "B1 cannot be waived; a late report is taken in with: accept-late"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decided_is_told_with_what_can(name: str, register: Register, person: Decide) -> None:
    asked, said = REFUSED[name]
    take_in(register, FIRST, LATE, LATER)

    with pytest.raises(RefusalError) as refused:
        person(*asked)

    assert said in str(refused.value)
    with register.reading() as connection:
        assert connection.execute(select(decisions)).all() == []


def test_a_file_without_answers_can_be_nothing_else_than_put_aside(register: Register, person: Decide) -> None:
    register.merge([Verdict(FIRST.source(), "unreadable", {"nb": "En PDF."})], NOW)

    with pytest.raises(RefusalError, match="holds no answers, so it can only be put aside"):
        person("accept", subject="first.xlsx")
