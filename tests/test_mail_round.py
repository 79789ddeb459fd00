"""Mail from the command line: a whole send-out of 500 owners, and what staff see when it goes wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import fast_mail_parser
import pytest
from click.testing import CliRunner, Result

import cli
from outputs.mailing.mail import PASSWORD as VARIABLE
from templates.orgnr import check_digit
from templates.round import Round
from tests.postbox import DROP, PASSWORD, Postbox, serving, trust_file

FORM = Path(__file__).parent / "forms" / "hagelag"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SETTINGS = """
[mail]
host = "localhost"
port = {port}
user = "kontoret"
"""


class Staff:
    """Somebody at a terminal, with a round and a mail server."""

    def __init__(self, folder: Path, postbox: Postbox, port: int) -> None:
        self.folder, self.postbox = folder, postbox
        CliRunner().invoke(cli.main, ["new", str(folder), "--form", str(FORM)], catch_exceptions=False)
        with (folder / "round.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(port=port))

    def invite(self, owners: int) -> None:
        eight = (f"{number}" for number in range(81000000, 81010000))
        numbers = (f"{digits}{last}" for digits in eight if (last := check_digit(digits)) is not None)
        rows = (
            f"{orgnr};Hage nr. {n} Ærlig;MEDLEM;3203;hage{n}@eier{n}.no;{'nn' if n % 2 else 'nb'}\n"
            for n, orgnr in zip(range(owners), numbers, strict=False)
        )
        head = "orgnr;navn;type;kommunenr;epost;språk\n"
        (self.folder / "recipients.csv").write_text(head + "".join(rows), encoding="utf-8")

    def run(self, *words: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, ["--round", str(self.folder), *words])
        assert result.exit_code == expect, result.output
        return result

    def json(self, *words: str, expect: int = 0) -> Any:  # noqa: ANN401 - a JSON document
        return json.loads(self.run(*words, "--json", expect=expect).stdout)


@pytest.fixture
def staff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staff]:
    monkeypatch.setenv("SSL_CERT_FILE", str(trust_file(tmp_path)))
    monkeypatch.setenv(VARIABLE, PASSWORD)
    postbox = Postbox()
    with serving(postbox) as port:
        yield Staff(tmp_path / "runde", postbox, port)


@pytest.mark.slow
def test_five_hundred_letters_with_workbooks_arrive_once_each_and_whole(staff: Staff) -> None:
    staff.invite(500)

    told = staff.json("send-out", "--send")
    again = staff.json("send-out", "--send")

    assert (told["sending"], told["stopped"]) == ({"sent": 500}, None)
    assert (again["letters"], again["sending"]) == ([], {})
    got = staff.postbox.got
    assert Counter(to for (to,), _ in got) == Counter(f"hage{n}@eier{n}.no" for n in range(500))
    assert staff.postbox.connections == 5  # 100 letters each
    assert len({str(message_from_bytes(content)["Message-ID"]) for _, content in got}) == 500
    round_ = Round(staff.folder)
    sent = {line.orgnr: line for line in round_.sent().values()}
    for recipient in round_.recipients.values():
        (content,) = (content for to, content in got if to == [recipient.email])
        workbook = (round_.sent_folder / sent[recipient.orgnr].file).read_bytes()
        check_by_the_standard_library(content, recipient.email, sent[recipient.orgnr].file, workbook)
        check_by_another_parser(content, recipient.name, recipient.email, sent[recipient.orgnr].file, workbook)


def check_by_the_standard_library(content: bytes, to: str, name: str, workbook: bytes) -> None:
    message = message_from_bytes(content, policy=default)
    assert not message.defects
    assert not any(message[header].defects for header in message)
    assert [address.addr_spec for address in message["To"].addresses] == [to]
    assert message["From"] == message["Reply-To"] == "Statsforvalteren i Oslo og Viken <postmottak@example.no>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.no>")
    assert message["Date"].datetime.tzinfo is not None
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (name, XLSX, workbook)
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert "1. april" in part.get_content()


def check_by_another_parser(content: bytes, owner: str, to: str, name: str, workbook: bytes) -> None:
    mail = fast_mail_parser.parse_email(content)
    assert mail.warnings == []
    assert mail.subject in {"Svar innen 1. april: «Hva vil du dyrke?»", "Svar innan 1. april: «Kva vil du dyrke?»"}
    assert [(one.display_name, one.address) for one in mail.to] == [(owner, to)]
    assert (len(mail.text_plain), len(mail.text_html)) == (1, 1)
    assert owner in " ".join(mail.text_plain[0].split())
    (file,) = mail.attachments
    assert (file.filename, file.mimetype, file.content) == (name, XLSX, workbook)


def test_nothing_leaves_the_machine_without_send(staff: Staff) -> None:
    staff.invite(2)

    told = staff.run("send-out").stdout
    staff.run("remind")

    assert "2 letters in" in told
    assert "2 invitations (nothing has left this machine)." in told
    assert staff.postbox.connections == 0


def test_a_wrong_password_is_told_in_a_sentence_and_the_letters_wait(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.invite(2)
    monkeypatch.setenv(VARIABLE, "gal")

    result = staff.run("send-out", "--send", expect=2)

    assert "refuses the user kontoret or the password" in result.stderr
    assert "gal" not in result.stderr
    assert [letter["state"] for letter in staff.json("outbox")["letters"]] == ["queued", "queued"]


def test_staff_see_what_went_wrong_and_say_what_is_to_be_done(staff: Staff) -> None:
    staff.invite(3)
    staff.postbox.plans["end"] = ["554 looks like spam", DROP]

    told = staff.run("send-out", "--send", expect=1).stdout
    listed = staff.run("outbox").stdout
    staff.run("outbox", "resend", "2", "--by", "Kari", "--reason", "eieren fikk den ikke")
    staff.run("outbox", "discard", "1", "--by", "Kari", "--reason", "levert i møte")
    sent = staff.json("send-out", "--send")
    shown = staff.run("outbox", "show", "2").stdout

    assert "failed                          1" in told
    assert "What waits for a person: behov outbox" in told
    assert "1  failed    hage0@eier0.no  554 looks like spam" in listed
    assert "2  uncertain hage1@eier1.no  the connection broke before the answer" in listed
    assert [(letter["kind"], letter["to"]) for letter in sent["letters"]] == [("invitation", ["hage1@eier1.no"])]
    assert "resend: eieren fikk den ikke (Kari)" in shown
    assert [letter["state"] for letter in staff.json("outbox")["letters"]] == ["discarded", "sent", "sent"]


def test_a_whole_run_goes_to_a_test_address(staff: Staff) -> None:
    staff.invite(2)

    staff.run("send-out", "--send", "--redirect", "meg@kontoret.no")

    assert [to for to, _ in staff.postbox.got] == [["meg@kontoret.no"]] * 2
    assert staff.run("send-out", "--redirect", "meg@kontoret.no", expect=2).stderr.strip().endswith("write both")


def test_an_action_without_a_letter_or_a_letter_that_is_not_there_is_told(staff: Staff) -> None:
    assert "there is no letter 7" in staff.run("outbox", "show", "7", expect=2).stderr
    assert "say which letters" in staff.run("outbox", "hold", "--by", "K", "--reason", "r", expect=2).stderr
