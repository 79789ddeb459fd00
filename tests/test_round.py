"""A round is a folder: its settings, its key, and a ledger in which nobody ever changes number."""

import re
import shutil
import stat
import sys
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from outputs.telling import ingest_lines, sent_out_lines
from templates.definition import FormError
from templates.recipients import Recipient
from templates.round import KEY_BYTES, ROUND_TOML, SENT_COLUMNS, Round, RoundError, Sent, new_round
from templates.sendout import plan, send_out, slug

HAGELAG = Path(__file__).parent / "forms" / "hagelag"
MEMBERS = """\
orgnr;navn;type;epost;språk;antall
920125298;Epletreet;MEDLEM;epletreet@hage.example;nb;2
123456785;Plommetreet;MEDLEM;plommetreet@hage.example;nn;
974567989;Pæretreet;MEDLEM;paeretreet@hage.example;nb;
"""
SETTINGS = """\
form = "{form}"
[office]
name = "Hagelaget"
email = "post@hage.example"
"""
EPLE = Recipient("920125298", "Epletreet", "MEDLEM", "epletreet@hage.example", "nb", copies=2)
PLOMME = Recipient("123456785", "Plommetreet", "MEDLEM", "plommetreet@hage.example", "nn")
PAERE = Recipient("974567989", "Pæretreet", "MEDLEM", "paeretreet@hage.example", "nb")


def settled(folder: Path, text: str, form: Path = HAGELAG) -> Round:
    (folder / "round.toml").write_text(text.replace("{form}", form.as_posix()), encoding="utf-8")
    return Round(folder)


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    made = new_round(tmp_path / "runde", str(HAGELAG))
    (made.folder / "recipients.csv").write_text(MEMBERS, encoding="utf-8")
    return made


# a new round


def test_a_new_round_has_its_settings_and_every_folder(tmp_path: Path) -> None:
    made = new_round(tmp_path / "host" / "2030", str(HAGELAG))

    assert sorted(path.name for path in made.folder.iterdir()) == [
        "archive", "exports", "inbox", "outbox", "recipients.csv", "round.toml", "sent",
    ]  # fmt: skip
    assert made.settings.form == HAGELAG.as_posix()
    assert made.settings.deadline is None
    assert made.form.name == "hagelag"
    assert made.read_recipients() == ([], [])


def test_a_form_that_comes_with_the_program_is_named_not_placed(tmp_path: Path) -> None:
    made = new_round(tmp_path, "behovsmelding-2024")

    assert made.settings.form == "behovsmelding-2024"


def test_a_form_given_by_a_relative_path_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(HAGELAG, tmp_path / "mitt skjema")
    (tmp_path / "annet").mkdir()
    monkeypatch.chdir(tmp_path)
    made = new_round(tmp_path / "runde", "mitt skjema")
    monkeypatch.chdir(tmp_path / "annet")

    assert made.form.name == "hagelag"


def test_a_path_in_the_settings_is_taken_from_the_round(tmp_path: Path) -> None:
    shutil.copytree(HAGELAG, tmp_path / "skjema")
    (tmp_path / "runde").mkdir()

    assert settled(tmp_path / "runde", SETTINGS, Path("../skjema")).form.name == "hagelag"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_form_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / 'Kari\'s "beste" \\skjema'
    shutil.copytree(HAGELAG, folder)

    assert new_round(tmp_path / "runde", str(folder)).form.name == "hagelag"


def test_a_round_is_never_made_over_another(round_: Round) -> None:
    before = (round_.folder / "round.toml").read_bytes()

    with pytest.raises(RoundError) as raised:
        new_round(round_.folder, str(HAGELAG))

    assert str(raised.value) == f"{round_.folder} is a round already; choose another folder"
    assert (round_.folder / "round.toml").read_bytes() == before


def test_recipients_that_are_there_already_are_kept(tmp_path: Path) -> None:
    (tmp_path / "recipients.csv").write_text(MEMBERS, encoding="utf-8")

    made = new_round(tmp_path, str(HAGELAG))

    assert list(made.recipients) == ["920125298", "123456785", "974567989"]


def test_an_unknown_form_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FormError):
        new_round(tmp_path / "runde", "hagelaget-som-ikke-finnes")

    assert not (tmp_path / "runde").exists()


# settings


def told(folder: Path, text: str) -> str:
    with pytest.raises(RoundError) as raised:
        settled(folder, text).settings  # noqa: B018 - reading them is what is tested
    return str(raised.value)


