"""The letters, read as their owners get them.

The golden letters stand in tests/letters/; BEHOV_WRITE_GOLDEN=1 writes them again.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import fast_mail_parser
import pytest

from outputs.letters.feedback import KINDS, MAX_LINES, Attachment, Letter, draft_letter
from outputs.letters.message import UNFOLDED, MailError, addresses, registered_address, write_message
from outputs.letters.notice_letters import (
    CLOSING,
    DEADLINE,
    EXTENSION,
    INVITATION,
    OVERDUE,
    REMINDER,
    Closed,
    Extended,
    Lacking,
    Reason,
    draft_notice,
)
from outputs.letters.received import Received
from outputs.letters.words import TEXTS
from outputs.mailing.notices import KINDS as NOTICE_KINDS
from templates.form import Form, FormFile
from templates.recipients import Recipient
from templates.round import Mail, Office
from templates.texts import load_texts
from validation.findings import Finding

GOLDEN = Path(__file__).parent / "letters"
OSLO = ZoneInfo("Europe/Oslo")
OFFICE = Office(name="Statsforvalteren i Oslo og Viken", email="postmottak@example.no", phone="22 00 00 00")
OWNERS = {
    "nb": Recipient("920125298", "Asker kommune", "KOMMUNE", "post@asker.example.no", "nb"),
    "nn": Recipient("964952612", "Hemsedal kommune", "KOMMUNE", "post@hemsedal.example.no", "nn"),
}
TODAY = date(2024, 2, 2)

SHEETS = {
    "skjema": {
        "kind": "questions",
        "label": {"nb": "Skjema", "nn": "Skjema"},
        "sections": {
            "a": {
                "label": {"nb": "A", "nn": "A"},
                "questions": {"tittel": {"type": "text", "label": {"nb": "Tittel", "nn": "Tittel"}}},
            }
        },
    },
    "virksomheter": {
        "kind": "table",
        "label": {"nb": "Virksomheter", "nn": "Verksemder"},
        "rows": 200,
        "questions": {"orgnr": {"type": "orgnr", "label": {"nb": "Org.nr.", "nn": "Org.nr."}}},
    },
    "budsjett": {
        "kind": "grid",
        "label": {"nb": "Budsjett", "nn": "Budsjett"},
        "row_label": {"nb": "Post", "nn": "Post"},
        "rows": {"vikar": {"label": {"nb": "Vikar", "nn": "Vikar"}}},
        "columns": {"y2024": {"type": "amount", "label": {"nb": "2024", "nn": "2024"}}},
    },
}
CONTACTS = {
    "kind": "table",
    "label": {"nb": "Eiere", "nn": "Eigarar"},
    "rows": 10,
    "row_name": "kontakt",
    "questions": {
        "kontakt": {"type": "text", "personal": True, "label": {"nb": "Kontakt", "nn": "Kontakt"}},
        "epost": {"type": "email", "label": {"nb": "E-post:", "nn": "E-post:"}},
    },
}
NOUN = {
    "one": {"nb": "behovsmelding", "nn": "behovsmelding"},
    "the": {"nb": "behovsmeldingen", "nn": "behovsmeldinga"},
    "many": {"nb": "behovsmeldinger", "nn": "behovsmeldingar"},
}


@pytest.fixture(scope="module")
def form() -> Form:
    return letters_form()


def letters_form() -> Form:
    file = FormFile.model_validate(
        {
            "form": "prøve",
            "version": "1",
            "code": "BM24",
            "languages": ["nb", "nn"],
            "opens": date(2023, 10, 10),
            "deadline": datetime(2024, 2, 1, 23, 59, 59),  # noqa: DTZ001 - the form has a time zone of its own
            "correction_days": 14,
            "title": {"nb": "Prøve", "nn": "Prøve"},
            "noun": NOUN,
            "report_title": "skjema.tittel",
            "sheets": SHEETS,
        }
    )
    return Form(file, {}, (), {})


# what owners got wrong

YEARS = Finding(
    "S19", "error", "Skjema", ("C31",), ("antall_ar",),
    {"nb": "Dere har valgt 1 år, men budsjettet har beløp i 2025. Endre antall år, eller fjern beløpet.",
     "nn": "De har valt 1 år, men budsjettet har beløp i 2025. Endre talet på år, eller fjern beløpet."},
    {"nb": "Antall år det meldes behov for", "nn": "Tal år det blir meldt behov for"},
    elsewhere=(("Budsjett", "D9"),),
)  # fmt: skip
INVOLVED = Finding(
    "S16", "error", "Skjema", ("C38",), ("tillitsvalgte",),
    {"nb": "Fyll ut «De tillitsvalgte har vært involvert». De tillitsvalgte skal være med i arbeidet.",
     "nn": "Fyll ut «Dei tillitsvalde har vore involverte». Dei tillitsvalde skal vere med i arbeidet."},
    {"nb": "De tillitsvalgte har vært involvert", "nn": "Dei tillitsvalde har vore involverte"},
)  # fmt: skip
ORGNR = Finding(
    "orgnr", "error", "Virksomheter", ("B12",), ("orgnr",),
    {"nb": "Organisasjonsnummer må ha 9 siffer. Nå står det «98765432», som har 8.",
     "nn": "Organisasjonsnummer må ha 9 siffer. No står det «98765432», som har 8."},
    {"nb": "Org.nr.", "nn": "Org.nr."}, "Fjellhagen barnehage", "98765432",
)  # fmt: skip
ORGNR_NN = replace(ORGNR, sheet="Verksemder")
TYPES = Finding(
    "S31", "error", "Virksomheter", ("F14:F22",), ("type",),
    {"nb": "Velg type virksomhet.", "nn": "Vel type verksemd."}, {"nb": "Type", "nn": "Type"},
)  # fmt: skip
SMALL = Finding(
    "P09", "warning", "Budsjett", ("D5",), ("y2024",),
    {"nb": "Beløpet i 2024 er 850 kr. Er det skrevet i tusen kroner?",
     "nn": "Beløpet i 2024 er 850 kr. Er det skrive i tusen kroner?"},
    {"nb": "2024", "nn": "2024"}, "Vikar",
)  # fmt: skip
READ = Finding(
    "number_read", "info", "Budsjett", ("D6",), ("y2024",),
    {"nb": "Vi leste «1,25 mill» som 1 250 000.", "nn": "Vi las «1,25 mill» som 1 250 000."},
    {"nb": "2024", "nn": "2024"}, "Kurs",
)  # fmt: skip

# what came back


def in_time(*findings: Finding, outcome: str = "needs_correction", number: str = "0007-1") -> Received:
    return Received(
        sha256=f"a{number}",
        outcome=outcome,
        received=datetime(2024, 1, 30, 14, 12, tzinfo=OSLO),
        file=f"BM24-{number}.xlsx",
        report=f"BM24-{number}",
        title="Språk i hele barnehagen",
        findings=findings,
    )


def too_late(*findings: Finding) -> Received:
    deadline = datetime(2024, 2, 1, 23, 59, 59, tzinfo=OSLO)
    came = datetime(2024, 2, 2, 9, 5, tzinfo=OSLO)
    return replace(in_time(*findings, outcome="late"), received=came, missed=deadline)


def locked(number: str = "0007-1") -> Received:
    reason = {
        "nb": "Filen «melding.xlsx» er beskyttet med passord, så vi får ikke åpnet den. "
        "Fjern passordet, lagre filen og send den igjen.",
        "nn": "Fila «melding.xlsx» er verna med passord, så vi får ikkje opna ho. "
        "Fjern passordet, lagre fila og send ho igjen.",
    }
    return replace(in_time(outcome="unreadable", number=number), title="", file="melding.xlsx", reason=reason)


def refused(code: str, nb: str, nn: str, file: str, outcome: str = "quarantined") -> Received:
    item = replace(in_time(outcome=outcome), title="", file=file, code=code, reason={"nb": nb, "nn": nn})
    return replace(item, enclosed=code == "wrong_form")


def marked(item: Received, *, nn: bool = False) -> Received:
    """The same, with a marked workbook that goes along."""
    return replace(item, marked=f"{item.report}-{'rettast' if nn else 'rettes'}.xlsx")


def sent_again(item: Received) -> Received:
    came = datetime(2024, 2, 9, 10, 30, tzinfo=OSLO)
    return replace(item, received=came, again=True, heard=item.outcome, due=date(2024, 2, 16))


def titled(title: str, item: Received) -> Received:
    return replace(item, title=title)


TYPES_NN = replace(TYPES, sheet="Verksemder")
MANY = tuple(replace(TYPES, cells=(f"F{row}",), row_name=f"Barnehage {row}") for row in range(8, 46))
CAME_LATE = datetime(2024, 2, 2, 9, 5, tzinfo=OSLO)
OLD_FORM = refused(
    "wrong_form",
    "Filen «Behovsmelding 2023.xlsx» er et annet skjema enn det vi samler inn nå. "
    "Send Excel-filen dere fikk fra oss denne gangen.",
    "Fila «Behovsmelding 2023.xlsx» er eit anna skjema enn det vi samlar inn no. "
    "Send Excel-fila de fekk frå oss denne gongen.",
    "Behovsmelding 2023.xlsx",
)
NOTHING = refused("empty_return", "", "", "BM24-0007-1.xlsx", "empty")
SECOND = replace(in_time(ORGNR, TYPES), told=(YEARS, INVOLVED, ORGNR), received=datetime(2024, 2, 8, 8, 0, tzinfo=OSLO))
LETTERS = {
    "correction-nb": [marked(in_time(YEARS, INVOLVED, ORGNR, SMALL))],
    "correction-nn": [marked(in_time(YEARS, INVOLVED, ORGNR_NN, SMALL), nn=True)],
    "correction-again-nb": [marked(SECOND)],
    "correction-again-nn": [marked(replace(SECOND, findings=(ORGNR_NN, TYPES_NN)), nn=True)],
    "correction-one-nn": [in_time(TYPES_NN)],
    "correction-long-nb": [marked(in_time(*MANY, SMALL))],
    "correction-long-nn": [in_time(*(replace(one, sheet="Verksemder") for one in MANY), SMALL, READ, READ)],
    "looked-again-nn": [marked(replace(in_time(INVOLVED), heard="accepted", stood="needs_correction~1"), nn=True)],
    "wrong-form-nb": [OLD_FORM],
    "wrong-form-nn": [OLD_FORM],
    "empty-nb": [NOTHING],
    "empty-nn": [NOTHING],
    "duplicate-nb": [marked(sent_again(in_time(YEARS, INVOLVED)))],
    "duplicate-nn": [sent_again(in_time(outcome="accepted"))],
    "duplicate-unreadable-nb": [sent_again(locked())],
    "taken-late-nb": [replace(in_time(outcome="accepted"), received=CAME_LATE, heard="late")],
    "taken-late-nn": [replace(in_time(outcome="accepted"), received=CAME_LATE, heard="late")],
    "corrected-nb": [replace(in_time(outcome="accepted"), told=(YEARS, INVOLVED))],
    "receipt-nb": [in_time(outcome="accepted")],
    "receipt-nn": [in_time(outcome="accepted")],
    "receipt-questions-nb": [in_time(SMALL, READ, outcome="remarks")],
    "receipt-questions-nn": [in_time(SMALL, READ, outcome="remarks")],
    "late-nb": [too_late()],
    "late-nn": [too_late()],
    "late-correction-nb": [too_late(INVOLVED)],
    "late-version-nn": [replace(too_late(YEARS), stands_by=True)],
    "unreadable-nb": [locked()],
    "unreadable-nn": [locked()],
    "several-nb": [
        in_time(outcome="accepted"),
        titled("Lesing i alle fag", in_time(YEARS, SMALL, number="0007-2")),
        titled("Trygge overganger", in_time(INVOLVED, ORGNR, number="0007-3")),
        locked("0007-4"),
    ],
    "several-late-nb": [
        titled("Lesing i alle fag", in_time(outcome="accepted", number="0007-2")),
        titled("Trygge overganger", too_late()),
    ],
    "several-nn": [
        in_time(outcome="accepted"),
        titled("Lesing i alle fag", in_time(ORGNR_NN, number="0007-2")),
    ],
    "several-receipts-nb": [
        in_time(outcome="accepted"),
        titled("", in_time(outcome="accepted", number="0007-2")),
    ],
}
# what no return has caused

SENT = ("BM24-0007-1", "BM24-0007-2")
LACKING = Lacking("BM24-0007-1", "Språk i hele barnehagen", date(2024, 2, 16), 3)
UNREADABLE = Lacking("BM24-0007-2", "", date(2024, 2, 19), 0)
NOTICES: dict[str, tuple[str, tuple[str, ...], tuple[Lacking, ...]]] = {
    "invitation": (INVITATION, SENT[:1], ()),
    "invitation-several": (INVITATION, SENT, ()),
    "reminder": (DEADLINE, SENT[:1], ()),
    "reminder-several": (DEADLINE, SENT, ()),
    "reminder-overdue": (OVERDUE, SENT[:1], ()),
    "reminder-overdue-several": (OVERDUE, SENT, ()),
    "reminder-correction": ("", (), (LACKING,)),
    "reminder-corrections": ("", (), (replace(LACKING, errors=1), UNREADABLE)),
}
EXTENDED = Extended("BM24-0007-1", "Språk i hele barnehagen", date(2024, 3, 1))
EXTENDED_LONGER = Extended("BM24-0007-2", "Lesing i alle fag", date(2024, 3, 15))
CLOSED = Closed("BM24-0007-1", "Språk i hele barnehagen", "accepted", 0, datetime(2024, 1, 30, 14, 12, tzinfo=OSLO))
UNCORRECTED = replace(CLOSED, report="BM24-0007-2", title="Lesing i alle fag", status="needs_correction", errors=2)
WITHDRAWN = replace(CLOSED, report="BM24-0007-3", title="Trygge overganger", status="withdrawn")
REJECTED = replace(CLOSED, report="BM24-0007-4", title="Ut på tur", status="rejected")
MORE_TIME_AND_ENDS: dict[str, tuple[str, tuple[Extended | Closed | None, ...]]] = {
    "extension": (EXTENSION, (None,)),
    "extended": (EXTENSION, (EXTENDED,)),
    "extended-several": (EXTENSION, (EXTENDED, EXTENDED_LONGER)),
    "closing": (CLOSING, (CLOSED,)),
    "closing-several": (CLOSING, (CLOSED, UNCORRECTED, WITHDRAWN, REJECTED)),
}
NAMES = [*LETTERS, *(f"{name}-{language}" for name in (*NOTICES, *MORE_TIME_AND_ENDS) for language in OWNERS)]


def notice(form: Form, name: str, language: str) -> Letter:
    if name in MORE_TIME_AND_ENDS:
        return late_notice(form, name, language)
    stage, reports, lacking = NOTICES[name]
    owner = OWNERS[language]
    kind = stage if stage == INVITATION else REMINDER
    about = [Reason(owner, (stage, "2024-02-01"), (Path(f"{report}.xlsx"),), (report,)) for report in reports]
    for one in lacking:
        again = (Attachment(f"{one.report}-rettes.xlsx", b"workbook"),) if one.errors else ()
        about.append(Reason(owner, (one.report, one.due.isoformat()), (), (one.report,), lacking=one, again=again))
    return draft_notice(form, OFFICE, owner, kind, about)


def late_notice(form: Form, name: str, language: str) -> Letter:
    kind, about = MORE_TIME_AND_ENDS[name]
    owner, reasons = OWNERS[language], []
    for one in about:
        more = {"extended" if isinstance(one, Extended) else "closed": one} if one else {}
        reasons.append(Reason(owner, ("", ""), reports=(one.report if one else SENT[0],), **more))  # type: ignore[arg-type]
    return draft_notice(form, OFFICE, owner, kind, reasons)


def letter_of(form: Form, name: str) -> Letter:
    rest, _, language = name.rpartition("-")
    return (
        notice(form, rest, language)
        if rest in {*NOTICES, *MORE_TIME_AND_ENDS}
        else write(form, LETTERS[name], language)
    )


def write(form: Form, about: Sequence[Received], language: str = "nb") -> Letter:
    return draft_letter(form, OFFICE, OWNERS[language], about, TODAY)


def mail_of(letter: Letter) -> EmailMessage:
    made = datetime(2024, 2, 2, 12, 0, tzinfo=OSLO)
    return message_from_bytes(write_message(letter, OFFICE, made).as_bytes(), policy=UNFOLDED)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


each_letter = pytest.mark.parametrize("name", NAMES)


@each_letter
def test_a_letter_reads_as_its_golden_file(form: Form, name: str) -> None:
    message = mail_of(letter_of(form, name))
    text = f"{message['Subject']}\n\n{body(message, 'plain')}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("BEHOV_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8", newline="\n")

    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_a_letter() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(NAMES)


@pytest.mark.parametrize("language", OWNERS)
def test_there_is_a_golden_letter_of_every_kind_in_every_language(form: Form, language: str) -> None:
    letters = [letter_of(form, name) for name in NAMES if name.endswith(language)]

    assert {letter.kind for letter in letters} == {*KINDS, *NOTICE_KINDS}
    assert len(letters) >= 24


# text and HTML


class Page(HTMLParser):
    """The words of a page, its tags and all their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@each_letter
