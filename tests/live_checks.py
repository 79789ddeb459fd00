"""The live checks of a workbook against the pipeline's: generated answers, LibreOffice, both verdicts.

`python -m tests.live_checks 400` compares that many workbooks; the tests take a few.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from python_calamine import CalamineWorkbook

from intake.submission import Submission
from templates.cells import column_number
from templates.form import NUMERIC, GridSheet, Question, QuestionSheet
from templates.layout import RULES_SHEET
from templates.live.items import TOP, Cause, Item, Live
from templates.live.live import make_live
from templates.recipients import Recipient
from templates.rules.predicate import Answer, Column, GridCell, GridLine, Node, TableRows
from templates.texts import workbook_texts
from tests.conftest import Office, office
from tests.desk import Desk
from validation import check
from validation.findings import Finding

Verdict = tuple[str, str, str, int]  # rule with its part, sheet, question, row of a table or grid
NUMBER_TEXTS = ("12", "-3", "1 200", "1.500", "1,500", "2,5", "2.5", "kr 500,-", "ca. 30", "0", "1,25 mill", "12,00",
                "007", "-", ",5", "5,", "1e3", "50 %", "12.345,6")  # fmt: skip
DATE_TEXTS = ("15.08.2024", "1.9.2025", "2024-08-15", "31.02.2024", "2025-02-29", "01/02/2024", "13/02/2024",
              "5/5/2024", "august 2024", "15. august 2024", "1.1.24", "01-02-24", "2024-8-15", "32.1.2024",
              "1/2-24")  # fmt: skip
EMAILS = ("a@b.no", "a.b+c@d-e.co.uk", "a@b", "a b@c.no", "a..b@c.no", "@c.no", "a@c.n", "æ@ø.no", "a@-c.no", "a@c.no.",
          "a@b@c.no", "mailto:a@b.no", "navn", "a_b@c_d.no", "a@c.n0")  # fmt: skip
PHONES = (
    "22 00 00 01",
    "+47 22000001",
    "004722000001",
    "4722000001",
    "12345678",
    "2200000",
    "(22) 00-00-01",
    "ring meg",
)
ORGNRS = ("123456785", "123 456 785", "NO 123 456 785 MVA", "123456789", "12345678", "1234567850", "abc", "974760673",
          "974.760.673")  # fmt: skip
KOMMUNENRS = ("0301", "301", "3203", "32 03", "3205", "9999", "219", "1507", "abc", "*", "03?1", "4601", "3101")
AT_ONCE = 60  # workbooks; LibreOffice stops after some 250
CODE = re.compile("[!+-][0-9]{3}[^!+-]*")
YES_NO = ("Ja", "Nei", "ja", "JA ", "kanskje", "x", " Ja")
TEXTS = ("Ask", " Ask  og Embla ", "x", "*", "0047", "æøå «»")


@dataclass(frozen=True)
class Case:
    """One filled workbook and what both said of it."""

    path: Path
    answers: dict[str, Any]
    owner: Recipient


@dataclass
class Compared:
    verdicts: int = 0
    messages: int = 0
    judged: Counter[str] = field(default_factory=Counter)  # times each rule was found broken
    differences: list[str] = field(default_factory=list)


# generated answers


class Generator:
    """Answers of every kind, from those of the clean samples."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = Random(seed)  # noqa: S311 - repeatable, no secret
        self.samples = list(desk.samples.clean.values())
        self.mistakes = desk.samples.mistakes

    def case(self, number: int, folder: Path) -> Case:
        desk, chance = self.desk, self.random
        mistake = None if number % 2 else self.mistakes[number // 2 % len(self.mistakes)]
        sample = desk.samples.clean[mistake.sample] if mistake else chance.choice(self.samples)
        language = chance.choice(desk.form.languages)
        owner = desk.owner_for(sample, language=language)
        others = [desk.owner_for(other) for other in (sample, sample, sample)]
        answers = desk.fill_in(sample, owner, others, mistake)
        for _ in range(chance.choice((1, 3, 8, 20, 40))):
            self.change(answers)
        path = folder / f"{number}.xlsx"
        path.write_bytes(desk.fill(answers, owner))
        return Case(path, answers, owner)

    def change(self, answers: dict[str, Any]) -> None:
        sheet = self.random.choice(list(self.desk.form.sheets.values()))
        key = self.random.choice([key for key, question in sheet.questions.items() if not question.calculated])
        value = self.value(sheet.questions[key])
        if sheet.questions[key].locked:
            return  # what we filled in ourselves and has been changed goes to a person, whatever the answers
        if isinstance(sheet, QuestionSheet):
            answers.setdefault(sheet.key, {})[key] = value
        elif isinstance(sheet, GridSheet):
            rows = [row for row, line in sheet.rows.items() if not line.sum_of]
            answers.setdefault(sheet.key, {}).setdefault(self.random.choice(rows), {})[key] = value
        else:
            rows = answers.setdefault(sheet.key, [])
            if not rows or self.random.random() < 0.2:
                rows.append(dict(self.random.choice(rows)) if rows else {})
            self.random.choice(rows)[key] = value

    def value(self, question: Question) -> Any:  # noqa: ANN401 - any answer
        chance = self.random
        if chance.random() < 0.2:
            return ""
        if question.type in NUMERIC:
            return chance.choice((0, 1, -1, 2.5, 100, 250_000, 10**12, chance.choice(NUMBER_TEXTS)))
        if question.type == "date":
            day = date(2023, 1, 1) + timedelta(days=chance.randrange(1600))
            return chance.choice((day, day, date(2024, 8, 1), date(2024, 7, 31), chance.choice(DATE_TEXTS)))
        if question.type == "choice":
            options = self.desk.form.question_options(question)
            code, labels = chance.choice(list(options.items()))
            return chance.choice(
                (code, code, labels["nn"], labels["nb"], labels["nb"].upper(), f" {labels['nb']} ", "?")
            )
        known = {"email": EMAILS, "phone": PHONES, "orgnr": ORGNRS, "kommunenr": KOMMUNENRS, "yesno": YES_NO}
        if question.max_length and chance.random() < 0.3:
            return "å \n" * (question.max_length // 3 + chance.choice((-1, 0, 1))) + "b" * chance.randrange(4)
        return chance.choice(known.get(question.type, TEXTS))


# what the pipeline says


Told = dict[Verdict, set[str]]
"""What is broken, with the words of it."""


def judged_by_pipeline(desk: Desk, submissions: Sequence[Submission]) -> list[Told]:
    all_told: list[Told] = []
    for submission, findings in zip(submissions, check.find(desk.form, submissions), strict=True):
        told: Told = {}
        for finding in findings:
            for verdict in _verdicts(desk, submission, finding):
                told.setdefault(verdict, set()).add(finding.message[submission.language])
        all_told.append(told)
    return all_told


def _verdicts(desk: Desk, submission: Submission, finding: Finding) -> Iterator[Verdict]:
    rule = f"{finding.rule}.{finding.part}" if finding.part else finding.rule
    sheet = next((key for key, found in submission.sheets.items() if found.name == finding.sheet), "")
    for question in finding.questions[:1]:
        definition = desk.form.sheets[sheet]
        cells = [cell for item in finding.cells for cell in _single(item)]
        if isinstance(definition, QuestionSheet):
            yield rule, sheet, question, 0
            continue
        column = submission.sheets[sheet].places[question]
        for cell in cells:
            if cell.rstrip("0123456789") == column:
                yield rule, sheet, question, int(cell[len(column) :])


def _single(item: str) -> list[str]:
    first, _, last = item.partition(":")
    column = first.rstrip("0123456789")
    rows = range(int(first[len(column) :]), int((last or first)[len(column) :]) + 1)
    return [f"{column}{row}" for row in rows]


# what the workbook says


class Reader:
    """The findings on `_regler` of a calculated workbook."""

    def __init__(self, desk: Desk, language: str) -> None:
        self.desk = desk
        self.live: Live = make_live(desk.form, language)
        more = workbook_texts().say("more", language, antall="NUMBER")
        self.more = re.compile(re.escape(more).replace("NUMBER", r"\d+") + "$")

    def read(self, path: Path) -> Iterator[tuple[tuple[str, str], Item, int, list[str], str]]:
        """Each row that is judged: its item, its number, the codes found there, the message."""
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(RULES_SHEET).to_python(skip_empty_area=False)
        for place, item in self.live.items.items():
            columns = (column_number(name) - 1 for name in (item.block.found, item.block.message))
            found_at, message_at = columns
            for row in range(item.row, (item.block.last if item.is_table else item.row) + 1):
                cells = rows[row - 1] if row <= len(rows) else []
                found, message = (str(cells[at]) if at < len(cells) else "" for at in (found_at, message_at))
                yield place, item, row, CODE.findall(found), message


# the comparison


def compare(desk: Desk, cases: Sequence[Case], program: Office, folder: Path) -> Compared:
    done = Compared()
    readers = {language: Reader(desk, language) for language in desk.form.languages}
    paths = [case.path for case in cases]
    some = [paths[at : at + AT_ONCE] for at in range(0, len(paths), AT_ONCE)]
    made = [path for few in some for path in program.convert_all(few, "xlsx", folder)]
    now = datetime.now(desk.form.zone)
    taken = [desk.take_in(path, path.read_bytes(), now) for path in made]
    # an owner who writes another owner's number is a matter for a person, and the answers are judged all the same
    read = [one if isinstance(one, Submission) else one.submission for one in taken]
    submissions = [submission for submission in read if submission is not None]
    assert len(submissions) == len(cases), [one for one in taken if not isinstance(one, Submission)]
    told = judged_by_pipeline(desk, submissions)
    for path, submission, expected in zip(made, submissions, told, strict=True):
        _compare_one(readers[submission.language], path, submission, expected, done)
    return done


def _compare_one(reader: Reader, path: Path, submission: Submission, expected: Told, done: Compared) -> None:
    desk = reader.desk
    noted = {
        (sheet, key)
        for sheet, found in submission.sheets.items()
        for row in found.rows
        for key, answer in row.answers.items()
        if answer.note and answer.note != "phone"
    }
    noted |= {
        (sheet, question.key)
        for sheet, question in desk.form.questions()
        for source in (question.fill, question.lookup)
        if source and (sheet, source.key) in noted
    }
    rows = {sheet: {one.number for one in found.rows} for sheet, found in submission.sheets.items()}
    for place, item, row, codes, message in reader.read(path):
        used = not item.is_table or row in rows[place[0]]
        for cause in item.causes:
            if _excused(desk, cause, noted):
                continue
            live = any(other.code in codes for other in item.causes if _is_same(other, cause))
            words = _told(place, row, cause, expected)
            told = bool(words)
            if live and told and codes[0] == cause.code:
                done.messages += 1
                if reader.more.sub("", message) not in words:
                    done.differences.append(f"{path.name} {place} {row} {cause.rule.name}: {message!r} not in {words}")
            done.verdicts += used
            done.judged[cause.rule.name] += live
            if live != told:
                shown = _written(submission, cause, row)
                where = f"{path.name} {place} {row} {cause.kind} {cause.rule.name}"
                done.differences.append(f"{where}: {live=} {told=} {shown}")


def _is_same(one: Cause, other: Cause) -> bool:
    """Whether two causes are told alike: one rule may speak for several readings of a cell."""
    return one.rule is other.rule and one.blame[:1] == other.blame[:1]


def _written(submission: Submission, cause: Cause, row: int) -> list[str]:
    blamed = cause.blame[0]
    rows = submission.sheets[getattr(blamed, "sheet", "")].rows
    answers = [one.answers.get(getattr(blamed, "key", "")) for one in rows if one.number in (0, row)]
    return [answer.raw for answer in answers if answer]


def _told(place: tuple[str, str], row: int, cause: Cause, expected: Told) -> set[str]:
    sheet, key = place
    rule, blamed = cause.rule.name, cause.blame[0]
    if isinstance(blamed, Answer) and blamed.sheet != sheet:  # told on another sheet, once for all rows
        return {words for found, said in expected.items() if found[0] == rule for words in said}
    if key == TOP or isinstance(blamed, GridLine):
        return {words for found, said in expected.items() if found[:2] == (rule, sheet) for words in said}
    question = getattr(blamed, "key", getattr(blamed, "column", ""))
    return expected.get((rule, sheet, question, 0), set()) | expected.get((rule, sheet, question, row), set())


def _excused(desk: Desk, cause: Cause, noted: set[tuple[str, str]]) -> bool:
    """Whether a cause looks at an answer that intake understood with a note."""
    if not noted:
        return False
    return any(place in noted for node in (*cause.tree, *cause.blame) for place in _places(desk, node))


def _places(desk: Desk, node: Node) -> Iterator[tuple[str, str]]:
    match node:
        case Answer(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
            yield sheet, key
            question = desk.form.sheets[sheet].questions[key]
            yield from ((sheet, part) for part in question.sum_of)
        case GridLine(sheet=sheet) | TableRows(sheet=sheet):
            yield from ((sheet, key) for key in desk.form.sheets[sheet].questions)


def unmerged() -> None:
    """Let the pipeline tell every row by itself."""
    check._merged = list  # type: ignore[assignment]  # noqa: SLF001 - one finding a row is easier to compare


def run(desk: Desk, count: int, seed: int, program: Office, folder: Path) -> Compared:
    generator = Generator(desk, seed)
    (folder / "filled").mkdir(parents=True)
    (folder / "done").mkdir()
    cases = [generator.case(number, folder / "filled") for number in range(count)]
    return compare(desk, cases, program, folder / "done")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    unmerged()
    with tempfile.TemporaryDirectory() as folder:
        done = run(Desk.of("behovsmelding-2024"), count, seed, office(Path(folder)), Path(folder))
    never = sorted(rule for rule, times in done.judged.items() if not times)
    counts = f"{done.verdicts} verdicts, {sum(done.judged.values())} of them broken, {done.messages} messages"
    lines = [f"{counts}: {len(done.differences)} differences", *done.differences[:60], f"never broken: {never}"]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(done.differences))


if __name__ == "__main__":
    main()
