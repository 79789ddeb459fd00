"""What every rule of behovsmelding-2024 tells an owner, word for word: tests/expected/findings.txt.

`python -m tests.golden` writes it anew; read what changed before you commit it.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.cases import Case, Findings, cases
from tests.file_cases import FileCase, file_cases
from tests.reports import FORM, LANGUAGES
from validation.findings import Finding

EXPECTED = Path(__file__).parent / "expected" / "findings.txt"
COMMAND = "python -m tests.golden"
HEAD = f"""\
What every rule of {FORM.name} tells an owner, in the words and at the cells the owner sees.

Made by `{COMMAND}`; tests/test_golden.py compares. Under each rule stands what was done, most often a clean
sample (templates/forms/{FORM.name}/samples) and what was changed in it, and then every finding: the
language of the workbook, rule, severity and cells, and on the next line what was said. A rule that gives no finding
shows how the file ended and why.
"""
SERIES = "SPC"  # the published rules; those that every form has come after them


def page() -> str:
    """The whole page, in the order of the rules' numbers."""
    told = [(case.rule, _case(case)) for case in cases()]
    told += [(case.rule, _file_case(case)) for case in file_cases()]
    parts = [rule.name for rule in FORM.rules]
    told.sort(key=lambda item: (*_number(item[0]), parts.index(item[0])))
    return "\n".join([HEAD, *_sections(told)])


def name_of(found: Finding) -> str:
    """The rule of a finding, with its part."""
    return f"{found.rule}.{found.part}" if found.part else found.rule


def _number(rule: str) -> tuple[int, str]:
    published = rule[1:3].isdigit()
    return SERIES.index(rule[0]) if published else len(SERIES), rule[:3] if published else rule


def _sections(told: list[tuple[str, list[str]]]) -> Iterator[str]:
    for rule, group in groupby(told, key=lambda item: item[0]):
        yield f"\n{rule}\n"
        for _, lines in group:
            yield from (f"  {line}" for line in lines)
            yield ""


def _case(case: Case) -> list[str]:
    return [case.done, *(line for language, found in case.told.items() for line in _findings(found, language))]


def _file_case(case: FileCase) -> list[str]:
    verdict = case.verdict
    named = {rule.name: rule for rule in FORM.rules}[case.rule]
    about = [f"  {case.rule}, {named.told_as}, the file «{verdict.source.name}»"] if case.reason else []
    reason = [f"  {language}  {words}" for language, words in verdict.reason.items()]
    found = (line for language in LANGUAGES for line in _findings(verdict.findings, language))
    return [case.done, f"  ends as {verdict.outcome}", *about, *reason, *found]


def _findings(findings: Findings, language: str) -> Iterator[str]:
    for found in findings:
        yield f"  {language}  {name_of(found)}, {found.severity}, {_cells(found)}"
        yield f"      {found.message[language]}"


def _cells(found: Finding) -> str:
    """The cells by tab: Skjema C50, Budsjett D7 D11."""
    places = [*((found.sheet, cell) for cell in found.cells), *found.elsewhere]
    tabs = groupby(places, key=lambda place: place[0])
    return ", ".join(f"{tab} {' '.join(cell for _, cell in cells)}" for tab, cells in tabs) or "no cell"


def write() -> None:
    EXPECTED.parent.mkdir(exist_ok=True)
    EXPECTED.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
