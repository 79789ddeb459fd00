"""A wrong definition is told in plain words: every mistake at once, each with file, key, reason and fix."""

import shutil
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from intake.values import MAX_TEXT, read_value
from templates import definition
from templates.definition import FormError, bound_rules, find_form, form_names, load_form
from templates.form import Form, QuestionType, RulesFile
from templates.live.live import make_live
from templates.problems import Problem
from templates.rules.messages import READINGS, bad_words
from templates.rules.predicate import MAX_NODES

HAGELAG = Path(__file__).parent / "forms" / "hagelag"
MISTAKES = tomllib.loads((Path(__file__).parent / "definition_mistakes.toml").read_text(encoding="utf-8"))

# What the tiny form does without: a code list, choices that depend on another answer, a grid.
MORE_FORM = """
[constants]
maks = 100
jordarter = ["LEIRE", "SAND"]

[lists.steder]
file = "steder.csv"
key = "nummer"
label = "navn"
recode = "gamle.csv"
recode_from = "gammelt"
recode_to = "nytt"

[choices.sted.from_list]
list = "steder"
code = "nummer"
label = "navn"
where = { sone = "1" }

[choices.kvalitet]
GOD = { nb = "God", nn = "God" }
GRUS = { nb = "Grus", nn = "Grus" }

[sheets.hager]
kind = "table"
rows = 5
label = { nb = "Hager", nn = "Hagar" }

[sheets.hager.questions.kommunenr]
type = "kommunenr"
list = "steder"
label = { nb = "Kommunenummer", nn = "Kommunenummer" }

[sheets.hager.questions.stedsnavn]
type = "lookup"
lookup = { list = "steder", key = "kommunenr", value = "navn" }
label = { nb = "Sted", nn = "Stad" }

[sheets.hager.questions.jord]
type = "choice"
choices = "jord"
label = { nb = "Jord", nn = "Jord" }

[sheets.hager.questions.bed]
type = "choice"
choices = "kvalitet"
choices_when = [{ question = "jord", equals = "SAND", choices = "jord" }]
label = { nb = "Bed", nn = "Bed" }

[sheets.hager.questions.plantet]
type = "date"
min = 2030-01-01
max = 2030-12-31
label = { nb = "Plantet", nn = "Planta" }

[sheets.utgifter]
kind = "grid"
label = { nb = "Utgifter", nn = "Utgifter" }
row_label = { nb = "Post", nn = "Post" }

[sheets.utgifter.rows]
LEIE = { label = { nb = "Leie", nn = "Leige" } }
VANN = { label = { nb = "Vann", nn = "Vatn" } }
SUM = { label = { nb = "Sum poster", nn = "Sum postar" }, sum_of = ["LEIE", "VANN"] }

[sheets.utgifter.columns.ar1]
type = "amount"
label = { nb = "Første år", nn = "Første år" }

[sheets.utgifter.columns.ar2]
type = "amount"
label = { nb = "Andre år", nn = "Andre år" }

[sheets.utgifter.columns.alt]
type = "amount"
sum_of = ["ar1", "ar2"]
label = { nb = "Alle år", nn = "Alle år" }
"""
MORE_RULES = """
[[rule]]
id = "H3"
on = "hager"
unique = ["kommunenr"]
message = { nb = "{kommunenr} står to ganger.", nn = "{kommunenr} står to gonger." }

[[rule]]
id = "H4"
reading = ["orgnr_length"]
message = { nb = "«{verdi}» har {siffer} siffer.", nn = "«{verdi}» har {siffer} siffer." }

[[rule]]
id = "H5"
limit = ["max_length"]
message = { nb = "Høyst {max} tegn i «{felt}».", nn = "Høgst {max} teikn i «{felt}»." }

[[rule]]
id = "H6"
check = "received_by_deadline"
later = { nb = "Om det kom i tide.", nn = "Om det kom i tide." }
message = { nb = "Kom {mottatt}, fristen var {frist}.", nn = "Kom {mottatt}, fristen var {frist}." }

[[rule]]
id = "H7"
on = "utgifter"
required = ["ar1"]
message = { nb = "Fyll ut {felt} i rad {rad}.", nn = "Fyll ut {felt} i rad {rad}." }
"""
LETS = '[let]\nkostnad = "COALESCE(SUM(vekster.pris), 0)"\n\n'
LISTS = {
    "steder.csv": "nummer,navn,sone\n0301,Oslo,1\n3203,Asker,2\n",
    "gamle.csv": "gammelt,nytt\n3025,3203\n",
}


