"""The states of letters, and what a person says of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from outputs.letters.message import read_message
from outputs.mailing import mailroom
from outputs.mailing.mailroom import OutboxError, bounced, letter_history, letter_list, message_of, settle
from outputs.mailing.orders import Order, edit, obey
from outputs.mailing.outbox import make_letters
from outputs.register.case_log import letters_sent
from outputs.register.letter_states import ORDERS, STATES
from outputs.register.log import letter_ids, letter_orders, letters
from outputs.register.register import Register
from templates.round import Round
from tests.made_returns import ERROR, OWNER, Made, day, make_form

NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
OTHER = "964952612"
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR,))
SERVER = '[mail]\nhost = "smtp.kontoret.no"\n'


class Office:
    """A round with a letter to each of two owners."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_form(folder / "form")
        self.set("")
        self.register_address("ask@example.no")
        self.register = Register.open(self.round.register, self.round.form)
        self.take_in(WRONG, Made("andre", report="BAT-0002-1", recipient=OTHER))
        self.write()

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def set(self, more: str) -> None:
        office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
        text = f'form = "{(self.folder / "form").as_posix()}"\n{office}{more}'
        (self.folder / "round.toml").write_text(text, encoding="utf-8")

    def register_address(self, email: str) -> None:
        rows = f"{OWNER};Ask båtlag;KLUBB;{email};nb\n{OTHER};Våg båtlag;KLUBB;vaag@example.no;nn\n"
        (self.folder / "recipients.csv").write_text(f"orgnr;navn;type;epost;språk\n{rows}", encoding="utf-8")

    def take_in(self, *made: Made) -> None:
        self.register.merge([one.verdict() for one in made], NOW)

    def write(self) -> list[dict[str, Any]]:
        return make_letters(self.round, self.register, NOW)

    def put(self, state: str, number: int = 1) -> None:
        with self.register.writing() as connection:
            mailroom.move(connection, number, state, "", NOW)

    def say(self, what: str, *numbers: int) -> None:
        obey(self.round, self.register, numbers, Order(what, "Kari", "fordi", NOW))

    def states(self) -> list[str]:
        return [letter["state"] for letter in letter_list(self.register)]

    def text(self, letter: dict[str, Any]) -> str:
        part = read_message(self.folder / letter["path"]).get_body(("plain",))
        assert part is not None
        return " ".join(str(part.get_content()).split())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


# a person's word


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", ORDERS)
def test_a_person_can_say_what_makes_sense_of_a_letter_and_nothing_else(office: Office, what: str, state: str) -> None:
    allowed, becomes = ORDERS[what]
    office.put(state)

    if state in allowed:
        office.say(what, 1)
        assert office.states() == [becomes, "queued"]
    else:
        with pytest.raises(OutboxError, match=f"letter 1 is {state}"):
            office.say(what, 1)
        assert office.states() == [state, "queued"]


def test_a_letter_in_flight_is_nobodys_to_command() -> None:
    assert all("sending" not in allowed for allowed, _ in ORDERS.values())


def test_who_said_it_and_why_is_kept(office: Office) -> None:
    office.say("hold", 1)

    told = letter_history(office.register, 1)
    assert told["orders"] == [{"what": "hold", "by": "Kari", "reason": "fordi", "at": NOW.isoformat()}]
    assert [(event["state"], event["note"]) for event in told["events"]] == [
        ("queued", ""),
        ("held", "hold: fordi (Kari)"),
    ]


@pytest.mark.parametrize(("by", "reason"), [("", "fordi"), ("Kari", " ")])
def test_a_word_without_a_name_and_a_reason_is_not_obeyed(office: Office, by: str, reason: str) -> None:
    with pytest.raises(OutboxError, match="say who and why"):
        obey(office.round, office.register, [1], Order("hold", by, reason, NOW))
    assert office.states() == ["queued", "queued"]


def test_a_letter_that_staff_mail_opens_ready_to_be_sent(office: Office) -> None:
    path = office.folder / letter_list(office.register)[0]["path"]
    assert read_message(path)["X-Unsent"] == "1"

    office.set(SERVER)
    with office.register.reading() as connection:
        row = connection.execute(select(letters)).mappings().first()
    assert row is not None
    assert message_of(office.round, row)["X-Unsent"] is None, "the program sends it itself"


