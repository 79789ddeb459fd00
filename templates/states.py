"""What an answer cell is understood as, in the workbook: one formula for each type of question.

The formula gives the cell's *state*: "" when it is empty, the value, or BAD and a letter that says
why it could not be used. It decides as intake decides for what is plainly written; what intake
understands only with a note («kr 1 200,-») may be refused here: the plain form is asked for.
"""

from templates.form import NO, UNITS, YES, Form, Question
from templates.formula import BAD, text, when
from templates.layout import choices_name, column_name

PROBLEMS = {
    "error_cell": "e", "not_a_number": "n", "not_whole": "w", "ambiguous_number": "a", "not_a_date": "d",
    "ambiguous_date": "t", "email": "m", "orgnr_length": "s", "orgnr_check": "k", "kommunenr_unknown": "u",
    "kommunenr_ambiguous": "x", "not_a_choice": "c", "not_yes_no": "j",
}  # fmt: skip
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


def bad_state(code: str) -> str:
    return f'"{BAD}{PROBLEMS[code]}"'


def plain(cell: str) -> str:
    """What stands in a cell, on one line and without outer blanks."""
    return f'TRIM(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({cell},"{NBSP}"," "),CHAR(10)," "),CHAR(9)," "))'


def helper(question: Question, cell: str) -> str | None:
    """What the state of a cell is read from, where that needs a cell of its own; None where not."""
    if question.type in (*WHOLE, "decimal", "percent"):
        return f'SUBSTITUTE({plain(cell)},"\u2212","-")'
    if question.type == "phone":
        return _without(" ().-", plain(cell))
    if question.type == "email":
        return f'TRIM(SUBSTITUTE(LOWER(LEFT({plain(cell)},7)),"mailto:","")&MID({plain(cell)},8,32767))'
    return plain(cell) if question.type == "date" else None


def state(form: Form, question: Question, cell: str, helped: str = "", fetched: str = '""') -> str:
    """The state of one cell; `helped` is its helper, `fetched` what stands for an empty cell."""
    understood = _understood(form, question, cell, helped)
    return f'IF(ISERROR({cell}),{bad_state("error_cell")},IF({plain(cell)}="",{fetched},{understood}))'


def _understood(form: Form, question: Question, cell: str, helped: str) -> str:
    kind = question.type
    if kind == "choice":
        return _choice(form, question, cell)
    if kind == "kommunenr":
        return _kommunenr(form, question, cell)
    if kind in ("date", *WHOLE, "decimal", "percent"):
        return _date(cell, helped) if kind == "date" else _number(cell, helped, kind)
    if kind == "phone":
        return _phone(cell, helped)
    if kind == "email":
        return _email(helped)
    readers = {"orgnr": _orgnr, "yesno": _yesno}
    return readers.get(kind, plain)(cell)


def _without(characters: str, value: str) -> str:
    for character in characters:
        value = f'SUBSTITUTE({value},"{character}","")'
    return value


# numbers


def only_digits(value: str, places: str = EACH) -> str:
    """Whether there is nothing but digits at these places; after the text there may be nothing."""
    return f'SUMPRODUCT(--ISERROR(FIND(MID({value}&REPT("0",60),{places},1),{DIGITS})))=0'


def _number(cell: str, written: str, kind: str) -> str:
    typed = when(f"{cell}=INT({cell})", cell, bad_state("not_whole")) if kind in WHOLE else cell
    typed = f"IF(ABS({cell})<1E+15,{typed},{bad_state('not_a_number')})"
    return f"IF(ISNUMBER({cell}),{typed},{_number_text(written, kind)})"


def _number_text(written: str, kind: str) -> str:
    """A number that is written as text: -1250,5 and with one dot or comma, nothing else."""
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
    refused = bad_state("not_a_number")
    if kind in WHOLE:
        number = f"IF({decimals}=0,{number},{bad_state('not_whole')})"
    else:
        number = f"IF({dotted},{refused},{number})"  # understood, but not as anyone writes it
    return f"IF({shaped},IF({grouped},{bad_state('ambiguous_number')},{number}),{refused})"


# dates


def _date(cell: str, written: str) -> str:
    typed = f"IF(AND({cell}>=0,{cell}<2958466),INT({cell}),{bad_state('not_a_date')})"
    return f"IF(ISNUMBER({cell}),{typed},{_date_text(written)})"


