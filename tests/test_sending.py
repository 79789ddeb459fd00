"""Sending, against a real mail server that misbehaves at every step."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection

from outputs.letters.feedback import KINDS
from outputs.letters.message import UNFOLDED, MailError, read_message
from outputs.mailing import mailroom, sending
from outputs.mailing.mail import PASSWORD as VARIABLE
from outputs.mailing.mail import Line, UnreachableError
from outputs.mailing.mailroom import OutboxError
from outputs.mailing.outbox import make_letters
from outputs.mailing.sending import PAUSES, Clock, Run, send_letters
from outputs.register.register import Register
from outputs.telling import letter_lines
from templates.round import Mail, Round
from tests.made_returns import Made, make_form
from tests.postbox import DROP, OK, PASSWORD, USER, Postbox, serving, trust_file

ROOT = Path(__file__).parent.parent
NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
OWNERS = ("920125298", "964952612", "974760673")
SETTINGS = """form = "{form}"
[office]
name = "Kontoret"
email = "post@kontoret.no"
[mail]
host = "localhost"
port = {port}
user = "kontoret"
sender = "retur@kontoret.no"
{more}
"""


@dataclass
class FakeClock(Clock):
    """A clock that stands still but for the pauses."""

    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def seconds(self) -> float:
        return sum(self.pauses)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@contextmanager
def no_progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    del label, total
    yield lambda _count: None


class Post:
    """A round with letters to send, and a server to send them to."""

    def __init__(self, folder: Path, port: int, letters: int, more: str) -> None:
        make_form(folder / "form")
        self.folder, self.port, self.clock = folder, port, FakeClock()
        self.set(more)
        self.set_address(*(f"eier{number}@eier{number}.no" for number in range(letters)))
        self.register = Register.open(self.round.register, self.round.form)
        made = [Made(f"{n}", recipient=OWNERS[n], report=f"BAT-000{n}-1", sender=None) for n in range(letters)]
        self.register.merge([one.verdict() for one in made], NOW)
        self.letters = make_letters(self.round, self.register, NOW)

    def set(self, more: str) -> None:
        text = SETTINGS.format(form=(self.folder / "form").as_posix(), port=self.port, more=more)
        (self.folder / "round.toml").write_text(text, encoding="utf-8")

    def set_address(self, *emails: str, contact: str = "") -> None:
        rows = (f"{OWNERS[n]};Eier {n};KLUBB;{email};nb;{contact}\n" for n, email in enumerate(emails))
        head = "orgnr;navn;type;epost;språk;kontakt_epost\n"
        (self.folder / "recipients.csv").write_text(head + "".join(rows), encoding="utf-8")

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def send(self, redirect: str | None = None) -> Run:
        return send_letters(self.round, self.register, KINDS, no_progress, redirect=redirect, clock=self.clock)

    def states(self) -> list[str]:
        return [letter["state"] for letter in mailroom.letter_list(self.register)]

    def notes(self, number: int = 1) -> list[str]:
        """What was logged of a letter."""
        events = mailroom.letter_history(self.register, number)["events"]
        return [f"{event['state']} {event['note']}".strip() for event in events]

    def say(self, what: str, *numbers: int) -> None:
        mailroom.obey(self.round, self.register, numbers, mailroom.Order(what, "Kari", "fordi", NOW))


MakePost = Callable[..., Post]


@pytest.fixture
def make_post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePost]:
    monkeypatch.setenv("SSL_CERT_FILE", str(trust_file(tmp_path)))
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with ExitStack() as open_:

        def make(postbox: Postbox, letters: int = 1, more: str = "", tls: str = "starttls") -> Post:
            return Post(tmp_path, open_.enter_context(serving(postbox, tls)), letters, more)

        yield make


def numbers(postbox: Postbox) -> list[str]:
    """Whose letters the server has taken."""
    return [to[0] for to, _ in postbox.got]


# all is well


def test_all_letters_go_over_one_connection_as_they_stand_in_the_outbox(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=3)

    run = post.send()

    assert (run.counts, run.stopped, run.done) == ({"sent": 3}, "", True)
    assert [content for _, content in postbox.got] == [(post.folder / row["path"]).read_bytes() for row in post.letters]
    assert [to for to, _ in postbox.got] == [[f"eier{n}@eier{n}.no"] for n in range(3)]
    assert postbox.senders == ["retur@kontoret.no"] * 3
    assert postbox.connections == 1
    assert [letter["state"] for letter in run.letters] == post.states() == ["sent"] * 3
    assert post.notes() == ["queued", "sending", "sent 250 OK"]


def test_a_letter_that_has_waited_is_dated_when_it_leaves(make_post: MakePost, monkeypatch: pytest.MonkeyPatch) -> None:
    postbox = Postbox()
    post = make_post(postbox)
    monkeypatch.setattr(FakeClock, "now", lambda _clock: NOW + timedelta(days=3))
    post.send()

    (content,) = (message_from_bytes(content, policy=UNFOLDED) for _, content in postbox.got)
    assert content["Date"].datetime == NOW + timedelta(days=3)


def test_what_is_sent_is_not_sent_again(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox)
    post.send()

    assert post.send() == Run([], {})
    assert len(postbox.got) == 1
    assert postbox.connections == 1  # with nothing to send, nobody is called


def test_a_server_with_encryption_from_the_first_word_works_too(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, more='tls = "ssl"', tls="ssl")

    assert post.send().counts == {"sent": 1}


def test_letters_are_paced_and_a_connection_carries_only_so_many(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=3, more="per_minute = 30\nper_connection = 2")

    assert post.send().counts == {"sent": 3}
    assert post.clock.pauses == [2.0, 2.0]
    assert postbox.connections == 2


def test_a_line_that_begins_with_a_dot_arrives_with_its_dot(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox)
    path = post.folder / post.letters[0]["path"]
    path.write_bytes(path.read_bytes().replace(b"Hei\r\n", b".hei\r\n..\r\n.\r\n"))
    post.send()

    assert b"\r\n.hei\r\n..\r\n.\r\n" in postbox.got[0][1]


# before a letter is touched


def test_a_wrong_password_stops_it_before_a_letter_is_touched(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    postbox = Postbox()
    post = make_post(postbox)
    monkeypatch.setenv(VARIABLE, "gal")

    with pytest.raises(MailError, match="refuses the user kontoret or the password: 535"):
        post.send()
    assert (postbox.got, post.notes(), postbox.connections) == ([], ["queued"], 1)
    assert post.clock.pauses == []  # trying again could lock the account


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    postbox = Postbox()
    post = make_post(postbox, more=f'tls = "{tls}"', tls=tls)
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(MailError, match="certificate of localhost cannot be verified"):
        post.send()
    assert (postbox.got, post.notes()) == ([], ["queued"])


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_certificate_of_another_server_is_not_accepted(make_post: MakePost, tls: str) -> None:
    postbox = Postbox()
    post = make_post(postbox, more=f'tls = "{tls}"', tls=tls)
    text = (post.folder / "round.toml").read_text(encoding="utf-8").replace('"localhost"', '"127.0.0.1"')
    (post.folder / "round.toml").write_text(text, encoding="utf-8")

    with pytest.raises(MailError, match=r"certificate of 127\.0\.0\.1 cannot be verified"):
        post.send()
    assert (postbox.got, post.notes()) == ([], ["queued"])


def test_a_server_without_encryption_gets_neither_password_nor_letter(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, tls="none")

    with pytest.raises(MailError, match="no encryption or no login"):
        post.send()
    assert (postbox.got, post.notes()) == ([], ["queued"])


def test_a_missing_password_or_server_is_told_and_nobody_is_asked(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(Postbox())
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(MailError, match=VARIABLE):
        post.send()
    text = (post.folder / "round.toml").read_text(encoding="utf-8").replace('host = "localhost"', "")
    (post.folder / "round.toml").write_text(text, encoding="utf-8")
    with pytest.raises(MailError, match="names no mail server"):
        post.send()


def test_a_password_or_sender_that_no_server_takes_is_told(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(Postbox())
    monkeypatch.setenv(VARIABLE, "blåbærsyltetøy")
    with pytest.raises(MailError, match="the password of kontoret has letters"):
        post.send()

    text = (post.folder / "round.toml").read_text(encoding="utf-8").replace("retur@", "søk@")
    (post.folder / "round.toml").write_text(text, encoding="utf-8")
    with pytest.raises(MailError, match=r"«søk@kontoret\.no» is not an address"):
        post.send()
    assert post.notes() == ["queued"]


def test_a_long_letter_does_not_wait_for_the_acknowledgement_of_the_one_before(make_post: MakePost) -> None:
    post = make_post(Postbox())
    line = Line(post.round.settings.mail)
    sock = line._smtp.sock  # noqa: SLF001 - not to be seen from outside

    assert sock is not None
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    line.close()


def test_the_password_may_be_in_the_keyring(make_post: MakePost, monkeypatch: pytest.MonkeyPatch) -> None:
    post = make_post(Postbox())
    kept = {("localhost", USER): PASSWORD}
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=lambda *key: kept.get(key)))

    assert post.send().counts == {"sent": 1}


# the server hesitates

STEPS = ("mail", "rcpt", "data", "end")


@pytest.mark.parametrize("step", STEPS)
def test_a_letter_refused_for_now_is_tried_again_after_a_pause(make_post: MakePost, step: str) -> None:
    postbox = Postbox(**{step: ["451 not now", "451 not now"]})
    post = make_post(postbox, letters=2)

    assert post.send().counts == {"sent": 2}
    assert sorted(numbers(postbox)) == ["eier0@eier0.no", "eier1@eier1.no"]
    assert post.clock.pauses == [30]
    assert post.notes() == ["queued", "sending", "queued 451 not now", "sending", "sent 250 OK"]


def test_the_pauses_grow_and_then_the_letter_waits_for_the_next_run(make_post: MakePost) -> None:
    postbox = Postbox(rcpt=["451 not now"] * 4)
    post = make_post(postbox)

    run = post.send()

    assert (run.counts, run.done) == ({"queued": 1}, False)
    assert post.clock.pauses == list(PAUSES) == sorted(PAUSES)
    assert post.states() == ["queued"]
    assert post.send().counts == {"sent": 1}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [0, 1], ids=["first letter", "second letter"])
def test_a_server_that_closes_the_service_is_called_again(make_post: MakePost, step: str, at: int) -> None:
    postbox = Postbox(**{step: [OK] * at + ["421 closing"]})
    post = make_post(postbox, letters=2)

    assert post.send().counts == {"sent": 2}
    assert sorted(numbers(postbox)) == ["eier0@eier0.no", "eier1@eier1.no"]
    assert postbox.connections == 2 + (at == 0)
    assert post.clock.pauses == ([30] if at == 0 else [])  # a line that had worked is opened anew at once


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("at", [0, 1], ids=["first letter", "second letter"])
def test_a_line_that_breaks_before_a_letter_is_given_loses_and_doubles_none(
    make_post: MakePost, step: str, at: int
) -> None:
    postbox = Postbox(**{step: [OK] * at + [DROP]})
    post = make_post(postbox, letters=2)

    assert post.send().counts == {"sent": 2}
    assert sorted(numbers(postbox)) == ["eier0@eier0.no", "eier1@eier1.no"]


def test_a_line_that_breaks_in_the_middle_of_a_letter_loses_and_doubles_none(make_post: MakePost) -> None:
    postbox = Postbox(body=[DROP])
    post = make_post(postbox, letters=2)
    path = post.folder / post.letters[0]["path"]
    filling = b"X-Filling: " + b"x" * 70 + b"\r\n"  # more than the machine holds for a server that does not read
    path.write_bytes(filling * 200_000 + path.read_bytes())

    assert post.send().counts == {"sent": 2}
    assert sorted(numbers(postbox)) == ["eier0@eier0.no", "eier1@eier1.no"]


def test_a_short_letter_that_was_given_whole_before_the_line_broke_is_uncertain(make_post: MakePost) -> None:
    postbox = Postbox(body=[DROP])
    post = make_post(postbox)

    assert post.send().counts == {"uncertain": 1}
    assert postbox.got == []  # we cannot know that


# the server refuses


@pytest.mark.parametrize(
    ("step", "words"),
    [("mail", "552 too large"), ("rcpt", "550 no such owner"), ("data", "554 no"), ("end", "554 looks like spam")],
)
def test_a_refused_letter_is_failed_with_the_servers_words_and_the_others_are_sent(
    make_post: MakePost, step: str, words: str
) -> None:
    postbox = Postbox(**{step: [words]})
    post = make_post(postbox, letters=2)

    run = post.send()

    assert (run.counts, run.done) == ({"failed": 1, "sent": 1}, False)
    assert numbers(postbox) == ["eier1@eier1.no"]
    assert post.notes() == ["queued", "sending", f"failed {words}"]
    assert post.send() == Run([], {})  # it is not tried again before a person says so


def test_a_server_that_takes_nothing_from_us_is_asked_once(make_post: MakePost) -> None:
    postbox = Postbox(mail=["550 who are you"] * 3)
    post = make_post(postbox, letters=3)

    run = post.send()

    assert run.stopped == "the mail server takes nothing from retur@kontoret.no: 550 who are you"
    assert post.states() == ["queued"] * 3
    assert len(postbox.plans["mail"]) == 2


def test_a_letter_that_one_of_two_addresses_refuses_is_sent_and_that_is_told(make_post: MakePost) -> None:
    postbox = Postbox(rcpt=[OK, "550 has left"])
    post = make_post(postbox, letters=0)
    post.set_address("post@eier.no", contact="kari@eier.no")
    post.register.merge([Made("x", recipient=OWNERS[0]).verdict()], NOW)
    make_letters(post.round, post.register, NOW)

    run = post.send()

    assert run.counts == {"sent": 1}
    told = list(letter_lines([], post.round, run))
    assert "Sent, but not to kari@eier.no: the mail server does not take that address." in told
    assert [to for to, _ in postbox.got] == [["post@eier.no"]]
    assert post.notes()[-1] == "sent 250 OK; not to kari@eier.no: 550 has left"


@pytest.mark.parametrize(("second", "state"), [("550 has left", "failed"), ("450 box is full", "queued")])
def test_a_letter_that_both_addresses_refuse_is_not_sent(make_post: MakePost, second: str, state: str) -> None:
    postbox = Postbox(rcpt=["550 no", second] * 4)
    post = make_post(postbox, letters=0)
    post.set_address("post@eier.no", contact="kari@eier.no")
    post.register.merge([Made("x", recipient=OWNERS[0]).verdict()], NOW)
    make_letters(post.round, post.register, NOW)

    assert post.send().counts == {state: 1}
    assert postbox.got == []


# nobody knows


def test_a_letter_in_flight_when_the_line_breaks_waits_for_a_person(make_post: MakePost) -> None:
    postbox = Postbox(end=[OK, DROP])
    post = make_post(postbox, letters=3)

    run = post.send()

    assert run.counts == {"sent": 2, "uncertain": 1}
    assert post.states() == ["sent", "uncertain", "sent"]
    assert "broke before the answer" in post.notes(2)[-1]
    assert post.send() == Run([], {})
    assert numbers(postbox).count("eier1@eier1.no") == 1


def test_an_uncertain_letter_is_sent_again_by_a_persons_word_as_the_same_message(make_post: MakePost) -> None:
    postbox = Postbox(end=[DROP])
    post = make_post(postbox)
    post.send()
    post.say("resend", 1)

    assert post.send().counts == {"sent": 1}
    first, second = (message_from_bytes(content)["Message-ID"] for _, content in postbox.got)
    assert first == second  # so that the owner's mail program can tell


def test_a_server_that_breaks_off_after_every_letter_is_given_no_more(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_UNCERTAIN", 2)
    postbox = Postbox(end=[DROP] * 3)
    post = make_post(postbox, letters=3)

    run = post.send()

    assert run.stopped == "localhost has broken off after taking 2 letters; find out why"
    assert post.states() == ["uncertain", "uncertain", "queued"]


def test_a_server_that_goes_away_leaves_the_rest_in_the_queue(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(Postbox(), letters=2, more="per_connection = 1")
    calls = iter([True])

    def line(server: Mail) -> Line:
        if next(calls, False):
            return Line(server)
        raise UnreachableError("nobody answers")

    monkeypatch.setattr(sending, "Line", line)

    run = post.send()

    assert (run.counts, run.stopped) == ({"sent": 1}, "nobody answers")
    assert post.states() == ["sent", "queued"]
    assert post.clock.pauses == list(PAUSES)


# the program is killed

KILLED = """
import os, signal, smtplib, sys
from pathlib import Path
from outputs.mailing import mailroom
from outputs.letters.feedback import KINDS
from outputs.register.register import Register
from outputs.mailing.sending import send_letters
from templates.round import Round
from tests.test_sending import no_progress

