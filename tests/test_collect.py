"""behov collect, against a real IMAP server: what is fetched, what is not, and what staff are told."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

import cli
from intake import mailbox
from intake.collected import read_collected, read_received
from intake.sources import NOT_WHOLE, SourceError
from outputs.letters.message import read_message
from outputs.progress import progress
from templates.round import Round, new_round
from tests.imap_server import HOST, PASSWORD, Server, program, running
from tests.mails import OWNER, mail, put
from tests.test_bounces import report
from tests.test_dry_run import everything

OSLO = ZoneInfo("Europe/Oslo")
CAME = datetime(2024, 2, 1, 23, 59, 59, tzinfo=OSLO)
FORM = Path(__file__).parent / "forms" / "hagelag"
JSON = Path(__file__).parent.parent / "docs" / "json.md"
BOOK = b"PK\x03\x04 not much of a workbook"


USERS = (f"postmottak-{number}@kontoret.example" for number in count(1))


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Server]:
    if program() is None:
        pytest.skip("dovecot is not installed")
    with running() as started:
        yield started


@pytest.fixture
def server(dovecot: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An empty mailbox on a running server that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.trust))
    monkeypatch.setenv(mailbox.PASSWORD, PASSWORD)
    return replace(dovecot, user=next(USERS))


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    return new_round(tmp_path / "runde", str(FORM))


def settle(round_: Round, **values: object) -> Round:
    """Fill in [mailbox]."""
    head = (round_.folder / "round.toml").read_text(encoding="utf-8").partition("[mailbox]")[0].rstrip("# \n")
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    (round_.folder / "round.toml").write_text(f"{head}\n[mailbox]\n{lines}\n", encoding="utf-8")
    return Round(round_.folder)


def settled(round_: Round, server: Server, **values: object) -> Round:
    return settle(round_, **{"host": HOST, "port": server.tls, "user": server.user, **values})


def run(round_: Round, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["--round", str(round_.folder), *words])


def collected(round_: Round) -> Any:  # noqa: ANN401 - a JSON document
    done = run(round_, "collect", "--json")
    assert done.exit_code in {cli.DONE, cli.NEEDS_A_PERSON}, done.output
    return json.loads(done.stdout)


def told(round_: Round) -> str:
    """What staff are told when it cannot be done."""
    done = run(round_, "collect")
    assert done.exit_code == cli.WRONG_USE, done.output
    assert "Traceback" not in done.output
    return done.stderr


def number(content: int) -> EmailMessage:
    return mail((f"skjema-{content}.xlsx", BOOK + bytes([content])), message_id=f"<{content}@asker.example>")


def inbox(round_: Round) -> list[Path]:
    return sorted(round_.inbox.iterdir())


# fetching


def test_every_mail_is_saved_as_it_is_and_received_when_the_server_says(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), number(2), received=CAME)

    document = collected(round_)

    assert [path.read_bytes() for path in inbox(round_)] == [number(1).as_bytes(), number(2).as_bytes()]
    assert [path.name.split("-")[1] for path in inbox(round_)] == ["00000001", "00000002"]
    assert set(read_received(round_.collected).values()) == {CAME}
    assert document["known"] == 0
    ingested = json.loads(run(round_, "ingest", "--json").stdout)["files"]
    assert [(one["received"], one["clock"], one["sender"]) for one in ingested] == [
        ("2024-02-01T23:59:59+01:00", "mailbox", OWNER)
    ] * 2
    assert [Path(one["path"]).name for one in ingested] == ["skjema-1.xlsx", "skjema-2.xlsx"]


def test_a_second_run_fetches_nothing_and_a_new_mail_is_fetched_alone(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), received=CAME)
    collected(round_)
    before = {path: path.stat().st_mtime_ns for path in (*inbox(round_), round_.collected)}

    again = collected(round_)
    server.add(number(2), received=CAME)
    then = collected(round_)

    assert (again["messages"], again["known"]) == ([], 1)
    assert {path: path.stat().st_mtime_ns for path in before if path != round_.collected}.items() <= before.items()
    assert [one["uid"] for one in then["messages"]] == [2]
    assert len(inbox(round_)) == 2


def test_mails_stay_unread_where_they_are_with_our_flag_and_theirs(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), received=CAME)
    server.add(number(2), received=CAME, flags=r"(\Deleted \Flagged)")

    collected(round_)

    first, second = (set(flags.split()) - {r"\Recent"} for flags in server.flags())
    assert first == {"$behov"}
    assert second == {"$behov", r"\Deleted", r"\Flagged"}


def test_a_dry_run_tells_the_same_and_leaves_mailbox_and_folder_as_they_were(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), received=CAME)
    before = everything(round_.folder)

    tried = json.loads(run(round_, "collect", "--dry-run", "--json").stdout)

    assert everything(round_.folder) == before
    assert [set(flags.split()) - {r"\Recent"} for flags in server.flags()] == [set()]
    assert tried == collected(round_)


def test_a_mail_that_was_moved_away_and_back_is_known_by_itself(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), received=CAME)
    collected(round_)
    with server.opened() as client:
        client.create("Behandlet")
        client.select("INBOX")
        client.copy("1", "Behandlet")
        client.store("1", "+FLAGS", r"\Deleted")
        client.expunge()
    server.add(number(1), received=CAME)

    assert collected(round_)["messages"] == []
    settled(round_, server, folder="Behandlet")
    assert collected(round_)["messages"] == [], "nor in another folder"


def test_two_mails_with_one_message_id_are_two_mails(server: Server, round_: Round) -> None:
    settled(round_, server)
    one, other = number(1), mail(("annet.xlsx", BOOK), message_id="<1@asker.example>")
    server.add(one, other, received=CAME)
    server.add(one, received=CAME + timedelta(seconds=1))

    collected(round_)

    assert sorted(path.read_bytes() for path in inbox(round_)) == sorted([one.as_bytes()] * 2 + [other.as_bytes()])


def test_mails_without_message_id_are_fetched_once(server: Server, round_: Round) -> None:
    settled(round_, server)
    bare = number(1)
    del bare["Message-ID"]
    server.add(bare, bare, b"\r\n", received=CAME)

    first, second = collected(round_), collected(round_)

    assert (len(first["messages"]), second["messages"]) == (3, [])
    assert len(inbox(round_)) == 3


def test_a_folder_of_another_name_is_read(server: Server, round_: Round) -> None:
    with server.opened() as client:
        client.create("&AOY-rlige s&APg-knader".join('""'))  # «ærlige søknader», as IMAP writes it
    server.add(number(1), received=CAME, folder='"&AOY-rlige s&APg-knader"')
    settled(round_, server, folder="ærlige søknader")

    assert len(collected(round_)["messages"]) == 1


def test_starttls_is_encrypted_and_verified_too(server: Server, round_: Round) -> None:
    settled(round_, server, port=server.starttls, tls="starttls")
    server.add(number(1), received=CAME)

    assert len(collected(round_)["messages"]) == 1


def test_a_mail_that_is_too_big_is_left_and_told(
    server: Server, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAX_MAIL", 5000)
    settled(round_, server)
    server.add(mail(("stor.xlsx", bytes(5000)), subject="Stor fil"), number(2), received=CAME)

    done = run(round_, "collect")

    assert done.exit_code == cli.NEEDS_A_PERSON
    assert "1 new message with 1 attachment saved to" in done.stdout
    assert (
        f"Too big to fetch: save what is attached to them in inbox/ yourself\n  «Stor fil», from {OWNER}" in done.stdout
    )
    assert [one["subject"] for one in collected(round_)["too_big"]] == ["Stor fil"]


def test_staff_are_told_what_was_fetched_and_what_comes_next(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), mail(subject="Spørsmål"), received=CAME)

    done = run(round_, "collect")

    assert done.exit_code == cli.DONE
    assert done.stdout == (
        f"{server.user}, INBOX: 2 new messages with 1 attachment saved to {round_.inbox}/, 0 known before.\n"
        "\nThe messages stay in the mailbox. Next: behov ingest\n"
    )


def test_the_json_of_the_page_has_the_keys_that_are_printed(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), received=CAME)
    shown = re.search(r"^```json collect\n([\s\S]*?)^```$", JSON.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown is not None
    page, printed = json.loads(shown[1]), collected(round_)

    assert page.keys() == printed.keys()
    assert [one.keys() for one in page["messages"]] == [one.keys() for one in printed["messages"]]
    assert printed["messages"][0]["received"] == "2024-02-01T22:59:59+00:00"


# letters that come back


def invited(round_: Round) -> str:
    """A round in which one letter has been sent; gives its Message-ID."""
    rows = "orgnr;navn;type;kommunenr;epost;språk\n920125298;Lia hagelag;MEDLEM;3203;lia@hage.example;nb\n"
    (round_.folder / "recipients.csv").write_text(rows, encoding="utf-8")
    letter = json.loads(run(round_, "send-out", "--json").stdout)["letters"][0]
    return str(read_message(round_.folder / letter["path"])["Message-ID"])


def test_a_letter_that_came_back_is_marked_and_told_to_staff(server: Server, round_: Round) -> None:
    round_ = settled(round_, server)
    ours = invited(round_)
    server.add(report(message_id=ours), mail(subject="Automatisk svar: borte"), number(1), received=CAME)

    done = run(round_, "collect")

    assert done.exit_code == cli.NEEDS_A_PERSON
    assert "1 letter of ours came back; see to it: behov outbox" in done.stdout
    listed = run(round_, "outbox").stdout
    assert "1  bounced   lia@hage.example  kari@asker.example: 550 5.1.1" in listed
    assert "1  letter did not arrive, or has no address" in run(round_, "status").stdout
    assert len(inbox(round_)) == 2, "the report itself is in returned/"
    assert len(list((round_.folder / "returned").iterdir())) == 1
    assert collected(round_)["messages"] == []


def test_a_report_about_another_mail_or_a_delay_stays_for_staff_to_read(server: Server, round_: Round) -> None:
    round_ = settled(round_, server)
    ours = invited(round_)
    server.add(report(), report(action="delayed", message_id=ours), received=CAME)

    assert [one["came_back"] for one in collected(round_)["messages"]] == [False, False]
    assert [letter["state"] for letter in json.loads(run(round_, "outbox", "--json").stdout)["letters"]] == ["queued"]
    assert len(inbox(round_)) == 2


def test_a_run_that_breaks_off_before_the_ledger_loses_no_report(
    server: Server, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = settled(round_, server)
    server.add(report(message_id=invited(round_)), received=CAME)
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "add", lambda *_: 1 / 0)
        assert run(round_, "collect").exit_code == cli.OUR_FAILURE

    assert [one["came_back"] for one in collected(round_)["messages"]] == [True]
    assert [letter["state"] for letter in json.loads(run(round_, "outbox", "--json").stdout)["letters"]] == ["bounced"]


# runs that break off


class PowerCut(BaseException):
    """What no handler of ours expects."""


@pytest.mark.parametrize("at", ["_write", "add", "_count"])
def test_a_run_that_breaks_off_loses_no_mail_and_saves_none_twice(
    at: str, server: Server, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(round_, server)
    server.add(*(number(each) for each in range(1, 5)), received=CAME)
    real, calls = getattr(mailbox, at), []

    def until_the_third(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            raise PowerCut
        return real(*arguments)

    settings = Round(round_.folder).settings.mailbox
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, at, until_the_third)
        with pytest.raises(PowerCut):
            mailbox.collect(settings, PASSWORD, round_.inbox, round_.collected, progress)
    left = collected(round_)

    assert len(left["messages"]) == {"_write": 2, "add": 2, "_count": 1}[at]
    assert [path.read_bytes() for path in inbox(round_)] == [number(each).as_bytes() for each in range(1, 5)]
    assert all("$behov" in flags for flags in server.flags())
    assert collected(round_)["messages"] == []


def test_a_line_of_the_ledger_that_was_cut_off_is_written_again(server: Server, round_: Round) -> None:
    settled(round_, server)
    server.add(number(1), number(2), received=CAME)
    collected(round_)
    whole = round_.collected.read_bytes()
    round_.collected.write_bytes(whole[:-20])

    assert [one["uid"] for one in collected(round_)["messages"]] == [2]
    assert round_.collected.read_bytes() == whole


def test_a_damaged_ledger_is_told(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mailbox.PASSWORD, PASSWORD)
    settle(round_, host=HOST, user="postmottak")
    round_.collected.write_text("hei\npå deg\n", encoding="utf-8")

    assert "collected.csv is damaged; put it back from your backup" in told(round_)
    with pytest.raises(SourceError):
        read_collected(round_.collected)


def test_half_a_mail_is_never_taken_in(round_: Round) -> None:
    put(round_.inbox / f"1-7-ab.eml{NOT_WHOLE}", number(1))

    assert run(round_, "ingest", "--json").stdout.count('"path"') == 0


# what staff are told when it cannot be done


def test_a_certificate_that_is_not_trusted_stops_before_the_password(
    server: Server, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for how in ({"port": server.tls}, {"port": server.starttls, "tls": "starttls"}):
        settled(round_, server, **how)
        assert re.search(
            r"the certificate of localhost \(port \d+\) cannot be trusted: .+\. The password has not been sent\.",
            told(round_),
        )
    assert server.user not in (server.folder / "log").read_text(encoding="utf-8")


def test_a_certificate_of_another_server_is_not_trusted(server: Server, round_: Round) -> None:
    settled(round_, server, host="127.0.0.1")

    assert "cannot be trusted: IP address mismatch" in told(round_)


def test_a_wrong_password_is_told_by_its_name_and_never_shown(
    server: Server, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(round_, server)
    for password in ("feil", "ærlig feil"):
        monkeypatch.setenv(mailbox.PASSWORD, password)
        said = told(round_)
        assert f"{HOST} does not let {server.user} in; check mailbox.user in round.toml" in said
        assert "BEHOV_IMAP_PASSWORD" in said
        assert password not in said


def test_a_folder_that_is_not_there_is_told_with_those_that_are(server: Server, round_: Round) -> None:
    settled(round_, server, folder="Skjema")

    assert "the mailbox has no folder «Skjema»; write one of these in round.toml: INBOX" in told(round_)


def test_a_way_of_encrypting_that_the_server_does_not_have_is_told(server: Server, round_: Round) -> None:
    settled(round_, server, port=server.starttls)

    assert 'does not encrypt in the way of tls = "ssl"' in told(round_)
    assert 'Try tls = "starttls"' in told(round_)


def test_a_server_that_is_not_there_or_does_not_answer_is_told(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mailbox.PASSWORD, PASSWORD)
    settle(round_, host="imap.finnes-ikke.invalid", user="postmottak")
    assert "there is no server imap.finnes-ikke.invalid to be found; check mailbox.host" in told(round_)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settle(round_, host=HOST, user="postmottak", port=listener.getsockname()[1])
        assert "does not answer" in told(round_)


def test_without_a_mailbox_or_a_password_nothing_is_asked(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mailbox.PASSWORD, raising=False)
    assert "round.toml names no mailbox; fill in [mailbox]" in told(round_)
    settle(round_, host=HOST, user="postmottak")
    assert "there is no password for the mailbox; put it in BEHOV_IMAP_PASSWORD" in told(round_)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"host": "imaps://imap.example.no", "user": "x"}, "Write the name alone, as mail.example.no."),
        ({"host": "imap.example.no"}, "mailbox: its user is empty"),
        ({"host": "imap.example.no", "user": "x", "folder": " "}, "mailbox: its folder is empty"),
        ({"host": "imap.example.no", "user": "x", "port": 0}, "mailbox.port: must be at least 1"),
        ({"host": "imap.example.no", "user": "x", "tls": "none"}, "mailbox.tls: «none» is not known here"),
        (
            {"host": "imap.example.no", "user": "x", "password": "hemmelig"},
            "a password never stands in a file of the round",
        ),
    ],
)
def test_every_setting_is_checked(values: dict[str, object], sentence: str, round_: Round) -> None:
    settle(round_, **values)

    assert sentence in told(round_)


# a server that hangs up


@contextmanager
def hanging_up(server: Server) -> Iterator[int]:
    """A port that passes everything on to the server, and hangs up after 20,000 bytes from it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pass_on() -> None:
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", server.tls)) as upstream:
                threading.Thread(target=_copy, args=(client, upstream, 1 << 30), daemon=True).start()
                _copy(upstream, client, 20_000)
                client.shutdown(socket.SHUT_RDWR)

        passing = threading.Thread(target=pass_on, daemon=True)
        passing.start()
        yield listener.getsockname()[1]
        passing.join(10)


def _copy(source: socket.socket, target: socket.socket, most: int) -> None:
    left = most
    try:
        while left > 0 and (data := source.recv(4096)):
            target.sendall(data)
            left -= len(data)
    except OSError:
        pass


def test_a_connection_that_breaks_keeps_what_was_fetched(server: Server, round_: Round) -> None:
    server.add(*(mail((f"{each}.xlsx", bytes(6000)), message_id=f"<{each}@x>") for each in range(4)), received=CAME)
    with hanging_up(server) as port:
        settled(round_, server, port=port)
        assert "the connection to localhost broke" in told(round_)
    assert 0 < len(inbox(round_)) < 4
    settled(round_, server)

    collected(round_)

    assert len([path for path in inbox(round_) if path.suffix == ".eml"]) == 4
    assert min(read_received(round_.collected).values()).astimezone(UTC) == CAME.astimezone(UTC)
