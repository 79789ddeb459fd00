"""One run of the batch: find, keep, read, judge, merge. The whole job on one screen."""

import gc
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from intake.batch import receive_all
from intake.sources import SourceError, find_returns
from intake.submission import Refused, Return
from outputs.checking import inlet_of, known_of, office_of
from outputs.progress import Progress
from outputs.register.archive import ArchiveError, archive, sweep
from outputs.register.log import DUPLICATE
from outputs.register.register import Register
from templates.round import Round
from validation.check import judge
from validation.verdict import Verdict

AT_ONCE = 1000  # files judged and merged together; a round has some hundreds

log = logging.getLogger(__name__)


@contextmanager
def without_what_is_loaded() -> Iterator[None]:
    """Spare the collector of garbage what is loaded by now, which stays: one look through it takes 0.2 seconds."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@without_what_is_loaded()
def ingest(  # noqa: PLR0913 - what staff can say of a run
    round_: Round,
    paths: Sequence[Path],
    now: datetime,
    progress: Progress,
    workers: int | Executor | None = None,
    *,
    dry: bool = False,
    stated: datetime | None = None,
    answers: bool = False,
) -> list[Verdict]:
    """Take returned files in and give the verdict on each, in order of name.

    `workers` is how many processes read files, or an executor that does; without it, one process for each core.
    A file that is known is not read again. Of more than AT_ONCE files so many at a time are merged, all of those or
    none, and forgotten: their verdicts come without answers, unless `answers` is set. With `dry` nothing is kept and
    nothing is merged. `stated` is when files that do not tell it themselves were received.
    Raises SourceError for a path that does not exist.
    """
    known_to_us = known_of(round_)
    with TemporaryDirectory(prefix="behov-") as unpacked:
        sources = find_returns(paths or [round_.inbox], inlet_of(round_, Path(unpacked), stated))
        register = Register.of(round_, known_to_us)
        office = replace(office_of(round_), prepare=register.current.prepare)
        sweep(round_)
        known = register.known({source.sha256 for source in sources})
        new = [source for source in sources if source.sha256 not in known]
        kept, lost = (new, {}) if dry else _keep(round_, new)
        portions = [sources] if dry else [sources[at : at + AT_ONCE] for at in range(0, len(sources), AT_ONCE)]
        told: list[Verdict] = []
        with (
            progress("Checking", len(new)) as checked,
            progress("Reading", len(kept)) as read,  # ends first, so that it stands first in the window
            closing(receive_all(kept, office, workers or os.cpu_count() or 1, read)) as received,
        ):

            def take_in(portion: list[Return]) -> list[Verdict]:
                items = [lost.get(one.path) or next(received) for one in portion if one.sha256 not in known]
                judged = {one.source.path: one for one in judge(items, round_.form, known_to_us.of_one)}
                verdicts = [judged.get(source.path) or Verdict(source, DUPLICATE) for source in portion]
                merged = register.merge(verdicts, now, keep=not dry)
                checked(len(items))
                return merged if answers or len(portions) == 1 else [one.without_answers() for one in merged]

            for portion in portions:
                told += take_in(portion)  # which holds a whole portion, and lets it go before the next is read
    ended = register.at_the_end(told) if len(portions) > 1 else told
    for verdict in () if dry else ended:
        log.info("%s  %s  %s", verdict.outcome, verdict.source.name, verdict.reason.get(round_.form.languages[0], ""))
    return ended


def stated_time(received: datetime | None, paths: Sequence[Path], now: datetime) -> datetime | None:
    """Give the local time that a person says these files were received its time zone. Raises SourceError."""
    if received is None:
        return None
    if not paths:
        raise SourceError("--received is about files that you name; write their paths after it")
    stated = received.replace(tzinfo=now.tzinfo)
    if stated > now:
        raise SourceError(f"--received {received:%Y-%m-%d %H:%M} has not been yet")
    return stated


def _keep(round_: Round, sources: Sequence[Return]) -> tuple[list[Return], dict[Path, Refused]]:
    """Archive the originals; a file that could not be kept as it is, is not read either: those come by their paths."""
    kept: list[Return] = []
    lost: dict[Path, Refused] = {}
    for source in sources:
        try:
            place = archive(round_, source).resolve()  # where workers of other machines find it too
        except (ArchiveError, OSError):
            log.exception("could not archive %s", source.path)
            lost[source.path] = Refused(source, "failed", "failed")
        else:
            kept.append(replace(source, unpacked=place))
    return kept, lost
