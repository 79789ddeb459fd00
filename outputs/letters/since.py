"""What has become of what an owner was told to correct: how much is right now, what is left, and what is new."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from outputs.letters.lists import Lists
from validation.findings import Finding


@dataclass(frozen=True, slots=True)
class Since:
    """Errors counted: those told of last, those of them that are left, and those that are new.

    `rows` are the rows that have been put right of what is left.
    """

    told: int
    left: int
    new: int
    rows: int


def since(told: Sequence[Finding], found: Sequence[Finding], lists: Lists) -> Since:
    """Hold what is found now against what was told of last.

    An error is left when the same cause is found, and when something else is wrong with the same answer: who writes
    «twelve» for «0» has not put it right.
    """

    def cause(one: Finding) -> tuple[Hashable, ...]:
        return one.rule, one.part, lists.sheet(one), one.questions, one.row_name

    def answer(one: Finding) -> tuple[Hashable, ...] | None:
        return (lists.sheet(one), one.questions[0], one.row_name) if one.questions else None

    before, now, same = _without_common(told, found, cause)
    rows = sum(max(lists.rows(old) - lists.rows(new), 0) for old, new in same)
    before, now, other = _without_common(before, now, answer)
    return Since(len(told), len(same) + len(other), len(now), rows)


def _without_common(
    before: Sequence[Finding], now: Sequence[Finding], key: Callable[[Finding], Hashable | None]
) -> tuple[list[Finding], list[Finding], list[tuple[Finding, Finding]]]:
    """Pair those that are alike; give the rest of both, and the pairs. What has no key is like nothing."""
    waiting: dict[Hashable, list[Finding]] = {}
    for one in reversed(now):
        waiting.setdefault(key(one), []).append(one)
    rest, pairs = [], []
    for old in before:
        alike = waiting.get(same) if (same := key(old)) is not None else None
        if alike:
            pairs.append((old, alike.pop()))
        else:
            rest.append(old)
    return rest, [one for found in waiting.values() for one in found], pairs
