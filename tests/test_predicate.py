"""The rule language: every part of it gives one tree, and everything else is refused in a sentence."""

from collections.abc import Callable
from datetime import date
from time import perf_counter

import pytest

from templates.form import CodeList, Form, FormFile
from templates.rules.binding import FormNames, operands
from templates.rules.kinds import check_condition, kind_of
from templates.rules.language import MAX_LENGTH, PredicateError
from templates.rules.predicate import (
    Aggregate,
    And,
    Answer,
    Arithmetic,
    Call,
    Coalesce,
    Column,
    Compare,
    Const,
    GridCell,
    GridLine,
    In,
    InColumn,
    IsNull,
    Lookup,
    Node,
    Not,
    Or,
    ReceivedOn,
    RowKey,
    TableRows,
    parse,
)

TEXT = {"nb": "Prøve", "nn": "Prøve"}
QUESTIONS: dict[str, dict[str, object]] = {
    "navn": {"type": "text"},
    "antall": {"type": "integer"},
    "sats": {"type": "decimal"},
    "start": {"type": "date"},
    "enig": {"type": "yesno"},
    "farge": {"type": "choice", "choices": "farger"},
    "ar": {"type": "choice", "choices": "ar"},
    "fritt": {"type": "text", "choices": "farger", "open": True},
    "kommunenr": {"type": "kommunenr"},
    "sted": {"type": "lookup", "lookup": {"list": "steder", "key": "kommunenr", "value": "navn"}},
}


def made_form() -> Form:
    questions = {key: {"label": {"nb": key, "nn": key}, **question} for key, question in QUESTIONS.items()}
    amount = {"type": "amount", "label": TEXT}
    file = FormFile.model_validate({
        "form": "proeve", "version": "1", "code": "PR", "languages": ["nb", "nn"],
        "opens": "2024-01-01", "deadline": "2024-02-01T23:59:59", "correction_days": 14,
        "title": TEXT, "noun": {"one": TEXT, "the": TEXT, "many": TEXT}, "report_title": "skjema.navn",
        "constants": {"maks": 3, "rod": "ROD", "varme": ["ROD", "GUL"]},
        "lists": {"steder": {"file": "steder.csv", "key": "nummer", "label": "navn"}},
        "choices": {
            "farger": {"ROD": TEXT, "GUL": {"nb": "Gul", "nn": "Gul"}},
            "ar": {"1": TEXT, "2": {"nb": "To", "nn": "To"}},
        },
        "sheets": {
            "skjema": {"kind": "questions", "label": TEXT,
                       "sections": {"alt": {"label": TEXT, "questions": questions}}},
            "tabell": {"kind": "table", "label": TEXT, "rows": 9, "questions": questions},
            "rute": {"kind": "grid", "label": TEXT, "row_label": TEXT,
                     "rows": {"LEIE": {"label": TEXT}, "VANN": {"label": TEXT}},
                     "columns": {"y1": amount, "y2": amount}},
        },
    })  # fmt: skip
    steder = CodeList("steder", "nummer", "navn", {"0301": {"nummer": "0301", "navn": "Oslo"}}, {})
    lets = {"dobbelt": "skjema.antall * 2", "stor": "dobbelt > maks", "sum": "COALESCE(SUM(tabell.antall), 0)"}
    return Form(file, {"steder": steder}, (), lets)


FORM = made_form()


def read(text: str, on: str | None = "skjema") -> Node:
    return parse(text, FormNames(FORM, on))


def condition(text: str, on: str | None = "skjema") -> Node:
    tree = read(text, on)
    check_condition(FORM, tree)
    return tree


def refusal(text: str, on: str | None = "skjema", of: Callable[[str, str | None], Node] = condition) -> PredicateError:
    with pytest.raises(PredicateError) as raised:
        of(text, on)
    return raised.value


ANTALL, NAVN, START = Answer("skjema", "antall"), Answer("skjema", "navn"), Answer("skjema", "start")
ENIG, FARGE = Answer("skjema", "enig"), Answer("skjema", "farge")
MANGE = Compare(">", ANTALL, Const(1))
T_ANTALL, T_KOMMUNENR = Column("tabell", "antall"), Column("tabell", "kommunenr")