def test_text_and_html_say_the_same(form: Form, name: str) -> None:
    message = mail_of(letter_of(form, name))
    text = re.sub(r"^- ", "", body(message, "plain"), flags=re.MULTILINE)
    _, tag, page = body(message, "html").partition("<body")

    assert Page(tag + page).words == text.split()


@each_letter
def test_a_line_of_text_is_short_enough_for_any_mail_program(form: Form, name: str) -> None:
    assert max(map(len, body(mail_of(letter_of(form, name)), "plain").splitlines())) <= 72


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_a_page_tells_its_language_and_fetches_nothing(form: Form, language: str) -> None:
    page = Page(body(mail_of(write(form, [in_time(YEARS, SMALL)], language)), "html"))

    assert page.tags[0] == "html"
    assert page.attributes[0] == ("lang", language)
    assert {name for name, _ in page.attributes} <= {"lang", "charset", "name", "content", "style"}
    assert not any("url(" in (value or "") for _, value in page.attributes)


# the e-mail


def test_a_letter_goes_from_the_office_to_the_registered_address_only(form: Form) -> None:
    message = mail_of(write(form, [in_time(YEARS)]))

    assert message["To"] == "Asker kommune <post@asker.example.no>"
    assert message["From"] == "Statsforvalteren i Oslo og Viken <postmottak@example.no>"
    assert message["Reply-To"] == message["From"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == datetime(2024, 2, 2, 12, 0, tzinfo=OSLO)
    assert message["Message-ID"].endswith("@example.no>")
    assert message["Content-Language"] == "nb"
    assert {"Cc", "Bcc", "Precedence"}.isdisjoint(message)
    assert not [name for name in message if name.startswith("List-")]  # it is to one owner, from no list


@pytest.mark.parametrize(
    "address",
    [
        "", "post", "a@b", " a@b.no", "a@b.no,x@y.no", "a@b.no;x@y.no", "mailto:a@b.no", "Kari <a@b.no>",
        "a..b@x.no", "a@b..no", "å@b.no", "a@b.no\nBcc: x@y.no", "a\u200b@b.no", "a@b.no\x00",
    ],
)  # fmt: skip
def test_what_is_not_exactly_one_address_gets_no_letter(form: Form, address: str) -> None:
    assert registered_address(address) is None

    letter = write(form, [in_time(YEARS)])
    unreachable = replace(letter, recipient=replace(letter.recipient, email=address))
    assert mail_of(unreachable)["To"] is None


@pytest.mark.parametrize(
    ("email", "contact", "to"),
    [
        ("post@asker.no", "", ["post@asker.no"]),
        ("post@asker.no", "kari@ASKER.no", ["post@asker.no", "kari@ASKER.no"]),
        ("post@asker.no", "post@asker.no", ["post@asker.no"]),
        ("post@asker.no", "kari@annen.no", ["post@asker.no"]),
        ("post@asker.no", "kari@asker.no,ole@asker.no", ["post@asker.no"]),
        ("nobody", "kari@asker.no", []),
    ],
)
def test_a_contact_gets_the_letter_too_when_it_is_at_the_same_domain(email: str, contact: str, to: list[str]) -> None:
    assert addresses(replace(OWNERS["nb"], email=email, contact_email=contact)) == to


def test_every_message_has_an_id_of_its_own(form: Form) -> None:
    letter = write(form, [in_time(YEARS)])

    assert len({str(mail_of(letter)["Message-ID"]) for _ in range(50)}) == 50


@pytest.mark.parametrize("source", ["", "<1@asker.no>\r\nBcc: x@y.no", "1@asker.no", "<1@asker.no> <2@asker.no>"])
def test_a_letter_answers_no_mail_whose_id_is_not_known(form: Form, source: str) -> None:
    message = mail_of(write(form, [replace(in_time(YEARS), message_id=source)]))

    assert (message["In-Reply-To"], message["References"], message["Bcc"]) == (None, None, None)


def test_a_letter_answers_the_mails_that_brought_the_returns(form: Form) -> None:
    first, second = (replace(in_time(YEARS, number=n), message_id=f"<{n}@asker.no>") for n in ("0007-1", "0007-2"))
    message = mail_of(write(form, [first, second, second]))

    assert message["In-Reply-To"] == message["References"] == "<0007-1@asker.no> <0007-2@asker.no>"


def with_files(form: Form, mail: Mail, *sizes: int) -> EmailMessage:
    files = [Attachment(f"BM24-000{number}-1.xlsx", b"\x00" * size) for number, size in enumerate(sizes)]
    made = datetime(2024, 2, 2, tzinfo=OSLO)
    return message_from_bytes(
        write_message(notice(form, "invitation", "nb"), OFFICE, made, files, mail).as_bytes(), policy=UNFOLDED
    )


def test_workbooks_go_with_a_letter_under_our_names(form: Form) -> None:
    message = with_files(form, Mail(), 1000, 2000)

    assert message.get_content_type() == "multipart/mixed"
    assert message["Content-Language"] == "nb"
    files = list(message.iter_attachments())
    assert [file.get_filename() for file in files] == ["BM24-0000-1.xlsx", "BM24-0001-1.xlsx"]
    assert [len(file.get_payload(decode=True)) for file in files] == [1000, 2000]
    assert {file.get_content_disposition() for file in files} == {"attachment"}


def test_a_workbook_that_is_too_large_is_left_out_and_the_letter_says_where_it_is(form: Form) -> None:
    small = Mail(max_megabytes=0.01)
    told, elsewhere = (
        with_files(form, small, 1000, 9000),
        with_files(form, small.model_copy(update={"large_files": "https://fil.no/x"}), 9000),
    )

    assert [file.get_filename() for file in told.iter_attachments()] == ["BM24-0000-1.xlsx"]
    for kind in ("plain", "html"):
        words = " ".join(body(told, kind).split())
        assert "Filen «BM24-0001-1.xlsx» er for stor til å ligge ved. Svar på denne e-posten" in words
        assert "Dere finner den her: https://fil.no/x" in " ".join(body(elsewhere, kind).split())


def test_an_office_without_an_address_is_told_so(form: Form) -> None:
    nobody = Office(name="Kontoret", email="nobody")

    with pytest.raises(MailError, match=r"office\.email"):
        write_message(write(form, [in_time()]), nobody, datetime(2024, 2, 2, tzinfo=OSLO))


HOSTILE = '<script>alert("x")</script>\r\nBcc: x@y.no\u202e{{ 7 * 7 }} {title} «'


def test_hostile_words_are_harmless(form: Form) -> None:
    finding = replace(
        YEARS,
        sheet=HOSTILE,
        row_name=HOSTILE,
        label={"nb": HOSTILE},
        message={"nb": HOSTILE},
        elsewhere=((HOSTILE, "D9"),),
    )
    item = replace(in_time(finding), title=HOSTILE, file=HOSTILE)
    letter = write(form, [item, replace(locked(), file=HOSTILE, reason={"nb": HOSTILE}, report=None)])
    message = mail_of(replace(letter, recipient=replace(letter.recipient, name=HOSTILE)))

    assert [address.addr_spec for address in message["To"].addresses] == ["post@asker.example.no"]
    assert message["Bcc"] is None
    assert "script" not in Page(body(message, "html")).tags
    text = body(message, "plain")
    assert "\u202e" not in text
    assert "{{ 7 * 7 }} {title}" in re.sub(r"\s+", " ", text)


@each_letter
def test_a_subject_arrives_as_it_was_written(form: Form, name: str) -> None:
    letter = letter_of(form, name)

    assert mail_of(letter)["Subject"] == letter.subject


def test_long_names_full_of_special_letters_are_told_in_words_that_any_mail_program_takes(form: Form) -> None:
    name = "Ærøy Ålesund Ødegård ÆØÅ øvelse åpenhet æresrunde ønskeliste ålegras ærfugl øyeblikk åreknute 🎉"
    titled = Form(FormFile.model_validate(form.file.model_dump() | {"title": {"nb": name, "nn": name}}), {}, (), {})
    owner = replace(OWNERS["nb"], name=name)
    letter = draft_notice(titled, OFFICE, owner, EXTENSION, [Reason(owner, ("", ""), reports=SENT[:1])])
    content = write_message(letter, OFFICE, datetime(2024, 2, 2, tzinfo=OSLO)).as_bytes()

    encoded = re.findall(rb"=\?utf-8\?[^ \r\n]+\?=", content)
    assert len(encoded) > 4
    assert max(map(len, encoded)) <= 75
    assert message_from_bytes(content, policy=UNFOLDED)["Subject"] == letter.subject
    other = fast_mail_parser.parse_email(content)
    assert (other.subject, other.to[0].display_name, other.to[0].address) == (letter.subject, name, owner.email)


# lists of findings


def lines(letter: Letter) -> Iterator[str]:
    for part in letter.parts:
        for group in part.groups:
            yield from (f"{group.heading}|{line.place}|{line.text}" for line in group.lines)
            if group.more:
                yield f"{group.heading}|{group.more}"


def test_findings_come_in_the_order_the_owner_meets_the_cells(form: Form) -> None:
    cells = ["Budsjett B9", "Skjema C31", "Skjema C4", "Arbeidsark A1", "Skjema AA4", " "]
    findings = [
        replace(TYPES, sheet=tab, cells=(cell,) if cell else (), label={}, message={"nb": "Rett."})
        for tab, cell in (text.split(" ") for text in cells)
    ]

    assert list(lines(write(form, [in_time(*findings)]))) == [
        "Skjema|Celle C4|Rett.",
        "Skjema|Celle AA4|Rett.",
        "Skjema|Celle C31|Rett.",
        "Budsjett|Celle B9|Rett.",
        "Hele filen||Rett.",
        "Arbeidsark|Celle A1|Rett.",
    ]


@pytest.mark.parametrize(
    ("cells", "row", "expected"),
    [
        (("C31",), "", "Celle C31, Type"),
        (("C31",), "Vikar", "Celle C31 (Vikar), Type"),
        (("C31", "C33"), "", "Cellene C31 og C33, Type"),
        (("F14:F22",), "", "Cellene F14:F22 (9 rader), Type"),
        (("F14:F16", "F20"), "", "Cellene F14:F16 og F20 (4 rader), Type"),
        (("C5:E5",), "Vikar", "Cellene C5:E5 (Vikar), Type"),
        (("F1", "F3", "F5", "F7", "F9", "F11"), "", "Cellene F1, F3, F5, F7 og 2 steder til, Type"),
        ((), "", "Type"),
        (("F14:F22",), "Type", "Cellene F14:F22 (9 rader), Type"),
        (("C7",), "Type", "Celle C7, Type"),
    ],
)
def test_a_place_is_named_as_the_owner_sees_it(form: Form, cells: tuple[str, ...], row: str, expected: str) -> None:
    finding = replace(TYPES, cells=cells, row_name=row, message={"nb": "Velg et svar."})

    assert write(form, [in_time(finding)]).parts[0].groups[0].lines[0].place == expected


def test_rows_are_counted_in_tables_only(form: Form) -> None:
    finding = replace(TYPES, sheet="Skjema", cells=("C39:C42",))

    assert write(form, [in_time(finding)]).parts[0].groups[0].lines[0].place == "Cellene C39:C42, Type"


def test_a_long_list_is_cut_short_with_the_errors_first(form: Form) -> None:
    many = [replace(TYPES, cells=(f"F{row}",)) for row in range(1, 26)]
    first, second = in_time(*many, SMALL), in_time(*many, number="0007-2")
    *_came, told_of_first, told_of_second = write(form, [first, second]).parts
    told = list(lines(replace(write(form, [first, second]), parts=(told_of_first, told_of_second))))

    assert sum("Velg type" in line for line in told) == MAX_LINES
    assert told[25] == "|Vi lurer også på én ting. Svar på denne e-posten hvis dere vil vite hva."
    assert told[-1] == "|… og 20 til. Svar på denne e-posten hvis dere vil ha hele listen."


def test_a_letter_about_several_first_says_what_came_and_then_what_was_found(form: Form) -> None:
    fine, wrong = in_time(outcome="accepted"), in_time(YEARS, number="0007-2")
    unknown = replace(locked(), report=None)
    came, *found = write(form, [fine, wrong, unknown]).parts

    assert [line.place for line in came.groups[0].lines] == ["BM24-0007-2", "Filen «melding.xlsx»", "BM24-0007-1"]
    assert [part.heading for part in found] == ["BM24-0007-2, «Språk i hele barnehagen»"]
    assert [group.heading for group in found[0].groups] == ["Skjema"]


def test_what_is_left_in_a_file_that_came_again_counts_beside_a_new_one_that_is_complete(form: Form) -> None:
    letter = write(form, [sent_again(in_time(YEARS)), in_time(outcome="accepted", number="0007-2")])

    assert letter.kind == "correction"
    assert letter.subject == "Behovsmelding BM24-0007-1: 1 opplysning må rettes innen 16. februar"
    assert not any("trenger dere ikke gjøre noe mer" in step for step in letter.steps)


def test_a_birth_number_in_the_name_of_a_file_is_not_told(form: Form) -> None:
    file = "Kari 01010112377.xlsx"
    bad = replace(locked(), file=file, report=None, reason={"nb": f"Filen «{file}» er tom."})

    for letter in (
        write(form, [replace(in_time(YEARS), file=file)]),
        write(form, [bad]),
        write(form, [bad, in_time()]),
    ):
        text = body(mail_of(letter), "plain")
        assert "•••••••••••.xlsx»" in text
        assert "01010112377" not in text


def test_what_a_contact_person_wrote_is_told_by_its_place_alone(form: Form) -> None:
    sheets = SHEETS | {"eiere": CONTACTS}
    with_contacts = Form(FormFile.model_validate(form.file.model_dump() | {"sheets": sheets}), {}, (), {})
    said = {
        "nb": "«kari hos asker» er ikke en e-postadresse. Står kari hos asker der? Skriv for eksempel navn@firma.no."
    }
    bad = Finding(
        "email", "error", "Eiere", ("C4",), ("epost",), said, {"nb": "E-post:"}, "Kari Nordmann", "kari hos asker"
    )

    letter = write(with_contacts, [in_time(bad, ORGNR)])

    own, listed = lines(letter)
    assert listed == (
        "Eiere|Celle C4|«E-post» er ikke en e-postadresse. Står «E-post» der? Skriv for eksempel navn@firma.no."
    )
    assert "«98765432»" in own  # what is no person's is told as it was written
    for kind in ("plain", "html"):
        assert "Kari" not in body(mail_of(write(with_contacts, [in_time(bad)])), kind)


def test_what_a_person_has_settled_is_not_asked_for_again(form: Form) -> None:
    letter = write(form, [in_time(YEARS, SMALL, outcome="remarks")])

    assert letter.kind == "receipt"
    assert letter.due is None
    assert not any("2025" in line for line in lines(letter))


# dates and progress


def test_corrections_are_never_due_before_the_deadline_of_the_form(form: Form) -> None:
    letter = draft_letter(form, OFFICE, OWNERS["nb"], [in_time(YEARS)], date(2024, 1, 2))

    assert letter.due == date(2024, 2, 1)
    assert letter.subject.endswith("innen 1. februar")


@pytest.mark.parametrize(
    ("today", "due"),
    [
        ((2024, 2, 15), (2024, 2, 29)),
        ((2024, 3, 15), (2024, 4, 2)),
        ((2024, 4, 13), (2024, 4, 29)),
        ((2024, 4, 17), (2024, 5, 2)),
        ((2024, 4, 25), (2024, 5, 10)),
        ((2024, 5, 3), (2024, 5, 21)),
        ((2024, 12, 11), (2024, 12, 27)),
    ],
    ids=["leap day", "Good Friday", "a Saturday", "1 May", "Ascension", "17 May before Whitsun", "Christmas"],
)
def test_corrections_are_due_on_a_working_day(form: Form, today: tuple[int, ...], due: tuple[int, ...]) -> None:
    letter = draft_letter(form, OFFICE, OWNERS["nb"], [in_time(YEARS)], date(*today))

    assert letter.due == date(*due)


@pytest.mark.parametrize(
    ("told", "now", "expected"),
    [
        ([YEARS, INVOLVED, ORGNR], [ORGNR], "2 av 3 opplysninger er rettet, og 1 gjenstår. Før"),
        ([YEARS, INVOLVED, ORGNR], [ORGNR, TYPES], "2 av 3 opplysninger er rettet, 1 gjenstår, og 1 er ny. Før"),
        ([YEARS, INVOLVED], [TYPES, ORGNR], "vi ba dere rette, er rettet. To opplysninger er nye. Før"),
        ([YEARS], [YEARS], "Opplysningen vi ba dere rette, gjenstår. Før"),
        ([YEARS], [], "Opplysningen vi ba dere rette, er rettet. Alle"),
        ([], [YEARS], "Før vi kan gå videre, må dere rette én opplysning."),
        ([ORGNR], [replace(ORGNR_NN, cells=("B13",))], "Opplysningen vi ba dere rette, gjenstår. Før"),
        ([ORGNR], [replace(ORGNR, rule="unknown")], "Opplysningen vi ba dere rette, gjenstår. Før"),
        ([ORGNR, YEARS], [replace(ORGNR, rule="unknown"), TYPES], "er rettet, 1 gjenstår, og 1 er ny. Før"),
        ([TYPES], [replace(TYPES, cells=("F22",))], "gjenstår. I det som gjenstår, er åtte rader rettet. Før"),
        ([TYPES, YEARS], [replace(TYPES, cells=("F14:F21",))], "og 1 gjenstår. I det som gjenstår, er én rad rettet."),
    ],
    ids=[
        *("some", "some and new", "other", "none", "all", "was complete", "moved"),
        *("wrong in another way", "wrong in another way and new", "rows", "one row"),
    ],
)
def test_an_owner_hears_what_has_become_of_the_last_letter(
    form: Form, told: list[Finding], now: list[Finding], expected: str
) -> None:
    item = replace(in_time(*now, outcome="needs_correction" if now else "accepted"), told=tuple(told))

    came, stands = write(form, [item]).parts[0].paragraphs
    assert came.startswith("Takk for en ny versjon")
    assert expected in stands


# the catalogue


def test_every_text_has_the_same_placeholders_in_both_languages() -> None:
    def placeholders(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text)}

    for key, text in load_texts(TEXTS).entries.items():
        assert set(text) == {"nb", "nn"}, key
        assert placeholders(text["nb"]) == placeholders(text["nn"]), key
