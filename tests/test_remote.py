"""Files that lie at a URL are taken in like those in a folder, and stay where they are."""

import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import fsspec
import pytest

from intake.remote import is_remote
from intake.sources import SourceError, find_returns
from intake.submission import Return
from tests.mails import OWNER, mail
from tests.test_sources import BOOK, OTHER, inlet


@pytest.fixture
def cloud() -> Iterator[Any]:
    """A store of files that every process of a machine has for itself."""
    system = fsspec.filesystem("memory")
    system.pipe({"/inbox/svar.xlsx": BOOK, "/inbox/uke 5/brev.eml": bytes(mail(("a.xlsx", OTHER))), "/annet/x": BOOK})
    yield system
    system.rm("/", recursive=True)


def found(folder: Path, url: str) -> list[Return]:
    return find_returns([Path(url)], inlet(folder))


def test_every_file_at_a_url_is_found_and_known_by_where_it_lies(cloud: Any, tmp_path: Path) -> None:  # noqa: ANN401
    book, letter = found(tmp_path, "memory://inbox")

    assert [one.path.as_posix() for one in (book, letter)] == [
        "memory:/inbox/svar.xlsx",
        "memory:/inbox/uke 5/brev.eml/a.xlsx",
    ]
    assert (book.file.read_bytes(), letter.file.read_bytes(), letter.sender) == (BOOK, OTHER, OWNER)
    assert (book.received.astimezone(UTC), book.clock) == (
        cloud.modified("/inbox/svar.xlsx").replace(microsecond=0),
        "file",
    )
    assert cloud.find("/inbox") == ["/inbox/svar.xlsx", "/inbox/uke 5/brev.eml"]


def test_the_url_may_be_that_of_one_file(cloud: Any, tmp_path: Path) -> None:  # noqa: ANN401
    del cloud

    assert [one.path.as_posix() for one in found(tmp_path, "memory://inbox/svar.xlsx")] == ["memory:/inbox/svar.xlsx"]


@pytest.mark.parametrize("url", ["memory://tomt", "nosuch://inbox"])
def test_where_nothing_can_be_fetched_it_is_said_with_the_url(cloud: Any, url: str, tmp_path: Path) -> None:  # noqa: ANN401
    del cloud

    with pytest.raises(SourceError, match=str(Path(url))):
        found(tmp_path, url)


def test_without_the_package_it_is_said_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)

    with pytest.raises(SourceError, match="pip install fsspec"):
        found(tmp_path, "memory://inbox")


def test_a_drive_and_an_ordinary_path_are_no_url() -> None:
    paths = ["C:/Users/inbox", "inbox/a:b", "svar: 2.xlsx", "/inbox", "inbox"]

    assert [path for path in paths if is_remote(Path(path))] == []
