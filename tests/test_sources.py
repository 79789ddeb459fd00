"""Files, folders, zip files and mails -> returns: what is found in each, when it was received, and from whom."""

import base64
import io
import zipfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from intake import archive_files
from intake.sources import Inlet, SourceError, find_returns
from intake.submission import Return
from tests.mails import OFFICE, OWNER, XLSX, mail, packed, put

OSLO = ZoneInfo("Europe/Oslo")
CAME = datetime(2024, 1, 30, 14, 12, 7, tzinfo=OSLO)
SAVED = datetime(2024, 2, 6, 9, 0, 0, tzinfo=OSLO)
BOOK = packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
OTHER = packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook><sheets/></workbook>"})


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def inlet(folder: Path, **known: object) -> Inlet:
    unpacked = folder / "unpacked"
    unpacked.mkdir(exist_ok=True)
    return Inlet(OSLO, unpacked, office=OFFICE, **known)  # type: ignore[arg-type]


def found(inbox: Path, **known: object) -> list[Return]:
    return find_returns([inbox], inlet(inbox.parent, **known))


def names(returns: list[Return], inbox: Path) -> list[str]:
    return [one.path.relative_to(inbox).as_posix() for one in returns]


def reasons(returns: list[Return]) -> list[str | None]:
    return [one.trouble.reason if one.trouble else None for one in returns]


# files and folders


def test_a_file_is_received_when_it_was_last_changed_and_that_is_a_guess(inbox: Path) -> None:
    put(inbox / "b.xlsx", BOOK, CAME + timedelta(milliseconds=900))

    [one] = found(inbox)

    assert (one.received, one.clock, one.is_guess, one.sender) == (CAME, "file", True, None)
    assert one.received.utcoffset() == timedelta(hours=1)
    assert one.sha256 == sha256(BOOK).hexdigest()


def test_what_a_person_states_goes_before_the_guess(inbox: Path) -> None:
    put(inbox / "b.xlsx", BOOK, SAVED)

    [one] = found(inbox, stated=CAME)

    assert (one.received, one.clock, one.is_guess) == (CAME, "stated", False)


def test_folders_are_searched_to_the_bottom_and_what_programs_leave_is_not_taken(inbox: Path) -> None:
    for name in ("a/b/c.xlsx", ".DS_Store", "a/Thumbs.db", "desktop.ini", "1-7-ab.eml.behov-part"):
        put(inbox / name, BOOK)

    assert names(found(inbox), inbox) == ["a/b/c.xlsx"]


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"borte\.eml does not exist; give a file or a folder"):
        find_returns([tmp_path / "borte.eml"], inlet(tmp_path))


# when mails were received, and from whom


def test_a_mail_is_received_when_our_server_says_not_when_its_sender_or_the_file_does(inbox: Path) -> None:
    put(inbox / "melding.eml", mail(("skjema.xlsx", BOOK), received=CAME.astimezone(UTC)), SAVED)

    [one] = found(inbox)

    assert (one.received, one.clock, one.sender) == (CAME, "mail", OWNER)
    assert one.received.tzinfo is OSLO
    assert one.mail is not None
    assert (one.mail.message_id, one.mail.subject) == ("<1@asker.example>", "Behovsmelding")
    assert one.mail.sent == datetime(2024, 1, 1, 6, 59, tzinfo=UTC)
    assert names([one], inbox) == ["melding.eml/skjema.xlsx"]
    assert one.file.read_bytes() == BOOK


@pytest.mark.parametrize(
    "stamp", ["", "by mx; i går kveld", "by mx; Fri, 30 Feb 2024 10:00:00 +0100", "by mx; 1 Jan 1985 00:00 +0000"]
)
def test_the_stamps_below_one_that_cannot_be_read_are_not_believed(stamp: str, inbox: Path) -> None:
    message = mail(("skjema.xlsx", BOOK), received=CAME)
    lower = message.get_all("Received", [])[1]
    del message["Received"]
    raw = f"Received: {stamp}\r\nReceived: {lower}\r\n".encode() + message.as_bytes()
    put(inbox / "melding.eml", raw, SAVED)

    [one] = found(inbox)

    assert (one.received, one.clock, one.is_guess) == (SAVED, "file", True)


