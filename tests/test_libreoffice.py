"""Workbooks that LibreOffice has opened, calculated and saved are read with every answer right."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from intake.submission import Submission, Value
from templates.form import NO, YES
from templates.recipients import Unit
from templates.stamp import Stamp, find_stamps
from tests.conftest import Office
from tests.desk import RECIPIENT, Desk
from validation.check import judge
from validation.verdict import Verdict

DESK = Desk.of("behovsmelding-2024")
SAMPLES = DESK.samples.clean
TYPES = Desk(Path(__file__).parent / "forms" / "alle_typer")

UNITS = (Unit("974760673", "Måkeholmen & sønn", "VAD", "3203"),)
OWNER = replace(RECIPIENT, name="=1+1 & «Ås»", type="VAD", units=UNITS, language="nn")
TEXTS = [
    "Blåbærsyltetøy – čšŋđ 👍🇳🇴", "=1+1", "+47 22", "#N/A", "0047", "1e5", "01.02.2024", "'merket", "<b>&amp;</b>",
    "_x0041_", "Én linje\n\tog  en til\n\n«slutt»", "Fagdag på Ås. " * 2000 + "Slutt",
]  # fmt: skip
DAYS = [date(1990, 1, 1), date(2024, 2, 29), date(2024, 12, 31), date(2100, 12, 31)]
AMOUNTS = [0, -1, 1_250_000, -999_999_999_999, 123_456_789_012_345]
SHARES = [0.0, 0.425, 0.001, 1.0, 12.5]
DECIMALS = [0.1, -0.5, 1234.5678, 1e-7, 123_456.789012]
LINES: list[dict[str, Any]] = [
    {
        "enhet": f"Reir {number}",
        "enhet_nr": "974760673",
        "sted": ("0301", "5501")[number % 2],
        "lang_tekst": text.strip(),
        "heltall": AMOUNTS[number % 5] // 1000,
        "belop": AMOUNTS[number % 5],
        "desimaltall": DECIMALS[number % 5],
        "prosent": SHARES[number % 5],
        "dato": DAYS[number % 4],
        "epost": "åse.ø+tegn@måke.example",
        "telefon": "22334455",
        "ja_nei": (YES, NO)[number % 2],
        "gruppe": ("VAD", "SPURV", "ANNET")[number % 3],
        "fugl": ("TJELD", "LINERLE", "ORN", "ROED")[number % 4],
    }
    for number, text in enumerate(TEXTS)
]
ANSWERS: dict[str, Any] = {
    "svar": {**LINES[0], "tekst": "Prøver alt", "orgnr": "971032081", "ar": "2"},
    "rader": [*LINES, {}, {"enhet": UNITS[0].name}, {"enhet": UNITS[0].name.upper(), "sted": "3301"}],
    "rutenett": {
        "REISE": {"forste": 1_000_000, "andre": 7, "heltall": 3, "desimaltall": 0.1, "prosent": 0.5, "dato": DAYS[1]},
        "MAT": {"andre": 35, "heltall": -5, "desimaltall": 0.2, "merknad": "=mat"},
        "EGET": {"forste": 12, "merknad": "Én og to"},
    },
}
ANSWERS["svar"] = {key: ANSWERS["svar"][key] for key in TYPES.form.sheets["svar"].questions if key in ANSWERS["svar"]}


@dataclass(frozen=True)
class Trip:
    """One workbook before and after LibreOffice had it."""

    before: Submission
    after: Submission
    verdict: Verdict
    sent: Path
    saved: Path


def taken(desk: Desk, path: Path) -> Submission:
    found = desk.take_in(path, path.read_bytes())
    assert isinstance(found, Submission), found
    return found


def fill_samples(folder: Path) -> None:
    languages = cycle(DESK.form.languages)
    for name, sample in SAMPLES.items():
        owner = DESK.owner_for(sample, language=next(languages))
        others = [DESK.owner_for(sample) for _ in range(3)]
        DESK.recipients.update({other.orgnr: other for other in others})
        (folder / f"{name}.xlsx").write_bytes(DESK.fill_sample(sample, owner, others))


@pytest.fixture(scope="module")
def trips(soffice: Office, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trip]:
    """Every clean sample, and every type of answer, saved in one go: LibreOffice is slow to start."""
    folder, outdir = tmp_path_factory.mktemp("filled"), tmp_path_factory.mktemp("saved")
    fill_samples(folder)
    (folder / "alle_typer.xlsx").write_bytes(TYPES.fill(ANSWERS, OWNER))
    paths = sorted(folder.iterdir())
    saved = soffice.convert_all(paths, "xlsx", outdir)
    desks = [DESK if path.stem in SAMPLES else TYPES for path in paths]
    before = [taken(desk, path) for desk, path in zip(desks, paths, strict=True)]
    after = [taken(desk, path) for desk, path in zip(desks, saved, strict=True)]
    ours = [submission for desk, submission in zip(desks, after, strict=True) if desk is DESK]
    theirs = [submission for desk, submission in zip(desks, after, strict=True) if desk is TYPES]
    verdicts = {verdict.source.path.stem: verdict for verdict in (*judge(ours, DESK.form), *judge(theirs, TYPES.form))}
    together = zip(paths, saved, before, after, strict=True)
    return {path.stem: Trip(old, new, verdicts[path.stem], path, made) for path, made, old, new in together}


def answers(submission: Submission) -> dict[str, list[tuple[int, str, dict[str, tuple[str, Value]]]]]:
    """Every answer with its type, its row and the code of a problem when it has one."""
    return {
        key: [
            (
                row.number,
                row.key,
                {name: (a.problem or type(a.value).__name__, a.value) for name, a in row.answers.items()},
            )
            for row in sheet.rows
        ]
        for key, sheet in submission.sheets.items()
    }


def stamps(path: Path) -> dict[str, list[Stamp]]:
    """The skjemakode in each carrier of a file."""
    workbook = openpyxl.load_workbook(path)
    form = (DESK if path.stem in SAMPLES else TYPES).form
    tabs = [
        sheet
        for sheet in workbook.worksheets
        if sheet.title in {t for s in form.sheets.values() for t in s.label.values()}
    ]
    properties = workbook.properties
    texts = {
        "visible": [sheet["B2"].value for sheet in tabs],
        "A1": [sheet["A1"].value for sheet in tabs],
        "stamp sheet": [cell.value for cell in workbook["_stempel"]["B"]],
        "core": [properties.subject, properties.keywords],
        "custom": [item.value for item in workbook.custom_doc_props.props],  # type: ignore[attr-defined]
        "footer": [sheet.oddFooter.left.text for sheet in workbook.worksheets],  # type: ignore[union-attr]
    }
    return {place: [stamp for text in found for stamp in find_stamps(str(text))] for place, found in texts.items()}


each_file = pytest.mark.parametrize("name", [*SAMPLES, "alle_typer"])


@each_file
def test_every_answer_is_the_same_after_libreoffice(trips: dict[str, Trip], name: str) -> None:
    trip = trips[name]

    assert answers(trip.after) == answers(trip.before)


@each_file
def test_the_identity_is_whole_after_libreoffice(trips: dict[str, Trip], name: str) -> None:
    trip = trips[name]

    assert (trip.after.report, trip.after.recipient) == (trip.before.report, trip.before.recipient)
    assert (trip.after.form, trip.after.version) == (trip.before.form, trip.before.version)
    assert stamps(trip.saved) == stamps(trip.sent)
    assert all(stamps(trip.saved).values())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_clean_report_is_accepted_after_libreoffice(trips: dict[str, Trip], name: str) -> None:
    verdict = trips[name].verdict

    assert (verdict.outcome, verdict.findings) == ("accepted", ())


def test_what_was_written_of_every_type_is_what_is_read_after_libreoffice(trips: dict[str, Trip]) -> None:
    sheets = trips["alle_typer"].after.sheets

    [read] = sheets["svar"].rows
    assert {key: read.answers[key].value for key in ANSWERS["svar"]} == ANSWERS["svar"]
    first = TYPES.layout["rader"].first_row
    written = {first + number: line for number, line in enumerate(ANSWERS["rader"]) if line}
    assert {
        row.number: {key: row.answers[key].value for key in written[row.number]} for row in sheets["rader"].rows
    } == written
    for row in sheets["rutenett"].rows:
        line = ANSWERS["rutenett"].get(row.key, {})
        assert {key: row.answers[key].value for key in line} == line


def test_what_follows_from_the_answers_is_ours_after_libreoffice(trips: dict[str, Trip]) -> None:
    sheets = trips["alle_typer"].after.sheets
    known, changed = sheets["rader"].rows[-2:]

    fetched = ("enhet_nr", "enhet_gruppe", "sted", "stedsnavn")
    assert [known.answers[key].value for key in fetched] == ["974760673", "VAD", "3203", "Asker"]
    assert [changed.answers[key].value for key in fetched] == ["974760673", "VAD", "3301", "Drammen"]
    sums = {row.key: row.answers for row in sheets["rutenett"].rows}
    assert {key: sums["SUM"][key].value for key in ("forste", "andre", "heltall", "sum")} == {
        "forste": 1_000_000, "andre": 42, "heltall": -2, "sum": 1_000_042,
    }  # fmt: skip
    assert "prosent" not in sums["SUM"]


def test_nothing_was_hard_to_read_after_libreoffice(trips: dict[str, Trip]) -> None:
    for name, trip in trips.items():
        for sheet in trip.after.sheets.values():
            for row in sheet.rows:
                notes = {key: (a.problem, a.note) for key, a in row.answers.items() if a.problem or a.note}
                assert not notes, (name, sheet.name, row.number)
