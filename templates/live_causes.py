"""What may be found in each row of `_regler`: its condition, its message and the cells to mark."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from string import ascii_lowercase, digits

from templates.binding import BoundRule, FormNames, operands
from templates.form import Form, GridSheet, Question, QuestionSheet, Rule, TableSheet, Text
from templates.formula import BAD, FALSE, TRUE, Formula, NoFormulaError, all_of, any_of, filled, text, when
from templates.live_plan import OWN, Block, Here, Plan, asks
from templates.live_words import as_written, bound_words, message, number, reading_words, shown, stored
from templates.predicate import (
    Aggregate,
    Answer,
    Coalesce,
    Column,
    Const,
    GridCell,
    GridLine,
    IsNull,
    Node,
    TableRows,
    parse,
)
from templates.states import bad_state, phone_is_norwegian, plain, problems

# Each letter stands for one cause of a row; none is a capital, because columns are.
LETTERS = ascii_lowercase + digits + "æøåäöüéèêàáâîïôûçñòóìíùúõãëýÿšžčđŋ"
ASKING = "αβγδεζηθικλμ"  # the causes that are only asked about
TOP = ""  # the key of the item of a sheet as a whole


@dataclass(frozen=True, eq=False)
class Cause:
    """One thing that may be wrong in a row."""

    rule: Rule
    kind: str  # reading, missing, limit, offered or rule
    failing: str
    message: str
    blame: tuple[Node, ...]
    tree: tuple[Node, ...] = ()  # every node it looks at

    @property
    def is_warning(self) -> bool:
        return self.rule.severity != "error" or self.rule.trial


@dataclass
class Item:
    """A row of `_regler`, or all the rows of a table: what may be found there."""

    block: Block
    row: int
    key: str = TOP  # the question or the row of a grid; "*" for the rows of a table
    own: list[Cause] = field(default_factory=list)
    rules: list[Cause] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        return self.key == "*"

    @property
    def first(self) -> list[Cause]:
        """What is judged before the rules: they wait for what is missing."""
        return [cause for cause in self.own if not cause.is_warning or cause.kind == "missing"]

    @property
    def causes(self) -> list[Cause]:
        """Errors first, so that the first letter of a row tells the most important thing."""
        first = set(self.first)
        rest = [cause for cause in (*self.own, *self.rules) if cause not in first]
        return [*self.first, *sorted(rest, key=lambda cause: cause.is_warning)]

    @property
    def letters(self) -> dict[Cause, str]:
        """The letter of each cause; of the first ones it stays the same when rules are added."""
        errors = [cause for cause in self.causes if not cause.is_warning]
        asking = [cause for cause in self.causes if cause.is_warning]
        if len(errors) > len(LETTERS) or len(asking) > len(ASKING):
            raise ValueError(f"there are too many rules on «{self.block.place.sheet.key}» to tell them apart")
        return dict(zip(errors, LETTERS, strict=False)) | dict(zip(asking, ASKING, strict=False))

    def letter(self, cause: Cause) -> str:
        return self.letters[cause]


@dataclass
class Live:
    """Everything that is checked in the workbook, and the rules that only we can check."""

    form: Form
    language: str
    rules: list[BoundRule]
    plan: Plan
    items: dict[tuple[str, str], Item] = field(default_factory=dict)

    @property
    def later(self) -> list[Rule]:
        """The rules that no cell judges: they are checked when the return arrives."""
        placed = {cause.rule.name for item in self.items.values() for cause in item.causes}
        return [rule for rule in self.form.rules if rule.name not in placed]

    def build(self) -> "Live":
        for key, block in self.plan.blocks.items():
            self.items |= {(key, item.key): item for item in _items(block)}
        for (sheet, _), item in self.items.items():
            item.own += _Own(self, sheet, item).causes()
        for bound in self.rules:
            self._place(bound)
        return self

    def _place(self, bound: BoundRule) -> None:
        rule = bound.rule
        if bound.tree is None or rule.on is None:
            return
        with suppress(NoFormulaError):
            for item, here in self._where(bound):
                item.rules.append(_rule_cause(self, bound, item, here))

    def _where(self, bound: BoundRule) -> Iterator[tuple[Item, Here]]:
        """The rows where a rule is told, and from where it looks."""
        on = bound.rule.on or ""
        block = self.plan.blocks[on]
        sheet = block.place.sheet
        if isinstance(sheet, TableSheet):
            yield self.items[on, "*"], Here(self.plan, block.place, block.first)
        elif isinstance(sheet, GridSheet):
            for key in sheet.rows:
                yield self.items[on, key], Here(self.plan, block.place, block.row(block.place.rows[key]), key)
        else:
            yield self._blamed_item(bound, on), Here(self.plan, block.place, 0)

    def _blamed_item(self, bound: BoundRule, on: str) -> Item:
        match bound.blame[0] if bound.blame else None:
            case Answer(sheet=sheet, key=key):
                return self.items[sheet, key]
            case GridCell(sheet=sheet, row=row) | GridLine(sheet=sheet, row=row):
                return self.items[sheet, row]
            case Column(sheet=sheet) | TableRows(sheet=sheet):
                return self.items[sheet, TOP]
        return self.items[on, TOP]

    def missing(self, node: Node, here: Here) -> str:
        """Whether an answer that a rule looks at is asked for already."""
        match node:
            case Answer(sheet=sheet, key=key):
                block = self.plan.blocks[sheet]
                if isinstance(block.place.sheet, QuestionSheet):
                    return self._is_missing(self.items[sheet, key], key, f"${OWN}${block.row(block.place.rows[key])}")
                item = self.items[sheet, here.key or "*"]
                return self._is_missing(item, key, f"{OWN}{here.row}")
            case GridCell(sheet=sheet, row=row, column=key):
                item = self.items[sheet, row]
                return self._is_missing(item, key, f"${OWN}${item.row}")
            case Column(sheet=sheet, key=key):
                return self._column_missing(sheet, key)
            case TableRows(sheet=sheet):
                return self._column_missing(sheet, next(iter(self.form.sheets[sheet].questions)))
        return FALSE

    def _column_missing(self, sheet: str, key: str) -> str:
        """An empty column waits for its first row."""
        block = self.plan.blocks[sheet]
        if not isinstance(block.place.sheet, TableSheet) or not asks(block.place.sheet.questions[key]):
            return FALSE
        own = block.all_rows(OWN)
        first = f'INDEX({own},MATCH("?*",{own},0))'
        found = self._is_missing(self.items[sheet, "*"], key, first)
        empty = f'SUMPRODUCT(--({block.all_rows(block.states[key])}<>""))=0'
        return FALSE if found == FALSE else f"IFERROR(AND({empty},{found}),FALSE)"

    def _is_missing(self, item: Item, key: str, own: str) -> str:
        for cause in item.own:
            if cause.kind == "missing" and isinstance(cause.blame[0], Answer) and cause.blame[0].key == key:
                return f'ISNUMBER(FIND("{item.letter(cause)}",{own}))'
        return FALSE


def _items(block: Block) -> Iterator[Item]:
    yield Item(block, block.top)
    sheet = block.place.sheet
    if isinstance(sheet, TableSheet):
        yield Item(block, block.first, "*")
        return
    for key in sheet.rows if isinstance(sheet, GridSheet) else sheet.questions:
        yield Item(block, block.row(block.place.rows[key]), key)


@dataclass(frozen=True)
class _Own:
    """What may be wrong with the answers themselves, in one item."""

    live: Live
    sheet: str
    item: Item

    def causes(self) -> Iterator[Cause]:
        if self.item.key == TOP:
            return
        sheet = self.item.block.place.sheet
        single = isinstance(sheet, QuestionSheet)
        for key, question in sheet.questions.items():
            if not single or key == self.item.key:
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
        if question.calculated:
            return
        node = Answer(self.sheet, key)
        state = self.here.state(node)
        if not self.is_sum:
            yield from self._readings(node, question, state)
            if asks(question):
                yield from self._missing(node, question, state)
        yield from self._limits(node, question, state)
        if question.choices_when and not question.open and question.type == "choice":
            yield from self._offered(node, question)

    def _readings(self, node: Answer, question: Question, state: str) -> Iterator[Cause]:
        cell = answer_cell(self.item, node)
        for code in problems(question):
            rule = _first(rule for rule in self.live.form.rules if code in rule.reading)
            yield self._cause(rule, "reading", f"{state}={bad_state(code)}", node, reading_words(code, cell))
        if question.type == "phone":
            rule = _first(rule for rule in self.live.form.rules if "phone" in rule.reading)
            failing = when(filled(state), f"NOT({phone_is_norwegian(state)})")
            yield self._cause(rule, "reading", failing, node)

    def _missing(self, node: Answer, question: Question, state: str) -> Iterator[Cause]:
        condition, tree = TRUE, None
        if question.required_when:
            tree = parse(question.required_when, FormNames(self.live.form, self.sheet))
            condition = Formula(self.live.form, self.here).true(tree)
        rule = _required_rule(self.live.form, self.sheet, node.key)
        yield self._cause(rule, "missing", all_of((f'{state}=""', condition)), node, tree=tree)

    def _limits(self, node: Answer, question: Question, state: str) -> Iterator[Cause]:
        length = f"LEN({state})"
        if question.type == "longtext":
            length = _stripped_length(answer_cell(self.item, node))
        for limit, test in (("min", f"{state}<"), ("max", f"{state}>")):
            bound = getattr(question, limit)
            if bound is not None:
                value = f"DATE({bound.year},{bound.month},{bound.day})" if hasattr(bound, "year") else repr(bound)
                yield self._limit(node, question, limit, when(f"ISNUMBER({state})", test + value))
        for limit, test in (("min_length", f"{length}<"), ("max_length", f"{length}>")):
            bound = getattr(question, limit)
            if bound is not None:
                yield self._limit(node, question, limit, when(filled(state), f"{test}{bound}"))
        if question.example and question.type == "longtext":
            yield from self._example(node, question.example, state)

    def _example(self, node: Answer, example: Text, state: str) -> Iterator[Cause]:
        left = any_of(f"{state}=({text(' '.join(words.split()))})" for words in example.values())
        for rule in self.live.form.rules:
            if "example" in rule.limit:
                yield self._cause(rule, "limit", left, node)

    def _limit(self, node: Answer, question: Question, limit: str, failing: str) -> Cause:
        rule = _first(rule for rule in self.live.form.rules if limit in rule.limit)
        words = bound_words(question, getattr(question, limit))
        return self._cause(rule, "limit", failing, node, {"min": words, "max": words})

    def _offered(self, node: Answer, question: Question) -> Iterator[Cause]:
        form, names = self.live.form, FormNames(self.live.form, self.sheet)
        state = self.here.state(node)
        allowed = self._one_of(state, question.choices or "")
        others = []
        for choice in reversed(question.choices_when):
            other = names.resolve(tuple(choice.question.split(".")), vector=False)
            others.append(other)
            now = f"{Formula(form, self.here).value(other)}={text(choice.equals)}"
            allowed = f"IF({now},{self._one_of(state, choice.choices)},{allowed})"
        rule = _first(rule for rule in form.rules if "not_offered" in rule.reading)
        yield self._cause(rule, "offered", when(filled(state), f"NOT({allowed})"), node, tree=others[0])

    def _one_of(self, state: str, choices: str) -> str:
        return any_of(f"{state}={text(code)}" for code in self.live.form.options(choices))

    def _cause(
        self,
        rule: Rule,
        kind: str,
        failing: str,
        node: Answer,
        more: dict[str, str] | None = None,
        tree: Node | None = None,
    ) -> Cause:
        words = spot_words(self.live, self.item, node) | (more or {})
        nodes = (node, *(tree.walk() if tree else ()))
        return Cause(rule, kind, failing, _message(self.live, rule, words), (node,), nodes)


def _rule_cause(live: Live, bound: BoundRule, item: Item, here: Here) -> Cause:
    assert bound.tree is not None
    fails = Formula(live.form, here).fails(bound.tree)
    strict = {node for node in operands(bound.tree) if isinstance(node, Answer | GridCell)} - _tested(bound.tree)
    waits = any_of(live.missing(node, here) for node in bound.tree.walk() if node not in strict)
    first = next((node for node in bound.blame if isinstance(node, Answer | Column | GridCell)), None)
    words = spot_words(live, item, first) if first else {}
    words |= {key: _value(live, node, here) for key, node in bound.values.items()}
    said = _message(live, bound.rule, words)
    return Cause(bound.rule, "rule", when(waits, FALSE, fails), said, bound.blame, tuple(bound.tree.walk()))


def _tested(tree: Node) -> set[Node]:
    return {node for test in tree.walk() if isinstance(test, IsNull | Coalesce) for node in operands(test)}


def _message(live: Live, rule: Rule, words: dict[str, str]) -> str:
    template = rule.message[live.language]
    return message(template, live.plan.text_cell(stored(template)), words)


def _value(live: Live, node: Node, here: Here) -> str:
    """A value that a message says; one that looks at no row has a cell of its own."""
    formula = Formula(live.form, here)
    if isinstance(node, Answer):
        question = live.form.sheets[node.sheet].questions[node.key]
        item = live.items.get((node.sheet, node.key)) or live.items[node.sheet, here.key or "*"]
        return shown(question, answer_cell(item, node), formula.value(node))
    if formula.is_text(node):
        return when(formula.known(node), formula.value(node), '""')
    value = when(formula.known(node), formula.value(node), '""')
    if here.row == 0 and not isinstance(node, Const | Aggregate):
        value = live.plan.value_cell(value)
    return f'IF(ISNUMBER({value}),{number(f"ROUND({value},1)", "decimal")},"")'


def answer_cell(item: Item, node: Node) -> str:
    """The cell of an answer, as the first row of the item sees it."""
    block, key = item.block, getattr(node, "key", getattr(node, "column", ""))
    if isinstance(block.place.sheet, GridSheet) and item.key:
        return block.answer(key, block.place.rows[item.key])
    return block.answer(key)


def spot_words(live: Live, item: Item, node: Node) -> dict[str, str]:
    """What a message may say of the first cell it marks and of the row around it."""
    sheet = live.form.sheets[node.sheet]  # type: ignore[attr-defined]
    key = getattr(node, "key", getattr(node, "column", ""))
    question = sheet.questions[key]
    if item.block.place.sheet is not sheet:  # told in the row of another sheet
        item = live.items.get((sheet.key, key), live.items[sheet.key, TOP])
    here = Here(live.plan, item.block.place, item.row, item.key)
    cell = answer_cell(item, node)
    words = {"felt": text(_label(live, item, question)), "rad": f'ROW({cell})&""', "navn": _row_name(live, item)}
    words["celle"] = text(sheet.label[live.language] + " ") + f'&"{cell.rpartition("!")[2].rstrip("0123456789$")}"'
    words["celle"] = words["celle"].replace("$", "") + f"&ROW({cell})"
    if item.key == TOP:
        return words
    words["verdi"] = as_written(question, cell)
    for name, other in sheet.questions.items():
        state = here.state(Answer(sheet.key, name)) if name in item.block.states else plain(item.block.answer(name))
        words[name] = shown(other, answer_cell(item, Answer(sheet.key, name)), state)
    return words


def _label(live: Live, item: Item, question: Question) -> str:
    sheet = item.block.place.sheet
    own = question.label[live.language]
    if isinstance(sheet, GridSheet) and item.key:
        return f"{sheet.rows[item.key].label[live.language]}, {own}"
    return own


def _row_name(live: Live, item: Item) -> str:
    sheet = item.block.place.sheet
    if isinstance(sheet, TableSheet) and sheet.row_name and item.is_table:
        return as_written(sheet.questions[sheet.row_name], item.block.answer(sheet.row_name))
    if isinstance(sheet, GridSheet) and item.key:
        return text(sheet.rows[item.key].label[live.language])
    return '""'


def _required_rule(form: Form, sheet: str, key: str) -> Rule:
    """The rule that speaks when a required answer is missing."""
    named = (
        rule for rule in form.rules if f"{sheet}.{key}" in rule.required or (rule.on == sheet and key in rule.required)
    )
    return next(named, None) or _first(rule for rule in form.rules if "*" in rule.required)


def _first(rules: Iterable[Rule]) -> Rule:
    return next(iter(rules))


def _stripped_length(cell: str) -> str:
    """The length of a long text without outer blanks; its inner blanks and lines count."""
    flat = f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({cell},CHAR(10)," "),CHAR(9)," "),"\u00a0"," ")'
    last = f"RIGHT(TRIM({flat}))"
    times = f'(LEN({flat})-LEN(SUBSTITUTE({flat},{last},"")))'
    end = f'FIND("{BAD}{BAD}",SUBSTITUTE({flat},{last},"{BAD}{BAD}",{times}))'
    return f"({end}-FIND(LEFT(TRIM({flat})),{flat})+1)"
