"""A batch of any size: how much memory the program holds while it takes files in.

`python -m bench.many FOLDER [COUNT]` makes COUNT filled workbooks, each of another owner, in FOLDER (kept for the
next run), takes them in, and prints the memory of the process that merges them after every thousand. The
workbooks are filled in alike: what is told here is memory, not time.
"""

import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

# What is heavy is loaded where it is used: each worker process that ingest starts loads this file first.
if TYPE_CHECKING:
    from templates.recipients import Recipient
    from templates.round import Round

FORM = "behovsmelding-2024"
FIRST = 99_100_000  # eight digits that no real organisation number begins with


def owners(how_many: int) -> "Iterator[Recipient]":
    from templates.orgnr import check_digit  # noqa: PLC0415
    from templates.recipients import Recipient  # noqa: PLC0415

    made = 0
    for number in count(FIRST):
        digit = check_digit(str(number))
        if digit is not None and made < how_many:
            made += 1
            yield Recipient(f"{number}{digit}", f"Eier {made}", "KOMMUNE", f"post@eier{made}.example", "nb", "3203")
        elif made == how_many:
            return


def make_round(folder: Path, how_many: int) -> "Round":
    """A round whose inbox holds so many workbooks: filled in once, and stamped for each owner."""
    from templates.fill import fill_workbook  # noqa: PLC0415
    from templates.prefill import compile_base, slot_values, stamp_workbook, unit_rows  # noqa: PLC0415
    from templates.round import Round, new_round  # noqa: PLC0415
    from templates.stamp import make_stamp, report_id  # noqa: PLC0415
    from templates.workbook import build_base  # noqa: PLC0415
    from tests.desk import Desk  # noqa: PLC0415

    if not folder.exists():
        new_round(folder, FORM)
    round_ = Round(folder)
    if len(list(round_.inbox.glob("*.xlsx"))) == how_many:
        return round_
    desk = Desk.of(FORM)
    sample = next(one for one in desk.samples.clean.values() if "KOMMUNE" in one.types)
    every = list(owners(how_many))
    rows = [f"{one.orgnr};{one.name};{one.type};{one.kommunenr};{one.email};nb" for one in every]
    header = "orgnr;name;type;kommunenr;email;language"
    (folder / "recipients.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    answers = {
        sheet: {key: value for key, value in given.items() if not desk.form.sheets[sheet].questions[key].prefill}
        if isinstance(given, dict) and sheet == desk.form.main_sheet
        else given
        for sheet, given in desk.answers(sample, every[0]).items()
    }
    blank = build_base(desk.form, "nb", round_.settings.office)
    base = compile_base(fill_workbook(blank, desk.form, "nb", answers))
    for number, owner in enumerate(every, 1):
        stamp = make_stamp(desk.form, report_id(desk.form, number, 1), owner.orgnr, round_.key)
        values = slot_values(desk.form, owner, stamp, round_.key)
        (round_.inbox / f"{owner.orgnr}.xlsx").write_bytes(stamp_workbook(base, values, unit_rows(desk.form, owner)))
    return Round(folder)


def held() -> int:
    """Megabytes that this process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() >> 20


@contextmanager
def watched(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Tell the memory each time files have been merged."""
    done = 0

    def step(files: int) -> None:
        nonlocal done
        done += files
        if label == "Checking":
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            sys.stdout.write(f"{done:>7} of {total} files: {held()} MB now, {most} MB at most\n")
            sys.stdout.flush()

    yield step


def main() -> None:
    folder, how_many = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000  # noqa: PLR2004
    round_ = make_round(folder, how_many)
    from outputs.ingest import ingest  # noqa: PLC0415

    for name in ("register.db", "archive"):
        kept = round_.folder / name
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink(missing_ok=True)
    in_time = round_.form.deadline - timedelta(days=3)
    told = ingest(round_, [round_.inbox], datetime.now(round_.form.zone), watched, workers=2, stated=in_time)
    counts = {outcome: sum(one.outcome == outcome for one in told) for outcome in {one.outcome for one in told}}
    sys.stdout.write(f"{len(told)} files: {counts}\n")


if __name__ == "__main__":
    main()
