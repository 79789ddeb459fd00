"""The guides, walked step by step: every command they tell somebody to type is run, in order, in one real round."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner
from fsspec import filesystem

import cli
from intake import mailbox
from outputs.mailing.mail import PASSWORD as MAIL_PASSWORD
from outputs.register.outcomes import WORDS
from templates.fill import fill_workbook
from templates.round import Round
from tests import imap_server, postbox
from tests.test_docs import ROOT, Block, blocks
from tests.test_registers import V4, page

STAFF, COMMANDS = ROOT / "docs" / "staff.md", ROOT / "docs" / "commands.md"
SETTINGS = """
[mail]
host = "localhost"
port = {smtp}
user = "{user}"
per_minute = 0

[mailbox]
host = "localhost"
port = {imap}
user = "post@kontoret.example"
"""
SPREADSHEET = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class Desk:
    """Somebody who does what the guide says, and nothing else."""

    def __init__(self, servers: imap_server.Server, smtp: int) -> None:
        self.servers, self.smtp = servers, smtp
        self.typed: list[str] = []

    def follow(self, block: Block) -> None:
        if block.language == "csv":
            Path(block.name).write_text(block.body, encoding="utf-8")
        for line in block.body.splitlines() if block.language == "console" else ():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[0] == "cd":
                os.chdir(words[1])
                self.settle()
            else:
                self.type(words)

    def type(self, words: list[str]) -> None:
        folder = Path(words[2]) if words[1] == "--round" else Path()
        if words[-1] == "collect" and "collect" not in self.typed:
            self.owners_answer(Round(folder))
        if "import" in words:
            self.bring(Path(words[words.index("import") + 1]), folder)
        few = ["--returns", "5"] if words[1:] == ["demo"] else []  # tests/test_docs.py plays it in full
        words = [word.replace("s3://", "memory://") for word in words]  # such a server is not here
        done = CliRunner().invoke(cli.main, [*words[1:], *few])
        assert done.exit_code in {cli.DONE, cli.NEEDS_A_PERSON}, f"{' '.join(words)}: {done.output}"
        self.typed += [word for word in words[1:4] if word in cli.main.commands]

    def settle(self, folder: Path = Path()) -> None:
        """Fill in round.toml."""
        with (folder / "round.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(smtp=self.smtp, imap=self.servers.tls, user=postbox.USER))

    def bring(self, file: Path, folder: Path) -> None:
        """Have what is to be imported: a page of a public register, or an export that somebody has worked in."""
        if file.suffix == ".json":
            kind = {} if file.name == "nbr.json" else {"ErBarnehage": False, "ErSkole": True}
            file.write_text(json.dumps(page(V4 | kind)), encoding="utf-8")
        elif not file.exists():
            shutil.copy(folder / "exports" / "register.xlsx", file)

    def owners_answer(self, round_: Round) -> None:
        """One owner mails a workbook back, another leaves one on a memory stick."""
        first, second = sorted(round_.sent().values(), key=lambda sent: sent.report)[:2]
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "post@asker.example", "post@kontoret.example", first.file
        mail.set_content("Hei, her er den.")
        mail.add_attachment(self.filled(round_, first.file), *SPREADSHEET, filename=first.file)
        self.servers.add(mail, received=round_.form.deadline - timedelta(days=3))
        (round_.inbox / "svar.xlsx").write_bytes(self.filled(round_, second.file))

    def filled(self, round_: Round, file: str) -> bytes:
        return fill_workbook(
            (round_.sent_folder / file).read_bytes(), round_.form, "nb", {"skjema": {"antall_ar": "1"}}
        )


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    if imap_server.program() is None:
        pytest.skip("dovecot is not installed")
    monkeypatch.chdir(tmp_path)
    with imap_server.running() as servers, postbox.serving(postbox.Postbox()) as smtp:
        trusted = tmp_path / "trusted.pem"
        trusted.write_bytes(servers.trust.read_bytes() + postbox.trust_file(tmp_path).read_bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        monkeypatch.setenv(mailbox.PASSWORD, imap_server.PASSWORD)
        monkeypatch.setenv(MAIL_PASSWORD, postbox.PASSWORD)
        servers.user = "post@kontoret.example"
        yield Desk(servers, smtp)


@pytest.mark.slow
def test_a_round_can_be_done_with_the_staff_guide_alone(desk: Desk) -> None:
    for block in blocks(STAFF):
        desk.follow(block)

    assert set(cli.main.commands) - set(desk.typed) - {"check", "form"} == set()


@pytest.mark.slow
def test_every_command_of_the_page_on_commands_does_what_it_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.cluster.cluster", lambda _address: ThreadPoolExecutor(1))
    owners = next(block for block in blocks(STAFF) if block.name == "recipients.csv")
    filesystem("memory").pipe("/behov-2024/inbox/svar.txt", b"Hei")

    for block in blocks(COMMANDS):
        first, *others = [line for line in block.body.splitlines() if block.language == "console"] or [""]
        desk.follow(replace(block, body=first))
        if first.startswith("$ behov new "):
            desk.settle(Path("runde-2024"))
            Path("runde-2024", owners.name).write_text(owners.body, encoding="utf-8")
        desk.follow(replace(block, body="\n".join(others)))

    assert {"decide", "show", "import", "backup", "forget", "close"} <= set(desk.typed)


def test_the_tables_of_decisions_list_them_all() -> None:
    for page_ in (STAFF, COMMANDS):
        rows = re.findall(r"^\| `([a-z-]+)(?: [A-Z]+)?`", page_.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(cli.DECISIONS) <= set(rows), page_.name


def test_the_staff_guide_explains_every_outcome_as_it_is_told() -> None:
    told = {
        cell.strip(" `") for line in STAFF.read_text(encoding="utf-8").splitlines() for cell in line.split("|")[1:2]
    }

    by_a_person = {"withdrawn", "rejected"}
    assert {words.split(",")[0] for outcome, words in WORDS.items() if outcome not in by_a_person} <= {
        words.split(",")[0] for words in told
    }
