"""Form -> the base workbook in one language, with slots that each recipient's copy fills in."""

import io
from collections.abc import Callable

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.worksheet.worksheet import Worksheet

from templates import style
from templates.control import write_control
from templates.form import Form
from templates.layout import HELP_ROW, MARKER_ROW, RULES_SHEET, STAMP_ROWS, STAMP_SHEET, layout
from templates.lean import lean
from templates.lists import name_units, uses_units, write_lists
from templates.live.in_use import InUse
from templates.live.items import Live
from templates.live.live import make_live, write_rules
from templates.live.marks import name_findings
from templates.printing import limit_print, set_page
from templates.round import Office
from templates.sheets import Writer, slot, write_sheet
from templates.texts import workbook_texts

GUIDE_WIDTH = 86  # characters: a page of A4 in any font; LibreOffice cuts a single column that is wider
LOCALES = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}


def build_base(
    form: Form, language: str, office: Office, add: Callable[[Workbook, Live], None] = lambda _workbook, _live: None
) -> bytes:
    """The base workbook of a form in one language, as the bytes of an .xlsx file.

    `add` puts in what not every workbook has; it is given the workbook and its live checks.
    """
    workbook = Workbook()
    del workbook[workbook.active.title]  # type: ignore[union-attr]
    live = make_live(form, language)
    in_use = InUse(live)
    writer = Writer(workbook, form, language, workbook_texts(), live, in_use)
    _write_guide(writer, office)
    for place in layout(form).values():
        sheet = write_sheet(writer, place)
        rows = MARKER_ROW + 1 if not place.columns else HELP_ROW
        sheet.print_title_rows = f"{MARKER_ROW + 1}:{rows}"
    write_control(writer)
    note = writer.say("locked_sheet")
    rules = workbook.create_sheet(RULES_SHEET)
    for name in (*name_findings(live), *in_use.define()):
        workbook.defined_names[name.name] = name
    limit_print(writer)
    write_rules(rules, live, note, writer.say("more", antall="{antall}"))
    write_lists(workbook, form, language, live.plan.records, live.plan.columns, note)
    _write_stamp(writer, note)
    add(workbook, live)
    for sheet in workbook.worksheets:
        _protect(sheet)
        if sheet.sheet_state == "visible":
            set_page(writer, sheet)
    _set_properties(writer, office)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return lean(buffer.getvalue())


def _write_guide(writer: Writer, office: Office) -> None:
    form, language = writer.form, writer.language
    sheet = writer.workbook.create_sheet(writer.say("tab_guide"))
    sheet.column_dimensions["A"].hidden = True
    sheet.column_dimensions["B"].width = GUIDE_WIDTH
    sheet["B1"] = form.file.title[language]
    style.TITLE.dress(sheet["B1"])
    sheet.row_dimensions[1].height = 34
    deadline = _deadline(form)
    facts = (
        f"{writer.say('recipient')}: {slot('recipient.name')}",
        f"{writer.say('deadline')}: {deadline}",
        f"{writer.say('sender')}: {office.name}",
    )
    row = 2
    for fact in facts:
        sheet[f"B{row}"] = fact
        style.BANNER.dress(sheet[f"B{row}"])
        sheet.row_dimensions[row].height = 20
        row += 1
    sheet[f"B{row}"] = slot("recipient.grants")
    style.BODY.dress(sheet[f"B{row}"])  # of no set height: a spreadsheet makes it as high as the text
    places = {"deadline": deadline, "office": office.name, "email": office.email, "phone": office.phone}
    for section in form.file.guide:
        row = _write_guide_section(sheet, row + 1, section.heading[language], section.text[language].format(**places))
    later = dict.fromkeys(rule.later[language] for rule in writer.live.later if rule.later)
    if later:
        said = "\n".join((writer.say("later_intro"), *(f"– {text}" for text in later)))
        _write_guide_section(sheet, row + 1, writer.say("later"), said)


def _write_guide_section(sheet: Worksheet, row: int, heading: str, text: str) -> int:
    sheet[f"B{row}"] = heading
    style.GUIDE_HEAD.dress(sheet[f"B{row}"])
    sheet.row_dimensions[row].height = 26
    for paragraph in filter(None, (part.strip() for part in text.split("\n"))):
        row += 1
        cell = sheet[f"B{row}"]
        cell.value = paragraph
        style.BODY.dress(cell)
        sheet.row_dimensions[row].height = 17 * (1 + len(paragraph) // (GUIDE_WIDTH + 6)) + 3
    return row + 1


def _deadline(form: Form) -> str:
    when = form.deadline
    return f"{when.day}.{when.month}.{when.year} kl. {when:%H.%M}"


def _write_stamp(writer: Writer, note: str) -> None:
    """Write what is the recipient's own: the stamp, and under it the list of units."""
    sheet = writer.workbook.create_sheet(STAMP_SHEET)
    sheet.sheet_state = "veryHidden"
    sheet["A1"] = note
    for row, key in enumerate(STAMP_ROWS, 2):
        sheet[f"A{row}"] = key
        sheet[f"B{row}"] = slot(f"stamp.{key}")
    if uses_units(writer.form):
        name_units(writer.workbook, sheet)


def _protect(sheet: Worksheet) -> None:
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False  # False allows it: owners may widen a column
    sheet.protection.formatRows = False


def _set_properties(writer: Writer, office: Office) -> None:
    properties = writer.workbook.properties
    properties.title = f"{writer.form.file.title[writer.language]} – {slot('recipient.name')}"
    properties.subject = slot("code")
    properties.keywords = slot("code")
    properties.creator = office.name
    properties.language = LOCALES.get(writer.language, writer.language)
    code = StringProperty(name="skjemakode", value=slot("code"))
    writer.workbook.custom_doc_props.append(code)  # type: ignore[attr-defined]  # the stubs lack it
