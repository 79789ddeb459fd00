from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from intake.submission import Mail
from outputs.letters.message import read_message
from outputs.mailing import outbox
from outputs.mailing.outbox import make_letters
from outputs.register.log import letter_events, letters
from outputs.register.register import Register
from templates.round import Round
from tests.made_returns import ERROR, LATE_FINDING, OWNER, REMARK, REPORT, Made, day, make_form
from validation.findings import Finding
from validation.verdict import Verdict

EARLY = day(9)
NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
LATER = datetime(2030, 2, 12, 8, tzinfo=UTC)
OTHER_OWNER, OTHER_REPORT = "964952612", "BAT-0002-1"
RECIPIENTS = f"""orgnr;navn;type;epost;språk
{OWNER};Ask båtlag;KLUBB;ask@example.no;nb
{OTHER_OWNER};Våg båtlag;KLUBB;vaag@example.no;nn
"""
MORE = Finding("B4", "error", "Meldinger", ("B8",), ("report",), {"nb": "Skriv navnet.", "nn": "Skriv namnet."})
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR, MORE, REMARK))
LATE = Made("late", day(3, month=2), "late", findings=(LATE_FINDING,))
NYNORSK = Made("andre", report=OTHER_REPORT, recipient=OTHER_OWNER)


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    make_form(tmp_path / "form")
    settings = f'form = "{(tmp_path / "form").as_posix()}"\n[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    (tmp_path / "round.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    return Round(tmp_path)


@pytest.fixture
def register(round_: Round) -> Register:
    return Register.open(round_.register, round_.form)


def take_in(register: Register, *made: Made | Verdict) -> None:
    register.merge([one.verdict() if isinstance(one, Made) else one for one in made], NOW)


def refused(outcome: str = "unreadable", content: str = "locked") -> Verdict:
    made = Made(content, EARLY)
    reason = {"nb": "Filen har passord.", "nn": "Fila har passord."}
    return Verdict(made.source(), outcome, reason, None, (), REPORT, OWNER)


def texts(round_: Round, rows: list[dict[str, Any]]) -> list[str]:
    return [text_of(read_message(round_.folder / row["path"])) for row in rows]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


# who is told what


def test_a_doubted_file_that_came_last_is_told_once_with_the_report_that_counts(
    round_: Round, register: Register
) -> None:
    take_in(register, WRONG, Made("doubted", day(14), "quarantined"))

    assert len(make_letters(round_, register, NOW)) == 1
    assert make_letters(round_, register, NOW) == []


def test_each_owner_gets_one_letter_about_all_its_reports(round_: Round, register: Register) -> None:
    take_in(register, WRONG, Made("second", report="BAT-0001-2"), NYNORSK)

    first, second = make_letters(round_, register, NOW)
    assert first == {
        "recipient": OWNER,
        "kind": "correction",
        "to": ["ask@example.no"],
        "path": first["path"],
        "state": "queued",
    }
    assert (second["recipient"], second["kind"]) == (OTHER_OWNER, "receipt")
    assert sorted(path.name for path in round_.outbox.iterdir()) == sorted(
        row["path"].removeprefix("outbox/") for row in (first, second)
    )
    nb, nn = texts(round_, [first, second])
    assert "BAT-0001-1" in nb
    assert "Alle opplysningene vi trenger, er med." in nb
    assert "Alle opplysningane vi treng, er med." in nn


def test_a_letter_answers_the_mail_that_brought_the_file(round_: Round, register: Register) -> None:
    verdict = WRONG.verdict()
    mail = Mail("<svar@ask.example>", "ask@example.no", "Skjema", None)
    elsewhere = replace(verdict.source, path=Path("inbox/igjen.xlsx"), received=day(20))
    came = [replace(verdict, source=replace(verdict.source, mail=mail)), replace(verdict, source=elsewhere)]
    take_in(register, *came, NYNORSK)

    first, second = (read_message(round_.folder / row["path"]) for row in make_letters(round_, register, NOW))
    assert (first["In-Reply-To"], second["In-Reply-To"]) == ("<svar@ask.example>", None)


