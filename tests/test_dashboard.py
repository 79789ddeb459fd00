"""The dashboard: what it counts, that it stands by itself, that any text is only text, how it works in a browser."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from lxml import html

import cli
from outputs.demo import run_demo
from outputs.mailing.extend import extend
from outputs.mailing.notices import make_invitations
from outputs.mailing.outbox import make_letters
from outputs.overview import charts, dashboard, drawing, lists, pages
from outputs.overview.counted import Counted, count
from outputs.overview.dashboard import Dashboard, make_dashboard
from outputs.overview.lists import page_of
from outputs.overview.words import NBSP, Words, number
from outputs.register.decide import Wish, decide
from outputs.register.letter_states import STATES
from outputs.register.outcomes import WORDS
from outputs.register.register import Register
from outputs.story import stories, story
from outputs.telling import NEEDS
from templates.round import Round, Sent
from tests.made_returns import ERROR, FORM, FULL, OWNER, REMARK, Made, day, make_form
from validation.findings import SEVERITIES
from validation.verdict import Verdict

if TYPE_CHECKING:
    from intake.submission import Value

PROGRAMS = Path(__file__).parent / "programs"
NOW = datetime(2030, 2, 4, 8, tzinfo=UTC)
SECOND, THIRD = "974761319", "940039541"
ROLES = """
[dashboard]
region = "lag.sted"
scheme = "lag.slag"
[[dashboard.amounts]]
year = 2030
value = "penger.BRYGGE.y2030"
"""
RECIPIENTS = f"""orgnr;navn;type;epost;språk
{OWNER};Ask båtlag;KLUBB;ask@example.no;nb
{SECOND};Aasen båtlag;PRIVAT;aasen@example.no;nn
{THIRD};Ørje båtlag;KLUBB;orje@example.no;nb
"""
GRANTS = f"""referanse;eier;tittel;år;beløp;ordning
1/28;{OWNER};Brygge;2028;999;Klubb
1/29;{OWNER};Brygge;2029;1000;Klubb
2/29;{SECOND};Flyte;2029;250;privat eigar
3/29;{SECOND};Annet;2029;50;
"""
COMPLETE = replace(FULL, content="complete", report="BAT-0001-1")
ASKED = replace(FULL, content="asked", report="BAT-0001-2", outcome="remarks", findings=(REMARK,))
WRONG = Made("wrong", day(12), "needs_correction", "BAT-0002-1", SECOND, findings=(ERROR, REMARK), grid={"BRYGGE": 500})
FIRST_TRY = Made("first try", day(9), "needs_correction", "BAT-0001-3", findings=(ERROR,))
SECOND_TRY = replace(FULL, content="second try", received=day(20), report="BAT-0001-3")
TOO_LATE = Made("too late", day(3, month=2), "late", "BAT-0002-2", SECOND)
BROKEN = Made("broken", day(14), "unreadable")
HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'\""


@contextmanager
def quiet(label: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG001 - shows nothing
    yield lambda _count: None


def unreadable(made: Made) -> Verdict:
    return Verdict(made.source(), made.outcome, {"nb": "En PDF.", "nn": "Ein PDF."})


def new_round(folder: Path, form: str = FORM + ROLES, settings: str = "") -> Round:
    """A round with three owners and five workbooks sent, of which nothing has come back."""
    made = Round(folder / "runde")
    made_form = make_form(folder / "form", form)
    made.folder.mkdir()
    office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
    path = (folder / "form").as_posix()
    (made.folder / "round.toml").write_text(f'form = "{path}"\n{settings}{office}', encoding="utf-8")
    (made.folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
    owners = {"BAT-0001-1": OWNER, "BAT-0001-2": OWNER, "BAT-0001-3": OWNER, "BAT-0002-1": SECOND, "BAT-0003-1": THIRD}
    made.write_sent([Sent(report, owner, 1, 1, "nb", f"{report}.xlsx") for report, owner in owners.items()])
    assert made_form.name == made.form.name
    return made


def opened(round_: Round) -> Register:
    return Register.open(round_.register, round_.form)


def take_in(round_: Round, *batch: Made) -> None:
    opened(round_).merge([one.verdict() if one.outcome != "unreadable" else unreadable(one) for one in batch], NOW)


@pytest.fixture
def round_(tmp_path: Path) -> Round:
    """A round in which something of every kind has come in."""
    made = new_round(tmp_path)
    take_in(made, COMPLETE, ASKED, WRONG, FIRST_TRY, SECOND_TRY, TOO_LATE, BROKEN)
    return made


def counted(round_: Round, now: datetime = NOW) -> Counted:
    return count(round_, opened(round_), now)


def written(round_: Round, language: str = "nb", *, drawn: bool = False, now: datetime = NOW) -> Dashboard:
    return make_dashboard(round_, opened(round_), now, language, quiet, drawn=drawn)


def read(path: Path) -> html.HtmlElement:
    return html.fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))


def front(round_: Round, **how: Any) -> html.HtmlElement:  # noqa: ANN401 - of written
    return read(written(round_, **how).path)


def said(page: html.HtmlElement, path: str) -> list[str]:
    """The text of each element that an XPath finds."""
    return [" ".join(element.text_content().split()).replace(NBSP, " ") for element in page.xpath(path)]


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


# what is counted


def test_the_figures_tell_how_the_round_stands(round_: Round) -> None:
    page = front(round_)

    figures = dict(zip(said(page, "//dl//dt"), said(page, "//dl//dd[@class='big']"), strict=True))
    assert figures == {
        "sendt ut": "5",
        "kommet inn": "5",
        "komplette": "3",
        "må rettes": "1",
        "etter fristen": "1",
        "filer kan ikke leses": "1",
        "ikke kommet inn": "1",
    }
    assert said(page, "//p[@class='lead']") == ["5 av 5 lister er kommet inn"]


def test_what_needs_a_person_comes_first_with_the_command_that_settles_it(round_: Round) -> None:
    make_letters(round_, opened(round_), NOW)
    page = front(round_, now=datetime(2030, 3, 20, tzinfo=UTC))

    assert said(page, "//main/section")[0].startswith("Dette venter på deg")
    assert said(page, "//section[@id='needs']//code") == [
        'behov decide … accept-late --reason "…" --by "…"',
        'behov decide … reject --reason "…" --by "…"',
        'behov outbox mailed --by "…"',
        "behov remind",
        "behov remind",
    ]
    assert 'behov decide BAT-0002-2 accept-late --reason "…" --by "…"' in said(page, "//*[@id='files-list']//td")


def test_the_terminal_tells_the_same_first_in_the_same_order(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    make_letters(round_, opened(round_), NOW)
    when = datetime(2030, 3, 20, tzinfo=UTC)
    monkeypatch.setattr(cli, "_now", lambda _form: when)
    page = front(round_, now=when)

    status = run("--round", str(round_.folder), "status")
    needs, standing, files = status.stdout.split("\n\n")[:3]

    commands = said(page, "//section[@id='needs']//code")
    assert [line.strip() for line in needs.splitlines() if line.strip().startswith("behov ")] == commands
    numbers = [line.split()[0] for line in said(page, "//section[@id='needs']//li/span")]
    assert [line.split()[0] for line in needs.splitlines()[1::2]] == numbers
    assert standing.splitlines() == [
        "The round, with its deadline on 01.02.2030 23:59",
        "  sent                            5   to 3 owners",
        "  returned                        5   100 % of them",
        "  complete                        3   1 of them with questions",
        "  to be corrected                 1   1 past the deadline for that",
        "  late                            1",
        "  unreadable files                1",
        "  not yet returned                1   1 owner has not answered",
    ]
    assert 'behov decide BAT-0002-2 accept-late --reason "…" --by "…"' in files
    assert status.exit_code == cli.NEEDS_A_PERSON


def test_a_letter_that_waits_is_sent_by_the_command_of_its_kind(round_: Round) -> None:
    def ready(kind: str = "ready") -> list[tuple[int, str]]:
        return [(need.number, need.command) for need in counted(round_).top.needs() if need.kind == kind]

    for line in round_.sent().values():
        (round_.sent_folder / line.file).write_bytes(b"a workbook")
    make_letters(round_, opened(round_), NOW)
    make_invitations(round_, opened(round_), NOW)

    assert ready("to_mail") == [(5, 'behov outbox mailed --by "…"')], "round.toml names no mail server yet"

    settings = round_.folder / "round.toml"
    named = settings.read_text(encoding="utf-8") + '[mail]\nhost = "smtp.kontoret.no"\n'
    settings.write_text(named, encoding="utf-8")
    round_ = Round(round_.folder)

    assert ready() == [(2, "behov feedback --send"), (3, "behov send-out --send")]


def test_when_nothing_waits_the_page_says_so(tmp_path: Path) -> None:
    page = front(new_round(tmp_path), now=day(3))

    assert "Ingenting venter på en person nå." in said(page, "//section[@id='needs']")[0]
    assert said(page, "//p[@class='lead']") == ["0 av 5 lister er kommet inn"]
    assert "Fristen er 1. februar, om 29 dager." in said(page, "//section[@id='standing']")[0]
    assert "Her kommer det tall og bilder" in said(page, "//section[@id='pictures']")[0]


def test_reports_with_errors_are_followed_through_their_corrections(round_: Round) -> None:
    (first,) = counted(round_).rounds

    assert (first.asked, first.corrected, first.again, first.settled, first.left) == (2, 1, 0, 0, 1)

    take_in(round_, replace(WRONG, content="wrong again", received=day(30)))
    first, second = counted(round_).rounds
    assert (first.asked, first.again, second.asked, second.left) == (2, 1, 1, 1)

    wish = Wish("accept", "", reason="Avtalt", by="Kari", at=NOW)
    decide(round_, opened(round_), "BAT-0002-1", wish)
    assert counted(round_).rounds[1].settled == 1


def test_amounts_are_summed_for_each_scheme_beside_what_was_granted_the_year_before(round_: Round) -> None:
    (round_.folder / "grants.csv").write_text(GRANTS, encoding="utf-8")
    page = front(round_)

    assert counted(round_).granted == {(2029, "KLUBB"): 1000, (2029, "PRIVAT"): 250, (2029, ""): 50}
    assert said(page, "//*[@id='amounts-table']//tbody/tr")[:4] == [
        "I alt2029, tildelt1 300",
        "I alt2030, søkt3 750 500",
        "Klubb2029, tildelt1 000",
        "Klubb2030, søkt3 750 000",
    ]


def test_a_form_that_names_nothing_to_count_by_has_the_other_pictures(tmp_path: Path) -> None:
    made = new_round(tmp_path, FORM)
    take_in(made, COMPLETE, WRONG)

    assert front(made).xpath("//figure/@id") == ["returns", "common", "progress"]


def test_owners_who_have_not_answered_are_listed(round_: Round) -> None:
    assert said(front(round_), "//*[@id='owners-list']//tbody//th") == ["Ørje båtlag"]


# the pages


def test_every_report_leads_to_its_own_page_and_every_link_to_something(round_: Round) -> None:
    done = written(round_)
    page = read(done.path)

    reports = said(page, "//*[@id='reports-list']//tbody//th/a")
    assert sorted(reports) == ["BAT-0001-1", "BAT-0001-2", "BAT-0001-3", "BAT-0002-1", "BAT-0002-2"]
    for path in (done.path, *sorted(done.path.parent.glob("reports/*.html"))):
        inner = read(path)
        for href in inner.xpath("//a/@href"):
            file, _, anchor = href.partition("#")
            assert not file or (path.parent / file).exists(), f"{path.name}: {href}"
            assert not anchor or inner.xpath("//*[@id=$id]", id=anchor), f"{path.name}: {href}"


def test_the_page_of_a_report_tells_findings_history_letters_and_answers(round_: Round) -> None:
    make_letters(round_, opened(round_), NOW)
    wish = Wish("waive", "B3", reason="Avtalt på telefon", by="Kari Holm", at=NOW)
    decide(round_, opened(round_), "BAT-0002-1", wish)
    page = read(written(round_).path.parent / page_of("BAT-0002-1"))

    assert said(page, "//*[@id='findings-now']//tbody//th") == ["B2", "B3"]
    history = " ".join(said(page, "//*[@id='history-table']//tbody/tr"))
    assert "12.01.2030 kl. 13.00Versjon 1 kom inn i filen «wrong.xlsx», fra post@example.no" in history
    assert "Kari Holm avgjorde: fritatt fra B3. Avtalt på telefon" in history
    assert said(page, "//*[@id='letters-table']//tbody//td")[:2] == ["aasen@example.no", "Klart, ikke sendt"]
    assert "Brygge500" in said(page, "//*[@id='answers-penger']//tbody/tr")
    assert "Lagets navnIkke svart" in said(page, "//*[@id='answers-lag-om']//tbody/tr")


def test_more_time_for_a_report_is_told_on_its_page(round_: Round) -> None:
    wish = Wish("extend", "", reason="Sykdom", by="Kari Holm", at=NOW)
    extend(round_, opened(round_), "BAT-0002-1", date(2030, 3, 15), wish)
    page = read(written(round_).path.parent / page_of("BAT-0002-1"))

    history = " ".join(said(page, "//*[@id='history-table']//tbody/tr"))
    assert "Kari Holm avgjorde: mer tid til å sende inn eller rette. Sykdom" in history


def test_the_pages_have_words_for_all_that_can_happen(tmp_path: Path) -> None:
    words = Words(make_form(tmp_path), "nn")
    keys = [f"decision_{one}" for one in (*cli.DECISIONS, "extend")] + [f"letter_{state}" for state in STATES]
    keys += [f"state_{outcome}" for outcome in WORDS] + [f"severity_{one}" for one in SEVERITIES]
    counts = [f"need_{kind}" for kind in NEEDS]

    assert all(words.say(key, rules="B1") for key in keys)
    assert all(words.count(key, n) for key in counts for n in (1, 2))


def test_findings_of_a_version_that_was_replaced_are_kept_on_the_page(round_: Round) -> None:
    page = read(written(round_).path.parent / page_of("BAT-0001-3"))

    assert said(page, "//details/summary") == ["Merknader til versjon 1, som ikke teller nå (1)"]
    assert said(page, "//*[@id='findings-earlier-0']//tbody//th") == ["B2"]


def test_many_stories_told_together_are_those_told_one_by_one(round_: Round) -> None:
    make_letters(round_, opened(round_), NOW)
    register = opened(round_)
    names = [row["report"] for row in register.reports()]

    assert list(stories(round_, register, names)) == [story(round_, register, name) for name in names]


def test_a_long_list_has_a_page_of_its_own(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 4)
    monkeypatch.setattr(lists, "BEGINNING", 2)
    done = written(round_)
    page = read(done.path)

    assert len(page.xpath("//*[@id='reports-list']//tbody/tr")) == 2
    assert page.xpath("//*[@id='reports-section']//p/a/@href") == ["reports.html"]
    assert not page.xpath("//*[@id='reports-list'][@data-filter]"), "only the whole list is sorted and filtered"
    assert len(read(done.path.with_name("reports.html")).xpath("//*[@id='reports-list'][@class='list']//tbody/tr")) == 5


def test_pages_that_are_no_longer_true_are_removed_and_nothing_else(round_: Round) -> None:
    folder = written(round_).path.parent
    (folder / "reports" / "BAT-9999-9.html").write_text("old", encoding="utf-8")
    (folder / "notat.txt").write_text("ours", encoding="utf-8")

    done = written(round_)

    assert not (folder / "reports" / "BAT-9999-9.html").exists()
    assert (folder / "notat.txt").exists()
    assert done.pages == 6


@pytest.mark.parametrize(("language", "words"), [("nb", "Dette venter på deg"), ("nn", "Dette ventar på deg")])
def test_the_pages_are_in_one_language(round_: Round, language: str, words: str) -> None:
    done = written(round_, language)

    for path in done.path.parent.rglob("*.html"):
        assert read(path).xpath("/html/@lang") == [language]
    assert words in done.path.read_text(encoding="utf-8")
    assert "{" not in re.sub(r"(?s)<(style|script)>.*?</\1>", "", done.path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("drawn", [False, True])
def test_tables_have_captions_and_scopes_and_headings_are_in_order(round_: Round, *, drawn: bool) -> None:
    if drawn and not drawing.can_draw():
        pytest.skip("altair and vl-convert-python are not installed")
    folder = written(round_, drawn=drawn).path.parent

    for page in map(read, folder.rglob("*.html")):
        tables = page.xpath("//table")
        assert len(page.xpath("//table/caption[normalize-space()]")) == len(tables) > 0
        assert not page.xpath("//th[not(@scope)]")
        levels = [int(element.tag[1]) for element in page.xpath("//h1 | //h2 | //h3")]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))


# texts from anywhere


def hostile_round(folder: Path) -> Round:
    """A round in which every text that an owner can write is an attack, and stands in the pictures too."""
    form = FORM + ROLES.replace("lag.sted", "lag.tittel").replace("lag.slag", "lag.navn")
    made = new_round(folder, form)
    finding = replace(ERROR, written=HOSTILE, message={"nb": HOSTILE}, label={"nb": HOSTILE}, sheet=HOSTILE)
    answers: dict[str, Value] = {"tittel": HOSTILE, "navn": HOSTILE, "slag": HOSTILE, "sted": HOSTILE}
    table: dict[str, Value] = {"report": HOSTILE, "motor": HOSTILE}
    bad = Made(
        "bad", day(5), "needs_correction", findings=(finding,), questions=answers, table=(table,), grid={"BRYGGE": 7}
    )
    verdict = bad.verdict()
    named = replace(verdict.source, path=Path(HOSTILE.replace("/", "_")), sender=HOSTILE)
    refused = Verdict(replace(named, sha256="0" * 64), "unreadable", {"nb": HOSTILE}, report=f"../../{HOSTILE}")
    submission = replace(bad.submission(), source=named)
    opened(made).merge([replace(verdict, source=named, submission=submission), refused], NOW)
    return made


def test_any_text_is_only_text(tmp_path: Path) -> None:
    done = written(hostile_round(tmp_path), drawn=drawing.can_draw())

    for path in (done.path, *done.path.parent.glob("reports/*.html")):
        page = read(path)
        assert len(page.xpath("//script")) == (path == done.path), path.name
        assert not page.xpath("//img | //iframe | //object | //embed | //foreignObject | //svg//a | //svg//style")
        assert not page.xpath("//@*[starts-with(name(), 'on')]")
        assert "alert(1)" in page.text_content()
        assert "\u202e" not in page.text_content(), "a mark that turns the direction of the text"


@pytest.mark.skipif(not drawing.can_draw(), reason="altair and vl-convert-python are not installed")
def test_any_text_in_a_picture_is_only_text(tmp_path: Path) -> None:
    page = read(written(hostile_round(tmp_path), drawn=True).path)

    tags = {element.tag for element in page.xpath("//figure//svg/descendant-or-self::*")}
    assert tags <= {"svg", "g", "path", "text", "tspan", "line", "rect"}
    assert "<script>" in "".join(page.xpath("//figure//svg//text()"))


@pytest.mark.parametrize("report", ["../../etc/passwd", "CON", "a:b", "BAT-0001-1.html", "BAT 1", "æ", ""])
def test_a_made_up_report_number_is_no_path(report: str) -> None:
    assert re.fullmatch(r"reports/_[0-9a-f]{24}\.html", page_of(report))


def test_a_page_may_load_nothing_and_run_only_its_own_script(round_: Round) -> None:
    done = written(round_)

    for path in done.path.parent.rglob("*.html"):
        page = read(path)
        policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        for element, rule in (("style", "style-src"), ("script", "script-src")):
            own = [f"'sha256-{digest(text)}'" for text in page.xpath(f"//{element}/text()")]
            assert [rules[rule]] == own if own else rule not in rules
        assert not page.xpath("//link | //@src | //@style | //@srcset")
        assert not re.search(r"url\(|@import", "".join(page.xpath("//style/text()")))


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# pictures


@pytest.mark.skipif(not drawing.can_draw(), reason="altair and vl-convert-python are not installed")
def test_every_picture_says_in_words_what_it_shows_and_has_its_numbers_in_a_table(round_: Round) -> None:
    (round_.folder / "grants.csv").write_text(GRANTS, encoding="utf-8")
    page = front(round_, drawn=True)

    figures = page.xpath("//figure")
    assert [figure.get("id") for figure in figures] == ["returns", "places", "amounts", "common", "progress"]
    for figure in figures:
        words = figure.xpath(".//*[@role='img']/@aria-label")
        assert len(words) == 2, "one for wide screens and one for narrow ones"
        assert said(figure, ".//figcaption/p")[0] in words[0].replace(NBSP, " ")
        assert len(figure.xpath(".//*[@role='img']/svg[.//text]")) == 2
        assert figure.xpath(".//details/summary")
        assert figure.xpath(".//details//table//tbody/tr")


@pytest.mark.skipif(not drawing.can_draw(), reason="altair and vl-convert-python are not installed")
@pytest.mark.parametrize("width", [510, 288])
def test_charts_are_drawn_as_the_schema_wants_them(width: int) -> None:
    days = [charts.Day(1, 1, after=False), charts.Day(0, 1, after=True)]
    words = {"in_all": "I alt", "per_day": "Per dag", "sent": "9 sendt ut", "deadline": "Frist"}
    rows = [
        ("Oslo", {"accepted": 3, "late": 0}),
        ("Flere av Østfold, Akershus og Buskerud", {"accepted": 0, "late": 1}),
    ]
    drawn = [
        charts.returns(charts.Returns(days, 9, 0, {0: "1. januar"}, words), width),
        charts.places([("Regional ordning", rows), ("", rows)], width),
        charts.amounts(
            [charts.Amounts("", [charts.Bar("2029", 5, "5 kr", past=True), charts.Bar("2030", 0, "0 kr")])], width
        ),
        charts.findings([charts.Rule("S1 Noe", 3, "error"), charts.Rule("S2 Noe annet", 1, "warning")], width),
        charts.progress([("1. retting", {"corrected": 2, "left": 1})], width),
    ]

    for svg in drawn:
        assert svg.startswith("<svg ")
        left, top, wide, _ = map(float, re.search(r'viewBox="([^"]+)"', svg)[1].split())  # type: ignore[index]
        assert (wide, top) == (width, 0)
        assert left >= 0


def test_every_colour_of_a_picture_has_another_in_the_dark() -> None:
    used = {value for name, value in vars(drawing).items() if name.isupper() and str(value).startswith("#")}
    dark = (Path(pages.__file__).parent / "last.css").read_text(encoding="utf-8")

    assert len(used) >= 10
    assert not [colour for colour in used if f'="{colour}"]' not in dark]


def test_without_the_drawing_programs_the_page_has_tables_and_staff_are_told(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "can_draw", lambda: False)

    result = run("--round", str(round_.folder), "dashboard")
    page = read(round_.dashboard / "index.html")

    assert result.exit_code == 0
    assert "pip install altair vl-convert-python" in result.stdout
    assert "ikke er installert" in said(page, "//section[@id='pictures']/p")[0]
    assert not page.xpath("//figure//svg")
    assert len(page.xpath("//figure/details[@open]//table")) == len(page.xpath("//figure"))


# the command


def test_the_command_says_where_the_page_is(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "can_draw", lambda: False)
    told = json.loads(run("--round", str(round_.folder), "dashboard", "--json").stdout)

    assert told == {"path": str(round_.dashboard / "index.html"), "pages": 6, "pictures": False}


def test_the_language_is_the_one_asked_for_or_that_of_the_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "can_draw", lambda: False)
    made = new_round(tmp_path, settings='language = "nn"\n')

    def lang(*words: str) -> str:
        assert run("--round", str(made.folder), "dashboard", *words).exit_code == 0
        return str(read(made.dashboard / "index.html").get("lang"))

    assert (lang(), lang("--language", "nb")) == ("nn", "nb")
    refused = run("--round", str(made.folder), "dashboard", "--language", "se")
    assert refused.exit_code == 2
    assert "use nb or nn" in refused.stderr


# words


def test_numbers_are_written_as_people_do(tmp_path: Path) -> None:
    words = Words(make_form(tmp_path), "nb")

    assert number(1234567) == f"1{NBSP}234{NBSP}567"
    assert [words.kroner(n) for n in (0, 64000, 12_350_000)] == ["0 kr", f"64{NBSP}000 kr", "12,3 mill. kr"]
    assert [words.share(*one) for one in ((1, 1000), (999, 1000), (0, 5), (5, 5), (1, 3))] == [
        f"{n}{NBSP}%" for n in (1, 99, 0, 100, 33)
    ]


# in a browser


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser meets in the dashboard of a demo."""
    program, node = shutil.which("chromium"), shutil.which("node")
    lacking = [name for name, path in (("chromium", program), ("node", node)) if path is None]
    lacking += [name for name in ("playwright-core", "axe-core") if not (PROGRAMS / "node_modules" / name).is_dir()]
    if lacking:
        pytest.skip(f"{' and '.join(lacking)} not installed (Debian: chromium, nodejs; then make programs)")
    folder = tmp_path_factory.mktemp("browser") / "demo"
    run_demo(folder, "behovsmelding-2024", 12, 1, quiet)
    reports = sorted(folder.glob("dashboard/reports/*.html"), key=lambda path: path.stat().st_size)
    words = [node, PROGRAMS / "dashboard.mjs", program, folder / "dashboard" / "index.html", reports[-1]]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=240, check=False)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_axe_finds_nothing_in_light_and_dark(told: dict[str, Any]) -> None:
    assert told["violations"] == {"index light": [], "index dark": [], "report light": [], "report dark": []}


