"""Mails and zip files as owners' programs make them, and saved where staff save them."""

import io
import os
import zipfile
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
OWNER, OFFICE = "kari@asker.example", "postmottak@kontoret.example"


def mail(
    *files: tuple[str, bytes],
    received: datetime | None = None,
    sender: str = f"Kari Prøve <{OWNER}>",
    subject: str = "Behovsmelding",
    message_id: str = "<1@asker.example>",
) -> EmailMessage:
    """A mail with these attachments; `received` is what our server put on top of it."""
    message = EmailMessage(policy=SMTP)
    if received is not None:
        stamp = format_datetime(received)
        message["Received"] = f"from mx.asker.example by mx.kontoret.example with ESMTPS id 7; {stamp} (CET)"
        message["Received"] = "from pc by mx.asker.example with ESMTP id 1; Mon, 1 Jan 2024 08:00:00 +0100"
    message["From"], message["To"], message["Subject"] = sender, OFFICE, subject
    message["Date"] = "Mon, 1 Jan 2024 07:59:00 +0100"
    message["Message-ID"] = message_id
    message.set_content("Hei, her kommer skjemaet.\n")
    for name, content in files:
        message.add_attachment(content, *XLSX, filename=name)
    if files:
        message.set_boundary(f"=={sha256(f'{message_id}{subject}'.encode()).hexdigest()[:20]}==")  # the same every time
    return message


def packed(files: dict[str, bytes]) -> bytes:
    """A zip file of these."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(path: Path, content: bytes | EmailMessage, changed: datetime | None = None) -> Path:
    """Save a file; it was last changed then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.as_bytes())
    if changed is not None:
        os.utime(path, (changed.timestamp(), changed.timestamp()))
    return path
