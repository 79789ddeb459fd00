"""The words beside a cell that is chosen: what the writer shows and the reader knows again."""

from templates.form import Question
from templates.texts import Texts


def prompt(question: Question, language: str, texts: Texts) -> str:
    """The help a person sees when the cell is chosen."""
    parts = [question.help[language]] if question.help else []
    if question.example:
        parts.append(texts.say("example", language, text=question.example[language]))
    return " ".join(parts)
