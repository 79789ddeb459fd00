"""A workbook of an older version, read by what the form says has changed since."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from intake.locate import Place
from templates.form import Form, FromVersion, GridSheet, QuestionSheet, Sheet, TableSheet

Item = TypeVar("Item")
NOTHING_CHANGED = FromVersion.model_construct()  # built as it is: validating would cost each worker 30 ms


@dataclass(frozen=True)
class Former:
    """One version of a form, older or the present one, beside the form as it is."""

    form: Form
    version: str

    @cached_property
    def _mapping(self) -> FromVersion:
        return self.form.file.from_version.get(self.version, NOTHING_CHANGED)

    @cached_property
    def keys(self) -> dict[str, str]:
        """What a key that has changed was: `sheet.question` now to the key then."""
        return {now: then.partition(".")[2] for then, now in self._mapping.rename.items()}

    @property
    def dropped(self) -> frozenset[str]:
        """`sheet.question` of what is asked no more; its label may be another question's now."""
        return frozenset(self._mapping.drop)

    @cached_property
    def then(self) -> Form:
        """The form with the keys that this version gave to questions and rows: for finding them, no more."""
        if not self.keys:
            return self.form
        sheets = {key: self._then(sheet) for key, sheet in self.form.sheets.items()}
        return replace(self.form, file=self.form.file.model_copy(update={"sheets": sheets}))

    def path(self, then: str) -> str:
        """What `sheet.question` of this version is called now."""
        return self._mapping.rename.get(then, then)

    def places(self, found: Mapping[str, Place]) -> dict[str, Place]:
        """The places by the keys of today."""
        return {key: self._now(key, place) for key, place in found.items()}

    def recoded(self, sheet: str, question: str) -> Mapping[str, str]:
        """What stood in this version for a choice, to its code now."""
        return self._mapping.recode.get(f"{sheet}.{question}", {})

    def _then(self, sheet: Sheet) -> Sheet:
        if isinstance(sheet, QuestionSheet):
            sections = {
                name: section.model_copy(update={"questions": self._renamed(sheet.key, section.questions)})
                for name, section in sheet.sections.items()
            }
            return QuestionSheet.model_construct(key=sheet.key, label=sheet.label, sections=sections)
        if isinstance(sheet, TableSheet):
            return sheet.model_copy(update={"questions": self._renamed(sheet.key, sheet.questions)})
        both = {"rows": self._renamed(sheet.key, sheet.rows), "columns": self._renamed(sheet.key, sheet.columns)}
        return GridSheet.model_copy(sheet, update=both)

    def _renamed(self, sheet: str, items: Mapping[str, Item]) -> dict[str, Item]:
        return {self.keys.get(f"{sheet}.{key}", key): item for key, item in items.items()}

    def _now(self, sheet: str, place: Place) -> Place:
        back = {then: path.partition(".")[2] for path, then in self.keys.items() if path.startswith(f"{sheet}.")}
        rows, columns = (
            {back.get(key, key): spot for key, spot in spots.items()} for spots in (place.rows, place.columns)
        )
        return replace(place, rows=rows, columns=columns)
