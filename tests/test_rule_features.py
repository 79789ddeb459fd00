"""What an office may do about a rule: let an owner off it, let an explanation settle it, try it first."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook

import cli
from templates.definition import FormError, load_form
from tests.test_loop import FORM, MEMBERS, PLAN, PLANTS, Club

EPLETREET = "920125298"
HEADING = "orgnr;rule;reason;until;by\n"
DEAR = PLAN | {"budsjett": 150}  # H1 speaks

WARNING = """
[[rule]]
id = "H4"
on = "plan"
severity = "warning"
accept_with = "plan.drenering"
must = "budsjett <= 400"
message = { nb = "Er det mye?", nn = "Er det mykje?" }
"""
LATE = """
[[rule]]
id = "H5"
check = "received_by_deadline"
later = { nb = "Om det kom i tide.", nn = "Om det kom i tide." }
message = { nb = "Kom {mottatt}.", nn = "Kom {mottatt}." }
"""


def own_form(folder: Path, rules: str = "") -> Path:
    """Copy the tiny form, with more rules."""
    own = folder / "form"
    shutil.copytree(FORM, own)
    path = own / "rules.toml"
    path.write_text(path.read_text(encoding="utf-8") + rules, encoding="utf-8")
    return own


def start(folder: Path, form: Path) -> Club:
    club = Club(folder / "runde")
    CliRunner().invoke(cli.main, ["new", str(club.folder), "--form", str(form)], catch_exceptions=False)
    (club.folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    club.run("send-out")
    return club


@pytest.fixture
def club(tmp_path: Path) -> Club:
    return start(tmp_path, own_form(tmp_path, WARNING + LATE))


def waive(club: Club, *rows: str) -> None:
    (club.folder / "waivers.csv").write_text(HEADING + "".join(f"{row}\n" for row in rows), encoding="utf-8-sig")


# waivers


def test_a_waived_finding_is_kept_but_asks_nothing_of_the_owner(club: Club) -> None:
    waive(club, f"{EPLETREET};H1;Styret har sagt ja;2030-03-01;Kari Prøve")
    club.answer("HAGE-0001-1", DEAR, PLANTS)
    club.answer("HAGE-0002-1", DEAR, PLANTS)

    told = club.json("ingest")

    assert told["counts"] == {"accepted": 1, "needs_correction": 1}
    findings = {file["report"]: file["findings"][0] for file in told["files"]}
    assert findings["HAGE-0002-1"]["severity"] == "error"
    assert findings["HAGE-0001-1"]["severity"] == "waived"
    assert findings["HAGE-0001-1"]["waiver"] == "Styret har sagt ja (Kari Prøve, 01.03.2030)"
    assert findings["HAGE-0001-1"]["cells"] == findings["HAGE-0002-1"]["cells"]


def test_a_waived_finding_is_in_the_register_and_not_in_the_letter(club: Club) -> None:
    waive(club, f"{EPLETREET};H1;Styret har sagt ja;2030-03-01;Kari Prøve")
    club.answer("HAGE-0001-1", DEAR, PLANTS)
    club.run("ingest")

    letter = club.json("feedback")["letters"][0]
    club.run("export")

    assert letter["kind"] == "receipt"
    assert b"budsjettet er 150" not in (club.folder / letter["path"]).read_bytes()
    book = CalamineWorkbook.from_path(str(club.round.exports / "register.xlsx"))
    assert not [row for row in book.get_sheet_by_name("Åpne merknader").to_python() if "H1" in row], "it is not open"
    [finding] = club.json("show", "HAGE-0001-1")["files"][0]["findings"]
    assert (finding["rule"], finding["severity"]) == ("H1", "waived")
    assert finding["waiver"] == "Styret har sagt ja (Kari Prøve, 01.03.2030)"


def test_a_waiver_ends_after_its_last_day(club: Club) -> None:
    waive(club, f"{EPLETREET};H1;Styret har sagt ja;2030-02-28;Kari Prøve")
    club.answer("HAGE-0001-1", DEAR, PLANTS)  # received 1 March

    assert club.json("ingest")["counts"] == {"needs_correction": 1}


def test_check_in_a_round_knows_its_waivers(club: Club) -> None:
    waive(club, f"{EPLETREET};H1;Styret har sagt ja;2099-01-01;Kari Prøve")
    path = club.answer("HAGE-0001-1", DEAR, PLANTS)

    assert club.json("check", str(path))["counts"] == {"accepted": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("123;H1;x;2030-01-01;Kari", "row 2: «123» is not an organisation number"),
        ("911770709;H1;x;2030-01-01;Kari", "row 2: 911770709 is no recipient of this round"),
        (f"{EPLETREET};H9;x;2030-01-01;Kari", "row 2: there is no rule «H9». See: behov form rules."),
        (f"{EPLETREET};H5;x;2030-01-01;Kari", "row 2: H5 cannot be waived; a late report is decided for itself"),
        (f"{EPLETREET};H1;;2030-01-01;Kari", "row 2: «reason» is empty"),
        (f"{EPLETREET};H1;x;1.1.2030;", "row 2: «by» is empty; «1.1.2030» is not a date; write 2024-06-30"),
    ],
)
def test_a_waiver_that_is_not_in_order_stops_the_run(club: Club, row: str, reason: str) -> None:
    waive(club, row)

    told = club.run("ingest", expect=2).output

    assert "waivers.csv has rows that need you:" in told
    assert reason in told


def test_waivers_need_their_columns(club: Club) -> None:
    (club.folder / "waivers.csv").write_text("orgnr;rule\n", encoding="utf-8")

    told = club.run("ingest", expect=2).output

    assert "waivers.csv has no column «reason»; the first row must be: orgnr;rule;reason;until;by" in told


# an explanation settles a warning


def test_a_filled_explanation_settles_a_warning(club: Club) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.answer("HAGE-0002-1", PLAN | {"drenering": "Ja"}, PLANTS)

    told = {file["report"]: file["findings"] for file in club.json("ingest")["files"]}

    assert [(one["rule"], one["cells"]) for one in told["HAGE-0001-1"]] == [("H4", ["C11"])]
    assert told["HAGE-0002-1"] == []


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('must = "budsjett <= 400"\naccept_with = "plan.drenering"', "only a warning is settled by an explanation"),
        ('severity = "warning"\nmust = "budsjett <= 4"\naccept_with = "plan.x"', "sheet «plan» has no «x»"),
        ('severity = "warning"\nmust = "budsjett <= 4"\naccept_with = "vekster.art"', "is many answers"),
        ('severity = "warning"\nrequired = ["drenering"]\naccept_with = "plan.drenering"', "has nothing to explain"),
    ],
)
def test_an_explanation_must_be_one_that_can_be_given(tmp_path: Path, rule: str, reason: str) -> None:
    text = f'\n[[rule]]\nid = "H6"\non = "plan"\n{rule}\nmessage = {{ nb = "A.", nn = "A." }}\n'

    with pytest.raises(FormError, match=reason):
        load_form(own_form(tmp_path, text))


# a rule on trial


def test_an_error_on_trial_is_told_as_a_question(tmp_path: Path) -> None:
    trial = '\n[[rule]]\nid = "H7"\non = "plan"\ntrial = true\nmust = "budsjett <= 400"\n'
    club = start(tmp_path, own_form(tmp_path, trial + 'message = { nb = "Er det mye?", nn = "Er det mykje?" }\n'))
    club.answer("HAGE-0001-1", PLAN, PLANTS)

    told = club.json("ingest")

    assert told["counts"] == {"remarks": 1}
    assert [(one["rule"], one["severity"]) for one in told["files"][0]["findings"]] == [("H7", "warning")]


# what a rule would have done


def test_a_new_rule_is_tried_on_the_reports_that_are_here(club: Club, tmp_path: Path) -> None:
    club.answer("HAGE-0001-1", PLAN, PLANTS)
    club.answer("HAGE-0002-1", PLAN | {"jordtype": "LEIRE", "drenering": "Ja"}, PLANTS)
    club.run("ingest")
    before = club.json("status")
    rules = tmp_path / "form" / "rules.toml"
    new = '\n[[rule]]\nid = "H8"\non = "plan"\nmust = "jordtype <> \'LEIRE\'"\n'
    text = 'message = { nb = "Leire er tungt.", nn = "Leire er tungt." }\n'
    rules.write_text(rules.read_text(encoding="utf-8") + new + text, encoding="utf-8")

    tried = club.run("form", "try-rule", "H8")
    told = json.loads(
        CliRunner().invoke(cli.main, ["form", "try-rule", "H8", "--round", str(club.folder), "--json"]).stdout
    )

    assert tried.stdout.splitlines() == [
        "H8 would hit 1 of 2 reports. Nothing is stored or sent.",
        "  HAGE-0002-1  Plommetreet  error  Plan C9  Leire er tungt.",
    ]
    assert [(hit["report"], hit["cells"]) for hit in told["hits"]] == [("HAGE-0002-1", ["C9"])]
    assert club.json("status") == before


def test_an_unknown_rule_cannot_be_tried(club: Club) -> None:
    assert "has no rule «H99»" in club.run("form", "try-rule", "H99", expect=2).output
