"""The whole loop on a tiny form from another field, by the command line: the engine knows no form."""

import email
import email.policy
import json
import os
from collections.abc import Sequence
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

import cli
from templates.fill import fill_workbook
from templates.round import Round

FORM = Path(__file__).parent / "forms" / "hagelag"
MEMBERS = """\
orgnr;navn;type;kommunenr;epost;språk
920125298;Epletreet;MEDLEM;3203;epletreet@hage.example;nb
123456785;Plommetreet;MEDLEM;0301;plommetreet@hage.example;nn
"""
PLAN = {"tittel": "Bed mot sør", "jordtype": "SAND", "budsjett": 500}
PLANTS = [{"art": "Gulrot", "antall": 40, "pris": 120}, {"art": "Reddik", "antall": 30, "pris": 80}]


class Club:
    """A round in a folder, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = CliRunner()

    def run(self, *words: str, expect: int = 0) -> Result:
        result = self.runner.invoke(cli.main, ["--round", str(self.folder), *words])
        assert result.exit_code == expect, result.output
        return result

    def json(self, *words: str, expect: int = 0) -> Any:  # noqa: ANN401 - a JSON document
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def answer(self, report: str, plan: dict[str, Any], plants: Sequence[dict[str, Any]], name: str = "") -> Path:
        """Fill in the workbook that was sent for this report and put it in the inbox, in time."""
        line = self.round.sent()[report]
        sent = (self.round.sent_folder / line.file).read_bytes()
        filled = fill_workbook(sent, self.round.form, line.language, {"plan": plan, "vekster": list(plants)})
        return self.put(name or line.file, filled)

    def put(self, name: str, content: bytes, day: date = date(2030, 3, 1)) -> Path:
        path = self.round.inbox / name
        path.write_bytes(content)
        noon = self.round.form.deadline.replace(year=day.year, month=day.month, day=day.day).timestamp()
        os.utime(path, (noon, noon))
        return path

    def newest_letter(self) -> tuple[EmailMessage, dict[str, bytes]]:
        """The letter that feedback makes now, and its files by name."""
        (made,) = self.json("feedback")["letters"]
        letter = email.message_from_bytes((self.folder / made["path"]).read_bytes(), policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        return letter, {str(part.get_filename()): part.get_content() for part in letter.iter_attachments()}


@pytest.fixture
def club(tmp_path: Path) -> Club:
    club = Club(tmp_path / "runde")
    CliRunner().invoke(cli.main, ["new", str(club.folder), "--form", str(FORM)], catch_exceptions=False)
    (club.folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    club.run("send-out")
    return club


def test_each_recipient_gets_a_workbook_in_their_own_language(club: Club) -> None:
    files = sorted(path.name for path in club.round.sent_folder.glob("*.xlsx"))

    assert files == ["123456785-plommetreet-HAGE-0002-1.xlsx", "920125298-epletreet-HAGE-0001-1.xlsx"]
    assert CalamineWorkbook.from_path(str(club.round.sent_folder / files[0])).sheet_names[2] == "Vokstrar"


def test_a_clean_answer_is_accepted_with_every_answer_read(club: Club) -> None:
    path = club.answer("HAGE-0001-1", PLAN, PLANTS)

    told = club.json("ingest", "--answers")

    assert told["counts"] == {"accepted": 1}
    file = told["files"][0]
    assert file["path"] == str(path)
    assert {key: file[key] for key in ("outcome", "reason", "report", "recipient", "form", "version", "findings")} == {
        "outcome": "accepted",
        "reason": None,
        "report": "HAGE-0001-1",
        "recipient": "920125298",
        "form": "hagelag",
        "version": "1",
        "findings": [],
    }
    assert file["answers"]["plan"] == PLAN | {"medlem": "920125298", "drenering": None}
    assert [row["art"] for row in file["answers"]["vekster"]] == ["Gulrot", "Reddik"]
    assert [row["_row"] for row in file["answers"]["vekster"]] == [7, 8]


def test_a_broken_rule_is_told_with_its_cells_in_both_languages(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, PLANTS)

    finding = club.json("ingest")["files"][0]["findings"][0]

    assert finding["rule"] == "H1"
    assert (finding["sheet"], finding["cells"], finding["questions"]) == ("Plan", ["C11"], ["budsjett"])
    assert finding["elsewhere"] == [{"sheet": "Vekster", "cell": "D7"}, {"sheet": "Vekster", "cell": "D8"}]
    assert finding["message"]["nb"] == "Vekstene koster 200 kr til sammen, men budsjettet er 150 kr."
    assert finding["message"]["nn"] == "Vokstrane kostar 200 kr til saman, men budsjettet er 150 kr."


def test_required_when_and_a_warning_work_in_the_tiny_form_too(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"jordtype": "LEIRE"}, [*PLANTS, {"art": "Mais", "antall": 101}])

    findings = club.json("ingest")["files"][0]["findings"]

    assert [(one["rule"], one["severity"], one["sheet"], one["cells"]) for one in findings] == [
        ("required", "error", "Plan", ["C10"]),
        ("H2", "warning", "Vekster", ["C9"]),
    ]


def test_the_same_ingest_again_changes_nothing(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.run("ingest")
    before = club.json("status")

    again = club.run("ingest")

    assert again.stdout == "1 file, all known. Nothing changed.\n"
    assert club.json("status") == before


def test_a_newer_version_supersedes_the_older_one_and_both_are_kept(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, PLANTS)
    club.run("ingest")
    newer = club.answer("HAGE-0001-1", PLAN, PLANTS, "rettet.xlsx")
    os.utime(newer, (newer.stat().st_mtime + 60,) * 2)

    told = club.json("ingest")

    assert told["counts"] == {"accepted": 1, "duplicate": 1}
    assert club.json("status")["by_outcome"] == {"accepted": 1, "superseded": 1}
    assert len(list(club.round.archive.iterdir())) == 2


def test_a_dry_run_tells_everything_and_keeps_nothing(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)

    told = club.json("ingest", "--dry-run")

    assert told["counts"] == {"accepted": 1}
    assert list(club.round.archive.iterdir()) == []
    assert club.json("status")["returned"] == 0


def test_broken_files_are_named_and_the_batch_goes_on(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.put("plan.xlsx", b"%PDF-1.7 ...")
    club.put("tom.xlsx", b"")

    told = club.json("ingest", expect=1)

    assert told["counts"] == {"accepted": 1, "unreadable": 2}
    reasons = {Path(file["path"]).name: file["reason"] for file in told["files"] if file["reason"]}
    assert reasons["plan.xlsx"].startswith("Filen «plan.xlsx» er en PDF")
    assert reasons["tom.xlsx"].startswith("Filen «tom.xlsx» er tom")


def test_late_files_wait_for_a_person(club: Club) -> None:
    rules = (FORM / "rules.toml").read_text(encoding="utf-8")
    message = 'message = { nb = "Kom {mottatt}.", nn = "Kom {mottatt}." }'
    later = 'later = { nb = "Om den kom i tide.", nn = "Om han kom i tide." }'
    late = f'[[rule]]\nid = "H3"\ncheck = "received_by_deadline"\n{message}\n{later}\n'
    own = club.folder / "form"
    own.mkdir()
    (own / "form.toml").write_text((FORM / "form.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (own / "rules.toml").write_text(rules + late, encoding="utf-8")
    settings = club.folder / "round.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(str(FORM), str(own)), encoding="utf-8")
    path = club.answer("HAGE-0001-1", PLAN, PLANTS)
    late_by = club.round.form.deadline.timestamp() + 1
    os.utime(path, (late_by, late_by))

    told = club.json("ingest", expect=1)

    assert told["counts"] == {"late": 1}
    assert told["files"][0]["findings"][0]["message"]["nb"] == "Kom 01.04.2030 kl. 12.00."
    assert club.json("status", expect=1)["need_a_person"][0]["report"] == "HAGE-0001-1"


def test_answers_from_another_owner_wait_for_a_person_and_count_once_believed(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.run("ingest")
    club.answer("HAGE-0001-1", PLAN | {"medlem": "123456785", "tittel": "Bed mot nord"}, PLANTS, "annen.xlsx")
    told = club.json("ingest", "--answers", expect=1)

    doubted = next(file for file in told["files"] if file["outcome"] == "quarantined")
    assert (doubted["report"], doubted["recipient"]) == ("HAGE-0001-1", None)
    assert doubted["reason"].startswith(
        "Skjemakoden i filen «annen.xlsx» hører til Epletreet, men svarene er fra Plomme"
    )
    assert doubted["answers"]["plan"]["tittel"] == "Bed mot nord"
    assert [letter["kind"] for letter in club.json("feedback")["letters"]] == ["receipt"], "nobody is told of it"
    [waiting] = club.json("status", expect=1)["need_a_person"]
    assert waiting["command"] == 'behov decide HAGE-0001-1 accept --reason "…" --by "…"'

    done = club.json("decide", "HAGE-0001-1", "accept", "--reason", "Ringte dem", "--by", "Kari")

    assert (done["version"], done["before"], done["now"], done["changed"]) == (2, "accepted", "accepted", True)
    assert club.json("status")["by_outcome"] == {"accepted": 1, "superseded": 1}
    assert club.json("show", "hage-0001-1")["title"] == "Bed mot nord"
    assert club.json("verify") == {"ok": True, "problems": []}


def test_the_story_of_a_report_tells_all_that_happened(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, PLANTS)
    club.run("ingest")
    club.run("feedback")
    club.answer("HAGE-0001-1", PLAN, PLANTS, "rettet.xlsx")
    club.run("ingest")
    club.run("decide", "HAGE-0001-1", "prefer", "1", "--reason", "Sendt ved en feil", "--by", "Kari")

    told = club.json("show", "HAGE-0001-1")

    assert (told["owner"], told["recipient"], told["status"]) == ("Epletreet", "920125298", "needs_correction")
    first, second = told["files"]
    assert (first["number"], first["outcome"], first["counts"]) == (1, "needs_correction", True)
    assert [finding["rule"] for finding in first["findings"]] == ["H1"]
    assert (second["file"], second["received_as"], second["outcome"]) == ("rettet.xlsx", "accepted", "superseded")
    assert (club.folder / first["original"]).exists()
    assert (club.folder / told["workbook"]).exists()
    assert [letter["kind"] for letter in told["letters"]] == ["invitation", "correction"]
    assert [(one["decision"], one["by"], one["reason"]) for one in told["decisions"]] == [
        ("prefer", "Kari", "Sendt ved en feil")
    ]
    lines = club.run("show", "rettet.xlsx").stdout
    for words in ("Version 1: to be corrected by owner, and it counts", "prefer by Kari: Sendt ved en feil", "You can"):
        assert words in lines


def test_a_report_of_which_only_an_unusable_file_came_is_shown_by_that_file(club: Club) -> None:
    line = club.round.sent()["HAGE-0001-1"]
    club.put("tom.xlsx", (club.round.sent_folder / line.file).read_bytes())
    club.run("ingest")

    assert club.json("show", "HAGE-0001-1")["files"][0]["file"] == "tom.xlsx"


def test_a_round_with_nobody_to_send_to_says_where_owners_are_written(club: Club) -> None:
    (club.folder / "recipients.csv").write_text(MEMBERS.splitlines()[0], encoding="utf-8")

    assert "put your owners in recipients.csv, one row each" in club.run("send-out", expect=2).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "HAGE-0002-1"), "nothing has come in for HAGE-0002-1 yet"),
        (("show", "HAGE-0001-2"), "there is no report or file «HAGE-0001-2». Did you mean «HAGE-0001-1»?"),
        (("decide", "HAGE-0001-1", "reject", "--by", "Kari"), "a decision needs --reason"),
        (("decide", "HAGE-0001-1", "accept-late", "--by", "Kari", "--reason", "nei"), "does not permit «accept-late»"),
        (("decide", "HAGE-0001-1", "aksepter"), "'aksepter' is not one of 'accept'"),
    ],
)
def test_what_cannot_be_shown_or_decided_is_told_in_a_sentence(club: Club, words: tuple[str, ...], said: str) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.run("ingest")

    assert said in club.run(*words, expect=2).stderr


def test_every_owner_gets_one_letter_once(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, PLANTS)
    club.answer("HAGE-0002-1", PLAN, PLANTS)
    club.run("ingest")

    letters = club.json("feedback")["letters"]

    assert [(one["recipient"], one["kind"], one["to"], one["state"]) for one in letters] == [
        ("123456785", "receipt", ["plommetreet@hage.example"], "queued"),
        ("920125298", "correction", ["epletreet@hage.example"], "queued"),
    ]
    message = email.message_from_bytes((club.folder / letters[1]["path"]).read_bytes(), policy=email.policy.default)
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = " ".join(body.get_content().split())
        assert "Vekstene koster 200" in text
        assert "C11" in text
    assert club.json("feedback")["letters"] == []


def test_the_workbook_that_comes_with_a_letter_is_corrected_and_returned_until_all_is_right(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, [*PLANTS, {"art": "Mais", "antall": "mange"}])
    said = []
    for number, change in enumerate(({"vekster": [{}, {}, {"antall": 30}]}, {"plan": {"budsjett": 500}}, None)):
        club.json("ingest")
        letter, files = club.newest_letter()
        said.append((letter["Subject"], files))
        if change is not None:
            (name,) = files
            path = club.put(f"{number}-{name}", fill_workbook(files[name], club.round.form, "nb", change))
            os.utime(path, (path.stat().st_mtime + 60 * (number + 1),) * 2)

    assert [(subject, list(files)) for subject, files in said] == [
        ("Plan HAGE-0001-1: 2 opplysninger må rettes innen 1. april", ["HAGE-0001-1-rettes.xlsx"]),
        ("Plan HAGE-0001-1: 1 opplysning må rettes innen 1. april", ["HAGE-0001-1-rettes.xlsx"]),
        ("Kvittering for plan HAGE-0001-1: alle opplysninger er med", []),
    ]
    assert club.json("status")["by_outcome"] == {"accepted": 1, "superseded": 2}


def test_the_register_workbook_has_the_report_and_its_rows(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN | {"tittel": "=1+1"}, PLANTS)
    club.run("ingest")

    club.run("export")

    book = CalamineWorkbook.from_path(str(club.round.exports / "register.xlsx"))
    rows = [cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row]
    assert {"HAGE-0001-1", "Epletreet", "=1+1", "Gulrot", "Reddik", 200.0} <= set(rows)


def test_check_shows_the_findings_of_one_file_and_stores_nothing(club: Club) -> None:
    path = club.answer("HAGE-0001-1", PLAN | {"budsjett": 150}, PLANTS)

    in_round = club.json("check", str(path))
    alone = CliRunner().invoke(cli.main, ["check", str(path), "--form", str(FORM), "--json"])

    assert in_round["counts"] == {"needs_correction": 1}
    assert json.loads(alone.stdout)["counts"] == {"needs_correction": 1}
    assert club.json("status")["returned"] == 0
    assert "H1     Plan C11" in club.run("check", str(path)).stdout


def test_status_counts_what_was_sent_and_what_came_back(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.run("ingest")

    assert club.json("status") == {
        "recipients": 2,
        "sent": 2,
        "returned": 1,
        "reports": 1,
        "by_outcome": {"accepted": 1},
        "need_a_person": [],
    }
