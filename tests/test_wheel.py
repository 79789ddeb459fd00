"""The wheel that staff install: it holds all the program needs, wherever it is run from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); import cli; print(cli.__file__, file=sys.stderr); cli.main()"


def pip(*words: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and installed in a folder of its own; the libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("hjul")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("behov-*.whl")
    pip("install", "--no-deps", "--target", folder / "installed", wheel)
    return folder / "installed"


def test_the_demo_runs_from_the_wheel_in_a_folder_with_spaces_and_norwegian_letters(
    installed: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "Mine dokumenter på jobben"
    elsewhere.mkdir()
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", RUN, str(installed), "demo", "Årets runde", "--returns", "6"]

    done = subprocess.run(
        command, cwd=elsewhere, env=plain, capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stderr.replace("\n", "")
    assert "6 reports are registered" in done.stdout
    assert (elsewhere / "Årets runde" / "exports" / "register.xlsx").exists()


def test_the_wheel_holds_no_tests_and_all_that_is_no_code(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        there = (
            path for name in ("templates", "intake", "validation", "outputs") for path in (folder / name).rglob("*")
        )
        return {path.relative_to(folder).as_posix() for path in there if path.is_file() and path.suffix != ".pyc"}

    assert files(installed) == files(ROOT)
    assert not (installed / "tests").exists()
