"""The whole story of one report, or of one file: what came when and from where, what was found, told and decided."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from outputs.mailing.mailroom import Key
from outputs.register.archive import archived
from outputs.register.database import among
from outputs.register.life import DECIDING, SETTLED
from outputs.register.log import arrivals, casework, decisions, letters, retimings, review_findings, reviews
from outputs.register.logbook import came
from outputs.register.outcomes import WORDS
from outputs.register.register import Register
from outputs.register.rulings import settled_files
from outputs.register.subject import find_subject
from outputs.register.waiting import SHORT, decide_words
from outputs.results import finding_json
from templates.round import Round
from validation.findings import WAIVED
from validation.rules import DEADLINE_CHECK

CHUNK = 500  # reports at a time

Story = dict[str, Any]


def story(round_: Round, register: Register, subject: str) -> Story:
    """Tell all that the register knows of a report or a file, as `show --json` prints it. Raises RefusalError."""
    with register.reading() as connection:
        report, sha256 = find_subject(round_, connection, subject)
        teller = _Teller(round_, register, connection)
        return teller.tell_file(sha256 or "") if report is None else teller.tell([report])[0]


def stories(round_: Round, register: Register, reports: Sequence[str]) -> Iterator[Story]:
    """Tell of many reports, in order."""
    with register.reading() as connection:
        teller = _Teller(round_, register, connection)
        for start in range(0, len(reports), CHUNK):
            yield from teller.tell(reports[start : start + CHUNK])


class _Teller:
    """Reads what all stories share once, and what each has of its own for many of them at a time."""

    def __init__(self, round_: Round, register: Register, connection: Connection) -> None:
        self.round = round_
        self.register = register
        self.connection = connection
        self.zone = round_.form.zone
        self.sent = round_.sent()
        self.kept = {sha256: path.name for sha256, path in archived(round_)}
        self.settled = settled_files(connection)
        self.undecidable = {rule.id for rule in round_.form.rules if rule.check == DEADLINE_CHECK}
        self.letters = self._letters_by_subject()
        self.written = self._casework()

    def tell_file(self, sha256: str) -> Story:
        """Tell of a file that is no version of any report."""
        files = self._files(self._rows(came.c.sha256 == sha256))
        return self._told(None, files, None, self._decisions(decisions.c.report.is_(None)))

    def tell(self, reports: Sequence[str]) -> list[Story]:
        """Tell of these reports, in order."""
        table, version = self.register.current.report, self.register.current.version
        rows = self._rows(among(came.c.report, reports) | among(version.c.report, reports))
        files: dict[str, list[Story]] = {report: [] for report in reports}
        for row, file in zip(rows, self._files(rows), strict=True):
            for report in {row["report"], row["version_of"]} & files.keys():
                files[report].append(file)
        standing = self.connection.execute(select(table).where(among(table.c.report, reports))).mappings()
        now = {row["report"]: row for row in standing}
        decided = self._decisions(among(decisions.c.report, reports))
        return [self._told(report, files[report], now.get(report), decided) for report in reports]

    def _told(
        self, report: str | None, files: Sequence[Story], row: RowMapping | None, decided: Sequence[RowMapping]
    ) -> Story:
        sha256s = [file["sha256"] for file in files]
        sent = self.sent.get(report or "")
        return {
            **self._standing(report, files, row),
            "workbook": f"sent/{sent.file}" if sent else None,
            "files": list(files),
            "letters": self._letters({report, *sha256s}),
            "decisions": self._decided(report, {file["sha256"]: file["number"] for file in files}, decided),
            "casework": self.written.get(report or "", []),
            "commands": list(self._commands(report, files)),
        }

    def _standing(self, report: str | None, files: Sequence[Story], found: RowMapping | None) -> Story:
        row = found or {"status": files[0]["outcome"], "recipient": files[0]["recipient"]}
        registered = self.round.recipients.get(row["recipient"] or "")
        return {
            "report": report,
            "recipient": row["recipient"],
            "owner": registered.name if registered else row.get("owner"),
            "title": row.get("title"),
            "status": row["status"],
            "correction_deadline": self._when(row.get("correction_deadline")),
        }

    def _rows(self, which: ColumnElement[bool]) -> Sequence[RowMapping]:
        """Read the versions, and what else came in, in order of receipt."""
        version, current = self.register.current.version, self.register.current.report
        query = (
            select(
                came,
                version.c.number,
                version.c.report.label("version_of"),
                version.c.outcome.label("now"),
                current.c.sha256.label("counts"),
            )
            .outerjoin(version, version.c.sha256 == came.c.sha256)
            .outerjoin(current, current.c.report == version.c.report)
            .where(which)
            .order_by(came.c.received, came.c.path)
        )
        return self.connection.execute(query).mappings().all()

    def _files(self, rows: Sequence[RowMapping]) -> list[Story]:
        sha256s = [row["sha256"] for row in rows]
        found = self.register.findings_in(sha256s)
        seen, reviewed = self._arrivals(sha256s), self._reviews(sha256s)
        retimed = self._retimings(sha256s)
        return [
            {
                "number": row["number"],
                "sha256": row["sha256"],
                "file": row["name"],
                "received": self._when(row["received"]),
                "sender": row["sender"],
                "recipient": row["recipient"],
                "received_as": row["outcome"],
                "outcome": row["now"] or self.settled.get(row["sha256"], row["outcome"]),
                "counts": row["counts"] == row["sha256"],
                "reason": row["reason"].get(self.round.form.languages[0]),
                "original": f"archive/{self.kept[row['sha256']]}" if row["sha256"] in self.kept else None,
                "seen": seen.get(row["sha256"], []),
                "findings": [finding_json(one) for one in found.get(row["sha256"], ())],
                "reviews": reviewed.get(row["sha256"], []),
            }
            | ({"retimed": retimed[row["sha256"]]} if row["sha256"] in retimed else {})
            for row in rows
        ]

    def _arrivals(self, sha256s: Sequence[str]) -> dict[str, list[Story]]:
        query = select(arrivals).where(among(arrivals.c.sha256, sha256s)).order_by(arrivals.c.seen_at, arrivals.c.path)
        told: dict[str, list[Story]] = {}
        for row in self.connection.execute(query).mappings():
            seen = {"path": row["path"], "at": self._when(row["seen_at"]), "by": row["by"], "outcome": row["outcome"]}
            told.setdefault(row["sha256"], []).append(seen)
        return told

    def _retimings(self, sha256s: Sequence[str]) -> dict[str, list[Story]]:
        """List when a file came again and told better when it was received."""
        query = select(retimings).where(among(retimings.c.sha256, sha256s)).order_by(retimings.c.id)
        told: dict[str, list[Story]] = {}
        for row in self.connection.execute(query).mappings():
            one = {key: row[key] for key in ("path", "clock", "outcome", "by")}
            moments = {"at": self._when(row["at"]), "received": self._when(row["received"])}
            told.setdefault(row["sha256"], []).append(moments | one)
        return told

    def _reviews(self, sha256s: Sequence[str]) -> dict[str, list[Story]]:
        """List when other reports changed what is found, and by which rules it was found then."""
        query = (
            select(reviews, review_findings.c.rule)
            .outerjoin(review_findings, review_findings.c.review == reviews.c.id)
            .where(among(reviews.c.sha256, sha256s))
            .order_by(reviews.c.id, review_findings.c.position)
        )
        told: dict[str, dict[int, Story]] = {}
        for row in self.connection.execute(query).mappings():
            first = {"at": self._when(row["at"]), "by": row["by"], "why": row["why"], "rules": []}
            one = told.setdefault(row["sha256"], {}).setdefault(row["id"], first)
            one["rules"] += [row["rule"]] if row["rule"] else []
        return {sha256: list(one.values()) for sha256, one in told.items()}

    def _letters_by_subject(self) -> dict[str, list[RowMapping]]:
        """Sort all letters by what they are about: the SHA-256 of files, and reports."""
        about: dict[str, list[RowMapping]] = {}
        for row in self.connection.execute(select(letters).order_by(letters.c.id)).mappings():
            for what, _ in Key.parse(row["key"]).about:
                about.setdefault(what, []).append(row)
        return about

    def _letters(self, whom: set[str | None]) -> list[Story]:
        """List the letters about these, the oldest first."""
        keys = ("kind", "to", "subject", "path", "state")
        rows = {row["id"]: row for what in whom if what for row in self.letters.get(what, ())}
        return [
            {"at": self._when(row["made_at"]), **{key: row[key] for key in keys}} for _, row in sorted(rows.items())
        ]

    def _decisions(self, which: ColumnElement[bool]) -> Sequence[RowMapping]:
        return self.connection.execute(select(decisions).where(which).order_by(decisions.c.id)).mappings().all()

    def _decided(
        self, report: str | None, numbers: Mapping[str, int | None], decided: Sequence[RowMapping]
    ) -> list[Story]:
        rows = [
            row for row in decided if row["report"] == report and (report or numbers.keys() & row["rulings"].keys())
        ]
        return [
            {
                "at": self._when(row["at"]),
                "by": row["by"],
                "decision": row["what"],
                "reason": row["reason"],
                "rulings": [
                    {"number": numbers.get(sha256), "sha256": sha256, "ruling": ruling}
                    for sha256, ruling in row["rulings"].items()
                ],
                "waives": row["waives"],
            }
            for row in rows
        ]

    def _casework(self) -> dict[str, list[Story]]:
        """List what caseworkers have written, by report, in order."""
        told: dict[str, list[Story]] = {}
        for row in self.connection.execute(select(casework).order_by(casework.c.id)).mappings():
            one = {"at": self._when(row["at"]), "by": row["by"], "field": row["field"], "value": row["value"]}
            told.setdefault(row["report"], []).append(one)
        return told

    def _when(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self.zone).isoformat() if moment else None

    def _commands(self, report: str | None, files: Sequence[Story]) -> Iterator[str]:
        """List what a person can decide now."""
        if report is None:
            if files[0]["outcome"] == files[0]["received_as"]:
                yield f"behov {decide_words(files[0]['sha256'][:SHORT], 'reject')}"
            return
        versions = [file for file in files if file["number"]]
        for what, permitted in DECIDING.items():
            able = [file for file in versions if file["outcome"] in permitted]
            counting = [file for file in able if file["counts"]]
            if what == "waive" and any(self._can_be_waived(one) for file in counting for one in file["findings"]):
                yield f"behov {decide_words(report, what, 'RULE')}"
            elif what == "withdraw" and counting:
                yield f"behov {decide_words(report, what)}"
            elif what == "prefer" and len(versions) > 1 and able:
                yield f"behov {decide_words(report, what, 'VERSION')}"
            elif what in ("accept", "accept-late", "reject"):
                yield from (f"behov {decide_words(report, what, str(file['number']))}" for file in able)

    def _can_be_waived(self, finding: Story) -> bool:
        return finding["severity"] != WAIVED and finding["rule"] not in self.undecidable


# for the terminal


def story_lines(told: Story, language: str) -> Iterator[str]:
    """The story in lines."""
    head = "  ".join(filter(None, (told["report"], told["owner"], f"«{told['title']}»" if told["title"] else "")))
    yield head or told["files"][0]["file"]
    yield f"  {'now':<12}{WORDS[told['status']]}"
    if told["correction_deadline"]:
        yield f"  {'correct by':<12}{_time(told['correction_deadline'])}"
    if told["workbook"]:
        yield f"  {'sent':<12}{told['workbook']}"
    for file in told["files"]:
        yield ""
        yield from _file_lines(file, language)
    yield from _event_lines(told)
    yield from _casework_lines(told)
    if told["commands"]:
        yield "\nYou can"
        yield from (f"  {command}" for command in told["commands"])


def _file_lines(file: Story, language: str) -> Iterator[str]:
    name = f"Version {file['number']}" if file["number"] else "File"
    counts = file["counts"] and file["outcome"] not in SETTLED
    yield f"{name}: {WORDS[file['outcome']]}{', and it counts' if counts else ''}"
    sender = f" from {file['sender']}" if file["sender"] else ""
    yield f"  {'file':<12}«{file['file']}»  {file['sha256'][:SHORT]}"
    yield f"  {'received':<12}{_time(file['received'])}{sender}"
    if file["reason"]:
        yield f"  {'reason':<12}{file['reason']}"
    if file["original"]:
        yield f"  {'original':<12}{file['original']}"
    for seen in file["seen"]:
        yield f"  {'taken in':<12}{_time(seen['at'])} by {seen['by']}  {seen['path']}  ({WORDS[seen['outcome']]})"
    for again in file.get("retimed", ()):
        words = f"received {_time(again['received'])} after all, as {again['path']} tells"
        yield f"  {'judged anew':<12}{_time(again['at'])} by {again['by']}: {words}  ({WORDS[again['outcome']]})"
    for finding in file["findings"]:
        place = " ".join(filter(None, (finding["sheet"], ", ".join(finding["cells"]))))
        waiver = f" – {finding['waiver']}" if finding.get("waiver") else ""
        yield f"  {finding['severity']:<8}{finding['rule']:<6} {place:<23} {finding['message'][language]}{waiver}"
    for review in file["reviews"]:
        found = ", ".join(review["rules"]) or "nothing any more"
        yield f"  {'beside other reports':<21}{_time(review['at'])} ({review['why']}): {found}"


def _event_lines(told: Story) -> Iterator[str]:
    if told["letters"]:
        yield "\nLetters"
        for letter in told["letters"]:
            to = ", ".join(letter["to"]) or "nobody yet"
            yield f"  {_time(letter['at'])}  {letter['kind']}, {letter['state']}, to {to}  {letter['path']}"
    if told["decisions"]:
        yield "\nDecisions"
        for one in told["decisions"]:
            about = ", ".join([_ruled(ruling["number"], ruling["ruling"]) for ruling in one["rulings"]] + one["waives"])
            told_of = f"  ({about})" if about else ""
            yield f"  {_time(one['at'])}  {one['decision']} by {one['by']}: {one['reason']}{told_of}"


def _ruled(number: int | None, ruling: str) -> str:
    return f"version {number} {ruling}" if number else ruling


def _casework_lines(told: Story) -> Iterator[str]:
    if told["casework"]:
        yield "\nCaseworkers"
        for one in told["casework"]:
            value = "emptied" if one["value"] is None else one["value"]
            yield f"  {_time(one['at'])}  {one['field']}: {value}  by {one['by']}"


def _time(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%d.%m.%Y %H:%M}"
