"""What is checked in the workbook: for every row of `_regler` what may be found there."""

from dataclasses import dataclass, field

from templates.form import Form, GridSheet, Rule
from templates.live.block import Block
from templates.live.plan import Here, Plan, asks
from templates.rules.binding import BoundRule, FormNames
from templates.rules.formula import FALSE, Formula, NoFormulaError, all_of
from templates.rules.predicate import Aggregate, Answer, Column, GridCell, Node, TableRows, parse

WRONG, ASKED, NOTED = "!", "-", "+"  # what is noted is neither counted nor listed
TOP = ""  # the key of the item of a sheet as a whole


@dataclass(frozen=True, eq=False)
class Cause:
    """One thing that may be wrong in a row."""

    rule: Rule
    kind: str  # reading, missing, limit, offered or rule
    failing: str  # of what is wrong with one answer: where it is neither empty nor unusable
    number: int  # of its text
    marks: str  # the columns of its row to mark, the first of them to go to
    blame: tuple[Node, ...]
    tree: tuple[Node, ...] = ()  # every node it looks at

    @property
    def is_warning(self) -> bool:
        return self.rule.severity != "error" or self.rule.trial

    @property
    def told(self) -> str:
        """How it is told that this was found: what it is, and the text."""
        mark = NOTED if self.rule.alone else ASKED if self.is_warning else WRONG
        return f"{mark}{self.number:03}"

    @property
    def code(self) -> str:
        return self.told + self.marks


@dataclass
class Item:
    """A row of `_regler`, or all the rows of a table: what may be found there."""

    block: Block
    row: int
    key: str = TOP  # the question or the row of a grid; "*" for the rows of a table
    causes: list[Cause] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        return self.key == "*"

    @property
    def found(self) -> str:
        return f"{self.block.found}{self.row}"


@dataclass
class Live:
    """Everything that is checked in the workbook, and the rules that only we can check."""

    form: Form
    language: str
    rules: list[BoundRule]
    plan: Plan
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    holes: dict[str, dict[str, str]] = field(default_factory=dict)  # of each sheet: what fills them, by name
    shown: set[tuple[str, str]] = field(default_factory=set)  # the single answers that texts say

    @property
    def alone(self) -> list[Cause]:
        """What may be found alone: nothing else is told then."""
        return [cause for item in self.items.values() for cause in item.causes if cause.rule.alone]

    @property
    def later(self) -> list[Rule]:
        """The rules that no cell judges: they are checked when the return arrives."""
        placed = {cause.rule.name for item in self.items.values() for cause in item.causes}
        return [rule for rule in self.form.rules if rule.name not in placed]

    def reading(self, code: str) -> Rule:
        """The rule that speaks for one way of reading a cell."""
        return next(rule for rule in self.form.rules if code in rule.reading)

    # what is asked for already

    def missing(self, node: Node, here: Here) -> str:
        """Whether an answer that a rule looks at is asked for already."""
        match node:
            case Answer(sheet=sheet, key=key):
                block = self.plan.blocks[sheet]
                at = here if sheet == here.place.sheet.key else Here(self.plan, block.place, 0)
                return self.asked(sheet, key, at)
            case GridCell(sheet=sheet, row=row, column=key):
                place = self.plan.blocks[sheet].place
                if isinstance(place.sheet, GridSheet) and place.sheet.rows[row].sum_of:
                    return FALSE
                return self.asked(sheet, key, Here(self.plan, place, place.rows[row], row))
            case Column(sheet=sheet, key=key):
                return self._column_missing(sheet, key)
            case TableRows(sheet=sheet):
                return self._column_missing(sheet, next(iter(self.form.sheets[sheet].questions)))
        return FALSE

    def asked(self, sheet: str, key: str, here: Here) -> str:
        """Whether a required answer is not there, seen from its row."""
        question = self.form.sheets[sheet].questions[key]
        if not asks(question):
            return FALSE
        empty = f'{here.state(Answer(sheet, key))}=""'
        if not question.required_when:
            return empty
        tree = parse(question.required_when, FormNames(self.form, sheet))
        return all_of((empty, Formula(self.form, here).true(tree)))

    def _column_missing(self, sheet: str, key: str) -> str:
        """An empty column waits for its first row."""
        block = self.plan.blocks[sheet]
        question = self.form.sheets[sheet].questions[key]
        if not block.is_table or not asks(question):
            return FALSE
        if question.required_when:
            raise NoFormulaError("which rows ask for an answer is not known where a column is looked at")
        rows = self.plan.counted_cell(Aggregate("COUNT", TableRows(sheet), sheet))
        return self.plan.value_cell(f"AND({rows}>0,{block.filled(key)}=0)")
