"""Whether the rules of a form can be judged and told: everything that is wrong in rules.toml."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from templates.form import TRIGGERS, Form, QuestionSheet, Rule
from templates.problems import Problem, one_of, suggestion
from templates.rules.binding import FormNames, LetError, bind, broken_parts
from templates.rules.language import PredicateError
from templates.rules.messages import READINGS, bad_words, missing_texts, private_words, rule_words
from templates.rules.named_checks import NAMED_CHECKS, SCOPES
from templates.rules.predicate import parse

FILE = "rules.toml"
NEED_A_SHEET = ("must", "unique", "before", "at_least_one_of")
CLAIMS = ("reading", "limit", "required")  # what only one rule can speak for


def rule_problems(form: Form, own: Sequence[Rule]) -> Iterator[Problem]:
    """Everything wrong in the named expressions and the rules that the form itself has (`own`)."""
    broken = dict(_broken_lets(form))
    yield from (Problem(FILE, f"let.{name}", error.why, error.fix) for name, error in broken.items())
    for name in form.let.keys() & form.file.constants.keys():
        yield Problem(FILE, f"let.{name}", "a constant has this name too", "Choose another name.")
    yield from _repeated_ids(form, own)
    yield from _repeated_claims(own)
    for rule in own:
        yield from _rule_problems(form, rule, f"rule {rule.name}", broken)
    for rule in form.rules[len(own) :]:
        for _, language in missing_texts(rule, "", form.languages):
            fix = f"Write a rule of your own with {' and '.join(_claims(rule))}."
            yield Problem(FILE, f"rule {rule.name}", f"this standard rule has no text in «{language}»", fix)


def _rule_problems(form: Form, rule: Rule, place: str, broken: Mapping[str, LetError]) -> Iterator[Problem]:
    for key, language in missing_texts(rule, f"{place}.", form.languages):
        yield Problem(FILE, key, f"has no text in «{language}»", f'Add {language} = "…".')
    triggers = [name for name in TRIGGERS if getattr(rule, name)]
    if len(triggers) != 1:
        reason = f"has {len(triggers)} triggers ({', '.join(triggers) or 'none'})"
        yield Problem(FILE, place, reason, f"Use exactly one of {', '.join(TRIGGERS)}.")
    if rule.on is not None and rule.on not in (*form.sheets, *SCOPES):
        fix = suggestion(rule.on, [*form.sheets, *SCOPES])
        yield Problem(FILE, f"{place}.on", f"there is no sheet «{rule.on}»", fix)
    elif rule.on is None and set(triggers).intersection(NEED_A_SHEET):
        yield Problem(FILE, f"{place}.on", "does not say which sheet it is about", 'Add on = "<sheet>".')
    else:
        unknown = list(_name_problems(form, rule, place))
        yield from unknown or _message_problems(form, rule, place)  # an unknown reading has no words
        yield from _accept_problems(rule, triggers, place)
        yield from _alone_problems(form, rule, place)
        yield from _part_problems(form, rule, place, broken)


def _repeated_ids(form: Form, own: Sequence[Rule]) -> Iterator[Problem]:
    standard = {rule.name for rule in form.rules[len(own) :]}
    for name, count in Counter(rule.name for rule in own).items():
        if count > 1:
            yield Problem(FILE, f"rule {name}", f"this id is used {count} times", "Give each a `part` of its own.")
        if name in standard:
            yield Problem(FILE, f"rule {name}", "a standard rule has this id too", "Choose another id.")


def _repeated_claims(own: Sequence[Rule]) -> Iterator[Problem]:
    told: dict[str, str] = {}
    for rule in own:
        for claim in _claims(rule):
            first = told.setdefault(claim, rule.name)
            if first != rule.name:
                reason = f"rule {first} speaks for {claim} already"
                yield Problem(FILE, f"rule {rule.name}", reason, "Let only one of them do it.")


def _claims(rule: Rule) -> list[str]:
    """What a rule alone speaks for, as it is written: `reading = ["email"]`."""
    claims = [(trigger, code) for trigger in CLAIMS for code in getattr(rule, trigger)]
    return [f'{trigger} = ["{code}"]' for trigger, code in claims if trigger != "required" or code == "*"]


def _broken_lets(form: Form) -> Iterator[tuple[str, LetError]]:
    """The named expressions that no rule on any sheet could use."""
    for name in form.let:
        error = _let_error(form, None, name)
        if error and error.name == name and all(_let_error(form, sheet, name) for sheet in form.sheets):
            yield name, error


def _let_error(form: Form, on: str | None, name: str) -> LetError | None:
    try:
        parse(form.let[name], FormNames(form, on, (name,)))
    except LetError as error:
        return error
    except PredicateError as error:
        return LetError(name, error.reason, error.fix)
    return None


def _accept_problems(rule: Rule, triggers: Sequence[str], place: str) -> Iterator[Problem]:
    if rule.accept_with is None:
        return
    if rule.severity != "warning":
        fix = 'Write severity = "warning": an error must be corrected, not explained.'
        yield Problem(
            FILE, f"{place}.accept_with", f"only a warning is settled by an explanation, not an {rule.severity}", fix
        )
    elif not set(triggers).intersection(NEED_A_SHEET):
        fix = f"Use it with {one_of(NEED_A_SHEET)}."
        yield Problem(FILE, f"{place}.accept_with", "this trigger has nothing to explain", fix)


def _alone_problems(form: Form, rule: Rule, place: str) -> Iterator[Problem]:
    """What stands alone is found once in a report, and says what is so, not what is wrong."""
    is_single = isinstance(form.sheets.get(rule.on or ""), QuestionSheet)
    if rule.alone and not (rule.must and is_single and rule.severity == "info"):
        fix = 'Use it with must and severity = "info", on a question sheet.'
        yield Problem(FILE, f"{place}.alone", "only a remark on the whole report can stand alone", fix)


def _name_problems(form: Form, rule: Rule, place: str) -> Iterator[Problem]:
    """Names that are not written in the rule language: ways of reading, checks, required questions."""
    for code in rule.reading:
        if code not in READINGS:
            fix = suggestion(code, list(READINGS), "docs/form-format.md lists them.")
            yield Problem(FILE, f"{place}.reading", f"there is no reading «{code}»", fix)
    yield from _check_problems(form, rule, place)
    asked = [f"{sheet}.{question.key}" for sheet, question in form.questions()]
    for key in rule.required:
        if key != "*" and key not in asked and f"{rule.on}.{key}" not in asked:
            fix = suggestion(key if "." in key else f"{rule.on}.{key}", asked, "Name a question as sheet.question.")
            yield Problem(FILE, f"{place}.required", f"there is no question «{key}»", fix)


def _check_problems(form: Form, rule: Rule, place: str) -> Iterator[Problem]:
    """A named check must be there, for the scope of the rule, with the answers it looks at."""
    scope = rule.on if rule.on in SCOPES else "submission"
    names = [name for name, check in NAMED_CHECKS.items() if check.scope == scope]
    if rule.check is None:
        if rule.on in SCOPES:
            yield Problem(FILE, f"{place}.on", f"a rule on {rule.on} needs a named check", f"Use {one_of(names)}.")
        return
    if rule.check not in names:
        fix = suggestion(rule.check, names)
        yield Problem(FILE, f"{place}.check", f"there is no check «{rule.check}» for one {scope}", fix)
        return
    if rule.later is None:
        fix = "Write in every language what you check when the workbook is back."
        yield Problem(
            FILE, f"{place}.later", "the workbook cannot check this, and its guide does not say that you do", fix
        )
    wanted, paths = NAMED_CHECKS[rule.check].given, [f"{sheet}.{question.key}" for sheet, question in form.questions()]
    for name in sorted({*wanted} ^ rule.given.keys()):
        reason = "is missing" if name in wanted else f"is nothing that {rule.check} looks at"
        yield Problem(
            FILE, f"{place}.given.{name}", reason, f"It looks at {one_of(wanted) if wanted else 'no answers'}."
        )
    for name, path in rule.given.items():
        if path not in paths:
            fix = suggestion(path, paths, "Name a question as sheet.question.")
            yield Problem(FILE, f"{place}.given.{name}", f"there is no question «{path}»", fix)


def _part_problems(form: Form, rule: Rule, place: str, broken: Mapping[str, LetError]) -> Iterator[Problem]:
    for key, error in broken_parts(form, rule):
        if not isinstance(error, LetError) or error.name not in broken:  # those are told already
            yield Problem(FILE, f"{place}.{key}", error.reason, error.fix)


def _message_problems(form: Form, rule: Rule, place: str) -> Iterator[Problem]:
    words = rule_words(form, rule, _first_marked(form, rule))
    own = form.sheets[rule.on].questions if rule.on in form.sheets else {}
    for language, text in rule.message.items():
        for bad in bad_words(text, words):
            elsewhere = bad.word in own and rule.must
            reason = f"{{{bad.word}}} is not on the sheet of the first cell marked" if elsewhere else bad.reason
            fix = f'Give it under values: {bad.word} = "{bad.word}".' if elsewhere else bad.fix
            yield Problem(FILE, f"{place}.message.{language}", reason, fix)
        for word in private_words(text):
            fix = "Take it out; an example may be navn@example.no."
            yield Problem(FILE, f"{place}.message.{language}", f"«{word}» looks like somebody's own", fix)


def _first_marked(form: Form, rule: Rule) -> str | None:
    """The sheet of the first cell a rule marks: the message is filled in from there."""
    try:
        blame = bind(form, rule).blame
    except PredicateError:  # told in its own place
        return rule.on
    return getattr(blame[0], "sheet", None) if blame else rule.on
