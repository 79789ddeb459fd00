import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.databases import Places, Postgres, postgres_server, programs

# LibreOffice trusts the results stored in a workbook unless told to calculate them again.
RECALCULATE_ON_LOAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
  <item oor:path="/org.openoffice.Office.Calc/Formula/Load">
    <prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
  </item>
{locale}</oor:items>
"""
LOCALE = """\
  <item oor:path="/org.openoffice.Setup/L10N">
    <prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop>
  </item>
"""


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure under BEHOV_REQUIRE_ALL=1: CI has everything the tests need."""
    expected_failure = hasattr(report, "wasxfail")
    if os.environ.get("BEHOV_REQUIRE_ALL") == "1" and report.skipped and not expected_failure:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"BEHOV_REQUIRE_ALL=1 allows no skipped test: {reason}"


# First, so that it is the last to see the report, after pytest has marked the expected failures.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


@dataclass(frozen=True)
class Office:
    """LibreOffice without a window, with a profile that no other LibreOffice uses."""

    program: str
    profile: Path

    def convert(self, path: Path, to: Literal["xlsx", "pdf", "ods", "xls"], outdir: Path) -> Path:
        """Open `path`, calculate every formula and save it as `to` in `outdir`."""
        return self.convert_all([path], to, outdir)[0]

    def convert_all(self, paths: Sequence[Path], to: Literal["xlsx", "pdf", "ods", "xls"], outdir: Path) -> list[Path]:
        """Convert many files in one go: LibreOffice is slow to start."""
        made = [outdir / f"{path.stem}.{to}" for path in paths]
        for path, target in zip(paths, made, strict=True):
            assert target.resolve() != path.resolve(), "the conversion would overwrite its source"
            target.unlink(missing_ok=True)
        options = ["--headless", "--norestore", f"-env:UserInstallation={self.profile.as_uri()}"]
        done = subprocess.run(
            [self.program, *options, "--convert-to", to, "--outdir", outdir, *paths],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180 + 10 * len(paths),
            check=False,
        )
        # LibreOffice exits 0 even when it could not read the file.
        for target in made:
            assert target.exists(), f"LibreOffice made no {target.name}: {done.stdout}{done.stderr}"
        return made


@pytest.fixture(scope="session")
def soffice(tmp_path_factory: pytest.TempPathFactory) -> Office:
    if office_program() is None:
        pytest.skip("LibreOffice is not installed")
    return office(tmp_path_factory.mktemp("libreoffice"))


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Where registers may lie: a test that asks for this runs on both databases."""
    return Places(tmp_path, request.getfixturevalue("postgres") if request.param == "postgresql" else None)


def office_program() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


def office(folder: Path, locale: str = "") -> Office:
    """LibreOffice with a new profile in a folder; a locale such as nb-NO says how numbers are shown."""
    program = office_program()
    assert program is not None, "LibreOffice is not installed"
    profile = folder / "profile"
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    said = RECALCULATE_ON_LOAD.format(locale=LOCALE.format(locale) if locale else "")
    settings.write_text(said, encoding="utf-8")
    return Office(program, profile)
