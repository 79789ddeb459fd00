"""The words of a message as formulas: the rule's own text with what stands in the cells.

A text stands once on `_regler`, as a formula that has filled in all that is the same seen from every row.
The holes that are left are filled where it is told: `Holes` says with what, for the rows of one sheet.
"""

from collections.abc import Mapping
from datetime import date
from string import Formatter

from templates.form import NUMERIC, Form, Question
from templates.layout import choices_name
from templates.records import MAX_CELL
from templates.rules.formula import BAD, FALSE, TRUE, text, when
from templates.states import NBSP, choice_lists, codes_name, digit_count, has_other_words

MINUS = "\u2212"
PARSED = Formatter()
# What a message may say of the first cell it marks: filled in where it is told.
OF_THE_CELL = ("felt", "navn", "rad", "celle", "siffer", "alt1", "alt2", "verdi")


def text_formula(template: str, words: Mapping[str, str], kept: Mapping[str, str]) -> str:
    """The formula of a text; of the holes in `kept`, the names they have where they are filled."""
    pieces: list[str] = []
    literal = ""
    for before, name, _, _ in PARSED.parse(template):
        literal += before
        if name is None:
            continue
        if name in kept:
            literal += f"{{{kept[name]}}}"
        elif name in words:
            pieces += [text(literal)] if literal else []
            pieces.append(words[name])
            literal = ""
    return "&".join(pieces + ([text(literal)] if literal or not pieces else []))


def as_written(cell: str, is_date: str = FALSE) -> str:
    """What the owner sees in a cell; of a number the digits, of a date the day."""
    shown = when(is_date, date_words(cell), f'SUBSTITUTE({cell},".",",")')
    return f'IFERROR(IF(ISNUMBER({cell}),{shown},{cell}&""),"")'


def shown(form: Form, question: Question, cell: str, state: str) -> str:
    """An answer as people read it; what could not be used as it was written."""
    written = as_written(cell)
    if question.type == "date":
        return f"IF(ISNUMBER({state}),{date_words(state)},{as_written(cell, TRUE)})"
    if question.type in NUMERIC:
        return f"IF(ISNUMBER({state}),{number(state, question.type)},{written})"
    if question.type == "choice":
        return _label(form, question, state, written)
    if question.type == "longtext":
        return f'IF(LEFT({state}&"{BAD}")="{BAD}",{written},MID({cell},{",".join(stripped(cell))}))'
    if question.type == "lookup":
        return written
    return f'IF(LEFT({state})="{BAD}",{written},{state})'


def stripped(cell: str) -> tuple[str, str]:
    """Where a text begins and how long it is without outer blanks; its inner blanks and lines count."""
    flat, first = _flat(cell)
    last = f"RIGHT(TRIM({flat}))"
    times = f'(LEN({flat})-LEN(SUBSTITUTE({flat},{last},"")))'
    end = f'FIND("{BAD}{BAD}",SUBSTITUTE({flat},{last},"{BAD}{BAD}",{times}))'
    return first, f"({end}-{first}+1)"


def is_longer(cell: str, length: float) -> str:
    """Whether a text is longer than this, its outer blanks not counted."""
    flat, first = _flat(cell)
    return f'TRIM(MID({flat},{first}+{length:.15g},{MAX_CELL}))<>""'


def _flat(cell: str) -> tuple[str, str]:
    """A text on one line, and where it begins."""
    flat = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({cell},CHAR(10)," "),CHAR(9)," "),"{NBSP}"," ")'
    return flat, f"FIND(LEFT(TRIM({flat})),{flat})"


def _label(form: Form, question: Question, state: str, written: str) -> str:
    """A choice in the words of the workbook's language, whatever language it was written in."""
    for name in choice_lists(question):
        if has_other_words(form, name):
            written = f"IFERROR(INDEX({choices_name(name)},MATCH({state},{codes_name(form, name)},0)),{written})"
    return written


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


def date_words(value: str) -> str:
    return f'RIGHT("0"&DAY({value}),2)&"."&RIGHT("0"&MONTH({value}),2)&"."&YEAR({value})'


def reading_words(cell: str) -> dict[str, str]:
    """What a message about how a cell was read may say besides: its digits, and what 1.500 may mean."""
    bare = f'VALUE(SUBSTITUTE(SUBSTITUTE({cell},".",""),",",""))'
    small = f'SUBSTITUTE(SUBSTITUTE({bare}/1000,".",","),"-","{MINUS}")'
    return {
        "siffer": f'{digit_count(cell)}&""',
        "alt1": f'IFERROR({number(bare)},"")',
        "alt2": f'IFERROR({small},"")',
    }


def bound_words(question: Question, bound: float | date) -> str:
    """A limit as people read it, as a text in a formula."""
    if isinstance(bound, date):
        return text(f"{bound:%d.%m.%Y}")
    percent = question.type == "percent"
    scaled = round(bound * 100, 10) if percent else bound
    whole = f"{scaled:,.10f}".rstrip("0").rstrip(".")
    return text(whole.translate(str.maketrans(",.-", f"{NBSP},{MINUS}")) + (f"{NBSP}%" if percent else ""))
