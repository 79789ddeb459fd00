"""The parts of a workbook's zip package, and a slow, exact walk through the cells of a sheet."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from posixpath import dirname, join, normpath
from xml.parsers import expat

from templates.cells import address

MAX_DEPTH = 64  # elements within elements
MAX_SMALL_PART = 4 << 20  # bytes of a part that lists other parts
CONTENT_TYPES, PACKAGE_RELATIONS = "[content_types].xml", "_rels/.rels"
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


class Package:
    """A zip archive whose parts are known by name without case, as the standard has it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {_part_name(member.filename): member for member in archive.infolist()}

    def names(self) -> set[str]:
        return set(self._members)

    def read(self, part: str) -> bytes:
        """Give the bytes of one part. Raises PackageError when there is no such part."""
        if part not in self._members:
            raise PackageError(part)
        return self._archive.read(self._members[part])

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

    def sheets(self) -> list[Sheet]:
        """List the sheets of the workbook. Raises PackageError for one that is listed and not there."""
        main = self.main_part
        relations = {relation.get("id", ""): relation for relation in self._relations(main)}
        return [_sheet(attributes, relations, main) for _, attributes in elements(self.read(main), "sheet")]

    def _relations(self, part: str) -> Iterator[dict[str, str]]:
        folder, _, name = part.rpartition("/")
        source = f"{folder}/_rels/{name}.rels".lstrip("/") if part else PACKAGE_RELATIONS
        return (attributes for _, attributes in elements(self.read(source), "Relationship"))


def _part_name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _resolve(source: str, target: str) -> str:
    return _part_name(normpath(join("/", dirname(source), target.replace("\\", "/"))))


def _sheet(attributes: dict[str, str], relations: dict[str, dict[str, str]], main: str) -> Sheet:
    reference = attributes.get("id", "")
    if reference not in relations:
        raise PackageError(reference)
    relation = relations[reference]
    is_external = relation.get("targetmode", "") == "External"
    part = _resolve(main, relation.get("target", ""))
    return Sheet(attributes.get("name", ""), part, relation.get("type", ""), is_external)


def _local(name: str) -> str:
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
        if _local(name) in wanted:
            found.append((_local(name), {_local(key).casefold(): value for key, value in attributes.items()}))

    parser = _parser()
    parser.StartElementHandler = start
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keywords
    return found


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*declaration: object) -> None:
    raise DoctypeError(declaration)


# sheets

REFERENCE = re.compile(r"([A-Za-z]{1,7})([1-9][0-9]{0,9})")
VALUES = frozenset({"v", "is", "f"})


@dataclass(slots=True)
class SheetWalk:
    """What a walk through the cells of a sheet has seen."""

    farthest: tuple[int, int] = (0, 0)  # the last row and the last column that hold a value
    errors: set[str] = field(default_factory=set)  # cells that show an error: C31
    row: int = 0
    column: int = 0
    is_error: bool = False
    depth: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PackageError(name)
        match _local(name):
            case "row":
                self.row = int(attributes.get("r", self.row + 1))
                self.column = 0
            case "c":
                self._start_cell(attributes)
            case tag if tag in VALUES:
                self.farthest = (max(self.row, self.farthest[0]), max(self.column, self.farthest[1]))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self.row, self.column = place(reference) if reference else (self.row, self.column + 1)
        if attributes.get("t") == "e":
            self.errors.add(address(self.row - 1, self.column - 1))

    def end(self, _name: str) -> None:
        self.depth -= 1


def walk_sheet(xml: bytes) -> SheetWalk:
    """Go through every cell of a sheet. Raises PackageError, ValueError or ExpatError for a broken one."""
    walk = SheetWalk()
    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keywords
    return walk


def place(reference: str) -> tuple[int, int]:
    """Give the row and the column of a cell, counted from 1. Raises PackageError."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise PackageError(reference)
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("@")
    return int(found[2]), column
