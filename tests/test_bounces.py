"""What a mail says has come back, and what only looks like it."""

from email import message_from_string
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from intake.bounces import Bounce, read_bounce
from intake.mail import open_mail

OURS = "<17.42@kontoret.example>"
WHY = "smtp; 550 5.1.1 <kari@asker.example>: user unknown"


def report(
    action: str = "failed",
    original: str = "message/rfc822",
    kind: str = "delivery-status",
    message_id: str = OURS,
    answers: str = "",
) -> bytes:
    """A report as mail servers write it (RFC 3464)."""
    mail = MIMEMultipart("report", report_type=kind)
    mail["From"] = "Mail Delivery System <MAILER-DAEMON@mx.kontoret.example>"
    mail["To"] = "postmottak@kontoret.example"
    mail["Subject"] = "Undelivered Mail Returned to Sender"
    mail["Auto-Submitted"] = "auto-replied"
    if answers:
        mail["In-Reply-To"] = answers
    mail.attach(MIMEText("I'm sorry to have to inform you …"))
    status = Message()
    status["Content-Type"] = f"message/{'disposition-notification' if kind != 'delivery-status' else kind}"
    recipient = (
        f"Final-Recipient: rfc822; kari@asker.example\nAction: {action}\nStatus: 5.1.1\nDiagnostic-Code: {WHY}\n"
    )
    status.set_payload(
        [message_from_string("Reporting-MTA: dns; mx.kontoret.example\n"), message_from_string(recipient)]
    )
    mail.attach(status)
    headers = f"From: postmottak@kontoret.example\nMessage-ID: {message_id}\nSubject: Kvittering\n"
    if original == "message/rfc822":
        whole = Message()
        whole["Content-Type"] = original
        whole.set_payload([message_from_string(f"{headers}\nHei\n")])
        mail.attach(whole)
    elif original:
        part = MIMEText(headers)
        part.replace_header("Content-Type", original)
        mail.attach(part)
    return mail.as_bytes()


@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_says_which_mail_came_back_to_whom_and_why(original: str) -> None:
    bounce = read_bounce(report(original=original))

    assert bounce == Bounce((OURS,), "kari@asker.example: 550 5.1.1 <kari@asker.example>: user unknown")


def test_a_report_without_the_mail_itself_is_known_by_what_it_answers() -> None:
    bounce = read_bounce(report(original="", answers=OURS))

    assert bounce is not None
    assert bounce.message_ids == (OURS,)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_a_mail_that_is_on_its_way_or_has_arrived_has_not_come_back(action: str) -> None:
    assert read_bounce(report(action=action)) is None


def test_a_mail_that_was_read_has_not_come_back() -> None:
    assert read_bounce(report(kind="disposition-notification")) is None


def test_a_reader_who_is_away_is_no_mail_that_came_back() -> None:
    away = EmailMessage()
    away["From"], away["Subject"] = "kari@asker.example", "Automatisk svar: Kvittering"
    away["In-Reply-To"], away["Auto-Submitted"] = OURS, "auto-replied"
    away.set_content("Jeg er på ferie. Action: failed\n")

    assert read_bounce(away.as_bytes()) is None


def test_a_report_that_names_no_mail_says_nothing() -> None:
    assert read_bounce(report(original="", answers="")) is None
    assert read_bounce(report(message_id="")) is None


@pytest.mark.parametrize("cut", range(0, 1200, 100))
def test_half_a_report_harms_nobody(cut: int) -> None:
    raw = report()[:cut]

    assert read_bounce(raw) is None or isinstance(read_bounce(raw), Bounce)


def test_what_a_server_says_is_one_short_line() -> None:
    raw = report().replace(b"user unknown", b"user\x1b[31m unknown " + b"x" * 2000)
    bounce = read_bounce(raw)

    assert bounce is not None
    assert len(bounce.words) <= 300
    assert bounce.words.isprintable()


def test_nothing_in_a_report_is_taken_for_a_workbook() -> None:
    assert open_mail(report()).attachments == []
