"""What owners may send, from broken to hostile, made of a real workbook: each ends as it must, and kills nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from intake.batch import receive_all
from intake.receive import Received, receive
from intake.submission import Answer, Refused, Return, Submission
from tests.hostile import CASES, DESK, SAME, Case, Problem, Understood, good

ROOT = Path(__file__).parent.parent
SLOW, HEAVY = 10.0, 1.5  # seconds, gigabytes

Answers = dict[str, Answer]


def answers(submission: Submission) -> Answers:
    """Every answer by sheet, row and question."""
    return {
        ".".join(filter(None, (key, row.key or (str(row.number) if row.number else ""), question))): answer
        for key, sheet in submission.sheets.items()
        for row in sheet.rows
        for question, answer in row.answers.items()
    }


def put(folder: Path, name: str, case: Case) -> Return:
    home = folder / str(list(CASES).index(name))
    home.mkdir(parents=True)
    path = home / case.name
    path.write_bytes(case.make())
    return Return(path, f"{list(CASES).index(name):064d}", DESK.in_time, "post@example.no")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    found = DESK.take_in(tmp_path_factory.mktemp("good") / "svar.xlsx", good())
    assert isinstance(found, Submission), found
    return answers(found)


def said(read: Answers, case: Case) -> str | Problem | Understood:
    """What was found in the words of the table."""
    cell = read.get(case.cell)
    if cell is None:
        return "nothing in the cell"
    return Problem(cell.problem) if cell.problem else Understood(cell.value)


def check(found: Received, case: Case, before: Answers) -> None:
    if isinstance(found, Refused):
        assert (found.reason, found.outcome == "failed") == (case.expected, False)
        return
    read = answers(found)
    if case.expected == SAME:
        assert {key: answer.value for key, answer in read.items()} == {key: one.value for key, one in before.items()}
        return
    assert said(read, case) == case.expected
    sums = {key for key in before if key.endswith(".sum") or ".SUM" in key}
    touched = {case.cell, *sums}
    assert {key: one.value for key, one in read.items() if key not in touched} == {
        key: one.value for key, one in before.items() if key not in touched
    }


def test_there_are_at_least_120_of_them_and_a_dozen_that_lose_nothing() -> None:
    assert len(CASES) >= 120
    assert sum(case.expected == SAME for case in CASES.values()) >= 12


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_as_it_must(tmp_path: Path, before: Answers, name: str) -> None:
    case = CASES[name]
    source = put(tmp_path, name, case)

    begun = time.perf_counter()
    found = receive(source, DESK.office)

    assert time.perf_counter() - begun < SLOW
    check(found, case, before)


MEASURED = """
import resource, sys
import cli
try:
    cli.main()
finally:
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(used, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured the POSIX way")
def test_all_of_them_in_one_batch_stop_nothing_and_stay_small(tmp_path: Path) -> None:
    for name, case in CASES.items():
        put(tmp_path / "in", name, case)
    words = [sys.executable, "-c", MEASURED, "--round", str(tmp_path / "round")]
    made = subprocess.run([*words, "new", str(tmp_path / "round"), "--form", DESK.form.name], cwd=ROOT, check=False)
    assert made.returncode == 0

    done = subprocess.run(
        [*words, "ingest", str(tmp_path / "in"), "--dry-run", "--json", "--workers", "2"],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip

    files = json.loads(done.stdout)["files"]
    assert done.returncode == 1, done.stderr  # done, and a person must look
    assert len(files) == len(CASES)
    assert all(file["outcome"] != "failed" and file["reason"] for file in files if not file["report"])
    assert int(done.stderr.splitlines()[-1]) / (1 << 20) < HEAVY


def test_a_batch_gives_what_each_file_alone_would(tmp_path: Path, before: Answers) -> None:
    cases = {name: case for name, case in CASES.items() if case.expected in ("damaged", SAME, "doctype")}
    sources = [put(tmp_path, name, case) for name, case in cases.items()]

    found = list(receive_all(sources, DESK.office, 2))

    assert [one.source for one in found] == sources
    for one, case in zip(found, cases.values(), strict=True):
        check(one, case, before)
