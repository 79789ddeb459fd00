"""Form -> pandera schemas; failures -> (check, row). The only file that knows pandera.

One validation for each sheet and the whole batch. Cells are typed before they come here, so
pandera never coerces. Every check carries its own number in `error`, and a failure is told by
that number and the row's position, never by pandera's text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrors

from templates.form import Question
from validation.frames import ROW


@dataclass(frozen=True)
class Check:
    """One thing to hold in every row of a sheet.

    `failing` is true where it does not. A limit of the question itself (`limit`: min, max,
    min_length, max_length) is left to pandera's own checks on `column`.
    """

    column: str = ROW
    failing: pl.Expr | None = None
    limit: str | None = None
    question: Question | None = None


def failures(frame: pl.DataFrame, checks: Sequence[Check]) -> Iterator[tuple[int, int]]:
    """Validate one frame: the number of each failed check, with the position of the row."""
    if not checks or frame.is_empty():
        return
    by_column: dict[str, list[pa.Check]] = {}
    for number, check in enumerate(checks):
        by_column.setdefault(check.column, []).append(_pandera_check(check, str(number)))
    columns = {
        name: pa.Column(frame.schema[name], checks=found, nullable=True, required=True)
        for name, found in by_column.items()
    }
    schema = pa.DataFrameSchema(columns)
    try:
        # fixed here, because environment variables would otherwise change the verdict
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        yield from _told(errors.failure_cases, len(checks))


def _pandera_check(check: Check, number: str) -> pa.Check:
    question = check.question
    if check.failing is not None:
        holds = ~check.failing.fill_null(value=False)
        return pa.Check(lambda data: _judge(data, holds), error=number)
    assert question is not None
    match check.limit:
        case "min":
            return pa.Check.ge(question.min, error=number)
        case "max":
            return pa.Check.le(question.max, error=number)
        case "min_length":
            return pa.Check.str_length(min_value=question.min_length, error=number)
        case _:
            return pa.Check.str_length(max_value=question.max_length, error=number)


def _judge(data: PolarsData, holds: pl.Expr) -> pl.LazyFrame:
    return data.lazyframe.select(holds.alias(data.key or ROW))


def _told(cases: pl.DataFrame, count: int) -> Iterator[tuple[int, int]]:
    for check, index in cases.select("check", "index").iter_rows():
        if index is None or not str(check).isdigit() or int(check) >= count:
            raise RuntimeError(f"a check could not be run: {check}")  # our own bug, told as such by the batch
        yield int(check), int(index)
