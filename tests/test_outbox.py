import gc
import socket
import ssl
import warnings
from asyncio import Transport
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import select

from outputs import outbox
from outputs.log import letter_events, letters
from outputs.mail import Delivery, MailError, read_message, send
from outputs.outbox import make_letters
from outputs.register import Register
from templates.round import Mail, Round
from tests.made_returns import ERROR, LATE_FINDING, OWNER, REMARK, REPORT, Made, day, make_form
from validation.findings import Finding
from validation.verdict import Verdict

EARLY = day(9)
NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
LATER = datetime(2030, 2, 12, 8, tzinfo=UTC)
OTHER_OWNER, OTHER_REPORT = "964952612", "BAT-0002-1"
RECIPIENTS = f"""orgnr;navn;type;epost;språk
{OWNER};Ask båtlag;KLUBB;ask@example.no;nb
{OTHER_OWNER};Våg båtlag;KLUBB;vaag@example.no;nn
"""
MORE = Finding("B4", "error", "Meldinger", ("B8",), ("report",), {"nb": "Skriv navnet.", "nn": "Skriv namnet."})
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR, MORE, REMARK))
LATE = Made("late", day(3, month=2), "late", findings=(LATE_FINDING,))
NYNORSK = Made("andre", report=OTHER_REPORT, recipient=OTHER_OWNER)


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    make_form(tmp_path / "form")
    settings = f'form = "{(tmp_path / "form").as_posix()}"\n[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    (tmp_path / "round.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    return Round(tmp_path)


@pytest.fixture
def register(round_: Round) -> Register:
    return Register.open(round_.register, round_.form)


def take_in(register: Register, *made: Made | Verdict) -> None:
    register.merge([one.verdict() if isinstance(one, Made) else one for one in made], NOW)


def refused(outcome: str = "unreadable", content: str = "locked") -> Verdict:
    made = Made(content, EARLY)
    reason = {"nb": "Filen har passord.", "nn": "Fila har passord."}
    return Verdict(made.source(), outcome, reason, None, (), REPORT, OWNER)


def texts(round_: Round, rows: list[dict[str, Any]]) -> list[str]:
    return [text_of(read_message(round_.folder / row["path"])) for row in rows]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


# who is told what


def test_each_owner_gets_one_letter_about_all_its_reports(round_: Round, register: Register) -> None:
    take_in(register, WRONG, Made("second", report="BAT-0001-2"), NYNORSK)

    first, second = make_letters(round_, register, NOW)
    assert first == {
        "recipient": OWNER,
        "kind": "correction",
        "to": ["ask@example.no"],
        "path": first["path"],
        "state": "queued",
    }
    assert (second["recipient"], second["kind"]) == (OTHER_OWNER, "receipt")
    assert sorted(path.name for path in round_.outbox.iterdir()) == sorted(
        row["path"].removeprefix("outbox/") for row in (first, second)
    )
    nb, nn = texts(round_, [first, second])
    assert "BAT-0001-1" in nb
    assert "Alle opplysningene vi trenger, er med." in nb
    assert "Alle opplysningane vi treng, er med." in nn


def test_running_it_again_writes_no_second_letter(round_: Round, register: Register) -> None:
    take_in(register, WRONG, NYNORSK, LATE, refused("empty", "blank"))
    make_letters(round_, register, NOW)
    before = {path: path.read_bytes() for path in round_.outbox.iterdir()}

    assert make_letters(round_, register, LATER) == []
    assert {path: path.read_bytes() for path in round_.outbox.iterdir()} == before