@dataclass(frozen=True)
class Definition:
    """A form on disk, as its author edits it."""

    folder: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace what stands once in a file; an empty `old` is the end of the file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert not old or text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new) if old else f"{text}\n{new}\n", encoding="utf-8")

    def problems(self) -> list[Problem]:
        with pytest.raises(FormError) as raised:
            load_form(self.folder)
        return raised.value.problems


@pytest.fixture
def written(tmp_path: Path) -> Definition:
    folder = tmp_path / "hagelag"
    shutil.copytree(HAGELAG, folder)
    (folder / "lists").mkdir()
    for name, text in LISTS.items():
        (folder / "lists" / name).write_text(text, encoding="utf-8")
    form, rules = folder / "form.toml", folder / "rules.toml"
    form.write_text(form.read_text(encoding="utf-8") + MORE_FORM, encoding="utf-8")
    rules.write_text(LETS + rules.read_text(encoding="utf-8") + MORE_RULES, encoding="utf-8")
    return Definition(folder)


@pytest.fixture
def form(written: Definition) -> Form:
    return load_form(written.folder)


# what is right


def test_a_form_in_order_is_loaded_with_its_lists_rules_and_questions(form: Form) -> None:
    assert list(form.sheets) == ["plan", "vekster", "hager", "utgifter"]
    assert form.question("plan.tittel").max_length == 60
    assert form.options("jord") == {"LEIRE": {"nb": "Leire", "nn": "Leire"}, "SAND": {"nb": "Sand", "nn": "Sand"}}
    assert form.options("sted") == {"0301": {"nb": "Oslo", "nn": "Oslo"}}
    assert form.lists["steder"].columns == ("nummer", "navn", "sone")
    assert form.lists["steder"].recoded == {"3025": "3203"}
    assert form.deadline == datetime(2030, 4, 1, 12, tzinfo=form.zone)
    assert form.main_sheet == "plan"


def test_the_forms_own_rules_come_first_and_take_over_what_they_speak_for(form: Form) -> None:
    codes = [code for rule in form.rules for code in (*rule.reading, *rule.limit)]

    assert [rule.name for rule in form.rules][:8] == ["H1", "H2", "H3", "H4", "H5", "H6", "H7", "required"]
    assert sorted(codes) == sorted([*READINGS, "min", "max", "min_length", "max_length"])
    assert next(rule for rule in form.rules if "orgnr_length" in rule.reading).id == "H4"


def test_a_rule_without_blame_marks_every_answer_it_mentions(form: Form) -> None:
    bound = {bound.rule.name: bound for bound in bound_rules(form)}

    assert [(node.sheet, node.key) for node in bound["H2"].blame] == [("vekster", "antall")]  # type: ignore[attr-defined]
    assert [(node.sheet, node.key) for node in bound["H1"].blame] == [("plan", "budsjett"), ("vekster", "pris")]  # type: ignore[attr-defined]


def test_a_form_needs_no_rules_of_its_own(tmp_path: Path) -> None:
    shutil.copy(HAGELAG / "form.toml", tmp_path)

    assert next(rule.name for rule in load_form(tmp_path).rules) == "required"


def test_a_form_saved_by_notepad_is_loaded(written: Definition) -> None:
    for name in ("form.toml", "rules.toml", "lists/steder.csv"):
        path = written.folder / name
        path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig", newline="\r\n")

    assert load_form(written.folder).lists["steder"].columns[0] == "nummer"


@pytest.mark.parametrize("name", form_names())
def test_every_form_that_comes_with_the_program_is_in_order(name: str) -> None:
    form = load_form(find_form(name))

    assert form.name == name
    assert len(bound_rules(form)) == len(form.rules)


