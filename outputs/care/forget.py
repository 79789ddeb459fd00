"""Contact persons removed from the register after the round: who did it, when and why stays; the persons do not.

The answers that name them, the senders of files, the addresses of letters, and every finding and note that
repeats any of it are emptied in the log, by the one way its triggers leave open. The current state
is made again from what is left. The archived originals are kept, as the law on archives asks;
for what else lies in the round's folder see `outputs.care.forget_files`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, select, update

from intake.personal import names_a_person
from intake.submission import Answer, Submission
from outputs.care.forget_files import STAYS, copies, empty_recipients
from outputs.exports.reporting import mark
from outputs.register.letter_states import HELD, QUEUED, SENDING
from outputs.register.log import (
    FINDING_FIELDS,
    exported,
    failures,
    findings,
    forgettings,
    letter_events,
    letters,
    origins,
    retimed_findings,
    retimings,
    returns,
    review_findings,
    reviews,
    submissions,
)
from outputs.register.prepared import dump_submission, load_submission
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.form import Form
from templates.round import Round

GONE = "…"  # stands where a text named somebody
SHORTEST = 3  # characters of a text that tells somebody; fewer say nothing alone
ADDRESS = re.compile(r"[^\s<>«»,;:]+@[^\s<>«»,;:]+")


@dataclass(frozen=True)
class Forgetting:
    """Who wants contact persons removed, when and why."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Forgotten:
    """What was removed: rows of the log by kind, and files of the round."""

    counts: dict[str, int]
    files: tuple[Path, ...]

    @property
    def anything(self) -> bool:
        return any(self.counts.values()) or bool(self.files)

    def json(self, *, dry: bool) -> dict[str, Any]:
        return {"dry_run": dry, "removed": self.counts, "files": [path.as_posix() for path in self.files]}


def forget(round_: Round, register: Register, wish: Forgetting, *, dry: bool = False) -> Forgotten:
    """Remove contact persons from the register and from what was made of it. Raises RefusalError."""
    _refuse_too_early(round_, register, wish)
    files = tuple(copies(round_))
    with register.tried() if dry else register.writing() as connection:
        counts = _Eraser(connection, register.form, wish).erase()
        if any(counts.values()):
            register.rebuild()
            register.refresh([], wish.at, "forget")
    counts["recipients"] = empty_recipients(round_, dry=dry)
    if not dry:
        for path in files:
            path.unlink()
        register.database.scrub()
    return Forgotten(counts, tuple(path.relative_to(round_.folder) for path in files))


def _refuse_too_early(round_: Round, register: Register, wish: Forgetting) -> None:
    for option, words in (("--by", wish.by), ("--reason", wish.reason)):
        if not words.strip():
            raise RefusalError(f"say {option}: who has contact persons removed, and why, stays in the register")
    if wish.at <= round_.form.deadline:
        raise RefusalError("the deadline has not passed; contact persons are needed for as long as the round lasts")
    waiting = len(register.status_counts()["need_a_person"])
    if waiting:
        raise RefusalError(f"{waiting} files wait for a person; decide on them first: behov status")
    with register.reading() as connection:
        query = select(letters.c.id).where(letters.c.state.in_((QUEUED, HELD, SENDING)))
        unsent = len(connection.scalars(query).all())
    if unsent and round_.settings.mail.host:
        raise RefusalError(f"{unsent} letters wait to be sent; send or discard them first: behov outbox")