def test_letters_that_staff_mailed_are_sent_once_somebody_says_so(office: Office) -> None:
    office.put("held", 2)
    obey(office.round, office.register, [], Order("mailed", "Kari", "", NOW))

    assert office.states() == ["sent", "held"], "without a number: every letter that waits"
    assert letter_history(office.register, 1)["events"][-1]["note"] == "mailed (Kari)"
    assert office.write() == [], "its owner has been told"
    with office.register.reading() as connection:
        assert [(at, row["id"]) for at, row in letters_sent(connection)] == [(NOW, 1)], "it goes on the journal list"

    obey(office.round, office.register, [2], Order("mailed", "Kari", "som brev i posten", NOW))
    assert office.states() == ["sent", "sent"]


@pytest.mark.parametrize("more", ["", SERVER])
def test_letters_that_wait_are_written_again_when_somebody_says_so(office: Office, more: str) -> None:
    office.set(more)
    office.put("held", 2)
    assert office.write() == []

    obey(office.round, office.register, [], Order("renew", "Kari", "feil frist", NOW))

    assert office.states() == ["overtaken", "held"], "without a number: every letter that waits"
    assert [letter["recipient"] for letter in office.write()] == [OWNER]
    assert office.states() == ["overtaken", "held", "queued"]
    paths = [letter["path"] for letter in letter_list(office.register)]
    assert sorted(path.relative_to(office.folder).as_posix() for path in office.folder.rglob("*.eml")) == sorted(paths)
    assert [path.partition("/")[2].startswith("replaced/") for path in paths] == [True, False, False]


@pytest.mark.parametrize(
    ("more", "numbers", "by", "sentence"),
    [
        (SERVER, [], "Kari", "say which letters, by number: behov outbox mailed NUMBER …; behov outbox lists them"),
        ("", [], " ", "say who mailed them: behov outbox mailed … --by NAME"),
        ("", [1], "", "say who mailed them: behov outbox mailed … --by NAME"),
        ("", [3], "Kari", "there is no letter 3; behov outbox lists them"),
    ],
)
def test_what_is_said_to_be_mailed_must_be_clear(
    office: Office, more: str, numbers: list[int], by: str, sentence: str
) -> None:
    office.set(more)

    with pytest.raises(OutboxError, match=sentence.replace("…", ".")):
        obey(office.round, office.register, numbers, Order("mailed", by, "", NOW))
    assert office.states() == ["queued", "queued"]


# other words


def reword(office: Office, words: str | None, number: int = 1) -> str:
    """Let a person put other words in the place of a letter's; gives those that were there."""
    seen: list[str] = []

    def rewrite(before: str) -> str | None:
        seen.append(before)
        return words

    edit(office.round, office.register, [number], rewrite, Order("edit", "Kari", "vennligere", NOW))
    return seen[0]


def test_a_letter_that_is_held_may_be_given_other_words_and_all_else_stays(office: Office) -> None:
    path = office.folder / letter_list(office.register)[0]["path"]
    before = read_message(path)
    office.say("hold", 1)

    words = reword(office, "Båten deres: ring oss\r\n\r\nKjære dere\r\n\r\nRing 22 00 00 00.\r\n")

    assert words.startswith("Liste BAT-0001-1: 1 opplysning må rettes innen 18. februar\n\nHei\n")
    message = read_message(path)
    assert message["Subject"] == "Båten deres: ring oss"
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == "Kjære dere\n\nRing 22 00 00 00.\n"
    assert message.get_body(("html",)) is None
    same = [name for name in before if name != "Subject"]
    assert [(name, message[name]) for name in same] == [(name, before[name]) for name in same]
    assert [one.get_filename() for one in message.iter_attachments()] == [
        one.get_filename() for one in before.iter_attachments()
    ]
    told = letter_history(office.register, 1)
    assert (told["state"], told["subject"]) == ("held", "Båten deres: ring oss")
    assert told["orders"][-1] == {"what": "edit", "by": "Kari", "reason": "vennligere", "at": NOW.isoformat()}


def test_a_letter_that_may_leave_any_moment_is_not_edited(office: Office) -> None:
    with pytest.raises(OutboxError, match="letter 1 is queued, and «edit» is for letters that are held"):
        reword(office, "Emne\n\nTekst")


