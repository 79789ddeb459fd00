"""A rule becomes the formula it should be, and the formula says what the rule says."""

from pathlib import Path

import openpyxl
import pytest

from templates.rules.binding import FormNames
from templates.rules.formula import Formula, NoFormulaError, text
from templates.rules.predicate import Aggregate, Answer, Column, GridCell, Lookup, Node, parse
from tests.conftest import Office
from tests.desk import Desk

FORM = Desk(Path(__file__).parent / "forms" / "alle_typer").form
PLACES = {"heltall": "A1", "desimaltall": "B1", "dato": "C1", "gruppe": "D1", "tekst": "E1", "ar": "F1", "sted": "G1"}


class Here:
    """Every answer in row 1, every aggregate in X1 and whether it is bad in Y1."""

    def state(self, node: Answer | GridCell | Column | Aggregate) -> str:
        return PLACES[node.key] if isinstance(node, Answer | Column) else "X1"

    def is_bad(self, _node: Aggregate) -> str:
        return "Y1"

    def column(self, node: Column | Answer) -> str:
        return f"${PLACES[node.key][0]}$1:${PLACES[node.key][0]}$9"

    def row_key(self) -> str:
        return '"MAT"'

    def derived(self, _node: Node) -> str | None:
        return None

    def is_fixed(self, _formula: str) -> bool:
        return True

    def once(self, formula: str) -> str:
        return formula

    def lookup(self, node: Lookup, key: str) -> tuple[str, str]:
        found = f"MATCH({key},_l_{node.list}_number,0)"
        return f"ISNUMBER({found})", f'INDEX(_l_{node.list}_{node.value},{found})&""'


def fails(must: str) -> str:
    return Formula(FORM, Here()).fails(parse(must, FormNames(FORM, "svar")))


@pytest.mark.parametrize(
    ("must", "formula"),
    [
        ("heltall <= desimaltall", "IF(AND(ISNUMBER(A1),ISNUMBER(B1)),A1>B1)"),
        ("gruppe = 'VAD'", 'IF(LEFT(D1&"¤")<>"¤",D1<>"VAD")'),
        ("COALESCE(heltall, 0) > 0", 'IF(LEFT(A1)<>"¤",N(A1)<=0)'),
        ("ar >= 2", 'IF(LEFT(F1&"¤")<>"¤",IF(ISNUMBER(VALUE(F1)),VALUE(F1)<2))'),
        ("dato >= DATE '2024-08-01'", "IF(ISNUMBER(C1),C1<DATE(2024,8,1))"),
        ("COUNT(rader) >= 1", "IF(NOT(Y1),X1<1)"),
        ("NOT (heltall = 1 AND heltall = 2)", "AND(A1=1,A1=2)"),
    ],
)
def test_a_rule_becomes_one_formula(must: str, formula: str) -> None:
    assert fails(must) == formula


def test_what_a_spreadsheet_judges_otherwise_is_refused() -> None:
    with pytest.raises(NoFormulaError):
        fails("tekst < gruppe")


def test_a_long_text_is_written_in_pieces() -> None:
    assert text("x" * 300) == f'"{"x" * 255}"&"{"x" * 45}"'
    assert text('sa "hei"') == '"sa ""hei"""'


CASES: list[tuple[str, dict[str, object], bool]] = [
    ("heltall <= 5", {"A1": 5}, False),
    ("heltall <= 5", {"A1": 6}, True),
    ("heltall <= 5", {"A1": ""}, False),
    ("heltall <= 5", {"A1": "¤n"}, False),
    ("COALESCE(heltall, 0) > 0", {"A1": ""}, True),
    ("COALESCE(heltall, 0) > 0", {"A1": "¤n"}, False),
    ("gruppe <> 'VAD' OR heltall > 1", {"D1": "vad", "A1": 1}, True),
    ("gruppe <> 'VAD' OR heltall > 1", {"D1": "SPURV", "A1": 1}, False),
    ("gruppe IS NULL", {"D1": "VAD"}, True),
    ("gruppe IS NOT NULL", {"D1": ""}, True),
    ("gruppe IN ('VAD', 'SPURV')", {"D1": "ANNET"}, True),
    ("tekst IN (rader.gruppe)", {"E1": "a*", "D1": "abc"}, True),
    ("heltall / desimaltall > 1", {"A1": 3, "B1": 0}, False),
    ("heltall / desimaltall > 1", {"A1": 3, "B1": 3}, True),
    ("ROUND(desimaltall) = 3", {"B1": 2.5}, False),
    ("ar = 2", {"F1": "1"}, True),
    ("LENGTH(tekst) <= 3", {"E1": "æøåæ"}, True),
    ("MONTH(dato) = 8", {"C1": 45505}, False),
    ("MONTH(dato) = 8", {"C1": 45500}, True),
    ("heltall BETWEEN 1 AND 3", {"A1": 4}, True),
]


def test_the_formulas_say_what_the_rules_say(soffice: Office, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    del book["Sheet"]
    for number, (must, cells, _) in enumerate(CASES):
        sheet = book.create_sheet(str(number))
        for cell in PLACES.values():
            sheet[cell] = '=""'
        for cell, value in cells.items():
            sheet[cell] = value if value != "" else '=""'
        sheet["Z1"] = "=" + fails(must)
    (tmp_path / "in").mkdir()
    book.save(tmp_path / "in" / "regler.xlsx")
    done = openpyxl.load_workbook(soffice.convert(tmp_path / "in" / "regler.xlsx", "xlsx", tmp_path), data_only=True)

    assert [done[str(number)]["Z1"].value for number in range(len(CASES))] == [failing for _, _, failing in CASES]