def test_a_mail_that_no_server_has_seen_is_received_when_a_person_says(inbox: Path) -> None:
    put(inbox / "kladd.eml", mail(("skjema.xlsx", BOOK)), SAVED)

    assert [(one.received, one.clock) for one in found(inbox, stated=CAME)] == [(CAME, "stated")]


def test_a_mail_keeps_its_own_time_whatever_is_stated(inbox: Path) -> None:
    put(inbox / "melding.eml", mail(("skjema.xlsx", BOOK), received=CAME))

    assert [one.clock for one in found(inbox, stated=SAVED)] == ["mail"]


def test_what_the_mailbox_said_goes_before_what_stands_in_the_mail(inbox: Path) -> None:
    path = put(inbox / "1-7-ab.eml", mail(("skjema.xlsx", BOOK), received=SAVED))
    collected = {sha256(path.read_bytes()).hexdigest(): CAME.astimezone(UTC)}

    assert [(one.received, one.clock) for one in found(inbox, collected=collected)] == [(CAME, "mailbox")]


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Kari <KARI@Asker.example>", "kari@asker.example"),
        ("=?utf-8?q?Kari_Pr=C3=B8ve?= <kari@asker.example>", "kari@asker.example"),
        ('"ola@kontoret.example" <kari@asker.example>', "kari@asker.example"),
        ("=?utf-8?q?Kari_=3Ca=40b.no=3E?= <kari@asker.example>", "kari@asker.example"),
        ("kari@asker.example, ola@asker.example", "kari@asker.example"),
        ("Kari Prøve", None),
        ("", None),
        ("kari\u202e@asker.example", "kari@asker.example"),
    ],
)
def test_the_sender_is_the_address_in_from(sender: str, address: str | None, inbox: Path) -> None:
    message = mail(("skjema.xlsx", BOOK), received=CAME)
    del message["From"]
    put(inbox / "melding.eml", f"From: {sender}\r\n".encode() + message.as_bytes())

    assert [one.sender for one in found(inbox)] == [address]


# what is attached to mails


def test_every_attachment_is_taken_and_told_apart(inbox: Path) -> None:
    files = [("skjema.xlsx", BOOK), ("skjema.xlsx", OTHER), ("Skjema.xlsx", b"3")]
    put(inbox / "melding.eml", mail(*files, received=CAME))

    returns = found(inbox)

    assert names(returns, inbox) == [
        "melding.eml/skjema.xlsx", "melding.eml/skjema (2).xlsx", "melding.eml/Skjema (3).xlsx",
    ]  # fmt: skip
    assert [one.file.read_bytes() for one in returns] == [BOOK, OTHER, b"3"]


NAMED = {
    "rfc 2231": "Content-Disposition: attachment; filename*=utf-8''Tj%C3%B8me%20sp%C3%B8rsm%C3%A5l.xlsx",
    "rfc 2231 in pieces": "Content-Disposition: attachment;\r\n filename*0*=iso-8859-1''Tj%F8me%20;\r\n"
    " filename*1*=sp%F8rsm%E5l.xlsx",
    "rfc 2047, as Outlook": "Content-Disposition: attachment;\r\n"
    ' filename="=?iso-8859-1?Q?Tj=F8me_sp=F8rsm=E5l.xlsx?="',
    "raw utf-8": 'Content-Disposition: attachment; filename="Tjøme spørsmål.xlsx"',
    "in the content type": 'Content-Type: application/octet-stream; name="Tjøme spørsmål.xlsx"',
}


@pytest.mark.parametrize("header", NAMED.values(), ids=NAMED.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_name_is_read_however_it_was_written(header: str, encoding: str, inbox: Path) -> None:
    kind = "" if header.startswith("Content-Type") else "Content-Type: application/octet-stream\r\n"
    head = f"From: {OWNER}\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n{kind}{header}\r\n\r\n"
    put(inbox / "melding.eml", head.encode(encoding) + base64.encodebytes(BOOK))

    returns = found(inbox)

    assert names(returns, inbox) == ["melding.eml/Tjøme spørsmål.xlsx"]
    assert returns[0].file.read_bytes() == BOOK


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd.xlsx", "etc/passwd.xlsx"),
        ("C:\\Users\\kari\\skjema.xlsx", "C_/Users/kari/skjema.xlsx"),
        ("/skjema.xlsx", "skjema.xlsx"),
        ("skj\u202eema\x07.xlsx", "skjema.xlsx"),
        ("..", "vedlegg uten navn"),
        ("", "vedlegg uten navn"),
        (f"{'x' * 300}.xlsx", f"{'x' * 95}.xlsx"),
    ],
)
def test_no_name_leads_out_of_the_mail(name: str, label: str, inbox: Path) -> None:
    head = f"From: {OWNER}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    named = f'Content-Disposition: attachment; filename="{name.replace(chr(92), chr(92) * 2)}"\r\n\r\n'
    put(inbox / "melding.eml", (head + named).encode() + base64.encodebytes(BOOK))

    returns = found(inbox)

    assert names(returns, inbox) == [f"melding.eml/{label}"]
    assert [path.name for path in (inbox.parent / "unpacked").iterdir()] == [sha256(BOOK).hexdigest()]


