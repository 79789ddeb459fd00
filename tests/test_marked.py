"""The marked workbook: the owner's answers anew, every finding marked where it is, and fit to be returned."""

import io
import re
import zipfile
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from intake.guard import inspect
from intake.submission import Submission, Value
from outputs.marked.marked import Marked, Marker
from templates.fill import fill_workbook
from templates.part import SheetPart
from templates.recipients import Recipient
from templates.stamp import find_stamps
from tests.conftest import Office
from tests.desk import KEY, SENDER, marked
from tests.reports import CLEAN, DESK, FORM, LANGUAGES, MISTAKES, judged_mistakes, owner_of_all, rewritten
from validation.check import judge
from validation.findings import Finding
from validation.verdict import Verdict

REGISTER = Finding("S05", "error", "Skjema", ("C19",), ("eier_orgnr",), {"nb": "Eieren er ikke registrert."})
UNIT = Finding("P02", "warning", "Virksomheter", ("C7",), ("v_orgnr",), {"nb": "Vi finner ikke {nummeret}."})
WIDE = Finding(
    "S12", "error", "Skjema", ("C8", "C35"), ("ordning",), {"nb": "Et annet nettverk."}, elsewhere=(("Budsjett", "C7"),)
)
NOWHERE = Finding("S37", "warning", "", (), (), {"nb": "Meldingen kom før vi åpnet."})
BY_US = (REGISTER, UNIT, WIDE, NOWHERE)
READ = {"number_read", "P07", "C07", "C26", "date_read"}  # how an answer was understood, which is what is written
LOST = {
    "C24",
    "long_text",
}  # of which nothing is left to find: a number that was masked, a text beyond what a cell holds


@cache
def marker() -> Marker:
    return Marker(FORM, SENDER, KEY)


def open_(workbook: bytes, *, data_only: bool = False) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook), data_only=data_only)


def again(folder: Path, made: Marked, received: Verdict, owner: Recipient) -> Submission:
    """What is read when the workbook comes back as it was sent."""
    taken = DESK.take_in(folder / made.name, made.content, received.source.received, owner)
    assert isinstance(taken, Submission), taken
    return taken


def values(submission: Submission) -> dict[str, list[tuple[str, dict[str, tuple[Value, str | None]]]]]:
    return {
        key: [(row.key, {name: (a.value, a.problem) for name, a in row.answers.items()}) for row in sheet.rows]
        for key, sheet in submission.sheets.items()
    }


def told(finding: Finding) -> tuple[str, str, set[tuple[str, str]], dict[str, str]]:
    return finding.rule, finding.part, marked(finding), finding.message


@cache
def mistaken(rule: str, *, by_us: bool = False) -> tuple[Verdict, Marked]:
    """The first report that breaks a rule, marked with what was found, and with what only we can find."""
    verdict = judged_mistakes("nb")[number_of(rule)]
    assert verdict.submission is not None
    findings = [*verdict.findings, *(BY_US if by_us else ())]
    return verdict, marker().mark(verdict.submission, findings, mistaken_owner(rule))


def number_of(rule: str) -> int:
    return next(number for number, one in enumerate(MISTAKES) if one.rule == rule)


def mistaken_owner(rule: str) -> Recipient:
    return owner_of_all(MISTAKES[number_of(rule)].sample, "nb")


# what stands in it


@pytest.mark.parametrize("language", LANGUAGES)
def test_returned_as_it_is_every_answer_and_every_finding_is_the_same(tmp_path: Path, language: str) -> None:
    every = list(zip(MISTAKES, judged_mistakes(language), strict=True))[LANGUAGES.index(language) :: len(LANGUAGES)]
    every = [(mistake, verdict) for mistake, verdict in every if mistake.rule not in LOST]
    made, returned = [], []
    for mistake, verdict in every:
        assert verdict.submission is not None
        owner = owner_of_all(mistake.sample, language)
        made.append(marker().mark(verdict.submission, verdict.findings, owner))
        returned.append(again(tmp_path, made[-1], verdict, owner))

    for (mistake, before), sent, after in zip(every, made, judge(returned, FORM), strict=True):
        assert before.submission is not None
        assert after.submission is not None
        assert values(after.submission) == values(before.submission), mistake
        wanted = [told(finding) for finding in sent.findings if finding.rule not in READ]
        assert [told(finding) for finding in after.findings] == wanted, mistake