@pytest.mark.parametrize(
    "words", ["Bare et emne", "\n\nBare tekst", "\nHei\n\nTekst", "Emne\nHei\n\nTekst", "Emne\n\n \n"]
)
def test_words_without_a_subject_or_a_text_are_refused_and_nothing_changes(office: Office, words: str) -> None:
    office.say("hold", 1)
    path = office.folder / letter_list(office.register)[0]["path"]
    before = path.read_bytes()

    with pytest.raises(OutboxError, match="write the subject, an empty line"):
        reword(office, words)
    assert path.read_bytes() == before
    assert [order["what"] for order in letter_history(office.register, 1)["orders"]] == ["hold"]


def test_a_person_who_saves_nothing_has_changed_nothing(office: Office) -> None:
    office.say("hold", 1)
    reword(office, None)

    assert [order["what"] for order in letter_history(office.register, 1)["orders"]] == ["hold"]


def test_a_word_about_several_letters_is_obeyed_for_all_or_none(office: Office) -> None:
    with pytest.raises(OutboxError, match="there is no letter 3"):
        office.say("hold", 1, 3)
    assert office.states() == ["queued", "queued"]

    office.say("hold", 1, 2)
    assert office.states() == ["held", "held"]


def test_what_was_said_cannot_be_changed(office: Office) -> None:
    office.say("hold", 1)

    for change in (delete(letter_orders), update(letter_orders).values(by="Ole"), delete(letter_ids)):
        with pytest.raises(IntegrityError, match="append-only"), office.register.writing() as connection:
            connection.execute(change)


# states that the program sees to


def test_a_letter_that_a_run_left_in_flight_is_uncertain(office: Office) -> None:
    office.put("sending")
    settle(office.round, office.register, NOW)

    assert office.states() == ["uncertain", "queued"]
    assert "nobody knows whether it arrived" in letter_history(office.register, 1)["events"][-1]["note"]


def test_a_letter_in_flight_is_left_alone_while_a_run_is_sending(office: Office) -> None:
    office.put("sending")
    with mailroom.alone(office.round) as alone:
        assert alone
        settle(office.round, office.register, NOW)

    assert office.states() == ["sending", "queued"]


def test_a_letter_is_a_draft_while_its_owner_has_no_address(office: Office) -> None:
    office.register_address("ingen")
    settle(office.round, office.register, NOW)
    assert office.states() == ["draft", "queued"]

    office.register_address("ny@example.no")
    settle(office.round, office.register, NOW)
    assert office.states() == ["queued", "queued"]
    assert letter_list(office.register)[0]["to"] == ["ny@example.no"]


def test_a_letter_that_comes_back_is_known_by_its_message_id(office: Office) -> None:
    office.put("sent")
    message_id = str(read_message(office.folder / letter_list(office.register)[0]["path"])["Message-ID"])

    assert bounced(office.register, message_id, "550 no such user", NOW)
    assert not bounced(office.register, "<another@example.no>", "550", NOW)
    assert office.states() == ["bounced", "queued"]


# what is new before the letter was sent


def test_a_letter_that_is_no_longer_true_is_taken_back_before_it_is_sent(office: Office) -> None:
    office.set(SERVER)
    office.take_in(Made("right", day(12)))

    (letter,) = office.write()
    assert letter["kind"] == "receipt"
    assert "ny versjon" not in office.text(letter)  # the owner never heard of the errors
    assert office.states() == ["overtaken", "queued", "queued"]


def test_a_letter_that_was_taken_back_is_written_again_when_it_is_true_again(office: Office) -> None:
    office.set(SERVER)
    with office.register.writing() as connection:
        mailroom.overtake(connection, mailroom.known(connection, ["correction"]), NOW)
    assert office.states() == ["overtaken", "queued"]

    assert [letter["kind"] for letter in office.write()] == ["correction"]
    assert office.states() == ["overtaken", "queued", "queued"]
    assert office.write() == []


@pytest.mark.parametrize("state", ["held", "failed", "discarded", "bounced"])
def test_a_letter_that_waits_for_a_person_is_not_written_again(office: Office, state: str) -> None:
    office.set(SERVER)
    office.put(state)

    assert office.write() == []


def test_without_a_mail_server_a_queued_letter_has_been_mailed_by_hand(office: Office) -> None:
    office.take_in(Made("right", day(12)))

    (letter,) = office.write()
    assert "Opplysningen vi ba dere rette, er rettet." in office.text(letter)
    assert office.states() == ["queued", "queued", "queued"]
