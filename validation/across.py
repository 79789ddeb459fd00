"""Rules between submissions: named functions over the reports that count, each of one sentence.

What is told to an owner about a report is its number, and only to the owner of that report; of
another owner's report it is only told that there is one.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from difflib import SequenceMatcher

from intake.submission import Row, Submission
from validation.hits import Check, Found, Given, Hit, Numbered, answers, only_row, text

ALIKE = 0.9  # share of two titles that is the same text


def live(submissions: Iterable[Submission]) -> Numbered:
    """The newest version of each report, with its place among the submissions."""
    newest: dict[str, tuple[int, Submission]] = {}
    for number, one in enumerate(submissions):
        other = newest.get(one.report)
        if other is None or _received(one) > _received(other[1]):
            newest[one.report] = number, one
    return [newest[report] for report in sorted(newest)]


def _received(submission: Submission) -> tuple[object, str]:
    return submission.source.received, str(submission.source.path)


def same_measure(batch: Numbered, given: Given) -> Found:
    """No other report of the same recipient and scheme has a title like this one."""
    title = given["title"]
    groups = _by(batch, lambda report: [(report.recipient, text(report, given["scheme"]))])
    for number, one, others in _with_others(groups):
        same = [other for other in others if alike(text(one, title), text(other, title))]
        if same:
            yield Hit(number, only_row(one, title), (title,), {"annen_id": same[0].report})


def same_network(batch: Numbered, given: Given) -> Found:
    """No other recipient reports a network with the same name or the same members in the same scheme."""
    network = given["network"]
    groups = _by(
        batch, lambda report: [(text(report, given["scheme"]), one) for one in _values(report, given["members"])]
    )
    told: set[int] = set()
    for number, one, others in _with_others(groups):
        foreign = [other for other in others if other.recipient != one.recipient]
        if number not in told and any(_same_network(one, other, given) for other in foreign):
            told.add(number)
            yield Hit(number, only_row(one, network), (network,))


def _same_network(one: Submission, other: Submission, given: Given) -> bool:
    """Whether two reports with a member in common are about one network."""
    if _values(one, given["members"]) == _values(other, given["members"]):
        return True
    return alike(text(one, given["network"]), text(other, given["network"]))


def unit_in_own_report(batch: Numbered, given: Given) -> Found:
    """A unit stands in one of the recipient's reports in a scheme only."""
    for number, row, one, others in _units_elsewhere(batch, given):
        own = [other.report for other in others if other.recipient == one.recipient]
        if own:
            yield Hit(number, row, (given["unit"],), {"annen_id": own[0]})


def unit_in_anothers_report(batch: Numbered, given: Given) -> Found:
    """No other recipient has reported the unit in the same scheme."""
    for number, row, one, others in _units_elsewhere(batch, given):
        if any(other.recipient != one.recipient for other in others):
            yield Hit(number, row, (given["unit"],))


def one_name(batch: Numbered, given: Given) -> Found:
    """A number has the same name in all reports of the recipient."""
    named: dict[tuple[str, str], list[tuple[int, Row, str]]] = {}
    for number, report in batch:
        for row, orgnr, name in _named(report, given):
            named.setdefault((report.recipient, orgnr), []).append((number, row, name))
    for (_, orgnr), group in named.items():
        names = {name.casefold(): name for _, _, name in reversed(group)}  # as it is written first
        words = {"orgnr": orgnr, "liste": ", ".join(f"«{name}»" for name in sorted(names.values()))}
        for number, row, name in group:
            elsewhere = {other.casefold() for at, _, other in group if at != number}
            if elsewhere - {name.casefold()}:
                yield Hit(number, row, (given["name"],), words)


ACROSS: dict[str, Check] = {
    "same_measure": same_measure,
    "same_network": same_network,
    "unit_in_own_report": unit_in_own_report,
    "unit_in_anothers_report": unit_in_anothers_report,
    "one_name": one_name,
}


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for case, punctuation and a letter or two; empty ones are not."""
    first, second = _bare(one), _bare(other)
    if not first or not second:
        return False
    return first == second or SequenceMatcher(None, first, second).ratio() >= ALIKE


def _bare(words: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in words.casefold()).split())


def _values(report: Submission, path: str) -> set[str]:
    return {str(value) for _, value in answers(report, path) if value is not None}


def _named(report: Submission, given: Given) -> Iterator[tuple[Row, str, str]]:
    """Every row that has both a number and its name."""
    names = {row.number: str(value) for row, value in answers(report, given["name"])}
    for row, orgnr in answers(report, given["orgnr"]):
        if row.number in names:
            yield row, str(orgnr), names[row.number]


def _by(batch: Numbered, keys: Callable[[Submission], Iterable[Hashable]]) -> list[Numbered]:
    """The reports that share a key."""
    groups: dict[Hashable, Numbered] = {}
    for number, report in batch:
        for key in dict.fromkeys(keys(report)):
            groups.setdefault(key, []).append((number, report))
    return [group for group in groups.values() if len(group) > 1]


def _with_others(groups: list[Numbered]) -> Iterator[tuple[int, Submission, list[Submission]]]:
    for group in groups:
        for number, one in group:
            yield number, one, [other for at, other in group if at != number]


def _units_elsewhere(batch: Numbered, given: Given) -> Iterator[tuple[int, Row, Submission, list[Submission]]]:
    """Every row whose unit stands in other reports in the same scheme, with those reports."""
    holders: dict[tuple[str, str], Numbered] = {}
    for number, report in batch:
        for unit in _values(report, given["unit"]):
            holders.setdefault((text(report, given["scheme"]), unit), []).append((number, report))
    for number, one in batch:
        scheme = text(one, given["scheme"])
        for row, written in answers(one, given["unit"]):
            others = [other for at, other in holders[scheme, str(written)] if at != number]
            if others:
                yield number, row, one, others
