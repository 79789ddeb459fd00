"""The JSON Schemas that editors help form authors with: they take what we take, and are published as they are made."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from templates.authoring.form_schema import form_schema, rules_schema
from templates.definition import FORMS

ROOT = Path(__file__).parent.parent
PUBLISHED = {"form": form_schema, "rules": rules_schema}
WRITTEN = [
    pytest.param(path, kind, id=f"{path.parent.name}/{path.name}")
    for kind in PUBLISHED
    for folder in (FORMS, Path(__file__).parent / "forms")
    for path in sorted(folder.glob(f"*/{kind}.toml"))
]


def problems(kind: str, written: dict[str, Any]) -> list[str]:
    as_json = json.loads(json.dumps(written, default=lambda moment: moment.isoformat()))
    checker = jsonschema.Draft202012Validator(PUBLISHED[kind]())
    return [error.message for error in checker.iter_errors(as_json)]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_published_schema_is_of_this_program(kind: str) -> None:
    page = ROOT / "docs" / "schema" / f"{kind}.schema.json"
    made = json.dumps(PUBLISHED[kind](), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("BEHOV_WRITE_GOLDEN") == "1":
        page.write_text(made, encoding="utf-8", newline="\n")

    assert page.read_text(encoding="utf-8") == made, "run the test with BEHOV_WRITE_GOLDEN=1"


@pytest.mark.parametrize(("path", "kind"), WRITTEN)
def test_every_form_of_ours_keeps_to_its_schema(path: Path, kind: str) -> None:
    assert problems(kind, tomllib.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"languages": "nb"}, "'nb' is not of type 'array'"),
        ({"deadlin": "2024-02-01"}, "'deadlin' was unexpected"),
        ({"correction_days": 0}, "0 is less than the minimum of 1"),
        ({"sheets": {"x": {"kind": "tabel", "label": {"nb": "X"}, "questions": {}}}}, "is not valid under any"),
    ],
)
def test_a_slip_is_shown_while_the_author_writes(change: dict[str, Any], told: str) -> None:
    form = tomllib.loads((FORMS / "behovsmelding-2024" / "form.toml").read_text(encoding="utf-8"))

    assert any(told in problem for problem in problems("form", form | change))
