"""The same file by another way: who knows best when it was received decides, whatever came first."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from intake.submission import FILE_CLOCK, MAIL_SERVER, STATED, Return
from outputs.care.verify import current_state, verify
from outputs.mailing.mailroom import letter_list
from outputs.mailing.outbox import make_letters
from outputs.register.decide import Wish, decide
from outputs.register.register import Register
from templates.form import Form
from templates.round import Round
from tests.databases import Places
from tests.made_returns import FULL, OWNER, REPORT, day, make_form
from tests.test_upkeep import make_round, original, take_in
from validation.check import judge
from validation.verdict import Verdict

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
LATE, TIMELY = day(3, month=2), day(20)
SENT = replace(FULL, content="sendt")
SUBMISSION = SENT.submission()


def came(received: datetime, clock: str, path: str = "inbox/full.xlsx") -> Return:
    return Return(Path(path), SENT.source().sha256, received, "post@example.no", clock)


GUESSED_LATE = came(LATE, FILE_CLOCK)
BY_MAIL = came(TIMELY, MAIL_SERVER, "inbox/svar.eml/full.xlsx")
LATER_MAIL = came(day(25), MAIL_SERVER, "inbox/purring.eml/full.xlsx")
GUESSED_EARLY = came(day(5), FILE_CLOCK, "inbox/gammel/full.xlsx")
LATE_MAIL = came(LATE, MAIL_SERVER, "inbox/sen.eml/full.xlsx")
STATED_LATE = came(day(2, month=2), STATED, "inbox/levert.xlsx")


def take(register: Register, *sources: Return) -> list[str]:
    judged = [judge([replace(SUBMISSION, source=source)], register.form)[0] for source in sources]
    return [verdict.outcome for verdict in register.merge(judged, NOW)]


def state(register: Register) -> Any:  # noqa: ANN401 - anything to compare
    with register.reading() as connection:
        return current_state(register, connection), register.status_counts(), register.findings(REPORT)


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return make_form(tmp_path / "form")


@pytest.fixture
def register(places: Places, form: Form) -> Register:
    return Register.open(places.place(), form)


def test_a_file_that_was_late_by_a_guess_is_in_time_when_a_timely_mail_brings_it(register: Register) -> None:
    assert take(register, GUESSED_LATE) == ["late"]

    assert take(register, BY_MAIL) == ["duplicate"]

    [row] = register.reports()
    assert (row["status"], row["received"], row["versions"]) == ("accepted", TIMELY, 1)
    assert register.findings(REPORT) == ()
    assert register.submission(REPORT).source.clock == MAIL_SERVER
    assert register.status_counts()["need_a_person"] == []


def test_a_file_that_was_in_time_by_a_guess_is_late_when_the_mail_tells_so(register: Register) -> None:
    assert take(register, GUESSED_EARLY, STATED_LATE) == ["duplicate", "late"]
    assert take(register, LATE_MAIL) == ["duplicate"]
    assert [finding.rule for finding in register.findings(REPORT)] == ["B1"]
    assert register.reports()[0]["received"] == STATED_LATE.received


def test_of_an_empty_file_that_was_in_time_after_all_nothing_is_found(register: Register) -> None:
    empty = Verdict(GUESSED_LATE, "empty", {"nb": "Tomt"}, report=REPORT, recipient=OWNER, code="empty_return")

    register.merge([empty], NOW)
    register.merge([Verdict(BY_MAIL, "duplicate")], NOW)

    assert set(register.findings_in([SENT.source().sha256]).values()) <= {()}


def test_a_time_that_tells_no_better_changes_nothing(register: Register) -> None:
    take(register, BY_MAIL)
    before = state(register)

    assert take(register, GUESSED_EARLY) == take(register, LATER_MAIL) == ["duplicate"]
    assert state(register) == before


@pytest.mark.parametrize(
    "sources",
    [(GUESSED_LATE, BY_MAIL, LATER_MAIL), (GUESSED_EARLY, LATE_MAIL, STATED_LATE), (GUESSED_EARLY, GUESSED_LATE)],
    ids=["in time after all", "late after all", "guesses alone"],
)
def test_one_file_by_several_ways_in_any_order_and_any_batches_gives_the_same_state(
    tmp_path: Path, form: Form, sources: Sequence[Return]
) -> None:
    states = []
    for number, order in enumerate(permutations(sources)):
        for together in (True, False):
            register = Register.open(tmp_path / f"{number}{together}.db", form)
            for batch in [order] if together else [[one] for one in order]:
                take(register, *batch)
            before = state(register)
            register.rebuild()
            assert state(register) == before
            states.append(before)

    assert all(one == states[0] for one in states)


def test_a_file_in_doubt_stays_so_whenever_it_came(register: Register) -> None:
    doubted = Verdict(GUESSED_LATE, "quarantined", {"nb": "Hvem?"}, SUBMISSION, (), REPORT, SUBMISSION.recipient)
    register.merge([doubted], NOW)

    take(register, BY_MAIL)

    [waiting] = register.status_counts()["need_a_person"]
    assert (waiting["outcome"], waiting["reason"], waiting["path"]) == ("quarantined", "Hvem?", str(BY_MAIL.path))


def test_what_a_person_decided_holds_whenever_it_came(tmp_path: Path, places: Places) -> None:
    round_ = make_round(tmp_path, places)
    register = Register.of(round_)
    take(register, GUESSED_LATE)
    number = str(next(one["number"] for one in rows(register) if one["sha256"] == GUESSED_LATE.sha256))
    decide(round_, register, REPORT, Wish("reject", number, "etter avtale", "Kari", NOW))

    take(register, BY_MAIL)

    assert next(one["outcome"] for one in rows(register) if one["sha256"] == BY_MAIL.sha256) == "rejected"


def rows(register: Register) -> list[Any]:
    with register.reading() as connection:
        return list(connection.execute(register.current.version.select()).mappings())


def test_the_owner_and_staff_are_told_that_it_came_in_time_after_all(tmp_path: Path) -> None:
    round_ = make_round(tmp_path, Places(tmp_path))
    take_in(round_, replace(SENT, received=LATE, outcome="late", report="BAT-0001-5"))
    make_letters(round_, Register.of(round_), NOW)
    told = len(letter_list(Register.of(round_)))

    Register.of(round_).merge([Verdict(BY_MAIL, "duplicate")], NOW)

    assert len(make_letters(round_, Register.of(round_), NOW)) == 1
    assert len(letter_list(Register.of(round_))) == told + 1
    told_all = CliRunner().invoke(cli.main, ["--round", str(round_.folder), "show", "BAT-0001-5"])
    assert told_all.exit_code == 0, told_all.stderr
    shown = told_all.stdout
    assert f"received 20.01.2030 13:00 after all, as {BY_MAIL.path} tells  (complete)" in shown
    as_json = CliRunner().invoke(cli.main, ["--round", str(round_.folder), "show", "BAT-0001-5", "--json"]).stdout
    assert [one["clock"] for one in json.loads(as_json)["files"][0]["retimed"]] == [MAIL_SERVER]
    assert original(round_, SENT).exists()
    assert verify(Round(round_.folder), Register.of(round_)) == []
