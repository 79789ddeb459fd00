"""What an answer cell is understood as, in the workbook: one formula for each type of question.

The formula gives the cell's *state*: "" when it is empty, the value, or BAD and how it is told
that it could not be used. It decides as intake decides for what is plainly written; what intake
understands only with a note («kr 1 200,-») may be refused here: the plain form is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from templates.form import NO, UNITS, YES, Form, Question
from templates.layout import choices_name
from templates.records import MAX_CELL, Records
from templates.rules.formula import text, when

NUMBERS = ("not_a_number", "not_whole", "ambiguous_number")
BY_TYPE = {
    "integer": NUMBERS, "amount": NUMBERS, "decimal": ("not_a_number", "ambiguous_number"),
    "percent": ("not_a_number", "ambiguous_number"), "date": ("not_a_date", "ambiguous_date"), "email": ("email",),
    "orgnr": ("orgnr_length", "orgnr_check"), "kommunenr": ("kommunenr_unknown", "kommunenr_ambiguous"),
    "choice": ("not_a_choice",), "yesno": ("not_yes_no",),
}  # fmt: skip
WHOLE = ("integer", "amount")
NBSP = "\u00a0"
DIGITS = '"0123456789"'
EACH_DIGIT = '{"0","1","2","3","4","5","6","7","8","9"}'
EACH = "ROW($1:$60)"  # the places of the characters that are looked at one by one
APART = 'REPT(" ",20)'  # between the parts of a date
NOT_IN_EMAIL = ' !"#$%()*,/:;<=>?[\\]^`{|}~«»“”–—€§'
NOT_IN_DOMAIN = "_+'&"
MAX_EMAIL, MAX_EMAIL_NAME = 254, 64


def problems(question: Question) -> tuple[str, ...]:
    """Why a cell of this question may not be usable, as codes of a reading."""
    return ("error_cell", *BY_TYPE.get(question.type, ()))


def plain(cell: str) -> str:
    """What stands in a cell, on one line and without outer blanks."""
    return f'TRIM(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({cell},"{NBSP}"," "),CHAR(10)," "),CHAR(9)," "))'


Bad = Callable[[str], str]
"""The state of a cell that could not be used, by the code of the reading."""


@dataclass(frozen=True)
class Cell:
    """An answer cell, what stands in it, and how the lists and the refusals of the workbook are named."""

    form: Form
    records: Records
    at: str
    written: str  # the cell that holds `written`, or its formula
    bad: Bad


def is_read_often(question: Question) -> bool:
    """Whether the state is read from what is written so often that this needs a cell of its own."""
    return question.type in (*WHOLE, "decimal", "percent", "date", "email")


def written(question: Question, cell: str) -> str:
    """What the state of a cell is read from."""
    if question.type in (*WHOLE, "decimal", "percent"):
        return f'SUBSTITUTE(SUBSTITUTE({plain(cell)},"\u2212","-"),".",",")'
    if question.type == "date":
        mark = f'IF(ISNUMBER(FIND("/",{cell})),"/",IF(ISNUMBER(FIND(".",{cell})),".","-"))'
        return f"SUBSTITUTE({plain(cell)},{mark},{APART})"
    if question.type == "email":
        return f'TRIM(MID({plain(cell)},1+7*(LOWER(LEFT({plain(cell)},7))="mailto:"),{MAX_CELL}))'
    return plain(cell)


def state(question: Question, cell: Cell, fetched: str = '""') -> str:
    """The state of one cell; `fetched` is what stands for an empty one."""
    understood = _understood(question, cell)
    if understood != cell.written or fetched != '""':
        empty = f'{plain(cell.at) if question.type == "email" else cell.written}=""'
        understood = f"IF({empty},{fetched},{understood})"
    return f"IF(ISERROR({cell.at}),{cell.bad('error_cell')},{understood})"


def _understood(question: Question, cell: Cell) -> str:
    kind = question.type
    if kind in ("kommunenr", "choice"):
        return _kommunenr(question, cell) if kind == "kommunenr" else _choice(question, cell)
    if kind in (*WHOLE, "decimal", "percent"):
        return _number(cell, kind)
    readers = {"date": _date, "orgnr": _orgnr, "yesno": _yesno, "phone": _phone, "email": _email}
    return readers[kind](cell) if kind in readers else cell.written


def _without(characters: str, value: str) -> str:
    for character in characters:
        value = f'SUBSTITUTE({value},"{character}","")'
    return value


# numbers


def only_digits(value: str, places: str = EACH) -> str:
    """Whether there is nothing but digits at these places; after the text there may be nothing."""
    return f'SUMPRODUCT(--ISERROR(FIND(MID({value}&REPT("0",60),{places},1),{DIGITS})))=0'


def _number(cell: Cell, kind: str) -> str:
    at = cell.at
    typed = when(f"{at}=INT({at})", at, cell.bad("not_whole")) if kind in WHOLE else at
    typed = f"IF(ABS({at})<1E+15,{typed},{cell.bad('not_a_number')})"
    return f"IF(ISNUMBER({at}),{typed},{_number_text(cell, kind)})"


def _number_text(cell: Cell, kind: str) -> str:
    """A number that is written as text: -1250,5 and with one dot or comma, nothing else."""
    refused, is_negative = cell.bad("not_a_number"), f'LEFT({cell.written})="-"'
    body, factor = f"MID({cell.written},1+({is_negative}),60)", f"IF({is_negative},-1,1)"
    if kind == "percent":
        body = f'TRIM(IF(RIGHT({body})="%",LEFT({body},LEN({body})-1),{body}))'
        factor += f'/IF(RIGHT({cell.written})="%",100,1)'
    mark = f'FIND(",",{body}&",")'
    digits, decimals = f'SUBSTITUTE({body},",","",1)', f"MAX(0,LEN({body})-{mark})"
    shaped = f'AND(LEN({body})<=16,{only_digits(digits)},LEFT({body}&",")<>",",RIGHT({body})<>",")'
    is_dotted = f'ISNUMBER(FIND(".",{cell.at}))'
    is_grouped = f'{mark}<=4,LEFT({body})<>"0",{decimals}=3'
    number = f"{factor}*VALUE({digits})/10^{decimals}"
    if kind in WHOLE:
        number = f"IF({number}=INT({number}),{number},{cell.bad('not_whole')})"
    else:
        is_grouped += f",{is_dotted}"
        number = f"IF({is_dotted},{refused},{number})"  # understood, but not as anyone writes it
    return f"IF({shaped},IF(AND({is_grouped}),{cell.bad('ambiguous_number')},{number}),{refused})"


# dates


def _date(cell: Cell) -> str:
    at = cell.at
    typed = f"IF(AND({at}>=0,{at}<2958466),INT({at}),{cell.bad('not_a_date')})"
    return f"IF(ISNUMBER({at}),{typed},{_date_text(cell)})"


def _date_text(cell: Cell) -> str:
    """A date that is written as text: 31.12.2024 or 2024-12-31, and what may be two dates."""
    apart, digits = cell.written, f'SUBSTITUTE({cell.written},{APART},"")'
    one, two, three = (f"TRIM(MID({apart},{first},20))" for first in (1, 21, 41))
    shaped = f"LEN({apart})-LEN({digits})=40,LEN({digits})<=8,{only_digits(digits, '{1,2,3,4,5,6,7,8}')}"
    is_dotted = f'ISNUMBER(FIND(".",{cell.at}))'
    year_first = f"LEN({one})=4"
    day = f"IF({year_first},{three},{one})"
    made = f"DATE(IF({year_first},{one},{three}),{two},{day})"
    plainly = f"IF({is_dotted},AND(LEN({one})<=2,LEN({two})<=2,LEN({three})=4),"
    plainly += f'AND({year_first},LEN({two})=2,LEN({three})=2,ISERROR(FIND("/",{cell.at}))))'
    is_day = f"DAY({made})=VALUE({day}),MONTH({made})=VALUE({two})"
    other = f"IF({_ambiguous(one, two, three)},{cell.bad('ambiguous_date')},{cell.bad('not_a_date')})"
    other = f"IF({is_dotted},{cell.bad('not_a_date')},{other})"
    return f"IFERROR(IF(AND({shaped}),IF(AND({plainly},{is_day}),{made},{other}),1/0),{cell.bad('not_a_date')})"


def _ambiguous(first: str, second: str, last: str) -> str:
    """Whether a date like 01/02/2024 may be two days: none of its numbers is too large for a month.

    A year of two digits may also be the day. What is wrong in another way is no date at all.
    """
    one, two, three = (f"VALUE({part})" for part in (first, second, last))
    day_first = f"AND({one}<=31,{three}>0,{three}<=31,{one}<>{three},{two}<=12)"
    month_first = f"AND({one}<=12,{two}<=12,{one}<>{two})"
    may_be = f"IF(LEN({last})=4,{month_first},AND(LEN({last})=2,OR({day_first},{month_first})))"
    return f"AND(LEN({first})<=2,LEN({second})<=2,{one}>0,{two}>0,{may_be})"


# addresses and numbers that name something


def _holds(characters: str, value: str) -> str:
    """How many of these characters a text holds."""
    return f"SUMPRODUCT(--ISNUMBER(FIND(MID({text(characters)},ROW($1:${len(characters)}),1),{value})))"


def _email(cell: Cell) -> str:
    address = cell.written
    at = f'FIND("@",{address})'
    domain = f"MID({address},{at}+1,{MAX_EMAIL})"
    last = f'TRIM(RIGHT(SUBSTITUTE({domain},".",REPT(" ",{MAX_EMAIL})),{MAX_EMAIL}))'
    doubled = "".join(f',ISERROR(FIND("{pair}",{address}))' for pair in ("..", "@.", ".@", ".-", "-.", "@-"))
    right = (
        f"AND(LEN({address})<={MAX_EMAIL},{at}>1,{at}<={MAX_EMAIL_NAME + 1},"
        f'ISERROR(FIND("@",{domain})),{_holds(NOT_IN_EMAIL, address)}=0,{_holds(NOT_IN_DOMAIN, domain)}=0,'
        f'LEFT({address})<>"."{doubled},ISNUMBER(FIND(".",{domain})),LEN({last})>=2,'
        f"{_holds('0123456789-', last)}=0)"
    )
    return f"IF(IFERROR({right},FALSE),{address},{cell.bad('email')})"


def phone_is_norwegian(state_cell: str) -> str:
    """Whether a phone's state is eight digits that begin with 2 to 9."""
    digits = only_digits(state_cell, "{1,2,3,4,5,6,7,8}")
    return f'AND(LEN({state_cell})=8,LEFT({state_cell})>="2",{digits})'