folder, step = Path(sys.argv[1]), sys.argv[2]

def watched(name_of, real):
    def call(*args):
        name = name_of(*args)
        if step == f"before {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args)
        if step == f"after {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

def sent(_smtp, data):
    words = data if isinstance(data, bytes) else data.encode()
    return "dot" if words == b".\\r\\n" else "body" if len(words) > 500 else words[:4].decode().strip().lower()

smtplib.SMTP.send = watched(sent, smtplib.SMTP.send)
mailroom.claim = watched(lambda _connection, number, _now: f"claim of {number}", mailroom.claim)
mailroom.move = watched(lambda _connection, number, state, *_: f"{state} of {number}", mailroom.move)
round_ = Round(folder)
send_letters(round_, Register.open(round_.register, round_.form), KINDS, no_progress)
"""
SAFE = ("before ehlo", "before claim of 1", "after claim of 1")  # the claim is not kept yet
IN_FLIGHT = (
    *(f"{when} {what}" for what in ("mail", "rcpt", "data", "body", "dot") for when in ("before", "after")),
    "before sent of 1",
    "after sent of 1",  # that it was sent is not kept yet
)
DONE = ("before claim of 2",)


@pytest.mark.slow
@pytest.mark.parametrize("step", [*SAFE, *IN_FLIGHT, *DONE])
def test_a_program_that_is_killed_loses_no_letter_and_doubles_none(make_post: MakePost, step: str) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=2)
    killed = subprocess.run([sys.executable, "-c", KILLED, post.folder, step], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL

    post.send()

    arrived = numbers(postbox)
    assert arrived.count("eier1@eier1.no") == 1
    if step in IN_FLIGHT:
        assert post.states() == ["uncertain", "sent"]
        assert arrived.count("eier0@eier0.no") == (step in IN_FLIGHT[-3:])  # the server had it, and we cannot know
        post.say("resend", 1)
        post.send()
        assert numbers(postbox).count("eier0@eier0.no") == 1 + (step in IN_FLIGHT[-3:])
    else:
        assert arrived.count("eier0@eier0.no") == 1
    assert post.states() == ["sent", "sent"]


WRITING = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from outputs.mailing import mailroom
from outputs.mailing import outbox
from outputs.mailing.outbox import make_letters
from outputs.register.register import Register
from templates.round import Round

folder, step = Path(sys.argv[1]), sys.argv[2]

def watched(name, real):
    calls = iter(range(1, 9))
    def call(*args):
        number = next(calls)
        if step == f"before {name} {number}":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args)
        if step == f"after {name} {number}":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

outbox.write_message = watched("message", outbox.write_message)
os.fsync = watched("disk", os.fsync)
mailroom._write_file = watched("file", mailroom._write_file)
outbox.enter = watched("entry", outbox.enter)
outbox._Desk.write = watched("batch", outbox._Desk.write)
outbox.make_letters = watched("run", make_letters)
round_ = Round(folder)
outbox.make_letters(round_, Register.open(round_.register, round_.form), datetime(2030, 2, 4, 8, tzinfo=UTC))
"""
STEPS_OF_WRITING = (
    *("before message 1", "before disk 1", "after disk 1", "after file 1", "after entry 1"),
    *("before file 2", "after entry 2", "after batch 1", "after run 1"),
)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS_OF_WRITING)
def test_a_program_that_is_killed_while_it_writes_letters_loses_none_and_doubles_none(
    make_post: MakePost, step: str
) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=0)
    post.set_address("eier0@eier0.no", "eier1@eier1.no")
    made = [Made(f"{n}", recipient=OWNERS[n], report=f"BAT-000{n}-1", sender=None) for n in range(2)]
    post.register.merge([one.verdict() for one in made], NOW)
    killed = subprocess.run([sys.executable, "-c", WRITING, post.folder, step], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL

    make_letters(post.round, post.register, NOW)
    post.send()

    assert sorted(numbers(postbox)) == ["eier0@eier0.no", "eier1@eier1.no"]
    assert post.states() == ["sent", "sent"]
    assert len(list(post.round.outbox.glob("*.eml"))) == 2


# two at once, and a person in between


def test_only_one_run_sends_at_a_time(make_post: MakePost) -> None:
    post = make_post(Postbox())

    with mailroom.alone(post.round) as alone:
        assert alone
        with pytest.raises(OutboxError, match="being sent already"):
            post.send()
    assert post.states() == ["queued"]


def test_a_letter_that_a_person_stops_meanwhile_is_not_sent(
    make_post: MakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=2)
    claim = mailroom.claim

    def claim_late(connection: Connection, number: int, now: datetime) -> bool:
        if number == 2:
            post.say("hold", 2)
        return claim(connection, number, now)

    monkeypatch.setattr(mailroom, "claim", claim_late)

    assert post.send().counts == {"sent": 1}
    assert post.states() == ["sent", "held"]


# whom


def test_a_letter_goes_to_the_address_as_it_is_registered_now(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=2)
    post.set_address("ny@eier0.no")  # and the other is no recipient any more

    assert post.send().counts == {"sent": 1}
    ((to, content),) = postbox.got
    assert (to, message_from_bytes(content, policy=UNFOLDED)["To"]) == (["ny@eier0.no"], "Eier 0 <ny@eier0.no>")
    assert post.states() == ["sent", "draft"]


def test_an_edited_letter_is_sent_as_edited_but_to_nobody_else(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox)
    path = post.folder / post.letters[0]["path"]
    edited = path.read_bytes().replace(b"\r\nTo: ", b"\r\nCc: ole@annen.no\r\nBcc: per@annen.no\r\nTo: siri@annen.no, ")
    path.write_bytes(edited.replace(b"Hei\r\n", b"Kjare dere\r\n"))
    post.send()

    ((to, content),) = postbox.got
    assert to == ["eier0@eier0.no"]
    assert b"annen.no" not in content
    assert b"Kjare dere" in content


def test_a_letter_whose_file_is_gone_is_failed(make_post: MakePost) -> None:
    post = make_post(Postbox())
    (post.folder / post.letters[0]["path"]).unlink()

    assert post.send().counts == {"failed": 1}
    assert "cannot be read" in post.notes()[-1]


@pytest.mark.parametrize("header", [b"From", b"Message-ID"])
def test_a_letter_whose_file_was_spoilt_by_editing_is_failed_and_the_others_are_sent(
    make_post: MakePost, header: bytes
) -> None:
    post = make_post(Postbox(), letters=2)
    path = post.folder / post.letters[0]["path"]
    path.write_bytes(path.read_bytes().replace(b"\r\n" + header + b": ", b"\r\nX-Was: "))

    assert post.send().counts == {"failed": 1, "sent": 1}
    assert f"has lost its {header.decode()}" in post.notes()[-1]


def test_a_whole_run_can_go_to_a_test_address_and_does_not_count(make_post: MakePost) -> None:
    postbox = Postbox()
    post = make_post(postbox, letters=2)

    run = post.send(redirect="test@kontoret.no")

    assert (run.counts, run.done) == ({"sent": 2}, True)
    assert [to for to, _ in postbox.got] == [["test@kontoret.no"]] * 2
    for row, (_, content) in zip(post.letters, postbox.got, strict=True):
        original = read_message(post.folder / row["path"])
        copy = message_from_bytes(content, policy=UNFOLDED)
        assert copy["Subject"] == f"Prøve (til {row['to'][0]}): {original['Subject']}"
        assert copy["To"] == "test@kontoret.no"
        assert copy["Message-ID"] != original["Message-ID"]
    assert post.states() == ["queued"] * 2
    assert post.notes() == ["queued", "queued copy to test@kontoret.no: sent 250 OK"]
    assert post.send().counts == {"sent": 2}


@pytest.mark.parametrize("address", ["a@b.no,c@d.no", "a@b.no\r\nBcc: x@y.no", "nobody"])
def test_a_test_address_that_is_not_one_address_is_refused(make_post: MakePost, address: str) -> None:
    post = make_post(Postbox())

    with pytest.raises(MailError, match="is not one e-mail address"):
        post.send(redirect=address)
