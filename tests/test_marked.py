"""The marked workbook: the owner's answers anew, every finding marked where it is, and fit to be returned."""

import io
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree

from intake.guard import inspect
from intake.submission import Submission, Value
from outputs.marked import Marked, Marker
from templates.stamp import find_stamps
from tests.desk import KEY, SENDER, Desk, marked
from tests.reports import DESK, FORM, LANGUAGES, MISTAKES, judged_mistakes
from validation.check import judge
from validation.findings import Finding
from validation.verdict import Verdict

TYPES = Desk(Path(__file__).parent / "forms" / "alle_typer")
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


def again(folder: Path, made: Marked, received: Verdict) -> Submission:
    """What is read when the workbook comes back as it was sent."""
    taken = DESK.take_in(folder / made.name, made.content, received.source.received)
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
    number = next(number for number, one in enumerate(MISTAKES) if one.rule == rule)
    verdict = judged_mistakes("nb")[number]
    assert verdict.submission is not None
    owner = replace(DESK.recipients[verdict.submission.recipient], language="nb")
    return verdict, marker().mark(verdict.submission, [*verdict.findings, *(BY_US if by_us else ())], owner)


# what stands in it


@pytest.mark.parametrize("language", LANGUAGES)
def test_returned_as_it_is_every_answer_and_every_finding_is_the_same(tmp_path: Path, language: str) -> None:
    every = list(zip(MISTAKES, judged_mistakes(language), strict=True))[LANGUAGES.index(language) :: len(LANGUAGES)]
    every = [(mistake, verdict) for mistake, verdict in every if mistake.rule not in LOST]
    made = []
    for _, verdict in every:
        assert verdict.submission is not None
        owner = replace(DESK.recipients[verdict.submission.recipient], language=language)
        made.append(marker().mark(verdict.submission, verdict.findings, owner))
    returned = [again(tmp_path, sent, verdict) for sent, (_, verdict) in zip(made, every, strict=True)]

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

    owner = replace(DESK.recipients[verdict.submission.recipient], language="nb")
    assert Marker(FORM, SENDER, KEY).mark(verdict.submission, [*verdict.findings, *BY_US], owner) == made


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
    assert status(workbook, "Virksomheter", "J7") == "Vi finner ikke {nummeret}."
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
        ["Virksomheter", "C7", "Spørsmål", "Vi finner ikke {nummeret}."],
        [None] * 4,
        [None] * 4,
    ]


def test_it_opens_on_kontroll() -> None:
    _, made = mistaken("S19")

    assert open_(made.content).active.title == "Kontroll"  # type: ignore[union-attr]