def test_the_pages_ask_for_nothing_and_nothing_complains(told: dict[str, Any]) -> None:
    assert told["asked"]
    assert [url for url in told["asked"] if not url.startswith("file://")] == []
    assert told["said"] == []


def test_a_narrow_screen_need_not_be_scrolled_sideways(told: dict[str, Any]) -> None:
    assert told["wide"] == {"index": 320, "report": 320}


def test_on_paper_headings_stand_on_every_page_and_an_empty_list_has_none_of_its_own(told: dict[str, Any]) -> None:
    assert told["printed"]["heads"] == ["contents"], "a button is not drawn again at the top of the next page"
    assert told["printed"]["breaks"] == ["page", "page", "page", "auto"]


def test_without_script_the_lists_are_plain_tables(told: dict[str, Any]) -> None:
    assert told["withoutScript"] == {"rows": 12, "tools": 0}


def test_a_list_is_sorted_as_norwegians_do_from_the_keyboard_and_with_the_mouse(told: dict[str, Any]) -> None:
    assert told["firstStop"] == "#main"
    assert (told["ascending"]["says"], told["descending"]["says"]) == ("ascending", "descending")
    assert told["ascending"]["rows"] == told["before"], "the program sorts owners as the browser does"
    assert told["descending"]["rows"] == told["before"][::-1] != told["before"]


def test_a_list_is_filtered_by_words_and_by_status(told: dict[str, Any]) -> None:
    assert told["filtered"]["rows"] == [told["filtered"]["wanted"]]
    assert told["filtered"]["says"] == "1 av 12 vises"
    assert told["few"] == {"rows": 3, "says": "3 av 12 vises"}, "of a very long list, as many as can be shown at once"
    assert told["chosen"]["rows"] == [told["chosen"]["wanted"]]


def test_a_link_leads_to_the_page_of_a_report(told: dict[str, Any]) -> None:
    followed = told["followed"]

    assert followed["url"].endswith(f"/reports/{followed['heading']}.html")
    assert followed["tables"] >= 8