def _phone(cell: Cell) -> str:
    bare = _without(" ().-", cell.written)
    start = f'IF(LEFT({bare},3)="+47",3,IF(LEFT({bare},4)="0047",4,IF(AND(LEN({bare})=10,LEFT({bare},2)="47"),2,0)))'
    number = f"MID({bare},{start}+1,60)"
    return f"IF({phone_is_norwegian(number)},{number},{cell.written})"


def digit_count(cell: str) -> str:
    return f'SUMPRODUCT(LEN({cell})-LEN(SUBSTITUTE({cell},{EACH_DIGIT},"")))'


def _orgnr(cell: Cell) -> str:
    """The nine digits, whatever stands around them; the last one proves them."""
    is_digit = f'ISNUMBER(FIND(MID({cell.at}&REPT("x",60),{EACH},1),{DIGITS}))'
    collected = f'SUMPRODUCT(MID("0"&{cell.at},LARGE(INDEX({is_digit}*{EACH},0),{EACH})+1,1)*10^{EACH})/10'
    digits = f'TEXT({collected},"000000000")'
    proof = f"MOD(SUMPRODUCT(MID({digits},{{1,2,3,4,5,6,7,8,9}},1)*{{3,2,7,6,5,4,3,2,1}}),11)=0"
    proved = f"IF({proof},{digits},{cell.bad('orgnr_check')})"
    return f"IF({digit_count(cell.at)}=9,{proved},{cell.bad('orgnr_length')})"


