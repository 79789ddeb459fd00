"""The words of a finding: a rule's message with what stood in the cells."""

from collections.abc import Mapping

from intake.submission import Submission, Value
from intake.values import show
from templates.form import Form, Question
from templates.rules.predicate import Answer, Node
from validation.checks import Cause
from validation.places import Spot, answer, cell, label


def message(
    form: Form, submission: Submission, cause: Cause, spot: Spot | None, values: Mapping[str, Value]
) -> dict[str, str]:
    """The message of one finding in every language of the form."""
    return {
        language: fill(cause.rule.message[language], _words(form, submission, cause, spot, values, language), language)
        for language in form.languages
    }


class _Blank(dict[str, str]):
    """A placeholder without a value says nothing: the definition check has refused unknown names."""

    def __missing__(self, key: str) -> str:
        return ""


def fill(text: str, words: Mapping[str, str], language: str) -> str:
    """A text with its words; of those that differ by language, this language's."""
    return text.format_map(_Blank(_own(words, language)))


def _words(
    form: Form,
    submission: Submission,
    cause: Cause,
    spot: Spot | None,
    values: Mapping[str, Value],
    language: str,
) -> dict[str, str]:
    words: dict[str, str] = {}
    if spot is not None:
        words |= _spot_words(form, submission, spot, language)
    words |= {key: _shown(form, value, cause.values[key], language) for key, value in values.items()}
    if cause.limit is not None:
        bound = show_bound(form, cause, language)
        words |= {"min": bound, "max": bound}
    return words


def _spot_words(form: Form, submission: Submission, spot: Spot, language: str) -> dict[str, str]:
    sheet_key, _, row = spot
    sheet = form.sheets[sheet_key]
    words = {
        key: show(found.value, sheet.questions[key], language, form) if found.problem is None else found.raw
        for key, found in row.answers.items()
        if key in sheet.questions
    }
    written = answer(spot)
    if written is not None:
        words |= _own(written.details, language)
    return words | {
        "felt": label(form, spot)[language],
        "verdi": written.raw if written else "",
        "rad": str(row.number),
        "navn": row_name(form, submission, spot, language),
        "celle": f"{submission.sheets[sheet_key].name} {cell(submission, spot)}",
    }


def _own(words: Mapping[str, str], language: str) -> dict[str, str]:
    """The words of one language; those that differ by language end in its code."""
    plain = {key: text for key, text in words.items() if "." not in key}
    own = {key.removesuffix(f".{language}"): text for key, text in words.items() if key.endswith(f".{language}")}
    return plain | own


def row_name(form: Form, submission: Submission, spot: Spot, language: str) -> str:
    """What the owner calls the row: its naming question, or the grid row's label."""
    del submission
    sheet = form.sheets[spot[0]]
    name = getattr(sheet, "row_name", None)
    if name:
        found = spot[2].answers.get(name)
        return found.raw if found else ""
    rows = getattr(sheet, "rows", {})
    return rows[spot[2].key].label[language] if isinstance(rows, dict) and spot[2].key in rows else ""


PLAIN: dict[type, str] = {int: "amount", float: "decimal"}


def _shown(form: Form, value: Value, node: Node, language: str) -> str:
    if value is None:
        return ""
    if isinstance(node, Answer):
        return show(value, form.sheets[node.sheet].questions[node.key], language, form)
    if isinstance(value, float):
        value = int(value) if value.is_integer() else round(value, 1)
    return show(value, _plain_question(PLAIN.get(type(value), "text")), language, form)


def _plain_question(kind: str) -> Question:
    return Question.model_validate({"key": "_", "type": kind, "label": {}})


def show_bound(form: Form, cause: Cause, language: str) -> str:
    """A limit as people read it."""
    node = cause.blame[0]
    assert isinstance(node, Answer)
    question = form.sheets[node.sheet].questions[node.key]
    bound = cause.limit
    if isinstance(bound, float) and bound.is_integer() and question.type != "percent":
        bound = int(bound)
    return show(bound, question, language, form)
