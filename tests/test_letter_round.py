"""The letters of a whole round: mails come in, are taken in and answered over a real mail server, to the last."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import fast_mail_parser
import pytest

import cli
from outputs.letters.message import UNFOLDED
from outputs.mailing.mail import PASSWORD as VARIABLE
from templates.fill import fill_workbook
from tests.mails import mail, put
from tests.postbox import PASSWORD, Postbox, serving, trust_file
from tests.test_loop import PLAN, PLANTS, Club
from tests.test_mail_round import FORM, SETTINGS

EPLE, PLOMME = "epletreet@hage.example", "plommetreet@hage.example"
CONTACT, STRANGER = "kari@hage.example", "ola@annet.example"
MEMBERS = f"""\
orgnr;navn;type;kommunenr;epost;språk;kontakt_epost
920125298;Epletreet;MEDLEM;3203;{EPLE};nb;{CONTACT}
123456785;Plommetreet;MEDLEM;0301;{PLOMME};nn;
"""
WRONG = {key: PLAN[key] for key in ("tittel", "budsjett")}  # no soil
LATENESS = """
[[rule]]
id = "H3"
check = "received_by_deadline"
later = { nb = "Om det kom i tide.", nn = "Om det kom i tide." }
message = { nb = "For sent.", nn = "For seint." }
"""
LATE = timedelta(days=2)
ENDED = datetime.now(UTC) - timedelta(days=60)


class Staff(Club):
    """Somebody at a terminal, with a mail server, at a day of the round that the test chooses."""

    def __init__(self, folder: Path, postbox: Postbox, port: int, form: Path | str, members: str) -> None:
        super().__init__(folder)
        self.postbox, self.mails = postbox, 0
        self.runner.invoke(cli.main, ["new", str(folder), "--form", str(form)], catch_exceptions=False)
        settings = (folder / "round.toml").read_text(encoding="utf-8") + SETTINGS.format(port=port)
        # in the past, since no mail is believed to come from the future
        (folder / "round.toml").write_text(f"deadline = {ENDED:%Y-%m-%dT12:00:00}\n{settings}", encoding="utf-8")
        (folder / "recipients.csv").write_text(members, encoding="utf-8")

    @property
    def deadline(self) -> datetime:
        return self.round.form.deadline

    def comes(self, workbook: bytes, sender: str, received: datetime) -> str:
        """A mail with a workbook comes in and is taken in; gives its Message-ID."""
        self.mails += 1
        message_id = f"<{self.mails}@{sender.partition('@')[2]}>"
        brought = mail(("svar.xlsx", workbook), received=received, sender=sender, message_id=message_id)
        put(self.round.inbox / f"{self.mails}.eml", brought)
        self.runner.invoke(cli.main, ["--round", str(self.folder), "ingest"], catch_exceptions=False)
        return message_id

    def sends(self, *words: str, expect: int = 0) -> list[tuple[list[str], EmailMessage]]:
        """Whom a command with --send writes to, and what arrives, told alike by two parsers."""
        before = len(self.postbox.got)
        self.told = self.run(*words, "--send", expect=expect).stdout
        arrived = []
        for to, content in self.postbox.got[before:]:
            message = message_from_bytes(content, policy=UNFOLDED)
            other = fast_mail_parser.parse_email(content)
            assert isinstance(message, EmailMessage)
            assert not message.defects
            assert other.warnings == []
            assert other.subject == message["Subject"]
            assert [one.address for one in other.to] == to == [one.addr_spec for one in message["To"].addresses]
            assert " ".join(other.text_plain[0].split()) == text(message)
            assert {one.filename: one.content for one in other.attachments} == files(message)
            arrived.append((to, message))
        return arrived


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


def files(message: EmailMessage) -> dict[str | None, Any]:
    return {part.get_filename(): part.get_content() for part in message.iter_attachments()}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Postbox, int]]:
    monkeypatch.setenv("SSL_CERT_FILE", str(trust_file(tmp_path)))
    monkeypatch.setenv(VARIABLE, PASSWORD)
    postbox = Postbox()
    with serving(postbox) as port:
        yield postbox, port


@pytest.fixture
def staff(tmp_path: Path, server: tuple[Postbox, int]) -> Staff:
    rules = (FORM / "rules.toml").read_text(encoding="utf-8") + LATENESS
    shutil.copytree(FORM, tmp_path / "hagelag")
    (tmp_path / "hagelag" / "rules.toml").write_text(rules, encoding="utf-8")
    form = (FORM / "form.toml").read_text(encoding="utf-8").replace("opens = 2030-", "opens = 2020-")
    (tmp_path / "hagelag" / "form.toml").write_text(form, encoding="utf-8")
    return Staff(tmp_path / "runde", *server, tmp_path / "hagelag", MEMBERS)


def test_every_letter_of_a_round_arrives_once_until_it_is_closed(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    def it_is(moment: datetime) -> None:
        monkeypatch.setattr(cli, "_now", lambda _form: moment)

    opened, closed = staff.deadline - timedelta(days=30), staff.deadline + timedelta(days=20)
    it_is(opened)
    (to, invited), (other, _) = sorted(staff.sends("send-out"), key=lambda one: one[0][0])
    assert (to, other) == ([EPLE, CONTACT], [PLOMME])
    (workbook,) = files(invited).values()

    # what is wrong is told, and the workbook that came with the letter is corrected and sent back
    asked = staff.comes(
        fill_workbook(workbook, staff.round.form, "nb", {"plan": WRONG, "vekster": PLANTS}), CONTACT, opened
    )
    ((to, letter),) = staff.sends("feedback")
    assert (to, letter["In-Reply-To"]) == ([EPLE, CONTACT], asked)
    assert "1 opplysning må rettes innen" in letter["Subject"]
    assert "somebody else" not in staff.told
    (marked,) = files(letter).values()
    corrected = fill_workbook(marked, staff.round.form, "nb", {"plan": {"jordtype": "SAND"}})
    staff.comes(corrected, EPLE, opened + LATE)
    ((_, letter),) = staff.sends("feedback")
    assert letter["Subject"] == "Kvittering for plan HAGE-0001-1: alle opplysninger er med"
    assert "Opplysningen vi ba dere rette, er rettet." in text(letter)

    # the other one is reminded, is late, and is let in
    it_is(staff.deadline + timedelta(days=1))
    ((to, letter),) = staff.sends("remind")
    assert to == [PLOMME]
    assert "Fristen har gått ut" in letter["Subject"]
    (workbook,) = files(letter).values()
    late = fill_workbook(workbook, staff.round.form, "nn", {"plan": PLAN, "vekster": PLANTS})
    staff.comes(late, PLOMME, staff.deadline + LATE)
    it_is(closed)
    ((_, letter),) = staff.sends("feedback")
    assert "kom etter fristen" in letter["Subject"]
    ((to, letter),) = staff.sends("close", expect=cli.NEEDS_A_PERSON)
    assert to == [EPLE, CONTACT]
    assert "Alle opplysningene er med." in text(letter)
    assert "1 owner left out" in staff.told
    decide = ("decide", "HAGE-0002-1", "accept-late", "--by", "Kari", "--reason", "sjukdom")
    staff.run(*decide)
    ((_, letter),) = staff.sends("feedback")
    assert "Ho kom etter fristen, men er teken med likevel." in text(letter)

    # the end
    ((to, letter),) = staff.sends("close")
    assert (to, letter["Subject"]) == ([PLOMME], "Dette har vi registrert: «Kva vil du dyrke?»")
    assert "«Bed mot sør»: Alle opplysningane er med." in text(letter)
    assert [staff.sends(command) for command in ("close", "feedback", "remind")] == [[], [], []]
    staff.run("decide", "HAGE-0001-1", "withdraw", "--by", "Kari", "--reason", "de ba om det")
    ((to, letter),) = staff.sends("close")
    assert to == [EPLE, CONTACT]
    assert "Trukket tilbake, slik dere ba om." in text(letter)
    assert staff.sends("close") == []


def test_a_stranger_who_sends_the_workbook_gets_no_letter_and_staff_are_told(staff: Staff) -> None:
    (workbook,) = files(min(staff.sends("send-out"), key=lambda one: one[0])[1]).values()
    filled = fill_workbook(workbook, staff.round.form, "nb", {"plan": WRONG, "vekster": PLANTS})
    staff.comes(filled, f"Epletreet <{STRANGER}>", staff.deadline - LATE)

    ((to, letter),) = staff.sends("feedback")

    assert to == [EPLE, CONTACT]
    assert STRANGER not in "".join(f"{name}: {value}" for name, value in letter.items())
    assert "1 of them answer files from somebody else than they go to." in staff.told
    assert f"{EPLE}, {CONTACT}  the file came from {STRANGER}" in staff.told
    assert f"answers a file from somebody it does not go to: {STRANGER}" in staff.run("outbox", "show", "3").stdout
    assert [to for to, _ in staff.postbox.got if STRANGER in to] == []


def test_an_address_that_only_the_workbook_names_gets_no_letter(tmp_path: Path, server: tuple[Postbox, int]) -> None:
    members = "orgnr;navn;type;kommunenr;epost;språk\n920125298;Asker kommune;KOMMUNE;3203;post@asker.example;nb\n"
    staff = Staff(tmp_path / "runde", *server, "behovsmelding-2024", members)
    ((_, invited),) = staff.sends("send-out")
    (workbook,) = files(invited).values()
    answers = {"skjema": {"kontakt_epost": STRANGER, "kopi_epost": f"kopi-{STRANGER}", "antall_ar": "7"}}
    staff.comes(fill_workbook(workbook, staff.round.form, "nb", answers), STRANGER, staff.deadline - LATE)

    ((to, letter),) = staff.sends("feedback")

    assert to == ["post@asker.example"]
    assert (
        f"post@asker.example  the file came from {STRANGER}" in staff.told
    )  # though the workbook calls it the contact
    assert STRANGER not in text(letter)
    assert list(files(letter)) == ["BM24-0001-1-rettes.xlsx"]
    assert [to for to, _ in staff.postbox.got] == [["post@asker.example"]] * 2
