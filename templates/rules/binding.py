"""What the names in a rule mean in its form, and every rule as a tree."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from templates.form import TRIGGERS, YES, Form, GridSheet, QuestionSheet, Rule, Sheet, TableSheet
from templates.problems import one_of, suggestion
from templates.rules.kinds import check_condition, kind_of
from templates.rules.language import PredicateError
from templates.rules.predicate import (
    Aggregate,
    Answer,
    Coalesce,
    Column,
    Compare,
    Const,
    GridCell,
    GridLine,
    IsNull,
    Node,
    Not,
    Or,
    RowKey,
    TableRows,
    Unique,
    parse,
)

MAX_LETS = 20  # named expressions within one another
ROW_KEY = "row_key"  # how a rule on a grid names the row it looks at
DATED = "dated"  # after the name of a code list: its day


@dataclass(frozen=True)
class BoundRule:
    """A rule whose names are resolved: what must hold, what to mark, what the message may say."""

    rule: Rule
    tree: Node | None = None
    blame: tuple[Node, ...] = ()
    values: dict[str, Node] = field(default_factory=dict)


class LetError(PredicateError):
    """What is wrong in a named expression, told by its name wherever it is used."""

    def __init__(self, name: str, reason: str, fix: str) -> None:
        super().__init__(f"«{name}» under [let]: {reason}", fix)
        self.name = name
        self.why = reason


@dataclass(frozen=True)
class FormNames:
    """Resolves names for rules on one sheet (`on`), or on none of them."""

    form: Form
    on: str | None
    open_lets: tuple[str, ...] = ()
    lets: dict[str, Node] = field(default_factory=dict)  # those read already

    def resolve(self, parts: tuple[str, ...], *, vector: bool) -> Node:
        match parts:
            case (name,):
                return self._bare(name, vector=vector)
            case (sheet, name):
                return self._dotted(sheet, name, vector=vector)
            case (sheet, row, name):
                return self._cell(sheet, row, name)
        raise PredicateError(f"«{'.'.join(parts)}» has too many parts", "Write sheet.question or grid.ROW.column.")

    def _bare(self, name: str, *, vector: bool) -> Node:
        own = self.form.sheets.get(self.on or "")
        if own is not None and name in own.questions:
            return Answer(own.key, name)
        if isinstance(own, GridSheet) and name == ROW_KEY:
            return RowKey(own.key)
        if name in self.form.file.constants:
            return Const(self.form.file.constants[name])
        if name in self.form.let:
            return self._let(name)
        if isinstance(self.form.sheets.get(name), TableSheet):
            if vector:
                return TableRows(name)
            raise PredicateError(f"«{name}» is a whole table", f"Count its rows: COUNT({name}).")
        raise PredicateError(f"there is no «{name}» here", self._hint(name))

    def _let(self, name: str) -> Node:
        if name in self.open_lets:
            raise LetError(name, "it is defined by itself", "Write it out without its own name.")
        if len(self.open_lets) > MAX_LETS:
            raise LetError(self.open_lets[0], "it is built on too many other names", "Write some of them out.")
        if name not in self.lets:
            inner = FormNames(self.form, self.on, (*self.open_lets, name), self.lets)
            try:
                self.lets[name] = parse(self.form.let[name], inner)
            except LetError:
                raise
            except PredicateError as error:
                raise LetError(name, error.reason, error.fix) from None
        return self.lets[name]

    def _sheet(self, key: str) -> Sheet:
        if key not in self.form.sheets:
            raise PredicateError(f"there is no sheet «{key}»", suggestion(key, list(self.form.sheets)))
        return self.form.sheets[key]

    def _dotted(self, sheet_key: str, name: str, *, vector: bool) -> Node:
        if name == DATED and sheet_key in self.form.file.lists.keys() - self.form.sheets.keys():
            return self._day(sheet_key)
        sheet = self._sheet(sheet_key)
        is_row = isinstance(sheet, GridSheet) and name in sheet.rows
        if name not in sheet.questions and not is_row:
            known = [*sheet.questions, *(sheet.rows if isinstance(sheet, GridSheet) else ())]
            raise PredicateError(f"sheet «{sheet_key}» has no «{name}»", suggestion(name, known))
        if isinstance(sheet, QuestionSheet):
            return Answer(sheet_key, name)
        if vector:
            return GridLine(sheet_key, name) if is_row else Column(sheet_key, name)
        if sheet_key == self.on and not is_row:
            return Answer(sheet_key, name)
        fix = "Use SUM, COUNT, MIN, MAX, COUNT_IF or IN."
        raise PredicateError(f"«{sheet_key}.{name}» is many answers", fix)

    def _day(self, list_name: str) -> Node:
        """The day that a code list speaks of, as it is told: 31.12.2030."""
        day = self.form.file.lists[list_name].dated
        if day is None:
            fix = f"Write dated = 2030-12-31 under [lists.{list_name}], with the day it speaks of."
            raise PredicateError(f"list «{list_name}» has no day", fix)
        return Const(f"{day:%d.%m.%Y}")

    def _cell(self, sheet_key: str, row: str, name: str) -> Node:
        sheet = self._sheet(sheet_key)
        if not isinstance(sheet, GridSheet):
            raise PredicateError(f"«{sheet_key}» has no named rows", "Write sheet.question.")
        for part, known in ((row, sheet.rows), (name, sheet.columns)):
            if part not in known:
                raise PredicateError(f"grid «{sheet_key}» has no «{part}»", suggestion(part, list(known)))
        return GridCell(sheet_key, row, name)

    def _hint(self, name: str) -> str:
        asked = [f"{sheet}.{question.key}" for sheet, question in self.form.questions()]
        elsewhere = [path for path in asked if path.endswith(f".{name}")]
        if elsewhere:
            return f"Write {one_of(elsewhere)}."
        own = self.form.sheets.get(self.on or "")
        known = [*(own.questions if own else asked), *self.form.file.constants, *self.form.let]
        return suggestion(name, known, "Name a question of this sheet, or sheet.question.")

    def check_lookup(self, list_name: str, column: str) -> None:
        if list_name not in self.form.file.lists:
            raise PredicateError(f"there is no list «{list_name}»", suggestion(list_name, list(self.form.file.lists)))
        columns = self.form.lists[list_name].columns if list_name in self.form.lists else (column,)
        if column not in columns:
            raise PredicateError(f"list «{list_name}» has no column «{column}»", suggestion(column, columns))


def bind(form: Form, rule: Rule) -> BoundRule:
    """Resolve one rule. Raises PredicateError."""
    names = FormNames(form, rule.on)
    tree = _tree(form, rule, names)
    blame = tuple(_blamed(form, rule, path) for path in rule.blame) or _mentioned(tree)
    values = {key: parse(text, names) for key, text in rule.values.items()}
    return BoundRule(rule, _unless_explained(rule, tree, names), blame, values)


def _unless_explained(rule: Rule, tree: Node | None, names: FormNames) -> Node | None:
    """Let an explanation settle the matter: the rule holds when it is filled in."""
    if tree is None or rule.accept_with is None:
        return tree
    return Or((tree, Not(IsNull(_answer(names, rule.accept_with)))))


def broken_parts(form: Form, rule: Rule) -> Iterator[tuple[str, PredicateError]]:
    """Everything in a rule that cannot be resolved or judged: the key of the part, and why."""
    names = FormNames(form, rule.on)
    trigger = next((name for name in TRIGGERS if getattr(rule, name)), "")
    parts: list[tuple[str, Callable[[], object]]] = [(trigger, partial(_check_tree, form, rule, names))]
    parts += [("blame", partial(_blamed, form, rule, path)) for path in rule.blame]
    parts += [("accept_with", partial(_answer, names, rule.accept_with))] if rule.accept_with else []
    parts += [(f"values.{key}", partial(_check_value, form, text, names)) for key, text in rule.values.items()]
    for key, read in parts:
        try:
            read()
        except PredicateError as error:
            yield key, error


def _check_tree(form: Form, rule: Rule, names: FormNames) -> None:
    tree = _tree(form, rule, names)
    if tree is not None:
        check_condition(form, tree)
    for key in rule.before or ():
        if kind_of(form, _answer(names, key)) != "date":
            raise PredicateError(f"«{key}» is not a date", "Name two questions of the type date.")
    for key in rule.at_least_one_of:
        answer = _answer(names, key)
        if form.sheets[answer.sheet].questions[answer.key].type != "yesno":
            raise PredicateError(f"«{key}» is not answered with yes or no", "Name questions of the type yesno.")


def _check_value(form: Form, text: str, names: FormNames) -> None:
    kind_of(form, parse(text, names))


def _tree(form: Form, rule: Rule, names: FormNames) -> Node | None:
    if rule.must:
        return parse(rule.must, names)
    if rule.before:
        first, second = (_answer(names, key) for key in rule.before)
        return Compare("<=", first, second)
    if rule.at_least_one_of:
        answers = (_answer(names, key) for key in rule.at_least_one_of)
        return Or(tuple(Compare("=", Coalesce((answer, Const(""))), Const(YES)) for answer in answers))
    if rule.unique:
        if not isinstance(form.sheets.get(rule.on or ""), TableSheet):
            raise PredicateError("only the rows of a table can be unique", "Let `on` name a table.")
        return Unique(tuple(_answer(names, key) for key in rule.unique))
    return None


def _answer(names: FormNames, key: str) -> Answer:
    node = names.resolve(tuple(key.split(".")), vector=False)
    if not isinstance(node, Answer):
        raise PredicateError(f"«{key}» is not a question", "Name a question of this sheet.")
    return node


def _blamed(form: Form, rule: Rule, path: str) -> Node:
    parts = tuple(path.split("."))
    own = form.sheets.get(rule.on or "")
    here = own is not None and parts[0] == own.key and parts[1:2] and parts[1] in own.questions
    node = FormNames(form, rule.on).resolve(parts, vector=not here)
    if not isinstance(node, Answer | Column | GridLine | GridCell | TableRows):
        raise PredicateError(f"«{path}» has no cell to mark", "Name a question, a column or a cell of a grid.")
    return node


def _mentioned(tree: Node | None) -> tuple[Node, ...]:
    """The answers a tree mentions, once each and in order."""
    if tree is None:
        return ()
    places = (node for node in tree.walk() if isinstance(node, Answer | Column | GridLine | GridCell | TableRows))
    return tuple(dict.fromkeys(places))


def operands(tree: Node) -> tuple[Node, ...]:
    """The answers and aggregates the tree is judged on; an aggregate counts as one operand."""
    found: dict[Node, None] = {}

    def collect(node: Node) -> None:
        if isinstance(node, Answer | GridCell | Aggregate):
            found[node] = None
        else:
            for child in node.children():
                collect(child)

    collect(tree)
    return tuple(found)
