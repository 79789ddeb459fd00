"""outbox/index.html: what it shows of every letter, and that it fetches, runs and believes nothing."""

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from outputs.letters.feedback import KINDS
from outputs.mailing import mailroom, preview
from outputs.mailing.notices import KINDS as NOTICES
from outputs.mailing.preview import write_preview
from outputs.register.letter_states import PAGE, STATES
from templates.texts import load_texts
from tests.made_returns import ERROR, OWNER, Made, day
from tests.test_notices import OTHER, Club
from tests.test_owed import WRONG

NOW = day(4, month=2)
EVIL = '<script>alert("1")</script><img src=x onerror=alert(1)>"\'&'


class Page(HTMLParser):
    """The tags of a page, their attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += f" {' '.join(data.split())}"


@pytest.fixture
def club(tmp_path: Path) -> Club:
    club = Club(tmp_path)
    club.take_in(WRONG, Made("andre", report="BAT-0002-1", recipient=OTHER))
    club.tell()
    return club


def page_of(club: Club) -> Page:
    return Page(write_preview(club.round, club.register, NOW).read_text(encoding="utf-8"))


def test_the_page_tells_who_sent_a_file_and_gets_no_letter(club: Club) -> None:
    club.take_in(Made("tredje", day(12), report="BAT-0002-1", recipient=OTHER, sender="ola@annet.no"))
    club.tell()

    assert "somebody it does not go to: ola@annet.no" in page_of(club).words


def test_every_letter_stands_there_with_owner_kind_subject_address_state_and_text(club: Club) -> None:
    page = page_of(club)

    for words in (
        "Utboksen: Båtplasser",
        "Klart til å sendes (2)",
        "Ask båtlag Må rettes Liste BAT-0001-1: 1 opplysning må rettes innen 18. februar",
        "Fyll ut «Start».",
        "ask@example.no",
        "Våg båtlag Kvittering",
        "Alle opplysningane vi treng, er med.",
    ):
        assert words in page.words.replace("  ", " "), words
    links = [value for name, value in page.attributes if name == "href"]
    assert len(links) == 2
    assert all((club.round.outbox / str(link)).exists() for link in links)


def test_a_letter_that_has_left_is_listed_without_its_text(club: Club) -> None:
    with club.register.writing() as connection:
        mailroom.move(connection, 1, "sent", "250 OK", NOW)
    page = page_of(club)

    assert "Sendt (1)" in page.words
    assert "Fyll ut «Start»." not in page.words


def test_what_waits_for_a_person_comes_first(club: Club) -> None:
    with club.register.writing() as connection:
        mailroom.move(connection, 2, "bounced", "550 no such user", NOW)
    words = page_of(club).words

    assert words.index("Kom i retur (1)") < words.index("Klart til å sendes (1)")
    assert "550 no such user" in words


def test_it_runs_nothing_fetches_nothing_and_tells_its_language(club: Club) -> None:
    page = page_of(club)

    assert {"script", "img", "iframe", "link", "object"}.isdisjoint(page.tags)
    assert {"src", "onclick", "onload", "action"}.isdisjoint(name for name, _ in page.attributes)
    assert ("lang", "nb") in page.attributes
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert not any((value or "").startswith(("http", "//")) for name, value in page.attributes if name == "href")


def test_words_that_strangers_chose_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    club = Club(tmp_path)
    name = EVIL.replace('"', "")
    rows = f"orgnr;navn;type;epost;språk\n{OWNER};{name};KLUBB;ask@example.no;nb\n"
    (tmp_path / "recipients.csv").write_text(rows, encoding="utf-8")
    club.take_in(Made(EVIL, outcome="needs_correction", findings=(ERROR,)))
    club.tell()
    with club.register.writing() as connection:
        mailroom.move(connection, 1, "held", EVIL, NOW)
    page = page_of(club)

    assert {"script", "img"}.isdisjoint(page.tags)
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert EVIL in page.words


def test_a_letter_whose_file_is_gone_is_still_listed(club: Club) -> None:
    for path in club.round.outbox.glob("*.eml"):
        path.unlink()

    assert "Filen kan ikke leses." in page_of(club).words


def test_a_long_outbox_shows_the_first_and_links_to_the_rest(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MAX_SHOWN", 1)
    page = page_of(club)

    assert page.tags.count("details") == 1
    assert page.tags.count("a") == 2


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_every_state_and_kind_has_a_name(language: str) -> None:
    texts = load_texts(preview.TEXTS)
    assert all(texts.say(f"letter_{state}", language) for state in STATES)
    assert all(texts.say(f"kind_{kind}", language) for kind in (*KINDS, *NOTICES))


def test_the_commands_about_letters_draw_it_and_say_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "runde"
    form = Path(__file__).parent / "forms" / "hagelag"

    def run(*words: str) -> str:
        return CliRunner().invoke(cli.main, ["--round", str(folder), *words], catch_exceptions=False).stdout

    CliRunner().invoke(cli.main, ["new", str(folder), "--form", str(form)])
    rows = "orgnr;navn;type;kommunenr;epost;språk\n920125298;Lia hagelag;MEDLEM;3203;lia@hage.example;nb\n"
    (folder / "recipients.csv").write_text(rows, encoding="utf-8")
    page = folder / "outbox" / "index.html"
    assert f"Look at them: {page}" in run("send-out")
    assert "Klart til å sendes" in page.read_text(encoding="utf-8")
    run("outbox", "hold", "1", "--by", "Kari", "--reason", "venter")
    assert "hold: venter (Kari)" in page.read_text(encoding="utf-8")
    words = folder / "brev.txt"
    words.write_text("Ring oss\n\nKjære dere\n", encoding="cp1252")  # as Notisblokk may save it
    run("outbox", "edit", "1", "--by", "Kari", "--reason", "vennligere", "--text", str(words))
    assert "Ring oss</td>" in page.read_text(encoding="utf-8").replace("<div>", "</td>")
    assert "Kjære dere" in page.read_text(encoding="utf-8")
    page.unlink()
    for command in ("feedback", "remind"):
        run(command)
        assert page.exists()
        page.unlink()


def test_a_page_that_is_half_written_never_takes_the_place_of_a_whole_one(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_preview(club.round, club.register, NOW).read_text(encoding="utf-8")
    monkeypatch.setattr(preview, "letter_list", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        write_preview(club.round, club.register, NOW)
    assert (club.round.outbox / PAGE).read_text(encoding="utf-8") == before
