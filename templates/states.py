"""What an answer cell is understood as, in the workbook: one formula for each type of question.

The formula gives the cell's *state*: "" when it is empty, the value, or BAD and how it is told
that it could not be used. It decides as intake decides for what is plainly written; what intake
understands only with a note («kr 1 200,-») may be refused here: the plain form is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from templates.form import NO, UNITS, YES, Form, Question
from templates.formula import text, when
from templates.layout import choices_name
from templates.records import Records

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
        return f'SUBSTITUTE({plain(cell)},"\u2212","-")'
    if question.type == "email":
        return f'TRIM(SUBSTITUTE(LOWER(LEFT({plain(cell)},7)),"mailto:","")&MID({plain(cell)},8,32767))'
    return plain(cell)


def state(question: Question, cell: Cell, fetched: str = '""') -> str:
    """The state of one cell; `fetched` is what stands for an empty one."""
    empty = f'{plain(cell.at) if question.type == "email" else cell.written}=""'
    return f"IF(ISERROR({cell.at}),{cell.bad('error_cell')},IF({empty},{fetched},{_understood(question, cell)}))"


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
    written, refused = cell.written, cell.bad("not_a_number")
    body, factor = f'SUBSTITUTE({written},".",",")', f'IF(LEFT({written})="-",-1,1)'
    if kind == "percent":
        body = f'TRIM(IF(RIGHT({body})="%",LEFT({body},LEN({body})-1),{body}))'
        factor += f'/IF(RIGHT({written})="%",100,1)'
    body = f'IF(LEFT({written})="-",MID({body},2,60),{body})'
    mark = f'FIND(",",{body}&",")'
    before, after = f"LEFT({body},{mark}-1)", f"MID({body},{mark}+1,60)"
    digits = only_digits(f'SUBSTITUTE({body},",","",1)')
    shaped = f'AND(LEN({body})<=16,{digits},LEFT({body}&",")<>",",RIGHT({body})<>",")'
    dotted = f'ISNUMBER(FIND(".",{written}))'
    grouped = f'AND({mark}<=4,LEFT({body})<>"0",LEN({after})=3{"" if kind in WHOLE else f",{dotted}"})'
    decimals = f'IF({after}="",0,VALUE({after})/10^LEN({after}))'
    number = f"{factor}*(VALUE({before})+{decimals})"
    if kind in WHOLE:
        number = f"IF({decimals}=0,{number},{cell.bad('not_whole')})"
    else:
        number = f"IF({dotted},{refused},{number})"  # understood, but not as anyone writes it
    return f"IF({shaped},IF({grouped},{cell.bad('ambiguous_number')},{number}),{refused})"


# dates


def _date(cell: Cell) -> str:
    at = cell.at
    typed = f"IF(AND({at}>=0,{at}<2958466),INT({at}),{cell.bad('not_a_date')})"
    return f"IF(ISNUMBER({at}),{typed},{_date_text(cell)})"


def _date_text(cell: Cell) -> str:
    """A date that is written as text: 31.12.2024 or 2024-12-31, and what may be two dates."""
    written = cell.written
    day, month, year = _three_parts(written, ".")
    dotted = f"AND(LEN({year})=4,{_is_day(year, month, day)})"
    parts = f"LEFT({written},4)", f"MID({written},6,2)", f"RIGHT({written},2)"
    iso = f'LEN({written})=10,MID({written},5,1)="-",MID({written},8,1)="-"'
    year_first = f"AND({iso},{_is_day(*parts)})"
    refused = f"IF({_ambiguous(written)},{cell.bad('ambiguous_date')},{cell.bad('not_a_date')})"
    return (
        f"IF(IFERROR({dotted},FALSE),DATE({year},{month},{day}),"
        f"IF(IFERROR({year_first},FALSE),DATE({','.join(parts)}),{refused}))"
    )


def _three_parts(value: str, mark: str) -> tuple[str, str, str]:
    one = f'FIND("{mark}",{value})'
    two = f'FIND("{mark}",{value},{one}+1)'
    return f"LEFT({value},{one}-1)", f"MID({value},{one}+1,{two}-{one}-1)", f"MID({value},{two}+1,9)"


def _is_day(year: str, month: str, day: str) -> str:
    """Whether these are the digits of a day there is: no month turns over into the next."""
    made = f"DATE({year},{month},{day})"
    digits = only_digits(f"{year}&{month}&{day}", "{1,2,3,4,5,6,7,8}")
    return f"{digits},LEN({day})<=2,LEN({month})<=2,DAY({made})=VALUE({day}),MONTH({made})=VALUE({month})"


def _ambiguous(written: str) -> str:
    """Whether a date like 01/02/2024 may be two days: none of its numbers is too large for a month.

    A year of two digits may also be the day. What is wrong in another way is no date at all.
    """
    mark = f'IF(ISNUMBER(FIND("/",{written})),"/","-")'
    one = f"FIND({mark},{written})"
    two = f"FIND({mark},{written},{one}+1)"
    first, second = f"VALUE(LEFT({written},{one}-1))", f"VALUE(MID({written},{one}+1,{two}-{one}-1))"
    last = f"MID({written},{two}+1,9)"
    digits = only_digits(f'SUBSTITUTE({written},{mark},"")')
    shaped = f"AND({one}<=3,{two}-{one}<=3,{digits})"
    four = f"AND(LEN({last})=4,{first}<=12,{second}<=12,{first}<>{second},{first}>0,{second}>0)"
    two_digits = f"AND(LEN({last})=2,{first}>0,{second}>0,OR({_two_readings(first, second, last)}))"
    return f"IFERROR(AND({shaped},OR({four},{two_digits})),FALSE)"


def _two_readings(first: str, second: str, last: str) -> str:
    """The pairs of readings of three short numbers that are both days: the middle one is a month."""
    day_first, year_first = f"AND({first}<=31,VALUE({last})>0,VALUE({last})<=31)", f"{first}<>VALUE({last})"
    month_first = f"AND({first}<=12,{second}<=12,{first}<>{second})"
    return f"AND({day_first},{year_first},{second}<=12),{month_first}"


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


def digit_count(value: str) -> str:
    return f'SUMPRODUCT(LEN({value})-LEN(SUBSTITUTE({value},{EACH_DIGIT},"")))'


def _orgnr(cell: Cell) -> str:
    """The nine digits, whatever stands around them; the last one proves them."""
    value = cell.written
    is_digit = f'ISNUMBER(FIND(MID({value}&REPT("x",60),{EACH},1),{DIGITS}))'
    collected = f'SUMPRODUCT(MID("0"&{value},LARGE(INDEX({is_digit}*{EACH},0),{EACH})+1,1)*10^{EACH})/10'
    digits = f'IF(LEN({value})=9,{value},TEXT({collected},"000000000"))'
    proof = f"MOD(SUMPRODUCT(MID({digits},{{1,2,3,4,5,6,7,8,9}},1)*{{3,2,7,6,5,4,3,2,1}}),11)=0"
    proved = f"IF({proof},{digits},{cell.bad('orgnr_check')})"
    return f"IF({digit_count(value)}=9,{proved},{cell.bad('orgnr_length')})"


def _kommunenr(question: Question, cell: Cell) -> str:
    digits = f'SUBSTITUTE({cell.written}," ","")'
    number = f'RIGHT("0"&{digits},4)'
    codes = cell.form.lists.get(question.list or "")
    shaped = f"AND(LEN({digits})>=3,LEN({digits})<=4,{only_digits(digits, '{1,2,3,4}')})"
    unknown = refused = cell.bad("kommunenr_unknown")
    if codes is None:
        return f"IF({shaped},{number},{refused})"
    for old, new in codes.recoded.items():
        if new not in codes.rows and old not in codes.rows:  # it was split
            unknown = f'IF({number}="{old}",{cell.bad("kommunenr_ambiguous")},{unknown})'
    return f"IF({shaped},IF({cell.records.found(codes.name, number)},{number},{unknown}),{refused})"


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
        for labels in reversed(label_names(cell.form, name)):
            at = f"MATCH(TRUE,INDEX({labels}={cell.written},0),0)"
            found = f'IFERROR(INDEX({codes_name(cell.form, name)},{at})&"",{found})'
    return found


def codes_name(form: Form, name: str) -> str:
    """The defined name of a list's codes; where the codes are the words, the words."""
    same = all(label == code for code, labels in form.options(name).items() for label in labels.values())
    return choices_name(name) if same else f"{choices_name(name)}__"


def label_names(form: Form, name: str) -> list[str]:
    """The defined names of a list's words: in the workbook's language, then in the others."""
    same = all(len(set(labels.values())) == 1 for labels in form.options(name).values())
    return [choices_name(name)] if same else [choices_name(name), f"{choices_name(name)}_"]
