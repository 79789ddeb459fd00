"""What the dashboard counts by: the part a question or an expression of a form plays in its pictures."""

from pydantic import BaseModel


class YearAmount(BaseModel, extra="forbid", frozen=True, defer_build=True):
    """What a report asks for in one year: an expression in the rule language that gives an amount."""

    year: int
    value: str


class Dashboard(BaseModel, extra="forbid", frozen=True, defer_build=True):
    """The questions and amounts that the dashboard counts by, each left out where the form has none."""

    region: str | None = None  # sheet.question whose answer says where a report belongs
    scheme: str | None = None  # sheet.question whose answer says under which scheme it comes
    amounts: tuple[YearAmount, ...] = ()
