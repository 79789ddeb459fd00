"""The form as data: sheets, questions, choices, lists and rules.

The models hold what an author writes; `templates.definition` reads and checks it. Nothing here knows a particular form.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

from templates.counted_by import Dashboard

Text = dict[str, str]  # one text in every language of the form: language code to words

QuestionType = Literal[
    "text", "longtext", "integer", "amount", "decimal", "percent", "date", "email", "phone",
    "orgnr", "kommunenr", "yesno", "choice", "lookup",
]  # fmt: skip
Severity = Literal["error", "warning", "info"]
YES, NO = "Ja", "Nei"  # the codes of a yesno answer; both written languages use these words
UNITS = "units"  # the choices and the list that hold a recipient's own units
UNIT_COLUMNS = ("name", "orgnr", "type", "kommunenr", "owner")
NUMERIC: frozenset[str] = frozenset({"integer", "amount", "decimal", "percent"})


class Part(BaseModel):
    """A piece of a form definition: frozen, and no key it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # workers are given forms that were read


def _with_keys(items: Any) -> Any:  # noqa: ANN401 - raw TOML, validated by the model that follows
    if not isinstance(items, dict):
        return items
    return {key: {**item, "key": key} if isinstance(item, dict) else item for key, item in items.items()}


Keyed = BeforeValidator(_with_keys)


class Lookup(Part):
    """A value fetched from a code list by the answer to another question of the same row."""

    list: str
    key: str
    value: str


class ChoicesWhen(Part):
    """The choices offered while `question` (same row, or `sheet.question`) is answered with `equals`."""

    question: str
    equals: str
    choices: str


class Beside(Part):
    """Words beside an answer, worked out while the owner writes: shown when nothing is wrong there."""

    text: Text
    values: dict[str, str] = {}  # expressions whose results the text uses


class Question(Part):
    """One thing asked: one cell of a question sheet, one column of a table or grid."""

    key: str
    type: QuestionType
    label: Text
    help: Text | None = None
    example: Text | None = None
    required: bool = False
    required_when: str | None = None
    applies_when: str | None = None  # drawn as not in use when this condition is known not to hold
    beside: Beside | None = None
    choices: str | None = None
    choices_when: tuple[ChoicesWhen, ...] = ()
    open: bool = False  # the choices are suggestions; other words are taken as text
    list: str | None = None  # the code list a kommunenr is checked against
    lookup: Lookup | None = None
    fill: Lookup | None = None  # like lookup, but the owner may write something else
    prefill: str | None = None  # recipient.<field> or report.id
    locked: bool = False
    min: float | date | None = None
    max: float | date | None = None
    min_length: int | None = None
    max_length: int | None = None
    sum_of: tuple[str, ...] = ()  # a calculated grid column
    width: int | None = None  # characters
    personal: bool | None = None  # names a contact person; None: as its type and its prefill tell

    @property
    def calculated(self) -> bool:
        return self.type == "lookup" or bool(self.sum_of)


class Section(Part):
    key: str
    label: Text
    intro: Text | None = None
    questions: Annotated[dict[str, Question], Keyed]


class BaseSheet(Part):
    key: str
    label: Text  # the name on the tab
    title: Text | None = None
    intro: Text | None = None


class QuestionSheet(BaseSheet):
    kind: Literal["questions"] = "questions"
    sections: Annotated[dict[str, Section], Keyed]

    @cached_property
    def questions(self) -> dict[str, Question]:
        return {key: question for section in self.sections.values() for key, question in section.questions.items()}


class TableSheet(BaseSheet):
    kind: Literal["table"]
    rows: int = Field(ge=1, le=5000)
    questions: Annotated[dict[str, Question], Keyed]
    row_name: str | None = None  # the question that names a row in messages
    applies_when: str | None = None  # when only some owners fill it in


class GridRow(Part):
    """One fixed row of a grid; with `sum_of` it is calculated from other rows."""

    key: str
    label: Text
    help: Text | None = None
    sum_of: tuple[str, ...] = ()
    applies_when: str | None = None
    beside: Beside | None = None