# what the language has


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("antall = 1", Compare("=", ANTALL, Const(1))),
        ("antall == 1", Compare("=", ANTALL, Const(1))),
        ("antall <> 1", Compare("<>", ANTALL, Const(1))),
        ("antall != 1", Compare("<>", ANTALL, Const(1))),
        ("antall < 1", Compare("<", ANTALL, Const(1))),
        ("antall <= 1", Compare("<=", ANTALL, Const(1))),
        ("antall > 1", MANGE),
        ("antall >= 1", Compare(">=", ANTALL, Const(1))),
        ("(antall > 1)", MANGE),
        ("skjema.antall > 1", MANGE),
        ("antall > 1 AND enig = 'Ja'", And((MANGE, Compare("=", ENIG, Const("Ja"))))),
        ("antall > 1 OR antall > 1 OR antall > 1", Or((MANGE, MANGE, MANGE))),
        ("antall > 1 OR antall > 1 AND antall > 1", Or((MANGE, And((MANGE, MANGE))))),
        ("NOT antall > 1", Not(MANGE)),
        ("antall BETWEEN 1 AND 3", And((Compare(">=", ANTALL, Const(1)), Compare("<=", ANTALL, Const(3))))),
        (
            "antall NOT BETWEEN 1 AND maks",
            Not(And((Compare(">=", ANTALL, Const(1)), Compare("<=", ANTALL, Const(3))))),
        ),
        ("navn IS NULL", IsNull(NAVN)),
        ("navn IS NOT NULL", Not(IsNull(NAVN))),
        ("farge IN ('ROD', 'GUL')", In(FARGE, (Const("ROD"), Const("GUL")))),
        ("farge NOT IN ('ROD')", Not(In(FARGE, (Const("ROD"),)))),
        ("farge IN (varme)", In(FARGE, (Const("ROD"), Const("GUL")))),
        ("farge IN ('GUL', varme)", In(FARGE, (Const("GUL"), Const("ROD"), Const("GUL")))),
        ("farge IN (rod)", In(FARGE, (Const("ROD"),))),
        ("farge IN (rod, 'GUL')", In(FARGE, (Const("ROD"), Const("GUL")))),
        ("navn IN (fritt)", In(NAVN, (Answer("skjema", "fritt"),))),
        ("navn IN (tabell.navn)", InColumn(NAVN, Column("tabell", "navn"))),
        ("farge = rod", Compare("=", FARGE, Const("ROD"))),
        ("start >= DATE '2024-08-01'", Compare(">=", START, Const(date(2024, 8, 1)))),
        ("start <= RECEIVED_ON()", Compare("<=", START, ReceivedOn())),
        ("COALESCE(navn, 'x') = 'x'", Compare("=", Coalesce((NAVN, Const("x"))), Const("x"))),
        ("stor", Compare(">", Arithmetic("*", ANTALL, Const(2)), Const(3))),
        ("ar >= 2", Compare(">=", Answer("skjema", "ar"), Const(2))),
        ("LOOKUP(steder, kommunenr, navn) = 'Oslo'",
         Compare("=", Lookup("steder", Answer("skjema", "kommunenr"), "navn"), Const("Oslo"))),
    ],
)  # fmt: skip
def test_a_condition_gives_its_tree(text: str, tree: Node) -> None:
    assert condition(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1", Const(1)),
        ("1.5", Const(1.5)),
        ("'Ja'", Const("Ja")),
        ("'det''s «æøå» -- /* ikke */ en kommentar; #'", Const("det's «æøå» -- /* ikke */ en kommentar; #")),
        ("-antall", Arithmetic("-", Const(0), ANTALL)),
        ("antall + 1", Arithmetic("+", ANTALL, Const(1))),
        ("antall - 1", Arithmetic("-", ANTALL, Const(1))),
        ("antall * sats", Arithmetic("*", ANTALL, Answer("skjema", "sats"))),
        ("antall / maks", Arithmetic("/", ANTALL, Const(3))),
        ("1 + antall * 2", Arithmetic("+", Const(1), Arithmetic("*", ANTALL, Const(2)))),
        ("ABS(antall)", Call("ABS", ANTALL)),
        ("ROUND(sats)", Call("ROUND", Answer("skjema", "sats"))),
        ("LENGTH(navn)", Call("LENGTH", NAVN)),
        ("YEAR(start)", Call("YEAR", START)),
        ("month(start)", Call("MONTH", START)),
        ("dobbelt", Arithmetic("*", ANTALL, Const(2))),
        ("SUM(tabell.antall)", Aggregate("SUM", T_ANTALL, "tabell")),
        ("MIN(tabell.start)", Aggregate("MIN", Column("tabell", "start"), "tabell")),
        ("MAX(rute.y1)", Aggregate("MAX", Column("rute", "y1"), "rute")),
        ("SUM(rute.LEIE)", Aggregate("SUM", GridLine("rute", "LEIE"), "rute")),
        ("COUNT(tabell)", Aggregate("COUNT", TableRows("tabell"), "tabell")),
        ("COUNT(tabell.navn)", Aggregate("COUNT", Column("tabell", "navn"), "tabell")),
        ("COUNT(rute.VANN)", Aggregate("COUNT", GridLine("rute", "VANN"), "rute")),
        ("COUNT(DISTINCT tabell.navn)", Aggregate("COUNT_DISTINCT", Column("tabell", "navn"), "tabell")),
        ("STRING_AGG(tabell.navn)", Aggregate("STRING_AGG", Column("tabell", "navn"), "tabell")),
        ("COUNT_IF(tabell.antall > 1)", Aggregate("COUNT_IF", Compare(">", T_ANTALL, Const(1)), "tabell")),
        ("COUNT_IF(tabell.antall > antall)", Aggregate("COUNT_IF", Compare(">", T_ANTALL, ANTALL), "tabell")),
        ("COUNT_IF(LOOKUP(steder, tabell.kommunenr, navn) IN ('Oslo'))",
         Aggregate("COUNT_IF", In(Lookup("steder", T_KOMMUNENR, "navn"), (Const("Oslo"),)), "tabell")),
        ("rute.LEIE.y1", GridCell("rute", "LEIE", "y1")),
        ("COALESCE(antall, NULL, 0)", Coalesce((ANTALL, Const(None), Const(0)))),
        ("sum + 1", Arithmetic("+", Coalesce((Aggregate("SUM", T_ANTALL, "tabell"), Const(0))), Const(1))),
    ],
)  # fmt: skip
def test_an_expression_gives_its_tree(text: str, tree: Node) -> None:
    assert read(text) == tree


