"""Letters with marked workbooks against openpyxl: load the owner's workbook, mark it and save it.

`python -m bench.letters [LETTERS]` prints milliseconds of CPU for each, the ratios, and the memory that was used. All
take turns, so that a busy machine slows them alike. A letter is drafted, laid out with its workbook, and written to a
file as the outbox does. openpyxl only gets the workbook, and marks the same cells: border, shade, note, list.
"""

import io
import resource
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Border, PatternFill, Side

from bench.stamp import Clock
from outputs.letters.feedback import Attachment, draft_letter
from outputs.letters.message import write_message
from outputs.letters.received import Received
from outputs.marked.marked import Marked, Marker
from templates.recipients import Recipient
from tests.desk import KEY, SENDER
from tests.reports import DESK, FORM, MISTAKES, filled, new_owner
from validation.check import judge
from validation.findings import Finding
from validation.verdict import Verdict

REPORTS = 12  # different ones, which letters are about in turn
EVERY = 25  # letters for each workbook that openpyxl marks
EDGE = Side(style="medium", color="FF9C0006")
MARK = Border(left=EDGE, right=EDGE, top=EDGE, bottom=EDGE)
SHADE = PatternFill("solid", start_color="FFFBE0DC", end_color="FFFBE0DC")


def reports() -> list[tuple[bytes, Verdict, Recipient]]:
    """Filled-in workbooks that must be corrected, what was found in them, and whose they are."""
    found: list[tuple[bytes, Verdict, Recipient]] = []
    with TemporaryDirectory() as folder:
        for mistake in MISTAKES:
            if len(found) == REPORTS:
                break
            sample = DESK.samples.clean[mistake.sample]
            owner = new_owner(sample)
            workbook = filled(sample, owner, [DESK.owner_for(sample) for _ in range(3)], mistake)
            verdict = judge([DESK.take_in(Path(folder) / "svar.xlsx", workbook)], FORM)[0]
            if verdict.outcome == "needs_correction":
                found.append((workbook, verdict, owner))
    return found


def write_letter(marker: Marker, verdict: Verdict, owner: Recipient, path: Path) -> Marked:
    """One letter with its workbook, from what the register holds to the file in the outbox."""
    assert verdict.submission is not None
    made = marker.mark(verdict.submission, verdict.findings, owner)
    today = FORM.deadline + timedelta(days=2)
    about = Received(
        verdict.source.sha256,
        verdict.outcome,
        verdict.source.received,
        verdict.source.name,
        verdict.report,
        findings=made.findings,
        marked=made.name,
    )
    letter = draft_letter(FORM, SENDER, replace(owner, email="post@eier.example"), [about], today.date())
    message = write_message(letter, SENDER, today, [Attachment(made.name, made.content)])
    path.write_bytes(message.as_bytes())
    return made


def mark_by_openpyxl(workbook: bytes, findings: tuple[Finding, ...]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    listed = book.create_sheet("Merknader")
    for finding in findings:
        listed.append([finding.sheet, " ".join(finding.cells), finding.message["nb"]])
        for cells in finding.cells:
            found = book[finding.sheet][cells]
            for cell in (one for row in found for one in row) if isinstance(found, tuple) else [found]:
                cell.border, cell.fill = MARK, SHADE
                cell.comment = Comment(finding.message["nb"], SENDER.name)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def peak() -> int:
    """The most memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    about, marker = reports(), Marker(FORM, SENDER, KEY)
    letters, marking, editing = Clock(), Clock(), Clock()
    with TemporaryDirectory() as folder:
        outbox = Path(folder)
        for workbook, verdict, owner in about:  # first, what is built once
            write_letter(marker, verdict, owner, outbox / "first.eml")
            mark_by_openpyxl(workbook, verdict.findings)
        start = middle = peak()
        for number in range(count):
            workbook, verdict, owner = about[number % len(about)]
            letters.time(lambda v=verdict, o=owner, n=number: write_letter(marker, v, o, outbox / f"{n}.eml"))  # type: ignore[misc]
            marking.time(lambda v=verdict, o=owner: marker.mark(v.submission, v.findings, o))  # type: ignore[misc]
            if number % EVERY == 0:
                editing.time(lambda w=workbook, v=verdict: mark_by_openpyxl(w, v.findings))  # type: ignore[misc]
            if number == count // 2:
                middle = peak()
    lines = [
        f"marked workbook       {marking.each:8.1f} ms  ({marking.made} workbooks)",
        f"letter and workbook   {letters.each:8.1f} ms  ({letters.made} letters)",
        f"openpyxl              {editing.each:8.1f} ms  ({editing.made} workbooks)",
        f"openpyxl takes {editing.each / marking.each:.1f} times as much as the workbook",
        f"openpyxl takes {editing.each / letters.each:.1f} times as much as the letter and its workbook",
        f"most memory: {start} MB before, {middle} MB half way, {peak()} MB after",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