class GridSheet(BaseSheet):
    kind: Literal["grid"]
    row_label: Text
    applies_when: str | None = None
    rows: Annotated[dict[str, GridRow], Keyed]
    columns: Annotated[dict[str, Question], Keyed]

    @property
    def questions(self) -> dict[str, Question]:
        return self.columns


Sheet = Annotated[QuestionSheet | TableSheet | GridSheet, Field(discriminator="kind")]


class CodeListFile(Part):
    """A code list: a CSV file under `lists/`, its key column and the column people read."""

    file: str
    key: str
    label: str
    recode: str | None = None  # CSV of codes that are no longer in use
    recode_from: str | None = None
    recode_to: str | None = None
    named_where: dict[str, str] = {}  # workbooks have labels where a column has one of the values of a constant
    dated: Annotated[date, Strict()] | None = None  # the day it speaks of


@dataclass(frozen=True)
class CodeList:
    """A loaded code list: rows by key, old keys that map to new ones, and keys whose label no workbook has."""

    name: str
    key: str
    label: str
    rows: dict[str, dict[str, str]]
    recoded: dict[str, str]
    unnamed: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(next(iter(self.rows.values()), {}))


class ListChoices(Part):
    """Choices taken from a code list, all rows or those where a column has a value."""

    list: str
    code: str
    label: str
    where: dict[str, str] = {}


class ChoiceList(Part):
    options: dict[str, Text] = {}
    from_list: ListChoices | None = None


def _choice_list(raw: Any) -> Any:  # noqa: ANN401 - raw TOML
    return {"options": raw} if isinstance(raw, dict) and "from_list" not in raw else raw


class GuideSection(Part):
    heading: Text
    text: Text


class Noun(Part):
    """What one report of this form is called."""

    one: Text  # «behovsmelding»
    the: Text  # «behovsmeldingen»
    many: Text  # «behovsmeldinger»


class Places(Part):
    """The code list that tells where a kommunenr lies, and its columns of the county's number and name."""

    list: str
    county: str
    county_name: str


class KnownRegisters(Part):
    """Which public registers together hold all units a form is about: each line is one way to have them."""

    units: tuple[tuple[str, ...], ...] = ()
    places: Places | None = None


class RegisterColumn(Part):
    """One column of the register workbook: a label and an expression; `aside`: after what caseworkers fill in."""

    key: str
    label: Text
    value: str
    aside: bool = False


class Rule(Part):
    """One check under a rule id. Exactly one of the triggers is set.

    `part` tells checks apart when one rule id needs several. `blame` names the answers to
    mark; without it all answers the predicate mentions. `values` are expressions whose
    results the message may use.
    """

    id: str
    part: str = ""
    on: str | None = None  # a sheet, or batch, register, intake
    severity: Severity = "error"
    source: str = ""
    trial: bool = False
    alone: bool = False  # where it is found nothing else is judged: the report says all there is to say
    accept_with: str | None = None  # sheet.question: an explanation that, filled in, settles a warning
    # triggers
    must: str | None = None  # a predicate that holds when all is well
    required: tuple[str, ...] = ()  # speaks for these required questions when empty; "*": for the rest
    unique: tuple[str, ...] = ()  # no two rows of the sheet share these answers
    before: tuple[str, str] | None = None  # the first date is not after the second
    at_least_one_of: tuple[str, ...] = ()  # one of these yesno answers is yes
    reading: tuple[str, ...] = ()  # how a cell was read: a code of intake.values
    limit: tuple[Literal["min", "max", "min_length", "max_length", "example"], ...] = ()
    check: str | None = None  # one of templates.rules.named_checks
    given: dict[str, str] = {}  # the answers a named check looks at: its word for it to sheet.question
    # the finding
    blame: tuple[str, ...] = ()
    values: dict[str, str] = {}
    message: Text
    later: Text | None = None  # what the guide says we check on receipt, when the workbook cannot

    @property
    def name(self) -> str:
        return f"{self.id}.{self.part}" if self.part else self.id

    @property
    def told_as(self) -> Severity:
        """How much the rule weighs now: an error on trial is only asked about."""
        return "warning" if self.trial and self.severity == "error" else self.severity


