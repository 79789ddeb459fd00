"""The Norwegian texts that owners and staff read: how they are spelt, and one form of each word."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = Path(__file__).parent / "words"
LANGUAGES = ("nb", "nn")
FOLDERS = ("templates", "intake", "validation", "outputs")

# Words that are right though hunspell does not know them; both.txt is for both languages.
LISTS = {language: (WORDS / "both.txt", WORDS / f"{language}.txt") for language in LANGUAGES}
# Words that our texts do not use, and what they use instead.
INSTEAD: dict[str, dict[str, str]] = tomllib.loads((WORDS / "instead.toml").read_text(encoding="utf-8"))

# Infinitives of one syllable; the others end with e in our nynorsk.
SHORT_INFINITIVES = {"dra", "ha", "la", "ta"}

NO_WORDS = re.compile(
    r"\{[^{}]*\}"  # {placeholders}
    r"|\S+@\S+|https?://\S+|www\.\S+"
    r"|\w*\d\w*"  # numbers, cells, codes
    r"|[\w-]*\.xlsx\b|(?<!\w)\.\w+"  # retta.xlsx, .whl
    r"|dd\.mm\.åååå"
    r"|&[PN]\b"  # the page numbers of a footer
)
WORD = re.compile(r"[^\W\d_]{2,}")  # a single letter names a section, or begins a word like e-post
MARKUP = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
GUIDES = {"owner-nb.md": "nb", "owner-nn.md": "nn", "staff.md": "nb"}
FENCE = re.compile(r"^```[\s\S]*?^```$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`|\]\([^)]*\)")
TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Text:
    """One text in one language, and where its author finds it."""

    file: str
    key: str
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}: {self.key} ({self.language})"

    def words(self) -> list[str]:
        return WORD.findall(NO_WORDS.sub(" ", self.text))


def step(value: object, number: int) -> str:
    """What an entry of a list is called: a rule by its id and part, others by their number."""
    names = [value[name] for name in ("id", "part", "key") if name in value] if isinstance(value, dict) else []
    return " ".join(names) or str(number)


def texts_under(node: object, keys: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Find every key that holds a text, its language and the text. `nb` and `nn` are the languages."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in LANGUAGES and isinstance(value, str):
                yield ".".join(keys), name, value
            else:
                yield from texts_under(value, (*keys, name))
    elif isinstance(node, list):
        for number, value in enumerate(node, 1):
            yield from texts_under(value, (*keys, step(value, number)))


def catalogue_texts() -> Iterator[Text]:
    # Left out: what made-up owners write (samples/). Without texts, because they have no languages: round.toml
    # (comments in English) and headings.toml (what staff write, not what they read). Not looked at: the code lists
    # (lists/*.csv), which are public lists of names of municipalities, districts, institutions and owners.
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.toml")):
        if "samples" not in path.parts:
            for key, language, text in texts_under(tomllib.loads(path.read_text(encoding="utf-8"))):
                yield Text(path.relative_to(ROOT).as_posix(), key, language, text)


def letter_texts() -> Iterator[Text]:
    """What stands in the layouts of letters and pages besides jinja and HTML: it has to be right in every language."""
    letters, pages = (ROOT / "outputs" / name for name in ("letters", "overview"))
    for path in sorted([*letters.glob("letter.*"), *pages.glob("*.html")]):
        text = TAG.sub(" ", MARKUP.sub(" ", path.read_text(encoding="utf-8")))
        for language in LANGUAGES:
            yield Text(path.relative_to(ROOT).as_posix(), "layout", language, text)


def guide_texts() -> Iterator[Text]:
    """The paragraphs of the Norwegian guides, without what is typed and the names of files."""
    for name, language in GUIDES.items():
        prose = CODE.sub(" ", FENCE.sub("", (ROOT / "docs" / name).read_text(encoding="utf-8")))
        for number, paragraph in enumerate(prose.split("\n\n"), 1):
            yield Text(f"docs/{name}", f"paragraph {number}", language, paragraph)


TEXTS = [*catalogue_texts(), *letter_texts(), *guide_texts()]
each_language = pytest.mark.parametrize("language", LANGUAGES)


def listed(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def uncapitalised(word: str) -> str:
    return word[0].lower() + word[1:]


def used_words(language: str) -> set[str]:
    """The words of the texts in a language, as they stand and as they are inside a sentence."""
    words = {word for text in TEXTS if text.language == language for word in text.words()}
    return words | set(map(uncapitalised, words))


class Hunspell:
    """Debian's hunspell with the dictionaries of hunspell-no."""

    def __init__(self, program: str) -> None:
        self.program = program

    def unknown(self, language: str, words: Iterable[str]) -> set[str]:
        """The words that are not in the dictionary of a language."""
        words = set(words)
        beyond = {word for word in words if max(word) > "ÿ"}  # the dictionaries are in Latin-1: not checked there
        done = self.run(language, "\n".join(sorted(words - beyond)))
        assert (done.returncode, done.stderr) == (0, "")
        return beyond | set(done.stdout.split())

    def has(self, language: str) -> bool:
        return self.run(language, "").returncode == 0

    def run(self, language: str, given: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, "-i", "utf-8", "-d", f"{language}_NO", "-l"]
        return subprocess.run(command, input=given, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(scope="session")
def hunspell() -> Hunspell:
    program = shutil.which("hunspell")
    if program is None:
        pytest.skip("hunspell is not installed")
    checker = Hunspell(program)
    missing = [language for language in LANGUAGES if not checker.has(language)]
    if missing:
        pytest.skip(f"hunspell has no dictionary for {' and '.join(missing)} (Debian: hunspell-no)")
    return checker


def mistakes(checker: Hunspell, language: str, texts: Iterable[Text]) -> list[str]:
    """Every word that an author should look at, with its place."""
    texts = [text for text in texts if text.language == language]
    right = {word for path in LISTS[language] for word in listed(path)}
    unknown = checker.unknown(language, {word for text in texts for word in text.words()})
    told = []
    for text in texts:
        for word in dict.fromkeys(text.words()):
            better = INSTEAD[language].get(word.lower())
            if better is not None:
                told.append(f"{text.place}: «{word}». Use instead: {better}")
            elif word in unknown and right.isdisjoint({word, uncapitalised(word)}):
                told.append(f"{text.place}: «{word}» is not in the dictionary. Correct it, or add it to tests/words/")
    return told


@each_language
def test_every_text_is_spelt_right(hunspell: Hunspell, language: str) -> None:
    told = mistakes(hunspell, language, TEXTS)

    assert not told, "\n" + "\n".join(told)


@each_language
def test_every_golden_letter_is_spelt_right(hunspell: Hunspell, language: str) -> None:
    told = mistakes(hunspell, language, golden_letters(language))

    assert not told, "\n" + "\n".join(told)


def golden_letters(language: str) -> Iterator[Text]:
    """The letters as owners get them, less what others have named: titles, files, the office."""
    for path in sorted((ROOT / "tests" / "letters").glob(f"*-{language}.txt")):
        text = re.sub(r"«[^»]*»|\S+\.xlsx|Statsforvalteren i Oslo og Viken", " ", path.read_text(encoding="utf-8"))
        yield Text(path.relative_to(ROOT).as_posix(), "letter", language, text)


@pytest.mark.parametrize(
    ("language", "text", "wrong"),
    [
        ("nb", "Fyll ut skjemæt, og send det til Statsforvalteren.", "skjemæt"),
        ("nb", "Virkosmheten ligger i Oslo.", "Virkosmheten"),
        ("nb", "Sápmelaččat", "Sápmelaččat"),
        ("nn", "Fyll ut skjemaeet, og send det til Statsforvaltaren.", "skjemaeet"),
        ("nn", "Opplysnignar manglar.", "Opplysnignar"),
    ],
)
def test_a_misspelt_word_is_told_with_file_key_and_language(
    hunspell: Hunspell, language: str, text: str, wrong: str
) -> None:
    told = mistakes(hunspell, language, [Text("form.toml", "title", language, text)])

    place = f"form.toml: title ({language})"
    assert f"{place}: «{wrong}» is not in the dictionary. Correct it, or add it to tests/words/" in told


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        ("nn", "Ikke skriv noko her.", "«Ikke». Use instead: ikkje"),
        ("nn", "Skriv mye.", "«mye». Use instead: mykje"),
        ("nb", "Skriv ikkje noe her.", "«ikkje». Use instead: ikke"),
        ("nb", "Vi kan òg ringe.", "«òg». Use instead: også"),
    ],
)
def test_a_word_of_the_other_language_is_told_with_ours(
    hunspell: Hunspell, language: str, text: str, told: str
) -> None:
    text_of = Text("texts.toml", "help", language, text)

    assert mistakes(hunspell, language, [text_of]) == [f"texts.toml: help ({language}): {told}"]


