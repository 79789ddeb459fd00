"""The words of a message as a formula: the rule's own text with what stands in the cells."""

from collections.abc import Mapping
from datetime import date
from string import Formatter

from templates.form import NUMERIC, Question
from templates.formula import BAD, text
from templates.states import NBSP, digit_count, plain

MINUS = "\u2212"
HOLE = Formatter()


def message(template: str, template_cell: str, words: Mapping[str, str]) -> str:
    """The formula that fetches a text and fills its holes; a hole nobody can fill stays empty."""
    filled = template_cell
    for name in holes(template):
        filled = f'SUBSTITUTE({filled},"{{{name}}}",{words.get(name, """""")})'
    return filled


def holes(template: str) -> list[str]:
    """The names in the braces of a text, once each."""
    return list(dict.fromkeys(name for _, name, _, _ in HOLE.parse(template) if name))


def stored(template: str) -> str:
    """A text as its cell holds it: with its holes, and braces of its own written once."""
    return "".join(
        literal + (f"{{{name}}}" if name is not None else "") for literal, name, _, _ in HOLE.parse(template)
    )


def as_written(question: Question, cell: str) -> str:
    """What the owner sees in a cell; of a number the digits, of a date the day."""
    digits = _date(cell) if question.type == "date" else f'SUBSTITUTE({cell}&"",".",",")'
    return f'IF(ISERROR({cell}),"",IF(ISNUMBER({cell}),{digits},{cell}&""))'


def shown(question: Question, cell: str, state: str) -> str:
    """An answer as people read it; what could not be used as it was written."""
    written = as_written(question, cell)
    if question.type == "date":
        return f"IF(ISNUMBER({state}),{_date(state)},{written})"
    if question.type in NUMERIC:
        return f"IF(ISNUMBER({state}),{number(state, question.type)},{written})"
    if question.type in ("choice", "lookup", "longtext"):
        return written
    return f'IF(LEFT({state})="{BAD}",{written},{state})'


def number(value: str, kind: str = "amount") -> str:
    """A number as Norwegians write it, whatever the language of the program: 1 250 000 or 42,5 %."""
    if kind == "percent":
        return f'{number(f"ROUND(100*{value},10)", "decimal")}&"{NBSP}%"'
    whole = f"FIXED(TRUNC({value}),0)"
    for mark, by in ((",", NBSP), (".", NBSP), (" ", NBSP), ("-", MINUS)):
        whole = f'SUBSTITUTE({whole},"{mark}","{by}")'
    if kind in ("integer", "amount"):
        return whole
    rest = f"ROUND(ABS({value})-TRUNC(ABS({value})),10)"
    return f'{whole}&IF({rest}=0,"",","&MID({rest}&"",3,12))'


def _date(value: str) -> str:
    return f'RIGHT("0"&DAY({value}),2)&"."&RIGHT("0"&MONTH({value}),2)&"."&YEAR({value})'


def reading_words(code: str, cell: str) -> dict[str, str]:
    """What a message about how a cell was read may say besides."""
    if code == "orgnr_length":
        return {"siffer": f'{digit_count(cell)}&""'}
    if code == "ambiguous_number":
        bare = f'SUBSTITUTE(SUBSTITUTE({plain(cell)},".",""),",","")'
        decimals = f"RIGHT({plain(cell)},3)"
        short = f'IF(RIGHT({decimals},2)="00",LEFT({decimals}),IF(RIGHT({decimals})="0",LEFT({decimals},2),{decimals}))'
        before = f"LEFT({plain(cell)},LEN({plain(cell)})-4)"
        return {
            "alt1": number(f"VALUE({bare})", "amount"),
            "alt2": f'SUBSTITUTE({before},"-","{MINUS}")&IF(VALUE({decimals})=0,"",","&{short})',
        }
    return {}


def bound_words(question: Question, bound: float | date) -> str:
    """A limit as people read it, as a text in a formula."""
    if isinstance(bound, date):
        return text(f"{bound:%d.%m.%Y}")
    percent = question.type == "percent"
    scaled = round(bound * 100, 10) if percent else bound
    whole = f"{scaled:,.10f}".rstrip("0").rstrip(".")
    return text(whole.translate(str.maketrans(",.-", f"{NBSP},{MINUS}")) + (f"{NBSP}%" if percent else ""))