class FromVersion(Part):
    """How a workbook of an older version is read: `sheet.question` there and here, and codes that are new."""

    rename: dict[str, str] = {}  # what it asked to what is asked now; also a grid's rows
    recode: dict[str, dict[str, str]] = {}  # of a question now: what stood in the older workbook to a code
    drop: tuple[str, ...] = ()  # what is asked no more


TRIGGERS = ("must", "required", "unique", "before", "at_least_one_of", "reading", "limit", "check")


class FormFile(Part):
    """The contents of `form.toml`."""

    form: str
    version: str
    code: str = Field(pattern=r"^[A-Z0-9]{2,8}$")  # starts every report id: BM24-0007-1
    languages: tuple[str, ...] = Field(min_length=1)
    accepts: tuple[str, ...] = ()
    from_version: dict[str, FromVersion] = {}
    timezone: str = "Europe/Oslo"
    opens: date
    deadline: datetime
    correction_days: int = Field(ge=1, le=365)
    title: Text
    noun: Noun
    report_title: str  # sheet.question that names a report
    guide: tuple[GuideSection, ...] = ()
    constants: dict[str, str | int | float | tuple[str, ...]] = {}
    lists: dict[str, CodeListFile] = {}
    choices: dict[str, Annotated[ChoiceList, BeforeValidator(_choice_list)]] = {}
    sheets: Annotated[dict[str, Sheet], Keyed]
    register_columns: tuple[RegisterColumn, ...] = ()
    dashboard: Dashboard = Field(default_factory=Dashboard)
    registers: KnownRegisters = Field(default_factory=KnownRegisters)


class RulesFile(Part):
    """The contents of `rules.toml`: named expressions, then rules in the order they are told."""

    let: dict[str, str] = {}
    rule: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Form:
    """A checked form definition: what was written, its loaded lists and its rules."""

    file: FormFile
    lists: dict[str, CodeList]
    rules: tuple[Rule, ...]
    let: dict[str, str]

    @property
    def name(self) -> str:
        return self.file.form

    @property
    def version(self) -> str:
        return self.file.version

    @property
    def languages(self) -> tuple[str, ...]:
        return self.file.languages

    @property
    def sheets(self) -> dict[str, QuestionSheet | TableSheet | GridSheet]:
        return self.file.sheets

    @property
    def main_sheet(self) -> str:
        """The question sheet that says what a report is about."""
        return self.file.report_title.partition(".")[0]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.file.timezone)

    @property
    def deadline(self) -> datetime:
        return self.file.deadline.replace(tzinfo=self.zone)  # the moment, wherever one is

    def questions(self) -> Iterator[tuple[str, Question]]:
        """Every question with the key of its sheet, in the order they are asked."""
        for sheet in self.sheets.values():
            for question in sheet.questions.values():
                yield sheet.key, question

    def question(self, path: str) -> Question:
        """The question at `sheet.question`. Raises KeyError."""
        sheet, _, key = path.partition(".")
        return self.sheets[sheet].questions[key]

    @cached_property
    def _options(self) -> dict[str, dict[str, Text]]:
        return {name: self._read_options(choices) for name, choices in self.file.choices.items()}

    def _read_options(self, choices: ChoiceList) -> dict[str, Text]:
        if (source := choices.from_list) is None:
            return choices.options
        return {
            row[source.code]: dict.fromkeys(self.languages, row[source.label])
            for row in self.lists[source.list].rows.values()
            if all(row[column] == value for column, value in source.where.items())
        }

    def options(self, choices: str) -> dict[str, Text]:
        """The choices of one list: code to label."""
        return self._options[choices]

    def question_options(self, question: Question) -> dict[str, Text]:
        """Every choice a question may ever offer; empty when it offers none."""
        if question.type == "yesno":
            return {code: dict.fromkeys(self.languages, code) for code in (YES, NO)}
        names = [question.choices, *(when.choices for when in question.choices_when)]
        return {code: label for name in names if name and name != UNITS for code, label in self.options(name).items()}
