"""Finding out what may be wrong in each row of `_regler`: with the answers themselves, and by the rules."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from templates.form import NUMERIC, Form, GridSheet, Question, Rule, TableSheet, Text
from templates.layout import ANSWER_COLUMN
from templates.live.block import Block, mark_of
from templates.live.items import TOP, Cause, Item, Live
from templates.live.plan import Here, asks
from templates.live.texts import Words
from templates.live.words import bound_words, is_longer
from templates.rules.binding import BoundRule, FormNames, operands
from templates.rules.formula import FALSE, TRUE, Formula, NoFormulaError, any_of, not_, text
from templates.rules.predicate import (
    Aggregate,
    Answer,
    Coalesce,
    Column,
    GridCell,
    GridLine,
    IsNull,
    Node,
    TableRows,
    parse,
)
from templates.states import phone_is_norwegian, problems


def find_causes(live: Live) -> Live:
    """Fill in the items of the workbook with what may be found there."""
    for key, block in live.plan.blocks.items():
        live.holes[key] = {}
        live.items |= {(key, item.key): item for item in _items(block)}
    for (sheet, _), item in live.items.items():
        item.causes += _Own(live, sheet, item).causes()
    for bound in live.rules:
        if bound.tree is not None and bound.rule.on is not None:
            with suppress(NoFormulaError):
                for item, here in _where(live, bound):
                    item.causes.append(_rule_cause(live, bound, item, here))
    return live


def _items(block: Block) -> Iterator[Item]:
    yield Item(block, block.top)
    sheet = block.place.sheet
    if isinstance(sheet, TableSheet):
        yield Item(block, block.first, "*")
        return
    for key in sheet.rows if isinstance(sheet, GridSheet) else sheet.questions:
        yield Item(block, block.place.rows[key], key)


def _where(live: Live, bound: BoundRule) -> Iterator[tuple[Item, Here]]:
    """The rows where a rule is told, and from where it looks."""
    on = bound.rule.on or ""
    block = live.plan.blocks[on]
    sheet = block.place.sheet
    if isinstance(sheet, TableSheet):
        yield live.items[on, "*"], Here(live.plan, block.place, block.first)
    elif isinstance(sheet, GridSheet):
        for key in sheet.rows:
            yield live.items[on, key], Here(live.plan, block.place, block.place.rows[key], key)
    else:
        yield _blamed_item(live, bound, on), Here(live.plan, block.place, 0)


def _blamed_item(live: Live, bound: BoundRule, on: str) -> Item:
    match bound.blame[0] if bound.blame else None:
        case Answer(sheet=sheet, key=key):
            return live.items[sheet, key]
        case GridCell(sheet=sheet, row=row) | GridLine(sheet=sheet, row=row):
            return live.items[sheet, row]
        case Column(sheet=sheet) | TableRows(sheet=sheet):
            return live.items[sheet, TOP]
    return live.items[on, TOP]


@dataclass(frozen=True)
class _Own:
    """What may be wrong with the answers themselves, in one item."""

    live: Live
    sheet: str
    item: Item

    def causes(self) -> Iterator[Cause]:
        if self.item.key == TOP:
            return
        for key, question in self.item.block.place.sheet.questions.items():
            if not question.calculated and (not self.item.block.is_single or key == self.item.key):
                yield from self._of(key, question)

    @property
    def here(self) -> Here:
        row_key = self.item.key if isinstance(self.item.block.place.sheet, GridSheet) else ""
        return Here(self.live.plan, self.item.block.place, self.item.row, row_key)

    @property
    def is_sum(self) -> bool:
        sheet = self.item.block.place.sheet
        return isinstance(sheet, GridSheet) and bool(sheet.rows[self.item.key].sum_of)

    def _of(self, key: str, question: Question) -> Iterator[Cause]:
        node = Answer(self.sheet, key)
        state = self.here.state(node).replace("$", "")  # seen from its own row
        if not self.is_sum:
            for code in problems(question):
                yield self._cause(self.live.reading(code), "reading", FALSE, node)
            if question.type == "phone":
                yield self._cause(self.live.reading("phone"), "limit", not_(phone_is_norwegian(state)), node)
            if asks(question):
                yield self._missing(node)
        yield from self._limits(node, question, state)
        if question.choices_when and not question.open and question.type == "choice":
            yield from self._offered(node, question)

    def _missing(self, node: Answer) -> Cause:
        rule = _required_rule(self.live.form, self.sheet, node.key)
        question = self.live.form.sheets[self.sheet].questions[node.key]
        names = FormNames(self.live.form, self.sheet)
        tree = parse(question.required_when, names) if question.required_when else None
        condition = Formula(self.live.form, self.here).true(tree) if tree else TRUE
        return self._cause(rule, "missing", condition, node, tree=tree)

    def _limits(self, node: Answer, question: Question, state: str) -> Iterator[Cause]:
        for limit in ("min", "max", "min_length", "max_length"):
            bound = getattr(question, limit)
            if bound is not None:
                rule = _first(rule for rule in self.live.form.rules if limit in rule.limit)
                words = dict.fromkeys(("min", "max"), bound_words(question, bound))
                yield self._cause(rule, "limit", self._outside(question, state, limit, bound), node, words)
        if question.example and question.type == "longtext":
            yield from self._example(node, question.example, state)

    def _outside(self, question: Question, state: str, limit: str, bound: float | date) -> str:
        """Whether an answer is outside one of its limits."""
        if isinstance(bound, date):
            return f"{state}{'<' if limit == 'min' else '>'}DATE({bound.year},{bound.month},{bound.day})"
        if question.type == "longtext" and limit in ("min_length", "max_length"):
            cell = self.item.block.answer(question.key, self.item.row)
            return is_longer(cell, bound) if limit == "max_length" else not_(is_longer(cell, bound - 1))
        measured = f"LEN({state})" if "length" in limit else state
        return f"{measured}{'<' if limit.startswith('min') else '>'}{bound:.15g}"

    def _example(self, node: Answer, example: Text, state: str) -> Iterator[Cause]:
        left = any_of(f"{state}=({text(' '.join(words.split()))})" for words in example.values())
        for rule in self.live.form.rules:
            if "example" in rule.limit:
                yield self._cause(rule, "limit", left, node)

    def _offered(self, node: Answer, question: Question) -> Iterator[Cause]:
        form, names = self.live.form, FormNames(self.live.form, self.sheet)
        state = self.here.state(node).replace("$", "")
        allowed = self._one_of(state, question.choices or "")
        others = []
        for choice in reversed(question.choices_when):
            other = names.resolve(tuple(choice.question.split(".")), vector=False)
            others.append(other)
            now = f"{Formula(form, self.here).value(other)}={text(choice.equals)}"
            allowed = f"IF({now},{self._one_of(state, choice.choices)},{allowed})"
        yield self._cause(self.live.reading("not_offered"), "offered", not_(allowed), node, tree=others[0])

    def _one_of(self, state: str, choices: str) -> str:
        return any_of(f"{state}={text(code)}" for code in self.live.form.options(choices))

    def _cause(
        self,
        rule: Rule,
        kind: str,
        failing: str,
        node: Answer,
        words: dict[str, str] | None = None,
        tree: Node | None = None,
    ) -> Cause:
        number = Words(self.live, self.item, self.here, (node,), words or {}).number(rule)
        nodes = (node, *(tree.walk() if tree else ()))
        return Cause(rule, kind, failing, number, own_marks(self.item, (node,)), (node,), nodes)


def own_marks(item: Item, blame: Iterable[Node]) -> str:
    """The columns to mark in the row of an item, the first of them to go to; there is always one."""
    place = item.block.place
    found = [column for node in blame for column in _own_columns(item, node)]
    first = ANSWER_COLUMN if item.block.is_single else next(iter(place.columns.values()))
    return "".join(mark_of(column) for column in dict.fromkeys(found)) or mark_of(first)


def _own_columns(item: Item, node: Node) -> Iterator[str]:
    place = item.block.place
    if getattr(node, "sheet", "") != place.sheet.key or isinstance(node, Aggregate):
        return
    match node:
        case Answer(key=key) if item.key != TOP and not (item.block.is_single and key != item.key):
            yield place.columns.get(key, ANSWER_COLUMN)
        case Column(key=key) if item.key == TOP and place.columns:
            yield place.columns[key]
        case TableRows() if item.key == TOP:
            yield next(iter(place.columns.values()))
        case GridCell(row=row, column=key) if row == item.key:
            yield place.columns[key]
        case GridLine(row=row) if row == item.key:
            yield from (place.columns[key] for key in entries(place.sheet))  # type: ignore[arg-type]


def entries(sheet: GridSheet) -> list[str]:
    """The columns of a grid where the owner writes numbers."""
    return [key for key, question in sheet.questions.items() if question.type in NUMERIC and not question.sum_of]


def _rule_cause(live: Live, bound: BoundRule, item: Item, here: Here) -> Cause:
    assert bound.tree is not None
    strict = {node for node in operands(bound.tree) if isinstance(node, Answer | GridCell)} - _tested(bound.tree)
    waits = (live.missing(node, here) for node in dict.fromkeys(bound.tree.walk()) if node not in strict)
    judged = [] if bound.rule.alone else [_is_there(test) for test in waits if test != FALSE]
    fails = Formula(live.form, here).fails(bound.tree, judged)
    number = Words(live, item, here, bound.blame, {}, bound.values).number(bound.rule)
    marks, nodes = own_marks(item, bound.blame), tuple(bound.tree.walk())
    return Cause(bound.rule, "rule", fails, number, marks, bound.blame, nodes)


def _is_there(missing: str) -> str:
    return missing[:-3] + '<>""' if missing.endswith('=""') and "(" not in missing else not_(missing)


def _tested(tree: Node) -> set[Node]:
    return {node for test in tree.walk() if isinstance(test, IsNull | Coalesce) for node in operands(test)}


def _required_rule(form: Form, sheet: str, key: str) -> Rule:
    """The rule that speaks when a required answer is missing."""
    named = (
        rule for rule in form.rules if f"{sheet}.{key}" in rule.required or (rule.on == sheet and key in rule.required)
    )
    return next(named, None) or _first(rule for rule in form.rules if "*" in rule.required)


def _first(rules: Iterable[Rule]) -> Rule:
    return next(iter(rules))