@each_language
def test_what_is_no_word_is_not_checked(hunspell: Hunspell, language: str) -> None:
    text = "A. {antal} {the}, F14:F22, BM24-0007-1, xyz@qwrt.no, https://qwrt.no/xyz, .qwrt, dd.mm.åååå, &P"

    assert mistakes(hunspell, language, [Text("form.toml", "title", language, text)]) == []


def test_nynorsk_infinitives_end_with_e() -> None:
    found = [
        f"{text.place}: «å {word}»"
        for text in TEXTS
        if text.language == "nn"
        for word in re.findall(r"\bå (\w+a)\b", text.text)
        if word not in SHORT_INFINITIVES
    ]

    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("templates/texts.toml", "left_one"),
        ("templates/standard_rules.toml", "rule.orgnr check_digit.message"),
        ("templates/forms/behovsmelding-2024/form.toml", "title"),
        ("templates/forms/behovsmelding-2024/form.toml", "guide.1.text"),
        ("templates/forms/behovsmelding-2024/form.toml", "choices.malform.nn"),
        ("templates/forms/behovsmelding-2024/form.toml", "sheets.skjema.sections.eier.label"),
        ("templates/forms/behovsmelding-2024/form.toml", "sheets.skjema.sections.tiltak.questions.mal.help"),
        ("templates/forms/behovsmelding-2024/form.toml", "sheets.skjema.sections.tiltak.questions.mal.example"),
        ("templates/forms/behovsmelding-2024/form.toml", "sheets.budsjett.rows.KOORD.help"),
        ("templates/forms/behovsmelding-2024/form.toml", "register_columns.tema.label"),
        ("templates/forms/behovsmelding-2024/rules.toml", "rule.S19 for_mye_2025.message"),
        ("intake/texts.toml", "empty_file"),
        ("outputs/texts.toml", "reason_late"),
        ("outputs/letters/texts.toml", "greeting"),
        ("outputs/letters/letter.html", "layout"),
    ],
)
def test_texts_of_every_kind_are_looked_at(file: str, key: str) -> None:
    found = [text.language for text in TEXTS if (text.file, text.key) == (file, key)]

    assert found == ["nb", "nn"]


