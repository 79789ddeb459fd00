from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter

if TYPE_CHECKING:
    from tests.conftest import Office

pytest_plugins = ["pytester"]

SKIPS = {
    "a test that skips itself": "import pytest\ndef test(): pytest.skip('no program')",
    "a marked test": "import pytest\n@pytest.mark.skip('no program')\ndef test(): ...",
    "a fixture": "import pytest\n@pytest.fixture\ndef need(): pytest.skip('no program')\ndef test(need): ...",
    "a whole file": "import pytest\npytest.skip('no program', allow_module_level=True)",
}


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("--disable-plugin-autoload")


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_fails_the_run_where_everything_is_required(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("BEHOV_REQUIRE_ALL", "1")

    result = run(pytester, source)

    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*BEHOV_REQUIRE_ALL=1 allows no skipped test: *no program*"])


def test_a_skip_is_a_skip_elsewhere(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEHOV_REQUIRE_ALL", raising=False)

    run(pytester, SKIPS["a fixture"]).assert_outcomes(skipped=1)


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHOV_REQUIRE_ALL", "1")

    result = run(pytester, "import pytest\n@pytest.mark.xfail\ndef test(): assert False")

    result.assert_outcomes(xfailed=1)


def test_libreoffice_calculates_again_what_a_workbook_claims(soffice: Office, tmp_path: Path) -> None:
    claims = tmp_path / "claims.xlsx"
    with xlsxwriter.Workbook(claims) as book:
        book.add_worksheet().write_formula("A1", "=1+1", value=99)
    outdir = tmp_path / "calculated"

    calculated = soffice.convert(claims, "xlsx", outdir)

    assert openpyxl.load_workbook(calculated, data_only=True).worksheets[0]["A1"].value == 2


def test_libreoffice_prints_a_workbook(soffice: Office, tmp_path: Path) -> None:
    workbook = tmp_path / "form.xlsx"
    openpyxl.Workbook().save(workbook)

    assert soffice.convert(workbook, "pdf", tmp_path).read_bytes().startswith(b"%PDF")


def test_libreoffice_that_cannot_read_a_file_says_so(soffice: Office, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"LibreOffice made no missing\.pdf"):
        soffice.convert(tmp_path / "missing.xlsx", "pdf", tmp_path)