@pytest.mark.parametrize("kind", get_args(QuestionType))
def test_every_question_type_is_accepted(written: Definition, kind: str) -> None:
    more = {"choice": 'choices = "jord"', "lookup": 'lookup = { list = "steder", key = "kommunenr", value = "navn" }'}
    written.edit(
        "form.toml",
        "",
        f"""
[sheets.hager.questions.ny]
type = "{kind}"
{more.get(kind, "")}
label = {{ nb = "Ny", nn = "Ny" }}
""",
    )

    assert str(load_form(written.folder).question("hager.ny").type) == kind


# one mistake


@pytest.mark.parametrize(
    ("file", "wrong"),
    [pytest.param(file, wrong, id=wrong["mistake"]) for file, table in MISTAKES.items() for wrong in table],
)
def test_a_mistake_is_told_with_its_place_its_reason_and_what_to_do(
    written: Definition, file: str, wrong: dict[str, Any]
) -> None:
    written.edit(file, wrong.get("old", ""), wrong["new"])

    assert [str(problem) for problem in written.problems()] == wrong["told"]


def test_a_problem_has_four_parts(written: Definition) -> None:
    written.edit("rules.toml", 'severity = "warning"', 'severity = "waring"')

    [problem] = written.problems()

    assert problem.file == "rules.toml"
    assert problem.key == "rule H2.severity"
    assert problem.reason == "«waring» is not known here"
    assert problem.fix == "Did you mean «warning»?"


JARGON = "input tuple dict dictionary valid validation pydantic sqlglot parse parsed token expected class str bool"


def test_no_word_of_a_programmer_reaches_the_author() -> None:
    told = [line for table in MISTAKES.values() for wrong in table for line in wrong["told"]]

    words = {word.strip(".,:«»'\"").casefold() for line in told for word in line.split()}
    assert not words.intersection(JARGON.split())


@pytest.mark.parametrize("file", ["form.toml", "rules.toml"])
@pytest.mark.parametrize("line", ["navn = ", "[sheets", 'navn = "uten slutt', "navn uten likhetstegn"])
def test_bad_toml_is_told_with_its_line(written: Definition, file: str, line: str) -> None:
    text = (written.folder / file).read_text(encoding="utf-8")
    (written.folder / file).write_text(f"# en\n{line}\n{text}", encoding="utf-8")

    [problem] = written.problems()

    assert problem.file == file
    assert problem.key.startswith("line 2, column ")
    assert problem.reason.startswith("is not TOML: ")  # and then in the words of the Python in use
    assert problem.fix == "Correct that line, or the one before it."


def test_a_key_that_is_given_twice_is_told_with_its_line(written: Definition) -> None:
    written.edit("form.toml", 'version = "1"', 'version = "1"\nversion = "2"')

    [problem] = written.problems()

    assert problem.key.startswith("line 4, ")


@pytest.mark.parametrize("file", ["form.toml", "rules.toml"])
def test_a_file_that_is_not_utf_8_is_told_so(written: Definition, file: str) -> None:
    path = written.folder / file
    path.write_text("# Å få det til\n" + path.read_text(encoding="utf-8"), encoding="cp1252", errors="replace")

    assert [str(problem) for problem in written.problems()] == [
        f"{file}: file: is not saved as UTF-8. Save it again, with the encoding UTF-8."
    ]


def test_a_rule_with_single_brackets_is_told_how_to_write_it(tmp_path: Path) -> None:
    shutil.copy(HAGELAG / "form.toml", tmp_path)
    (tmp_path / "rules.toml").write_text('[rule]\nid = "H1"\n', encoding="utf-8")

    assert [str(problem) for problem in Definition(tmp_path).problems()] == [
        "rules.toml: rule: must be a list. Write [[rule]], with two brackets."
    ]


def test_a_folder_without_a_form_is_told_what_to_make(tmp_path: Path) -> None:
    assert [str(problem) for problem in Definition(tmp_path / "nowhere").problems()] == [
        f"form.toml: file: is missing. Create form.toml in {tmp_path / 'nowhere'}."
    ]


def test_a_form_that_is_a_folder_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "form.toml").mkdir()

    [problem] = Definition(tmp_path).problems()

    assert problem.reason.startswith("cannot be opened")


