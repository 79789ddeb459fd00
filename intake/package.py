"""The parts of a workbook's zip package, as the package itself lists them."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from posixpath import dirname, join, normpath
from xml.parsers import expat

from templates.layout import LISTS_SHEET, RULES_SHEET

MAX_SMALL_PART = 4 << 20  # bytes of a part that lists other parts
MAX_KEPT = 2 << 20  # bytes of a part that is kept unpacked: guard and reader both look into it
CONTENT_TYPES, PACKAGE_RELATIONS = "[content_types].xml", "_rels/.rels"
UNREAD = frozenset({LISTS_SHEET, RULES_SHEET})  # our own sheets: no answer ever stands there
LEFT_BY_OTHERS = "customxml/"  # what other programs left there, in any encoding
TRUE = frozenset({"1", "true", "on"})
OFFICE_DOCUMENT = "/officeDocument"  # how its relation ends, in the standard's both dialects


class PackageError(Exception):
    """A package that does not hold together."""


class DoctypeError(PackageError):
    """A part with a document type, in which entities are defined; no workbook has one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as the workbook lists it, and the part of the package that holds it."""

    name: str
    part: str
    kind: str  # the type of its relation
    is_external: bool
    is_shown: bool = True  # not hidden, so that its tab can be seen

    @property
    def is_worksheet(self) -> bool:
        return self.kind.endswith("/worksheet")


class Package:
    """A zip archive whose parts are known by name without case, as the standard has it. Raises BadZipFile."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self.members = self._archive.infolist()
        self._members = {_part_name(member.filename): member for member in self.members}
        self._kept: dict[str, bytes] = {}

    def names(self) -> set[str]:
        return set(self._members)

    def read(self, part: str) -> bytes:
        """Give the bytes of one part. Raises PackageError when there is no such part."""
        if part not in self._kept:
            if part not in self._members:
                raise PackageError(part)
            content = self._archive.read(self._members[part])
            if len(content) > MAX_KEPT:
                return content
            self._kept[part] = content
        return self._kept[part]

    @cached_property
    def main_part(self) -> str:
        """The name of the workbook part. Raises PackageError when no relation leads to it."""
        for relation in self._relations(""):
            if relation.get("type", "").endswith(OFFICE_DOCUMENT):
                return _resolve("", relation.get("target", ""))
        raise PackageError(OFFICE_DOCUMENT)

    def main_content_type(self) -> str:
        """Give the content type of the main part; it tells Word from Excel, and macros from none."""
        main = self.main_part
        defaults, overrides = {}, {}
        for tag, attributes in elements(self.read(CONTENT_TYPES), "Default", "Override"):
            if tag == "Default":
                defaults[attributes.get("extension", "").casefold()] = attributes.get("contenttype", "")
            else:
                overrides[_part_name(attributes.get("partname", ""))] = attributes.get("contenttype", "")
        return overrides.get(main) or defaults.get(main.rpartition(".")[2], "")

    def size(self, parts: Iterable[str]) -> int:
        """How many bytes these parts are, unpacked."""
        return sum(self._members[part].file_size for part in parts if part in self._members)

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The sheets of the workbook. Raises PackageError for one that is named twice, or refers to nothing."""
        main = self.main_part
        relations = {relation.get("id", ""): relation for relation in self._linked}
        sheets = [_sheet(attributes, relations, main) for tag, attributes in self._listed if tag == "sheet"]
        names = {sheet.name.casefold() for sheet in sheets}
        if len(relations) < len(self._linked) or len(names) < len(sheets):
            raise PackageError(main)
        return sheets

    @cached_property
    def is_1904(self) -> bool:
        """Whether the workbook counts days from 1904."""
        return any(attributes.get("date1904") in TRUE for tag, attributes in self._listed if tag == "workbookPr")

    def answer_sheets(self) -> list[Sheet]:
        """The sheets where answers may stand."""
        return [sheet for sheet in self.sheets if sheet.is_worksheet and sheet.name not in UNREAD]

    def unread_parts(self) -> set[str]:
        """The parts that nothing of ours ever looks into."""
        read = {sheet.part for sheet in self.sheets if sheet.name not in UNREAD}
        own = {sheet.part for sheet in self.sheets} - read
        return own | {part for part in self._members if part.startswith(LEFT_BY_OTHERS)}

    def related(self, kind: str) -> str | None:
        """The name of the part that the workbook refers to by a relation of this kind; None without one."""
        found = (relation for relation in self._linked if relation.get("type", "").endswith(kind))
        return next((_resolve(self.main_part, relation.get("target", "")) for relation in found), None)

    def related_to(self, part: str, kind: str) -> list[str]:
        """The names of the parts that another one refers to by relations of this kind, of those that are there."""
        if _relations_of(part) not in self._members:
            return []
        found = (one for one in self._relations(part) if one.get("type", "").endswith(kind))
        names = [_resolve(part, relation.get("target", "")) for relation in found]
        return [name for name in names if name in self._members]

    @cached_property
    def _listed(self) -> list[tuple[str, dict[str, str]]]:
        """What the workbook part says of itself and of its sheets."""
        return elements(self.read(self.main_part), "sheet", "workbookPr")

    @cached_property
    def _linked(self) -> list[dict[str, str]]:
        """The relations of the workbook part."""
        return list(self._relations(self.main_part))

    def _relations(self, part: str) -> Iterator[dict[str, str]]:
        return (attributes for _, attributes in elements(self.read(_relations_of(part)), "Relationship"))


def _part_name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _relations_of(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels".lstrip("/") if part else PACKAGE_RELATIONS


def _resolve(source: str, target: str) -> str:
    return _part_name(normpath(join("/", dirname(source), target.replace("\\", "/"))))


def _sheet(attributes: dict[str, str], relations: dict[str, dict[str, str]], main: str) -> Sheet:
    reference = attributes.get("id", "")
    if reference not in relations:
        raise PackageError(reference)
    relation = relations[reference]
    is_external = relation.get("targetmode", "") == "External"
    part = _resolve(main, relation.get("target", ""))
    is_shown = attributes.get("state", "visible") == "visible"
    return Sheet(attributes.get("name", ""), part, relation.get("type", ""), is_external, is_shown)


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


# XML


def elements(xml: bytes, *wanted: str) -> list[tuple[str, dict[str, str]]]:
    """List the elements of these names in a small part, with their attributes in lower case.

    Prefixes are left out. Raises PackageError for a part that is not small, DoctypeError and ExpatError.
    """
    if len(xml) > MAX_SMALL_PART:
        raise PackageError(len(xml))
    found = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local(name) in wanted:
            found.append((local(name), {local(key).casefold(): value for key, value in attributes.items()}))

    parser = make_parser()
    parser.StartElementHandler = start
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keywords
    return found


def make_parser() -> expat.XMLParserType:
    """A parser that refuses a document type, in which entities are defined."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*declaration: object) -> None:
    raise DoctypeError(declaration)
