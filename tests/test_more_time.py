"""More time for all or for one, and the receipt at the end of the round: who is told, and that nobody is told twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outputs.letters.message import read_message
from outputs.mailing.extend import EXTEND, extend
from outputs.mailing.notices import make_closings, make_extensions
from outputs.register.decide import Wish, decide
from outputs.register.refusals import RefusalError
from outputs.story import story
from templates.round import RoundError
from tests.made_returns import ERROR, LATE_FINDING, OWNER, REPORT, Made, day
from tests.test_notices import AFTER, BEFORE, DUE, OTHER, SERVER, WRONG, Club

LATER = "deadline = 2030-02-15T23:59:59\n"
MARCH = date(2030, 3, 1)


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return Club(tmp_path)


def move_deadline(club: Club, line: str = LATER, more: str = "") -> None:
    club.set(more)
    path = club.folder / "round.toml"
    path.write_text(line + path.read_text(encoding="utf-8"), encoding="utf-8")


def tell(club: Club, now: datetime = AFTER) -> list[dict[str, Any]]:
    return make_extensions(club.round, club.register, now)


def text(club: Club, letter: dict[str, Any]) -> str:
    message = read_message(club.folder / letter["path"])
    part = message.get_body(("plain",))
    assert part is not None
    return f"{message['Subject']} {' '.join(str(part.get_content()).split())}"


def more_time(club: Club, report: str, until: date = MARCH, by: str = "Kari", now: datetime = AFTER) -> dict[str, Any]:
    return extend(club.round, club.register, report, until, Wish(EXTEND, "", "ringte dem", by, now))


# for all


def test_a_deadline_that_is_moved_is_told_once_to_those_with_something_left_to_send(club: Club) -> None:
    club.invite()
    club.take_in(Made("andre", report="BAT-0002-1", recipient=OTHER))
    assert tell(club) == []
    move_deadline(club)

    (letter,) = tell(club)
    assert (letter["recipient"], letter["kind"]) == (OWNER, "extension")
    said = text(club, letter)
    assert said.startswith("Ny frist er 15. februar: «Båtplasser»")
    assert "er utsatt til fredag 15. februar." in said
    assert tell(club) == []
    assert tell(club, AFTER + timedelta(days=3)) == []


def test_a_deadline_that_is_moved_twice_is_told_twice(club: Club) -> None:
    club.invite()
    move_deadline(club)
    assert len(tell(club)) == 2
    move_deadline(club, "deadline = 2030-02-20T12:00:00\n")

    assert len(tell(club)) == 2
    assert tell(club) == []


def test_a_reminder_that_names_the_new_deadline_has_told_it(club: Club) -> None:
    club.invite()
    move_deadline(club)
    assert club.remind(AFTER) == [OWNER, OTHER]

    assert tell(club) == []


@pytest.mark.parametrize("line", ["deadline = 2030-01-25T12:00:00\n", "deadline = 2030-02-03T12:00:00\n"])
def test_an_earlier_deadline_or_one_that_has_passed_gives_nobody_more_time(club: Club, line: str) -> None:
    club.invite()
    move_deadline(club, line)

    assert tell(club) == []


def test_an_invitation_that_still_waits_is_written_anew_with_the_new_deadline(club: Club) -> None:
    club.set(SERVER)
    club.invite()
    move_deadline(club, more=SERVER)

    letters = club.invite()
    assert [text(club, letter)[:28] for letter in letters] == [
        "Svar innen 15. februar: «Båt",
        "Svar innan 15. februar: «Båt",
    ]
    assert tell(club) == []
    assert club.states("invitation") == ["overtaken", "overtaken", "queued", "queued"]


# for one


def test_one_report_gets_more_time_before_it_has_come(club: Club) -> None:
    club.invite()
    done = more_time(club, "bat-0002-1")
    assert done == {
        "report": "BAT-0002-1",
        "until": "2030-03-01T23:59:59+01:00",
        "by": "Kari",
        "reason": "ringte dem",
        "changed": True,
    }

    (letter,) = tell(club)
    assert letter["recipient"] == OTHER
    assert "Ny frist er 1. mars for liste BAT-0002-1" in text(club, letter)
    assert "BAT-0002-1: Ny frist er fredag 1. mars." in text(club, letter)
    assert tell(club) == []
    club.take_in(Made("sein", day(20, month=2), "late", "BAT-0002-1", OTHER, findings=(LATE_FINDING,)))
    assert [row["status"] for row in club.register.reports()] == ["accepted"]


def test_who_has_more_time_is_reminded_of_the_new_deadline_and_not_of_the_old(club: Club) -> None:
    club.take_in(Made())
    more_time(club, "BAT-0002-1")

    reminded = AFTER + timedelta(days=1)
    assert club.remind(reminded) == [OTHER]
    letters = [path.read_bytes() for path in club.round.outbox.glob("*reminder*")]
    assert len(letters) == 1
    assert b"1. mars" in letters[0]
    assert club.remind(DUE) == []
    assert club.remind(datetime(2030, 3, 4, tzinfo=UTC)) == [OTHER]


def test_one_report_gets_more_time_to_be_corrected(club: Club) -> None:
    club.take_in(WRONG)
    club.tell()
    more_time(club, REPORT)

    (letter,) = tell(club)
    assert "Ny frist er 1. mars for liste BAT-0001-1" in text(club, letter)
    assert "BAT-0001-1, «wrong»: Ny frist er fredag 1. mars." in text(club, letter)
    assert OWNER not in club.remind(DUE)


def test_more_time_is_told_in_the_story_with_who_and_why_and_given_once(club: Club) -> None:
    club.take_in(WRONG)
    assert more_time(club, REPORT)["changed"]
    assert not more_time(club, REPORT)["changed"]

    (told,) = story(club.round, club.register, REPORT)["decisions"]
    assert (told["decision"], told["by"], told["reason"]) == ("extend", "Kari", "ringte dem")


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda club: more_time(club, "BAT-0009-1"), "there is no report «BAT-0009-1»"),
        (lambda club: more_time(club, REPORT, date(2030, 1, 25), now=BEFORE), "has until 01.02.2030 already"),
        (lambda club: more_time(club, REPORT, date(2030, 2, 3)), "03.02.2030 has passed"),
        (lambda club: more_time(club, REPORT, by=" "), "more time needs --by"),
        (lambda club: more_time(club, "BAT-0002-1"), "take it in with: behov decide BAT-0002-1 accept-late"),
    ],
)
def test_what_gives_nobody_more_time_is_refused(club: Club, ask: Callable[[Club], object], told: str) -> None:
    club.take_in(Made("sein", day(3, month=2), "late", "BAT-0002-1", OTHER, findings=(LATE_FINDING,)))

    with pytest.raises(RefusalError) as error:
        ask(club)
    assert told in str(error.value)


# the end of the round


def test_each_owner_gets_one_receipt_for_all_that_is_registered(club: Club) -> None:
    club.take_in(Made("right"), Made("second", report="BAT-0001-2", outcome="remarks"))

    (letter,), left = make_closings(club.round, club.register, AFTER)
    assert (letter["recipient"], letter["kind"], left) == (OWNER, "closing", [])
    said = text(club, letter)
    assert said.startswith("Dette har vi registrert: «Båtplasser»")
    assert "- BAT-0001-1, «right»: Alle opplysningene er med. Vi mottok filen torsdag 10. januar kl. 13.00." in said
    assert "- BAT-0001-2, «second»:" in said
    assert make_closings(club.round, club.register, DUE) == ([], [])


def test_who_has_something_that_is_not_settled_gets_the_receipt_later(club: Club) -> None:
    club.take_in(WRONG, Made("sein", day(3, month=2), "late", "BAT-0002-1", OTHER, findings=(LATE_FINDING,)))
    club.tell()
    assert make_closings(club.round, club.register, AFTER) == ([], sorted([OWNER, OTHER]))
    decide(club.round, club.register, "BAT-0002-1", Wish("reject", "", "for seint", "Kari", DUE))

    letters, left = make_closings(club.round, club.register, DUE)
    assert left == []
    assert "Én opplysning ble ikke rettet." in text(club, letters[0])
    assert "BAT-0002-1, «sein»: Ikkje teke med." in text(club, letters[1])


def test_what_changes_after_the_receipt_is_told_again_alone(club: Club) -> None:
    club.take_in(Made("right"), Made("second", report="BAT-0001-2"))
    make_closings(club.round, club.register, AFTER)
    decide(club.round, club.register, REPORT, Wish("withdraw", "", "de ba om det", "Kari", DUE))

    (letter,), _ = make_closings(club.round, club.register, DUE)
    assert "BAT-0001-1, «right»: Trukket tilbake, slik dere ba om." in text(club, letter)
    assert "BAT-0001-2" not in text(club, letter)


def test_a_round_is_not_closed_before_its_deadline(club: Club) -> None:
    with pytest.raises(RoundError, match=r"the deadline is 01\.02\.2030 23:59"):
        make_closings(club.round, club.register, BEFORE)


def test_errors_that_nobody_was_asked_to_correct_keep_the_owner_waiting(club: Club) -> None:
    club.take_in(Made("wrong", outcome="needs_correction", findings=(ERROR,)))

    assert make_closings(club.round, club.register, DUE) == ([], [OWNER])
