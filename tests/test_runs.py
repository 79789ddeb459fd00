"""Every run: what it writes down, what it says when it is stopped, and how it can be told to say more or less."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from outputs import runlog
from outputs.progress import fitted, progress

HERE = Path(__file__).parent.parent
HAGELAG = HERE / "tests" / "forms" / "hagelag"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    assert run("demo", str(folder), "--returns", "6").exit_code == 0
    return folder


@pytest.fixture
def folder(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "runde med æøå"))


def logs(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((folder / "logs").glob("*.log"))]


@pytest.fixture
def unread(folder: Path) -> Path:
    """A round whose files are back in the inbox and unknown to the register."""
    shutil.rmtree(folder / "logs", ignore_errors=True)
    (folder / "register.db").unlink()
    return folder


def test_a_run_that_does_something_leaves_a_file_with_every_step(unread: Path) -> None:
    done = json.loads(run("--round", str(unread), "ingest", "--json").stdout)

    (text,) = logs(unread)
    assert "behov" in text.splitlines()[0]
    for file in done["files"]:
        assert any(file["outcome"] in line and Path(file["path"]).name in line for line in text.splitlines())


def test_a_command_that_only_looks_leaves_no_file(folder: Path) -> None:
    shutil.rmtree(folder / "logs", ignore_errors=True)

    run("--round", str(folder), "status")
    run("--round", str(folder), "outbox", "list")
    run("--round", str(folder), "export", "--dry-run")

    assert logs(folder) == []


def test_what_a_run_told_and_how_it_ended_stands_in_its_file(folder: Path) -> None:
    demo = logs(folder)[-1].splitlines()
    run("--round", str(folder), "--quiet", "export", "--format", "journal")
    written = logs(folder)[-1].splitlines()
    run("--round", str(folder), "import", "nix.xlsx")
    refused = logs(folder)[-1].splitlines()

    assert demo[0].split()[2:5] == ["behov", "demo", demo[0].split()[4]]
    assert "6 reports are registered" in "".join(demo)
    assert written[0].endswith(f"behov --round {folder} --quiet export --format journal")
    assert "Wrote" in written[1]
    assert "nix.xlsx does not exist" in refused[1]
    assert [told[-1].partition("  ")[2] for told in (demo, written, refused)] == [
        "ended, exit code 0",
        "ended, exit code 0",
        "ended, exit code 2",
    ]


def test_a_run_goes_on_where_no_file_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder", encoding="utf-8")

    with runlog.run_log(tmp_path, ["ingest"]):
        runlog.log.info("a step")

    assert (tmp_path / "logs").read_text(encoding="utf-8") == "no folder"


def test_two_runs_in_the_same_second_have_a_file_each(tmp_path: Path) -> None:
    for _ in range(2):
        with runlog.run_log(tmp_path, ["ingest"]):
            runlog.log.info("a step")

    assert len(logs(tmp_path)) == 2


def test_verbose_tells_the_steps_on_stderr_too(unread: Path) -> None:
    told = run("--round", str(unread), "--verbose", "ingest")

    assert logs(unread)[0].splitlines()[1] in told.stderr


def test_quiet_says_nothing_of_what_went_well(folder: Path) -> None:
    told = run("--round", str(folder), "--quiet", "rebuild")
    asked_for = run("--round", str(folder), "--quiet", "status", "--json")
    wrong = run("--round", str(folder / "inbox"), "--quiet", "status")

    assert told.output == ""
    assert json.loads(asked_for.stdout)["reports"] == 6
    assert "is not a round" in wrong.stderr


def test_our_own_failure_is_written_to_the_log_of_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outputs.ingest.find_returns", lambda *_: 1 / 0)

    told = run("--round", str(folder), "ingest")

    assert told.exit_code == 3
    assert "ZeroDivisionError" in logs(folder)[-1]
    assert "Traceback" not in told.output
    assert str(folder / "logs") in told.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "~tmp", None, "exports/register.xlsx"),
         "exports/register.xlsx cannot be opened or written; close it in other programs"),
        (OSError(28, "No space left on device"), "the disk is full; make room"),
    ],
)  # fmt: skip
def test_what_the_machine_denies_us_is_told_in_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("outputs.exports.exports.export", refuse)

    told = run("--round", str(folder), "export")

    assert told.exit_code == cli.WRONG_USE
    assert said in told.stderr


def test_a_demo_is_made_again_where_files_that_are_read_only_cannot_be_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove_as_windows_does(path: Path) -> None:
        assert [file for file in path.rglob("*") if file.is_file() and not file.stat().st_mode & 0o200] == []
        raise KeyError

    monkeypatch.setattr("outputs.demo.shutil.rmtree", remove_as_windows_does)

    assert "KeyError" in run("demo", str(folder)).stderr


def test_a_decision_that_is_only_tried_changes_nothing(folder: Path) -> None:
    report = json.loads(run("--round", str(folder), "ingest", "--json").stdout)["files"][0]["report"]
    words = ("--round", str(folder), "decide", report, "reject", "--by", "Kari Li", "--reason", "prøve")
    before = run("--round", str(folder), "show", report).stdout

    told = run(*words, "--dry-run")

    assert told.exit_code == 0
    assert "Nothing was written (--dry-run)" in told.stdout
    assert run("--round", str(folder), "show", report).stdout == before


def test_the_shell_completes_commands() -> None:
    asked = {"_BEHOV_COMPLETE": "bash_complete", "COMP_WORDS": "behov ing", "COMP_CWORD": "1"}
    program = "import cli; cli.main(prog_name='behov')"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **asked},
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "plain,ingest\n"


def kept(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "archive").rglob("*"))


@pytest.fixture
def ingesting(unread: Path) -> Iterator["subprocess.Popen[str]"]:
    """An ingest of many files in a process group of its own, as a terminal starts it."""
    original = next((unread / "inbox").glob("*.xlsx"))
    for number in range(400):
        (unread / "inbox" / f"kopi {number}.xlsx").write_bytes(
            original.read_bytes() + bytes([number % 250, number // 250])
        )
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "--round", unread, "ingest"],
        cwd=HERE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signal to a group of processes")
def test_an_interrupted_run_says_that_it_can_be_taken_up_again(
    unread: Path, ingesting: "subprocess.Popen[str]"
) -> None:
    before, until = kept(unread), time.monotonic() + 60
    while kept(unread) < before + 100 and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(ingesting.pid, signal.SIGINT)
    _, told = ingesting.communicate(timeout=60)

    assert ingesting.returncode == cli.INTERRUPTED, told
    assert "the same command again goes on from there" in told
    assert "Traceback" not in told
    again = json.loads(run("--round", str(unread), "ingest", "--json").stdout)
    assert len(again["files"]) == len(list((unread / "inbox").iterdir()))


# what a terminal is shown


def test_a_long_line_is_broken_between_words_and_goes_on_further_in() -> None:
    assert fitted("kort", 80) == "kort"
    told = fitted(f"\n  «En fil.xlsx»  {'ord ' * 20}\n      behov feedback", 40).splitlines()

    assert told[:2] == ["", "  «En fil.xlsx»  ord ord ord ord ord ord"]
    assert all(line.startswith("    ord") and len(line) <= 40 for line in told[2:-1])
    assert told[-1] == "      behov feedback"
    assert " ".join(told[2:-1]).split() == ["ord"] * 14
    assert fitted(f"x {'å' * 90}", 40).splitlines() == ["x", f"  {'å' * 90}"], "a word is never cut"


def test_nothing_is_drawn_where_there_is_no_terminal_or_no_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(total: int) -> str:
        with progress("Reading", total) as step:
            step(total)
        return capsys.readouterr().err

    assert drawn(3) == ""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert drawn(0) == ""
    assert "3/3" in drawn(3)
    assert "\x1b[3" in drawn(3)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in drawn(3)


@pytest.mark.parametrize("code_page", ["cp1252", "ascii"])
def test_a_name_that_the_code_page_lacks_is_told_all_the_same(code_page: str, tmp_path: Path) -> None:
    path = tmp_path / "Ærø – Жана.xlsx"
    path.write_bytes(b"%PDF-1.7")
    terminal, words = CliRunner(charset=code_page), ["check", str(path), "--form", str(HAGELAG)]

    told, document = terminal.invoke(cli.main, words), terminal.invoke(cli.main, [*words, "--json"])

    assert (told.exit_code, document.exit_code) == (cli.NEEDS_A_PERSON, cli.NEEDS_A_PERSON), told.exception
    assert ".xlsx: could not be read" in told.stdout_bytes.decode("cp1252")
    assert json.loads(document.stdout_bytes.decode(code_page))["files"][0]["path"].endswith("Ærø – Жана.xlsx")


def test_a_mistake_is_told_once_where_there_is_no_round_to_log_it_in(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "cli", "new", str(tmp_path / "runde"), "--form", "hagelaget"]
    done = subprocess.run(words, cwd=HERE, capture_output=True, encoding="utf-8", check=False)

    assert (done.returncode, done.stdout, done.stderr.count("there is no such form")) == (cli.WRONG_USE, "", 1)
