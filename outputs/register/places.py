"""Where a register lies, and the database that goes with it."""

from pathlib import Path

from outputs.register.database import Database
from templates.round import File, Server

Place = Path | File | Server
"""A bare path is that of a register of whatever round."""


def database_at(place: Place) -> Database:
    """Find the database of a register. Raises RefusalError when what it needs is not installed."""
    if isinstance(place, Server):
        from outputs.register.postgres import PostgresSchema  # noqa: PLC0415 - an extra

        return PostgresSchema(place)
    from outputs.register.sqlite import SqliteFile  # noqa: PLC0415 - one of the two is needed, never both

    return SqliteFile(place.path, place.round) if isinstance(place, File) else SqliteFile(place)
