"""Any history of a round, step by step: nothing is ever lost, and the current state is what the log says."""

import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Column, Connection, Table, event, select

from intake.submission import MAIL_SERVER
from outputs.care.forget import Forgetting, forget
from outputs.care.upkeep import rebuild
from outputs.care.verify import current_state, verify
from outputs.checking import known_of
from outputs.exports.exports import export
from outputs.imports.imports import Incoming, look_through
from outputs.letters.feedback import KINDS
from outputs.letters.notice_letters import REMINDER
from outputs.mailing import mailroom
from outputs.mailing.mailroom import known, sends_itself
from outputs.mailing.notices import make_reminders
from outputs.mailing.outbox import Told, make_letters
from outputs.mailing.standing import standing_returns
from outputs.register.archive import archive
from outputs.register.case_log import read_casework
from outputs.register.decide import Wish, decide
from outputs.register.letter_states import COUNTING, SENT
from outputs.register.letter_states import WAITING as WAITING_LETTERS
from outputs.register.life import AS_FOUND, AS_RECEIVED, DECIDING, JUDGED, TRANSITIONS, WAITING
from outputs.register.log import APPEND_ONLY, ERASABLE, failures, letters, submissions
from outputs.register.refusals import RefusalError
from outputs.register.register import Register
from templates.round import Round, Sent
from tests.databases import Places
from tests.made_returns import ACROSS_RULES, ERROR, FORM, LATE_FINDING, OWNER, REMARK, Made, day, make_form
from tests.test_casework import write
from validation.findings import Finding
from validation.verdict import Verdict

OTHER = "964952612"
REPORTS = {"BAT-0001-1": OWNER, "BAT-0001-2": OWNER, "BAT-0002-1": OTHER}
RECIPIENTS = f"""orgnr;navn;type;epost;språk
{OWNER};Ask båtlag;KLUBB;ask@example.no;nb
{OTHER};Våg båtlag;KLUBB;vaag@example.no;nn
"""
RULES = f"""{ACROSS_RULES}
[[rule]]
id = "B7"
on = "register"
severity = "warning"
check = "in_register"
given = {{ orgnr = "meldinger.report" }}
later = {{ nb = "Om båten er i registeret.", nn = "Om båten er i registeret." }}
message = {{ nb = "Ikke i {{register}} per {{registerdato}}.", nn = "Ikkje i {{register}} per {{registerdato}}." }}
"""
UNITS = ("974760673", "974761319")  # boats, as good as any
KARI = "Kari"
FOUND: dict[str, tuple[Finding, ...]] = {
    "accepted": (),
    "remarks": (REMARK,),
    "needs_correction": (ERROR, REMARK),
    "late": (LATE_FINDING, ERROR),
    "quarantined": (),
}
SHOWN = {AS_FOUND: JUDGED, AS_RECEIVED: (*JUDGED, *WAITING)}
Rows = dict[str, set[str]]


def allowed() -> set[tuple[str, str]]:
    """List every change of state that the table permits in one step, from any state to any other."""
    pairs = {(state, to) for moves in TRANSITIONS.values() for state, to in moves.items()}
    return {(state, one) for state, to in pairs for one in SHOWN.get(to, (to,))}


@st.composite
def versions(draw: st.DrawFn) -> Made:
    """One file: of any report, in time or late, with a title and a boat that others may have too."""
    outcome = draw(st.sampled_from(sorted(FOUND)))
    report = draw(st.sampled_from(sorted(REPORTS)))
    number = draw(st.integers(0, 9))
    received = day(1 + number, month=2) + timedelta(days=1) if outcome == "late" else day(10 + number)
    title, boat = draw(st.sampled_from(("Brygge", "Slipp"))), draw(st.sampled_from(("Terna", UNITS[0], None)))
    return Made(
        content=f"{report} {outcome} {number} {title} {boat}",
        received=received,
        outcome=outcome,
        report=report,
        recipient=REPORTS[report],
        findings=FOUND[outcome],
        questions={"slag": "KLUBB", "tittel": title},
        table=({"report": boat, "motor": "SEIL"},) if boat else (),
    )


