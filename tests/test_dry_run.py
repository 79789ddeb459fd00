"""--dry-run: whatever a command would write, it writes nothing and says the same."""

import hashlib
import inspect
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import cli
from outputs.care.rehearsal import rehearsal
from tests.test_loop import FORM, MEMBERS, PLAN, PLANTS, Club

LOOKING = {"check", "status", "show", "verify", "form list", "form check", "form rules", "form try-rule", "form diff"}
JSON = Path(__file__).parent.parent / "docs" / "json.md"
MAIL = '\n[mail]\nhost = "localhost"\nport = 9\n'  # nobody answers there
REPORT = "HAGE-0001-1"
BY = ("--by", "Kari Holm", "--reason", "prøve")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def everything(folder: Path) -> dict[str, str]:
    """All that is in a folder: every file by its bytes, when it was changed, and its rights."""
    return {
        path.relative_to(folder).as_posix(): _stand(path) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def _stand(path: Path) -> str:
    found = path.stat()
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {found.st_mtime_ns} {found.st_mode:o}"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round in which one has answered, with an error, the other has not, and nobody has been told."""
    folder = tmp_path_factory.mktemp("prøver") / "runde med å"
    club = Club(folder)
    assert run("new", folder, "--form", FORM).exit_code == 0
    (folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    club.run("send-out")
    club.answer(REPORT, {**PLAN, "budsjett": 1}, PLANTS)
    club.run("ingest")
    club.run("export")
    with (folder / "round.toml").open("a", encoding="utf-8") as file:
        file.write(MAIL)
    return folder


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_now", lambda form: datetime(2030, 4, 2, 12, tzinfo=form.zone))


def test_every_command_has_json_and_every_one_that_writes_has_dry_run() -> None:
    options = {name: {option for one in command.params for option in one.opts} for name, command in commands(cli.main)}

    assert {name for name, has in options.items() if "--json" not in has} == set()
    assert {name for name, has in options.items() if "--dry-run" not in has} == LOOKING


def test_every_command_takes_what_it_is_played_with() -> None:
    given = {name: [one.name for one in command.params] for name, command in commands(cli.main)}
    played = {name: command.callback for name, command in commands(cli.main) if name not in {*LOOKING, "backup"}}

    for name, callback in played.items():
        options = dict.fromkeys(option for option in given[name] if option not in {"dry_run", "folder"})
        assert callback is not None
        assert inspect.signature(inspect.unwrap(callback)).bind(Path(), **options), name


def test_a_preview_that_is_tried_is_told_of_and_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)  # no pictures

    told = run("form", "preview", FORM, "--to", tmp_path / "her", "--dry-run")

    assert told.stdout.splitlines()[:2] == [f"Wrote {tmp_path / 'her' / f'hagelag-{one}.xlsx'}" for one in ("nb", "nn")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("send-out", "--copies", "2", "--send"),
        ("ingest",),
        ("ingest", "{new}", "--received", "2030-03-01 12:00"),
        ("feedback",),
        ("feedback", "--send"),
        ("remind",),
        ("close",),
        ("outbox", "list"),
        ("outbox", "hold", "1", *BY),
        ("extend", REPORT, "2031-02-01", *BY),
        ("decide", REPORT, "withdraw", *BY),
        ("export",),
        ("export", "--format", "csv"),
        ("export", "--format", "journal", "--to", "{outside}/journal.csv"),
        ("import", "{filled}", "--by", "Kari Holm"),
        ("dashboard",),
        ("rebuild",),
        ("backup",),
        ("backup", "--to", "{outside}/kopi"),
    ],
    ids=" ".join,
)
def test_nothing_is_written_and_json_is_said(words: tuple[str, ...], played: Path, tmp_path: Path) -> None:
    outside = tmp_path / "ute"
    outside.mkdir()
    new = tmp_path / "ny.xlsx"
    new.write_bytes(next((played / "sent").glob("*.xlsx")).read_bytes())
    places = {"outside": outside, "new": new, "filled": played / "exports" / "register.xlsx"}
    before = everything(played)

    done = run("--round", played, *(word.format(**places) for word in words), "--dry-run", "--json")

    assert done.exit_code in {cli.DONE, cli.NEEDS_A_PERSON}, done.output
    assert "behov-" not in json.dumps(json.loads(done.stdout))  # no path of the copy
    assert everything(played) == before
    assert list(outside.iterdir()) == []