def test_pictures_in_the_text_signatures_and_invitations_are_no_files(inbox: Path) -> None:
    message = mail(("skjema.xlsx", BOOK), received=CAME)
    message.add_attachment(b"\x89PNG", "image", "png", filename="logo.png", disposition="inline")
    message.add_attachment(b"\x89PNG", "image", "png", filename="image001.png", cid="<logo@asker>")
    message.add_attachment(b"BEGIN:VCALENDAR", "text", "calendar", filename="invite.ics")
    message.add_attachment("tlf. 22 00 00 00", subtype="x-vcard", filename="kari.vcf")
    message.add_attachment(b"0", "application", "pkcs7-signature", filename="smime.p7s")
    message.add_attachment("\r\n", subtype="html", filename="ATT00001.htm")
    put(inbox / "melding.eml", message)

    assert names(found(inbox), inbox) == ["melding.eml/skjema.xlsx"]


def test_pictures_that_the_text_shows_are_no_files(inbox: Path) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = OWNER
    message.set_content("Hei")
    message.add_alternative("<img src='cid:x'>", subtype="html")
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG", "image", "png", filename="logo.png")
    message.add_attachment(BOOK, *XLSX, filename="skjema.xlsx", disposition="inline")
    put(inbox / "melding.eml", message)

    assert names(found(inbox), inbox) == ["melding.eml/skjema.xlsx"]


def test_a_picture_or_a_pdf_that_was_attached_is_a_file(inbox: Path) -> None:
    message = mail(("skjema.xlsx", BOOK), received=CAME)
    message.add_attachment(b"\xff\xd8\xff", "image", "jpeg", filename="skjema.jpg")
    message.add_attachment(b"%PDF-1.7", "application", "pdf", filename="skjema.pdf")
    message.add_attachment("a;b\r\n", subtype="csv", filename="skjema.csv")
    put(inbox / "melding.eml", message)

    assert [name.rpartition("/")[2] for name in names(found(inbox), inbox)] == [
        "skjema.xlsx", "skjema.jpg", "skjema.pdf", "skjema.csv",
    ]  # fmt: skip


def test_a_mail_without_files_is_for_a_person_with_its_subject_and_sender(inbox: Path) -> None:
    path = put(inbox / "spørsmål.eml", mail(received=CAME, subject="Kan vi få utsettelse?"))

    [one] = found(inbox)

    assert one.trouble is not None
    assert (one.trouble.outcome, one.trouble.reason) == ("quarantined", "mail_without_files")
    assert one.trouble.details == {"sender": OWNER, "subject": "Kan vi få utsettelse?"}
    assert (one.path, one.file, one.sha256) == (path, path, sha256(path.read_bytes()).hexdigest())
    assert (one.received, one.clock) == (CAME, "mail")


def test_a_letter_of_ours_that_came_back_is_no_return_of_its_owner(inbox: Path) -> None:
    ours = mail(("skjema.xlsx", BOOK), sender=OFFICE).as_bytes().decode()
    report = (
        f"From: mailer-daemon@asker.example\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: text/plain\r\n\r\nIkke levert\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n\r\n"
        f"--x\r\nContent-Type: message/rfc822\r\n\r\n{ours}\r\n--x--\r\n"
    )
    put(inbox / "retur.eml", report.encode())

    assert reasons(found(inbox)) == ["mail_report"]


