"""A file that hangs, aborts or eats memory costs its own reading and no other's."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from intake import isolation
from intake import receive as receiving
from intake.isolation import CHUNK, Work
from intake.limits import WAIT
from intake.receive import receive
from intake.submission import Refused, Return, Submission
from tests.hostile import DESK, good
from tests.killers import killed, leave_at_once, read, read_or_say, with_less_memory

POSIX = sys.platform != "win32"


@pytest.mark.parametrize("killer", ["hang", "spin", "abort", "leave"])
def test_what_kills_its_reader_gives_nothing_and_the_rest_is_read(killer: str) -> None:
    begun = time.perf_counter()

    assert list(Work(read, "read").one_by_one(["a", killer, "b"])) == ["read a", None, "read b"]

    assert time.perf_counter() - begun < WAIT + 10  # and the time it takes to start two processes


@pytest.mark.slow
def test_a_pool_that_broke_is_built_again_and_the_order_is_kept() -> None:
    items = [str(number) for number in range(5 * CHUNK)]
    items[3], items[CHUNK + 1], items[-1] = "abort", "hang", "leave"

    found = [result for results in Work(read, "read").in_chunks(items, 2) for result in results]

    assert found == [None if item in ("abort", "hang", "leave") else f"read {item}" for item in items]


@pytest.mark.skipif(not POSIX, reason="Windows gives no such limit")
def test_a_worker_gets_no_more_memory_than_it_may() -> None:
    assert list(Work(read_or_say, "read").one_by_one(["eat", "a"])) == ["too much", "read a"]


def cannot_start(*_args: object, **_options: object) -> None:
    raise OSError("Resource temporarily unavailable")


@pytest.mark.parametrize("name", ["ProcessPoolExecutor", "_start"])
def test_where_no_worker_starts_files_are_read_here_and_it_is_said_once(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(isolation, name, cannot_start if name[0] == "P" else leave_at_once)
    isolation.tell_once.cache_clear()
    items = [str(number) for number in range(CHUNK + 1)]

    with caplog.at_level(logging.WARNING, isolation.__name__):
        alone = list(Work(read, "read").one_by_one(items[:2]))
        chunks = [result for results in Work(read, "read").in_chunks(items, 2) for result in results]

    assert alone == ["read 0", "read 1"]
    assert chunks == [f"read {item}" for item in items]
    assert sum("no worker process can be started" in record.message for record in caplog.records) == 1


DIES_AT_BIRTH = """
import os, sys
if __name__ != "__main__":
    os._exit(1)
from intake.isolation import Work
from tests.killers import read
print(len(*Work(read, "read" * 100_000).one_by_one(["a"])))
"""


IS_KILLED = """
import os, signal
from intake.isolation import Work
from tests.killers import read
if __name__ == "__main__":
    results = Work(read, "read").in_chunks([*"abc"] * 20, 2)
    print(next(results)[0], flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
"""


def run_as_main(script: Path, program: str) -> "subprocess.CompletedProcess[str]":
    """Run a program until nobody holds its output any more, its workers among them."""
    script.write_text(program, encoding="utf-8")
    root = Path(isolation.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, script],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


def test_a_worker_that_dies_at_birth_is_not_waited_for(tmp_path: Path) -> None:
    """A worker begins with the main program, which ends it here; there is more to hand over than a pipe holds."""
    done = run_as_main(tmp_path / "main.py", DIES_AT_BIRTH)

    assert int(done.stdout) == len("read") * 100_000 + len(" a")


def test_workers_do_not_outlive_a_batch_that_is_killed(tmp_path: Path) -> None:
    done = run_as_main(tmp_path / "main.py", IS_KILLED)

    assert done.stdout.strip() == "read a"
    assert done.returncode != 0


def test_what_may_have_killed_a_worker_is_not_read_here_when_no_other_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "ProcessPoolExecutor", cannot_start)

    assert list(Work(read, "read").one_by_one(["a", "abort"], are_suspects=True)) == [None, None]


@pytest.mark.skipif(not POSIX, reason="Windows gives no such limit")
def test_a_machine_that_allows_less_memory_is_taken_as_it_is() -> None:
    assert list(Work(with_less_memory, "").one_by_one(["900"])) == ["900"]


def test_a_file_that_may_harm_us_is_read_apart_and_quarantined_when_it_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "svar.xlsx"
    path.write_bytes(good())
    source = Return(path, "0" * 64, DESK.in_time)
    monkeypatch.setattr(receiving, "is_harmless", lambda _data, _name: False)
    assert isinstance(receive(source, DESK.office), Submission)

    monkeypatch.setattr(receiving, "receive_here", killed)
    found = receive(source, DESK.office)

    assert isinstance(found, Refused)
    assert (found.outcome, found.reason) == ("quarantined", "killed_reader")


def test_an_ordinary_workbook_is_read_in_our_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "Work", None)

    assert isinstance(DESK.take_in(tmp_path / "svar.xlsx", good()), Submission)


def test_memory_that_runs_out_here_is_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_workbook(_data: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(receiving, "read_workbook", read_workbook)

    found = DESK.take_in(tmp_path / "svar.xlsx", good())

    assert isinstance(found, Refused)
    assert (found.outcome, found.reason) == ("quarantined", "killed_reader")