def test_it_is_the_same_report_of_the_same_owner_with_a_name_of_ours() -> None:
    verdict, made = mistaken("S19")
    workbook = open_(made.content)

    assert made.name == "BM24-0001-1-rettes.xlsx"
    assert {stamp.code for tab in ("Skjema", "Budsjett") for stamp in find_stamps(str(workbook[tab]["B2"].value))} == {
        stamp.code for stamp in find_stamps(str(workbook["_stempel"]["B7"].value))
    }
    assert [stamp.report for stamp in find_stamps(str(workbook["Skjema"]["B2"].value))] == [verdict.report]


def test_the_same_version_gives_the_same_bytes() -> None:
    verdict, made = mistaken("S19", by_us=True)
    assert verdict.submission is not None

    findings = [*verdict.findings, *BY_US]
    assert Marker(FORM, SENDER, KEY).mark(verdict.submission, findings, mistaken_owner("S19")) == made


def test_it_passes_the_guard_and_every_part_of_it_is_well_formed_and_listed() -> None:
    _, made = mistaken("S19", by_us=True)

    assert inspect(made.content, made.name) is None
    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        names = package.namelist()
        for name in names:
            etree.fromstring(package.read(name))
        listed = package.read("[Content_Types].xml").decode()
    assert len(names) == len(set(names))
    notes = [name for name in names if "comments" in name]
    assert len(notes) == 3
    assert all(f'PartName="/{name}"' in listed for name in notes)


# how it is marked


def status(workbook: openpyxl.Workbook, tab: str, cell: str) -> Any:  # noqa: ANN401 - whatever a cell holds
    return workbook[tab][cell].value


def test_each_finding_is_told_beside_its_cell_in_a_note_and_on_kontroll() -> None:
    _, made = mistaken("S19", by_us=True)
    workbook = open_(made.content, data_only=True)
    told = made.findings[0].message["nb"]

    assert status(workbook, "Budsjett", "H7") == told
    assert status(workbook, "Skjema", "D19") == "Eieren er ikke registrert."
    assert status(workbook, "Virksomheter", "J7") == "Vi finner ikke (nummeret)."
    notes = {(tab, cell): workbook[tab][cell].comment for tab, cell in (("Budsjett", "C7"), ("Virksomheter", "C7"))}
    assert notes["Virksomheter", "C7"].text == "Spørsmål: Vi finner ikke {nummeret}."
    assert notes["Budsjett", "C7"].text == f"Må rettes: {told}\n\nMå rettes: Et annet nettverk."
    assert {note.author for note in notes.values()} == {SENDER.name}
    control = workbook["Kontroll"]
    assert control["B3"].value == "3 opplysninger gjenstår"
    listed = [[cell.value for cell in row] for row in control["B15:E21"]]
    assert listed == [
        ["Skjema", "C8", "Må rettes", "Et annet nettverk."],
        ["Skjema", "C19", "Må rettes", "Eieren er ikke registrert."],
        ["Budsjett", "C7", "Må rettes", told],
        ["Skjema", "C6", "Spørsmål", "Meldingen kom før vi åpnet."],
        ["Virksomheter", "C7", "Spørsmål", "Vi finner ikke (nummeret)."],
        [None] * 4,
        [None] * 4,
    ]