def test_running_it_again_writes_no_second_letter(round_: Round, register: Register) -> None:
    take_in(register, WRONG, NYNORSK, LATE, refused("empty", "blank"))
    make_letters(round_, register, NOW)
    before = {path: path.read_bytes() for path in round_.outbox.iterdir()}

    assert make_letters(round_, register, LATER) == []
    assert {path: path.read_bytes() for path in round_.outbox.iterdir()} == before


def test_a_letter_is_logged_with_its_state(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    (row,) = make_letters(round_, register, NOW)

    with register.reading() as connection:
        (letter,) = connection.execute(select(letters)).mappings()
        (event,) = connection.execute(select(letter_events)).mappings()
    assert {key: letter[key] for key in row} == row
    assert letter["subject"] == "Liste BAT-0001-1: 2 opplysninger må rettes innen 18. februar"
    assert (event["letter"], event["state"], event["at"]) == (letter["id"], "queued", NOW)


def test_only_what_is_new_is_told(round_: Round, register: Register) -> None:
    take_in(register, Made("one"), Made("two", report="BAT-0001-2"))
    make_letters(round_, register, NOW)
    take_in(register, Made("two again", day(12), report="BAT-0001-2"))

    (text,) = texts(round_, make_letters(round_, register, NOW))
    assert "BAT-0001-2" in text
    assert "BAT-0001-1" not in text


def test_a_correction_letter_sets_the_deadline_it_tells(round_: Round, register: Register) -> None:
    take_in(register, WRONG, NYNORSK)
    make_letters(round_, register, NOW)

    deadlines = {row["report"]: row["correction_deadline"] for row in register.reports()}
    assert deadlines == {
        REPORT: datetime(2030, 2, 18, 23, 59, 59, tzinfo=round_.form.zone),
        OTHER_REPORT: None,
    }


def test_a_later_letter_tells_what_has_been_corrected(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    make_letters(round_, register, NOW)
    take_in(register, Made("better", day(10, month=2), "needs_correction", findings=(MORE,)))

    (text,) = texts(round_, make_letters(round_, register, LATER))
    assert "Takk for en ny versjon av listen «better»" in text
    assert "1 av 2 opplysninger er rettet, og 1 gjenstår." in text
    assert "innen tirsdag 26. februar" in text


def test_versions_that_nobody_was_told_about_are_not_compared(round_: Round, register: Register) -> None:
    take_in(register, WRONG, Made("better", day(12), "needs_correction", findings=(MORE,)))

    (text,) = texts(round_, make_letters(round_, register, NOW))
    assert "Takk." not in text
    assert "må dere rette én opplysning" in text


def test_a_late_report_is_told_the_deadline_it_missed(round_: Round, register: Register) -> None:
    take_in(register, LATE)

    (row,) = make_letters(round_, register, NOW)
    (text,) = texts(round_, [row])
    assert row["kind"] == "late"
    assert "Fristen var fredag 1. februar kl. 23.59" in text
    assert "For sent." not in text  # the finding: the letter has said it


def test_a_correction_that_came_too_late_is_told_its_own_deadline(round_: Round, register: Register) -> None:
    take_in(register, WRONG)
    make_letters(round_, register, NOW)
    too_late = Made("corrected", day(20, month=2), "late", findings=(LATE_FINDING, ERROR))
    take_in(register, too_late)

    (row,) = make_letters(round_, register, LATER)
    (text,) = texts(round_, [row])
    assert row["kind"] == "late"
    assert "Fristen var mandag 18. februar kl. 23.59" in text
    assert "Inntil videre gjelder versjonen vi fikk tidligere." in text
    assert "Start" not in text  # what the late version lacks is for later


def test_a_file_that_could_not_be_read_is_asked_for_again(round_: Round, register: Register) -> None:
    take_in(register, refused())

    (row,) = make_letters(round_, register, NOW)
    (text,) = texts(round_, [row])
    assert row["kind"] == "unreadable"
    assert "Filen har passord." in text
    assert "Send skjemaet på nytt som svar på denne e-posten innen mandag 18. februar." in text


def test_a_file_asked_for_again_is_not_late_when_it_comes_in_time(round_: Round, register: Register) -> None:
    take_in(register, refused())
    make_letters(round_, register, NOW)
    take_in(register, Made("again", day(10, month=2), "late", findings=(LATE_FINDING,)))

    assert [row["kind"] for row in make_letters(round_, register, LATER)] == ["receipt"]


def test_a_bad_file_is_not_told_about_once_a_good_one_has_come(round_: Round, register: Register) -> None:
    take_in(register, refused(), Made("good", day(10)))

    assert [row["kind"] for row in make_letters(round_, register, NOW)] == ["receipt"]


def test_what_is_no_news_to_the_owner_gives_no_letter(round_: Round, register: Register) -> None:
    nobody = replace(refused("quarantined", "whose"), report=None, recipient=None)
    take_in(register, refused("failed", "ours"), nobody)

    assert make_letters(round_, register, NOW) == []


def test_an_owner_without_a_registered_address_gets_a_draft(round_: Round, register: Register) -> None:
    take_in(register, Made("x", recipient="974760673", report="BAT-0009-1"))

    (row,) = make_letters(round_, register, NOW)
    assert (row["state"], row["to"]) == ("draft", [])
    assert read_message(round_.folder / row["path"])["To"] is None
    assert make_letters(round_, register, NOW) == []


# when it breaks


def test_a_run_that_breaks_off_loses_no_letter_and_doubles_none(
    round_: Round, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(register, WRONG, NYNORSK)
    whole = make_letters  # the same call, broken off after each step of the way
    for step in ("write_message", "enter", "end_of"):
        with monkeypatch.context() as broken:
            broken.setattr(outbox, step, lambda *_, **_named: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                whole(round_, register, NOW)

    made = whole(round_, register, NOW)
    assert [row["recipient"] for row in made] == [OWNER, OTHER_OWNER]
    assert sorted(path.name for path in round_.outbox.iterdir()) == sorted(
        row["path"].removeprefix("outbox/") for row in made
    )


def test_many_owners_are_written_to_some_at_a_time(
    round_: Round, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "AT_A_TIME", 2)
    take_in(register, *(Made(f"{n}", recipient=f"{n}", report=f"BAT-{n}-1") for n in range(1000, 1005)))

    assert [row["recipient"] for row in make_letters(round_, register, NOW)] == [f"{n}" for n in range(1000, 1005)]


# the marked workbook


def names_of(message: EmailMessage) -> list[str | None]:
    return [part.get_filename() for part in message.iter_attachments()]


def test_a_letter_brings_a_marked_workbook_of_each_report_that_is_to_be_corrected(
    round_: Round, register: Register
) -> None:
    third = Made("third", report="BAT-0001-3", outcome="needs_correction", findings=(ERROR,))
    take_in(register, WRONG, Made("second", report="BAT-0001-2"), third)

    (row,) = make_letters(round_, register, NOW)

    message = read_message(round_.folder / row["path"])
    assert names_of(message) == ["BAT-0001-1-rettes.xlsx", "BAT-0001-3-rettes.xlsx"]
    assert "Åpne filene som ligger ved (BAT-0001-1-rettes.xlsx og BAT-0001-3-rettes.xlsx)." in text_of(message)


def test_a_marked_workbook_without_room_lies_beside_the_letter_which_says_where_it_is(
    round_: Round, register: Register
) -> None:
    with (round_.folder / "round.toml").open("a", encoding="utf-8") as file:
        file.write('[mail]\nmax_megabytes = 0.01\nlarge_files = "https://kontoret.no/filer"\n')
    small = Round(round_.folder)
    take_in(register, WRONG)

    (row,) = make_letters(small, register, NOW)

    message = read_message(small.folder / row["path"])
    assert names_of(message) == []
    assert "«BAT-0001-1-rettes.xlsx» er for stor til å ligge ved. Dere finner den her: https://" in text_of(message)
    assert "Åpne filen dere sendte oss" in text_of(message)
    assert (small.outbox / "BAT-0001-1-rettes.xlsx").read_bytes().startswith(b"PK")


def test_a_workbook_that_cannot_be_marked_stops_no_letter(
    round_: Round, register: Register, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("outputs.marked.marking.Marker.mark", lambda *_: 1 / 0)
    take_in(register, WRONG)

    (row,) = make_letters(round_, register, NOW)

    message = read_message(round_.folder / row["path"])
    assert names_of(message) == []
    assert "Åpne filen dere sendte oss" in text_of(message)
    assert REPORT in caplog.text
