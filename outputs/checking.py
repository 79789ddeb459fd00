"""One file judged by itself, and what is known when files are taken in: without the register, so it starts fast."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from intake.collected import read_received
from intake.receive import Office, receive
from intake.sources import Inlet, SourceError, find_returns
from outputs.imports.known_files import grants_of, registers_of
from templates.form import Form
from templates.round import Round
from validation.check import judge
from validation.known import NOTHING, Known
from validation.verdict import Verdict


def inlet_of(owner: Round | Form, unpacked: Path, stated: datetime | None = None) -> Inlet:
    """What is known of where files come from; of a form alone, the time zone."""
    if isinstance(owner, Round):
        collected = read_received(owner.collected)
        return Inlet(owner.form.zone, unpacked, owner.settings.office.email, collected, stated)
    return Inlet(owner.zone, unpacked, stated=stated)


def office_of(owner: Round | Form) -> Office:
    """What a round knows when it takes files in; of a form alone, neither a key nor recipients."""
    if isinstance(owner, Round):
        return Office(owner.form, owner.key, owner.recipients)
    return Office(owner, None, {})


def known_of(round_: Round) -> Known:
    """What a round knows beyond the workbooks. Raises WaiversError."""
    registers, missing = registers_of(round_, round_.form)
    return Known(round_.waivers, registers | grants_of(round_), missing)


def check_file(owner: Round | Form, path: Path) -> list[Verdict]:
    """Judge one file, or each of those that lie in a mail or a zip file; store nothing. Raises SourceError."""
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one file")
    form, known = (owner.form, known_of(owner)) if isinstance(owner, Round) else (owner, NOTHING)
    office = office_of(owner)
    with TemporaryDirectory(prefix="behov-") as unpacked:
        received = [receive(source, office) for source in find_returns([path], inlet_of(owner, Path(unpacked)))]
    return judge(received, form, known)
