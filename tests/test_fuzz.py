"""Whatever is changed in a good workbook, it is read right or named for what it is.

What is right is judged by another reader: lxml on the parts themselves.
"""

from datetime import datetime, time
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from intake.exact import Flaw
from intake.guard import inspect
from intake.package import Package
from intake.reader import UnreadableWorkbookError, Workbook, read_workbook
from intake.receive import receive_here
from intake.submission import Refused, Return, Submission
from templates.texts import load_texts
from tests.conftest import Office
from tests.hostile import DESK, good, packed, parts
from tests.test_hostile import answers

TEXTS = load_texts(Path(__file__).parent.parent / "intake" / "texts.toml")
BOUNDED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
READ = [f"xl/worksheets/sheet{number}.xml" for number in range(1, 9)]
PARTS = [*READ, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"]
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

Values = dict[str, object]


def received(folder: Path, content: bytes) -> Submission | Refused:
    path = folder / "svar.xlsx"
    path.write_bytes(content)
    found = receive_here(Return(path, "0" * 64, DESK.in_time), DESK.office)
    assert isinstance(found, Submission) or found.reason in TEXTS.entries
    assert not isinstance(found, Refused) or found.outcome != "failed"
    return found


def values(found: Submission) -> Values:
    return {place: answer.value for place, answer in answers(found).items()}


@cache
def before() -> Values:
    found = receive_here(Return(saved(), "0" * 64, DESK.in_time), DESK.office)
    assert isinstance(found, Submission)
    return values(found)


@cache
def saved() -> Path:
    import tempfile  # noqa: PLC0415 - a fixture cannot be cached for given()

    path = Path(tempfile.mkdtemp()) / "svar.xlsx"
    path.write_bytes(good())
    return path


FLIPS = st.lists(st.tuples(st.floats(0, 0.999999), st.integers(1, 255)), min_size=1, max_size=6)


@BOUNDED
@given(flips=FLIPS)
def test_bytes_that_changed_on_the_way_never_change_an_answer(tmp_path: Path, flips: list[tuple[float, int]]) -> None:
    data = bytearray(good())
    for place, bits in flips:
        data[int(place * len(data))] ^= bits

    found = received(tmp_path, bytes(data))

    assert isinstance(found, Refused) or values(found) == before()


@BOUNDED
@given(start=st.floats(0, 0.999999), length=st.integers(1, 5000), put=st.binary(max_size=50))
def test_a_piece_lost_or_put_in_never_changes_an_answer(tmp_path: Path, start: float, length: int, put: bytes) -> None:
    place = int(start * len(good()))

    found = received(tmp_path, good()[:place] + put + good()[place + length :])

    assert isinstance(found, Refused) or values(found) == before()


# XML


TOKENS = [
    b"<!-- x -->", b"<![CDATA[7]]>", b"<?x y?>", b"&#49;", b"&amp;", b"&x;", b"\n", b" ", b"\0", b"<v>7</v>", b"<c/>",
    b'<c r="C7"><v>7</v></c>', b'<c r="C34" t="str"><v>x</v></c>', b"<f>1+1</f>", b"<v/>", b"<is><t>x</t></is>",
    b"<row>", b"</row>",
    b'<row r="7">', b"</c>", b"<sheetData/>", b' t="s"', b' t="e"', b' t="b"', b' t="str"', b' t="d"',
    b' r="C8"', b' r="XFD9"', b' s="9"', b"'", b'"', b"<", b">", b"1e999", b"-", b"_x0000_", "\u0661".encode(), b"\xff",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.sampled_from(PARTS), st.floats(0, 0.999999), st.integers(0, 12), st.sampled_from(TOKENS)),
    min_size=1, max_size=3,
)  # fmt: skip
STOPS = (b"<", b">", b'"', b"</v>", b"<v>", b"<c ", b"<is>", b"</t>")


def changed(edits: list[tuple[str, float, int, bytes]], random: Random) -> dict[str, bytes]:
    """The parts with something put in, or in the place of something, mostly where elements meet."""
    contents = dict(parts())
    for part, where, length, token in edits:
        xml = contents[part]
        place = int(where * len(xml))
        stop = random.choice([*STOPS, b""])
        at = xml.find(stop, place) if stop else place
        place = place if at < 0 else at + random.choice([0, len(stop)])
        contents[part] = xml[:place] + token + xml[place + random.choice([0, 0, length]) :]
    return contents