def test_jinja_and_html_leave_no_words_of_the_layout() -> None:
    assert [(text.file, text.words()) for text in letter_texts() if text.words()] == []
    assert len(list(letter_texts())) == 14


@pytest.mark.parametrize("path", sorted(WORDS.glob("*.txt")), ids=lambda path: path.name)
def test_a_word_list_is_sorted_and_names_each_word_once(path: Path) -> None:
    words = listed(path)

    assert words == sorted(set(words), key=lambda word: (word.lower(), word))


def test_a_word_of_both_languages_stands_in_one_list() -> None:
    both, nb, nn = (set(listed(WORDS / f"{name}.txt")) for name in ("both", "nb", "nn"))

    assert not (both & nb | both & nn | nb & nn)


@each_language
def test_a_word_list_holds_only_words_that_the_texts_use(language: str) -> None:
    used = used_words(language)

    idle = {path.name: [word for word in listed(path) if word not in used] for path in LISTS[language]}
    assert not any(idle.values()), idle


@each_language
def test_a_word_list_holds_only_words_that_hunspell_does_not_know(hunspell: Hunspell, language: str) -> None:
    words = {word for path in LISTS[language] for word in listed(path)}

    assert words - hunspell.unknown(language, words) == set()


@each_language
def test_a_word_list_lets_in_no_word_that_another_stands_instead_of(language: str) -> None:
    words = {word.lower() for path in LISTS[language] for word in listed(path)}

    assert words & INSTEAD[language].keys() == set()


@each_language
def test_the_words_to_use_instead_are_right_themselves(hunspell: Hunspell, language: str) -> None:
    texts = [Text("instead.toml", word, language, better) for word, better in INSTEAD[language].items()]

    assert mistakes(hunspell, language, texts) == []