@pytest.mark.parametrize("kind", ['application/pkcs7-mime; name="smime.p7m"', 'multipart/encrypted; boundary="x"'])
def test_an_encrypted_mail_is_called_that(kind: str, inbox: Path) -> None:
    part = "--x\r\nContent-Type: application/octet-stream\r\n\r\nxyz\r\n--x--\r\n"
    put(inbox / "hemmelig.eml", f"From: {OWNER}\r\nContent-Type: {kind}\r\n\r\n{part}".encode())

    assert reasons(found(inbox)) == ["mail_encrypted"]


HOPELESS = {
    "nothing": b"",
    "no mail": b"\x00\xff" * 500,
    "half a mail": mail(("skjema.xlsx", BOOK)).as_bytes()[:700],
    "1,500 mails within mails": b"Content-Type: message/rfc822\r\n\r\n" * 1500 + b"Subject: x\r\n\r\n",
    "two million headers": b"a: b\n" * 2_000_000,
    "a million parts": b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n' + b"--x\r\n" * 1_000_000,
    "a header that goes on": b"Subject: x\n" + b" y\n" * 200_000,
    "a subject without end": b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nhei",
    "senders without end": b"From: " + b"a@b.example, " * 300_000 + b"\n\nhei",
    "20,000 parts": b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n' + b"--x\r\n\r\nhei\r\n" * 20_000,
    "a kind of its own": b"Content-Type: =?x?y?z?=; ;;==;\r\nFrom: <<<>>>@\r\nSubject: =?zz?q?=\r\n\r\nhei",
    "an unknown encoding": b"From: =?klingon?q?=F8?= <a@b.example>\r\nContent-Transfer-Encoding: x-none\r\n\r\nhei",
}


@pytest.mark.parametrize("content", HOPELESS.values(), ids=HOPELESS.keys())
def test_no_mail_stops_the_batch(content: bytes, inbox: Path) -> None:
    put(inbox / "a.eml", content)
    put(inbox / "b.eml", mail(("skjema.xlsx", BOOK), received=CAME))

    *troubled, last = found(inbox)

    assert troubled
    assert last.file.read_bytes() == BOOK


# mails within mails


def forwarded(sender: str, *, inner: EmailMessage, received: datetime) -> EmailMessage:
    outer = mail(received=received, sender=sender, subject="VS: Behovsmelding", message_id="<2@kontoret.example>")
    outer.add_attachment(inner)
    return outer


def test_a_mail_that_the_office_forwarded_is_from_its_first_sender_and_received_when_it_came_on(inbox: Path) -> None:
    inner = mail(("skjema.xlsx", BOOK), received=CAME)
    put(inbox / "vs.eml", forwarded(f"Postmottak <{OFFICE}>", inner=inner, received=SAVED))

    [one] = found(inbox)

    assert (one.received, one.clock, one.sender) == (SAVED, "mail", OWNER)
    assert one.mail is not None
    assert (one.mail.sender, one.mail.message_id) == (OFFICE, "<2@kontoret.example>")
    assert one.mail.forwarded == CAME
    assert names([one], inbox) == ["vs.eml/skjema.xlsx"]


def test_a_mail_that_a_stranger_forwarded_is_from_the_stranger(inbox: Path) -> None:
    inner = mail(("skjema.xlsx", BOOK), received=CAME)
    put(inbox / "vs.eml", forwarded("ola@regnskap.example", inner=inner, received=SAVED))

    assert [(one.sender, one.received) for one in found(inbox)] == [("ola@regnskap.example", SAVED)]


def test_what_the_office_forwarded_without_the_mail_itself_is_from_nobody_known(inbox: Path) -> None:
    put(inbox / "vs.eml", mail(("skjema.xlsx", BOOK), sender=OFFICE, received=SAVED))

    [one] = found(inbox)

    assert one.sender is None
    assert one.mail is not None
    assert one.mail.sender == OFFICE


def test_a_mail_within_a_mail_is_opened_in_base64_too(inbox: Path) -> None:
    inner = base64.encodebytes(mail(("skjema.xlsx", BOOK)).as_bytes()).decode()
    head = f"From: {OWNER}\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    put(inbox / "vs.eml", (head + inner).encode())

    assert [one.file.read_bytes() for one in found(inbox)] == [BOOK]