def test_an_unknown_form_is_told_with_the_closest_name() -> None:
    [known] = form_names()

    for name, fix in ((known.replace("2024", "2042"), f"Did you mean «{known}»?"), ("xyz", f"Use {known}.")):
        with pytest.raises(FormError) as raised:
            find_form(name)
        assert raised.value.problems == [Problem(name, "form", "there is no such form", fix)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "steder.csv has no rows. Write the names of the columns first, then a row for each."),
        (b"nummer,navn,sone\n", "steder.csv has no rows. Write the names of the columns first, then a row for each."),
        ("nummer,navn\n1,Ås\n".encode("cp1252"), "steder.csv is not a CSV file in UTF-8. Save it as «CSV UTF-8»."),
        (b"nummer,navn,sone\n1,A,1\n1,B,1\n", "steder.csv has a nummer twice. Keep one row for each."),
        (
            b"nummer,navn,sone\n1,A,B,C\n",
            "row 2 of steder.csv has too many cells. Put quotes around text with a comma.",
        ),
    ],
    ids=["empty", "headings only", "not UTF-8", "a key twice", "a comma too many"],
)
def test_a_code_list_that_cannot_be_used_is_told_once(written: Definition, content: bytes, told: str) -> None:
    (written.folder / "lists" / "steder.csv").write_bytes(content)

    assert [str(problem) for problem in written.problems()] == [f"form.toml: lists.steder.file: {told}"]


def test_a_code_list_with_semicolons_is_told_what_its_first_column_is_called(written: Definition) -> None:
    (written.folder / "lists" / "steder.csv").write_text("nummer;navn;sone\n1;A;1\n", encoding="utf-8")

    assert [str(problem) for problem in written.problems()] == [
        "form.toml: lists.steder.key: the file has no column «nummer». Use nummer;navn;sone."
    ]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ('{ sonen = "jordarter" }', "the file has no column «sonen». Did you mean «sone»?"),
        ('{ sone = "jordart" }', "there is no list of texts «jordart» among the constants. Did you mean «jordarter»?"),
        ('{ sone = "maks" }', "there is no list of texts «maks» among the constants. Use jordarter."),
    ],
    ids=["no such column", "no such constant", "no list"],
)
def test_rows_with_a_label_are_told_by_a_column_and_a_constant(written: Definition, where: str, told: str) -> None:
    written.edit("form.toml", "[lists.steder]", f"[lists.steder]\nnamed_where = {where}")

    assert [str(problem) for problem in written.problems()] == [f"form.toml: lists.steder.named_where: {told}"]


def test_a_list_that_workbooks_need_whole_has_all_its_labels(written: Definition) -> None:
    other = "[lists.andre]\nfile = 'steder.csv'\nkey = 'nummer'\nlabel = 'navn'\nnamed_where = { sone = 'jordarter' }\n"
    written.edit("form.toml", "[lists.steder]", f"{other}\n[lists.steder]")

    assert [str(problem) for problem in written.problems()] == [
        "form.toml: lists.andre.named_where: no municipality number is checked against this list. Leave it out."
    ]


def test_a_rule_is_judged_on_receipt_when_workbooks_have_not_every_label_it_reads(written: Definition) -> None:
    written.edit("form.toml", "[lists.steder]", "[lists.steder]\nnamed_where = { sone = 'jordarter' }")
    words = '{ nb = "Ikke Oslo.", nn = "Ikkje Oslo." }'
    must = "LOOKUP(steder, kommunenr, navn) <> 'Oslo'"
    written.edit(
        "rules.toml", "", f'[[rule]]\nid = "H8"\non = "hager"\nmust = "{must}"\nmessage = {words}\nlater = {words}'
    )

    later = [rule.name for rule in make_live(load_form(written.folder), "nb").later]

    assert "H8" in later


def test_a_third_language_asks_for_every_text_and_for_rules_that_speak_it(written: Definition) -> None:
    written.edit("form.toml", 'languages = ["nb", "nn"]', 'languages = ["nb", "nn", "en"]')

    told = [str(problem) for problem in written.problems()]

    assert 'form.toml: title: has no text in «en». Add en = "…".' in told
    assert 'rules.toml: rule H1.message: has no text in «en». Add en = "…".' in told
    assert (
        "rules.toml: rule number: this standard rule has no text in «en». "
        'Write a rule of your own with reading = ["not_a_number"].'
    ) in told


# many mistakes


