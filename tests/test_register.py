import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from intake.submission import Answer, Return, Submission
from outputs.register import register as register_module
from outputs.register.archive import ArchiveError, archive, sweep
from outputs.register.log import (
    APPEND_ONLY,
    arrivals,
    casework,
    decisions,
    exported,
    exports,
    extensions,
    failures,
    finding_row,
    forgettings,
    imports,
    letter_events,
    letter_ids,
    letter_orders,
    letters,
    log,
    retimed_findings,
    retimings,
    returns,
    review_findings,
    reviews,
)
from outputs.register.prepared import Preparer, dump_submission, load_submission
from outputs.register.register import Register
from outputs.register.rows import AT_ONCE
from templates.form import Form
from templates.round import Round
from tests.databases import Places
from tests.made_returns import ERROR, FORM, FULL, LATE_FINDING, REMARK, REPORT, Made, day, make_form
from validation.verdict import Verdict

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
FIRST = Made("first", day(10))
SECOND = Made("second", day(11), "needs_correction", findings=(ERROR, REMARK))
THIRD = Made("third", day(12), "remarks", findings=(REMARK,))
LATE = Made("late", day(3, month=2), "late", findings=(LATE_FINDING, REMARK))
LATER = Made("later", day(4, month=2), "late", findings=(LATE_FINDING, ERROR))


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return make_form(tmp_path / "form")


@pytest.fixture
def register(places: Places, form: Form) -> Register:
    return Register.open(places.place(), form)


def merge(register: Register, *made: Made) -> list[str]:
    return [verdict.outcome for verdict in register.merge([one.verdict() for one in made], NOW)]


def everything(register: Register) -> dict[str, list[tuple[Any, ...]]]:
    """Read all rows of all tables."""
    tables = [*log.sorted_tables, *register.current.metadata.sorted_tables]
    with register.reading() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def current_state(register: Register) -> dict[str, list[tuple[Any, ...]]]:
    names = {table.name for table in register.current.metadata.sorted_tables}
    return {name: rows for name, rows in everything(register).items() if name in names}


# taking in


def test_a_report_has_typed_answers_in_a_table_for_each_form_sheet(register: Register) -> None:
    merge(register, FULL)

    assert register.sheet_rows("lag", [REPORT])[REPORT] == [
        {"report": REPORT, "navn": "Ask båtlag", "slag": "KLUBB", "sted": "3203", "tittel": "first",
         "start": date(2030, 5, 1), "andel": 0.425},
    ]  # fmt: skip
    assert register.sheet_rows("meldinger", [REPORT])[REPORT] == [
        {"report": REPORT, "row": 8, "report_": "Terna", "motor": "SEIL", "lengde": 7.5},
        {"report": REPORT, "row": 9, "report_": "Måka", "motor": "BENSIN", "lengde": 6.0},
    ]
    assert register.sheet_rows("penger", [REPORT])[REPORT] == [
        {"report": REPORT, "row_key": "TOMT", "y2030": 1000},
        {"report": REPORT, "row_key": "BRYGGE", "y2030": 1250000},
    ]


def test_answers_that_came_prepared_are_kept_like_those_that_did_not(places: Places, form: Form) -> None:
    made = (FULL, SECOND, LATE, Made("doubted", outcome="quarantined", report="BAT-0002-1"))
    verdicts = [one.verdict() for one in made]
    prepare = Preparer(form)
    ready = [replace(one, submission=one.submission and one.submission.prepared_by(prepare)) for one in verdicts]
    here, there = (Register.open(places.place(name), form) for name in ("here", "there"))

    assert [one.outcome for one in there.merge(ready, NOW)] == [one.outcome for one in here.merge(verdicts, NOW)]

    assert everything(there) == everything(here)


