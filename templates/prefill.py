"""Base workbook -> one recipient's copy, by replacing the few parts that hold slots.

Public facts of the format used here: an .xlsx file is a zip of XML parts; unchanged parts are
kept compressed as they are. The same input gives the same bytes.
"""

import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from templates.form import UNIT_COLUMNS, UNITS, Form, Question
from templates.layout import CODE_MARK, FIRST_UNIT, HELP_ROW, LAST_UNIT, STAMP_SHEET, column_name
from templates.recipients import Recipient
from templates.stamp import Stamp, sign_locked
from templates.texts import workbook_texts
from templates.zipped import SMALLEST, Zipped, zip_file, zipped

NBSP = "\u00a0"  # keeps a number on one line
SLOT = re.compile(  # a whole cell, or a place within a text
    rb'<c r="(?P<ref>[A-Z]+\d+)"(?P<style> s="\d+")? t="inlineStr"><is><t>@@(?P<cell>[A-Za-z0-9._]+)@@</t></is></c>'
    rb"|@@(?P<text>[A-Za-z0-9._]+)@@"
)
UNIT_ROW = re.compile(rb'<row r="%d"><c r="B%d"( s="\d+")/></row>' % (FIRST_UNIT, FIRST_UNIT))
LAST_UNIT_ROW = re.compile(rf"(?<={STAMP_SHEET}!\$[A-Z]\${FIRST_UNIT}:\$[A-Z]\$){LAST_UNIT}\b".encode())
FILLED_ROW = re.compile(  # of a table: with nothing in it but what is fetched from the recipient's units
    rb'<row r="(\d+)">(?:<c [^>]*><f>[^<]*\b%s[^<]*</f></c>)+</row>' % column_name(UNITS, "").encode()
)
SPARE_ROWS = 40  # that fetch from the units, beyond one for each of them
STAMPED_AT = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")
CUSTOM_VT = rb' xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"'
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters XML cannot hold
ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # _x0041_ is how a cell writes A


@dataclass(frozen=True)
class Base:
    """A compiled base workbook: the parts that never change, compressed, and those that do."""

    frozen: list[Zipped]
    parts: dict[str, bytes]
    stamp_part: str  # with the recipient's own units


def compile_base(workbook: bytes, apart: Collection[str] = ()) -> Base:
    """Repair the package once and set apart the parts that hold slots, and those that are named besides."""
    frozen: list[Zipped] = []
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(workbook)) as source:
        stamp = _stamp_part(source)
        for name in source.namelist():
            data = _repaired(name, source.read(name))
            if SLOT.search(data) or name in ("xl/workbook.xml", *apart):
                parts[name] = data
            else:
                frozen.append(zipped(name, data, SMALLEST))
    return Base(frozen, parts, stamp)


def _stamp_part(source: zipfile.ZipFile) -> str:
    names = re.findall(rb'<sheet [^>]*name="([^"]+)"', source.read("xl/workbook.xml"))
    return f"xl/worksheets/sheet{names.index(STAMP_SHEET.encode()) + 1}.xml"


def _repaired(name: str, data: bytes) -> bytes:
    """What other programs stumble on: absolute targets, a namespace per property, the time of day."""
    if name.endswith(".rels"):
        relative = b"" if name.startswith("xl/_rels") else b"../"
        return data.replace(b'Target="/xl/', b'Target="' + relative)
    if name == "docProps/custom.xml":
        return data.replace(CUSTOM_VT, b"").replace(b"<Properties ", b"<Properties" + CUSTOM_VT + b" ", 1)
    if name == "docProps/core.xml":
        return STAMPED_AT.sub(b"", data)
    return data


def stamp_workbook(base: Base, values: Mapping[str, str], units: list[tuple[str, ...]]) -> bytes:
    """One recipient's workbook.

    `values` maps slot names to what stands there; a slot without a value becomes an empty
    cell. `units` are the recipient's own units in the order of UNIT_COLUMNS.
    """
    return with_parts(base, stamped_parts(base, values, units))