def _kommunenr(question: Question, cell: Cell) -> str:
    digits = f'SUBSTITUTE({cell.written}," ","")'
    number, unknown = f'RIGHT("0"&{digits},4)', cell.bad("kommunenr_unknown")
    codes = cell.form.lists.get(question.list or "")
    if codes is None:
        shaped = f"AND(LEN({digits})>=3,LEN({digits})<=4,{only_digits(digits, '{1,2,3,4}')})"
        return f"IF({shaped},{number},{unknown})"
    other = unknown
    for old, new in codes.recoded.items():
        if new not in codes.rows and old not in codes.rows:  # it was split
            other = f'IF({number}="{old}",{cell.bad("kommunenr_ambiguous")},{other})'
    return f"IF(LEN({digits})<5,IF({cell.records.found(codes.name, number)},{number},{other}),{unknown})"


# choices


def _yesno(cell: Cell) -> str:
    value = cell.written
    return f'IF({value}="{YES}","{YES}",IF({value}="{NO}","{NO}",{cell.bad("not_yes_no")}))'


def choice_lists(question: Question) -> list[str]:
    """The lists that a choice may be taken from."""
    names = [question.choices, *(when.choices for when in question.choices_when)]
    return list(dict.fromkeys(name for name in names if name and name != UNITS))


def _choice(question: Question, cell: Cell) -> str:
    found = cell.bad("not_a_choice")
    for name in reversed(choice_lists(question)):
        at = f"MATCH(TRUE,INDEX({words_name(cell.form, name)}={cell.written},0),0)"
        found = f'IFERROR(INDEX({codes_name(cell.form, name)},{at})&"",{found})'
    return found


def codes_name(form: Form, name: str) -> str:
    """The defined name of the codes of a list, beside its words in all languages; of the words if they are alike."""
    same = all(label == code for code, labels in form.options(name).items() for label in labels.values())
    return choices_name(name) if same else f"{choices_name(name)}__"


def words_name(form: Form, name: str) -> str:
    """The defined name of the words of a list, in the workbook's language and then what differs in the others."""
    return f"{choices_name(name)}_" if has_other_words(form, name) else choices_name(name)


def has_other_words(form: Form, name: str) -> bool:
    return any(len(set(labels.values())) > 1 for labels in form.options(name).values())