class _Eraser:
    """Empties what names persons, inside one transaction."""

    def __init__(self, connection: Connection, form: Form, wish: Forgetting) -> None:
        self.connection = connection
        self.personal = {(sheet, question.key) for sheet, question in form.questions() if names_a_person(question)}
        self.texts: dict[str, set[str]] = {}  # what names somebody, by the SHA-256 of the file that says it
        self.files: dict[str, list[str]] = {}  # by report
        row = {"by": wish.by, "reason": wish.reason, "at": wish.at}
        self.number = connection.scalar(insert(forgettings).values(row).returning(forgettings.c.id))

    def erase(self) -> dict[str, int]:
        """Empty everything; gives how many rows of each kind were."""
        return {
            "answers": self._answers(),
            "senders": sum(map(self._senders, (returns, failures, origins, retimings))),
            "findings": sum(map(self._findings, (findings, retimed_findings, review_findings))),
            "letters": self._letters(),
            "exports": self._exports(),
        }

    def _answers(self) -> int:
        changed = 0
        column = submissions.c
        for row in self.connection.execute(select(column.sha256, column.report, column.answers)).all():
            self.files.setdefault(row.report, []).append(row.sha256)
            before = load_submission(row.answers)
            after = self._without(before)
            if after != before:
                self._change(submissions, {"sha256": row.sha256}, {"answers": dump_submission(after)})
                changed += 1
        return changed

    def _without(self, submission: Submission) -> Submission:
        """Take the personal answers and the sender out, and remember what they said."""
        said = self.texts.setdefault(submission.source.sha256, set())
        sheets = {}
        for key, sheet in submission.sheets.items():
            rows = []
            for row in sheet.rows:
                named = {
                    question: row.answers[question] for question in row.answers if (key, question) in self.personal
                }
                said.update(text for answer in named.values() for text in _texts(answer))
                kept = {question: answer for question, answer in row.answers.items() if question not in named}
                rows.append(replace(row, answers=kept))
            sheets[key] = replace(sheet, rows=tuple(rows))
        return replace(submission, source=replace(submission.source, sender=None), sheets=sheets)

    def _senders(self, table: Table) -> int:
        """Take away from whom files came, and the subjects they wrote."""
        columns = [table.c[name] for name in ("sender", "subject") if name in table.c]
        changed = 0
        for row in self.connection.execute(select(*table.primary_key, table.c.sha256, *columns)).mappings().all():
            said = [row[column.name] for column in columns if row[column.name]]
            if said:
                self.texts.setdefault(row["sha256"], set()).update(filter(None, [row["sender"]]))
                where = {column.name: row[column.name] for column in table.primary_key}
                self._change(table, where, {column.name: None for column in columns})
                changed += 1
        return changed

    def _findings(self, table: Table) -> int:
        """Empty what findings repeat of personal answers."""
        changed = 0
        asked = {question for _, question in self.personal}
        for sha256, row in list(self._found(table)):
            hidden = _hider(self.texts.get(sha256, ()))
            told = {name: _hide(row[name], hidden) for name in FINDING_FIELDS}
            if asked & set(row["questions"]):
                told["written"] = ""
            changes = {name: value for name, value in told.items() if value != row[name]}
            if changes:
                self._change(table, {column.name: row[column.name] for column in table.primary_key}, changes)
                changed += 1
        return changed

    def _found(self, table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
        """Read findings with the SHA-256 of the file that they are about."""
        query = select(table)
        if table is retimed_findings:
            query = query.add_columns(retimings.c.sha256).join(retimings, retimings.c.id == table.c.retiming)
        elif table is review_findings:
            query = query.add_columns(reviews.c.sha256).join(reviews, reviews.c.id == table.c.review)
        for row in self.connection.execute(query).mappings().all():
            yield row["sha256"], dict(row)

    def _letters(self) -> int:
        """Take addresses away from letters and from what was logged of them."""
        changed = 0
        for row in self.connection.execute(select(letters.c.id, letters.c.to)).all():
            if row.to:
                self._change(letters, {"id": row.id}, {"to": []})
                changed += 1
        for row in self.connection.execute(select(letter_events.c.id, letter_events.c.note)).all():
            if ADDRESS.search(row.note):
                self._change(letter_events, {"id": row.id}, {"note": ADDRESS.sub(GONE, row.note)})
        return changed

    def _exports(self) -> int:
        """Empty what was logged of what exports said."""
        changed = 0
        for row in self.connection.execute(select(exported)).mappings().all():
            texts = {text for sha256 in self.files.get(row["report"], ()) for text in self.texts.get(sha256, ())}
            shown = _hide(row["shown"], _hider(texts | set(map(mark, texts))))
            if shown != row["shown"]:
                where = {column.name: row[column.name] for column in exported.primary_key}
                self._change(exported, where, {"shown": shown})
                changed += 1
        return changed

    def _change(self, table: Table, where: dict[str, Any], changes: dict[str, Any]) -> None:
        """Change a row the one way that is open: it names the record of who had it forgotten."""
        condition = and_(*(table.c[name] == value for name, value in where.items()))
        self.connection.execute(update(table).where(condition).values(**changes, forgotten=self.number))


def _texts(answer: Answer) -> Iterator[str]:
    yield from (text for text in (str(answer.value or ""), answer.raw.strip()) if len(text) >= SHORTEST)


def _hider(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Find any of the texts as words of their own, the longest first."""
    longest = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)") if longest else None


def _hide(value: Any, hidden: re.Pattern[str] | None) -> Any:  # noqa: ANN401 - a JSON value
    if hidden is None:
        return value
    if isinstance(value, str):
        return hidden.sub(GONE, value)
    if isinstance(value, dict):
        return {key: _hide(inner, hidden) for key, inner in value.items()}
    return [_hide(inner, hidden) for inner in value] if isinstance(value, list) else value


# for the terminal


def _named(files: tuple[Path, ...]) -> str:
    """Name the folders of files, with how many there are in each, and files by themselves."""
    folders = Counter(f"{path.parts[0]}/" if len(path.parts) > 1 else path.name for path in files)
    return ", ".join(f"{name} ({count})" if name.endswith("/") else name for name, count in folders.items())


def forgotten_lines(done: Forgotten, *, dry: bool) -> Iterator[str]:
    if not done.anything:
        yield "The round names no contact persons."
        return
    would = "would be emptied" if dry else "are emptied"
    counts = done.counts
    yield (
        f"Contact persons {would} in {counts['answers']} versions, {counts['findings']} findings, "
        f"{counts['senders']} senders, {counts['letters']} letters and {counts['recipients']} recipients."
    )
    if done.files:
        yield f"{'To be removed' if dry else 'Removed'}: {_named(done.files)}"
    yield f"They still stand in {STAYS}: remove those by hand when the law lets you."