def test_where_no_links_can_be_made_the_copy_is_one_of_its_own(played: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)
    before = everything(played)

    with rehearsal(played) as copy:
        linked = [path.name for path in copy.folder.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
        for path in [one for one in copy.folder.rglob("*") if one.is_file()]:
            path.chmod(0o600)
            path.write_bytes(b"written over")

    assert linked == []
    assert everything(played) == before


@pytest.mark.parametrize(
    "words",
    [("remind",), ("extend", REPORT, "2031-02-01", *BY), ("decide", REPORT, "withdraw", *BY), ("dashboard",)],
    ids=lambda words: words[0],
)
def test_the_summary_is_the_one_of_the_run_itself(words: tuple[str, ...], played: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(played, tmp_path / "runde"))
    typed: tuple[str | Path, ...] = ("--round", folder, *words)

    rehearsed, done = run(*typed, "--dry-run"), run(*typed)

    *said, last = rehearsed.stdout.splitlines()
    assert said == done.stdout.splitlines()
    assert last.startswith("Nothing was written (--dry-run)")
    assert rehearsed.exit_code == done.exit_code
    assert everything(folder) != everything(played)


def test_letters_that_would_be_sent_are_told_and_nobody_is_spoken_to(played: Path) -> None:
    told = run("--round", played, "feedback", "--send", "--dry-run")
    document = json.loads(run("--round", played, "feedback", "--send", "--dry-run", "--json").stdout)

    assert told.exit_code == cli.DONE
    assert document["sending"] == {"to be sent": len(document["letters"])}
    assert f"to be sent{len(document['letters']):>23}" in told.stdout


def test_a_round_without_a_register_has_none_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "ny"

    assert run("new", folder, "--form", FORM, "--dry-run").exit_code == 0
    assert not folder.exists()
    run("new", folder, "--form", FORM)
    before = everything(folder)
    assert "is a round already" in run("new", folder, "--form", FORM, "--dry-run").stderr
    told = run("--round", folder, "ingest", "--dry-run")

    assert told.exit_code == 0, told.output
    assert everything(folder) == before


def test_the_page_on_json_names_the_keys_of_the_smaller_documents(played: Path, tmp_path: Path) -> None:
    rows = dict(re.findall(r"^\| `([a-z -]+)` \| `(\{.*\})` \|$", JSON.read_text(encoding="utf-8"), re.MULTILINE))
    typed: dict[str, tuple[str | Path, ...]] = {
        "new": ("new", tmp_path / "ny", "--form", FORM),
        "export": ("--round", played, "export", "--dry-run"),
        "dashboard": ("--round", played, "dashboard", "--dry-run"),
        "form list": ("form", "list"),
        "form check": ("form", "check", FORM),
        "form diff": ("form", "diff", FORM, FORM),
        "form export": ("form", "export", FORM, tmp_path / "skjema.xlsx"),
        "form import": ("form", "import", tmp_path / "skjema.xlsx", tmp_path / "hagelag"),
        "form try-rule": ("--round", played, "form", "try-rule", "H1"),
    }

    told = {name: json.loads(run(*words, "--json").stdout).keys() for name, words in typed.items()}

    assert {name: json.loads(rows[name]).keys() for name in typed} == told
    assert {*rows, *typed} == {*typed, "demo", "form preview", "forget"}


def test_what_is_wrong_is_told_with_the_paths_of_the_round(tmp_path: Path) -> None:
    told = run("--round", tmp_path, "feedback", "--dry-run")

    assert told.exit_code == cli.WRONG_USE
    assert told.stderr.startswith(f"Error: {tmp_path} is not a round")


def test_a_demo_that_is_tried_respects_what_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "viktig.txt").write_text("behold meg", encoding="utf-8")

    told = run("demo", tmp_path, "--dry-run")

    assert f"{tmp_path} holds something that is no demo" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["viktig.txt"]