@BOUNDED
@given(edits=EDITS, random=st.randoms(use_true_random=False))
@example(edits=[("xl/worksheets/sheet6.xml", 0.5, 0, b"<!-- x -->")], random=Random(1))  # noqa: S311
def test_xml_that_was_meddled_with_is_read_as_another_reader_would(
    tmp_path: Path, edits: list[tuple[str, float, int, bytes]], random: Random
) -> None:
    content = packed(changed(edits, random))

    found = received(tmp_path, content)

    if isinstance(found, Submission):
        assert disagreements(content) == []


def disagreements(content: bytes) -> list[tuple[str, str, object, object]]:
    """Where our reading of a workbook is not what stands in its XML."""
    assert inspect(content, "svar.xlsx") is None
    ours = read_workbook(Package(content))
    package = Package(content)
    sheets = {sheet.name: parsed(package.read(sheet.part)) for sheet in package.answer_sheets()}
    return [
        (name, reference, mine, raw)
        for name, root in sheets.items()
        for reference, raw in raw_cells(root).items()
        if not agrees(mine := at(ours, name, reference), raw)
    ]


def parsed(xml: bytes) -> etree._Element:
    """A sheet, as far as it can be read where what is not read of it (formulas, what stands around) is no XML."""
    return etree.fromstring(xml, etree.XMLParser(recover=True, no_network=True, remove_comments=True, remove_pis=True))


Raw = tuple[str, str, bool]  # type, text, whether it has a formula


def raw_cells(root: etree._Element) -> dict[str, Raw]:
    """What each cell of a sheet holds, as written; the last of those that say the same place, joined with the first."""
    cells: dict[str, Raw] = {}
    for element in root.iterfind(f".//{SPACE}sheetData//{SPACE}c"):
        kind, has_formula = element.get("t", "n"), element.find(f"{SPACE}f") is not None
        inline = "".join(text.text or "" for text in element.iterfind(f"{SPACE}is//{SPACE}t"))
        text = inline or "".join(value.text or "" for value in element.iterfind(f"{SPACE}v"))
        reference = element.get("r")
        if reference is not None and (text or has_formula):
            other = cells.get(reference.upper(), (kind, text, has_formula))
            cells[reference.upper()] = (
                (kind, text, has_formula) if other[:2] == (kind, text) else ("twice", text, False)
            )
    return cells


def at(book: Workbook, name: str, reference: str) -> object:
    sheet = next(sheet for sheet in book.sheets if sheet.name == name)
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return sheet.at(int(reference[len(letters) :]) - 1, column - 1)


def agrees(mine: object, raw: Raw) -> bool:  # noqa: PLR0911 - one for each type
    """Whether a cell was read for what it is. A flaw never agrees by chance: it is told, and no answer is taken."""
    kind, text, has_formula = raw
    match mine:
        case Flaw():
            return True
        case bool():
            return kind == "b" and text.strip() in ("1", "0", "true", "false")
        case float() | int():
            return kind == "n" and float(text) == mine
        case datetime() | time():
            return kind in ("n", "d")
        case "":
            return not text.strip() and not (has_formula and kind == "n")
        case str():
            return kind in ("str", "inlineStr", "s") and " ".join(mine.split()) == " ".join(plain(text).split())
        case _:
            return kind in ("n", "d")


def plain(text: str) -> str:
    return text.replace("_x0000_", "\0").replace("_x005F_", "_")


def test_the_other_reader_agrees_on_the_good_file_and_on_what_libreoffice_made_of_it(
    soffice: Office, tmp_path: Path
) -> None:
    path = tmp_path / "svar.xlsx"
    path.write_bytes(good())
    (tmp_path / "lagret").mkdir()
    again = soffice.convert(path, "xlsx", tmp_path / "lagret").read_bytes()

    assert disagreements(good()) == []
    found = received(tmp_path, again)
    assert isinstance(found, Submission)
    assert values(found) == before()


def test_a_fuzzed_file_that_breaks_the_exact_reader_is_damaged() -> None:
    with pytest.raises(UnreadableWorkbookError):
        read_workbook(
            Package(packed({**parts(), READ[5]: parts()[READ[5]].replace(b"<sheetData>", b"<sheetData><", 1)}))
        )