def test_mistakes_in_the_shape_of_both_files_are_told_together(written: Definition) -> None:
    written.edit("form.toml", "correction_days = 7", 'correction_days = "a week"')
    written.edit("form.toml", 'type = "amount"\nmin = 0', 'type = "amuont"\nmin = "none"')
    written.edit("form.toml", "rows = 10", "rows = 0")
    written.edit("rules.toml", 'severity = "warning"', 'severity = "loud"')
    written.edit("rules.toml", 'id = "H3"\n', "")

    assert [(problem.file, problem.key) for problem in written.problems()] == [
        ("form.toml", "correction_days"),
        ("form.toml", "sheets.plan.sections.om.questions.budsjett.type"),
        ("form.toml", "sheets.plan.sections.om.questions.budsjett.min"),
        ("form.toml", "sheets.vekster.rows"),
        ("rules.toml", "rule H2.severity"),
        ("rules.toml", "rule number 3.id"),
    ]


def test_bad_toml_in_one_file_does_not_hide_the_other(written: Definition) -> None:
    written.edit("form.toml", "rows = 10", "rows = ")
    written.edit("rules.toml", 'severity = "warning"', 'severity = "loud"')

    assert [(problem.file, problem.reason.partition(":")[0]) for problem in written.problems()] == [
        ("form.toml", "is not TOML"),
        ("rules.toml", "«loud» is not known here"),
    ]


def test_mistakes_in_the_meaning_of_all_files_are_told_together(written: Definition) -> None:
    written.edit("form.toml", ', nn = "Slik gjer du"', "")
    written.edit("form.toml", 'choices = "jord"\nrequired = true', 'choices = "jodr"\nrequired = true')
    written.edit("form.toml", "min = 2030-01-01", "min = 2031-01-01")
    written.edit("form.toml", 'file = "steder.csv"', 'file = "stader.csv"')
    written.edit("rules.toml", 'must = "antall <= 100"', 'must = "antal <= 100"')
    written.edit("rules.toml", '«{verdi}» har {siffer} siffer.", nn', '«{verd}» har {sifer} siffer.", nn')
    written.edit("rules.toml", 'values = { pris = "SUM(vekster.pris)" }', 'values = { pris = "SUM(vekster.prs)" }')
    written.edit("rules.toml", 'blame = ["plan.budsjett", "vekster.pris"]', 'blame = ["plan.x", "vekster.y"]')

    assert [(problem.file, problem.key) for problem in written.problems()] == [
        ("form.toml", "lists.steder.file"),
        ("form.toml", "guide.1.heading"),
        ("form.toml", "sheets.plan.sections.om.questions.jordtype.choices"),
        ("form.toml", "sheets.hager.questions.plantet.min"),
        ("rules.toml", "rule H1.blame"),
        ("rules.toml", "rule H1.blame"),
        ("rules.toml", "rule H1.values.pris"),
        ("rules.toml", "rule H2.must"),
        ("rules.toml", "rule H4.message.nb"),
        ("rules.toml", "rule H4.message.nb"),
    ]


def test_a_broken_named_expression_is_told_once_however_often_it_is_used(written: Definition) -> None:
    written.edit("rules.toml", 'kostnad = "COALESCE(SUM(vekster.pris), 0)"', 'kostnad = "SUM(vekstr.pris)"')
    written.edit("rules.toml", 'must = "budsjett >= COALESCE(SUM(vekster.pris), 0)"', 'must = "budsjett >= kostnad"')
    written.edit("rules.toml", 'must = "antall <= 100"', 'must = "antall <= kostnad"')

    assert [str(problem) for problem in written.problems()] == [
        "rules.toml: let.kostnad: there is no sheet «vekstr». Did you mean «vekster»?"
    ]


def test_a_named_expression_that_fits_one_sheet_only_is_told_where_it_does_not_fit(written: Definition) -> None:
    written.edit("rules.toml", 'kostnad = "COALESCE(SUM(vekster.pris), 0)"', 'mange = "vekster.antall > 100"')
    written.edit("rules.toml", 'must = "antall <= 100"', 'must = "NOT mange"')
    written.edit("rules.toml", 'must = "budsjett >= COALESCE(SUM(vekster.pris), 0)"', 'must = "NOT mange"')

    [problem] = written.problems()

    assert problem.key == "rule H1.must"
    assert problem.reason == "«mange» under [let]: «vekster.antall» is many answers"
    assert problem.fix == "Use SUM, COUNT, MIN, MAX, COUNT_IF or IN."