def test_a_rule_on_a_table_speaks_of_its_own_row_and_of_all_rows() -> None:
    own = Answer("tabell", "antall")

    assert condition("antall > 1", "tabell") == Compare(">", own, Const(1))
    assert condition("tabell.antall > 1", "tabell") == Compare(">", own, Const(1))
    assert condition("antall < SUM(tabell.antall)", "tabell") == Compare("<", own, Aggregate("SUM", T_ANTALL, "tabell"))
    assert condition("antall > skjema.antall", "tabell") == Compare(">", own, ANTALL)


def test_inside_count_if_a_name_of_the_table_is_its_column() -> None:
    inner = Compare(">", T_ANTALL, Const(1))

    assert read("COUNT_IF(antall > 1)", "tabell") == Aggregate("COUNT_IF", inner, "tabell")


def test_a_rule_on_a_grid_knows_the_key_of_its_row() -> None:
    tree = condition("row_key <> 'LEIE' OR y1 > 0", "rute")

    row_key = Compare("<>", RowKey("rute"), Const("LEIE"))
    assert tree == Or((row_key, Compare(">", Answer("rute", "y1"), Const(0))))


def test_operands_are_the_answers_and_whole_aggregates_a_tree_is_judged_on() -> None:
    tree = condition("antall > SUM(tabell.antall) OR navn = 'x' AND antall > 0")

    assert operands(tree) == (ANTALL, Aggregate("SUM", T_ANTALL, "tabell"), NAVN)


# what it has not


