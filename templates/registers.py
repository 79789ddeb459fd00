"""The public registers that we know files of: `registers.toml`."""

import tomllib
from pathlib import Path
from typing import Any

_DEFINED: dict[str, Any] = tomllib.loads((Path(__file__).parent / "registers.toml").read_text(encoding="utf-8"))
SOURCES: dict[str, dict[str, Any]] = _DEFINED["sources"]  # by the register's name
FAMILIES: dict[str, dict[str, Any]] = _DEFINED["families"]  # registers whose files look the same
