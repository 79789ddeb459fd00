"""Where a register may lie in tests: files of SQLite, and schemas of a real PostgreSQL server that the tests start."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from outputs.register.places import Place
from templates.round import Server

USER, SECRET = "behov", "hemmelig"
ACCESS = f"local all {SECRET} scram-sha-256\nlocal all all trust\n"
FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses='' -c max_connections=40"
NUMBERS = count(1)


@dataclass
class Postgres:
    """A server of our own, in a folder that is gone afterwards. `SECRET` has a password, which is «SECRET» as well."""

    folder: Path

    def url(self, schema: str, user: str = USER) -> str:
        return f"postgresql://{user}@/postgres?host={self.folder}&schema={schema}"

    def execute(self, *statements: str) -> None:
        engine = create_engine(f"postgresql+psycopg://{USER}@/postgres?host={self.folder}", poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


def programs() -> Path | None:
    """Find the newest PostgreSQL that Debian has installed, or the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    anywhere = shutil.which("initdb")
    return found[-1].parent if found else Path(anywhere).parent if anywhere else None


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a server that listens on a socket in its own folder; as root, which it refuses, as somebody else."""
    binaries = programs()
    assert binaries
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))
    somebody: dict[str, Any] = {}
    if os.geteuid() == 0:
        entry = next(one for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody"))
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        somebody = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def run(program: str, *words: str) -> None:
        subprocess.run([binaries / program, *words], cwd=folder, stdout=subprocess.DEVNULL, check=True, **somebody)

    data, options = folder / "data", f"{FAST} -k {folder}"
    try:
        letters = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=nb"]
        run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", *letters, "-D", str(data))
        (data / "pg_hba.conf").write_text(ACCESS, encoding="ascii")
        run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            server = Postgres(folder)
            server.execute(f"CREATE ROLE {SECRET} LOGIN PASSWORD '{SECRET}'")
            yield server
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@dataclass
class Places:
    """Places for registers of one test, on one kind of database."""

    folder: Path
    server: Postgres | None = None
    schemas: dict[str, str] = field(default_factory=dict)

    def place(self, name: str = "register") -> Place:
        """Give the same place for the same name."""
        if self.server is None:
            return self.folder / f"{name}.db"
        return Server(self.server.url("x").rpartition("&schema=")[0], self._schema(name), "a round")

    def setting(self, name: str = "register") -> str:
        """What stands in round.toml of a round that has its register here."""
        return "" if self.server is None else f'register = "{self.server.url(self._schema(name))}"\n'

    def _schema(self, name: str) -> str:
        return self.schemas.setdefault(name, f"round_{next(NUMBERS)}")