def test_a_saved_mail_that_was_attached_is_opened_and_does_not_tell_the_time(inbox: Path) -> None:
    early = mail(("skjema.xlsx", BOOK), received=CAME).as_bytes()
    outer = mail(received=SAVED, sender="ola@asker.example")
    outer.add_attachment(early, "application", "octet-stream", filename="sendt i tide.eml")
    put(inbox / "vs.eml", outer)

    [one] = found(inbox)

    assert names([one], inbox) == ["vs.eml/sendt i tide.eml/skjema.xlsx"]
    assert (one.received, one.sender) == (SAVED, "ola@asker.example")


def test_mails_packed_in_mails_come_to_an_end(inbox: Path) -> None:
    content = mail(("skjema.xlsx", BOOK)).as_bytes()
    for _ in range(12):
        outer = mail(received=CAME)
        outer.add_attachment(content, "application", "octet-stream", filename="vs.eml")
        content = outer.as_bytes()
    put(inbox / "vs.eml", content)

    assert reasons(found(inbox)) == ["nested"]


# zip files


def test_a_zip_file_gives_its_files_with_the_time_of_the_zip_file(inbox: Path) -> None:
    files = {"b/skjema.xlsx": BOOK, "a.xlsx": OTHER, "b/": b"", "__MACOSX/._a.xlsx": b"\0", "b/Thumbs.db": b"x"}
    put(inbox / "svar.zip", packed(files), CAME)

    returns = found(inbox)

    assert names(returns, inbox) == ["svar.zip/a.xlsx", "svar.zip/b/skjema.xlsx"]
    assert [(one.received, one.clock) for one in returns] == [(CAME, "file")] * 2
    assert [one.file.read_bytes() for one in returns] == [OTHER, BOOK]


def test_a_zip_file_of_mails_gives_what_is_attached_to_each(inbox: Path) -> None:
    put(inbox / "mappe.zip", packed({"1.eml": mail(("skjema.xlsx", BOOK), received=CAME).as_bytes()}), SAVED)

    returns = found(inbox)

    assert names(returns, inbox) == ["mappe.zip/1.eml/skjema.xlsx"]
    assert [(one.received, one.sender) for one in returns] == [(CAME, OWNER)]


def test_a_zip_file_in_a_mail_is_opened_whatever_it_is_called(inbox: Path) -> None:
    message = mail(received=CAME)
    message.add_attachment(packed({"skjema.xlsx": BOOK}), "application", "octet-stream", filename="vedlegg.dat")
    put(inbox / "melding.eml", message)

    returns = found(inbox)

    assert names(returns, inbox) == ["melding.eml/vedlegg.dat/skjema.xlsx"]
    assert [(one.received, one.sender) for one in returns] == [(CAME, OWNER)]


@pytest.mark.parametrize("name", ["skjema.xlsx", "skjema.zip", "skjema"])
def test_a_workbook_is_never_taken_for_a_zip_file_of_files(name: str, inbox: Path) -> None:
    put(inbox / name, BOOK)

    assert names(found(inbox), inbox) == [name]


def with_names(*names: bytes, flags: int = 0) -> bytes:
    """A zip file whose names are these bytes, as programs write them that do not tell the code page."""
    content = packed({f"{number:0{len(name)}}": BOOK for number, name in enumerate(names)})
    for number, name in enumerate(names):
        content = content.replace(f"{number:0{len(name)}}".encode(), name)
    return content.replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00" + flags.to_bytes(2, "little")
    )


@pytest.mark.parametrize("encoding", ["cp850", "cp865", "utf-8"])
def test_norwegian_names_in_a_zip_file_are_read_as_they_were_written(encoding: str, inbox: Path) -> None:
    put(inbox / "svar.zip", with_names("Bærum på Ø.xlsx".encode(encoding)))

    assert names(found(inbox), inbox) == ["svar.zip/Bærum på Ø.xlsx"]


def test_a_name_marked_as_utf_8_is_read_as_that(inbox: Path) -> None:
    put(inbox / "svar.zip", packed({"Bærum på Ø.xlsx": BOOK}))

    assert names(found(inbox), inbox) == ["svar.zip/Bærum på Ø.xlsx"]


def test_a_member_that_would_land_elsewhere_stays_where_it_is(inbox: Path) -> None:
    put(inbox / "svar.zip", packed({"../../ute.xlsx": BOOK, "/rot.xlsx": OTHER, "C:\\ute.xlsx": b"x"}))

    returns = found(inbox)

    assert sorted(names(returns, inbox)) == ["svar.zip/C_/ute.xlsx", "svar.zip/rot.xlsx", "svar.zip/ute.xlsx"]
    assert {one.file.parent for one in returns} == {inbox.parent / "unpacked"}
    assert not (inbox.parent / "ute.xlsx").exists()


