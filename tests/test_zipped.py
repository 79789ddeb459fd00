"""What we write is a plain zip file, and the same parts give the same bytes."""

import io
import zipfile

from templates.zipped import FAST, SMALLEST, zip_file, zipped

PARTS = {"[Content_Types].xml": b"<Types/>", "xl/worksheets/sheet1.xml": "<v>æøå</v>".encode() * 9999, "tom.xml": b""}


def made(level: int) -> bytes:
    return zip_file([zipped(name, data, level) for name, data in PARTS.items()])


def test_every_part_is_read_as_it_was() -> None:
    with zipfile.ZipFile(io.BytesIO(made(FAST))) as package:
        assert package.testzip() is None
        assert {name: package.read(name) for name in package.namelist()} == PARTS
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in package.infolist()} == {0o600}


def test_the_same_parts_give_the_same_bytes_on_every_level() -> None:
    assert made(FAST) == made(FAST)
    assert len(made(SMALLEST)) <= len(made(FAST))
