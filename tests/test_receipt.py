"""When a return was received and from whom: what is judged by it, kept of it and told to staff."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

import cli
from intake.receive import receive
from intake.submission import FILE_CLOCK, MAIL_SERVER, STATED, Mail, Return
from outputs.register.log import origins
from outputs.register.register import Register
from templates.fill import fill_workbook
from templates.form import Form
from templates.round import Round
from templates.rules.named_checks import NAMED_CHECKS
from tests.desk import Desk
from tests.made_returns import FORM, Made, make_form
from tests.mails import OFFICE, OWNER, mail, packed, put
from validation.check import judge
from validation.verdict import Verdict

OSLO = ZoneInfo("Europe/Oslo")
CLUB = Path(__file__).parent / "forms" / "hagelag"
DEADLINE_RULE = """
[[rule]]
id = "H3"
check = "received_by_deadline"
later = { nb = "Om den kom i tide.", nn = "Om han kom i tide." }
message = { nb = "Kom {mottatt}, fristen var {frist}.", nn = "Kom {mottatt}, fristen var {frist}." }
"""
DESK = Desk.of("behovsmelding-2024")


def verdict(form: Form, received: datetime, **source: Any) -> Verdict:  # noqa: ANN401 - fields of a Return
    made = Made(received=received).submission()
    return judge([replace(made, source=replace(made.source, **source))], form)[0]


# the deadline, to the second


NEW_YORK = timezone(timedelta(hours=-5))
AROUND = [
    (datetime(2030, 2, 1, 23, 59, 59, tzinfo=OSLO), "accepted"),
    (datetime(2030, 2, 1, 23, 59, 59, 999_999, tzinfo=OSLO), "accepted"),
    (datetime(2030, 2, 2, 0, 0, 0, tzinfo=OSLO), "late"),
    (datetime(2030, 2, 1, 22, 59, 59, tzinfo=UTC), "accepted"),
    (datetime(2030, 2, 1, 23, 0, 0, tzinfo=UTC), "late"),
    (datetime(2030, 2, 1, 17, 59, 59, tzinfo=NEW_YORK), "accepted"),
    (datetime(2030, 2, 1, 18, 0, 0, tzinfo=NEW_YORK), "late"),
]
SUMMER = [
    (datetime(2030, 6, 1, 10, 0, 0, tzinfo=UTC), "accepted"),
    (datetime(2030, 6, 1, 10, 0, 1, tzinfo=UTC), "late"),
    (datetime(2030, 6, 1, 12, 0, 0, tzinfo=OSLO), "accepted"),
]
TWICE = [  # at 03.00 summer time the clock is set back to 02.00, so it is 02.30 twice
    (datetime(2030, 10, 27, 0, 30, 0, tzinfo=UTC), "accepted"),
    (datetime(2030, 10, 27, 0, 30, 1, tzinfo=UTC), "late"),
    (datetime(2030, 10, 27, 1, 15, 0, tzinfo=UTC), "late"),
    (datetime(2030, 10, 27, 2, 15, 0, tzinfo=OSLO, fold=1), "late"),
]


@pytest.mark.parametrize(
    ("deadline", "received", "outcome"),
    [(deadline, *case) for deadline, cases in (
        ("2030-02-01T23:59:59", AROUND), ("2030-06-01T12:00:00", SUMMER), ("2030-10-27T02:30:00", TWICE),
    ) for case in cases],
)  # fmt: skip
def test_the_deadline_is_the_clock_in_oslo_to_the_second(
    deadline: str, received: datetime, outcome: str, tmp_path: Path
) -> None:
    form = make_form(tmp_path, FORM.replace("2030-02-01T23:59:59", deadline))

    assert verdict(form, received).outcome == outcome


# what staff are told of a time


LATE, EARLY = datetime(2030, 2, 3, 8, 0, tzinfo=OSLO), datetime(2030, 1, 30, 8, 0, tzinfo=OSLO)


def forwarded(when: datetime | None) -> Mail:
    return Mail("<2@x>", OFFICE, "VS: Skjema", None, when)


@pytest.mark.parametrize(
    ("received", "source", "said"),
    [
        (
            LATE,
            {"clock": FILE_CLOCK},
            "Kom inn etter fristen, regnet etter når filen sist ble endret (03.02.2030 kl. 08.00).",
        ),
        (LATE, {"clock": STATED}, None),
        (LATE, {"clock": MAIL_SERVER}, None),
        (EARLY, {"clock": FILE_CLOCK}, None),
        (LATE, {"clock": MAIL_SERVER, "mail": forwarded(EARLY)}, "skal ha kommet 30.01.2030 kl. 08.00."),
        (LATE, {"clock": MAIL_SERVER, "mail": forwarded(LATE)}, None),
        (LATE, {"clock": MAIL_SERVER, "mail": forwarded(None)}, None),
    ],
)
def test_staff_are_told_when_a_late_one_may_have_come_in_time(
    received: datetime, source: dict[str, Any], said: str | None, tmp_path: Path
) -> None:
    reason = verdict(make_form(tmp_path), received, **source).reason

    assert said in reason.get("nb", "") if said else reason == {}
    assert reason.keys() in ({"nb", "nn"}, set())


# who sent it


def sent_by(folder: Path, sender: str | None, contact: str = "kari@asker.example") -> Verdict:
    """A clean behovsmelding with this contact, from this sender."""
    sample = DESK.samples.clean["rek_privat"]
    owner = DESK.owner_for(sample)
    answers = DESK.answers(sample, owner)
    answers["skjema"]["kontakt_epost"] = contact
    path = put(folder / "melding.xlsx", DESK.fill(answers, owner))
    return judge([receive(Return(path, "0" * 64, DESK.in_time, sender, MAIL_SERVER), DESK.office)], DESK.form)[0]


CALM = "Vi svarer bare til adressen vi har registrert. Dere trenger ikke gjøre noe."


@pytest.mark.parametrize(
    ("sender", "contact"),
    [
        ("kari@asker.example", "kari@asker.example"),
        ("KARI@ASKER.EXAMPLE", "Kari@asker.example"),
        ("postmottak@asker.example", "kari@asker.example"),
        ("kari@xn--brum-voa.example", "kari@bærum.example"),
        ("kari@gmail.com", "kari@gmail.com"),
    ],
)
def test_the_contact_and_others_at_the_same_domain_may_send(sender: str, contact: str, tmp_path: Path) -> None:
    assert sent_by(tmp_path, sender, contact).findings == ()


@pytest.mark.parametrize(
    ("sender", "contact"),
    [
        ("ola@regnskap.example", "kari@asker.example"),
        ("kari@asker.example.evil.example", "kari@asker.example"),
        ("ola@gmail.com", "kari@gmail.com"),
    ],
)
def test_another_sender_is_noted_and_nothing_more(sender: str, contact: str, tmp_path: Path) -> None:
    judged = sent_by(tmp_path, sender, contact)

    assert judged.outcome == "accepted"
    assert [(one.rule, one.severity, one.message["nb"]) for one in judged.findings] == [
        (
            "C30",
            "info",
            f"Avsenderen {sender} er en annen enn kontaktpersonen. {CALM}",
        )
    ]


def test_without_a_sender_or_a_contact_nothing_is_said_of_the_sender(tmp_path: Path) -> None:
    assert sent_by(tmp_path, None).findings == ()
    assert "C30" not in {one.rule for one in sent_by(tmp_path, "ola@x.example", "ingen adresse").findings}
    assert NAMED_CHECKS["sender_is_contact"].given == ("email",)


# in a round


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    """A round that has sent two workbooks, with a deadline of its own that is long past."""
    folder, form = tmp_path / "runde", tmp_path / "hagelag"
    shutil.copytree(CLUB, form)
    definition = (form / "form.toml").read_text(encoding="utf-8")
    (form / "form.toml").write_text(definition.replace("opens = 2030-01-01", "opens = 2023-10-10"), encoding="utf-8")
    with (form / "rules.toml").open("a", encoding="utf-8") as rules:
        rules.write(DEADLINE_RULE)
    assert CliRunner().invoke(cli.main, ["new", str(folder), "--form", str(form)]).exit_code == 0
    settings = (folder / "round.toml").read_text(encoding="utf-8")
    settings = settings.replace("# deadline = 2024-02-01T23:59:59", "deadline = 2024-02-01T23:59:59")
    (folder / "round.toml").write_text(settings.replace("postmottak@example.no", OFFICE), encoding="utf-8")
    (folder / "recipients.csv").write_text(
        "orgnr;navn;type;epost;språk\n"
        "920125298;Epletreet;MEDLEM;epletreet@hage.example;nb\n"
        "123456785;Plommetreet;MEDLEM;plommetreet@hage.example;nn\n",
        encoding="utf-8",
    )
    made = Round(folder)
    assert run(made, "send-out").exit_code == 0
    return made


def run(round_: Round, *words: str) -> Result:
    return CliRunner().invoke(cli.main, ["--round", str(round_.folder), *words])


def files(round_: Round, *words: str) -> list[dict[str, Any]]:
    done = run(round_, "ingest", "--json", *words)
    assert done.exit_code in {cli.DONE, cli.NEEDS_A_PERSON}, done.output
    return json.loads(done.stdout)["files"]  # type: ignore[no-any-return]


def filled(round_: Round, report: str = "HAGE-0001-1", title: str = "Bed mot sør") -> bytes:
    line = round_.sent()[report]
    plan = {"tittel": title, "jordtype": "SAND", "budsjett": 500}
    plants = [{"art": "Gulrot", "antall": 40, "pris": 120}]
    sent = (round_.sent_folder / line.file).read_bytes()
    return fill_workbook(sent, round_.form, line.language, {"plan": plan, "vekster": plants})


IN_TIME, TOO_LATE = datetime(2024, 2, 1, 23, 59, 59, tzinfo=OSLO), datetime(2024, 2, 2, 0, 0, tzinfo=OSLO)


def outcomes(told: Sequence[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for one in told]


def test_a_mail_is_judged_by_its_server_in_the_rounds_own_deadline(round_: Round) -> None:
    put(round_.inbox / "a.eml", mail(("skjema.xlsx", filled(round_)), received=IN_TIME.astimezone(UTC)), TOO_LATE)
    put(round_.inbox / "b.eml", mail(("skjema.xlsx", filled(round_, "HAGE-0002-1")), received=TOO_LATE), IN_TIME)

    first, second = files(round_)

    assert (first["outcome"], first["received"]) == ("accepted", "2024-02-01T23:59:59+01:00")
    assert (second["outcome"], second["received"]) == ("late", "2024-02-02T00:00:00+01:00")
    assert (first["sender"], first["clock"], first["message_id"]) == (OWNER, "mail", "<1@asker.example>")
    assert first["path"].endswith("a.eml/skjema.xlsx")
    assert (round_.archive / f"{first['sha256']}.xlsx").read_bytes() == filled(round_)


def test_staff_state_when_a_file_was_handed_in(round_: Round) -> None:
    path = put(round_.folder / "minnepinne" / "skjema.xlsx", filled(round_), TOO_LATE)

    [guessed] = files(round_, "--dry-run", str(path))
    [stated] = files(round_, "--received", "2024-02-01 23:59", str(path))

    assert (guessed["outcome"], guessed["clock"]) == ("late", "file")
    assert guessed["reason"].startswith("Kom inn etter fristen, regnet etter når filen sist ble endret")
    assert (stated["outcome"], stated["clock"], stated["received"]) == (
        "accepted", "stated", "2024-02-01T23:59:00+01:00",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--received", "2024-02-01 14:00"), "--received is about files that you name; write their paths after it"),
        (("--received", "2999-02-01 14:00", "."), "--received 2999-02-01 14:00 has not been yet"),
        (("--received", "i går", "."), "«i går» is not understood; write it as 2024-02-15 14:30"),
    ],
)
def test_a_time_that_cannot_be_is_not_taken(words: tuple[str, ...], said: str, round_: Round) -> None:
    done = run(round_, "ingest", *words)

    assert done.exit_code == cli.WRONG_USE
    assert said in " ".join(done.stderr.split())


def test_the_same_file_by_two_ways_is_one_return_and_both_ways_are_kept(round_: Round) -> None:
    content = filled(round_)
    put(round_.inbox / "direkte.eml", mail(("skjema.xlsx", content), received=TOO_LATE))
    put(round_.inbox / "vs.eml", mail(("VS skjema.xlsx", content), received=IN_TIME, sender=OFFICE, message_id="<2@x>"))
    put(round_.inbox / "zip.zip", packed({"skjema.xlsx": content}), IN_TIME - timedelta(days=20))

    assert outcomes(files(round_)) == ["duplicate", "accepted", "duplicate"], "a known time goes before a guess"
    assert outcomes(files(round_)) == ["duplicate"] * 3
    with Register.open(round_.register, round_.form).reading() as connection:
        rows = connection.execute(select(origins).order_by(origins.c.path)).mappings().all()
    assert [(row["clock"], row["sender"], row["message_id"]) for row in rows] == [
        ("mail", OWNER, "<1@asker.example>"), ("mail", OFFICE, "<2@x>"), ("file", None, None),
    ]  # fmt: skip
    assert rows[0]["sent"] == datetime(2024, 1, 1, 6, 59, tzinfo=UTC)
    assert {row["sha256"] for row in rows} == {rows[0]["sha256"]}


def test_staff_see_what_needs_them_with_who_sent_it(round_: Round) -> None:
    put(round_.inbox / "a.eml", mail(received=IN_TIME, subject="Kan vi få utsettelse?"))
    put(round_.inbox / "b.eml", mail(("winmail.dat", b"\x78\x9f\x3e\x22\x00"), received=IN_TIME))
    put(round_.inbox / "c.xlsx", filled(round_), TOO_LATE)

    done = run(round_, "ingest")
    waiting = json.loads(run(round_, "status", "--json").stdout)["need_a_person"]

    assert done.exit_code == cli.NEEDS_A_PERSON
    assert f"«a.eml», from {OWNER}  E-posten «Kan vi få utsettelse?» fra {OWNER} har ikke noe skjema" in done.stdout
    assert f"«winmail.dat», from {OWNER}  I filen «winmail.dat» har Outlook pakket vedleggene" in done.stdout
    assert "Late, for decision\n  «c.xlsx»  Kom inn etter fristen, regnet etter når filen sist" in done.stdout
    assert [one["reason"][:12] for one in waiting] == ["E-posten «Ka", "I filen «win", "Kom inn ette"]
    assert {path.suffix for path in round_.archive.iterdir()} == {".eml", ".dat", ".xlsx"}


def test_check_looks_at_every_file_in_a_mail_and_stores_nothing(round_: Round) -> None:
    attached = [("a.xlsx", filled(round_)), ("b.xlsx", b"%PDF-1.7")]
    path = put(round_.folder / "melding.eml", mail(*attached, received=IN_TIME))

    done = run(round_, "check", str(path))

    assert done.exit_code == cli.NEEDS_A_PERSON
    assert "a.xlsx: complete  HAGE-0001-1" in done.stdout
    assert "b.xlsx: could not be read" in done.stdout
    assert not list(round_.archive.iterdir())


def test_many_files_in_mails_are_read_in_worker_processes(round_: Round) -> None:
    for number in range(10):
        attached = ("skjema.xlsx", filled(round_, title=f"Bed {number}"))
        put(round_.inbox / f"{number}.eml", mail(attached, received=IN_TIME - timedelta(hours=number)))

    told = files(round_, "--workers", "2")

    assert outcomes(told) == ["accepted"] + ["superseded"] * 9
    assert Register.open(round_.register, round_.form).submission("HAGE-0001-1").source.clock == MAIL_SERVER


def test_rules_on_the_sender_are_told_as_not_checked_where_nobody_knows_who_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "runde"
    run(Round(folder), "new", str(folder), "--form", "behovsmelding-2024")
    sample = DESK.samples.clean["rek_privat"]
    owner = DESK.owner_for(sample)
    round_ = Round(folder)
    (folder / "recipients.csv").write_text(
        f"orgnr;navn;type;kommunenr;epost;språk\n"
        f"{owner.orgnr};{owner.name};{owner.type};{owner.kommunenr};{owner.email};nb\n",
        encoding="utf-8",
    )
    run(round_, "send-out")
    [line] = round_.sent().values()
    workbook, answers = (round_.sent_folder / line.file).read_bytes(), DESK.answers(sample, owner)
    content = fill_workbook(workbook, round_.form, "nb", answers)
    other = answers | {"skjema": answers["skjema"] | {"tiltak_tittel": "Noe annet"}}
    put(round_.inbox / "melding.xlsx", fill_workbook(workbook, round_.form, "nb", other), DESK.in_time)
    put(round_.inbox / "melding.eml", mail(("melding.xlsx", content), received=DESK.in_time))

    done = run(round_, "ingest", "--dry-run")

    assert "  the sender of 1 file is not known: C30\n" in done.stdout
