"""What the owner is told while writing is what the pipeline says afterwards."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from intake.submission import Submission
from templates.layout import RULES_SHEET
from templates.live.live import make_live
from tests.conftest import Office
from tests.desk import RECIPIENT, Desk
from tests.live_checks import run
from validation import check

DESK = Desk.of("behovsmelding-2024")
GARDEN = Desk(Path(__file__).parent / "forms" / "hagelag")
EVERY_TYPE = Desk(Path(__file__).parent / "forms" / "alle_typer")
LARGEST = 60_000  # bytes of a blank workbook
WRITTEN_OUT = 3_000_000  # characters of all formulas, as programs write them that know no shared ones
SAMPLE = DESK.samples.clean["rek_privat"]
OWNER = DESK.owner_for(SAMPLE)


@pytest.mark.slow
def test_the_workbook_and_the_pipeline_judge_alike(
    soffice: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_merged", list)  # one finding a row is easier to compare

    done = run(DESK, 24, 1, soffice, tmp_path)

    assert done.differences == []
    assert done.verdicts > 5000
    assert done.messages > 20


def kontroll(soffice: Office, folder: Path, workbook: bytes) -> Worksheet:
    (folder / "inn").mkdir()
    (folder / "inn" / "melding.xlsx").write_bytes(workbook)
    made = soffice.convert(folder / "inn" / "melding.xlsx", "xlsx", folder)
    sheet = openpyxl.load_workbook(made, data_only=True)["Kontroll"]
    assert isinstance(sheet, Worksheet)
    return sheet


def listed(sheet: Worksheet) -> list[tuple[Any, ...]]:
    rows = list(sheet.iter_rows(min_col=2, max_col=5, values_only=True))
    head = next(number for number, row in enumerate(rows) if row[1] == "Celle")
    return [row for row in rows[head + 1 :] if row[0]]


def printed(sheet: Worksheet) -> dict[str, int]:
    """How many rows of the long sheets are printed, as a calculated workbook has it."""
    book = sheet.parent
    assert book is not None
    rows = {}
    for number in range(1, 5):
        tab, area = book.defined_names[f"_p_{number}"].attr_text.split("!")
        assert area.startswith("$B$1:")
        rows[tab] = next(iter(book.defined_names[f"_n_{number}"].destinations))
    return {tab: book[hidden][cell].value for tab, (hidden, cell) in rows.items()}


def test_a_clean_report_is_ready(soffice: Office, tmp_path: Path) -> None:
    sheet = kontroll(soffice, tmp_path, DESK.fill(DESK.answers(SAMPLE, OWNER), OWNER))

    assert sheet["B3"].value == "Klar til innsending"
    assert listed(sheet) == []


def test_who_has_no_need_is_ready_and_accepted_with_nothing_else_asked_for(soffice: Office, tmp_path: Path) -> None:
    answers = {"skjema": {"ingen_behov": "Ja", "kontakt_epost": "feil"}}

    sheet = kontroll(soffice, tmp_path, DESK.fill(answers))
    verdict = DESK.judge(tmp_path / "svar.xlsx", (tmp_path / "melding.xlsx").read_bytes())
    beside = openpyxl.load_workbook(tmp_path / "melding.xlsx", data_only=True)["Skjema"]["D70"].value

    assert (sheet["B3"].value, sheet["B4"].value or "", listed(sheet)) == ("Klar til innsending", "", [])
    assert verdict.outcome == "accepted"
    assert [(found.rule, found.severity, found.message["nb"]) for found in verdict.findings] == [
        ("S38", "info", beside)
    ]


def test_three_things_left_are_listed_with_their_cells_and_a_question_after_them(
    soffice: Office, tmp_path: Path
) -> None:
    answers = DESK.answers(SAMPLE, OWNER)
    answers["skjema"] |= {"ordning": "", "kontakt_epost": "feil", "kontakt_tlf": "123"}
    answers["virksomheter"][0]["v_orgnr"] = "123"

    sheet = kontroll(soffice, tmp_path, DESK.fill(answers, OWNER))

    assert sheet["B3"].value == "3 opplysninger gjenstår"
    assert sheet["B4"].value == "Vi har også ett spørsmål. Det hindrer dere ikke i å sende inn."
    assert [row[:3] for row in listed(sheet)] == [
        ("Skjema", "C8", "Må rettes"),
        ("Skjema", "C29", "Må rettes"),
        ("Virksomheter", "C7", "Må rettes"),
        ("Skjema", "C30", "Spørsmål"),
    ]
    assert listed(sheet)[2][3] == (
        "«123» er ikke et gyldig organisasjonsnummer. Det skal ha 9 siffer, og dette har 3. Skriv alle ni."
    )


def test_the_list_shows_the_first_forty(soffice: Office, tmp_path: Path) -> None:
    rows = [{"v_navn": f"Enhet {number}"} for number in range(1, 31)]

    sheet = kontroll(soffice, tmp_path, DESK.fill({"virksomheter": rows}))

    assert str(sheet["B3"].value).endswith("opplysninger gjenstår")
    assert len(listed(sheet)) == 40
    assert listed(sheet)[-1][0] == "Virksomheter"
    assert printed(sheet) == {"Virksomheter": 6 + 30 + 2, "Eiere": 26, "Aktiviteter": 26, "Kontroll": 14 + 40}


def test_what_kontroll_says_in_another_file_is_not_read_as_an_answer(soffice: Office, tmp_path: Path) -> None:
    answers = DESK.answers(SAMPLE, OWNER)
    answers["skjema"]["kontakt_epost"] = DESK.send(RECIPIENT) and "BM24-0002-1-123456785-2024.1-ABCDEFGH"
    kontroll(soffice, tmp_path, DESK.fill(answers, OWNER))

    taken = DESK.take_in(tmp_path / "igjen.xlsx", (tmp_path / "melding.xlsx").read_bytes())

    assert isinstance(taken, Submission)


@pytest.mark.parametrize("language", ["nb", "nn"])
@pytest.mark.parametrize("desk", [DESK, GARDEN, EVERY_TYPE], ids=lambda desk: desk.form.name)
def test_every_rule_is_live_or_said_to_come_later(desk: Desk, language: str) -> None:
    live = make_live(desk.form, language)
    placed = {cause.rule.name for item in live.items.values() for cause in item.causes}

    wanted = {rule.name for rule in desk.form.rules if rule.check or rule.must or rule.before or rule.unique}
    assert placed | {rule.name for rule in live.later} >= wanted


def formulas(workbook: bytes) -> Iterator[tuple[str, str]]:
    for sheet in openpyxl.load_workbook(io.BytesIO(workbook)).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    yield f"{sheet.title}!{cell.coordinate}", getattr(cell.value, "text", str(cell.value))


def test_no_formula_is_longer_than_a_spreadsheet_takes() -> None:
    too_long = [place for place, formula in formulas(DESK.send()) if len(formula) > 8000]

    assert too_long == []


@pytest.mark.parametrize("language", DESK.form.languages)
def test_a_blank_workbook_stays_small(language: str) -> None:
    assert len(DESK.send(replace(RECIPIENT, language=language))) <= LARGEST


def test_a_workbook_that_was_saved_by_another_program_is_still_quick_to_read() -> None:
    assert sum(len(formula) for _, formula in formulas(DESK.send())) <= WRITTEN_OUT


def test_the_rules_are_out_of_sight_and_kontroll_is_not() -> None:
    with zipfile.ZipFile(io.BytesIO(DESK.send())) as package:
        sheets = package.read("xl/workbook.xml").decode()
    states = dict.fromkeys((RULES_SHEET, "Kontroll"), "")
    for name in states:
        states[name] = next(part for part in sheets.split("<sheet ") if f'name="{name}"' in part)

    assert 'state="hidden"' in states[RULES_SHEET]
    assert 'state="visible"' in states["Kontroll"] or "state=" not in states["Kontroll"]


def test_what_only_we_can_check_is_told_in_the_guide() -> None:
    guide = openpyxl.load_workbook(io.BytesIO(DESK.send()))["Veiledning"]
    told = [str(row[0]) for row in guide.iter_rows(min_col=2, max_col=2, values_only=True) if row[0]]

    assert "Dette kontrollerer vi når skjemaet er levert" in told
    assert "– Om meldingen kom i tide." in told
    assert len([text for text in told if text.startswith("– ")]) < 20


def test_a_rule_that_only_we_can_check_is_not_forgotten_in_the_guide() -> None:
    assert [rule.name for rule in make_live(DESK.form, "nb").later if rule.source and not rule.later] == []