def test_a_link_in_a_zip_file_is_not_followed(inbox: Path) -> None:
    link = zipfile.ZipInfo("passord.xlsx")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    put(inbox / "svar.zip", buffer.getvalue())

    assert reasons(found(inbox)) == ["zip_empty"]


def test_a_zip_file_in_a_zip_file_is_not_opened(inbox: Path) -> None:
    put(inbox / "svar.zip", packed({"indre.zip": packed({"skjema.xlsx": BOOK}), "skjema.xlsx": BOOK}))

    returns = found(inbox)

    assert names(returns, inbox) == ["svar.zip/indre.zip", "svar.zip/skjema.xlsx"]
    assert reasons(returns) == ["nested", None]


def test_members_that_cannot_be_had_are_named_and_the_others_are_taken(inbox: Path) -> None:
    content = packed({"a.xlsx": BOOK, "b.xlsx": OTHER})
    first = content.index(b"PK\x01\x02")
    put(inbox / "svar.zip", content[: first + 8] + b"\x01" + content[first + 9 :])

    returns = found(inbox)

    assert names(returns, inbox) == ["svar.zip/b.xlsx", "svar.zip"]
    assert reasons(returns) == [None, "zip_password"]
    assert returns[1].trouble is not None
    assert returns[1].trouble.details == {"files": "«a.xlsx»"}


def test_a_damaged_member_is_named(inbox: Path) -> None:
    content = bytearray(packed({"a.txt": b"x" * 40 + bytes(range(200)), "b.xlsx": OTHER}))
    content[50:60] = b"\xff" * 10
    put(inbox / "svar.zip", bytes(content))

    returns = found(inbox)

    assert reasons(returns) == [None, "zip_damaged"]


def test_an_empty_zip_file_is_called_that(inbox: Path) -> None:
    put(inbox / "svar.zip", packed({}))

    assert reasons(found(inbox)) == ["zip_empty"]


def test_half_a_zip_file_is_left_to_the_guard(inbox: Path) -> None:
    put(inbox / "svar.zip", packed({"a.xlsx": BOOK})[:60])

    assert (names(found(inbox), inbox), reasons(found(inbox))) == (["svar.zip"], [None])


def bomb(megabytes: int) -> bytes:
    return packed({"nuller.xlsx": bytes(megabytes << 20)})


def lying(content: bytes) -> bytes:
    """A zip file whose member says that it is 100 bytes long."""
    place = content.index(b"PK\x01\x02") + 24
    return content[:place] + (100).to_bytes(4, "little") + content[place + 4 :]


def test_a_zip_file_that_grows_too_much_is_not_opened(inbox: Path) -> None:
    put(inbox / "a.zip", bomb(40))
    put(
        inbox / "b.zip",
        packed({f"{number}.xlsx": b"x" for number in range(archive_files.MAX_TOTAL // archive_files.LEAST + 1)}),
    )

    assert reasons(found(inbox)) == ["zip_too_much"] * 2
    assert not list((inbox.parent / "unpacked").iterdir())


def test_a_zip_file_with_too_many_members_is_not_even_listed(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_files, "MAX_LISTED", 2)
    monkeypatch.setattr("zipfile.ZipFile", None)
    put(inbox / "a.zip", b"PK\x03\x04" + b"PK\x01\x02" * 3)

    assert reasons(found(inbox)) == ["zip_too_much"]


def test_a_member_that_lies_about_its_size_is_damaged(inbox: Path) -> None:
    put(inbox / "a.zip", lying(bomb(40)))

    assert reasons(found(inbox)) == ["zip_damaged"]


def test_the_zip_files_of_one_mail_share_one_budget(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.sources.MAX_TOTAL", 3 * archive_files.LEAST)
    message = mail(received=CAME)
    for number in range(3):
        content = packed({"a.xlsx": BOOK + bytes([number]), "b.xlsx": OTHER + bytes([number])})
        message.add_attachment(content, "application", "zip", filename=f"{number}.zip")
    put(inbox / "melding.eml", message)

    assert reasons(found(inbox)) == [None, None, "zip_too_much", "zip_too_much"]
