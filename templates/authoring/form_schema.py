"""The format of a form as JSON Schema, with which an editor shows its author what may be written where."""

from typing import Any

from templates.definition import WrittenForm
from templates.form import GridRow, GridSheet, Question, QuestionSheet, RulesFile, Section, TableSheet

NAMED_BY_HEADING = (Question, Section, QuestionSheet, TableSheet, GridSheet, GridRow)  # their key is the TOML key


def form_schema() -> dict[str, Any]:
    """The JSON Schema of form.toml."""
    schema = WrittenForm.model_json_schema()
    parts = schema["$defs"]
    for model in NAMED_BY_HEADING:
        part = parts[model.__name__]
        del part["properties"]["key"]
        part["required"].remove("key")
    parts["QuestionSheet"]["required"].append("kind")  # what tells the kinds of sheet apart has no default
    options, taken = parts["ChoiceList"]["properties"].values()
    parts["ChoiceList"] = {
        "anyOf": [
            {key: value for key, value in options.items() if key != "default"},
            {"type": "object", "properties": {"from_list": taken}, "required": ["from_list"]},
        ]
    }
    plain: dict[str, Any] = _plain(schema)
    return plain


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of rules.toml."""
    plain: dict[str, Any] = _plain(RulesFile.model_json_schema())
    return plain


def _plain(schema: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Leave out what pydantic makes of the names of our classes and fields: an author has no use for it."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(part) for key, part in schema.items() if key != "title" or isinstance(part, dict)}
