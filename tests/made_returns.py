"""A tiny form with a sheet of every kind, and returns of it made without workbooks."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from intake.submission import Answer, Return, Row, SheetAnswers, Submission, Value
from templates.definition import load_form
from templates.form import Form
from validation.findings import Finding
from validation.verdict import Verdict

FORM = """
form = "båtlag"
version = "1"
code = "BAT"
languages = ["nb", "nn"]
opens = 2030-01-01
deadline = 2030-02-01T23:59:59
correction_days = 14
title = { nb = "Båtplasser", nn = "Båtplassar" }
report_title = "lag.tittel"

[noun]
one = { nb = "liste", nn = "liste" }
the = { nb = "listen", nn = "lista" }
many = { nb = "lister", nn = "lister" }

[lists.steder]
file = "steder.csv"
key = "nr"
label = "navn"

[choices.slag]
KLUBB = { nb = "Klubb", nn = "Klubb" }
PRIVAT = { nb = "Privat eier", nn = "Privat eigar" }

[choices.motor]
SEIL = { nb = "Seil", nn = "Segl" }
BENSIN = { nb = "Bensin", nn = "Bensin" }

[sheets.lag]
kind = "questions"
label = { nb = "Lag", nn = "Lag" }
[sheets.lag.sections.om.questions.navn]
type = "text"
prefill = "recipient.name"
label = { nb = "Lagets navn", nn = "Namnet på laget" }
[sheets.lag.sections.om.questions.slag]
type = "choice"
choices = "slag"
prefill = "recipient.type"
label = { nb = "Slag", nn = "Slag" }
[sheets.lag.sections.om.questions.sted]
type = "kommunenr"
list = "steder"
prefill = "recipient.kommunenr"
label = { nb = "Sted", nn = "Stad" }
[sheets.lag.sections.om.questions.tittel]
type = "text"
label = { nb = "Tittel", nn = "Tittel" }
[sheets.lag.sections.om.questions.start]
type = "date"
label = { nb = "Start", nn = "Start" }
[sheets.lag.sections.om.questions.andel]
type = "percent"
label = { nb = "Andel", nn = "Del" }
[sheets.lag.sections.om]
label = { nb = "Om laget", nn = "Om laget" }

[sheets.meldinger]
kind = "table"
rows = 20
label = { nb = "Meldinger", nn = "Meldingar" }
[sheets.meldinger.questions.report]
type = "text"
label = { nb = "Båt", nn = "Båt" }
[sheets.meldinger.questions.motor]
type = "choice"
choices = "motor"
label = { nb = "Motor", nn = "Motor" }
[sheets.meldinger.questions.lengde]
type = "decimal"
label = { nb = "Lengde", nn = "Lengd" }

[sheets.penger]
kind = "grid"
label = { nb = "Penger", nn = "Pengar" }
row_label = { nb = "Post", nn = "Post" }
[sheets.penger.rows.TOMT]
label = { nb = "Tomt", nn = "Tomt" }
[sheets.penger.rows.BRYGGE]
label = { nb = "Brygge", nn = "Bryggje" }
[sheets.penger.columns.y2030]
type = "amount"
label = { nb = "2030", nn = "2030" }