def test_named_expressions_that_define_each_other_are_told(written: Definition) -> None:
    written.edit("rules.toml", 'kostnad = "COALESCE(SUM(vekster.pris), 0)"', 'a = "b + 1"\nb = "a + 1"')

    assert [(problem.key, problem.reason) for problem in written.problems()] == [
        ("let.a", "it is defined by itself"),
        ("let.b", "it is defined by itself"),
    ]


def test_named_expressions_that_grow_without_end_are_told_quickly(written: Definition) -> None:
    growing = [f'x{number} = "{" + ".join([f"x{number - 1}"] * 100)}"' for number in range(1, 12)]
    written.edit("rules.toml", 'kostnad = "COALESCE(SUM(vekster.pris), 0)"', "\n".join(['x0 = "1 + 1"', *growing]))

    told = written.problems()

    assert told
    assert {problem.reason for problem in told} <= {
        "it is too large with the names it uses written out",
        "it is nested too deeply",
    }
    assert MAX_NODES <= 100 * 100


def test_a_long_chain_of_named_expressions_is_told(written: Definition) -> None:
    chain = [f'x{number} = "x{number - 1}"' for number in range(1, 24)]
    written.edit("rules.toml", 'kostnad = "COALESCE(SUM(vekster.pris), 0)"', "\n".join(['x0 = "1"', *chain]))

    assert [(problem.key, problem.reason) for problem in written.problems()] == [
        ("let.x21", "it is built on too many other names"),
        ("let.x22", "it is built on too many other names"),
        ("let.x23", "it is built on too many other names"),
    ]


# what the definition promises to others


def test_the_standard_rules_speak_for_every_reading_and_limit_once() -> None:
    rules = RulesFile.model_validate(tomllib.loads(definition.STANDARD_RULES.read_text(encoding="utf-8"))).rule

    codes = [code for rule in rules for code in rule.reading]
    assert sorted(codes) == sorted(READINGS)
    assert sorted(limit for rule in rules for limit in rule.limit) == ["max", "max_length", "min", "min_length"]
    assert [rule.name for rule in rules if "*" in rule.required] == ["required"]


def test_the_standard_messages_say_only_what_can_be_filled_in() -> None:
    rules = RulesFile.model_validate(tomllib.loads(definition.STANDARD_RULES.read_text(encoding="utf-8"))).rule

    for rule in rules:
        details = set().union(*(READINGS[code] for code in rule.reading))
        words = {"felt", "verdi", *details, *(("min", "max") if rule.limit else ())}
        assert [bad for text in rule.message.values() for bad in bad_words(text, words)] == []


READ = {
    "not_a_number": ("budsjett", "mye"),
    "not_whole": ("budsjett", "1,5"),
    "ambiguous_number": ("budsjett", "1.500"),
    "number_read": ("budsjett", "kr 1 250"),
    "not_a_date": ("plantet", "i går"),
    "ambiguous_date": ("plantet", "1/2/2030"),
    "date_read": ("plantet", "1. mars 2030"),
    "orgnr_length": ("medlem", "123"),
    "orgnr_check": ("medlem", "123456789"),
    "kommunenr_unknown": ("kommunenr", "9999"),
    "kommunenr_recoded": ("kommunenr", "3025"),
    "not_a_choice": ("jordtype", "stein"),
    "not_yes_no": ("drenering", "kanskje"),
    "choice_read": ("jordtype", "LEIRE "),
    "too_long": ("tittel", "x" * (MAX_TEXT + 1)),
}


@pytest.mark.parametrize("code", READ)
def test_a_reading_gives_the_words_its_message_may_say(form: Form, code: str) -> None:
    key, cell = READ[code]
    question = next(question for _, question in form.questions() if question.key == key)

    reading = read_value(cell, question, form)

    assert reading is not None
    assert code in (reading.problem, reading.note)
    assert {name.partition(".")[0] for name in reading.details} == set(READINGS[code])
