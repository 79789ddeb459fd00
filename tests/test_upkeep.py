"""The register looked after: proved, copied, made again, and carried over from an older program."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

import cli
from intake.submission import Return
from outputs.care.backup import back_up
from outputs.care.upkeep import rebuild
from outputs.care.verify import current_state, verify
from outputs.mailing.outbox import make_letters
from outputs.register.archive import archive
from outputs.register.log import log
from outputs.register.places import database_at
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.round import Round, Server
from tests.databases import Places
from tests.made_returns import ACROSS_RULES, ERROR, FORM, LATE_FINDING, OWNER, REMARK, REPORT, Made, day, make_form
from validation.verdict import Verdict

NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
FIRST = Made("first", day(10), "needs_correction", findings=(ERROR, REMARK), questions={"navn": "Ask båtlag"})
LATE = Made("late", day(3, month=2), "late", findings=(LATE_FINDING,))
SAME = Made("First!", day(12), report="BAT-0001-2")
RECIPIENTS = f"orgnr;navn;type;epost;språk\n{OWNER};Ask båtlag;KLUBB;ask@example.no;nb\n"


@pytest.fixture
def round_(tmp_path: Path, places: Places) -> Round:
    """A round in which three files have come in, and letters are written; on either database."""
    return make_round(tmp_path, places)


@pytest.fixture
def filed(tmp_path: Path) -> Round:
    """The same with its register in a file."""
    return make_round(tmp_path, Places(tmp_path))


def make_round(tmp_path: Path, places: Places) -> Round:
    folder = tmp_path / "runde"
    make_form(tmp_path / "form", FORM, ACROSS_RULES)
    form = f'{places.setting()}form = "{(tmp_path / "form").as_posix()}"\n'
    settings = f'{form}[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    folder.mkdir()
    (folder / "round.toml").write_text(settings, encoding="utf-8")
    (folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    made = Round(folder)
    take_in(made, FIRST, LATE)
    take_in(made, SAME)
    make_letters(made, opened(made), NOW)
    return made


def opened(round_: Round) -> Register:
    return Register.of(round_)


def take_in(round_: Round, *batch: Made) -> None:
    for one in batch:
        path = round_.inbox / one.source().name
        path.parent.mkdir(exist_ok=True)
        path.write_text(one.content, encoding="utf-8")
        archive(round_, Return(path, one.source().sha256, one.received))
    opened(round_).merge([one.verdict() for one in batch], NOW)


def run(round_: Round, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["--round", str(round_.folder), *words])


def whole(round_: Round) -> list[str]:
    return verify(round_, opened(round_))


def tampered(round_: Round, *statements: str) -> None:
    """Change the register behind the back of the program."""
    engine = database_at(round_.database).engine
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        for statement in statements:
            connection.exec_driver_sql(statement)


def unguarded(round_: Round, action: str, table: str) -> str:
    """Give what takes a trigger away."""
    where = f" ON {table.partition('_gone')[0]}" if isinstance(round_.database, Server) else ""
    return f'DROP TRIGGER "no_{action}_{table}"{where}'


def original(round_: Round, made: Made) -> Path:
    return round_.archive / f"{made.source().sha256}.xlsx"


# verify


def test_a_round_that_is_whole_has_no_problems(round_: Round) -> None:
    assert whole(round_) == []

    result = run(round_, "verify", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"ok": True, "problems": []})
    assert "All is well" in run(round_, "verify").stdout


def lose(round_: Round) -> None:
    original(round_, FIRST).unlink()


def spoil(round_: Round) -> None:
    path = original(round_, FIRST)
    path.chmod(0o644)
    path.write_bytes(b"something else")


def strange(round_: Round) -> None:
    (round_.archive / f"{sha256(b'x').hexdigest()}.xlsx").write_bytes(b"x")


def stray(round_: Round) -> None:
    (round_.archive / "notat.txt").write_bytes(b"x")


def unguard(round_: Round) -> None:
    tampered(round_, unguarded(round_, "UPDATE", "findings"))


def change_state(round_: Round) -> None:
    tampered(round_, "UPDATE report SET title = 'noe annet'")


def change_answers(round_: Round) -> None:
    tampered(round_, unguarded(round_, "UPDATE", "submissions"), "UPDATE submissions SET answers = '{'")


def forget_review(round_: Round) -> None:
    tampered(
        round_,
        unguarded(round_, "DELETE", "review_findings"),
        "DELETE FROM review_findings",
        "UPDATE shape SET number = 0",  # so that the current state is made of what is left
    )


def cut(table: str) -> Callable[[Round], None]:
    return lambda round_: tampered(round_, unguarded(round_, "DELETE", table), f"DELETE FROM {table}")  # noqa: S608


PROBLEMS: dict[str, tuple[Callable[[Round], None], str]] = {
    "an original is gone": (lose, "the original of «first.xlsx» (a7937b64b8ca) is not in archive/; put it back"),
    "an original was changed": (spoil, "is not what was received; put it back from your backup"),
    "an original nobody took in": (strange, "is not in the register, as when a run broke off; run behov ingest again"),
    "a file of somebody else": (stray, "archive/notat.txt was not put there by behov; move it away"),
    "the log is not guarded": (unguard, "the log «findings» can be changed: its triggers are gone"),
    "the state was changed": (change_state, "the table «report» is not what the log says (4 rows). If the log"),
    "answers were changed": (change_answers, "are damaged; put the register back from your backup"),
    "arrivals were taken out": (
        cut("arrivals"), "«returns» have no arrival (089001a35679, 62c5b4dd7da0, a7937b64b8ca)"),
    "what became of letters was taken out": (
        cut("letter_events"), "«letters» stand otherwise than is logged (1): somebody has taken rows out of the log"),
    "reports were not held against each other": (
        forget_review, "what is found between reports has changed (BAT-0001-1, BAT-0001-2)"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_is_told_in_words_with_what_to_do(round_: Round, name: str) -> None:
    harm, said = PROBLEMS[name]
    harm(round_)

    result = run(round_, "verify", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"]) == (1, False)
    assert any(said in problem for problem in told["problems"]), told


def test_a_row_taken_out_of_the_log_is_missed_though_its_guards_are_back(filed: Round) -> None:
    tables = ("review_findings", "reviews")
    with database_at(filed.database).engine.connect() as connection:
        query = "SELECT sql FROM sqlite_master WHERE name = 'no_DELETE_{}'"
        guards = [connection.exec_driver_sql(query.format(table)).scalar_one() for table in tables]
    drop = [unguarded(filed, "DELETE", table) for table in tables]
    tampered(filed, *drop, "DELETE FROM review_findings WHERE review = 1", "DELETE FROM reviews WHERE id = 1", *guards)

    assert "«reviews» lacks 1 row: somebody has taken rows out of the log" in " ".join(whole(filed))


def test_verifying_changes_nothing(filed: Round) -> None:
    change_state(filed)
    before = filed.register.read_bytes()

    verify(filed, opened(filed))

    assert filed.register.read_bytes() == before


def test_originals_of_a_register_that_is_gone_are_told(filed: Round) -> None:
    filed.register.unlink()

    assert [problem for problem in whole(filed) if "is not in the register" in problem] == whole(filed) != []


def test_what_was_changed_in_the_log_is_told_by_a_backup(round_: Round, tmp_path: Path) -> None:
    back_up(round_, tmp_path / "kopi")
    take_in(round_, Made("new", day(13), report="BAT-0001-3"))
    against = ("verify", "--against", str(tmp_path / "kopi"))
    assert run(round_, *against).exit_code == 0, "what has come since is no change"
    tampered(
        round_,
        unguarded(round_, "UPDATE", "findings"),
        unguarded(round_, "DELETE", "letter_ids"),
        "UPDATE findings SET severity = 'info' WHERE rule = 'B2'",
        "DELETE FROM letter_ids",
    )

    told = run(round_, *against).stdout

    assert "the log «findings» has changed 1 row (a7937b64b8ca 0); it stands in" in told
    assert "the log «letter_ids» has lost 1 row" in told
    refused = run(round_, "backup", "--to", str(tmp_path / "kopi"))
    assert refused.exit_code == 2
    assert "the last backup is left as it was, since the log «findings» has changed 1 row" in refused.stderr


def test_a_register_is_held_against_a_backup_of_its_own_round_only(filed: Round, tmp_path: Path) -> None:
    back_up(filed, tmp_path / "kopi")
    (tmp_path / "kopi" / "key").write_text("00" * 32, encoding="ascii")

    for folder, said in (("kopi", "is a copy of another round"), ("form", "is no backup of a round")):
        result = run(filed, "verify", "--against", str(tmp_path / folder))
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


# rebuild


def test_a_current_state_that_was_changed_is_made_again(round_: Round) -> None:
    change_state(round_)

    result = run(round_, "rebuild", "--json")

    assert json.loads(result.stdout) == {"reports": 2, "carried_over_from": None}
    assert whole(round_) == []


def test_reports_are_held_against_each_other_again_when_the_rules_change(round_: Round, tmp_path: Path) -> None:
    make_form(tmp_path / "form", FORM, ACROSS_RULES.replace('severity = "warning"', 'severity = "error"'))
    changed = Round(round_.folder)
    assert any("what is found between reports has changed" in problem for problem in whole(changed))

    rebuild(changed, NOW)

    assert whole(changed) == []
    assert opened(changed).findings("BAT-0001-2")[0].severity == "error"


OLDER = """
CREATE TABLE decisions_old (id INTEGER NOT NULL PRIMARY KEY, report TEXT NOT NULL, what TEXT NOT NULL,
    "by" TEXT NOT NULL, reason TEXT NOT NULL, at TIMESTAMP NOT NULL);
