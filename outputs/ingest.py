"""One run of the batch: find, keep, read, judge, merge. The whole job on one screen."""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from intake.batch import Received, receive_all
from intake.receive import Office, receive
from intake.sources import SourceError, find_returns
from intake.submission import Refused, Return
from outputs.archive import ArchiveError, archive, sweep
from outputs.log import DUPLICATE
from outputs.register import Register
from templates.form import Form
from templates.round import Round
from validation.check import judge
from validation.known import NOTHING, Known
from validation.verdict import Verdict

log = logging.getLogger(__name__)

Step = Callable[[int], None]  # told how many more are done


class Progress(Protocol):
    """Shows how far long work has come."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Step]: ...


def ingest(
    round_: Round,
    paths: Sequence[Path],
    now: datetime,
    progress: Progress,
    workers: int | None = None,
    *,
    dry: bool = False,
) -> list[Verdict]:
    """Take returned files in and give the verdict on each, in order of name.

    A file that is known is not read again. With `dry` nothing is kept and nothing is merged.
    Raises SourceError for a path that does not exist.
    """
    known_to_us = known_of(round_)
    sources = find_returns(paths or [round_.inbox], round_.form.zone)
    register = Register.open(round_.register, round_.form, known_to_us)
    sweep(round_)
    known = register.known({source.sha256 for source in sources})
    new = [source for source in sources if source.sha256 not in known]
    kept, lost = (new, []) if dry else _keep(round_, new)
    received = _read(round_, kept, progress, workers or os.cpu_count() or 1)
    with progress("Checking", len(new)) as step:
        judged = {verdict.source.path: verdict for verdict in judge([*received, *lost], round_.form, known_to_us)}
        step(len(new))
    verdicts = [judged.get(source.path) or Verdict(source, DUPLICATE) for source in sources]
    return register.merge(verdicts, now, keep=not dry)


def office_of(owner: Round | Form) -> Office:
    """What a round knows when it takes files in; of a form alone, neither a key nor recipients."""
    if isinstance(owner, Round):
        return Office(owner.form, owner.key, owner.recipients)
    return Office(owner, None, {})


def known_of(round_: Round) -> Known:
    """What a round knows beyond the workbooks. Raises WaiversError."""
    return Known(round_.waivers)


def check_file(office: Office, path: Path, known: Known = NOTHING) -> Verdict:
    """Judge one workbook and store nothing. Raises SourceError."""
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one file")
    return judge([receive(find_returns([path], office.form.zone)[0], office)], office.form, known)[0]


def _keep(round_: Round, sources: Sequence[Return]) -> tuple[list[Return], list[Refused]]:
    """Archive the originals; a file that could not be kept as it is, is not read either."""
    kept: list[Return] = []
    lost: list[Refused] = []
    for source in sources:
        try:
            archive(round_, source)
        except (ArchiveError, OSError):
            log.exception("could not archive %s", source.path)
            lost.append(Refused(source, "failed", "failed"))
        else:
            kept.append(source)
    return kept, lost


def _read(round_: Round, sources: list[Return], progress: Progress, workers: int) -> list[Received]:
    with progress("Reading", len(sources)) as step:
        return list(receive_all(sources, office_of(round_), workers, step))