def test_a_batch_is_taken_in_whole_when_its_rows_need_several_statements(register: Register) -> None:
    many = [Made(f"melding {number}", report=f"BAT-{number:04}-1", table=FULL.table) for number in range(AT_ONCE // 4)]

    merge(register, *many)
    before = everything(register)

    assert [row["title"] for row in register.reports()] == [one.content for one in many]
    boats = register.sheet_rows("meldinger", [one.report for one in many])
    assert [[row["report_"] for row in boats[one.report]] for one in many] == [["Terna", "Måka"]] * len(many)
    assert len(before["arrivals"]) == len(before["origins"]) == len(many)
    assert set(merge(register, *many)) == {"duplicate"}
    assert everything(register) == before


def test_any_sql_tool_finds_the_words_beside_the_codes(register: Register) -> None:
    merge(register, FULL)

    with register.reading() as connection:
        rows = {
            sheet: [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM sheet_{sheet}_labels").mappings()]  # noqa: S608
            for sheet in ("lag", "meldinger", "penger")
        }
        both = connection.exec_driver_sql("SELECT language, label FROM label WHERE code = 'PRIVAT'").all()
    [lag] = rows["lag"]
    assert [lag[name] for name in ("slag", "slag_label", "sted", "sted_label")] == ["KLUBB", "Klubb", "3203", "Asker"]
    assert {(row["motor"], row["motor_label"]) for row in rows["meldinger"]} == {("SEIL", "Seil"), ("BENSIN", "Bensin")}
    assert {(row["row_key"], row["row_key_label"]) for row in rows["penger"]} == {
        ("TOMT", "Tomt"),
        ("BRYGGE", "Brygge"),
    }
    assert {tuple(row) for row in both} == {("nb", "Privat eier"), ("nn", "Privat eigar")}


def test_other_words_in_the_form_stand_in_the_register_at_once(places: Places, tmp_path: Path, form: Form) -> None:
    merge(Register.open(places.place(), form), FULL)

    changed = make_form(tmp_path / "changed", FORM.replace('nb = "Klubb"', 'nb = "Lag eller klubb"'))
    register = Register.open(places.place(), changed)

    with register.reading() as connection:
        assert connection.exec_driver_sql("SELECT slag_label FROM sheet_lag_labels").scalars().all() == [
            "Lag eller klubb"
        ]


def test_a_report_tells_how_it_stands(register: Register) -> None:
    merge(register, FIRST, replace(SECOND, questions={"navn": "Ask båtlag"}))

    [row] = register.reports()
    assert row == {
        "report": REPORT, "recipient": SECOND.recipient, "owner": "Ask båtlag", "title": "second",
        "status": "needs_correction", "sha256": SECOND.source().sha256, "received": SECOND.received,
        "versions": 2, "errors": 1, "remarks": 1, "correction_deadline": None,
    }  # fmt: skip
    assert register.submission(REPORT).source == SECOND.source()
    assert register.findings(REPORT) == (ERROR, REMARK)


def test_the_same_ingest_again_changes_nothing(register: Register) -> None:
    batch = [FULL, SECOND, LATE, replace(FULL, folder="copy")]
    merge(register, *batch)
    before = everything(register)

    assert merge(register, *batch) == ["duplicate"] * 4
    assert everything(register) == before


def test_a_file_seen_in_another_place_is_noted_and_nothing_else(register: Register) -> None:
    merge(register, FULL)
    before = everything(register)
    merge(register, replace(FULL, folder="elsewhere"))
    after = everything(register)

    for table in ("arrivals", "origins"):
        assert len(after.pop(table)) == len(before.pop(table)) + 1
    assert after == before


def test_of_the_same_file_twice_in_a_batch_the_first_received_counts(register: Register) -> None:
    again = replace(FIRST, received=day(20), folder="a")

    assert merge(register, again, FIRST) == ["duplicate", "accepted"]
    assert register.reports()[0]["received"] == FIRST.received
    assert register.status_counts()["returned"] == 1


def test_a_duplicate_says_which_report_it_is_of_and_why(register: Register) -> None:
    merge(register, FIRST)

    elsewhere = replace(FIRST, folder="a").source()
    [verdict, known] = register.merge([Verdict(source, "duplicate") for source in (elsewhere, FIRST.source())], NOW)

    assert (verdict.report, verdict.recipient) == (known.report, known.recipient) == (REPORT, FIRST.recipient)
    assert verdict.reason["nb"] == "Den samme filen er mottatt før. Bare én er registrert."
    assert known.reason["nb"] == "Filen er registrert i en tidligere kjøring."


def test_known_files_are_told(register: Register) -> None:
    merge(register, FIRST)

    known, unknown = FIRST.source().sha256, SECOND.source().sha256
    assert register.known([known, unknown]) == {known}


def test_a_file_that_lies_in_two_places_is_read_where_we_can_and_fails_where_we_cannot(register: Register) -> None:
    elsewhere = replace(FIRST, folder="kopier")
    failed = [Verdict(made.source(), "failed", {"nb": "Feil hos oss."}) for made in (FIRST, elsewhere)]

    assert [verdict.outcome for verdict in register.merge(failed, NOW)] == ["failed", "failed"]
    with register.reading() as connection:
        assert len(connection.execute(select(failures)).all()) == 2

    batch = [failed[0], elsewhere.verdict()]
    assert [verdict.outcome for verdict in register.merge(batch, NOW)] == ["duplicate", "accepted"]


def test_a_file_we_failed_to_read_may_come_again(register: Register) -> None:
    failed = Verdict(FIRST.source(), "failed", {"nb": "Feil hos oss."})
    assert [verdict.outcome for verdict in register.merge([failed], NOW)] == ["failed"]
    assert register.known([FIRST.source().sha256]) == set()
    before = everything(register)
    register.merge([failed], NOW)
    assert everything(register) == before

    assert merge(register, FIRST) == ["accepted"]
    assert register.status_counts()["by_outcome"] == {"accepted": 1}
    assert register.known([FIRST.source().sha256]) == {FIRST.source().sha256}


def test_a_file_name_that_no_encoding_can_write_is_no_obstacle(register: Register) -> None:
    source = Return(Path("inbox/\udcc5s.xlsx"), "f" * 64, day(1))

    register.merge([Verdict(source, "unreadable", {"nb": "Ikke en arbeidsbok."})], NOW)

    assert register.status_counts()["need_a_person"] == [
        {
            "path": "inbox/?s.xlsx",
            "report": None,
            "outcome": "unreadable",
            "reason": "Ikke en arbeidsbok.",
            "command": 'behov decide ffffffffffff reject --reason "…" --by "…"',
        }
    ]


def test_the_status_counts_every_file_as_it_counts_now(register: Register) -> None:
    merge(register, FIRST, LATE)
    merge(register, SECOND)

    assert register.status_counts() == {
        "returned": 3,
        "reports": 1,
        "by_outcome": {"late": 1, "needs_correction": 1, "superseded": 1},
        "need_a_person": [
            {
                "path": str(LATE.source().path),
                "report": REPORT,
                "outcome": "late",
                "reason": "Kom inn etter fristen. En saksbehandler avgjør om filen skal tas med.",
                "command": f'behov decide {REPORT} accept-late --reason "…" --by "…"',
            }
        ],
    }


# versions


def batches(made: Sequence[Made]) -> Iterator[list[Sequence[Made]]]:
    """Split a list into batches in every way."""
    places = range(1, len(made))
    for number in range(len(made)):
        for cuts in combinations(places, number):
            ends = [*cuts, len(made)]
            yield [made[start:end] for start, end in zip([0, *cuts], ends, strict=True)]


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param((FIRST, SECOND, THIRD), id="all in time"),
        pytest.param((FIRST, SECOND, LATE), id="one late"),
        pytest.param((SECOND, LATE, LATER), id="two late"),
        pytest.param((FULL, LATE, replace(FULL, folder="copy")), id="one twice"),
    ],
)
def test_versions_in_any_order_and_any_batches_give_the_same_state(
    tmp_path: Path, form: Form, versions: tuple[Made, ...]
) -> None:
    states = []
    for number, split in enumerate(split for order in permutations(versions) for split in batches(order)):
        register = Register.open(tmp_path / f"{number}.db", form)
        for batch in split:
            merge(register, *batch)
        states.append((current_state(register), register.status_counts()))

    assert len(states) == 24
    assert all(state == states[0] for state in states)


def test_the_newest_version_received_in_time_counts(register: Register) -> None:
    assert merge(register, THIRD, FIRST, SECOND) == ["remarks", "superseded", "superseded"]
    assert register.submission(REPORT).source == THIRD.source()


def test_versions_received_at_the_same_moment_count_by_path(register: Register) -> None:
    other = replace(FIRST, content="a", received=FIRST.received)

    assert merge(register, FIRST, other) == ["accepted", "superseded"]


def test_a_late_version_never_replaces_one_received_in_time(register: Register) -> None:
    assert merge(register, LATE, FIRST) == ["late", "accepted"]
    assert register.submission(REPORT).source == FIRST.source()


def test_where_all_versions_are_late_the_first_counts_and_all_wait(register: Register) -> None:
    assert merge(register, LATER, LATE) == ["late", "late"]
    assert register.submission(REPORT).source == LATE.source()
    assert len(register.status_counts()["need_a_person"]) == 2


def test_a_correction_received_by_its_deadline_counts(register: Register) -> None:
    merge(register, SECOND)
    register.set_correction_deadline(REPORT, LATE.received)

    assert merge(register, LATE) == ["remarks"]
    [row] = register.reports()
    assert (row["status"], row["errors"], row["remarks"]) == ("remarks", 0, 1)
    assert row["correction_deadline"] == LATE.received
    assert register.findings(REPORT) == (REMARK,)


def test_a_correction_with_errors_is_to_be_corrected(register: Register) -> None:
    merge(register, SECOND)
    register.set_correction_deadline(REPORT, LATER.received)

    assert merge(register, LATER) == ["needs_correction"]
    assert register.findings(REPORT) == (ERROR,)


def test_the_latest_correction_deadline_holds(register: Register) -> None:
    merge(register, SECOND)
    for due in (LATER.received, LATE.received, LATER.received):
        register.set_correction_deadline(REPORT, due)

    assert register.reports()[0]["correction_deadline"] == LATER.received


def test_a_deadline_that_was_set_before_anything_came_holds(register: Register) -> None:
    register.set_correction_deadline(REPORT, LATE.received)

    merge(register, FIRST)

    assert register.reports()[0]["correction_deadline"] == LATE.received
    before = current_state(register)
    register.rebuild()
    assert current_state(register) == before


def test_a_version_after_the_correction_deadline_is_late(register: Register) -> None:
    merge(register, SECOND)
    register.set_correction_deadline(REPORT, LATE.received)

    assert merge(register, LATER) == ["late"]
    assert register.submission(REPORT).source == SECOND.source()


def test_a_late_report_does_not_come_in_by_a_correction(register: Register) -> None:
    merge(register, LATE)
    register.set_correction_deadline(REPORT, LATER.received + timedelta(days=14))

    assert merge(register, LATER) == ["late"]


def test_a_late_version_that_a_correction_follows_is_superseded(register: Register) -> None:
    merge(register, SECOND, LATE)
    register.set_correction_deadline(REPORT, LATER.received)

    merge(register, LATER)

    assert register.status_counts()["by_outcome"] == {"needs_correction": 1, "superseded": 2}


def test_a_version_in_doubt_is_kept_and_does_not_count(register: Register) -> None:
    assert merge(register, FIRST, replace(SECOND, outcome="quarantined")) == ["accepted", "quarantined"]
    [row] = register.reports()
    assert (row["sha256"], row["versions"]) == (FIRST.source().sha256, 2)


def test_where_every_version_is_in_doubt_there_is_no_report(register: Register) -> None:
    assert merge(register, replace(FIRST, outcome="quarantined")) == ["quarantined"]
    assert register.reports() == []
    [waiting] = register.status_counts()["need_a_person"]
    assert (waiting["report"], waiting["command"]) == (REPORT, f'behov decide {REPORT} accept --reason "…" --by "…"')


# what is written stays


def test_a_crash_in_the_middle_leaves_nothing(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    merge(register, FIRST)
    before = everything(register)

    def crash(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(register_module, "write_arrivals", crash)
    with pytest.raises(KeyboardInterrupt):
        merge(register, SECOND, FULL)

    assert everything(register) == before
    monkeypatch.undo()
    assert merge(register, SECOND) == ["needs_correction"]


@pytest.mark.parametrize("table", [*APPEND_ONLY, letters], ids=str)
def test_the_log_refuses_to_change_and_to_forget(register: Register, table: Any) -> None:  # noqa: ANN401 - any table
    merge(register, SECOND)
    register.merge([Verdict(FIRST.source(), "failed", {"nb": "Feil hos oss."})], NOW)
    register.merge([Verdict(Made("pdf").source(), "unreadable", {"nb": "PDF."}, code="pdf")], NOW)
    register.set_correction_deadline(REPORT, NOW)
    with register.writing() as connection:
        connection.execute(insert(forgettings).values(by="NN", reason="post", at=NOW))
        decision = {"report": REPORT, "what": "waive", "rulings": {}, "waives": ["B2"], "by": "NN", "reason": "post"}
        connection.execute(insert(decisions).values(**decision, at=NOW))
        connection.execute(insert(extensions).values(decision=1, due=NOW))
        review = {"id": 1, "sha256": SECOND.source().sha256, "news": 0, "why": "ingest", "at": NOW}
        connection.execute(insert(reviews).values(review))
        again = {"id": 1, "sha256": SECOND.source().sha256, "path": "a/b.xlsx", "name": "b.xlsx", "clock": "mail"}
        connection.execute(
            insert(retimings).values(again | {"received": NOW, "outcome": "late", "reason": {}, "at": NOW})
        )
        connection.execute(insert(retimed_findings).values(retiming=1, position=0, **finding_row(ERROR)))
        connection.execute(insert(review_findings).values(review=1, position=0, **finding_row(ERROR)))
        letter = {
            "key": "k",
            "recipient": "r",
            "kind": "receipt",
            "state": "queued",
            "to": [],
            "subject": "Takk",
        }
        connection.execute(insert(letters).values(made_at=NOW, **letter))
        connection.execute(insert(exports).values(id=1, code="abc", name="register.xlsx", at=NOW))
        connection.execute(insert(exported).values(export=1, report=REPORT, shown={"owner": "Ask"}, casework={}))
        brought = {"kind": "casework", "source": "abc", "name": "a.xlsx", "sha256": "f" * 64, "rows": 1, "at": NOW}
        connection.execute(insert(imports).values(id=1, **brought))
        connection.execute(insert(casework).values(import_id=1, report=REPORT, field="note", value="x", at=NOW))
        connection.execute(insert(letter_events).values(letter=1, state="queued", at=NOW))
        connection.execute(insert(letter_ids).values(letter=1, message_id="<1@example.no>"))
        connection.execute(insert(letter_orders).values(letter=1, what="hold", by="NN", reason="post", at=NOW))
    before = everything(register)
    assert before[table.name]

    column = next(iter(table.columns))
    for statement in (update(table).values({column: column}), delete(table)):
        with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
            connection.execute(statement)
    assert everything(register) == before


def test_a_letter_that_has_left_may_change_its_state_and_nothing_else(register: Register) -> None:
    letter = {"key": "k", "recipient": "r", "kind": "receipt", "state": "queued", "to": [], "subject": "Takk"}
    with register.writing() as connection:
        connection.execute(insert(letters).values(made_at=NOW, **letter))
        connection.execute(update(letters).values(to=["b@example.no"], subject="Takk for svaret"))
        connection.execute(update(letters).values(state="sent", path="outbox/k.eml"))
    for change in ({"to": ["a@example.no"]}, {"subject": "Nei"}, {"key": "n"}):
        with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
            connection.execute(update(letters).values(change))


def test_a_row_put_in_the_place_of_another_is_refused_too(register: Register) -> None:
    merge(register, FIRST)

    again = "INSERT INTO returns SELECT * FROM returns WHERE 1 = 1"
    other = "ON CONFLICT (sha256) DO UPDATE SET outcome = 'late'"
    with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
        connection.exec_driver_sql(f"{again} {other}")
    if register.engine.dialect.name == "sqlite":
        with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
            connection.exec_driver_sql(again.replace("INSERT", "INSERT OR REPLACE"))
    else:
        with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
            connection.exec_driver_sql("TRUNCATE returns CASCADE")


def test_every_row_of_the_log_says_who_wrote_it(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHOV_USER", "kari")
    merge(register, FIRST)
    register.set_correction_deadline(REPORT, NOW)

    written = everything(register)
    for name in ("returns", "arrivals", "correction_deadlines"):
        assert all("kari" in row for row in written[name]), name


def test_what_belongs_together_is_written_together(register: Register) -> None:
    merge(register, FIRST)
    before = everything(register)

    def half_a_job() -> None:
        with register.writing():
            register.set_correction_deadline(REPORT, NOW)
            merge(register, SECOND)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_job()

    assert everything(register) == before


def test_a_view_stays_the_same_while_another_writes(register: Register, places: Places, form: Form) -> None:
    other = Register.open(places.place(), form)
    with register.reading():
        assert register.reports() == []
        merge(other, FIRST)
        assert register.reports() == []
    assert len(register.reports()) == 1


def test_two_at_the_same_time_take_a_file_in_once(places: Places, form: Form) -> None:
    places.place("shared")

    def take_in(_number: int) -> list[str]:
        return merge(Register.open(places.place("shared"), form), FIRST)

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(take_in, range(4)))

    assert outcomes == [["accepted"], ["duplicate"], ["duplicate"], ["duplicate"]]


def test_what_is_written_is_on_disk(tmp_path: Path, form: Form) -> None:
    register = Register.open(tmp_path / "register.db", form)
    with register.reading() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_a_folder_may_have_any_name(tmp_path: Path, form: Form) -> None:
    folder = tmp_path / "50 % æøå? #1"
    folder.mkdir()

    assert merge(Register.open(folder / "register.db", form), FIRST) == ["accepted"]
    assert (folder / "register.db").exists()


def test_at_rest_the_register_is_one_file(tmp_path: Path, form: Form) -> None:
    merge(Register.open(tmp_path / "register.db", form), FIRST)

    assert [path.name for path in tmp_path.glob("register*")] == ["register.db"]


# made again


def test_rebuilding_gives_the_same_state(register: Register) -> None:
    merge(register, FULL, SECOND, LATE)
    merge(register, replace(FULL, content="other", report="BAT-0002-1"))
    before = everything(register)
    with register.writing() as connection:
        connection.execute(register.current.version.delete())

    register.rebuild()

    assert everything(register) == before


def test_a_question_that_is_added_gets_its_column(register: Register, places: Places, tmp_path: Path) -> None:
    merge(register, FULL)
    added = '[sheets.lag.sections.om.questions.flagg]\ntype = "text"\nlabel = { nb = "Flagg", nn = "Flagg" }\n'
    changed = make_form(
        tmp_path / "form", FORM.replace("[sheets.lag.sections.om]\n", f"{added}[sheets.lag.sections.om]\n")
    )

    again = Register.open(places.place(), changed)

    [row] = again.sheet_rows("lag", [REPORT])[REPORT]
    assert (row["flagg"], row["navn"]) == (None, "Ask båtlag")
    assert len(again.sheet_rows("meldinger", [REPORT])[REPORT]) == 2


def test_a_submission_is_read_back_as_it_was() -> None:
    submission = FULL.submission()
    row = submission.sheets["lag"].rows[0]
    row.answers["andel"] = Answer(None, "mye", "C12", "not_a_number", None, {"verdi": "mye"})
    row.answers["tittel"] = Answer("Sjø\udc80", "Sjø", "C10", note="choice_read")

    read: Submission = load_submission(dump_submission(submission))

    assert read == submission


# the archive


@pytest.fixture
def source(tmp_path: Path) -> Return:
    path = tmp_path / "inbox" / "Melding.XLSX"
    path.parent.mkdir()
    path.write_bytes(b"the workbook")
    return Return(path, sha256(b"the workbook").hexdigest(), day(1))


def test_a_received_file_is_kept_unchanged_and_read_only(tmp_path: Path, source: Return) -> None:
    kept = archive(Round(tmp_path), source)

    assert kept == tmp_path / "archive" / f"{source.sha256}.xlsx"
    assert kept.read_bytes() == b"the workbook"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert archive(Round(tmp_path), source) == kept
    assert list(kept.parent.iterdir()) == [kept]


def test_what_a_killed_run_left_in_the_archive_is_swept_away(tmp_path: Path, source: Return) -> None:
    kept = archive(Round(tmp_path), source)
    stale, fresh = kept.with_name("~stale"), kept.with_name("~fresh")
    for path in (stale, fresh):
        path.write_bytes(b"half a workbo")
    os.utime(stale, (0, 0))

    sweep(Round(tmp_path))

    assert sorted(kept.parent.iterdir()) == sorted([kept, fresh]), "another run may be writing"


def test_a_file_that_changed_after_it_was_read_is_not_kept_as_the_other(tmp_path: Path, source: Return) -> None:
    source.path.write_bytes(b"another workbook")

    with pytest.raises(ArchiveError, match="changed after it was read"):
        archive(Round(tmp_path), source)
    assert not (tmp_path / "archive").exists()


def test_arrivals_say_what_each_run_told(register: Register) -> None:
    merge(register, FIRST)
    merge(register, SECOND, replace(FIRST, folder="copy"))

    with register.reading() as connection:
        told = {(row.path, row.outcome) for row in connection.execute(select(arrivals))}
        checked = {row.outcome for row in connection.execute(select(returns))}
    assert {outcome for _, outcome in told} == {"accepted", "duplicate", "needs_correction"}
    assert checked == {"accepted", "needs_correction"}
