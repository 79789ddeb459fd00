"""What is worth a second look in a checked form: rules that say nothing, and texts that are cut.

A rule is tried on many made-up sets of allowed answers. One that never fails, or never holds, on
any of them is probably written wrong; that is told, and never refused, since nothing is proved.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from intake.derive import derive
from intake.submission import Answer, Return, Row, SheetAnswers, Submission, Value
from templates.definition import bound_rules
from templates.form import NUMERIC, Form, GridSheet, Question, Sheet, TableSheet
from templates.live.live import make_live
from templates.orgnr import check_digit
from templates.problems import Problem
from templates.recipients import Recipient
from templates.rules.predicate import Answer as Asked
from templates.rules.predicate import Column, Compare, Const, Contains, GridCell, In, Lookup, Node, Not
from validation.compile import Scope
from validation.frames import make_frames

SETS = 2000
EMPTY = 0.08  # share of the answers that are left out
MOST_ROWS = 3
PROMPT_LIMIT = 255  # characters a spreadsheet shows beside a chosen cell
NOBODY = Recipient("123456785", "", "", "", "nb")
DAYS = (-900, -400, -40, -1, 0, 1, 40, 400, 800, 1200)  # from the form's deadline


def notes(form: Form, today: date | None = None) -> Iterator[Problem]:
    """Everything in a checked form that is allowed and probably not meant."""
    yield from _lists_to_come(form, today or datetime.now(form.zone).date())
    yield from _cut_prompts(form)
    yield from _idle_rules(form)
    yield from _unannounced(form)


def _lists_to_come(form: Form, today: date) -> Iterator[Problem]:
    """Code lists that speak of a day to come; never refused, since the clock of a machine may be wrong."""
    for name, source in form.file.lists.items():
        if source.dated and source.dated > today:
            reason = f"{source.dated} has not come yet, and owners are told that the list is of that day"
            yield Problem("form.toml", f"lists.{name}.dated", reason, "Write the day that the list speaks of.")


def _cut_prompts(form: Form) -> Iterator[Problem]:
    for sheet, question in form.questions():
        for language in form.languages:
            told = [text[language] for text in (question.help, question.example) if text]
            if sum(map(len, told)) > PROMPT_LIMIT:
                reason = f"is {sum(map(len, told))} characters with its example; a prompt shows {PROMPT_LIMIT}"
                fix = "Put the most important first: the rest is only beside the question."
                yield Problem("form.toml", f"{sheet}.{question.key}.help.{language}", reason, fix)


def _idle_rules(form: Form) -> Iterator[Problem]:
    bound = [one for one in bound_rules(form) if one.tree is not None and one.rule.on in form.sheets]
    submissions = list(_made_up(form, [node for one in bound if one.tree for node in one.tree.walk()]))
    frames = make_frames(form, submissions)
    for key in form.sheets:
        scope = Scope(frames, key)
        for one in bound:
            if one.rule.on != key or one.tree is None or one.rule.alone:  # which asks for little to be answered
                continue
            outcomes = [scope.failing(one.tree).sum().alias("fails"), scope.failing(Not(one.tree)).sum().alias("holds")]
            fails, holds = scope.frame.select(outcomes).row(0)
            if not fails or not holds:
                reason = f"none of {SETS} made-up sets of answers makes it {'hold' if fails else 'fail'}"
                yield Problem("rules.toml", f"rule {one.rule.name}.must", reason, "Is it written the right way round?")


def _unannounced(form: Form) -> Iterator[Problem]:
    """Rules that a workbook cannot judge, of which its guide says nothing; and the other way round."""
    late = {rule.name for rule in make_live(form, form.languages[0]).later}
    for rule in form.rules:
        place = f"rule {rule.name}.later"
        if rule.name in late and rule.later is None and rule.must:
            fix = "Write in every language what you check on receipt: the guide says it."
            yield Problem("rules.toml", place, "no spreadsheet can judge this", fix)
        if rule.name not in late and rule.later is not None:
            yield Problem("rules.toml", place, "is never shown: the workbook checks this itself", "Take it out.")


# made-up answers


class _Pool:
    """Answers worth trying for each question: what the rules speak of, and what lies just beside it."""

    def __init__(self, form: Form, nodes: list[Node]) -> None:
        self.form = form
        self.spoken: dict[tuple[str, str], list[Value]] = {}
        self.codes: dict[str, list[str]] = {}  # of code lists: those that a rule treats in a way of their own
        self.numbers: list[float] = [0, 1, 2, 3]
        for node in nodes:
            self._hear(node)
        self.orgnrs = list(_orgnrs(4))

    def _hear(self, node: Node) -> None:
        match node:
            case Const(value=int() | float() as number) if not isinstance(number, bool):
                self.numbers += [number - 1, number, number + 1]
            case Compare(left=asked, right=Const(value=str() as text)):
                self._add(asked, text)
            case In(item=asked, options=options):
                for option in options:
                    if isinstance(option, Const) and isinstance(option.value, str):
                        self._add(asked, option.value)
            case Contains(item=item, words=words):
                for asked in item.walk():
                    for word in words:
                        self._add(asked, f"om {word} her")

    def _add(self, asked: Node, text: str) -> None:
        match asked:
            case Asked(sheet=sheet, key=key) | Column(sheet=sheet, key=key) | GridCell(sheet=sheet, column=key):
                self.spoken.setdefault((sheet, key), []).append(text)
            case Lookup(list=name, value=column):
                rows = self.form.lists[name].rows
                self.codes.setdefault(name, []).extend(code for code, row in rows.items() if row[column] == text)

    def choose(self, sheet: str, question: Question, random: Random) -> Value:
        """One answer that the question allows."""
        if question.type in NUMERIC:
            number = random.choice([*self.numbers, random.randrange(100, 100_000) * 10])
            return float(number) if question.type in {"decimal", "percent"} else int(number)
        if question.type == "date":
            return self._day(random)
        if question.type == "orgnr":
            return random.choice([*self.orgnrs, *self.spoken.get((sheet, question.key), [])])
        codes = list(self.form.question_options(question))
        if question.type == "kommunenr" and question.list:
            return self._code(question.list, random)
        if question.type in {"choice", "yesno"}:
            return random.choice(codes)
        return random.choice([*self.spoken.get((sheet, question.key), []), *codes[:2], "x", "et langt svar " * 9])

    def _day(self, random: Random) -> date:
        return self.form.deadline.date() + timedelta(days=random.choice(DAYS) + random.randrange(20))

    def _code(self, name: str, random: Random) -> str:
        known = list(self.form.lists[name].rows)
        return random.choice(random.choice([self.codes.get(name) or known, known]))


def _orgnrs(wanted: int) -> Iterator[str]:
    made = (f"{start}{check_digit(str(start))}" for start in count(99_900_000) if check_digit(str(start)) is not None)
    for _ in range(wanted):
        yield next(made)


def _made_up(form: Form, nodes: list[Node]) -> Iterator[Submission]:
    random, pool = Random(1), _Pool(form, nodes)  # noqa: S311 - repeatable, no secret
    received = datetime.combine(form.deadline.date(), datetime.min.time(), UTC)
    for number in range(SETS):
        sheets = {key: derive(form, sheet, _sheet(sheet, pool, random), NOBODY) for key, sheet in form.sheets.items()}
        source = Return(Path(str(number)), f"{number:064x}", received)
        yield Submission(source, form.name, form.version, form.languages[0], NOBODY.orgnr, f"X-{number}", sheets)


def _sheet(sheet: Sheet, pool: _Pool, random: Random) -> SheetAnswers:
    if isinstance(sheet, GridSheet):
        rows = [(number, key) for number, key in enumerate(sheet.rows, 1)]
    elif isinstance(sheet, TableSheet):
        rows = [(number, "") for number in range(1, random.randrange(MOST_ROWS + 1) + 1)]
    else:
        rows = [(0, "")]
    return SheetAnswers(sheet.key, {}, tuple(Row(number, key, _row(sheet, pool, random)) for number, key in rows))


def _row(sheet: Sheet, pool: _Pool, random: Random) -> dict[str, Answer]:
    return {
        key: Answer(pool.choose(sheet.key, question, random), "", "")
        for key, question in sheet.questions.items()
        if not question.calculated and random.random() > EMPTY
    }