def test_the_row_of_a_long_text_in_a_table_is_high_enough() -> None:
    with zipfile.ZipFile(io.BytesIO(DESK.send())) as package:
        part = SheetPart(package.read("xl/worksheets/sheet7.xml"))  # Aktiviteter

    made = part.written({(7, "B"): "Samling med alle. " * 20, (8, "B"): "Kort", (9, "B"): "To\nlinjer"}, {})

    heights = dict(re.findall(r'<row r="([789])"(?: ht="(\d+)")?', made.decode()))
    assert heights == {"7": "105", "8": "", "9": "30"}


def test_it_opens_on_kontroll() -> None:
    _, made = mistaken("S19")

    assert open_(made.content).active.title == "Kontroll"  # type: ignore[union-attr]


def test_it_holds_nothing_but_our_own_parts_and_no_masked_number() -> None:
    _, made = mistaken("C24")

    with (
        zipfile.ZipFile(io.BytesIO(made.content)) as package,
        zipfile.ZipFile(io.BytesIO(DESK.send(mistaken_owner("C24")))) as sent,
    ):
        extra = set(package.namelist()) - set(sent.namelist())
        whole = b"".join(package.read(name) for name in package.namelist()).decode()
    assert extra == {"xl/comments1.xml", "xl/drawings/vmlDrawing1.vml", "xl/worksheets/_rels/sheet2.xml.rels"}
    assert "•••••••••••" in whole
    assert not re.search(r"(?<!\d)\d{11}(?!\d)", whole)


def test_nothing_but_the_answers_of_the_owners_file_comes_back(tmp_path: Path) -> None:
    owner = owner_of("rek_kommune", "nb")
    answers = DESK.answers(CLEAN["rek_kommune"], owner)
    answers["skjema"] |= {"tiltak_tittel": "", "mal": "Et svar fra eieren"}
    book = open_(DESK.fill(answers, owner))
    tab, place = DESK.cell("skjema.mal")
    sheet = book[tab]
    sheet[place].comment = Comment("Vi spør om noe", "zqxjv")  # what it says is asked about
    sheet[place].hyperlink = "https://zqxjv.example/x"
    sheet.oddHeader.center.text = "zqxjv"  # type: ignore[union-attr]
    sheet["F40"] = "=zqxjv!A1"
    hidden = book.create_sheet("zqxjv")
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = "zqxjv"
    book.defined_names["zqxjv"] = DefinedName("zqxjv", attr_text="zqxjv!$A$1")
    book.properties.description = book.properties.creator = "zqxjv"
    buffer = io.BytesIO()
    book.save(buffer)
    verdict = judged(tmp_path, buffer.getvalue(), owner)

    made = remade(verdict, owner)

    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    assert "Et svar fra eieren" in parts["xl/worksheets/sheet2.xml"]
    assert [name for name, part in parts.items() if "zqxjv" in (part + name).casefold()] == []
    assert [name for name in parts if "vba" in name.casefold() or "external" in name.casefold()] == []


# answers of every kind


def owner_of(sample: str, language: str) -> Recipient:
    """The next made-up owner, with what a sample speaks of."""
    return DESK.owner_for(CLEAN[sample], language=language)


def judged(folder: Path, workbook: bytes, owner: Recipient) -> Verdict:
    verdict = DESK.judge(folder / "svar.xlsx", workbook, owner)
    assert verdict.submission is not None, verdict
    return verdict


def remade(verdict: Verdict, owner: Recipient) -> Marked:
    assert verdict.submission is not None
    return marker().mark(verdict.submission, verdict.findings, owner)


ODD: dict[str, Any] = {
    "kontakt_rolle": "=1+1",
    "tiltak_tittel": "@@code@@ & <b>",
    "lokalt_behov": '=HYPERLINK("http://a.no")',
    "mal": "Én\nto",
    "antall_ar": "kanskje 3",
    "slutt_dato": "våren",
    "start_dato": "32.13.2024",
}


