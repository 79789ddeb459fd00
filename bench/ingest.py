"""Taking files in: ours, the usual way (openpyxl, pandas and pandera, file by file), and the floor.

`python -m bench.ingest FOLDER [COUNT]` makes COUNT distinct filled workbooks, re-saved by LibreOffice,
in FOLDER (kept for the next run), and prints CPU milliseconds for each workbook and the ratios.
Ours is the whole of `behov ingest`: inspect, keep, read, locate, type, validate, merge. The floor is
calamine reading every sheet and nothing else. The usual way is that of `bench/usual.py`, which reads every
sheet too; the frugal one is the same, told the names of the sheets that hold answers. All take turns over the
same files. The usual way needs pandas: `pip install --group bench`.
"""

import resource
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

# What is heavy is loaded where it is used: each worker process that ingest starts loads this file first.
if TYPE_CHECKING:
    from templates.form import Form
    from templates.round import Round

FORM = "behovsmelding-2024"
CHUNK = 150  # files of one turn; a round has more, so what a run costs once counts for more here than there
AT_ONCE = 50  # files LibreOffice is given at a time
COLUMNS = ("orgnr", "name", "type", "kommunenr", "email", "language")

Way = Callable[[Sequence[Path]], None]


def cpu() -> float:
    """Seconds of CPU, of this process and of those it has waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def make_corpus(folder: Path, count: int) -> "tuple[Round, list[Path]]":
    """A round with so many workbooks filled in and saved by LibreOffice; what is there already is kept."""
    from templates.fill import fill_workbook  # noqa: PLC0415
    from templates.round import Round, new_round  # noqa: PLC0415
    from templates.sendout import plan, send_out  # noqa: PLC0415
    from tests.conftest import office  # noqa: PLC0415
    from tests.desk import Desk  # noqa: PLC0415

    round_, filled, saved = folder / "round", folder / "filled", folder / "saved"
    made = sorted(saved.glob("*.xlsx")) if saved.exists() else []
    if len(made) >= count:
        return Round(round_), made[:count]
    shutil.rmtree(folder, ignore_errors=True)
    for path in (filled, saved):
        path.mkdir(parents=True)
    new_round(round_, FORM)
    desk = Desk.of(FORM)
    samples = cycle(desk.samples.clean.values())
    pairs = [(sample, desk.owner_for(sample)) for sample, _ in zip(samples, range(count), strict=False)]
    rows = [";".join(getattr(owner, column) for column in COLUMNS) for _, owner in pairs]
    (round_ / "recipients.csv").write_text("\n".join([";".join(COLUMNS), *rows]), encoding="utf-8")
    made_for = Round(round_)
    sent = {line.orgnr: line for line in send_out(made_for, plan(made_for, made_for.recipients.values()))}
    for sample, owner in pairs:
        workbook = (made_for.sent_folder / sent[owner.orgnr].file).read_bytes()
        answers = desk.answers(sample, owner)
        (filled / f"{owner.orgnr}.xlsx").write_bytes(fill_workbook(workbook, desk.form, owner.language, answers))
    paths = sorted(filled.glob("*.xlsx"))
    with tempfile.TemporaryDirectory() as profile:
        program = office(Path(profile))
        for at in range(0, count, AT_ONCE):
            program.convert_all(paths[at : at + AT_ONCE], "xlsx", saved)
    return Round(round_), sorted(saved.glob("*.xlsx"))


@contextmanager
def quiet(label: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG001 - shows nothing
    yield lambda _count: None


def by_us(round_: "Round") -> Way:
    from outputs.ingest import ingest  # noqa: PLC0415

    now = datetime.now(round_.form.zone)
    for name in ("register.db", "archive"):
        kept = round_.folder / name
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink(missing_ok=True)

    def take_in(paths: Sequence[Path]) -> None:
        for verdict in ingest(round_, paths, now, quiet, workers=1):
            assert verdict.outcome in {"accepted", "remarks", "needs_correction", "late"}, verdict

    return take_in


def the_usual_way(form: "Form", *, every_sheet: bool) -> Way:
    from bench.usual import UsualWay  # noqa: PLC0415

    def take_in(paths: Sequence[Path]) -> None:
        way = UsualWay(form, every_sheet=every_sheet)
        for path in paths:
            way.take_in(path)
        way.merge()

    return take_in


def the_floor(paths: Sequence[Path]) -> None:
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    for path in paths:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()


def in_turns(ways: dict[str, Way], paths: Sequence[Path]) -> dict[str, float]:
    """CPU seconds of each way for all files but the first, which all read before, so that nobody pays for imports."""
    seconds = dict.fromkeys(ways, 0.0)
    for way in ways.values():
        way(paths[:1])
    for at in range(1, len(paths), CHUNK):
        for name, way in ways.items():
            start = cpu()
            way(paths[at : at + CHUNK])
            seconds[name] += cpu() - start
    return seconds


def main() -> None:
    warnings.simplefilter("ignore")  # pandas has advice for its users
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 301  # noqa: PLR2004
    round_, paths = make_corpus(folder, count)
    ways = {
        "calamine": the_floor,
        "ours": by_us(round_),
        "usual": the_usual_way(round_.form, every_sheet=True),
        "frugal": the_usual_way(round_.form, every_sheet=False),
    }
    seconds = in_turns(ways, paths)
    lines = [f"{len(paths) - 1} workbooks of {paths[0].stat().st_size // 1000} kB, CPU for each:"]
    for name, used in seconds.items():
        each, floor = 1000 * used / (len(paths) - 1), used / seconds["calamine"]
        lines.append(f"{name:<9} {each:8.1f} ms  {floor:6.2f} of the floor  {used / seconds['ours']:6.1f} of ours")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
