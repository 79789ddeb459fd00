"""What comes of a file that a rule on files is about: how it is read, whom it came from, what else stands in it."""

import copy
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from openpyxl import load_workbook
from openpyxl.comments import Comment

from intake.sample import Mistake
from intake.submission import Refused, Submission
from outputs.register.register import Register
from templates.fill import write_cells
from tests.reports import CLEAN, DESK, FORM, LANGUAGES, filled, new_owner, report, rewritten
from validation.check import judge
from validation.verdict import Verdict

NOW = datetime(2024, 3, 1, 9, tzinfo=UTC)
SAMPLE = "rek_privat"
MAIN, UNITS, BUDGET = (FORM.sheets[key].label[LANGUAGES[0]] for key in ("skjema", "virksomheter", "budsjett"))
LONG = "Vi har skrevet mer om dette i vedlegget, som gjelder 158195 67872 og noen til."


@dataclass(frozen=True)
class FileCase:
    rule: str
    done: str
    verdict: Verdict
    reason: str = ""  # its code, where the file is not taken or does not count


@cache
def file_cases() -> tuple[FileCase, ...]:
    """A case for every rule that gives no finding, or speaks of the file rather than its answers."""
    made = list(_returns())
    verdicts = judge([received for _, _, received in made], FORM)
    single = (
        FileCase(rule, done, verdict, received.reason if isinstance(received, Refused) else "")
        for (rule, done, received), verdict in zip(made, verdicts, strict=True)
    )
    return (*single, *_versions())


def _returns() -> Iterator[tuple[str, str, Submission | Refused]]:
    yield "P24", f"{SAMPLE} in bokmål that asks for a reply in nynorsk", _changed("skjema.malform", "nn")
    yield "C01", "a PDF under the name of a workbook", _taken_in(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
    yield "C02", f"{SAMPLE} with a macro in it", _taken_in(_with_macro())
    yield "C03", f"{SAMPLE} in a workbook of 2023", _taken_in(_of_last_year())
    yield "C04", f"{SAMPLE} with a label rewritten", _taken_in(_with_another_label())
    yield "C05", f"{SAMPLE} with 7 in a cell that has a sum", _changed("budsjett.SUM_TILSKUDD.y2024", 7)
    yield "C04.fane", f"{SAMPLE} with a tab renamed", _taken_in(_with_another_tab())
    yield "C28", f"{SAMPLE} with a note to the right of a table", _noted(UNITS, M7="Ring meg om denne")
    yield "C28", f"{SAMPLE} with notes below the budget", _noted(BUDGET, B19="Sum i fjor", C19=40_000.0, G25="?")
    yield "C28", f"{SAMPLE} with notes beside and below the questions", _noted(MAIN, H12="Se brevet", C90=LONG)
    yield "C28.skjult", f"{SAMPLE} with the first row of each table hidden", _with_hidden_rows()
    yield "C28.skjult_fane", f"{SAMPLE} with the tab of the partners hidden", _with_hidden_tab()
    yield "C28.slatt_sammen", f"{SAMPLE} with two cells of each table merged", _with_merged_cells()
    yield "C28.kommentar", f"{SAMPLE} with a note on an answer", _with_note()
    yield "C30", f"{SAMPLE} sent by somebody else than the contact person", _from_somebody_else()


def _with_another_tab() -> bytes:
    """A tab renamed as a spreadsheet does: formulas and names follow, texts do not."""
    return rewritten(_filled(), UNITS.encode() + b"(?=[\"'!])", b"Barnehager")


def _changed(path: str, value: object) -> Submission:
    return report(SAMPLE, LANGUAGES[0], Mistake("", SAMPLE, {path: value}))


def _noted(tab: str, **cells: str | float) -> Submission | Refused:
    """What comes of the filled-in workbook with something more written in it."""
    return _taken_in(write_cells(_filled(), {tab: cells}))


def _with_hidden_rows() -> Submission | Refused:
    return _taken_in(rewritten(_filled(), b'<row r="7"', b'<row r="7" hidden="1"'))


def _with_hidden_tab() -> Submission | Refused:
    return _taken_in(rewritten(_filled(), b'<sheet name="Partnere"', b'<sheet name="Partnere" state="hidden"'))


def _with_merged_cells() -> Submission | Refused:
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="E7:E8"/></mergeCells>'
    return _taken_in(rewritten(_filled(), b"</sheetData>", merged))


def _with_note() -> Submission | Refused:
    book = load_workbook(io.BytesIO(_filled()))
    book[MAIN][f"C{DESK.layout['skjema'].rows['mal']}"].comment = Comment("Gjelder dette ansatte også?", "Kari")
    buffer = io.BytesIO()
    book.save(buffer)
    return _taken_in(buffer.getvalue())


def _from_somebody_else() -> Submission:
    submission = report(SAMPLE, LANGUAGES[0])
    return replace(submission, source=replace(submission.source, sender="noen.andre@example.org"))


def _taken_in(content: bytes) -> Submission | Refused:
    with TemporaryDirectory() as folder:
        return DESK.take_in(Path(folder) / "melding.xlsx", content)


def _filled() -> bytes:
    DESK.begin_again()
    return filled(CLEAN[SAMPLE], new_owner(CLEAN[SAMPLE]), [])


def _with_macro() -> bytes:
    buffer = io.BytesIO(_filled())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    return buffer.getvalue()


def _of_last_year() -> bytes:
    desk = copy.copy(DESK)
    desk.form = replace(FORM, file=FORM.file.model_copy(update={"version": "2023.1"}))
    DESK.begin_again()
    return desk.fill_sample(CLEAN[SAMPLE], new_owner(CLEAN[SAMPLE]), [])


def _with_another_label() -> bytes:
    return rewritten(_filled(), FORM.question("skjema.tiltak_tema").label["nb"].encode(), b"Tema")


# versions of one report


def _versions() -> Iterator[FileCase]:
    first, again, newer = _merged(DESK.in_time + timedelta(days=1))
    late = _merged(FORM.deadline + timedelta(days=1))[2]
    yield FileCase("C20", f"{SAMPLE} received twice: the second file", again, "reason_duplicate")
    yield FileCase(
        "C21", f"{SAMPLE}, and the next day with another title: the first version", first, "reason_superseded"
    )
    yield FileCase("C21", f"{SAMPLE}, and the next day with another title: the second version", newer)
    yield FileCase(
        "C22", f"{SAMPLE}, and after the deadline with another title: the second version", late, "late_by_guess"
    )


def _merged(received: datetime) -> Sequence[Verdict]:
    """A report, the same file again, and another version of it received then, as one batch in the register."""
    first = report(SAMPLE, LANGUAGES[0])
    title = Mistake("", SAMPLE, {"skjema.tiltak_tittel": "Lek"}, received=received.strftime("%Y-%m-%dT%H:%M:%S"))
    again = replace(first, source=replace(first.source, path=Path("z.xlsx")))
    with TemporaryDirectory() as folder:
        register = Register.open(Path(folder) / "register.db", FORM)
        merged = register.merge(judge([first, again, report(SAMPLE, LANGUAGES[0], title)], FORM), NOW)
        register.engine.dispose()
    return merged
