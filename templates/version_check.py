"""What is wrong in how a form takes older versions in."""

from collections import Counter
from collections.abc import Iterator

from templates.form import Form, FromVersion, GridSheet
from templates.form_check import FILE
from templates.problems import Problem, suggestion
from templates.rules.kinds import codes_of

EMPTY_MAPPING = "say what has changed, or leave it empty when every question has kept its key."


def version_problems(form: Form) -> Iterator[Problem]:
    """Everything wrong in `accepts` and `from_version`."""
    accepts, mapped = form.file.accepts, form.file.from_version
    for version in accepts:
        if version == form.version:
            yield Problem(FILE, "accepts", f"«{version}» is this version itself", "Name older versions only.")
        elif version not in mapped:
            reason = f"nothing says how the answers of version «{version}» are read"
            yield Problem(FILE, "accepts", reason, f'Add [from_version."{version}"] and {EMPTY_MAPPING}')
    for version, mapping in mapped.items():
        place = f"from_version.{version}"
        if version not in accepts:
            yield Problem(FILE, place, f"version «{version}» is not accepted", f'Add "{version}" to accepts.')
        yield from _rename_problems(form, mapping, place)
        yield from _recode_problems(form, mapping, place)
        yield from _drop_problems(form, mapping, place)


def _paths(form: Form) -> list[str]:
    """Everything that has a key in a workbook: questions, and the rows of grids."""
    rows = (sheet.rows if isinstance(sheet, GridSheet) else () for sheet in form.sheets.values())
    return [
        f"{key}.{name}" for (key, sheet), keys in zip(form.sheets.items(), rows, strict=True)
        for name in (*sheet.questions, *keys)
    ]  # fmt: skip


def _rename_problems(form: Form, mapping: FromVersion, place: str) -> Iterator[Problem]:
    known, counts = _paths(form), Counter(mapping.rename.values())
    for old, new in mapping.rename.items():
        at = f"{place}.rename.{old}"
        if new not in known:
            fix = suggestion(new, known, "Name a question of this version as sheet.question.")
            yield Problem(FILE, at, f"there is no question «{new}»", fix)
        elif old.partition(".")[0] != new.partition(".")[0]:
            yield Problem(FILE, at, f"«{new}» is on another sheet", "An answer can only be renamed on its own sheet.")
        if counts[new] > 1:
            yield Problem(FILE, at, f"more than one answer would become «{new}»", "Drop the others.")
        if old in known and old not in counts:
            reason = f"«{old}» is asked in this version too, so its answer would have two places"
            yield Problem(FILE, at, reason, "Give the new question another key.")


def _recode_problems(form: Form, mapping: FromVersion, place: str) -> Iterator[Problem]:
    known = _paths(form)
    for path, codes in mapping.recode.items():
        at = f"{place}.recode.{path}"
        sheet, _, key = path.partition(".")
        question = form.sheets[sheet].questions.get(key) if sheet in form.sheets else None
        if question is None:
            fix = suggestion(path, known, "Name a question of this version as sheet.question.")
            yield Problem(FILE, at, f"there is no question «{path}»", fix)
            continue
        own = codes_of(form, question)
        if own is None:
            yield Problem(FILE, at, f"«{path}» has no choices", "Remove it.")
            continue
        for old, new in codes.items():
            if new not in own:
                yield Problem(FILE, f"{at}.{old}", f"«{new}» is not a choice of «{path}»", suggestion(new, own))


def _drop_problems(form: Form, mapping: FromVersion, place: str) -> Iterator[Problem]:
    known = [path for path in _paths(form) if path not in mapping.rename.values()]
    for path in mapping.drop:
        if path in known:
            yield Problem(FILE, f"{place}.drop", f"«{path}» is asked in this version too", "Remove it from drop.")
        elif path in mapping.rename:
            yield Problem(FILE, f"{place}.drop", f"«{path}» is renamed as well", "Say only one of them.")
        elif path.partition(".")[0] not in form.sheets:
            fix = suggestion(path.partition(".")[0], list(form.sheets), "Name what was asked as sheet.question.")
            yield Problem(FILE, f"{place}.drop", f"there is no sheet of «{path}»", fix)