def stamped_parts(
    base: Base, values: Mapping[str, str], units: list[tuple[str, ...]], less: Collection[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """The parts of one recipient's workbook that differ from the base, by name; `less` are left out."""
    for name, data in base.parts.items():
        if name in less:
            continue
        content = filled(data, values)
        if name == base.stamp_part:
            content = _with_units(content, units)
        elif name == "xl/workbook.xml":
            content = LAST_UNIT_ROW.sub(b"%d" % max(FIRST_UNIT, FIRST_UNIT + len(units) - 1), content)
        yield name, _without_idle_rows(content, HELP_ROW + len(units) + SPARE_ROWS)


def with_parts(base: Base, parts: Iterable[tuple[str, bytes]]) -> bytes:
    """The base with its parts that change."""
    return zip_file([*base.frozen, *(zipped(name, content) for name, content in parts)])


def filled(data: bytes, values: Mapping[str, str]) -> bytes:
    """Fill every slot in one pass, so that a value that looks like a slot stays as it is."""

    def fill(match: re.Match[bytes]) -> bytes:
        if match["text"]:
            return xml_text(values.get(match["text"].decode(), ""))
        return text_cell(match["ref"], match["style"] or b"", values.get(match["cell"].decode(), ""))

    return SLOT.sub(fill, data)


def text_cell(ref: bytes, style: bytes, value: str) -> bytes:
    """A text in the cell itself, where what looks like a formula stays text.

    Apache POI leaves an inline string beside what is written over it, so only a text that needs
    escaping is one: LibreOffice does not read that in the other form.
    """
    if not value:
        return b'<c r="%s"%s/>' % (ref, style)
    text = xml_text(cell_text(value))
    if cell_text(value) == value == value.strip():
        return b'<c r="%s"%s t="str"><v>%s</v></c>' % (ref, style, text)
    return b'<c r="%s"%s t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>' % (ref, style, text)


def cell_text(value: str) -> str:
    """A text as a cell stores it: what looks like an escaped character is told from one."""
    return ESCAPE_LIKE.sub("_x005F_", value)


def xml_text(value: str) -> bytes:
    """A text as it stands between XML tags, less the characters that XML cannot hold."""
    return escape(ILLEGAL.sub("", value)).encode()


def _with_units(data: bytes, units: list[tuple[str, ...]]) -> bytes:
    def rows(found: re.Match[bytes]) -> bytes:
        return b"".join(_unit_row(number, unit, found[1]) for number, unit in enumerate(units, FIRST_UNIT)) or found[0]

    return UNIT_ROW.sub(rows, data)


def _without_idle_rows(data: bytes, last: int) -> bytes:
    """Leave out the formulas of rows further down than a recipient will ever pick a unit in."""
    return FILLED_ROW.sub(lambda found: found[0] if int(found[1]) <= last else b"", data)


def _unit_row(number: int, texts: tuple[str, ...], style: bytes) -> bytes:
    cells = b"".join(
        text_cell(f"{letter}{number}".encode(), style, text) for letter, text in zip("BCDEF", texts, strict=True)
    )
    return b'<row r="%d">%s</row>' % (number, cells)


# the values of one recipient


def slot_values(form: Form, recipient: Recipient, stamp: Stamp, key: bytes) -> dict[str, str]:
    """What one recipient's slots hold: the stamp in all its places, and the prefilled answers.

    What owners cannot change stands once more beside the stamp, signed with the round's key, so
    that intake can tell an answer from a locked cell that was changed.
    """
    language = recipient.language
    values = {
        "code": stamp.code,
        "code_mark": CODE_MARK + stamp.code,
        "recipient.name": recipient.name,
        "recipient.grants": _grants(recipient),
        "stamp.form": form.name,
        "stamp.version": form.version,
        "stamp.report": stamp.report,
        "stamp.recipient": recipient.orgnr,
        "stamp.language": language,
        "stamp.code": stamp.code,
    }
    for sheet, question in form.questions():
        if question.prefill:
            values[f"{sheet}.{question.key}"] = _shown(
                form, question, prefilled(question, recipient, stamp.report), language
            )
    names = [f"{sheet}.{question.key}" for sheet, question in form.questions() if question.prefill and question.locked]
    locked = json.dumps({name: values[name] for name in names}, ensure_ascii=False)
    return values | {"stamp.locked": locked, "stamp.signature": sign_locked(stamp, locked, key)}


def _grants(recipient: Recipient) -> str:
    """The recipient's earlier grants, a line each; nothing when we know of none."""
    texts, language = workbook_texts(), recipient.language
    lines = [texts.say("earlier_grants", language)] if recipient.grants else []
    for grant in recipient.grants:
        line = texts.say("earlier_grant", language, title=grant.title, year=grant.year, reference=grant.reference)
        amount = f"{grant.amount:,}".replace(",", NBSP) if grant.amount is not None else ""
        lines.append(line + (texts.say("earlier_amount", language, amount=amount) if amount else ""))
    return "\n".join(lines)


def prefilled(question: Question, recipient: Recipient, report: str) -> str:
    """What a prefilled question holds when the workbook is sent; a code for a choice."""
    source, _, field = (question.prefill or "").partition(".")
    if source == "report":
        return report
    return str(getattr(recipient, field)) if source == "recipient" else ""


def _shown(form: Form, question: Question, value: str, language: str) -> str:
    label = form.question_options(question).get(value)
    return label[language] if label else value


def unit_rows(form: Form, recipient: Recipient) -> list[tuple[str, ...]]:
    """The recipient's units as they stand in `_egne`: choices in words, the owner's number filled in."""
    fills = {
        question.fill.value: question
        for _, question in form.questions()
        if question.fill and question.fill.list == UNITS
    }
    rows = []
    for unit in recipient.units:
        known = {"name": unit.name, "orgnr": unit.orgnr, "type": unit.type, "kommunenr": unit.kommunenr}
        known["owner"] = unit.owner or recipient.orgnr
        shown = (
            _shown(form, fills[column], known[column], recipient.language) if column in fills else known[column]
            for column in UNIT_COLUMNS
        )
        rows.append(tuple(shown))
    return rows
