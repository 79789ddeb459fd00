"""Which letter is owed: one for each new state, for each kind of file, and never the same twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intake.submission import Mail
from outputs.letters.message import read_message
from outputs.mailing import mailroom
from outputs.mailing.outbox import make_letters
from outputs.register.decide import Wish, decide
from outputs.register.register import Register
from templates.round import Round, Sent
from tests.made_returns import ERROR, OWNER, REMARK, REPORT, Made, day, make_form
from validation.verdict import Verdict

OTHER = "964952612"
NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
SERVER = '[mail]\nhost = "smtp.kontoret.no"\n'
REASON = {"nb": "Grunnen står her.", "nn": "Grunnen står her."}
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR,))


class Club:
    """A round with two owners: one has two workbooks, the other one."""

    def __init__(self, folder: Path, more: str = "") -> None:
        make_form(folder / "form")
        office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
        text = f'form = "{(folder / "form").as_posix()}"\n{office}{more}'
        (folder / "round.toml").write_text(text, encoding="utf-8")
        rows = f"{OWNER};Ask båtlag;KLUBB;ask@example.no;nb\n{OTHER};Våg båtlag;KLUBB;Vaag@example.no;nn\n"
        (folder / "recipients.csv").write_text(f"orgnr;navn;type;epost;språk\n{rows}", encoding="utf-8")
        self.round = Round(folder)
        sent = (("BAT-0001-1", OWNER, 1, 1), ("BAT-0001-2", OWNER, 1, 2), ("BAT-0002-1", OTHER, 2, 1))
        self.round.write_sent(
            [Sent(report, orgnr, no, copy, "nb", f"{report}.xlsx") for report, orgnr, no, copy in sent]
        )
        for report, *_ in sent:
            (self.round.sent_folder / f"{report}.xlsx").write_bytes(b"workbook")
        self.register = Register.open(self.round.register, self.round.form)
        self.now = NOW

    def take_in(self, *came: Made | Verdict) -> None:
        self.register.merge([one.verdict() if isinstance(one, Made) else one for one in came], self.now)

    def write(self) -> list[dict[str, Any]]:
        self.now += timedelta(hours=1)
        return make_letters(self.round, self.register, self.now)

    def kinds(self) -> list[str]:
        """The kinds of the letters that are written now; nothing more is owed at once after."""
        made = [letter["kind"] for letter in self.write()]
        assert self.write() == []
        return made

    def decide(self, what: str, about: str = "") -> None:
        self.now += timedelta(hours=1)
        decide(self.round, self.register, REPORT, Wish(what, about, f"sak {self.now}", "Kari", self.now))

    def text(self, letter: dict[str, Any]) -> str:
        part = read_message(self.round.folder / letter["path"]).get_body(("plain",))
        assert part is not None
        return " ".join(str(part.get_content()).split())


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return Club(tmp_path)


def refused(code: str, outcome: str = "unreadable", content: str = "bad", sender: str | None = None) -> Verdict:
    source = replace(Made(content, day(9)).source(), sender=sender)
    return Verdict(source, outcome, REASON, None, (), code=code)


def theirs(verdict: Verdict) -> Verdict:
    return replace(verdict, report=REPORT, recipient=OWNER)


def by_mail(verdict: Verdict, message_id: str, came: datetime) -> Verdict:
    """The same file as an attachment of this mail."""
    mail = Mail(message_id, "ask@example.no", "Skjema", None)
    path = Path("inbox") / f"{message_id.strip('<>')}.eml"
    return replace(verdict, source=replace(verdict.source, path=path, received=came, mail=mail))


# each new state


@pytest.mark.parametrize("server", ["", SERVER], ids=["by hand", "by the program"])
def test_what_was_wrong_then_right_and_then_wrong_again_is_told_each_time_once(tmp_path: Path, server: str) -> None:
    club = Club(tmp_path, server)

    def send() -> None:
        with club.register.writing() as connection:
            for number in mailroom.waiting(connection, ("correction", "receipt")):
                mailroom.move(connection, number, "sent", "250 OK", club.now)

    told = []
    club.take_in(WRONG)
    for what in ("accept", "prefer", "withdraw", "accept", "reject", "accept"):
        told.append(club.kinds())
        send()
        if what == "prefer":
            club.take_in(replace(WRONG, content="newer", received=day(20), outcome="accepted", findings=()))
            told.append(club.kinds())
            send()
            club.decide("prefer", "1")
            told.append(club.kinds())
            club.decide("prefer", "2")
        else:
            club.decide(what)
    assert told[0] == ["correction"]
    assert told[1] == ["receipt"]
    assert all(len(kinds) <= 1 for kinds in told)


def test_errors_that_come_back_for_the_same_cause_give_a_letter_again(club: Club) -> None:
    newer = replace(WRONG, content="newer", received=day(20), outcome="accepted", findings=())
    club.take_in(WRONG)
    assert club.kinds() == ["correction"]
    club.take_in(newer)
    assert club.kinds() == ["receipt"]

    club.decide("prefer", "1")
    again = club.write()
    assert [letter["kind"] for letter in again] == ["correction"]
    assert "Vi har gått gjennom listen «wrong»" in club.text(again[0])
    assert club.write() == []
    club.decide("prefer", "2")
    assert club.kinds() == ["receipt"]
    club.decide("prefer", "1")
    assert club.kinds() == ["correction"]


def test_an_owner_hears_that_what_came_late_is_taken_in(club: Club) -> None:
    club.take_in(Made("late", day(3, month=2), "late"))
    assert club.kinds() == ["late"]
    club.decide("accept-late")

    (letter,) = club.write()
    assert letter["kind"] == "receipt"
    assert "Den kom etter fristen, men er tatt med likevel. Alle opplysningene vi trenger, er med." in club.text(letter)


@pytest.mark.parametrize("come", [WRONG, theirs(refused("password"))], ids=["errors", "unreadable"])
def test_a_letter_that_waited_past_the_day_it_tells_is_written_anew_with_another(
    tmp_path: Path, come: Made | Verdict
) -> None:
    club = Club(tmp_path, SERVER)
    club.take_in(come)
    (letter,) = club.write()
    assert "innen mandag 18. februar" in club.text(letter)
    club.now = datetime(2030, 2, 18, 12, tzinfo=UTC)
    assert club.write() == []

    club.now = datetime(2030, 2, 20, 8, tzinfo=UTC)
    (letter,) = club.write()
    assert "innen onsdag 6. mars" in club.text(letter)
    assert club.write() == []
    assert [one["state"] for one in mailroom.letter_list(club.register)] == ["overtaken", "queued"]


def test_a_letter_that_was_sent_is_not_written_anew_when_its_day_has_passed(tmp_path: Path) -> None:
    club = Club(tmp_path, SERVER)
    club.take_in(WRONG)
    club.write()
    with club.register.writing() as connection:
        mailroom.move(connection, 1, "sent", "250 OK", NOW)

    club.now = datetime(2030, 3, 20, 8, tzinfo=UTC)
    assert club.write() == []


# who sent it


@pytest.mark.parametrize(
    ("sender", "address", "told"),
    [
        (None, "ask@example.no", None),
        ("ASK@example.no", "ask@example.no", None),
        ("ola@EXAMPLE.no", "ask@example.no", None),
        ("ola@annet.no", "ask@example.no", ["ola@annet.no"]),
        ("ola@gmail.com", "ask@gmail.com", ["ola@gmail.com"]),
        ("ola@example.no", "ingen", ["ola@example.no"]),
    ],
)
def test_staff_are_told_of_a_sender_that_the_letter_does_not_go_to(
    club: Club, sender: str | None, address: str, told: list[str] | None
) -> None:
    path = club.round.folder / "recipients.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("ask@example.no", address), encoding="utf-8")
    club.take_in(replace(WRONG, sender=sender))

    (letter,) = make_letters(Round(club.round.folder), club.register, NOW)

    assert letter.get("senders") == told
    (event,) = mailroom.letter_history(club.register, 1)["events"]
    assert event["note"] == (f"answers a file from somebody it does not go to: {told[0]}" if told else "")


# files that gave no answers


@pytest.mark.parametrize(
    ("code", "outcome", "kind", "words"),
    [
        ("password", "unreadable", "unreadable", "Vi kan dessverre ikke bruke den slik den er. Grunnen står her."),
        ("sheets_missing", "quarantined", "unreadable", "Send skjemaet på nytt som svar på denne e-posten"),
        ("wrong_form", "quarantined", "wrong_form", "Det er dessverre ikke det skjemaet vi trenger. Grunnen står her."),
        ("unknown_version", "quarantined", "wrong_form", "Skjemaet dere skal bruke, ligger ved."),
        ("empty_return", "empty", "empty", "men ingenting er fylt ut i det. Kan det være at svarene ikke ble lagret"),
    ],
)
def test_each_kind_of_bad_file_has_a_letter_of_its_own(
    club: Club, code: str, outcome: str, kind: str, words: str
) -> None:
    club.take_in(theirs(refused(code, outcome)))

    (letter,) = club.write()
    assert letter["kind"] == kind
    assert words in club.text(letter)
    files = [part.get_filename() for part in read_message(club.round.folder / letter["path"]).iter_attachments()]
    assert files == (["BAT-0001-1.xlsx"] if kind == "wrong_form" else [])


def test_a_file_that_tells_nothing_is_told_to_the_owner_it_came_from(club: Club) -> None:
    club.take_in(refused("pdf", sender="vaag@EXAMPLE.no"))

    (letter,) = club.write()
    assert (letter["recipient"], letter["kind"], letter["to"]) == (OTHER, "unreadable", ["Vaag@example.no"])
    assert "BAT-0002-1" in club.text(letter)  # the only workbook that the owner has
    assert club.write() == []


def test_an_owner_with_several_workbooks_hears_of_the_file_by_its_name(club: Club) -> None:
    club.take_in(refused("pdf", sender="ask@example.no"))

    (letter,) = club.write()
    assert letter["recipient"] == OWNER
    assert "BAT-0001-1" not in club.text(letter)


@pytest.mark.parametrize("code", ["killed_reader", "another_owner", "no_code_likely", "mail_report", ""])
def test_what_is_for_staff_to_see_to_gives_no_letter(club: Club, code: str) -> None:
    club.take_in(refused(code, "quarantined", sender="ask@example.no"))

    assert club.write() == []


@pytest.mark.parametrize("sender", [None, "", "kari@annet.no", "post@kontoret.no"])
def test_a_file_from_an_address_that_is_not_registered_gives_no_letter(club: Club, sender: str | None) -> None:
    club.take_in(refused("pdf", sender=sender))

    assert club.write() == []


def test_an_address_that_two_owners_have_tells_nothing(club: Club) -> None:
    path = club.round.folder / "recipients.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Vaag@", "ask@"), encoding="utf-8")
    shared = Round(club.round.folder)
    club.take_in(refused("pdf", sender="ask@example.no"))

    assert make_letters(shared, club.register, NOW) == []


def test_a_scanned_copy_in_the_same_mail_as_the_workbook_is_not_told_of(club: Club) -> None:
    club.take_in(refused("pdf", sender="ask@example.no"), Made("good", day(9)))

    assert club.kinds() == ["receipt"]


# the same file again


def test_an_owner_that_sends_the_same_file_again_hears_that_nothing_is_changed(club: Club) -> None:
    club.take_in(by_mail(WRONG.verdict(), "<1@ask>", day(9)))
    assert club.kinds() == ["correction"]
    club.take_in(by_mail(WRONG.verdict(), "<2@ask>", day(6, month=2)))

    (letter,) = club.write()
    message = read_message(club.round.folder / letter["path"])
    assert letter["kind"] == "duplicate"
    assert message["In-Reply-To"] == "<2@ask>"
    assert message["Subject"] == "Liste BAT-0001-1: filen er ikke endret, 1 opplysning må rettes innen 18. februar"
    for words in (
        "ingenting er endret",
        "Opplysningen vi ba dere rette, står slik den stod.",
        "Celle C7",
        "Kan det være",
    ):
        assert words in club.text(letter)
    assert club.write() == []


def test_each_mail_with_the_same_file_is_answered_once(club: Club) -> None:
    club.take_in(by_mail(replace(WRONG, outcome="accepted", findings=(REMARK,)).verdict(), "<1@ask>", day(9)))
    assert club.kinds() == ["receipt"]
    for number, came in ((2, day(6, month=2)), (3, day(7, month=2))):
        club.now = came
        club.take_in(by_mail(WRONG.verdict(), f"<{number}@ask>", came))
        assert club.kinds() == ["duplicate"]


def test_the_same_file_twice_before_any_letter_is_told_once(club: Club) -> None:
    club.take_in(*(by_mail(WRONG.verdict(), f"<{number}@ask>", day(8 + number)) for number in (1, 2)))

    assert club.kinds() == ["correction"]


def test_a_copy_that_staff_took_in_is_not_the_owners_doing(club: Club) -> None:
    club.take_in(WRONG)
    assert club.kinds() == ["correction"]
    club.take_in(replace(WRONG, folder="kopi", received=day(20, month=2)))

    assert club.write() == []


def test_the_same_bad_file_again_still_cannot_be_used(club: Club) -> None:
    locked = theirs(refused("password"))
    club.take_in(by_mail(locked, "<1@ask>", day(9)))
    assert club.kinds() == ["unreadable"]
    club.take_in(by_mail(locked, "<2@ask>", day(6, month=2)))

    (letter,) = club.write()
    assert letter["kind"] == "duplicate"
    assert "vi kan fortsatt ikke bruke den. Grunnen står her." in club.text(letter)
