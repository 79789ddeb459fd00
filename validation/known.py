"""What the office knows beyond the workbooks: whom it has let off which rule."""

from dataclasses import dataclass

from templates.waivers import Waiver


@dataclass(frozen=True)
class Known:
    """What the office knows when it judges."""

    waivers: tuple[Waiver, ...] = ()


NOTHING = Known()