@pytest.mark.parametrize(
    "text",
    [
        "antall > (SELECT 1)",
        "antall IN (SELECT antall FROM tabell)",
        "EXISTS (SELECT 1)",
        "SELECT 1",
        "SELECT * FROM read_csv('hemmelig.csv')",
        "DROP TABLE skjema",
        "UPDATE skjema SET antall = 1",
        "SET x = 1",
        "CASE WHEN antall > 1 THEN TRUE ELSE FALSE END",
        "IF(antall > 1, TRUE, FALSE)",
        "navn LIKE 'x%'",
        "navn || 'x' = 'y'",
        "antall % 2 = 0",
        "antall & 1 = 1",
        "POWER(antall, 2) > 1",
        "ROUND(sats, 2) > 1",
        "antall BETWEEN SYMMETRIC 3 AND 1",
        "SUM(tabell.antall) OVER () > 1",
        "SUM(tabell.antall) FILTER (WHERE tabell.antall > 1) > 1",
        "start = DATE('2024-08-01')",
        "start = CURRENT_DATE",
        "EXTRACT(YEAR FROM start) = 2024",
        "antall = ANY(tabell.antall)",
        "antall = ?",
        "antall = :x",
        "antall = @x",
        "antall[0] = 1",
        "antall = (1, 2)",
        "antall AS x",
        "N'x' = navn",
        "antall IS NOT DISTINCT FROM 1",
        "skjema.navn.__class__.__mro__.x = 1",
        "{'x': antall}",
        "x -> x",
        "STRING_AGG(tabell.navn, ';') = 'x'",
    ],
)
def test_sql_that_is_not_in_the_language_is_refused_with_what_is(text: str) -> None:
    error = refusal(text)

    assert error.reason.endswith("is not in the rule language")
    assert error.fix.startswith("Use AND OR NOT, = <> < <= > >=")