def test_a_folder_that_is_no_round_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RoundError) as raised:
        Round(tmp_path).settings  # noqa: B018

    assert str(raised.value) == f"{tmp_path} is not a round (no round.toml); make one with: behov new DIR --form NAME"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('form = "{form}"\n', "", "form: is missing. Add it."),
        ('name = "Hagelaget"\n', "", "office.name: is missing. Add it."),
        ("[office]", "[ofice]", "office: is missing. Add it."),
        ('name = "Hagelaget"', 'navn = "Hagelaget"\nname = "x"',
         "office.navn: is not a known key. Use email, name or phone."),
        ('name = "Hagelaget"', "name = 3", 'office.name: must be text, not «3». Write it in quotes: "…".'),
        ("post@hage.example", "post",
         "office: its email «post» is not one e-mail address. Write it as post@example.no."),
        ('form = "{form}"', 'form = "{form}"\ndeadline = 2030-04-01',
         "deadline: must be a date with a time. Write 2024-02-01T23:59:59."),
        ('form = "{form}"', 'form = "{form}"\ndeadline = "snart"',
         "deadline: must be a date with a time. Write 2024-02-01T23:59:59."),
        ('form = "{form}"', 'form = "{form}"\ndeadline = 2030-04-01T12:00:00+02:00',
         "deadline: must be local time. Write 2024-02-01T23:59:59, without a time zone."),
        ("[office]", "[mail]\nport = 0\n[office]", "mail.port: must be at least 1, not 0. Correct it."),
        ("[office]", "[mail]\nport = 70000\n[office]", "mail.port: must be at most 65535, not 70000. Correct it."),
        ("[office]", '[mail]\npassword = "hemmelig"\n[office]',
         ("mail: a password never stands in a file of the round. "
          "Take it out, and put it in BEHOV_SMTP_PASSWORD.")),
        ("[office]", '[mailbox]\nhost = "x.no"\nuser = "x"\npassword = "hemmelig"\n[office]',
         ("mailbox: a password never stands in a file of the round. "
          "Take it out, and put it in BEHOV_IMAP_PASSWORD.")),
        ("[office]", "[mail]\nmax_megabytes = 0\n[office]",
         "mail.max_megabytes: must be more than 0, not 0. Correct it."),
        ("[office]", '[mail]\nhots = "x.no"\n[office]', "mail.hots: is not a known key. Did you mean «host»?"),
        ('"Hagelaget"', '" "', 'office.name: it is empty. Write what the office is called, as name = "Kontoret".'),
        ("[office]", '[mail]\nhost = "smtp://x.no"\n[office]',
         "mail.host: «smtp://x.no» is not the name of a server. Write the name alone, as mail.example.no."),
        ("[office]", '[mail]\nsender = "a@b.no,c@d.no"\n[office]',
         "mail.sender: «a@b.no,c@d.no» is not one e-mail address. Write it as post@example.no."),
        ("[office]", '[mail]\ntls = "none"\n[office]', "mail.tls: «none» is not known here. Use ssl or starttls."),
        ("[office]", '[mail]\nport = "587"\n[office]',
         "mail.port: must be a whole number, not «587». Write a number without quotes."),
        ("[office]", "[mail]\nport = true\n[office]",
         "mail.port: must be a whole number, not «true». Write a number without quotes."),
        ("[office]", "[mail]\nper_minute = 2.5\n[office]",
         "mail.per_minute: must be a whole number, not «2.5». Write a number without quotes."),
        ("[office]", '[mail]\nmax_megabytes = "10"\n[office]',
         "mail.max_megabytes: must be a number, not «10». Write a number without quotes."),
        ("[office]", '[mailbox]\nhost = "x.no"\nuser = "x"\nport = "993"\n[office]',
         "mailbox.port: must be a whole number, not «993». Write a number without quotes."),
        ("[office]", '[[mail]]\nhost = "x.no"\n[office]',
         "mail: must be a single group of keys. Write [mail] once, with one bracket."),
        ('email = "post@hage.example"', 'email = "post@hage.example"\nphone = 22000000',
         'office.phone: must be text, not «22000000». Write it in quotes: "…".'),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_with_its_key_and_what_to_do(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    lines = told(tmp_path, SETTINGS.replace(old, new)).splitlines()

    assert f"round.toml: {sentence}" in lines
    assert len(lines) == (2 if "ofice" in new else 1)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ('form = "hagelagg"', "form: there is no such form. Use behovsmelding-2024."),
        ('language = "en"', "language: the form has no «en». Use nb or nn."),
        (
            "deadline = 2029-12-31T23:59:59",
            "deadline: 2029-12-31 is before the form opens, on 2030-01-01. Correct it, or opens in form.toml.",
        ),
    ],
)
def test_a_setting_that_does_not_go_with_the_form_is_told(tmp_path: Path, setting: str, sentence: str) -> None:
    key = setting.partition(" ")[0]
    others = [line for line in SETTINGS.splitlines() if not line.startswith(key)]

    with pytest.raises(RoundError) as raised:
        settled(tmp_path, "\n".join([setting, *others])).form  # noqa: B018

    assert str(raised.value) == f"round.toml: {sentence}"


