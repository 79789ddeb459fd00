"""Two people who take files in at the same moment, on either database: nothing is lost, nothing is there twice."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from click.testing import CliRunner
from sqlalchemy import select

import cli
from outputs.care.verify import verify
from outputs.register.log import arrivals, origins, returns, submissions
from outputs.register.register import Register
from outputs.register.sqlite import SqliteFile
from templates.round import Round
from tests.databases import Places
from tests.test_loop import FORM, PLAN, PLANTS, Club

ROOT = Path(__file__).parent.parent
OWNERS = ("920125298", "123456785", "964952612", "974760673")
MEMBERS = "orgnr;navn;type;kommunenr;epost;språk\n" + "".join(
    f"{orgnr};Hage {orgnr};MEDLEM;3203;post@h{orgnr}.example;nb\n" for orgnr in OWNERS
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Club:
    """A round in which all have answered, and nothing is taken in."""
    club = Club(tmp_path_factory.mktemp("hage") / "runde")
    CliRunner().invoke(cli.main, ["new", str(club.folder), "--form", str(FORM)], catch_exceptions=False)
    (club.folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    club.run("send-out")
    for number, report in enumerate(club.round.sent()):
        path = club.answer(report, PLAN | {"budsjett": 500 + number}, PLANTS)
        shutil.copy2(path, path.with_name(f"kopi av {path.name}"))  # the same file in another place
    (club.folder / "register.db").unlink()
    return club


def test_a_register_that_another_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for words in ("CREATE TABLE made (here)", "BEGIN IMMEDIATE", "INSERT INTO made VALUES (1)"):
        other.execute(words)

    def end() -> None:
        other.execute("COMMIT")
        other.close()

    done = Timer(0.3, end)
    done.start()

    with SqliteFile(path).engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT here FROM made").scalar_one() == 1
    done.join()


def test_two_processes_that_ingest_lose_nothing_and_take_nothing_in_twice(
    filled: Club, places: Places, tmp_path: Path
) -> None:
    folder = tmp_path / "runde"
    shutil.copytree(filled.folder, folder)
    settings = folder / "round.toml"
    settings.write_text(places.setting() + settings.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "cli", "--round", str(folder), "ingest", "--json", "--workers", "1"]

    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(2)]
    written = [process.communicate(timeout=120)[0] for process in both]
    told = [json.loads(document) for document in written]

    assert [process.returncode for process in both] == [0, 0]
    taken = sum(run["counts"].get("accepted", 0) for run in told)
    assert taken == len(OWNERS), "each file is new to one of them"
    assert sum(sum(run["counts"].values()) for run in told) == 4 * len(OWNERS), "each of them tells of every file"
    round_ = Round(folder)
    register = Register.of(round_)
    with register.reading() as connection:
        counted = [len(connection.execute(select(table)).all()) for table in (returns, submissions, arrivals, origins)]
    assert counted == [len(OWNERS), len(OWNERS), 2 * len(OWNERS), 2 * len(OWNERS)]
    assert verify(round_, register) == []
    assert len(list(round_.archive.iterdir())) == len(OWNERS)