@pytest.mark.parametrize(
    ("text", "reason", "fix"),
    [
        ("", "it is empty", "Write an expression."),
        (" ; ", "it is empty", "Write an expression."),
        ("-- antall > 1", "it is empty", "Write an expression."),
        ("antall > 1; DROP TABLE skjema", "it is more than one expression",
         "Write each in a rule of its own, without semicolons."),
        ("antall > 1 -- OR antall < 0", "it holds a comment",
         "Write a comment on a line of its own that begins with #."),
        ("antall /* > 1 */ > 2", "it holds a comment", "Write a comment on a line of its own that begins with #."),
        ("antall > 1 /*", "a quote or a comment in it has no end", "Write a text as 'text'."),
        ("navn = 'x", "a quote or a comment in it has no end", "Write a text as 'text'."),
        ("antall >", "it cannot be read from «>» on", "Look for a missing word, quote or parenthesis there."),
        ("(antall > 1", "it cannot be read from «1» on", "Look for a missing word, quote or parenthesis there."),
        ("antall > 1)", "it cannot be read from «)» on", "Look for a missing word, quote or parenthesis there."),
        ("antall ~ 1", "it cannot be read from «~» on", "Look for a missing word, quote or parenthesis there."),
        ("XOR", "it cannot be read as it stands", "Look for a missing word, quote or parenthesis there."),
        ('navn = "Ja"', '"Ja" is in double quotes', "Write a text as 'Ja', a name without quotes."),
        ("CAST(antall AS TEXT) = '1'", "CAST is not in the rule language", "A date is written DATE '2024-08-01'."),
        ("antall::text = '1'", "CAST is not in the rule language", "A date is written DATE '2024-08-01'."),
        ("start > DATE '2024-13-01'", "«2024-13-01» is not a date", "Write DATE '2024-08-01'."),
        ("start > DATE 2024", "«2024» is not a date", "Write DATE '2024-08-01'."),
        ("antall IS TRUE", "IS is only for emptiness", "Write IS NULL, IS NOT NULL or =."),
        ("antall IN ()", "IN has nothing to choose from", "Write IN ('a', 'b') or IN (table.column)."),
        ("navn IN (tabell)", "«tabell» in IN is not one column", "Write IN (table.column)."),
        ("antall IN (rute.LEIE)", "«rute» in IN is not one column", "Write IN (table.column)."),
        ("farge = varme", "«varme» is a list of values", "Write IN (varme)."),
        ("SUMM(tabell.antall) > 1", "the function SUMM is not in the rule language", "Did you mean «SUM»?"),
        ("LOOKUP(steder, kommunenr) = 'x'", "LOOKUP takes a list, a key and a column",
         "Write LOOKUP(list, question, column)."),
        ("LOOKUP('steder', kommunenr, navn) = 'x'", "LOOKUP takes a list, a key and a column",
         "Write LOOKUP(list, question, column)."),
        ("LOOKUP(stder, kommunenr, navn) = 'x'", "there is no list «stder»", "Did you mean «steder»?"),
        ("LOOKUP(steder, kommunenr, namn) = 'x'", "list «steder» has no column «namn»", "Did you mean «navn»?"),
        ("SUM(antall) > 1", "SUM takes one column of a table or one row of a grid", "Write SUM(table.column)."),
        ("SUM(tabell) > 1", "SUM takes one column of a table or one row of a grid", "Write SUM(table.column)."),
        ("SUM(DISTINCT tabell.antall) > 1", "SUM takes one column of a table or one row of a grid",
         "Write SUM(table.column)."),
        ("MAX(antall, 2) > 1", "MAX takes one column of a table or one row of a grid", "Write MAX(table.column)."),
        ("COUNT(*) > 1", "COUNT takes one column of a table or one row of a grid", "Write COUNT(table.column)."),
        ("COUNT(DISTINCT tabell.navn, tabell.antall) > 1",
         "COUNT takes one column of a table or one row of a grid", "Write COUNT(table.column)."),
        ("STRING_AGG(rute.LEIE) = 'x'", "STRING_AGG takes one column of a table or one row of a grid",
         "Write STRING_AGG(table.column)."),
        ("COUNT_IF(antall > 1) > 1", "COUNT_IF takes a condition on the columns of one table",
         "Write COUNT_IF(table.column = …)."),
        ("COUNT_IF(tabell.antall > rute.y1) > 1", "COUNT_IF takes a condition on the columns of one table",
         "Write COUNT_IF(table.column = …)."),
        ("antall < 1e400", "«1e400» is too large a number", "A spreadsheet keeps 15 digits."),
        ("antall < 1000000000000000", "«1000000000000000» is too large a number", "A spreadsheet keeps 15 digits."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason_and_a_fix(text: str, reason: str, fix: str) -> None:
    error = refusal(text)

    assert (error.reason, error.fix) == (reason, fix)
    assert str(error) == f"{reason}. {fix}"


@pytest.mark.parametrize(
    ("text", "on", "reason", "fix"),
    [
        ("antal > 1", "skjema", "there is no «antal» here", "Did you mean «antall»?"),
        ("masks > 1", "skjema", "there is no «masks» here", "Did you mean «maks»?"),
        ("dobelt > 1", "skjema", "there is no «dobelt» here", "Did you mean «dobbelt»?"),
        ("qqq > 1", "skjema", "there is no «qqq» here", "Name a question of this sheet, or sheet.question."),
        ("y1 > 1", "skjema", "there is no «y1» here", "Write rute.y1."),
        ("antall > 1", "rute", "there is no «antall» here", "Write skjema.antall or tabell.antall."),
        ("antall > 1", None, "there is no «antall» here", "Write skjema.antall or tabell.antall."),
        ("row_key = 'LEIE'", "tabell", "there is no «row_key» here",
         "Name a question of this sheet, or sheet.question."),
        ("tabell > 1", "skjema", "«tabell» is a whole table", "Count its rows: COUNT(tabell)."),
        ("skjeme.antall > 1", "skjema", "there is no sheet «skjeme»", "Did you mean «skjema»?"),
        ("secrets.password = 'x'", "skjema", "there is no sheet «secrets»", "Use skjema, tabell or rute."),
        ("skjema.antal > 1", "tabell", "sheet «skjema» has no «antal»", "Did you mean «antall»?"),
        ("SUM(rute.LEI) > 1", "skjema", "sheet «rute» has no «LEI»", "Did you mean «LEIE»?"),
        ("tabell.antall > 1", "skjema", "«tabell.antall» is many answers",
         "Use SUM, COUNT, MIN, MAX, COUNT_IF or IN."),
        ("rute.LEIE > 1", "skjema", "«rute.LEIE» is many answers", "Use SUM, COUNT, MIN, MAX, COUNT_IF or IN."),
        ("rute.LEIA.y1 > 1", "skjema", "grid «rute» has no «LEIA»", "Did you mean «LEIE»?"),
        ("rute.LEIE.y3 > 1", "skjema", "grid «rute» has no «y3»", "Use y1 or y2."),
        ("tabell.LEIE.y1 > 1", "skjema", "«tabell» has no named rows", "Write sheet.question."),
        ("x.LEIE.y1 > 1", "skjema", "there is no sheet «x»", "Use skjema, tabell or rute."),
        ("a.rute.LEIE.y1 > 1", "skjema", "«a.rute.LEIE.y1» has too many parts",
         "Write sheet.question or grid.ROW.column."),
    ],
)  # fmt: skip
def test_an_unknown_name_is_told_with_the_one_that_was_meant(text: str, on: str | None, reason: str, fix: str) -> None:
    error = refusal(text, on)

    assert (error.reason, error.fix) == (reason, fix)


# what cannot be compared


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("antall", "it must be a condition, but «antall» is a number"),
        ("enig", "it must be a condition, but «enig» is text"),
        ("antall + 1", "it must be a condition, but ARITHMETIC is a number"),
        ("NOT antall", "each side of AND, OR and NOT must be a condition, but «antall» is a number"),
        ("antall > 1 AND enig", "each side of AND, OR and NOT must be a condition, but «enig» is text"),
        ("1 < antall < 3", "a comparison is compared again"),
        ("(antall > 1) IS NULL", "a comparison is compared again"),
        ("antall = NULL", "nothing is equal to NULL"),
        ("antall IN (1, NULL)", "nothing is equal to NULL"),
        ("navn = 1", "«navn» is text and 1 is a number"),
        ("antall = '1'", "«antall» is a number and '1' is text"),
        ("antall IN (1, 'to')", "«antall» is a number and 'to' is text"),
        ("start > 2024", "«start» is a date and 2024 is a number"),
        ("start > '2024-08-01'", "«start» is a date and '2024-08-01' is text"),
        ("antall IN (tabell.navn)", "«antall» is a number and «tabell.navn» is text"),
        ("rute.LEIE.y1 = 'x'", "«rute.LEIE.y1» is a number and 'x' is text"),
        ("COALESCE(antall, 'ingen') = 'ingen'", "«antall» is a number and 'ingen' is text"),
        ("navn + 1 > 1", "each side of + must be a number, but «navn» is text"),
        ("start - start > 1", "each side of - must be a number, but «start» is a date"),
        ("YEAR(navn) = 2024", "what YEAR takes must be a date, but «navn» is text"),
        ("ABS(navn) = 1", "what ABS takes must be a number, but «navn» is text"),
        ("LENGTH(antall) = 1", "what LENGTH takes must be text, but «antall» is a number"),
        ("SUM(tabell.navn) = 1", "what SUM takes must be a number, but «tabell.navn» is text"),
        ("SUM(tabell.ar) = 1", "what SUM takes must be a number, but «tabell.ar» is text"),
        ("STRING_AGG(tabell.antall) = 'x'", "what STRING_AGG takes must be text, but «tabell.antall» is a number"),
        ("MAX(tabell.start) > 1", "MAX is a date and 1 is a number"),
        ("COUNT_IF(tabell.antall) > 1", "what COUNT_IF takes must be a condition, but «tabell.antall» is a number"),
        ("LOOKUP(steder, antall, navn) = 'x'", "the key of LOOKUP must be text, but «antall» is a number"),
        ("farge = 'BLA'", "«BLA» is not a choice of «farge»"),
        ("farge IN ('ROD', 'BLA')", "«BLA» is not a choice of «farge»"),
        ("'BLA' = farge", "«BLA» is not a choice of «farge»"),
        ("enig = 'JAA'", "«JAA» is not a choice of «enig»"),
        ("COUNT_IF(tabell.farge = 'BLA') > 1", "«BLA» is not a choice of «farge»"),
    ],
)
def test_what_cannot_be_compared_is_refused(text: str, reason: str) -> None:
    error = refusal(text)

    assert error.reason == reason
    assert error.fix.endswith((".", "?"))


@pytest.mark.parametrize(
    "text",
    [
        "farge = 'rod'",
        "farge = ' ROD '",
        "farge <> ''",
        "fritt = 'BLA'",
        "ar = '1'",
        "ar >= 2",
        "ar + 1 > 2",
        "sted = 'Oslo'",
        "sted > 3",
        "COALESCE(farge, '-') = 'BLA'",
        "COALESCE(ar, 0) > 1",
        "MIN(tabell.navn) = 'x'",
        "YEAR(MAX(tabell.start)) = 2024",
        "LOOKUP(steder, kommunenr, navn) > 1",
        "TRUE",
    ],
)
def test_what_can_be_compared_is_taken(text: str) -> None:
    assert kind_of(FORM, read(text)) == "condition"


def test_the_kind_of_a_value_is_known() -> None:
    kinds = {text: kind_of(FORM, read(text)) for text in ("antall", "navn", "start", "ar", "antall > 1", "NULL")}

    assert kinds == {
        "antall": "number", "navn": "text", "start": "date", "ar": "digits", "antall > 1": "condition",
        "NULL": "nothing",
    }  # fmt: skip


# what would take the machine down


def repeated(first: str, many: str, last: str = "") -> str:
    """As many of a part as fit in one rule."""
    room = MAX_LENGTH - len(first) - len(last)
    return first + many * (room // len(many)) + last


NESTED = {
    "10,000 ORs": "antall > 1" + " OR antall > 1" * 10_000,
    "10,000 nested ORs": "(" * 10_000 + "antall > 1" + " OR antall > 1)" * 10_000,
    "a megabyte": "'" + "x" * 1_000_000 + "'",
    "parentheses": "(" * 490 + "antall" + ")" * 490,
    "open parentheses": "(" * MAX_LENGTH,
    "brackets": "[" * MAX_LENGTH,
    "braces": "{" * MAX_LENGTH,
    "NOT": repeated("", "NOT ", "enig"),
    "minus": repeated("", "- ", "antall"),
    "ABS": "ABS(" * 190 + "antall" + ")" * 190,
    "COALESCE": "COALESCE(" * 36 + "antall" + ", 0)" * 36,
    "IN": repeated("", "antall IN (", ")"),
    "CASE": repeated("", "CASE WHEN "),
    "dots": repeated("a", ".a"),
    "subqueries": repeated("", "(SELECT "),
    "functions of functions": repeated("", "f(("),
    "lambdas": repeated("", "(a -> "),
    "BETWEEN": repeated("", "antall BETWEEN ", "1"),
}


@pytest.mark.parametrize("name", NESTED)
def test_a_monster_is_dealt_with_at_once(name: str) -> None:
    start = perf_counter()
    try:
        condition(NESTED[name])
    except PredicateError as error:
        assert len(str(error)) < 500  # noqa: PT017 - some of these are harmless
    assert perf_counter() - start < 2


def test_a_text_that_is_too_long_is_told_its_length_and_the_limit() -> None:
    longest = "antall > 1".ljust(MAX_LENGTH)

    assert condition(longest) == MANGE
    error = refusal(longest + " ")
    assert error.reason == "it is 1001 characters long; the limit is 1000"
    assert error.fix == "Split it into several rules."


def test_a_tree_that_is_too_deep_is_told_so() -> None:
    error = refusal("(" * 60 + "antall > 1" + ")" * 60)

    assert (error.reason, error.fix) == ("it is nested too deeply", "Split it into several rules.")


def test_many_ors_in_one_rule_are_taken_while_they_fit() -> None:
    tree = condition(" OR ".join(["antall > 1"] * 70))

    assert tree == Or((MANGE,) * 70)
