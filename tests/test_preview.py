"""What the author of a form is shown of it before anybody gets it."""

import shutil
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

import cli
from tests.conftest import Office
from tests.desk import Desk

FORM = Path(__file__).parent / "forms" / "hagelag"


def test_without_libreoffice_the_workbooks_are_written_and_the_author_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    done = CliRunner().invoke(cli.main, ["form", "preview", str(FORM), "--to", str(tmp_path)])

    assert done.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hagelag-nb.xlsx", "hagelag-nn.xlsx"]
    assert "install LibreOffice" in done.stdout


def test_each_language_has_a_workbook_and_pictures_of_its_pages(soffice: Office, tmp_path: Path) -> None:
    assert soffice.program

    done = CliRunner().invoke(cli.main, ["form", "preview", str(FORM), "--to", str(tmp_path)])

    assert done.exit_code == 0
    for language in ("nb", "nn"):
        name = f"hagelag-{language}"
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert next(tmp_path.glob(f"{name}-*1.png")).read_bytes().startswith(b"\x89PNG")
        sheets = openpyxl.load_workbook(tmp_path / f"{name}.xlsx").sheetnames
        assert Desk(FORM).form.sheets["plan"].label[language] in sheets


def test_a_preview_that_is_filled_in_is_no_report(tmp_path: Path) -> None:
    CliRunner().invoke(cli.main, ["form", "preview", str(FORM), "--to", str(tmp_path)])

    told = Desk(FORM).judge(tmp_path / "hagelag-nb.xlsx", (tmp_path / "hagelag-nb.xlsx").read_bytes())

    assert told.outcome == "quarantined"