def test_what_could_not_be_used_stands_as_it_was_written_and_never_as_a_formula(tmp_path: Path) -> None:
    owner = owner_of("rek_kommune", "nb")
    answers = DESK.answers(CLEAN["rek_kommune"], owner)
    answers["skjema"] |= ODD
    verdict = judged(tmp_path, DESK.fill(answers, owner), owner)

    made = remade(verdict, owner)

    sheet = open_(made.content)["Skjema"]
    cells = {key: sheet[DESK.cell(f"skjema.{key}")[1]] for key in ODD}
    assert {key: cell.value for key, cell in cells.items()} == ODD
    assert {cell.data_type for cell in cells.values()} == {"s"}
    returned = judged(tmp_path, made.content, owner)
    assert [told(one) for one in returned.findings] == [told(one) for one in made.findings]


@pytest.mark.parametrize("cell", [b't="e"><v>#REF!</v>', b't="str"><f>SUM(A1)</f>', b't="e"><v>#SPILL!</v>'])
def test_an_answer_that_nobody_can_know_is_an_error_until_it_is_written_anew(tmp_path: Path, cell: bytes) -> None:
    owner = owner_of("rek_kommune", "nb")
    answers = DESK.answers(CLEAN["rek_kommune"], owner)
    answers["skjema"] |= {"kontakt_rolle": "BYTTES"}
    workbook = rewritten(DESK.fill(answers, owner), rb't="inlineStr"><is><t[^>]*>BYTTES</t></is>', cell)
    verdict = judged(tmp_path, workbook, owner)

    made = remade(verdict, owner)

    tab, place = DESK.cell("skjema.kontakt_rolle")
    assert open_(made.content)[tab][place].data_type == "e"
    (before,), (after,) = made.findings, judged(tmp_path, made.content, owner).findings
    assert (after.severity, after.cells) == (before.severity, before.cells) == ("error", (place,))


def test_what_the_owner_emptied_stays_empty_and_what_we_fill_in_stays_ours(tmp_path: Path) -> None:
    owner = owner_of("rek_kommune", "nb")
    answers = DESK.answers(CLEAN["rek_kommune"], owner)
    answers["skjema"] |= {"kontakt_navn": ""}
    verdict = judged(tmp_path, DESK.fill(answers, owner), owner)

    workbook = open_(remade(verdict, owner).content)

    assert status(workbook, *DESK.cell("skjema.kontakt_navn")) is None
    assert status(workbook, *DESK.cell("skjema.eier_navn")) == owner.name
    assert status(workbook, *DESK.cell("virksomheter.1.v_kommune")).text.startswith("=")


@cache
def below(folder: Path) -> tuple[Verdict, Marked, Recipient]:
    """A table with more rows than it has room for, and a gap: no row has a contact, and the last a bad address."""
    owner = owner_of("rek_kommune", "nb")
    answers = DESK.answers(CLEAN["rek_kommune"], owner)
    (partner,) = answers["partnere"]
    rows = [partner | {"p_navn": f"Høgskolen {number}", "p_kontakt": ""} for number in range(12)]
    answers["partnere"] = [{}, *rows[:-1], rows[-1] | {"p_epost": "ingen adresse"}]
    verdict = judged(folder, DESK.fill(answers, owner), owner)
    return verdict, remade(verdict, owner), owner