def _date_text(written: str) -> str:
    """A date that is written as text: 31.12.2024 or 2024-12-31, and what may be two dates."""
    day, month, year = _three_parts(written, ".")
    dotted = f"AND(LEN({year})=4,{_is_day(year, month, day)})"
    parts = f"LEFT({written},4)", f"MID({written},6,2)", f"RIGHT({written},2)"
    iso = f'LEN({written})=10,MID({written},5,1)="-",MID({written},8,1)="-"'
    year_first = f"AND({iso},{_is_day(*parts)})"
    refused = f"IF({_ambiguous(written)},{bad_state('ambiguous_date')},{bad_state('not_a_date')})"
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


def _email(address: str) -> str:
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
    return f"IF(IFERROR({right},FALSE),{address},{bad_state('email')})"


def phone_is_norwegian(state_cell: str) -> str:
    """Whether a phone's state is eight digits that begin with 2 to 9."""
    digits = only_digits(state_cell, "{1,2,3,4,5,6,7,8}")
    return f'AND(LEN({state_cell})=8,LEFT({state_cell})>="2",{digits})'


def _phone(cell: str, bare: str) -> str:
    start = f'IF(LEFT({bare},3)="+47",3,IF(LEFT({bare},4)="0047",4,IF(AND(LEN({bare})=10,LEFT({bare},2)="47"),2,0)))'
    number = f"MID({bare},{start}+1,60)"
    return f"IF({phone_is_norwegian(number)},{number},{plain(cell)})"


def digit_count(cell: str) -> str:
    value = plain(cell)
    return f'SUMPRODUCT(LEN({value})-LEN(SUBSTITUTE({value},{EACH_DIGIT},"")))'


def _orgnr(cell: str) -> str:
    """The nine digits, whatever stands around them; the last one proves them."""
    value = plain(cell)
    is_digit = f'ISNUMBER(FIND(MID({value}&REPT("x",60),{EACH},1),{DIGITS}))'
    collected = f'SUMPRODUCT(MID("0"&{value},LARGE(INDEX({is_digit}*{EACH},0),{EACH})+1,1)*10^{EACH})/10'
    digits = f'IF(LEN({value})=9,{value},TEXT({collected},"000000000"))'
    proof = f"MOD(SUMPRODUCT(MID({digits},{{1,2,3,4,5,6,7,8,9}},1)*{{3,2,7,6,5,4,3,2,1}}),11)=0"
    proved = f"IF({proof},{digits},{bad_state('orgnr_check')})"
    return f"IF({digit_count(cell)}=9,{proved},{bad_state('orgnr_length')})"


def _kommunenr(form: Form, question: Question, cell: str) -> str:
    digits = f'SUBSTITUTE({plain(cell)}," ","")'
    number = f'RIGHT("0"&{digits},4)'
    codes = form.lists.get(question.list or "")
    shaped = f"AND(LEN({digits})>=3,LEN({digits})<=4,{only_digits(digits, '{1,2,3,4}')})"
    if codes is None:
        return f"IF({shaped},{number},{bad_state('kommunenr_unknown')})"
    split = [old for old, new in codes.recoded.items() if new not in codes.rows and old not in codes.rows]
    unknown = bad_state("kommunenr_unknown")
    for old in split:
        unknown = f'IF({number}="{old}",{bad_state("kommunenr_ambiguous")},{unknown})'
    found = f"IF(ISNUMBER(MATCH({number},{column_name(codes.name, codes.key)},0)),{number},{unknown})"
    return f"IF({shaped},{found},{bad_state('kommunenr_unknown')})"


# choices


def _yesno(cell: str) -> str:
    value = plain(cell)
    return f'IF({value}="{YES}","{YES}",IF({value}="{NO}","{NO}",{bad_state("not_yes_no")}))'


def choice_lists(question: Question) -> list[str]:
    """The lists that a choice may be taken from."""
    names = [question.choices, *(when.choices for when in question.choices_when)]
    return list(dict.fromkeys(name for name in names if name and name != UNITS))


def _choice(form: Form, question: Question, cell: str) -> str:
    found = bad_state("not_a_choice")
    for name in reversed(choice_lists(question)):
        for labels in reversed(label_names(form, name)):
            at = f"MATCH(TRUE,INDEX({labels}={plain(cell)},0),0)"
            found = f'IFERROR(INDEX({codes_name(form, name)},{at})&"",{found})'
    return found


def codes_name(form: Form, name: str) -> str:
    """The defined name of a list's codes; where the codes are the words, the words."""
    same = all(label == code for code, labels in form.options(name).items() for label in labels.values())
    return choices_name(name) if same else f"{choices_name(name)}__"


def label_names(form: Form, name: str) -> list[str]:
    """The defined names of a list's words: in the workbook's language, then in the others."""
    same = all(len(set(labels.values())) == 1 for labels in form.options(name).values())
    return [choices_name(name)] if same else [choices_name(name), f"{choices_name(name)}_"]