class History(RuleBasedStateMachine):
    """One round, and a person at the desk."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self.places = Places(places.folder, places.server)  # a new register for each history

    @initialize(
        server=st.sampled_from(("", '[mail]\nhost = "smtp.kontoret.no"\n')), batch=st.lists(versions(), max_size=2)
    )
    def start(self, server: str, batch: list[Made]) -> None:
        folder = Path(tempfile.mkdtemp(prefix="behov-"))
        make_form(folder / "form", FORM, RULES)
        office = '[office]\nname = "Kontoret"\nemail = "post@kontoret.no"\n'
        settings_ = f'{self.places.setting()}form = "{(folder / "form").as_posix()}"\n{office}{server}'
        (folder / "round.toml").write_text(settings_, encoding="utf-8")
        (folder / "recipients.csv").write_text(RECIPIENTS, encoding="utf-8")
        self.round = Round(folder)
        self.now = datetime(2030, 3, 1, 9, tzinfo=UTC)
        self.taken: dict[str, Made] = {}
        self.failed: set[str] = set()
        self.before: Rows = {}
        self.states: dict[str, str] = {}
        self.sent: list[Sent] = []
        self.exported: Path | None = None
        self.casework: dict[str, dict[str, int]] = {}
        self.reopen()
        self.ingest(batch)

    @rule()
    def reopen(self) -> None:
        self.register = Register.of(self.round, known_of(self.round))

    # what happens

    @rule(report=st.sampled_from(sorted(REPORTS)))
    def send_out(self, report: str) -> None:
        if all(line.report != report for line in self.sent):
            self.sent.append(Sent(report, REPORTS[report], 1, 1, "nb", f"{report}.xlsx"))
            self.round.write_sent(self.sent)
            self.make_workbooks()

    @rule(batch=st.lists(versions(), min_size=1, max_size=3))
    def ingest(self, batch: list[Made]) -> None:
        self.take_in(batch)
        self.taken.update({made.source().sha256: made for made in batch})

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def send_the_same_again(self, data: st.DataObject) -> None:
        made = data.draw(st.sampled_from(sorted(self.taken.values(), key=str)))
        before = self.log()

        outcomes = self.take_in([made])
        changed = self.changes(lambda: self.take_in([made]))

        assert outcomes == ["duplicate"]
        assert (self.log(), changed) == (before, 0), "a second identical ingest writes nothing"

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def send_the_same_from_elsewhere(self, data: st.DataObject) -> None:
        made = data.draw(st.sampled_from(sorted(self.taken.values(), key=str)))

        assert self.take_in([replace(made, folder="elsewhere")]) == ["duplicate"]

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), number=st.integers(1, 40))
    def send_the_same_by_mail(self, data: st.DataObject, number: int) -> None:
        """A mail knows when it was received, and may be in time though the file alone was not, or the other way."""
        made = data.draw(st.sampled_from(sorted(self.taken.values(), key=str)))
        received = day(1) + timedelta(days=number)
        source = replace(made.source(), path=Path(f"inbox/{number}.eml/x.xlsx"), received=received, clock=MAIL_SERVER)

        [verdict] = self.register.merge([Verdict(source, "duplicate")], self.now)

        assert verdict.outcome == "duplicate"
        with self.register.reading() as connection:
            emptied = connection.scalars(select(submissions.c.sha256).where(submissions.c.forgotten.is_not(None))).all()
        known = self.register.submissions([made.report]).values()
        mine = [one for one in known if one.source.sha256 == source.sha256 and source.sha256 not in emptied]
        assert all(one.source.received <= received for one in mine)

    @rule(made=versions())
    def fail_to_read(self, made: Made) -> None:
        sha256 = made.source().sha256
        if sha256 not in self.taken:
            places = (made, replace(made, folder="elsewhere"))
            self.register.merge([Verdict(one.source(), "failed", {"nb": "Feil hos oss."}) for one in places], self.now)
            self.failed.add(sha256)

    @rule(made=versions())
    def look_only(self, made: Made) -> None:
        before = self.log()
        self.register.merge([made.verdict()], self.now, keep=False)
        assert self.log() == before

    @rule(
        report=st.sampled_from(sorted(REPORTS)),
        what=st.sampled_from(sorted(DECIDING)),
        number=st.sampled_from(("", "1", "2", "3")),
        found=st.sampled_from(("B2", "B3", "B5", "B6")),
    )
    def decide(self, report: str, what: str, number: str, found: str) -> None:
        self.now += timedelta(hours=1)
        before = self.log()
        about = found if what == "waive" else number
        try:
            done = decide(self.round, self.register, report, Wish(what, about, f"sak {self.now}", "Kari", self.now))
        except RefusalError:
            assert self.log() == before, "what is refused is not logged"
        else:
            assert done.changed
            version = self.register.current.version
            query = select(version.c.sha256, version.c.outcome)
            with self.register.reading() as connection:
                chosen = connection.execute(
                    query.where(version.c.report == report, version.c.number == done.version)
                ).all()
            for sha256, outcome in chosen:
                to = DECIDING[what][self.states[sha256]]
                assert outcome in SHOWN.get(to, (to,)), "the version decided on goes where the table says"

    @rule()
    def feedback(self) -> None:
        self.now += timedelta(hours=1)
        make_letters(self.round, self.register, self.now)
        assert make_letters(self.round, self.register, self.now) == []
        with self.register.reading() as connection:
            rows = standing_returns(connection, self.register, self.round)
            true = {(row["sha256"], row["stood"]) for row in rows}
            last = Told.read(connection, COUNTING).stands
            waiting = {pair for key in known(connection, KINDS, WAITING_LETTERS) for pair in key.about}
        assert true <= set(last.items()), "what everybody was told last is how things stand"
        assert waiting <= true or not sends_itself(self.round), "nobody is sent what is no longer so"

    @rule()
    def remind(self) -> None:
        self.now += timedelta(days=10)
        make_reminders(self.round, self.register, self.now)
        assert make_reminders(self.round, self.register, self.now) == []

    @rule()
    def send(self) -> None:
        with self.register.writing() as connection:
            for number in mailroom.waiting(connection, (*KINDS, REMINDER)):
                mailroom.move(connection, number, SENT, "250 OK", self.now)

    @rule()
    def export(self) -> None:
        self.exported = self.round.exports / "register.xlsx"
        export(self.round, self.register, self.exported, "nb", self.now)
        before = self.log()
        export(self.round, self.register, self.exported, "nb", self.now)
        assert self.log() == before, "an export with nothing new is the last one again"

    @rule(priority=st.integers(1, 3), anew=st.booleans())
    def import_casework(self, priority: int, *, anew: bool) -> None:
        """What a caseworker wrote in an export, which may be of long ago, is taken in as it is or refused as it is."""
        if anew or not self.exported:
            self.export()
        assert self.exported
        filled = write(self.exported, {report: {"Prioritet": priority} for report in REPORTS})
        before = self.log()

        incoming = look_through(self.round, self.register, filled)
        assert not (anew and incoming.blocked), "an export of now is not stale"
        if incoming.is_new and not incoming.blocked:
            incoming.keep(KARI, self.now)
            for change in incoming.json(applied=True)["changes"]:
                self.casework.setdefault(change["report"], {})[change["field"]] = change["after"]
            before = self.log()
            incoming = look_through(self.round, self.register, filled)

        assert incoming.blocked or not incoming.is_new
        assert self.log() == before
        if anew:
            assert all(self.casework[row["report"]] == {"priority": priority} for row in self.register.reports())

    @rule(day_=st.integers(1, 9), units=st.sets(st.sampled_from(UNITS), min_size=1))
    def import_register(self, day_: int, units: set[str]) -> None:
        """A register of any day, older than the last one or not, or the same once more."""
        path = self.round.folder / "enheter.csv"
        lines = [f"{orgnr};Båt;True;False;True;3203" for orgnr in sorted(units)]
        heads = "Organisasjonsnummer;Navn;ErAktiv;ErSkole;ErBarnehage;Kommunenummer"
        path.write_text("\n".join([heads, *lines]), encoding="utf-8")

        def look() -> Incoming:
            return look_through(self.round, self.register, path, dated=date(2030, 1, day_))

        if look().is_new:
            look().keep(KARI, self.now)
        newest = max(self.round.known.iterdir()).name[:14]  # NBR-2030-01-09
        assert look().is_new == (newest != f"NBR-2030-01-{day_:02}")

    @rule()
    def forget(self) -> None:
        """When all is settled persons are forgotten, and nothing else is lost."""
        self.now += timedelta(hours=1)
        self.send()
        for report in REPORTS:
            for number in ("", "1", "2", "3"):
                with suppress(RefusalError):
                    decide(self.round, self.register, report, Wish("reject", number, "over", KARI, self.now))
        fixed = self.log(erasable=False)
        try:
            forget(self.round, self.register, Forgetting(KARI, "runden er over", self.now))
        except RefusalError:
            assert self.log(erasable=False) == fixed
            return
        kept = self.log(erasable=False)
        assert all(rows <= kept[name] for name, rows in fixed.items()), "only what names persons is emptied"
        assert "@example.no" not in f"{self.log()} {self.state()}"
        assert not (self.exported and self.exported.exists())
        self.exported = None
        self.make_workbooks()
        self.before = self.log()

    @rule()
    def rebuild(self) -> None:
        before = self.log(), self.state()
        rebuild(self.round, self.now)
        assert (self.log(), self.state()) == before

    # what holds

    @invariant()
    def nothing_is_lost(self) -> None:
        log = self.log()
        for name, rows in self.before.items():
            assert rows <= log[name], f"{name} has lost or changed something"
        self.before = log
        logged = {name: " ".join(log[name]) for name in ("returns", "submissions")}
        for sha256 in self.taken:
            assert all(sha256 in rows for rows in logged.values())
        with self.register.reading() as connection:
            assert set(connection.scalars(select(failures.c.sha256))) == self.failed

    @invariant()
    def what_caseworkers_wrote_is_there(self) -> None:
        with self.register.reading() as connection:
            assert read_casework(connection) == self.casework

    @invariant()
    def the_state_is_what_the_log_says(self) -> None:
        before = self.state()
        with self.register.tried():
            self.register.rebuild()
            assert self.state() == before

    @invariant()
    def each_version_is_in_one_state_and_came_there_by_the_table(self) -> None:
        version, report = self.register.current.version, self.register.current.report
        with self.register.reading() as connection:
            rows = connection.execute(select(version.c.sha256, version.c.outcome)).all()
            counting = connection.execute(select(report.c.sha256, report.c.status)).all()
        states = {row.sha256: row.outcome for row in rows}
        assert states.keys() == self.taken.keys()
        changes = {(self.states.get(sha256, "received"), state) for sha256, state in states.items()}
        assert {change for change in changes if change[0] != change[1]} <= ALLOWED
        assert all(states[row.sha256] == row.status for row in counting)
        self.states = states

    def teardown(self) -> None:
        problems = verify(self.round, self.register)
        shutil.rmtree(self.round.folder)
        assert problems == []

    # helpers

    def make_workbooks(self) -> None:
        for line in self.sent:
            (self.round.sent_folder / line.file).write_bytes(b"workbook")

    def take_in(self, batch: Iterable[Made]) -> list[str]:
        made = list(batch)
        for one in made:
            path = self.round.inbox / one.source().name
            path.parent.mkdir(exist_ok=True)
            path.write_text(one.content, encoding="utf-8")
            archive(self.round, replace(one.source(), path=path))
        return [verdict.outcome for verdict in self.register.merge([one.verdict() for one in made], self.now)]

    def log(self, *, erasable: bool = True) -> Rows:
        """Read every row of the log: all of it, or what a person cannot have forgotten."""
        left = {letters: {"state", "path", "to", "subject"}}  # a letter that is overtaken may be made again
        if not erasable:
            left = {table: {"forgotten", *columns, *left.get(table, ())} for table, columns in ERASABLE.items()}
        with self.register.reading() as connection:
            return {
                table.name: set(map(repr, connection.execute(select(*_but(table, left.get(table, ()))))))
                for table in (*APPEND_ONLY, letters)
            }

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.register.reading() as connection:
            return current_state(self.register, connection)

    def changes(self, work: Any) -> int:  # noqa: ANN401 - anything to do
        """Count what the database writes meanwhile: rows of SQLite, transactions of PostgreSQL that wrote anything."""
        counted = []

        def count(connection: Connection) -> None:
            if self.places.server:
                counted.append(
                    connection.exec_driver_sql("SELECT count(pg_current_xact_id_if_assigned())").scalar_one()
                )
            else:
                counted.append(connection.connection.dbapi_connection.total_changes)  # type: ignore[union-attr]

        event.listen(self.register.engine, "commit", count)
        work()
        event.remove(self.register.engine, "commit", count)
        return sum(counted)


def _but(table: Table, names: Iterable[str]) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in names]


ALLOWED = allowed()


def test_whatever_happens_nothing_is_lost_and_the_state_is_what_the_log_says(places: Places) -> None:
    # A history of twelve steps can be read as it is; making it shorter takes minutes.
    histories = settings(
        max_examples=4 if places.server else 15,
        stateful_step_count=12,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: History(places), settings=histories)  # type: ignore[arg-type]