def test_rows_below_the_table_keep_their_order_and_are_told_apart(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    verdict, made, owner = below(tmp_path_factory.getbasetemp())

    workbook = open_(made.content, data_only=True)
    sheet = workbook["Partnere"]
    places = DESK.layout["partnere"]
    names = [sheet[places.cell("p_navn", row)].value for row in range(7, 20)]
    assert names == [*(f"Høgskolen {number}" for number in range(12)), None]
    email = next(one for one in made.findings if "p_epost" in one.questions)
    assert email.cells == (places.cell("p_epost", 18),)
    missing = next(one for one in made.findings if "p_kontakt" in one.questions).message["nb"]
    untold = "Raden står under tabellen. Vi kontrollerer den når dere sender filen."
    assert sheet[f"{places.status_column}17"].value == f"{missing} (Og 1 til på raden.) {untold}"
    assert sheet[f"{places.status_column}18"].value == f"{missing} (Og 2 til på raden.) {untold}"
    listed = [workbook["Kontroll"][f"E{row}"].value for row in range(15, 25)]
    assert f"Rad 17: {missing}" in listed
    returned = judged(tmp_path, made.content, owner)
    assert returned.submission is not None
    assert verdict.submission is not None
    assert values(returned.submission) == values(verdict.submission)


def test_cells_that_the_owner_moved_are_named_as_the_workbook_has_them() -> None:
    verdict, made = mistaken("S02")
    assert verdict.submission is not None
    sheet = verdict.submission.sheets["skjema"]
    places = {key: f"C{int(cell[1:]) + 4}" for key, cell in sheet.places.items()}
    moved = replace(verdict.submission, sheets=verdict.submission.sheets | {"skjema": replace(sheet, places=places)})
    (finding,) = verdict.findings
    lower = replace(finding, cells=tuple(f"C{int(cell[1:]) + 4}" for cell in finding.cells))

    again = marker().mark(moved, [lower], mistaken_owner("S02"))

    assert again == made


# in a spreadsheet


@dataclass(frozen=True)
class Trip:
    """One report that its owner corrects a little in each of three rounds, in LibreOffice."""

    name: str
    owner: Recipient
    right: dict[str, Any]
    verdicts: list[Verdict] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)  # the workbooks the owner got

    @property
    def wrong(self) -> dict[str, Any]:
        answers = {key: given.copy() for key, given in self.right.items()}
        answers["skjema"]["tiltak_tittel"] = ""
        answers["virksomheter"][1] = answers["virksomheter"][1] | {"v_orgnr": "98765432"}
        answers["budsjett"] = {row: {**line, "y2025": None} for row, line in self.right["budsjett"].items()}
        return answers

    @property
    def corrections(self) -> list[dict[str, Any]]:
        number = self.right["virksomheter"][1]["v_orgnr"]
        title = self.right["skjema"]["tiltak_tittel"]
        rows: list[dict[str, Any]] = [{}, {"v_orgnr": number}]
        return [
            {"skjema": {"tiltak_tittel": title}},
            {"virksomheter": rows},
            {"budsjett": self.right["budsjett"]},
        ]


def saved_by_libreoffice(soffice: Office, folder: Path, workbooks: dict[str, bytes]) -> dict[str, bytes]:
    """Open, calculate and save workbooks, in one go."""
    before, after = folder / "before", folder / "after"
    for made in (before, after):
        made.mkdir(parents=True)
    for name, workbook in workbooks.items():
        (before / f"{name}.xlsx").write_bytes(workbook)
    paths = soffice.convert_all(sorted(before.iterdir()), "xlsx", after)
    return {path.stem: path.read_bytes() for path in paths}


@dataclass(frozen=True)
class Seen:
    """What LibreOffice made of workbooks: three rounds of corrections, and others that were only opened."""

    trips: list[Trip]
    made: dict[str, bytes]
    opened: dict[str, bytes]


def changed() -> bytes:
    """The workbook with what only we can find, after the owner has changed two of the cells that are blamed."""
    _, made = mistaken("S19", by_us=True)
    answers = {"virksomheter": [{"v_orgnr": "974760673"}], "budsjett": {"UH_FAG": {"y2024": 100_000}}}
    return fill_workbook(made.content, FORM, "nb", answers)


