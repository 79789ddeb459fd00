"""The benchmarks run and print their ratios; what they show is for people to judge."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(("module", "size"), [("bench.stamp", "1"), ("bench.letters", "1"), ("bench.register", "20")])
def test_a_benchmark_runs_and_prints_its_ratios(module: str, size: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, size], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert done.returncode == 0, done.stderr
    assert "times as much" in done.stdout
