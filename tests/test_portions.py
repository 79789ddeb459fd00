"""More files than are held at once: taken in some at a time, they end as they would together."""

import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from intake.receive import Office, receive_here
from intake.submission import Submission
from outputs import ingest as batch
from outputs.checking import office_of
from outputs.mailing.outbox import make_letters
from outputs.progress import silent
from outputs.register.prepared import Preparer
from outputs.register.register import Register
from outputs.telling import summary
from templates.round import Round
from tests.test_loop import PLAN, PLANTS, Club
from tests.test_two_at_once import filled
from validation.verdict import Verdict

__all__ = ["filled"]  # the round of that test: four reports, each of them twice

Told = list[tuple[str, str, str | None]]


def told(verdicts: Sequence[Verdict]) -> Told:
    return [(verdict.source.name, verdict.outcome, verdict.report) for verdict in verdicts]


def take_in(
    club: Club, folder: Path, *, answers: bool = False, dry: bool = False
) -> tuple[list[Verdict], list[dict[str, object]]]:
    shutil.copytree(club.folder, folder)
    round_ = Round(folder)
    now = datetime.now(round_.form.zone)
    verdicts = batch.ingest(round_, [], now, silent, workers=1, answers=answers, dry=dry)
    return verdicts, [dict(row) for row in Register.of(round_).reports()]


def test_files_taken_in_some_at_a_time_end_as_they_would_together(
    filled: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(iter(filled.round.sent()))
    newer = filled.answer(first, PLAN | {"budsjett": 900}, PLANTS, "å en nyere.xlsx")  # the last, so in another portion
    filled.put(newer.name, newer.read_bytes(), date(2030, 3, 2))
    together, reports = take_in(filled, tmp_path / "sammen")
    assert sorted({verdict.outcome for verdict in together}) == ["accepted", "duplicate", "superseded"]

    monkeypatch.setattr(batch, "AT_ONCE", 2)
    apart, same = take_in(filled, tmp_path / "hver for seg")
    whole, _ = take_in(filled, tmp_path / "med svar", answers=True)
    tried, _ = take_in(filled, tmp_path / "prøvd", dry=True)

    assert told(apart) == told(together) == told(whole) == told(tried)
    assert same == reports
    assert not any(verdict.submission.sheets for verdict in apart if verdict.submission)
    assert all(verdict.submission.sheets for verdict in whole if verdict.submission)


class KilledError(BaseException):
    """The run is cut off here."""


def test_a_run_that_was_cut_off_is_gone_on_with_and_told_apart_from_files_that_came_twice(
    filled: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, reports = take_in(filled, tmp_path / "uten avbrudd")
    shutil.copytree(filled.folder, tmp_path / "avbrutt")
    round_ = Round(tmp_path / "avbrutt")
    now = datetime.now(round_.form.zone)
    monkeypatch.setattr(batch, "AT_ONCE", 3)
    merge = Register.merge

    def cut_off(register: Register, verdicts: Sequence[Verdict], now: datetime, *, keep: bool = True) -> list[Verdict]:
        if len(register.files()) > 0:
            raise KilledError
        return merge(register, verdicts, now, keep=keep)

    monkeypatch.setattr(Register, "merge", cut_off)
    with pytest.raises(KilledError):
        batch.ingest(round_, [], now, silent, workers=1)
    monkeypatch.setattr(Register, "merge", merge)
    resumed = batch.ingest(round_, [], now, silent, workers=1)

    known = [one for one in resumed if one.is_known]
    assert [(one.outcome, one.reason["nn"]) for one in known] == [
        ("duplicate", "Fila er registrert i ei tidlegare køyring.")
    ] * 3
    assert told(resumed)[3:] == told(whole)[3:]
    lines = [" ".join(line.split()) for line in summary(resumed, round_.form)]
    assert {"same file again 4", "registered by an earlier run 3"} < set(lines)
    register = Register.of(round_)
    assert [dict(row) for row in register.reports()] == reports
    letters = make_letters(round_, register, now, silent)
    assert sorted(letter["recipient"] for letter in letters) == sorted(round_.recipients)


def test_answers_come_prepared_from_the_process_that_reads_them(
    filled: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge, prepare = Register.merge, Preparer(filled.round.form)
    sent: Office = pickle.loads(pickle.dumps(replace(office_of(filled.round), prepare=prepare)))  # noqa: S301 - ours
    came: list[Submission] = []

    def seen(register: Register, verdicts: Sequence[Verdict], now: datetime, *, keep: bool = True) -> list[Verdict]:
        came.extend(verdict.submission for verdict in verdicts if verdict.submission)
        return merge(register, verdicts, now, keep=keep)

    monkeypatch.setattr(Register, "merge", seen)
    take_in(filled, tmp_path / "runde")

    assert came
    for submission in came:
        read = receive_here(submission.source, sent)
        assert isinstance(read, Submission)
        assert read.prepared == submission.prepared == prepare(replace(submission, prepared=None))
        assert submission.with_sheets({}).prepared is None
