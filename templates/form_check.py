"""Whether a form holds together: everything that is wrong in form.toml beyond the shape of its keys."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from templates.form import (
    NUMERIC,
    UNIT_COLUMNS,
    UNITS,
    ChoiceList,
    ChoicesWhen,
    Form,
    GridSheet,
    Lookup,
    Question,
    QuestionSheet,
    Sheet,
    TableSheet,
)
from templates.layout import LISTS_SHEET, STAMP_SHEET
from templates.problems import Problem, suggestion
from templates.registers import SOURCES as REGISTERS
from templates.rules.binding import FormNames
from templates.rules.kinds import check_condition, codes_of, kind_of
from templates.rules.language import PredicateError
from templates.rules.messages import GUIDE_WORDS, bad_words, missing_texts
from templates.rules.named_checks import SCOPES
from templates.rules.predicate import parse
from templates.texts import workbook_texts

FILE = "form.toml"
PREFILLS = (
    "recipient.orgnr", "recipient.name", "recipient.type", "recipient.kommunenr", "recipient.email",
    "recipient.contact", "recipient.phone", "recipient.language", "report.id",
)  # fmt: skip
TAB_LIMIT = 31  # characters in a sheet name (Excel)
NOT_IN_TABS = frozenset("[]:*?/\\'")
VERSION = re.compile(r"[0-9A-Za-z.]{1,20}")  # as it stands in a skjemakode
LENGTHY = frozenset({"text", "longtext"})


def form_problems(form: Form) -> Iterator[Problem]:
    """Everything wrong in the texts, sheets, choices and questions of a form."""
    for key, language in missing_texts(form.file, "", form.languages):
        yield Problem(FILE, key, f"has no text in «{language}»", f'Add {language} = "…".')
    yield from _head_problems(form)
    yield from _guide_problems(form)
    yield from _tab_problems(form)
    for name, choices in form.file.choices.items():
        yield from _choice_list_problems(form, choices, name)
    for key, sheet in form.sheets.items():
        yield from _sheet_problems(sheet, f"sheets.{key}")
        for path, question in asked(sheet):
            yield from _question_problems(form, sheet, question, path)
    yield from _named_problems(form)
    yield from _register_problems(form)
    yield from _dashboard_problems(form)
    yield from _known_register_problems(form)


def asked(sheet: Sheet) -> Iterator[tuple[str, Question]]:
    """Every question of a sheet with its place in form.toml."""
    if isinstance(sheet, QuestionSheet):
        for section in sheet.sections.values():
            for key, question in section.questions.items():
                yield f"sheets.{sheet.key}.sections.{section.key}.questions.{key}", question
    else:
        group = "columns" if isinstance(sheet, GridSheet) else "questions"
        for key, question in sheet.questions.items():
            yield f"sheets.{sheet.key}.{group}.{key}", question


# the form as a whole


def _head_problems(form: Form) -> Iterator[Problem]:
    file = form.file
    if not VERSION.fullmatch(file.version):
        fix = "Use at most 20 letters a-z, digits and points."
        yield Problem(FILE, "version", f"«{file.version}» cannot stand in a skjemakode", fix)
    try:
        ZoneInfo(file.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(FILE, "timezone", f"there is no time zone «{file.timezone}»", 'Write "Europe/Oslo".')
    if file.opens > file.deadline.date():
        yield Problem(FILE, "opens", f"{file.opens} is after the deadline", "Correct one of the dates.")
    yield from _single_question(form, "report_title", file.report_title)


def _single_question(form: Form, place: str, path: str) -> Iterator[Problem]:
    """What is wrong with a path that should name a question which each report answers once."""
    single = [
        f"{key}.{name}"
        for key, sheet in form.sheets.items()
        if isinstance(sheet, QuestionSheet)
        for name in sheet.questions
    ]
    if path not in single:
        fix = suggestion(path, single, "Name a question of a question sheet as sheet.question.")
        yield Problem(FILE, place, f"there is no question «{path}» on a question sheet", fix)


def _guide_problems(form: Form) -> Iterator[Problem]:
    for number, section in enumerate(form.file.guide, 1):
        for language, text in section.text.items():
            for bad in bad_words(text, GUIDE_WORDS):
                yield Problem(FILE, f"guide.{number}.text.{language}", bad.reason, bad.fix)


def _tab_problems(form: Form) -> Iterator[Problem]:
    guide = workbook_texts()
    for language in form.languages:
        taken = {name.casefold() for name in (LISTS_SHEET, STAMP_SHEET, guide.say("tab_guide", language))}
        for key, sheet in form.sheets.items():
            label = sheet.label.get(language, "")
            place = f"sheets.{key}.label.{language}"
            if len(label) > TAB_LIMIT or NOT_IN_TABS.intersection(label):
                fix = f"Use at most {TAB_LIMIT} characters, and none of []:*?/\\'."
                yield Problem(FILE, place, f"«{label}» cannot be the name of a tab", fix)
            if label and label.casefold() in taken:
                yield Problem(FILE, place, f"another tab is called «{label}» too", "Give each tab a name of its own.")
            taken.add(label.casefold())


def _named_problems(form: Form) -> Iterator[Problem]:
    """Labels are left out of a list in one cell alone, which is one that municipalities are looked up in."""
    looked_in = {question.list for _, question in form.questions()}
    for name, source in form.file.lists.items():
        if source.named_where and name not in looked_in:
            reason, fix = "no municipality number is checked against this list", "Leave it out."
            yield Problem(FILE, f"lists.{name}.named_where", reason, fix)


def _register_problems(form: Form) -> Iterator[Problem]:
    keys: set[str] = set()
    for number, column in enumerate(form.file.register_columns, 1):
        place = f"register_columns.{number}"
        if column.key in keys:
            yield Problem(FILE, f"{place}.key", f"«{column.key}» is used twice", "Give each column a key of its own.")
        keys.add(column.key)
        try:
            kind_of(form, parse(column.value, FormNames(form, None)))
        except PredicateError as error:
            yield Problem(FILE, f"{place}.value", error.reason, error.fix)


def _dashboard_problems(form: Form) -> Iterator[Problem]:
    asked_for = form.file.dashboard
    for name in ("region", "scheme"):
        path = getattr(asked_for, name)
        if path is not None:
            yield from _single_question(form, f"dashboard.{name}", path)
    years: set[int] = set()
    for number, amount in enumerate(asked_for.amounts, 1):
        place = f"dashboard.amounts.{number}"
        if amount.year in years:
            yield Problem(FILE, f"{place}.year", f"{amount.year} stands twice", "Give each year one amount.")
        years.add(amount.year)
        try:
            kind = kind_of(form, parse(amount.value, FormNames(form, None)))
        except PredicateError as error:
            yield Problem(FILE, f"{place}.value", error.reason, error.fix)
            continue
        if kind != "number":
            yield Problem(FILE, f"{place}.value", f"«{amount.value}» is no amount", "Write what gives a number.")


def _known_register_problems(form: Form) -> Iterator[Problem]:
    known = form.file.registers
    for name in dict.fromkeys(name for together in known.units for name in together):
        if name not in REGISTERS:
            fix = suggestion(name, list(REGISTERS), "Take it out.")
            yield Problem(FILE, "registers.units", f"there is no register «{name}»", fix)
    if known.places is None:
        return
    if known.places.list not in form.lists:
        fix = suggestion(known.places.list, list(form.lists), "Define it under [lists].")
        yield Problem(FILE, "registers.places.list", f"there is no list «{known.places.list}»", fix)
        return
    columns = form.lists[known.places.list].columns
    for key, column in (("county", known.places.county), ("county_name", known.places.county_name)):
        if column not in columns:
            reason = f"list «{known.places.list}» has no column «{column}»"
            yield Problem(FILE, f"registers.places.{key}", reason, suggestion(column, columns))


# choices


def _choice_list_problems(form: Form, choices: ChoiceList, name: str) -> Iterator[Problem]:
    place = f"choices.{name}"
    if name == UNITS:
        yield Problem(FILE, place, f"«{UNITS}» means the recipient's own units", "Choose another name.")
    source = choices.from_list
    if source is None:
        yield from _repeated_choices(choices, place)
        return
    if source.list not in form.file.lists:
        fix = suggestion(source.list, list(form.file.lists), "Define it under [lists].")
        yield Problem(FILE, f"{place}.from_list.list", f"there is no list «{source.list}»", fix)
    elif source.list in form.lists:
        columns = form.lists[source.list].columns
        for key, column in (("code", source.code), ("label", source.label), *(("where", key) for key in source.where)):
            if column not in columns:
                reason = f"list «{source.list}» has no column «{column}»"
                yield Problem(FILE, f"{place}.from_list.{key}", reason, suggestion(column, columns))


def _repeated_choices(choices: ChoiceList, place: str) -> Iterator[Problem]:
    if not choices.options:
        yield Problem(FILE, place, "there is nothing to choose", 'Add choices: CODE = { nb = "…", nn = "…" }.')
    first: dict[tuple[str, str], str] = {}
    for code, texts in choices.options.items():
        for language, label in texts.items():
            other = first.setdefault((language, label.casefold()), code)
            if other != code:
                reason = f"«{label}» is what {other} is called too"
                yield Problem(FILE, f"{place}.{code}.{language}", reason, "Give each choice words of its own.")


# sheets


def _sheet_problems(sheet: Sheet, place: str) -> Iterator[Problem]:
    yield from _repeated_labels(sheet, place)
    yield from _key_problems(sheet, place)
    if sheet.key in SCOPES:
        yield Problem(FILE, place, f"«{sheet.key}» is what rules call something else", "Choose another key.")
    if isinstance(sheet, TableSheet) and sheet.row_name and sheet.row_name not in sheet.questions:
        fix = suggestion(sheet.row_name, list(sheet.questions), "Name a question of this table.")
        yield Problem(FILE, f"{place}.row_name", f"there is no question «{sheet.row_name}»", fix)
    if isinstance(sheet, GridSheet):
        for row in sheet.rows.values():
            yield from _sum_problems(row.sum_of, sheet.rows, f"{place}.rows.{row.key}.sum_of")


def _repeated_labels(sheet: Sheet, place: str) -> Iterator[Problem]:
    labels = [(path, question.label) for path, question in asked(sheet)]
    if isinstance(sheet, GridSheet):
        labels += [(f"{place}.rows.{row.key}", row.label) for row in sheet.rows.values()]
    for language in sheet.label:
        counts = Counter(label.get(language, "").casefold() for _, label in labels)
        for path, label in labels:
            text = label.get(language, "")
            if text and counts[text.casefold()] > 1:
                fix = "Make each label different."
                yield Problem(FILE, f"{path}.label.{language}", f"«{text}» is used twice on this sheet", fix)


def _key_problems(sheet: Sheet, place: str) -> Iterator[Problem]:
    """Keys that rules cannot name, or could mean two things."""
    rows = [f"{place}.rows.{key}" for key in sheet.rows] if isinstance(sheet, GridSheet) else []
    paths = [path for path, _ in asked(sheet)]
    counts = Counter(path.rpartition(".")[2] for path in paths + rows)
    for path in [place, *paths, *rows]:
        key = path.rpartition(".")[2]
        if not key.isidentifier():
            yield Problem(FILE, path, f"«{key}» cannot be a key", "Use letters, digits and _, and a letter first.")
        if counts[key] > 1:
            yield Problem(FILE, path, f"«{key}» is used twice on this sheet", "Give each a key of its own.")


def _sum_problems(parts: Iterable[str], known: Iterable[str], place: str) -> Iterator[Problem]:
    own = place.split(".")[-2]
    others = [key for key in known if key != own]
    for part in parts:
        if part not in others:
            yield Problem(FILE, place, f"there is no «{part}» to sum", suggestion(part, others))


# questions


def _question_problems(form: Form, sheet: Sheet, question: Question, place: str) -> Iterator[Problem]:
    yield from _choice_problems(form, sheet, question, place)
    yield from _limit_problems(question, place)
    yield from _lookup_problems(form, sheet, question, place)
    if question.list and question.list not in form.file.lists:
        fix = suggestion(question.list, list(form.file.lists), "Define it under [lists].")
        yield Problem(FILE, f"{place}.list", f"there is no list «{question.list}»", fix)
    if question.prefill and question.prefill not in PREFILLS:
        yield Problem(
            FILE, f"{place}.prefill", f"there is no «{question.prefill}»", suggestion(question.prefill, PREFILLS)
        )
    if question.sum_of and not isinstance(sheet, GridSheet):
        yield Problem(FILE, f"{place}.sum_of", "only columns of a grid are summed", "Remove it.")
    elif isinstance(sheet, GridSheet):
        yield from _sum_problems(question.sum_of, sheet.columns, f"{place}.sum_of")
    if question.required_when:
        try:
            check_condition(form, parse(question.required_when, FormNames(form, sheet.key)))
        except PredicateError as error:
            yield Problem(FILE, f"{place}.required_when", error.reason, error.fix)


def _choice_problems(form: Form, sheet: Sheet, question: Question, place: str) -> Iterator[Problem]:
    if not question.choices and (question.type == "choice" or question.choices_when):
        yield Problem(FILE, f"{place}.choices", "a choice question needs choices", 'Add choices = "…".')
    named = [(f"{place}.choices", question.choices)]
    named += [(f"{place}.choices_when.{n}.choices", when.choices) for n, when in enumerate(question.choices_when, 1)]
    for path, name in named:
        if name == UNITS and not (question.type == "text" and question.open):
            fix = 'Write type = "text" and open = true.'
            yield Problem(FILE, path, "the recipient's own units can only be suggestions", fix)
        elif name and name != UNITS and name not in form.file.choices:
            fix = suggestion(name, list(form.file.choices), f"Define [choices.{name}].")
            yield Problem(FILE, path, f"there are no choices «{name}»", fix)
    for number, when in enumerate(question.choices_when, 1):
        yield from _when_problems(form, sheet, when, f"{place}.choices_when.{number}")


def _when_problems(form: Form, sheet: Sheet, when: ChoicesWhen, place: str) -> Iterator[Problem]:
    """The other question must be one answer with choices, beside this one or on a question sheet."""
    beside = dict(sheet.questions)
    for key, other in form.sheets.items():
        if isinstance(other, QuestionSheet):
            beside |= {f"{key}.{name}": question for name, question in other.questions.items()}
    if when.question not in beside:
        fix = suggestion(when.question, list(beside), "Name a question of this sheet, or sheet.question.")
        yield Problem(FILE, f"{place}.question", f"there is no question «{when.question}»", fix)
        return
    codes = codes_of(form, beside[when.question])
    if codes is not None and when.equals not in codes:
        reason = f"«{when.equals}» is not a choice of «{when.question}»"
        yield Problem(FILE, f"{place}.equals", reason, suggestion(when.equals, codes, "Use a code of its choices."))
    elif codes is None and beside[when.question].type not in {"choice", "yesno"}:
        yield Problem(FILE, f"{place}.question", f"«{when.question}» has no choices", "Name a question that has.")


def _limit_problems(question: Question, place: str) -> Iterator[Problem]:
    wanted = date if question.type == "date" else float
    for name in ("min", "max"):
        limit = getattr(question, name)
        if limit is not None and question.type not in {*NUMERIC, "date"}:
            fix = f"Use {name}_length for text." if question.type in LENGTHY else "Remove it."
            yield Problem(FILE, f"{place}.{name}", f"a question of the type {question.type} has no {name}", fix)
        elif limit is not None and not isinstance(limit, wanted):
            fix = f"Write {name} = 2024-02-01." if wanted is date else f"Write {name} = 1."
            yield Problem(FILE, f"{place}.{name}", f"{_plain(limit)} is not a limit for the type {question.type}", fix)
    for name in ("min_length", "max_length"):
        if getattr(question, name) is not None and question.type not in LENGTHY:
            fix = f"Use {name.removesuffix('_length')}, or remove it."
            yield Problem(FILE, f"{place}.{name}", f"a question of the type {question.type} has no length", fix)
    for low, high in (("min", "max"), ("min_length", "max_length")):
        first, last = getattr(question, low), getattr(question, high)
        if first is not None and type(first) is type(last) and first > last:
            reason = f"{_plain(first)} is more than {high}, which is {_plain(last)}"
            yield Problem(FILE, f"{place}.{low}", reason, "Correct one of them.")


def _plain(limit: float | date) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _lookup_problems(form: Form, sheet: Sheet, question: Question, place: str) -> Iterator[Problem]:
    if question.type == "lookup" and not question.lookup:
        yield Problem(FILE, f"{place}.lookup", "a lookup question needs lookup", "Add lookup = { list, key, value }.")
    if question.lookup is not None:
        yield from _source_problems(form, sheet, question.lookup, f"{place}.lookup")
    if question.fill is not None:
        yield from _source_problems(form, sheet, question.fill, f"{place}.fill")


def _source_problems(form: Form, sheet: Sheet, source: Lookup, place: str) -> Iterator[Problem]:
    lists = [*form.file.lists, UNITS]
    columns = UNIT_COLUMNS if source.list == UNITS else getattr(form.lists.get(source.list), "columns", None)
    if source.list not in lists:
        yield Problem(FILE, f"{place}.list", f"there is no list «{source.list}»", suggestion(source.list, lists))
    if source.key not in sheet.questions:
        fix = suggestion(source.key, list(sheet.questions), "Name a question of this sheet.")
        yield Problem(FILE, f"{place}.key", f"there is no question «{source.key}» on this sheet", fix)
    if columns is not None and source.value not in columns:
        reason = f"list «{source.list}» has no column «{source.value}»"
        yield Problem(FILE, f"{place}.value", reason, suggestion(source.value, columns))
