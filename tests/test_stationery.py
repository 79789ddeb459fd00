"""An office's own texts and layouts, in letters/ of the round: what they change, and what is told first."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from outputs.letters.message import read_message
from outputs.letters.stationery import STANDARD, StationeryError, stationery_of
from outputs.mailing.outbox import make_letters
from outputs.register.register import Register
from templates.round import Round
from tests.made_returns import ERROR, OWNER, Made, day, make_form

LAYOUTS = Path(__file__).parent.parent / "outputs" / "letters"
NOW = day(4, month=2)
WRONG = Made("wrong", outcome="needs_correction", findings=(ERROR,))


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    make_form(tmp_path / "form")
    office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    text = f'form = "{(tmp_path / "form").as_posix()}"\n{office}'
    (tmp_path / "round.toml").write_text(text, encoding="utf-8")
    rows = f"orgnr;navn;type;epost;språk\n{OWNER};Ask båtlag;KLUBB;ask@example.no;nb\n"
    (tmp_path / "recipients.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "letters").mkdir()
    register = Register.open(tmp_path / "register.db", Round(tmp_path).form)
    register.merge([WRONG.verdict()], NOW)
    return Round(tmp_path)


def put(round_: Round, name: str, text: str) -> None:
    (round_.folder / "letters" / name).write_text(text, encoding="utf-8")


def written(round_: Round) -> tuple[str, str, str]:
    """The subject, the text and the page of the only letter."""
    (letter,) = make_letters(round_, Register.open(round_.register, round_.form), NOW)
    message = read_message(round_.folder / letter["path"])
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return str(message["Subject"]), str(plain.get_content()), str(html.get_content())


def test_a_round_without_texts_of_its_own_has_ours(round_: Round) -> None:
    (round_.folder / "letters").rmdir()

    assert stationery_of(round_) is STANDARD


def test_an_office_words_what_it_likes_and_the_rest_stays_ours(round_: Round) -> None:
    put(round_, "texts.toml", '[greeting]\nnb = "Kjære kollega"\n[regards]\nnb = "Hilsen alle i {many}-gruppa"\n')

    subject, text, page = written(round_)

    assert subject == "Liste BAT-0001-1: 1 opplysning må rettes innen 18. februar"
    assert text.splitlines()[0] == "Kjære kollega"
    for said in (text, page):
        assert "Hilsen alle i lister-gruppa" in said
        assert "Slik gjør dere" in said


def test_an_office_has_its_own_layout(round_: Round) -> None:
    ours = (LAYOUTS / "letter.html").read_text(encoding="utf-8")
    put(round_, "letter.html", ours.replace("<body ", "<body class='vår' "))

    assert "<body class='vår' " in written(round_)[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[contact]\nnb = "Ring {telefon}."',
            "[contact] nb: {telefon} is not known here; it may name {Noun}, ",
        ),
        ('[subject_late]\nnn = "{day"', "[subject_late] nn: a brace is lost"),
        ('[done]\nnb = "{noun.__class__}"', "[done] nb: {noun.__class__} is not known here"),
        ('[done]\nnb = "{}"', "[done] nb: {} is not known here"),
        ('[late]\nnb = "{deadline:%Y}"', "[late] nb: only a name may stand in braces; write {deadline} alone"),
        ('[late]\nnb = "{deadline!q}"', "[late] nb: only a name may stand in braces"),
        ('[gretting]\nnb = "Hei"', "there is no text [gretting]. Did you mean «greeting»?"),
        ('[greeting]\nse = "Bures"', "[greeting] se: only nb and nn are known"),
        ("[greeting]\nnb = 7", "[greeting] nb: only nb and nn are known, each with a text"),
        ('greeting = "Hei"', '[greeting] must have lines such as nb = "…"'),
        ('[months]\nnb = "jan feb"', "[months] nb: must be 12 words, and is 2"),
        ("[greeting", "cannot be read as TOML"),
    ],
)
def test_a_text_that_cannot_be_said_is_told_with_file_and_name(round_: Round, text: str, told: str) -> None:
    put(round_, "texts.toml", text)

    with pytest.raises(StationeryError) as error:
        stationery_of(round_)
    assert str(error.value).startswith(str(round_.folder / "letters" / "texts.toml"))
    assert told in str(error.value)
    assert "\n" not in str(error.value).removesuffix("\n")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("letter.txt", ("{{ letter.greeting }}", "{{ letter.greetings }}"), "«letter.greetings» is not known"),
        ("letter.html", ("{{ group.more }}", "{{ rest }}"), "«rest» is not known"),
        ("letter.txt", ("line.text", "line.words"), "'words'"),
        (
            "letter.txt",
            ("{{ letter.greeting }}", '{{ letter.greeting }}{% if letter.kind == "late" and x %}{{ y }}{% endif %}'),
            "«x», «y» is not known",
        ),
        (
            "letter.txt",
            (
                "{{ letter.greeting }}",
                '{{ letter.greeting }}{% if letter.kind == "late" %}{{ letter.due.x }}{% endif %}',
            ),
            "'x'",
        ),
        ("letter.html", ("{{ group.more }}", "{{ 1 // 0 }}"), "division"),
        ("letter.html", ("{{ group.more }}", ""), "leaves out what every letter must say"),
        ("letter.html", ("{% endfor %}", "{% endfr %}"), "letter.html, line"),
        ("letter.txt", ("{{ wrapped(letter.contact) }}", ""), "leaves out what every letter must say"),
    ],
)
def test_a_layout_that_cannot_be_laid_out_is_told_with_its_file(
    round_: Round, name: str, change: tuple[str, str], told: str
) -> None:
    put(round_, name, (LAYOUTS / name).read_text(encoding="utf-8").replace(*change))

    with pytest.raises(StationeryError, match=name) as error:
        stationery_of(round_)
    assert told in str(error.value)


def test_a_file_that_nobody_reads_is_told(round_: Round) -> None:
    put(round_, "letter.htm", "")

    with pytest.raises(StationeryError, match=r"only texts\.toml, letter\.txt, letter\.html are read here"):
        stationery_of(round_)


def files(round_: Round) -> set[Path]:
    """What is in a round, but for its key and the logs of the runs."""
    return {path for path in round_.folder.rglob("*") if path.name != "key" and "logs" not in path.parts}


@pytest.mark.parametrize("command", ["send-out", "feedback", "remind"])
def test_nothing_is_written_when_a_text_cannot_be_said(round_: Round, command: str) -> None:
    put(round_, "texts.toml", '[greeting]\nnb = "Hei, {fornavn}"\n')
    before = files(round_)

    done = CliRunner().invoke(cli.main, ["--round", str(round_.folder), command])

    assert done.exit_code == cli.WRONG_USE
    assert "[greeting] nb: {fornavn} is not known here" in done.stderr
    assert files(round_) == before
