"""Places in the live checks of a workbook for what only we have found: registers, other reports, the file itself.

What is written there is told, counted, listed and marked like what the workbook finds out by itself. Each
answer sheet has three columns of its own on `_regler`, after all others, a row for each of its rows.
"""

from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from templates.cells import letter
from templates.layout import RULES_SHEET
from templates.live.block import BLOCKS, MAX_TEXTS, TEXTS, TEXTS_NAME
from templates.live.items import Item, Live
from templates.shared import MARK

FIRST_HOOK = 200  # column, counted from 0: beyond those of any form


@dataclass(frozen=True)
class Hooks:
    """The columns of one answer sheet where findings are hung up: errors, questions, marks without a text."""

    errors: str
    questions: str
    marks: str


def hooks_of(live: Live) -> dict[str, Hooks]:
    """The columns of each answer sheet, by its key."""
    numbers = range(FIRST_HOOK, FIRST_HOOK + 3 * len(live.plan.blocks), 3)
    return {
        key: Hooks(letter(first), letter(first + 1), letter(first + 2))
        for key, first in zip(live.plan.blocks, numbers, strict=True)
    }


def add_hooks(workbook: Workbook, live: Live) -> None:
    """Let the live checks of a workbook that is being built tell what is hung up there, too."""
    if BLOCKS + sum(block.width for block in live.plan.blocks.values()) + live.plan.extra > FIRST_HOOK:
        raise ValueError(f"the live checks take more than {FIRST_HOOK} columns")
    rules = workbook[RULES_SHEET]
    for key, hooks in hooks_of(live).items():
        block = live.plan.blocks[key]
        answers = workbook[block.place.sheet.label[live.language]]
        for row in range(block.top, block.last + 1):
            _extend(rules, f"{block.marks}{row}", "", f'{hooks.marks}{row}&""')
        for item in (one for (sheet, _), one in live.items.items() if sheet == key):
            _extend(rules, item.found, f"{hooks.errors}{item.row}", f"{hooks.questions}{item.row}")
            if not item.causes:
                _let_tell(rules, answers, item)
    first = live.plan.first_text
    workbook.defined_names[TEXTS_NAME].attr_text = f"{RULES_SHEET}!${TEXTS}${first}:${TEXTS}${first + MAX_TEXTS - 1}"


def _extend(rules: Worksheet, cell: str, before: str, after: str) -> None:
    """Put something before and after what a formula gives; what shares the formula follows it."""
    formula = str(rules[cell].value or "").removeprefix("=")
    if not formula.startswith(MARK):
        rules[cell] = "=" + "&".join(filter(None, (before, formula, after)))
    elif formula.count(MARK) > 1:
        _, shares, formula = formula.split(MARK, 2)
        rules[cell] = f"={MARK}{shares}{MARK}" + "&".join(filter(None, (before, formula, after)))


def _let_tell(rules: Worksheet, answers: Worksheet, item: Item) -> None:
    """Tell in a row where the workbook itself never finds anything."""
    block, row = item.block, item.row
    said = f"INDEX({TEXTS_NAME},VALUE(MID({item.found},2,3)))"
    rules[f"{block.message}{row}"] = f'=IF({item.found}="","",{said})'
    if block.is_single and row == block.top:
        return  # a question sheet has no cell for what is said of it as a whole
    status = answers[f"{block.place.status_column}{row}"]
    if status.value is None:
        status.value = f'={RULES_SHEET}!{block.message}{row}&""'