@pytest.fixture(scope="module")
def seen(soffice: Office, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("rounds")
    owners = [owner_of("rek_kommune", language) for language in LANGUAGES]
    trips = [Trip(owner.language, owner, DESK.answers(CLEAN["rek_kommune"], owner)) for owner in owners]
    others = {
        "by_us": mistaken("S19", by_us=True)[1].content,
        "changed": changed(),
        "grid": mistaken("P11")[1].content,
        "below": below(tmp_path_factory.getbasetemp())[1].content,
    }
    workbooks = {trip.name: DESK.fill(trip.wrong, trip.owner) for trip in trips}
    opened: dict[str, bytes] = {}
    for number in range(4):
        saved = saved_by_libreoffice(soffice, folder / str(number), workbooks | ({} if opened else others))
        opened = opened or saved
        workbooks = {}
        for trip in trips:
            verdict = judged(folder, saved[trip.name], trip.owner)
            trip.verdicts.append(verdict)
            if number < len(trip.corrections):
                trip.sent.append(remade(verdict, trip.owner).content)
                change = trip.corrections[number]
                workbooks[trip.name] = fill_workbook(trip.sent[-1], FORM, trip.owner.language, change)
    return Seen(trips, others, opened)


def test_corrected_a_little_at_a_time_in_libreoffice_it_is_accepted_after_three_rounds(seen: Seen) -> None:
    for trip in seen.trips:
        rules = [{finding.rule for finding in verdict.findings} for verdict in trip.verdicts]
        assert rules == [{"S02", "P01", "S19"}, {"P01", "S19"}, {"S19"}, set()], trip.name
        assert [verdict.outcome for verdict in trip.verdicts] == ["needs_correction"] * 3 + ["accepted"]
        assert {verdict.report for verdict in trip.verdicts} == {trip.verdicts[0].report}


def test_the_answers_after_three_rounds_are_those_that_were_written(seen: Seen, tmp_path: Path) -> None:
    for trip in seen.trips:
        right = judged(tmp_path, DESK.fill(trip.right, trip.owner), trip.owner).submission
        last = trip.verdicts[-1].submission
        assert right is not None
        assert last is not None
        assert values(last) == values(right), trip.name


@pytest.mark.parametrize("name", ["by_us", "grid", "below"])
def test_what_is_shown_before_it_is_calculated_is_what_libreoffice_calculates(seen: Seen, name: str) -> None:
    made = seen.made[name]
    foretold, formulas, calculated = open_(made, data_only=True), open_(made), open_(seen.opened[name], data_only=True)

    shown = 0
    tabs = {sheet.label["nb"]: DESK.layout[key].status_column for key, sheet in FORM.sheets.items()}
    for tab in (*tabs, "Kontroll"):
        for cell in (cell for row in formulas[tab].iter_rows() for cell in row if str(cell.value).startswith("=")):
            value = foretold[tab][cell.coordinate].value
            if value is not None or tab == "Kontroll":
                shown += 1
                assert (calculated[tab][cell.coordinate].value or None) == (value or None), (tab, cell.coordinate)
    assert shown > 160  # Kontroll has forty rows of four


def test_what_only_we_can_find_goes_away_when_its_cell_is_changed(seen: Seen) -> None:
    workbook = open_(seen.opened["changed"], data_only=True)

    listed = [workbook["Kontroll"][f"E{row}"].value for row in range(15, 20)]
    assert listed[:2] == ["Eieren er ikke registrert.", "Meldingen kom før vi åpnet."]
    assert listed[2:] == [None] * 3
    assert workbook["Kontroll"]["B3"].value == "1 opplysning gjenstår"
    assert not status(workbook, "Virksomheter", "J7")
    assert not status(workbook, "Skjema", "D8")


def test_the_notes_and_the_marks_survive_libreoffice(seen: Seen) -> None:
    sent, saved = open_(mistaken("S19", by_us=True)[1].content), open_(seen.opened["by_us"])

    for tab in ("Skjema", "Virksomheter", "Budsjett"):
        notes = {cell.coordinate: cell.comment.text for row in sent[tab] for cell in row if cell.comment}
        assert {cell.coordinate: cell.comment.text for row in saved[tab] for cell in row if cell.comment} == notes
        assert len(notes) >= 1
        kept = {str(one.sqref) for one in saved[tab].data_validations.dataValidation}
        assert len(kept) >= len({one.type for one in sent[tab].data_validations.dataValidation})
        assert saved[tab].conditional_formatting
