"""Invitations and reminders: who gets one, when, and that nobody gets it twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outputs.letters.message import read_message
from outputs.mailing import mailroom
from outputs.mailing.notices import make_invitations, make_reminders
from outputs.mailing.outbox import make_letters
from outputs.register.decide import Wish, decide
from outputs.register.register import Register
from templates.round import Round, RoundError, Sent
from tests.made_returns import ERROR, OWNER, REPORT, Made, day, make_form
from validation.verdict import Verdict

OTHER = "964952612"
BEFORE = datetime(2030, 1, 20, 8, tzinfo=UTC)
AFTER = datetime(2030, 2, 4, 8, tzinfo=UTC)  # the deadline is 1 February
DUE = datetime(2030, 2, 19, 8, tzinfo=UTC)  # what is asked for on 4 February is due on the 18th
SERVER = '[mail]\nhost = "smtp.kontoret.no"\n'
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR,))
LOCKED = Verdict(Made("locked").source(), "unreadable", {"nb": "Passord."}, None, (), REPORT, OWNER)


class Club:
    """A round with two owners, who have got two workbooks and one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_form(folder / "form")
        self.set("")
        rows = f"{OWNER};Ask båtlag;KLUBB;ask@example.no;nb\n{OTHER};Våg båtlag;KLUBB;vaag@example.no;nn\n"
        (folder / "recipients.csv").write_text(f"orgnr;navn;type;epost;språk\n{rows}", encoding="utf-8")
        self.send_out((OWNER, 1, 1), (OWNER, 1, 2), (OTHER, 2, 1))
        self.register = Register.open(self.round.register, self.round.form)

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def set(self, more: str) -> None:
        office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
        text = f'form = "{(self.folder / "form").as_posix()}"\n{office}{more}'
        (self.folder / "round.toml").write_text(text, encoding="utf-8")

    def send_out(self, *workbooks: tuple[str, int, int], content: bytes = b"workbook") -> None:
        lines = [
            Sent(f"BAT-000{number}-{copy}", orgnr, number, copy, "nb", f"{orgnr}-BAT-000{number}-{copy}.xlsx")
            for orgnr, number, copy in workbooks
        ]
        self.round.write_sent(lines)
        for line in lines:
            (self.round.sent_folder / line.file).write_bytes(content)

    def take_in(self, *came: Made | Verdict) -> None:
        self.register.merge([one.verdict() if isinstance(one, Made) else one for one in came], AFTER)

    def invite(self) -> list[dict[str, Any]]:
        return make_invitations(self.round, self.register, BEFORE)

    def remind(self, now: datetime) -> list[str]:
        return [letter["recipient"] for letter in make_reminders(self.round, self.register, now)]

    def tell(self, now: datetime = AFTER) -> None:
        make_letters(self.round, self.register, now)

    def states(self, kind: str) -> list[str]:
        return [letter["state"] for letter in mailroom.letter_list(self.register) if letter["kind"] == kind]

    def files(self, letter: dict[str, Any]) -> dict[str | None, Any]:
        message = read_message(self.folder / letter["path"])
        return {file.get_filename(): file.get_content() for file in message.iter_attachments()}


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return Club(tmp_path)


# invitations


def test_each_recipient_gets_one_invitation_with_all_its_workbooks(club: Club) -> None:
    first, second = club.invite()

    assert {key: first[key] for key in ("recipient", "kind", "to", "state")} == {
        "recipient": OWNER,
        "kind": "invitation",
        "to": ["ask@example.no"],
        "state": "queued",
    }
    assert club.files(first) == {f"{OWNER}-BAT-0001-{copy}.xlsx": b"workbook" for copy in (1, 2)}
    assert read_message(club.folder / second["path"])["Subject"] == "Svar innan 1. februar: «Båtplassar»"


def test_a_later_workbook_is_the_only_one_in_a_second_invitation(club: Club) -> None:
    club.invite()
    assert club.invite() == []
    club.send_out((OWNER, 1, 1), (OWNER, 1, 2), (OWNER, 1, 3), (OTHER, 2, 1))

    (letter,) = club.invite()
    assert list(club.files(letter)) == [f"{OWNER}-BAT-0001-3.xlsx"]


def test_a_workbook_made_anew_gives_no_second_invitation(club: Club) -> None:
    club.invite()
    club.send_out((OWNER, 1, 1), (OWNER, 1, 2), (OTHER, 2, 1), content=b"anew")

    assert club.invite() == []


def test_an_invitation_that_still_waits_to_be_sent_gets_the_workbook_made_anew(club: Club) -> None:
    club.set(SERVER)
    club.invite()
    club.send_out((OWNER, 1, 1), (OWNER, 1, 2), (OTHER, 2, 1), content=b"anew")

    letters = club.invite()
    assert [set(club.files(letter).values()) for letter in letters] == [{b"anew"}, {b"anew"}]
    assert club.states("invitation") == ["overtaken", "overtaken", "queued", "queued"]


def test_a_workbook_that_is_gone_is_told(club: Club) -> None:
    next(club.round.sent_folder.glob("*.xlsx")).unlink()

    with pytest.raises(RoundError, match="make it again with: behov send-out"):
        club.invite()