def test_a_letter_is_logged_with_its_state(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    (row,) = make_letters(round_, register, NOW)

    with register.reading() as connection:
        (letter,) = connection.execute(select(letters)).mappings()
        (event,) = connection.execute(select(letter_events)).mappings()
    assert {key: letter[key] for key in row} == row
    assert letter["subject"] == "Liste BAT-0001-1: 2 opplysninger må rettes innen 18. februar"
    assert (event["letter"], event["state"], event["at"]) == (letter["id"], "queued", NOW)


def test_only_what_is_new_is_told(round_: Round, register: Register) -> None:
    take_in(register, Made("one"), Made("two", report="BAT-0001-2"))
    make_letters(round_, register, NOW)
    take_in(register, Made("two again", day(12), report="BAT-0001-2"))

    (text,) = texts(round_, make_letters(round_, register, NOW))
    assert "BAT-0001-2" in text
    assert "BAT-0001-1" not in text


def test_a_correction_letter_sets_the_deadline_it_tells(round_: Round, register: Register) -> None:
    take_in(register, WRONG, NYNORSK)
    make_letters(round_, register, NOW)

    deadlines = {row["report"]: row["correction_deadline"] for row in register.reports()}
    assert deadlines == {
        REPORT: datetime(2030, 2, 18, 23, 59, 59, tzinfo=round_.form.zone),
        OTHER_REPORT: None,
    }


def test_a_later_letter_tells_what_has_been_corrected(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    make_letters(round_, register, NOW)
    take_in(register, Made("better", day(10, month=2), "needs_correction", findings=(MORE,)))

    (text,) = texts(round_, make_letters(round_, register, LATER))
    assert "Takk. Vi har mottatt en ny versjon av listen «better»" in text
    assert "1 av 2 opplysninger er rettet, og 1 gjenstår." in text
    assert "innen tirsdag 26. februar" in text


def test_versions_that_nobody_was_told_about_are_not_compared(round_: Round, register: Register) -> None:
    take_in(register, WRONG, Made("better", day(12), "needs_correction", findings=(MORE,)))

    (text,) = texts(round_, make_letters(round_, register, NOW))
    assert "Takk." not in text
    assert "må dere rette én opplysning" in text


def test_a_late_report_is_told_the_deadline_it_missed(round_: Round, register: Register) -> None:
    take_in(register, LATE)

    (row,) = make_letters(round_, register, NOW)
    (text,) = texts(round_, [row])
    assert row["kind"] == "late"
    assert "Fristen var fredag 1. februar kl. 23.59" in text
    assert "For sent." not in text  # the finding: the letter has said it


def test_a_correction_that_came_too_late_is_told_its_own_deadline(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    make_letters(round_, register, NOW)
    too_late = Made("corrected", day(20, month=2), "late", findings=(LATE_FINDING, ERROR))
    take_in(register, too_late)

    (row,) = make_letters(round_, register, LATER)
    (text,) = texts(round_, [row])
    assert row["kind"] == "late"
    assert "Fristen var mandag 18. februar kl. 23.59" in text
    assert "Inntil videre gjelder versjonen vi fikk tidligere." in text
    assert "Start" not in text  # what the late version lacks is for later


def test_a_file_that_could_not_be_read_is_asked_for_again(round_: Round, register: Register) -> None:
    take_in(register, refused())

    (row,) = make_letters(round_, register, NOW)
    (text,) = texts(round_, [row])
    assert row["kind"] == "unreadable"
    assert "Filen har passord." in text
    assert "Send skjemaet på nytt som svar på denne e-posten innen mandag 18. februar." in text


def test_a_file_asked_for_again_is_not_late_when_it_comes_in_time(round_: Round, register: Register) -> None:
    take_in(register, refused())
    make_letters(round_, register, NOW)
    take_in(register, Made("again", day(10, month=2), "late", findings=(LATE_FINDING,)))

    assert [row["kind"] for row in make_letters(round_, register, LATER)] == ["receipt"]


def test_a_bad_file_is_not_told_about_once_a_good_one_has_come(round_: Round, register: Register) -> None:
    take_in(register, refused(), Made("good", day(10)))

    assert [row["kind"] for row in make_letters(round_, register, NOW)] == ["receipt"]


def test_what_is_no_news_to_the_owner_gives_no_letter(round_: Round, register: Register) -> None:
    nobody = replace(refused("quarantined", "whose"), report=None, recipient=None)
    take_in(register, refused("failed", "ours"), nobody)

    assert make_letters(round_, register, NOW) == []


def test_an_owner_without_a_registered_address_gets_a_draft(round_: Round, register: Register) -> None:
    take_in(register, Made("x", recipient="974760673", report="BAT-0009-1"))

    (row,) = make_letters(round_, register, NOW)
    assert (row["state"], row["to"]) == ("draft", [])
    assert read_message(round_.folder / row["path"])["To"] is None
    assert make_letters(round_, register, NOW) == []


# when it breaks


def test_a_run_that_breaks_off_loses_no_letter_and_doubles_none(
    round_: Round, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(register, WRONG, NYNORSK)
    whole = make_letters  # the same call, broken off after each step of the way
    for step in ("write_message", "registered_address", "end_of"):
        with monkeypatch.context() as broken:
            broken.setattr(outbox, step, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                whole(round_, register, NOW)

    made = whole(round_, register, NOW)
    assert [row["recipient"] for row in made] == [OWNER, OTHER_OWNER]
    assert sorted(path.name for path in round_.outbox.iterdir()) == sorted(
        row["path"].removeprefix("outbox/") for row in made
    )


def test_many_owners_are_written_to_some_at_a_time(
    round_: Round, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "AT_A_TIME", 2)
    take_in(register, *(Made(f"{n}", recipient=f"{n}", report=f"BAT-{n}-1") for n in range(1000, 1005)))

    assert [row["recipient"] for row in make_letters(round_, register, NOW)] == [f"{n}" for n in range(1000, 1005)]


# sending


class Postbox:
    """A mail server's answers; keeps what it accepts. An answer of None hangs up instead."""

    def __init__(self, *answers: str | None, noops: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.noops = list(noops)
        self.got: list[bytes] = []
        self.connections = 0

    async def handle_EHLO(  # noqa: N802 - the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        self.connections += session.ssl is not None
        session.host_name = hostname
        return responses

    async def handle_NOOP(self, server: SMTP, session: Session, envelope: Envelope, arg: str) -> str:  # noqa: N802
        del server, session, envelope, arg
        return self.noops.pop(0) if self.noops else "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer is None:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        elif answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.got.append(envelope.content)
        return answer or "451 gone"


def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    del server, session, envelope, mechanism
    return AuthResult(success=data == LoginPassword(b"kontoret", b"hemmelig"), handled=False)


AUTHORITY = trustme.CA()  # made for this run


@pytest.fixture
def trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
def serve() -> Iterator[Callable[[Postbox], Mail]]:
    running: list[Controller] = []

    def start(postbox: Postbox) -> Mail:
        encryption = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        AUTHORITY.issue_cert("localhost").configure_cert(encryption)
        with socket.create_server(("localhost", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(
            postbox,
            hostname="localhost",
            port=port,
            tls_context=encryption,
            require_starttls=True,
            auth_required=True,
            authenticator=let_in,
        )
        controller.start()
        running.append(controller)
        return Mail(host="localhost", port=port, user="kontoret")

    yield start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a stopped server leaves its ends of lines open
        for controller in running:
            controller.stop()
        running.clear()
        gc.collect()


def message(number: int) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "post@kontoret.no", "ask@example.no", f"nr. {number}"
    made.set_content("Hei")
    return made


def states(deliveries: Iterable[Delivery]) -> list[str]:
    return [delivery.state for delivery in deliveries]


Serve = Callable[[Postbox], Mail]


def test_all_letters_go_over_one_connection_as_they_stand_in_the_outbox(
    round_: Round, register: Register, serve: Serve, trust: ssl.SSLContext
) -> None:
    take_in(register, WRONG, NYNORSK)
    files = [round_.folder / row["path"] for row in make_letters(round_, register, NOW)]
    postbox = Postbox()

    assert states(send(map(read_message, files), serve(postbox), "hemmelig", trust)) == ["sent", "sent"]
    assert postbox.got == [file.read_bytes() for file in files]
    assert postbox.connections == 1


def test_a_certificate_that_cannot_be_verified_is_not_accepted(serve: Serve) -> None:
    postbox = Postbox()

    with pytest.raises(MailError, match="certificate"):
        list(send([message(1)], serve(postbox), "hemmelig"))
    assert postbox.got == []


def test_a_wrong_password_and_a_missing_one_are_told(serve: Serve, trust: ssl.SSLContext) -> None:
    server = serve(Postbox())

    with pytest.raises(MailError, match="no connection to the mail server"):
        list(send([message(1)], server, "gal", trust))
    with pytest.raises(MailError, match="BEHOV_MAIL_PASSWORD"):
        list(send([message(1)], server, None, trust))
    with pytest.raises(MailError, match=r"round\.toml"):
        list(send([message(1)], Mail(), "hemmelig", trust))


def test_a_refused_letter_does_not_stop_the_others(serve: Serve, trust: ssl.SSLContext) -> None:
    server = serve(Postbox("550 no such owner", "451 later, please"))

    refused_now, waits, sent = send(map(message, range(3)), server, "hemmelig", trust)
    assert (refused_now.state, refused_now.note) == ("failed", "550 no such owner")
    assert (waits.state, waits.note) == ("queued", "451 later, please")
    assert sent.state == "sent"


def test_a_server_that_says_no_to_all_is_not_asked_again(serve: Serve, trust: ssl.SSLContext) -> None:
    server = serve(Postbox("250 OK", "421 closing"))
    asked = iter([message(1), message(2), message(3)])

    assert states(send(asked, server, "hemmelig", trust)) == ["sent", "queued"]
    assert next(asked)["Subject"] == "nr. 3"


def test_a_letter_in_flight_when_the_line_breaks_is_left_for_a_person(serve: Serve, trust: ssl.SSLContext) -> None:
    server = serve(Postbox("250 OK", None))
    asked = iter([message(1), message(2), message(3)])

    assert states(send(asked, server, "hemmelig", trust)) == ["sent", "sending"]
    assert next(asked)["Subject"] == "nr. 3"


def test_a_line_that_closed_between_two_letters_is_opened_again(serve: Serve, trust: ssl.SSLContext) -> None:
    postbox = Postbox(noops=["250 OK", "421 too many messages"])

    assert states(send(map(message, range(2)), serve(postbox), "hemmelig", trust)) == ["sent", "sent"]
    assert postbox.connections == 2