[[register_columns]]
key = "brygge"
label = { nb = "Brygge 2030", nn = "Bryggje 2030" }
value = "penger.BRYGGE.y2030"
[[register_columns]]
key = "motorer"
label = { nb = "Motorer", nn = "Motorar" }
value = "STRING_AGG(meldinger.motor)"
[[register_columns]]
key = "fylke"
label = { nb = "Fylke", nn = "Fylke" }
value = "LOOKUP(steder, lag.sted, fylke)"
[[register_columns]]
key = "eier"
label = { nb = "Eier", nn = "Eigar" }
value = "lag.tittel"
[[register_columns]]
key = "start"
label = { nb = "Start", nn = "Start" }
value = "lag.start"
[[register_columns]]
key = "tittel"
label = { nb = "Tittel", nn = "Tittel" }
value = "lag.tittel"
"""
RULES = """
[[rule]]
id = "B1"
part = "late"
check = "received_by_deadline"
later = { nb = "Om det kom i tide.", nn = "Om det kom i tide." }
message = { nb = "For sent.", nn = "For seint." }
"""
PLACES = "nr,navn,fylke\n0301,Oslo,Oslo\n3203,Asker,Akershus\n"
ACROSS_RULES = f"""{RULES}
[[rule]]
id = "B5"
on = "batch"
severity = "warning"
check = "same_measure"
given = {{ scheme = "lag.slag", title = "lag.tittel" }}
later = {{ nb = "Om tittelen er brukt før.", nn = "Om tittelen er brukt før." }}
message = {{ nb = "Ligner på {{annen_id}}.", nn = "Liknar på {{annen_id}}." }}
[[rule]]
id = "B6"
on = "batch"
severity = "error"
check = "unit_in_anothers_report"
given = {{ scheme = "lag.slag", unit = "meldinger.report" }}
later = {{ nb = "Om andre har båten.", nn = "Om andre har båten." }}
message = {{ nb = "Båten er meldt av en annen.", nn = "Båten er meld av ein annan." }}
"""
REPORT, OWNER = "BAT-0001-1", "920125298"


def make_form(folder: Path, text: str = FORM, rules: str = RULES) -> Form:
    (folder / "lists").mkdir(parents=True, exist_ok=True)
    (folder / "form.toml").write_text(text, encoding="utf-8")
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    (folder / "lists" / "steder.csv").write_text(PLACES, encoding="utf-8")
    return load_form(folder)


def day(number: int, month: int = 1) -> datetime:
    return datetime(2030, month, number, 12, tzinfo=UTC)


EARLY = day(10)
LATE_FINDING = Finding("B1", "error", "", (), (), {"nb": "For sent."}, part="late")
ERROR = Finding("B2", "error", "Lag", ("C7",), ("start",), {"nb": "Fyll ut «Start».", "nn": "Fyll ut «Start»."})
REMARK = Finding("B3", "warning", "Lag", ("C8",), ("andel",), {"nb": "Stemmer det?", "nn": "Stemmer det?"})


@dataclass(frozen=True)
class Made:
    """One return to be: its content decides its SHA-256."""

    content: str = "first"
    received: datetime = EARLY
    outcome: str = "accepted"
    report: str = REPORT
    recipient: str = OWNER
    folder: str = "inbox"
    sender: str | None = "post@example.no"
    findings: tuple[Finding, ...] = ()
    questions: dict[str, Value] = field(default_factory=dict)
    table: tuple[dict[str, Value], ...] = ()
    grid: dict[str, Value] = field(default_factory=dict)

    def source(self) -> Return:
        digest = sha256(self.content.encode()).hexdigest()
        return Return(Path(self.folder) / f"{self.content}.xlsx", digest, self.received, self.sender)

    def submission(self) -> Submission:
        answers = {"tittel": self.content, **self.questions}
        rows = [answered(number, "", row) for number, row in enumerate(self.table, 8)]
        lines = [answered(number, key, {"y2030": value}) for number, (key, value) in enumerate(self.grid.items(), 8)]
        sheets = {
            "lag": SheetAnswers("Lag", {"tittel": "C10"}, (answered(0, "", answers),)),
            "meldinger": SheetAnswers("Meldinger", {"report": "B"}, tuple(rows), 8),
            "penger": SheetAnswers("Penger", {"y2030": "C"}, tuple(lines), 8),
        }
        return Submission(self.source(), "båtlag", "1", "nb", self.recipient, self.report, sheets)

    def verdict(self) -> Verdict:
        return Verdict(self.source(), self.outcome, {}, self.submission(), self.findings, self.report, self.recipient)


def answered(number: int, key: str, values: dict[str, Value]) -> Row:
    return Row(number, key, {name: Answer(value, str(value), "C10") for name, value in values.items()})


FULL = Made(
    questions={
        "navn": "Ask båtlag",
        "slag": "KLUBB",
        "sted": "3203",
        "start": date(2030, 5, 1),
        "andel": 0.425,
    },
    table=(
        {"report": "Terna", "motor": "SEIL", "lengde": 7.5},
        {"report": "Måka", "motor": "BENSIN", "lengde": 6.0},
    ),
    grid={"TOMT": 1000, "BRYGGE": 1250000},
)
