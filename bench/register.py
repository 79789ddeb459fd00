"""Merging a batch in the register against a plain executemany of the same rows, on SQLite and on PostgreSQL.

`python -m bench.register [REPORTS] [CHILDREN]` merges REPORTS reports with CHILDREN child rows each in one
transaction, and prints seconds (of CPU on SQLite, in all on a server) and ratios. The plain ways are given every
row that the merge wrote, in all tables, and write them to empty tables of the same shape, in one transaction too:
SQLAlchemy's executemany, and the driver's, which is given values as it takes them. They have nothing to work out;
ours has. The answers are prepared beforehand, as the processes that read files do it: what that takes is told on a
line of its own, and is no part of the merge. All take turns, and the best is told of each.
"""

import gc
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import Table, insert, select

from outputs.register.log import log
from outputs.register.prepared import Preparer
from outputs.register.register import Register
from templates.form import Form
from tests.databases import Places, Postgres, postgres_server, programs
from tests.made_returns import FORM, Made, day, make_form
from validation.verdict import Verdict

REPORTS, CHILDREN = 10_000, 10
ROUNDS = {False: 5, True: 1}  # on SQLite; on a server, where the plain ways take long
NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
Rows = list[tuple[Table, list[dict[str, Any]]]]


def batch(count: int, children: int) -> list[Verdict]:
    return [_report(number, children).verdict() for number in range(count)]


def _report(number: int, children: int) -> Made:
    boats: Any = tuple({"report": f"Båt {number} {at}", "motor": "SEIL", "lengde": 7.5 + at} for at in range(children))
    return Made(
        content=f"melding {number}",
        received=day(10) + timedelta(seconds=number),
        report=f"BAT-{number:05}-1",
        recipient=f"9{number:08}",
        questions={"navn": f"Båtlag {number} på Ås", "slag": "KLUBB", "sted": "3203", "andel": 0.4},
        table=boats,
        grid={"TOMT": 1000 + number, "BRYGGE": 1_250_000},
    )


def written(register: Register) -> Rows:
    """Every row of every table but the form's own labels, which stand there from the beginning."""
    tables = [*log.sorted_tables, *register.current.metadata.sorted_tables]
    tables.remove(register.current.label)
    with register.reading() as connection:
        every = [(table, connection.execute(select(table)).mappings().all()) for table in tables]
    return [(table, [dict(row) for row in rows]) for table, rows in every if rows]


def write_by_driver(register: Register, rows: Rows) -> Callable[[], None]:
    """Write the rows by the driver's own executemany, which is given them as it takes them."""
    dialect = register.engine.dialect
    mark = "?" if dialect.name == "sqlite" else "%s"
    ready = []
    for table, values in rows:
        sends = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
        each = list(zip([column.name for column in table.columns], sends, strict=True))
        names = ", ".join(f'"{name}"' for name, _ in each)
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([mark] * len(each))})"  # noqa: S608
        ready.append(
            (statement, [tuple(send(row[name]) if send else row[name] for name, send in each) for row in values])
        )

    def write() -> None:
        with register.writing() as connection:
            driver: Any = connection.connection.driver_connection
            for statement, values in ready:
                driver.cursor().executemany(statement, values)

    return write


def write_by_core(register: Register, rows: Rows) -> Callable[[], None]:
    """Write the rows by SQLAlchemy's executemany."""

    def write() -> None:
        with register.writing() as connection:
            for table, values in rows:
                connection.execute(insert(table), values)

    return write


def prepared(form: Form, verdicts: list[Verdict]) -> list[Verdict]:
    """The same verdicts with their answers ready for the register."""
    prepare = Preparer(form)
    return [replace(one, submission=one.submission and one.submission.prepared_by(prepare)) for one in verdicts]


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    gc.collect()
    start = clock()
    work()
    return clock() - start


def compare(folder: Path, server: Postgres | None, form: Form, verdicts: list[Verdict]) -> Iterator[str]:
    places, clock = Places(folder, server), perf_counter if server else process_time
    ways = ("merge", "merge again", "executemany of SQLAlchemy", "… of the driver")
    took: dict[str, list[float]] = {way: [] for way in ways}
    preparing: list[float] = []
    rows: Rows = []
    for number in range(ROUNDS[server is not None]):
        registers = [Register.open(places.place(f"{name}{number}"), form) for name in ("ours", "core", "driver")]
        ready: list[Verdict] = []
        preparing.append(seconds(lambda: ready.extend(prepared(form, verdicts)), clock))  # noqa: B023 - called at once
        merge = partial(registers[0].merge, ready, NOW)
        took["merge"].append(seconds(merge, clock))
        took["merge again"].append(seconds(merge, clock))
        took["executemany of SQLAlchemy"].append(seconds(write_by_core(registers[1], written(registers[0])), clock))
        rows = written(registers[0])  # anew, since a text keeps the bytes that a driver has made of it
        took["… of the driver"].append(seconds(write_by_driver(registers[2], rows), clock))
    best = {name: min(times) for name, times in took.items()}
    count = sum(len(values) for _, values in rows)
    yield f"{'PostgreSQL, in all' if server else 'SQLite, CPU'}: {len(verdicts)} reports, {count} rows in all tables"
    yield f"  {'preparing, before that':<26}{min(preparing):8.2f} s"
    for name, time in best.items():
        yield f"  {name:<26}{time:8.2f} s; merging takes {best['merge'] / time:5.2f} times as much"


@contextmanager
def servers() -> Iterator[list[Postgres | None]]:
    with postgres_server() if programs() else nullcontext() as server:
        yield [None, *([server] if server else [])]


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]]
    count, children = [*sizes, *(REPORTS, CHILDREN)[len(sizes) :]]
    verdicts = batch(count, children)
    with tempfile.TemporaryDirectory() as folder, servers() as every:
        form = make_form(Path(folder) / "form", FORM)
        for server in every:
            for line in compare(Path(folder), server, form, verdicts):
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
