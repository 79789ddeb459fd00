"""What waits for a person, with the command that settles it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from outputs.register.life import QUARANTINED
from templates.texts import load_texts
from validation.verdict import LATE

TEXTS = Path(__file__).parent.parent / "texts.toml"
BY_WHOM = '--reason "…" --by "…"'
SHORT = 12  # characters of a SHA-256 that tell a file apart


def waiting(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str | None]]:
    """Say of each file that waits where it is, why it waits and what settles it."""
    versions = Counter(row["report"] for row in rows if row["number"])
    return [
        {
            "path": row["path"],
            "report": row["report"],
            "outcome": row["outcome"],
            "reason": _reason(row),
            "command": f"behov {_command(row, alone=versions[row['report']] == 1)}",
        }
        for row in rows
    ]


def _reason(row: Mapping[str, Any]) -> str | None:
    reason: str | None = row["reason"].get("nb")
    if row["outcome"] == LATE and not reason:
        return load_texts(TEXTS).say("reason_late", "nb")
    return reason


def _command(row: Mapping[str, Any], *, alone: bool) -> str:
    """Give the command a person most likely wants; `behov show` tells what else there is."""
    outcome = row["outcome"]
    version = () if alone else (str(row["number"]),)
    if outcome == LATE:
        return decide_words(row["report"], "accept-late", *version)
    if outcome == QUARANTINED and row["number"]:
        return decide_words(row["report"], "accept", *version)
    if outcome == "failed":
        return "ingest"
    if row["recipient"] and not row["told"]:
        return "feedback"
    return decide_words(row["sha256"][:SHORT], "reject")


def decide_words(subject: str, *words: str) -> str:
    return " ".join(["decide", subject, *words, BY_WHOM])


def numbered(versions: Iterable[Mapping[str, Any]]) -> str:
    """List versions by number, state and file."""
    return ", ".join(f"{version['number']} ({version['outcome']}, «{version['name']}»)" for version in versions)


def typed(path: Path) -> str:
    """Write a path as it is typed in a command, in any shell."""
    return f'"{path}"' if " " in str(path) else str(path)
