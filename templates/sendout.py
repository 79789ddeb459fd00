"""Making the round's workbooks: one for each recipient and copy, into `sent/`."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace

from templates.form import Form
from templates.prefill import Base, compile_base, slot_values, stamp_workbook, unit_rows
from templates.recipients import Recipient
from templates.round import Round, Sent
from templates.stamp import Stamp, make_stamp, report_id
from templates.workbook import build_base

NAME_LENGTH = 40  # characters of the recipient's name in a file name


def plan(round_: Round, recipients: Iterable[Recipient], copies: int | None = None) -> list[Sent]:
    """Every workbook of the round, sent before or new; nobody ever changes number."""
    ledger = round_.sent()
    numbers = {line.orgnr: line.number for line in ledger.values()}
    unused = max(numbers.values(), default=0) + 1
    for recipient in recipients:
        if recipient.orgnr not in numbers:
            numbers[recipient.orgnr] = unused
            unused += 1
        for copy in range(1, (copies or recipient.copies) + 1):
            report = report_id(round_.form, numbers[recipient.orgnr], copy)
            if report not in ledger:
                file = f"{recipient.orgnr}-{slug(recipient.name)}-{report}.xlsx"
                ledger[report] = Sent(report, recipient.orgnr, numbers[recipient.orgnr], copy, recipient.language, file)
    return list(ledger.values())


def send_out(round_: Round, lines: list[Sent], told: Callable[[], None] = lambda: None) -> list[Sent]:
    """Write the workbooks of these lines and the ledger. `told` is called after each.

    The same recipients give the same bytes. Returns the lines written; a line whose recipient
    is no longer in the recipients file keeps its workbook as it was.
    """
    stamp_key = round_.key  # made before anything is sent with it
    round_.write_sent(lines)  # first, so that a number once given is never given again
    bases: dict[str, Base] = {}
    written = []
    for line in lines:
        recipient = round_.recipients.get(line.orgnr)
        if recipient is None:
            continue
        if line.language not in bases:
            bases[line.language] = compile_base(build_base(round_.form, line.language, round_.settings.office))
        recipient = replace(recipient, language=line.language)
        stamp = make_stamp(round_.form, line.report, line.orgnr, stamp_key)
        data = _one(round_.form, bases[line.language], recipient, stamp, stamp_key)
        temporary = (round_.sent_folder / line.file).with_suffix(".tmp")
        temporary.write_bytes(data)
        temporary.replace(round_.sent_folder / line.file)  # a workbook is there whole, or as it was
        written.append(line)
        told()
    return written


def _one(form: Form, base: Base, recipient: Recipient, stamp: Stamp, key: bytes) -> bytes:
    return stamp_workbook(base, slot_values(form, recipient, stamp, key), unit_rows(form, recipient))


def slug(name: str) -> str:
    """A name in lower-case ASCII letters and hyphens, for file names and addresses."""
    plain = name.casefold().translate({ord("æ"): "ae", ord("ø"): "o", ord("å"): "a"})
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:NAME_LENGTH].strip("-")