def test_all_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    assert told(tmp_path, "[office]\nname = 3\n[mail]\nport = 0\n").splitlines() == [
        "round.toml: form: is missing. Add it.",
        'round.toml: office.name: must be text, not «3». Write it in quotes: "…".',
        "round.toml: office.email: is missing. Add it.",
        "round.toml: mail.port: must be at least 1, not 0. Correct it.",
    ]


def test_settings_that_are_not_toml_are_told_with_the_line(tmp_path: Path) -> None:
    assert told(tmp_path, 'form = "x"\noffice = \n').startswith("round.toml: line 2, column 10: is not TOML: ")


def test_settings_that_are_not_utf_8_are_told_so(tmp_path: Path) -> None:
    (tmp_path / "round.toml").write_bytes('form = "høst"'.encode("cp1252"))

    with pytest.raises(RoundError) as raised:
        Round(tmp_path).settings  # noqa: B018

    assert str(raised.value) == "round.toml: file: is not saved as UTF-8. Save it again, with the encoding UTF-8."


def test_the_round_may_have_a_deadline_of_its_own(tmp_path: Path) -> None:
    own = settled(tmp_path, "deadline = 2030-05-01T15:30:00\n" + SETTINGS).form

    assert own.deadline == datetime(2030, 5, 1, 15, 30, tzinfo=own.zone)


def test_types_of_recipients_are_those_the_form_asks_for(tmp_path: Path) -> None:
    made = new_round(tmp_path, "behovsmelding-2024")
    head = "orgnr;navn;type;epost;språk\n"
    (tmp_path / "recipients.csv").write_text(f"{head}920125298;Asker;KOMUNE;a@b.example;nb\n", encoding="utf-8")

    good, [bad] = made.read_recipients()

    assert good == []
    assert str(bad).startswith("row 2  Asker  type is «KOMUNE»; use KOMMUNE, ")


def test_recipients_in_excel_go_before_those_in_csv(round_: Round) -> None:
    (round_.folder / "recipients.xlsx").write_bytes(b"no workbook")

    with pytest.raises(Exception, match=r"recipients\.xlsx cannot be opened as an Excel file"):
        round_.read_recipients()


def test_a_send_out_tells_what_is_probably_not_meant(round_: Round) -> None:
    before, after = (round_.form.deadline + timedelta(days=days) for days in (-1, 1))
    example = (
        "Note: owners are told to answer to postmottak@example.no, which is the example that round.toml comes with."
    )
    passed = "Note: the deadline that owners are told, 01.04.2030 12:00, has passed."
    both = "Note: the owners are those of recipients.xlsx; what stands in recipients.csv too is not used."
    way_out = 'If that is not meant, put it right; then behov outbox renew --by "…" --reason "…", and behov send-out.'

    def told(now: datetime) -> list[str]:
        return [line.strip() for line in sent_out_lines([], [], Round(round_.folder), None, now)][2:]

    assert told(before) == [example, way_out]
    (round_.folder / "recipients.xlsx").write_bytes(b"")
    assert told(after) == [both, passed, example, way_out]

    settled(round_.folder, SETTINGS)
    (round_.folder / "recipients.csv").write_text(MEMBERS.splitlines()[0], encoding="utf-8")
    assert told(before) == []


def test_an_empty_inbox_is_told_with_how_it_is_filled(round_: Round) -> None:
    (told,) = ingest_lines([], round_, [("S24", "the register «grants» is not imported")], dry=False)

    way_out = f"Save what owners sent in {round_.inbox}/, or fetch it: behov collect"
    assert told == f"There are no files to take in. {way_out}"


