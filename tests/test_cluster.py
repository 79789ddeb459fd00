"""Reading on other machines: whichever executor reads, and however it fails, every file has its result, in order."""

import shutil
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

import cli
from intake import cluster, isolation
from intake.batch import SMALL, receive_all
from intake.sources import find_returns
from intake.submission import Submission
from outputs.checking import inlet_of, office_of
from tests.test_loop import FORM, MEMBERS, PLAN, PLANTS, Club

REPORT = "HAGE-0001-1"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Club:
    """A round with more files in its inbox than are read one at a time."""
    club = Club(tmp_path_factory.mktemp("cluster") / "runde")
    assert CliRunner().invoke(cli.main, ["new", str(club.folder), "--form", str(FORM)]).exit_code == 0
    (club.folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    club.run("send-out")
    club.answer(REPORT, PLAN, PLANTS)
    for number in range(SMALL + 2):
        club.put(f"plan {number}.pdf", b"%%PDF-1.7 %d" % number)
    return club


class Broken(Executor):
    """Workers that fail, each task in another way: it raises, or never ends."""

    def __init__(self) -> None:
        self.begun = 0

    def submit(self, *_task: Any, **_options: Any) -> "Future[Any]":  # noqa: ANN401
        self.begun += 1
        future: Future[Any] = Future()
        if self.begun % 2:
            future.set_exception(ImportError("the worker has no behov"))
        return future


def read(club: Club, workers: int | Executor, folder: Path) -> list[tuple[str, str]]:
    """Read the inbox; gives each file's name and what became of it."""
    sources = find_returns([club.round.inbox], inlet_of(club.round, folder))
    told: list[int] = []
    with closing(receive_all(sources, office_of(club.round), workers, told.append)) as reading:
        received = [next(reading) for _ in sources]
    assert [one.source for one in received] == sources
    assert sum(told) == len(sources), "nobody asks for more after the last one, so it must have been counted by then"
    return [(one.source.name, "" if isinstance(one, Submission) else one.reason) for one in received]


def test_any_executor_gives_what_processes_of_this_machine_give(sent: Club, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        assert read(sent, executor, tmp_path) == read(sent, 2, tmp_path)


def test_what_a_cluster_does_not_read_is_read_here(sent: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "CHUNK", 6)
    monkeypatch.setattr(isolation, "FAR", 0.01)
    broken = Broken()

    assert read(sent, broken, tmp_path) == read(sent, 1, tmp_path)
    assert broken.begun == 2


def test_ingest_on_a_cluster_ends_as_on_one_machine(
    sent: Club, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = (Club(Path(shutil.copytree(sent.folder, tmp_path / name))) for name in ("her", "der"))
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path) as workers:
        told = there.json("ingest", "--cluster", workers.scheduler_address, expect=cli.NEEDS_A_PERSON)

    assert "are read here" not in caplog.text
    alone = here.json("ingest", expect=cli.NEEDS_A_PERSON)
    assert told["counts"] == alone["counts"] == {"accepted": 1, "unreadable": SMALL + 2}
    assert [file["sha256"] for file in told["files"]] == [file["sha256"] for file in alone["files"]]


def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(sent: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS", 0.2)

    told = sent.run("ingest", "--cluster", "tcp://127.0.0.1:9", expect=cli.WRONG_USE)

    assert "no scheduler answers at tcp://127.0.0.1:9" in told.stderr
    assert "write it as tcp://HOST:8786" in told.stderr
