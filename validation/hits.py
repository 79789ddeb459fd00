"""What a check outside the rule language finds: a row of a submission, its marked answers and the words to say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from intake.submission import Row, Submission, Value

Given = Mapping[str, str]
"""The answers a rule names for its check: the check's own word for it to `sheet.question`."""


@dataclass(frozen=True)
class Hit:
    """One thing found in the submission with this number."""

    number: int
    row: Row
    marks: tuple[str, ...]  # sheet.question
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """One thing found in a file rather than in its answers: the words to say, and the cells where there are any.

    Words that differ by language end in its code: `felt.nn`.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""  # its key
    cells: tuple[str, ...] = ()
    written: str = ""


Found = Iterator[Hit]
Numbered = list[tuple[int, Submission]]
Check = Callable[[Numbered, Given], Found]


def answers(submission: Submission, path: str) -> list[tuple[Row, Value]]:
    """Every usable answer to `sheet.question`, with its row."""
    sheet, _, key = path.partition(".")
    written = [(row, row.answers.get(key)) for row in submission.sheets[sheet].rows]
    return [(row, one.value) for row, one in written if one is not None and one.problem is None]


def text(submission: Submission, path: str) -> str:
    """The first answer to a question as text; empty when there is none."""
    return next((str(value) for _, value in answers(submission, path) if value is not None), "")


def only_row(submission: Submission, path: str) -> Row:
    """The row that an answer on a question sheet stands in."""
    return submission.sheets[path.partition(".")[0]].rows[0]