# the key


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_key_is_for_its_owner_only(round_: Round) -> None:
    assert len(round_.key) == KEY_BYTES
    assert stat.S_IMODE((round_.folder / "key").stat().st_mode) == 0o600


def test_the_key_stays_the_same_and_is_each_rounds_own(round_: Round, tmp_path: Path) -> None:
    assert Round(round_.folder).key == round_.key
    assert new_round(tmp_path / "annen", str(HAGELAG)).key != round_.key


@pytest.mark.parametrize("content", [b"", b"abcd", b"not hexadecimal", "å".encode()])
def test_a_damaged_key_is_told_and_never_used(round_: Round, content: bytes) -> None:
    (round_.folder / "key").write_bytes(content)

    with pytest.raises(RoundError) as raised:
        round_.key  # noqa: B018

    assert str(raised.value) == f"{round_.folder / 'key'} is damaged; put it back from your backup"


def test_a_lost_key_is_told_and_not_replaced_once_workbooks_are_out(round_: Round) -> None:
    send_out(round_, plan(round_, [PLOMME]))
    (round_.folder / "key").unlink()

    with pytest.raises(RoundError) as raised:
        Round(round_.folder).key  # noqa: B018

    assert "key is lost; put it back from your backup" in str(raised.value)
    assert not (round_.folder / "key").exists()


# the ledger


def numbers(lines: list[Sent]) -> dict[str, int]:
    return {line.report: int(line.orgnr) for line in lines}


def test_every_recipient_gets_a_number_and_every_copy_a_report(round_: Round) -> None:
    assert numbers(plan(round_, [EPLE, PLOMME, PAERE])) == {
        "HAGE-0001-1": 920125298,
        "HAGE-0001-2": 920125298,
        "HAGE-0002-1": 123456785,
        "HAGE-0003-1": 974567989,
    }


def test_a_file_is_called_by_number_name_and_report(round_: Round) -> None:
    [line] = plan(round_, [PAERE])

    assert line == Sent("HAGE-0001-1", "974567989", 1, 1, "nb", "974567989-paeretreet-HAGE-0001-1.xlsx")


def test_a_plan_writes_nothing(round_: Round) -> None:
    plan(round_, [EPLE])

    assert list(round_.sent_folder.iterdir()) == []


def test_numbers_are_kept_when_recipients_change_place_come_and_go(round_: Round) -> None:
    first = plan(round_, [EPLE, PLOMME])
    round_.write_sent(first)

    assert plan(round_, [PLOMME, EPLE]) == first
    assert plan(round_, [EPLE]) == first
    assert numbers(plan(round_, [PAERE, PLOMME])) == numbers(first) | {"HAGE-0003-1": 974567989}


def test_the_number_of_one_who_left_is_not_given_to_another(round_: Round) -> None:
    round_.write_sent(plan(round_, [EPLE, PLOMME]))
    round_.write_sent(plan(round_, [EPLE]))
    round_.write_sent(plan(round_, [PAERE, EPLE]))

    later = numbers(plan(round_, [PLOMME, PAERE, EPLE]))

    assert (later["HAGE-0002-1"], later["HAGE-0003-1"]) == (123456785, 974567989)


def test_a_workbook_that_is_out_keeps_its_language_and_its_file(round_: Round) -> None:
    first = plan(round_, [PLOMME])
    round_.write_sent(first)

    assert plan(round_, [replace(PLOMME, name="Nytt navn", language="nb")]) == first


def test_more_copies_are_added_and_never_taken_away(round_: Round) -> None:
    round_.write_sent(plan(round_, [PLOMME], copies=3))

    assert list(numbers(plan(round_, [PLOMME]))) == ["HAGE-0001-1", "HAGE-0001-2", "HAGE-0001-3"]
    assert list(numbers(plan(round_, [PLOMME], copies=4)))[-1] == "HAGE-0001-4"


