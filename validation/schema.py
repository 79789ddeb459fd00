"""Form -> pandera schemas; failures -> (check, row). The only file that knows pandera.

One validation for each sheet and the whole batch. Cells are typed before they come here, so
pandera never coerces. Every check carries its own number in `error`, and a failure is told by
that number and the row's position, never by pandera's text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

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

    column: str = ""
    failing: pl.Expr | None = None
    limit: str | None = None
    question: Question | None = None


def failures(frame: pl.DataFrame, checks: Sequence[Check]) -> Iterator[tuple[int, int]]:
    """Validate one frame: the number of each failed check, with the position of the row, in order."""
    if not checks or frame.is_empty():
        return
    held = _held(frame, checks)
    made = [(check.column, _pandera_check(check, str(number), held)) for number, check in enumerate(checks)]
    limits = {name: [check for column, check in made if column == name] for name, _ in made if name}
    columns = {
        name: pa.Column(frame.schema[name], checks=own, nullable=True, required=True) for name, own in limits.items()
    }
    schema = pa.DataFrameSchema(columns, checks=[check for column, check in made if not column])
    try:
        # fixed here, because environment variables would otherwise change the verdict
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame.select(ROW, *columns), lazy=True)
    except SchemaErrors as errors:
        yield from sorted(_told(errors.failure_cases, len(checks)))


def _held(frame: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Where each check holds, by its number: worked out for all of them in one go, as they share what they look at."""
    conditions = {str(number): check.failing for number, check in enumerate(checks) if check.failing is not None}
    holds = [(~failing.fill_null(value=False)).alias(number) for number, failing in conditions.items()]
    return frame.lazy().select(ROW, *holds).collect()


def _pandera_check(check: Check, number: str, held: pl.DataFrame) -> pa.Check:
    question = check.question
    if check.failing is not None:
        return pa.Check(partial(_judge, held[number]), error=number)
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


def _judge(holds: pl.Series, _data: PolarsData) -> bool | pl.LazyFrame:
    """What pandera asks of a check; where all is well it needs no rows."""
    return holds.all() or pl.LazyFrame({ROW: holds})


def _told(cases: pl.DataFrame, count: int) -> Iterator[tuple[int, int]]:
    for check, index in cases.select("check", "index").iter_rows():
        if index is None or not str(check).isdigit() or int(check) >= count:
            raise RuntimeError(f"a check could not be run: {check}")  # our own bug, told as such by the batch
        yield int(check), int(index)