DROP TABLE extensions; DROP TABLE decisions; ALTER TABLE decisions_old RENAME TO decisions;
ALTER TABLE returns DROP COLUMN "by"; ALTER TABLE arrivals DROP COLUMN "by"; ALTER TABLE letters DROP COLUMN "by";
ALTER TABLE correction_deadlines DROP COLUMN set_at; ALTER TABLE correction_deadlines DROP COLUMN "by";
DROP TABLE review_findings; DROP TABLE reviews; DROP TABLE failures; DROP TABLE shape; DROP TABLE finding;
INSERT INTO returns (sha256, path, name, received, outcome, reason, ingested_at)
    VALUES ('f', 'inbox/f.xlsx', 'f.xlsx', '2030-01-09', 'failed', '{{}}', '2030-01-09');
INSERT INTO arrivals VALUES ('inbox/f.xlsx', 'f', 'failed', '2030-01-09');
INSERT INTO origins VALUES ('inbox/f.xlsx', 'f', '2030-01-09', 'file', NULL, NULL, NULL, NULL, NULL);
{number}
"""


def make_older(round_: Round) -> None:
    server = isinstance(round_.database, Server)
    number = "UPDATE made_for SET log = 1203948571" if server else "PRAGMA user_version = 1203948571"
    script = OLDER.format(number=number)
    if server:  # there triggers stand on the columns
        script = script.replace('DROP COLUMN "by"', 'DROP COLUMN "by" CASCADE')
    tampered(round_, *filter(None, map(str.strip, script.split(";"))))


def test_an_older_register_is_told_from_ours_and_what_to_do(round_: Round) -> None:
    make_older(round_)

    for command in ("status", "ingest", "feedback", "verify", "export"):
        result = run(round_, command)

        assert result.exit_code == 2, command
        assert "was made by another version of behov; bring it up to date with: behov rebuild" in result.stderr


def test_an_older_register_is_carried_over_with_all_it_knew(round_: Round) -> None:
    before = content(round_)
    make_older(round_)

    result = run(round_, "rebuild")

    place = round_.database
    server = isinstance(place, Server)
    kept = f"schema {place.schema}_before_rebuild" if isinstance(place, Server) else "register-before-rebuild.db"
    assert f"the older one is kept as {kept}." in result.stdout
    assert content(round_) == before
    assert whole(round_) == []
    assert server or (round_.folder / kept).exists()
    take_in(round_, Made("after", day(14), report="BAT-0001-9"))
    assert whole(round_) == []


def content(round_: Round) -> dict[str, Any]:
    """Read the current state, and what was written of versions, findings and letters."""
    register = opened(round_)
    with register.reading() as connection:
        rows = {name: len(connection.execute(select(log.tables[name])).all()) for name in ("findings", "letters")}
        return {**current_state(register, connection), **rows}


@pytest.mark.parametrize(
    "junk", [b"this is no database, but it is long enough to look at" * 30, b"SQLite format 3\0" * 99]
)
def test_a_damaged_register_is_told_without_a_traceback(filed: Round, junk: bytes) -> None:
    round_ = filed
    round_.register.write_bytes(junk)

    for command in ("status", "rebuild", "verify"):
        result = run(round_, command)

        assert result.exit_code == 2, result.output
        assert "put it back from your backup" in result.stderr


def test_a_register_of_something_else_is_not_carried_over(filed: Round) -> None:
    round_ = filed
    round_.register.unlink()
    with closing(sqlite3.connect(round_.register)) as connection, connection:
        connection.execute("CREATE TABLE returns (noe TEXT)")
        connection.execute("INSERT INTO returns VALUES ('x')")

    with pytest.raises(RefusalError, match="is too old to be carried over"):
        rebuild(round_, NOW)

    with closing(sqlite3.connect(round_.register)) as connection:
        assert connection.execute("SELECT * FROM returns").fetchall() == [("x",)]
    assert [path.name for path in round_.folder.glob("*register*")] == ["register.db"]


def test_a_register_is_of_the_round_whose_key_it_was_made_with(round_: Round) -> None:
    """As when a folder is copied for a new round, and its key and sent/ are taken away; or another key is put there."""
    key = round_.folder / "key"
    own = key.read_bytes()

    key.write_bytes(b"00" * 32)
    another = run(round_, "status")
    key.unlink()
    none = run(round_, "send-out")

    for result in (another, none):
        assert (result.exit_code, "the register of another round" in result.stderr) == (2, True), result.output
    assert not list(round_.sent_folder.glob("*.xlsx"))
    key.write_bytes(own)
    assert run(round_, "send-out").exit_code == 0
    key.unlink()
    lost = run(round_, "send-out")
    assert (lost.exit_code, "is lost; put it back from your backup" in lost.stderr) == (2, True)


def test_a_table_that_a_newer_program_adds_needs_nobody(round_: Round) -> None:
    server = isinstance(round_.database, Server)
    number = "UPDATE made_for SET log = 1203948571" if server else "PRAGMA user_version = 1203948571"
    tampered(round_, "DROP TABLE failures", number)

    assert opened(round_).status_counts()["returned"] == 3


def test_guards_of_an_older_program_give_way_to_ours(round_: Round) -> None:
    """One that refuses what ours lets through, as there was for letters on hold, and one that is no more."""
    server = isinstance(round_.database, Server)
    refuse = "EXECUTE FUNCTION refuse_to_change()" if server else "BEGIN SELECT RAISE(ABORT, 'no'); END"
    names = ("no_UPDATE_letters_gone", "no_UPDATE_letters_ever")
    older = [f'CREATE TRIGGER "{name}" BEFORE UPDATE OF subject ON letters FOR EACH ROW {refuse}' for name in names]
    tampered(round_, unguarded(round_, "UPDATE", "letters_gone"), *older, "UPDATE shape SET guards = 1")
    edit = "UPDATE letters SET subject = 'Rettet'"
    with pytest.raises(DBAPIError):
        tampered(round_, edit)

    opened(round_)

    tampered(round_, edit)
    with pytest.raises(DBAPIError):
        tampered(round_, "UPDATE letters SET key = 'x'")
    assert whole(round_) == []


def test_a_guard_that_somebody_has_taken_away_stays_away_for_verify_to_tell(round_: Round) -> None:
    tampered(round_, unguarded(round_, "DELETE", "findings"), "UPDATE shape SET number = 1")

    opened(round_)

    assert "the log «findings» can be changed: its triggers are gone" in " ".join(whole(round_))


# backup


def test_a_backup_is_a_round_that_proves_itself(round_: Round, tmp_path: Path) -> None:
    (round_.inbox / "~$first.xlsx").write_bytes(b"of a program that has it open")
    (round_.archive / "~k3v_9x").write_bytes(b"begun and never ended")

    done = back_up(round_, tmp_path / "kopi")

    copy = Round(tmp_path / "kopi")
    assert whole(copy) == []
    assert content(copy) == content(round_)
    assert done.copied == done.files
    assert {"round.toml", "recipients.csv", "inbox", "archive", "outbox", "register.db"} <= {
        path.name for path in copy.folder.iterdir()
    }
    kept = original(copy, FIRST)
    assert kept.stat().st_mode & 0o222 == 0, "still read-only"
    assert [path.name for path in copy.folder.rglob("~*")] == ["~$first.xlsx"]
    assert (copy.inbox / "first.xlsx").stat().st_mtime == (round_.inbox / "first.xlsx").stat().st_mtime


def test_a_backup_is_safe_to_repeat_and_copies_only_what_is_new(round_: Round) -> None:
    first = run(round_, "backup", "--json")
    take_in(round_, Made("new", day(13), report="BAT-0001-3"))
    second = json.loads(run(round_, "backup", "--json").stdout)

    changed = 5 if isinstance(round_.database, Server) else 4  # the copy's own round.toml is written each time
    assert (first.exit_code, second["copied"]) == (0, changed), (
        "the register, the file in inbox/, that in archive/, and the log of the first backup"
    )
    assert whole(Round(round_.folder / "backup")) == []
    assert not (round_.folder / "backup" / "backup").exists()
    assert not list((round_.folder / "backup").rglob("~*"))


def test_a_backup_is_consistent_while_another_writes(round_: Round, tmp_path: Path) -> None:
    register = opened(round_)
    with register.writing():
        register.set_correction_deadline(REPORT, NOW)
        back_up(round_, tmp_path / "kopi")

    copy = Round(tmp_path / "kopi")
    assert whole(copy) == []
    assert opened(copy).reports()[0]["correction_deadline"] != NOW


@pytest.mark.parametrize(
    ("where", "said"), [(".", "holds the round itself"), ("..", "holds the round itself"), ("../form", "no backup")]
)
def test_a_backup_never_goes_where_something_else_is(round_: Round, where: str, said: str) -> None:
    with pytest.raises(RefusalError, match=said):
        back_up(round_, round_.folder / where)


def test_a_damaged_register_never_takes_the_place_of_a_good_copy(filed: Round, tmp_path: Path) -> None:
    round_ = filed
    back_up(round_, tmp_path / "kopi")
    good = (tmp_path / "kopi" / "register.db").read_bytes()
    content = bytearray(round_.register.read_bytes())
    content[4096 * 3 : 4096 * 8] = os.urandom(4096 * 5)
    round_.register.write_bytes(content)

    result = run(round_, "backup", "--to", str(tmp_path / "kopi"))

    assert result.exit_code == 2
    assert "the last backup is left as it was" in result.stderr
    assert (tmp_path / "kopi" / "register.db").read_bytes() == good


def test_files_we_failed_to_read_are_told_until_they_are_read(round_: Round) -> None:
    failed = Made("failed", day(13), report="BAT-0001-3")
    opened(round_).merge([Verdict(failed.source(), "failed", {"nb": "Feil hos oss."})], NOW)

    waiting = json.loads(run(round_, "status", "--json").stdout)["need_a_person"]

    assert [item["command"] for item in waiting if item["outcome"] == "failed"] == ["behov ingest"]
