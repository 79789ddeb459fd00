"""A register on a PostgreSQL server: how it is named, reached and guarded, and how it comes there and away."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

import cli
from outputs.care.backup import back_up
from outputs.care.verify import current_state, verify
from outputs.mailing.outbox import make_letters
from outputs.register.log import letters, returns
from outputs.register.postgres import PASSWORD
from outputs.register.register import Register
from templates.round import File, Round, RoundError
from tests.databases import SECRET, Places, Postgres
from tests.made_returns import FULL, OWNER, Made, day, make_form
from tests.test_upkeep import NOW, RECIPIENTS, content, make_round, take_in

URL = "postgresql://behov@db.example.no/behov?schema=runde_2024"


@pytest.fixture
def filed(tmp_path: Path) -> Round:
    """A round with its register in a file."""
    return make_round(tmp_path, Places(tmp_path))


@pytest.fixture
def on_server(tmp_path: Path, postgres: Postgres) -> Places:
    return Places(tmp_path, postgres)


def with_register(folder: Path, line: str) -> Round:
    """Say in round.toml where the register is."""
    path = folder / "round.toml"
    rest = [kept for kept in path.read_text(encoding="utf-8").splitlines() if not kept.startswith("register")]
    path.write_text("\n".join([line, *rest]) + "\n", encoding="utf-8")
    return Round(folder)


def new_round(folder: Path, line: str) -> Round:
    make_form(folder / "form")
    office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    (folder / "round.toml").write_text(f'form = "{(folder / "form").as_posix()}"\n{office}', encoding="utf-8")
    (folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    return with_register(folder, line)


def run(round_: Round, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["--round", str(round_.folder), *words])


# its name in round.toml


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://behov:hemmelig@db.example.no/behov", "it holds a password, which never stands in a file"),
        ("postgresql://behov@db.example.no/behov?password=hemmelig", "it holds a password"),
        ("mysql://behov@db.example.no/behov", "it is not the URL of a PostgreSQL database. Write it as postgresql://"),
        ("postgresql://db.example.no", "it is not the URL of a PostgreSQL database"),
        ("postgresql://db.example.no/behov?schema=Runde-2024", "its schema has more than small letters, digits and _"),
        ("postgresql://[db/behov", "it is no URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_with_what_to_write(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(RoundError, match=said) as told:
        _ = new_round(tmp_path, f'register = "{url}"').settings

    assert "round.toml: register" in str(told.value)
    assert "hemmelig" not in str(told.value)


def test_the_url_names_a_schema_that_is_the_rounds_alone(tmp_path: Path) -> None:
    one, other = (new_round(tmp_path / name, f'register = "{URL}&sslmode=verify-full"') for name in "ab")

    assert one.database.url == "postgresql://behov@db.example.no/behov?sslmode=verify-full"  # type: ignore[union-attr]
    assert one.database.schema == "runde_2024"  # type: ignore[union-attr]
    assert one.database.round != other.database.round


def test_a_register_in_a_file_needs_no_setting(filed: Round) -> None:
    assert isinstance(filed.database, File)
    assert filed.database.path == filed.folder / "register.db"


# a server that does not answer


def test_a_server_that_cannot_be_reached_is_told_in_one_sentence(tmp_path: Path) -> None:
    result = run(new_round(tmp_path, f'register = "postgresql://behov@/behov?host={tmp_path}"'), "status")

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the register's server ")
    assert "cannot be reached" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_wrong_password_is_told_without_saying_it(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = new_round(tmp_path, f'register = "{postgres.url("secret", SECRET)}"')
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    for password in ("", "feilpassord"):
        monkeypatch.setenv(PASSWORD, password)
        result = run(round_, "status")

        assert result.exit_code == 2
        assert f"does not let «{SECRET}» in" in result.stderr
        assert f"{PASSWORD}, PGPASSWORD or ~/.pgpass" in result.stderr
        assert "feilpassord" not in result.stderr


def test_a_password_is_read_from_the_environment_or_from_pgpass(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.execute(f"CREATE SCHEMA secret AUTHORIZATION {SECRET}")
    round_ = new_round(tmp_path, f'register = "{postgres.url("secret", SECRET)}"')
    monkeypatch.setenv(PASSWORD, SECRET)
    assert run(round_, "status").exit_code == 0

    monkeypatch.delenv(PASSWORD)
    pgpass = tmp_path / "pgpass"
    pgpass.write_text(f"*:*:*:{SECRET}:{SECRET}\n", encoding="ascii")
    pgpass.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(pgpass))
    assert run(round_, "status").exit_code == 0


def test_one_who_may_not_make_tables_is_told_so(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, SECRET)
    result = run(new_round(tmp_path, f'register = "{postgres.url("forbidden", SECRET)}"'), "status")

    assert result.exit_code == 2
    assert f"«{SECRET}» may not do that" in result.stderr


def test_a_database_that_is_not_there_is_told(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url("x").replace("/postgres?", "/ukjent?")

    result = run(new_round(tmp_path, f'register = "{url}"'), "status")

    assert result.exit_code == 2
    assert 'has no such thing (database "ukjent" does not exist)' in result.stderr


def test_what_must_be_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    result = run(new_round(tmp_path, f'register = "{URL}"'), "status")

    assert result.exit_code == 2
    assert "pipx inject behov 'psycopg[binary]'" in result.stderr


# nobody else's tables


def test_two_rounds_never_write_in_one_register(tmp_path: Path, on_server: Places) -> None:
    line = on_server.setting()
    assert run(new_round(tmp_path / "a", line), "status").exit_code == 0

    result = run(new_round(tmp_path / "b", line), "status")

    assert result.exit_code == 2
    assert "holds the register of another round; give this round a schema of its own" in result.stderr


def test_a_schema_with_tables_of_others_is_left_alone(tmp_path: Path, postgres: Postgres) -> None:
    postgres.execute("CREATE SCHEMA others", "CREATE TABLE others.lunsj (dag TEXT)")

    result = run(new_round(tmp_path, f'register = "{postgres.url("others")}"'), "status")

    assert result.exit_code == 2
    assert "holds other tables (lunsj); give this round a schema of its own" in result.stderr


def test_a_table_that_staff_add_beside_ours_is_never_dropped(tmp_path: Path, on_server: Places) -> None:
    round_ = new_round(tmp_path, on_server.setting())
    Register.of(round_).merge([FULL.verdict()], NOW)
    schema = round_.database.schema  # type: ignore[union-attr]
    assert on_server.server
    on_server.server.execute(f"SET search_path = {schema}", "CREATE TABLE notater (tekst TEXT)", "DELETE FROM shape")

    register = Register.of(round_)

    assert len(register.reports()) == 1
    on_server.server.execute(f"SET search_path = {schema}", "SELECT * FROM notater")


def test_a_text_of_any_kind_is_kept(tmp_path: Path, on_server: Places) -> None:
    register = Register.of(new_round(tmp_path, on_server.setting()))
    odd = 'Æ \\N \t "x" \\\n{}\U0001f600'

    register.merge([Made(questions={"navn": odd}, table=({"report": odd, "motor": None},)).verdict()], NOW)

    assert register.reports()[0]["owner"] == odd
    assert register.sheet_rows("meldinger", ["BAT-0001-1"])["BAT-0001-1"][0]["report_"] == odd


# coming there and away


def test_a_register_is_brought_from_its_file_to_the_server(filed: Round, on_server: Places) -> None:
    before = content(filed)
    round_ = with_register(filed.folder, on_server.setting())
    told = run(round_, "status")
    assert told.exit_code == 2
    assert "bring it over with: behov rebuild (nothing is lost)" in told.stderr

    result = run(round_, "rebuild", "--json")

    assert json.loads(result.stdout) == {"reports": 2, "carried_over_from": "register-before-rebuild.db"}
    assert content(round_) == before
    assert verify(round_, Register.of(round_)) == []
    take_in(round_, Made("after", day(13), report="BAT-0001-7"))
    assert len(make_letters(round_, Register.of(round_), NOW)) == 1, "numbers go on after those that were copied"


def test_two_registers_of_one_round_are_never_mixed(filed: Round, on_server: Places) -> None:
    copy = filed.register.read_bytes()
    round_ = with_register(filed.folder, on_server.setting())
    run(round_, "rebuild")
    filed.register.write_bytes(copy)

    result = run(round_, "rebuild")

    assert result.exit_code == 2
    assert "holds a register already, and so does" in result.stderr


def test_a_backup_has_the_register_in_a_file_and_can_be_brought_back(
    filed: Round, on_server: Places, tmp_path: Path
) -> None:
    round_ = with_register(filed.folder, on_server.setting())
    run(round_, "rebuild")

    back_up(round_, tmp_path / "kopi")

    copy = Round(tmp_path / "kopi")
    assert copy.database.path == copy.register  # type: ignore[union-attr]
    assert verify(copy, Register.of(copy)) == []
    assert content(copy) == content(round_)
    restored = with_register(copy.folder, on_server.setting("restored"))
    assert run(restored, "rebuild").exit_code == 0
    assert content(restored) == content(round_)


def test_numbers_and_moments_are_the_same_on_both(filed: Round, on_server: Places) -> None:
    def told(register: Register) -> list[object]:
        with register.reading() as connection:
            every = [
                connection.execute(select(table).order_by(*table.primary_key)).all() for table in (returns, letters)
            ]
            return [*every, current_state(register, connection), register.status_counts()]

    before = told(Register.of(filed))
    round_ = with_register(filed.folder, on_server.setting())
    run(round_, "rebuild")

    assert told(Register.of(round_)) == before
    assert before[0][0].recipient == OWNER  # type: ignore[index]
