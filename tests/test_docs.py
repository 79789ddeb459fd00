"""The documentation, held against the program: its commands, examples, tables and pictures."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import tomllib
from click.testing import CliRunner, Result
from pydantic import BaseModel

import cli
from intake.values import READERS
from outputs.telling import WORDS
from templates import form as models
from templates.definition import STANDARD_RULES, load_form
from templates.fill import fill_workbook
from templates.round import Round
from tests.desk import Desk

ROOT = Path(__file__).parent.parent
README, FORMAT, JSON = ROOT / "README.md", ROOT / "docs" / "form-format.md", ROOT / "docs" / "json.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
MAX_IMAGE = 150_000  # bytes

FENCE = re.compile(r"^```(?P<language>\w+) ?(?P<name>.*)\n(?P<body>[\s\S]*?)^```$", re.MULTILINE)
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/|uv run )?(?P<command>behov(?: .*)?)$", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
DIGEST = re.compile(r"[0-9a-f]{12,64}")  # of files, which another version of a library may pack differently


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: ```language name."""

    language: str
    name: str
    body: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found.groups()) for found in FENCE.finditer(page.read_text(encoding="utf-8"))]


def block(page: Path, name: str) -> str:
    return next(one.body for one in blocks(page) if one.name == name)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def commands() -> Iterator[str]:
    """Every command a page tells somebody to type, in a block or in a sentence."""
    for page in PAGES:
        texts = [one.body for one in blocks(page) if one.language == "console"]
        for text in [*texts, *INLINE.findall(prose(page))]:
            yield from (found["command"].partition("#")[0].strip() for found in COMMAND.finditer(text))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# commands


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_exists_with_its_options(command: str) -> None:
    group, words = cli.main, shlex.split(command)[1:]
    context = group.make_context("behov", words) if words else None
    while context is not None and context.protected_args_and_rest:
        pass