def test_the_ledger_is_read_as_it_was_written(round_: Round) -> None:
    lines = plan(round_, [replace(EPLE, name="Å, «epletreet»; & co.")])
    round_.write_sent(lines)

    assert list(round_.sent().values()) == lines
    assert (round_.sent_folder / "sent.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(SENT_COLUMNS)


def test_the_ledger_is_replaced_at_once_or_not_at_all(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = plan(round_, [EPLE])
    round_.write_sent(lines)

    def crash(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("templates.round.os.fsync", crash)
    with pytest.raises(OSError, match="No space left"):
        round_.write_sent(plan(round_, [EPLE, PLOMME]))

    assert list(round_.sent().values()) == lines


@pytest.mark.parametrize(
    "content",
    [
        "report;orgnr;number\nHAGE-0001-1;920125298;1\n",
        "report,orgnr,number,copy,language,file\nHAGE-0001-1,9,x,1,nb,f\n",
    ],
    ids=["saved by Excel with semicolons", "a number that is none"],
)
def test_a_ledger_that_somebody_has_changed_is_told_and_not_guessed(round_: Round, content: str) -> None:
    (round_.sent_folder / "sent.csv").write_text(content, encoding="utf-8")

    with pytest.raises(RoundError) as raised:
        plan(round_, [EPLE])

    assert str(raised.value) == f"{round_.sent_folder / 'sent.csv'} is damaged; put it back from your backup"


# the send-out


def sent_files(round_: Round) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in round_.sent_folder.glob("*.xlsx")}


def test_the_same_recipients_give_the_same_bytes_on_another_day(round_: Round) -> None:
    send_out(round_, plan(round_, round_.recipients.values()))
    first = sent_files(round_)
    shutil.rmtree(round_.sent_folder)

    again = Round(round_.folder)
    send_out(again, plan(again, again.recipients.values()))

    assert len(first) == 4
    assert sent_files(again) == first


def test_every_line_is_told_and_every_workbook_opens(round_: Round) -> None:
    told: list[None] = []

    written = send_out(round_, plan(round_, round_.recipients.values()), lambda: told.append(None))

    assert [line.file for line in written] == sorted(sent_files(round_), key=lambda name: name[-11:])
    assert len(told) == len(written) == 4
    for name in sent_files(round_):
        assert zipfile.ZipFile(round_.sent_folder / name).testzip() is None


def test_no_two_workbooks_are_alike(round_: Round) -> None:
    send_out(round_, plan(round_, round_.recipients.values()))

    assert len(set(sent_files(round_).values())) == 4


def test_one_who_is_no_longer_a_recipient_keeps_the_workbook_as_it_was(round_: Round) -> None:
    send_out(round_, plan(round_, round_.recipients.values()))
    first = sent_files(round_)
    (round_.folder / "recipients.csv").write_text(
        "".join(line for line in MEMBERS.splitlines(keepends=True) if "Plommetreet" not in line), encoding="utf-8"
    )

    later = Round(round_.folder)
    written = send_out(later, plan(later, later.recipients.values()))

    assert "123456785" not in {line.orgnr for line in written}
    assert sent_files(later) == first
    assert "HAGE-0002-1" in later.sent()


def test_the_ledger_is_on_the_disk_before_the_first_workbook(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("templates.sendout.build_base", crash)
    lines = plan(round_, round_.recipients.values())
    with pytest.raises(MemoryError):
        send_out(round_, lines)

    assert list(round_.sent().values()) == lines
    assert len(Round(round_.folder).key) == KEY_BYTES  # and so is the key that signs them


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Ås Øvre Bærum kommune", "as-ovre-baerum-kommune"),
        ("  AS «Blå & Gul» / avd. 2 ", "as-bla-gul-avd-2"),
        ("../../etc/passwd", "etc-passwd"),
        ("Café Ünlü", "cafe-unlu"),
        ("会社", ""),
        ("x" * 60, "x" * 40),
        ("en-to-tre-fire-fem-seks-sju-atte-ni-ti-e-lleve", "en-to-tre-fire-fem-seks-sju-atte-ni-ti-e"),
    ],
)
def test_a_name_becomes_part_of_a_file_name(name: str, short: str) -> None:
    assert slug(name) == short


def test_every_setting_stands_in_a_new_round_with_a_comment(tmp_path: Path) -> None:
    text = ROUND_TOML.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"(# )?(\[|\w+ = )", line)]
    (tmp_path / "round.toml").write_text("\n".join(line.removeprefix("# ") for line in lines), encoding="utf-8")

    read = Round(tmp_path).settings

    assert read.mailbox is not None
    for part in (read, read.office, read.mail, read.mailbox):
        assert part.model_fields_set == set(type(part).model_fields)
    plain = ("name = ", "phone = ", "# register = ")  # what the first two are is plain; the third has more to say below
    assert [line for line in lines if " # " not in line[2:] and not line.startswith(plain)] == []
