"""Contact persons removed after the round: gone from the register, with a record of it, and all else as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

import cli
from intake.personal import names_a_person
from outputs.care.backup import back_up
from outputs.care.forget import Forgetting, forget
from outputs.care.verify import current_state, verify
from outputs.exports.exports import export
from outputs.mailing.mailroom import letter_list
from outputs.mailing.outbox import make_letters
from outputs.register.log import ERASABLE, findings, forgettings, log, origins, returns, submissions
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.definition import find_form, load_form
from templates.round import Round
from tests.databases import Places
from tests.made_returns import FORM, OWNER, REPORT, Made, day, make_form
from tests.test_dry_run import everything as in_folder
from tests.test_loop import PLAN, PLANTS, Club, club  # noqa: F401 - a fixture
from tests.test_upkeep import take_in
from tests.unpacked import holding, unpacked
from validation.findings import Finding

AFTER = datetime(2030, 6, 1, 9, tzinfo=UTC)
WISH = Forgetting("Kari Holm", "runden er over", AFTER)
PERSONS = ("Per Contactus", "per.contactus@example.no", "99887766", "post@example.no", "kontakt@example.no")
CONTACTS = """[sheets.lag.sections.om.questions.kontakt]
type = "text"
personal = true
label = { nb = "Kontakt", nn = "Kontakt" }
[sheets.lag.sections.om.questions.kontakt_epost]
type = "email"
label = { nb = "E-post", nn = "E-post" }
[sheets.lag.sections.om.questions.mobil]
type = "phone"
label = { nb = "Mobil", nn = "Mobil" }
[sheets.lag.sections.om]
"""
RECIPIENTS = f"orgnr;navn;type;epost;språk\n{OWNER};Ask båtlag;KLUBB;kontakt@example.no;nb\n"
NAMED = {"navn": "Ask båtlag", "kontakt": PERSONS[0], "kontakt_epost": PERSONS[1], "mobil": PERSONS[2]}
WRONG = Finding(
    "B2", "error", "Lag", ("C7",), ("kontakt_epost",), {"nb": f"Er {PERSONS[1]} riktig?"}, written=PERSONS[1]
)
OTHER = Finding("B3", "warning", "Lag", ("C8",), ("andel",), {"nb": f"{PERSONS[0]}, stemmer det?"})
FIRST = Made("first", day(10), "needs_correction", findings=(WRONG, OTHER), questions=NAMED)  # type: ignore[arg-type]
REMOVED = ["exports/register.xlsx", "inbox/again.xlsx", "inbox/first.xlsx"]
BIRTH_NUMBER = "01010700066"


@pytest.fixture
def round_(tmp_path: Path, places: Places) -> Round:
    """A round that is over, in which an owner named a contact person."""
    column = (
        '[[register_columns]]\nkey = "kontakt"\nvalue = "lag.kontakt"\nlabel = { nb = "Kontakt", nn = "Kontakt" }\n'
    )
    make_form(tmp_path / "form", FORM.replace("[sheets.lag.sections.om]\n", CONTACTS) + column)
    folder = tmp_path / "runde"
    folder.mkdir()
    office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    settings = f'{places.setting()}form = "{(tmp_path / "form").as_posix()}"\n{office}'
    (folder / "round.toml").write_text(settings, encoding="utf-8")
    (folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    made = Round(folder)
    take_in(made, FIRST, replace(FIRST, content="again", received=day(12)))
    make_letters(made, Register.of(made), AFTER)
    export(made, Register.of(made), made.exports / "register.xlsx", "nb", AFTER)
    return made


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_now", lambda _form: AFTER)


def everything(register: Register) -> str:
    """All that the register says, in one text."""
    with register.reading() as connection:
        tables = [connection.execute(select(table)).all() for table in log.sorted_tables]
        return f"{tables} {current_state(register, connection)}"


def run(round_: Round, *words: str, answer: str = "") -> Result:
    return CliRunner().invoke(cli.main, ["--round", str(round_.folder), "forget", *words], input=answer)


def test_contact_persons_are_gone_from_the_register_and_all_else_is_there(round_: Round) -> None:
    register = Register.of(round_)
    assert all(person in everything(register) for person in PERSONS)

    done = forget(round_, register, WISH)

    said = everything(register)
    assert not [person for person in PERSONS if person in said]
    assert done.counts == {"answers": 2, "senders": 4, "findings": 4, "letters": 1, "exports": 1, "recipients": 0}
    [row] = register.reports()
    assert (row["owner"], row["errors"], row["remarks"]) == ("Ask båtlag", 1, 1)
    [answers] = register.sheet_rows("lag", [REPORT])[REPORT]
    assert (answers["navn"], answers["kontakt"], answers["mobil"]) == ("Ask båtlag", None, None)
    assert [finding.message["nb"] for finding in register.findings(REPORT)] == ["Er … riktig?", "…, stemmer det?"]
    assert register.findings(REPORT)[0].written == ""


def test_it_is_recorded_who_did_it_when_and_why(round_: Round) -> None:
    register = Register.of(round_)
    forget(round_, register, WISH)

    with register.reading() as connection:
        [record] = connection.execute(select(forgettings)).all()
        emptied = set(connection.scalars(select(submissions.c.forgotten)))
    assert (record.by, record.reason, record.at) == ("Kari Holm", "runden er over", AFTER)
    assert emptied == {record.id}


def test_the_register_is_whole_and_a_rebuild_gives_the_same(round_: Round) -> None:
    register = Register.of(round_)
    back_up(round_, round_.folder / "backup")
    forget(round_, register, WISH)
    before = everything(register)

    assert verify(round_, register, round_.folder / "backup") == [], "what a person had forgotten is not lost"
    assert CliRunner().invoke(cli.main, ["--round", str(round_.folder), "rebuild"]).exit_code == 0
    assert everything(Register.of(round_)) == before


def test_the_originals_are_kept_and_what_was_made_of_the_register_is_removed(round_: Round) -> None:
    originals = {path.name: path.read_bytes() for path in round_.archive.iterdir()}

    done = forget(round_, Register.of(round_), WISH)

    assert [path.as_posix() for path in done.files] == REMOVED
    assert not list(round_.exports.iterdir())
    assert {path.name: path.read_bytes() for path in round_.archive.iterdir()} == originals


def test_the_round_names_them_in_originals_and_letters_only(round_: Round) -> None:
    listed = ("Lise Listeført", "22113344", "lise.listefort@example.no")
    columns = "orgnr;navn;type;epost;språk;kontaktperson;telefon;kontakt_epost"
    row = f"{OWNER};Ask båtlag;KLUBB;kontakt@example.no;nb;{';'.join(listed)}"
    (round_.folder / "nye.csv").write_text(f"{columns}\n{row}\n", encoding="utf-8")
    words = (["import", str(round_.folder / "nye.csv"), "--yes"], ["dashboard"], ["export", "--format", "parquet"])
    for one in words:
        result = CliRunner().invoke(cli.main, ["--round", str(round_.folder), *one])
        assert result.exit_code == 0, result.output
    (round_.folder / "nye.csv").unlink()
    for folder in (round_.sent_folder, round_.outbox):
        folder.mkdir(exist_ok=True)
    (round_.sent_folder / "ask.xlsx").write_text(listed[0], encoding="utf-8")
    (round_.outbox / "index.html").write_text(PERSONS[0], encoding="utf-8")
    (round_.inbox / "mail.eml").write_text(f"From: {PERSONS[1]}\n\n.", encoding="utf-8")
    persons = (*PERSONS[:3], *listed)
    assert {name.partition("/")[0] for name in naming(round_, persons)} >= {
        "recipients.csv", "known", "exports", "dashboard", "sent", "outbox", "inbox",
    }  # fmt: skip

    assert run(round_, "--by", "Kari", "--reason", "over", "--yes").exit_code == 0

    assert {name for name in naming(round_, persons) if not name.startswith("outbox/")} == {"inbox/mail.eml"}
    assert all(name.endswith(".eml") for name in naming(round_, persons))
    assert list(Round(round_.folder).recipients) == [OWNER], "the owners themselves are known"
    assert verify(round_, Register.of(round_)) == []
    assert run(round_, "--by", "Kari", "--reason", "over").stdout == "The round names no contact persons.\n"


def naming(round_: Round, persons: tuple[str, ...]) -> list[str]:
    """List the files outside archive/ that name somebody."""
    every = (path for path in round_.folder.rglob("*") if path.is_file() and path.parent != round_.archive)
    return [path.relative_to(round_.folder).as_posix() for path in every if holding(path, persons)]


def test_received_files_that_the_archive_has_are_removed_and_others_stay(round_: Round) -> None:
    (round_.inbox / "unknown.xlsx").write_text("never taken in", encoding="utf-8")
    taken = [path.name for path in round_.inbox.iterdir() if path.name != "unknown.xlsx"]

    done = forget(round_, Register.of(round_), WISH)

    assert taken
    assert {path.name for path in done.files if path.parts[0] == "inbox"} == set(taken)
    assert [path.name for path in round_.inbox.iterdir()] == ["unknown.xlsx"]


def test_a_list_of_recipients_in_excel_is_emptied_too(round_: Round) -> None:
    book = Workbook()
    book.worksheets[0].append(["orgnr", "navn", "type", "epost", "språk", "Kontaktperson"])
    book.worksheets[0].append([OWNER, "Ask båtlag", "KLUBB", "kontakt@example.no", "nb", "Lise"])
    book.save(round_.folder / "recipients.xlsx")

    assert forget(round_, Register.of(round_), WISH).counts["recipients"] == 1

    [recipient] = Round(round_.folder).recipients.values()
    assert (recipient.name, recipient.contact) == ("Ask båtlag", "")


def test_nothing_of_them_is_left_in_the_file_of_the_register(tmp_path: Path, round_: Round) -> None:
    forget(round_, Register.of(round_), WISH)

    for path in round_.folder.glob("register.db*"):
        content = path.read_bytes()
        assert not [person for person in PERSONS if person.encode() in content], path
    assert tmp_path.exists()


def test_a_look_beforehand_changes_nothing(round_: Round) -> None:
    before, files = everything(Register.of(round_)), in_folder(round_.folder)

    result = run(round_, "--by", "Kari", "--reason", "over", "--dry-run", "--json")

    told = json.loads(result.stdout)
    assert (told["dry_run"], told["removed"]["answers"], told["files"]) == (True, 2, REMOVED)
    assert everything(Register.of(round_)) == before
    assert in_folder(round_.folder) == files
    assert (round_.exports / "register.xlsx").exists()


def test_it_is_asked_before_anything_is_removed(round_: Round) -> None:
    words = ("--by", "Kari", "--reason", "over")
    before = everything(Register.of(round_))

    assert run(round_, *words, answer="n\n").exit_code == 0
    assert run(round_, *words, answer="").exit_code == 1
    assert run(round_, *words, "--json").exit_code == 2
    assert everything(Register.of(round_)) == before

    result = run(round_, *words, answer="y\n")
    assert result.exit_code == 0
    assert (
        "Contact persons are emptied in 2 versions, 4 findings, 4 senders, 1 letters and 0 recipients." in result.stdout
    )
    assert run(round_, *words).stdout == "The round names no contact persons.\n"


def test_the_same_again_adds_no_record(round_: Round) -> None:
    for _ in range(2):
        run(round_, "--by", "Kari", "--reason", "over", "--yes")

    with Register.of(round_).reading() as connection:
        assert len(connection.execute(select(forgettings)).all()) == 1


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (replace(WISH, by=" "), "say --by"),
        (replace(WISH, reason=""), "say --reason"),
        (replace(WISH, at=day(1, month=2)), "the deadline has not passed"),
    ],
)
def test_it_takes_a_person_a_reason_and_a_round_that_is_over(round_: Round, wish: Forgetting, said: str) -> None:
    with pytest.raises(RefusalError, match=said):
        forget(round_, Register.of(round_), wish)


def test_files_that_wait_for_a_person_come_first(round_: Round) -> None:
    take_in(round_, Made("doubted", day(15), "quarantined", report="BAT-0001-8"))

    with pytest.raises(RefusalError, match="1 files wait for a person; decide on them first"):
        forget(round_, Register.of(round_), WISH)


def test_the_log_is_still_guarded_against_all_other_change(round_: Round) -> None:
    register = Register.of(round_)
    filled = (returns, origins, submissions, findings)
    changes = [update(table).values({name: table.c[name] for name in ERASABLE[table][:1]}) for table in filled]
    forget(round_, register, WISH)
    for change in [*changes, update(submissions).values(answers="{}", forgotten=1)]:
        with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
            connection.execute(change)
    with register.writing() as connection:  # even who writes a record first can change nothing else
        connection.execute(insert(forgettings).values(by="NN", reason="", at=AFTER))
    with pytest.raises(IntegrityError, match="append-only"), register.writing() as connection:
        connection.execute(update(returns).values(outcome="accepted", forgotten=2))


def test_letters_say_no_more_to_whom_they_went(round_: Round) -> None:
    register = Register.of(round_)
    forget(round_, register, WISH)

    assert [letter["to"] for letter in letter_list(register)] == [[]]
    assert make_letters(round_, register, AFTER) == [], "and nobody is written to again"


def test_a_form_says_which_answers_name_persons() -> None:
    form = load_form(find_form("behovsmelding-2024"))

    personal = {f"{sheet}.{question.key}" for sheet, question in form.questions() if names_a_person(question)}

    assert personal == {
        "skjema.kontakt_navn", "skjema.kontakt_rolle", "skjema.kontakt_epost", "skjema.kontakt_tlf",
        "skjema.kopi_epost", "eiere.e_kontakt_epost", "partnere.p_kontakt", "partnere.p_epost",
    }  # fmt: skip


def test_a_birth_number_stands_in_the_original_and_nowhere_else(club: Club) -> None:  # noqa: F811 - the fixture
    spaced = f"{BIRTH_NUMBER[:6]} {BIRTH_NUMBER[6:]}"
    plan = PLAN | {"tittel": f"Bed for {BIRTH_NUMBER}", "jordtype": spaced, "drenering": BIRTH_NUMBER}
    plants = [{"art": f"Gulrot {spaced}", "antall": BIRTH_NUMBER, "pris": int(BIRTH_NUMBER)}, *PLANTS]
    path = club.answer("HAGE-0001-1", plan, plants)

    told = club.json("ingest", "--answers")
    club.run("feedback")
    club.run("export")
    for kind in ("csv", "parquet", "journal"):
        club.run("export", "--format", kind)
    club.run("dashboard")
    shown = [club.run(*words).output for words in (["show", "HAGE-0001-1"], ["status"])]

    digits = (BIRTH_NUMBER, spaced, BIRTH_NUMBER.lstrip("0"))
    assert told["counts"] == {"needs_correction": 1}
    assert not [number for number in digits for text in [str(told), *shown] if number in text]
    made = [one for one in club.folder.rglob("*") if one.is_file() and one.parent.name != "inbox"]
    folders = {one.parent.name for one in made}
    assert folders >= {"runde", "exports", "csv", "parquet", "outbox", "archive", "logs", "dashboard"}
    assert b"Gulrot" in b"".join(unpacked(one) for one in made if one.suffix == ".eml"), (
        "the marked workbook is looked at"
    )
    for one in made:
        assert bool(holding(one, digits)) == (one.parent.name == "archive"), one
    assert path.read_bytes() == next((club.folder / "archive").iterdir()).read_bytes()
