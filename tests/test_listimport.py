"""Recipients and earlier grants that staff bring: added to the round's own files, or refused with what to do."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

import cli
from outputs.checking import known_of
from templates.round import Round
from tests.made_returns import OWNER, make_form
from validation.known import Known

SETTINGS = 'form = "{form}"\n[office]\nname = "Kontoret"\nemail = "post@example.no"\n'
HEAD = "orgnr;navn;type;kommunenr;epost;språk\n"
ASK = f"{OWNER};Ask båtlag;KLUBB;3203;a@example.no;nb\n"
NEW = "974761319;Ørje båtlag;PRIVAT;0301;b@example.no;nn\n"
GRANTS = f"saksnummer;eier;tittel;år;beløp\n2022/7;{OWNER};Trygg i båt;2022;250 000\n"


class Place:
    """A round with one recipient, and files to import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_form(folder / "form")
        (folder / "round.toml").write_text(SETTINGS.format(form=(folder / "form").as_posix()), encoding="utf-8")
        (folder / "recipients.csv").write_text(HEAD + ASK, encoding="utf-8")

    def file(self, content: str, name: str = "ny.csv") -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def run(self, *words: str | Path, expect: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, ["--round", str(self.folder), "import", *map(str, words)])
        assert result.exit_code == expect, result.output
        return result

    def known(self) -> Known:
        return known_of(Round(self.folder))

    def day(self) -> str:
        """The one day that all grants are known by."""
        [day] = {grant["date"] for grant in self.known().registers["grants"].values()}
        return day


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_new_recipients_are_added_and_the_others_stay(place: Place) -> None:
    told = place.run(place.file(HEAD + NEW), "--yes").stdout

    assert "1 recipients; 1 new, 0 changed." in told
    assert "1 that are not in the file stay" in told
    assert {orgnr: one.name for orgnr, one in Round(place.folder).recipients.items()} == {
        OWNER: "Ask båtlag", "974761319": "Ørje båtlag",
    }  # fmt: skip
    assert len(list((place.folder / "known").glob("recipients-before-*.csv"))) == 1


def test_what_is_changed_is_shown_before_it_is_kept(place: Place) -> None:
    path = place.file(HEAD + ASK.replace("a@example.no", "ny@example.no"))

    told = place.run(path, "--dry-run").stdout

    assert f"  {OWNER}  Ask båtlag  email a@example.no → ny@example.no" in told
    assert Round(place.folder).recipients[OWNER].email == "a@example.no"


def test_an_empty_cell_takes_nothing_away(place: Place) -> None:
    place.run(place.file(HEAD + f"{OWNER};Ask båtlag AS;KLUBB;;a@example.no;nb\n"), "--yes")

    [recipient] = Round(place.folder).recipients.values()
    assert (recipient.name, recipient.kommunenr) == ("Ask båtlag AS", "3203")


def test_the_same_again_changes_nothing(place: Place) -> None:
    assert "Nothing changed" in place.run(place.file(HEAD + ASK), "--yes").stdout
    assert not (place.folder / "known").exists()


def test_a_row_that_needs_a_person_stops_the_import(place: Place) -> None:
    path = place.file(HEAD + NEW + "123456789;Uten nummer;KLUBB;3203;c@example.no;nb\n")

    told = json.loads(place.run(path, "--yes", "--json", expect=1).stdout)

    assert (told["applied"], told["wrong"][0]["row"]) == (False, 3)
    assert "is not an organisation number (check digit)" in told["wrong"][0]["reason"]
    assert len(Round(place.folder).recipients) == 1


def test_recipients_in_an_excel_file_are_known_by_their_headings(place: Place) -> None:
    book = Workbook()
    for line in (HEAD, NEW):
        book.worksheets[0].append(line.strip().split(";"))
    book.save(place.folder / "nye.xlsx")

    place.run(place.folder / "nye.xlsx", "--yes")

    assert "974761319" in Round(place.folder).recipients


def test_earlier_grants_are_asked_by_the_rules_from_then_on(place: Place) -> None:
    assert "grants" not in place.known().registers

    place.run(place.file(GRANTS), "--yes")

    grant = place.known().registers["grants"]["2022/7"]
    assert (grant["owner"], grant["title"], grant["year"]) == (OWNER, "Trygg i båt", "2022")
    assert (place.folder / "grants.csv").read_text(encoding="utf-8-sig").startswith("referanse;eier;tittel;år;beløp\n")


def test_grants_are_of_the_day_that_a_person_or_the_file_says(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its name, else its last change; a list that is written by hand afterwards is of the day of that."""
    told = place.run(place.file(GRANTS, "tildelinger-2023-12-01.csv"), "--yes").stdout
    by_its_name = place.day()
    monkeypatch.setattr(cli, "_now", lambda _: datetime(2099, 1, 1, tzinfo=UTC))
    place.run(place.file(GRANTS), "--dated", "2023-06-30", "--yes")
    by_a_person = place.day()
    own = place.folder / "grants.csv"
    own.write_bytes(own.read_bytes() + f"2023/9;{OWNER};Knop;2023;\n".encode())
    os.utime(own, (0, datetime(2024, 1, 15, 12, tzinfo=UTC).timestamp()))

    assert "1 grants per 01.12.2023 (the file's own date; say another with --dated); 1 new, 0 changed." in told
    assert (by_its_name, by_a_person, place.day()) == ("01.12.2023", "30.06.2023", "15.01.2024")


def test_a_round_with_its_list_in_excel_is_told_to_write_there(place: Place) -> None:
    book = Workbook()
    for line in (HEAD, ASK):
        book.worksheets[0].append(line.strip().split(";"))
    book.save(place.folder / "recipients.xlsx")

    assert "the round has its recipients in recipients.xlsx" in place.run(place.file(HEAD + NEW), expect=2).stderr