# those who have not answered


def test_who_has_not_answered_is_reminded_once_before_and_once_after_the_deadline(club: Club) -> None:
    club.take_in(Made())

    assert club.remind(BEFORE) == [OTHER]
    assert club.remind(BEFORE + timedelta(days=5)) == []
    assert club.remind(AFTER) == [OTHER]
    assert club.remind(DUE) == []


def test_a_reminder_carries_the_workbook_again(club: Club) -> None:
    _, letter = make_reminders(club.round, club.register, BEFORE)

    assert list(club.files(letter)) == [f"{OTHER}-BAT-0002-1.xlsx"]


def test_a_new_deadline_is_a_new_stage(club: Club) -> None:
    club.remind(BEFORE)
    text = (club.folder / "round.toml").read_text(encoding="utf-8")
    (club.folder / "round.toml").write_text(f"deadline = 2030-03-01T12:00:00\n{text}", encoding="utf-8")

    assert club.remind(AFTER) == [OWNER, OTHER]


def test_who_has_sent_something_we_cannot_read_has_answered(club: Club) -> None:
    club.take_in(LOCKED)

    assert club.remind(BEFORE) == [OTHER]


def test_answers_that_a_person_has_believed_are_an_answer(club: Club) -> None:
    doubted = replace(
        Made("andre", day(30), "quarantined", report="BAT-0002-1", recipient=OTHER).verdict(), recipient=None
    )
    club.take_in(Made("right"), doubted)
    assert club.remind(BEFORE) == [OTHER], "whose it is nobody knows"

    decide(club.round, club.register, "BAT-0002-1", Wish("accept", "", "ringte dem", "Kari", AFTER))

    assert club.remind(AFTER) == []


# those who have not corrected


@pytest.mark.parametrize("came", [WRONG, LOCKED], ids=["errors", "unreadable"])
def test_who_has_not_corrected_in_time_is_reminded_once(club: Club, came: Made | Verdict) -> None:
    club.take_in(came, Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()

    assert club.remind(AFTER) == []
    assert club.remind(DUE) == [OWNER]
    assert club.remind(DUE + timedelta(days=30)) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_a_reminder_of_corrections_carries_the_workbook_of_the_letter_again(club: Club, *, is_there: bool) -> None:
    club.take_in(replace(LOCKED, code="wrong_form"), Made("andre", report="BAT-0002-1", recipient=OTHER))
    asked, _ = make_letters(club.round, club.register, AFTER)
    files = club.files(asked)
    assert list(files) == [f"{OWNER}-{REPORT}.xlsx"]
    if not is_there:
        (club.folder / asked["path"]).unlink()

    [letter] = make_reminders(club.round, club.register, DUE)

    assert club.files(letter) == (files if is_there else {})
    part = read_message(club.folder / letter["path"]).get_body(("plain",))
    assert part is not None
    assert ("ligger ved på nytt" in part.get_content()) == is_there


def test_who_has_corrected_is_not_reminded(club: Club) -> None:
    club.take_in(WRONG, Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()
    club.take_in(Made("right", day(12, month=2)))

    assert club.remind(DUE) == []


def test_who_has_a_version_that_counts_is_not_reminded_of_a_bad_file_that_came_later(club: Club) -> None:
    club.take_in(Made("right"), Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.take_in(replace(LOCKED, source=replace(LOCKED.source, received=day(12))))
    club.tell()

    assert club.states("unreadable") == ["queued"]
    assert club.remind(DUE) == []


def test_what_a_person_has_let_off_is_not_asked_for_in_a_reminder(club: Club) -> None:
    more = replace(ERROR, rule="B4")
    club.take_in(replace(WRONG, findings=(ERROR, more)), Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()
    decide(club.round, club.register, REPORT, Wish("waive", "B4", "avtalt", "Kari", AFTER))

    [letter] = make_reminders(club.round, club.register, DUE)

    part = read_message(club.folder / letter["path"]).get_body(("plain",))
    assert part is not None
    assert "Én opplysning må rettes." in part.get_content()


def test_a_second_correction_deadline_is_a_new_stage(club: Club) -> None:
    club.take_in(WRONG, Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()
    assert club.remind(DUE) == [OWNER]
    club.take_in(Made("still wrong", day(18, month=2), "needs_correction", findings=(ERROR,)))
    club.tell(DUE)

    assert club.remind(DUE) == []
    assert club.remind(DUE + timedelta(days=30)) == [OWNER]


def test_who_never_got_the_letter_is_not_reminded_of_it(club: Club) -> None:
    club.set(SERVER)
    club.take_in(WRONG, Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()
    assert club.remind(DUE) == []  # it waits in the queue

    with club.register.writing() as connection:
        mailroom.move(connection, 1, "sent", "250 OK", AFTER)
    assert club.remind(DUE) == [OWNER]


def test_a_reminder_is_taken_back_when_the_answer_comes_before_it_is_sent(club: Club) -> None:
    club.set(SERVER)
    club.remind(BEFORE)
    club.take_in(Made())

    assert club.remind(BEFORE) == []
    assert club.states("reminder") == ["overtaken", "queued"]
