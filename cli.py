"""The command line: parse, call, echo. The only place that prints and sets exit codes."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from outputs.progress import Progress, fitted, progress, silent
from outputs.register.letter_states import ORDERS

if TYPE_CHECKING:
    from outputs.care.rehearsal import Rehearsal
    from outputs.mailing.sending import Run
    from outputs.register.register import Register
    from templates.form import Form
    from templates.round import Round

DONE, NEEDS_A_PERSON, WRONG_USE, OUR_FAILURE = 0, 1, 2, 3
LOOKS = ("list", "show")  # of the outbox: they change nothing
OUTBOX_ACTIONS = (*LOOKS, *ORDERS)
DECISIONS = ("accept", "accept-late", "reject", "withdraw", "prefer", "waive")  # outputs.register.life.DECIDING
QUIET = "behov.quiet"  # whether results are told, among what click keeps for a command
NOTED = "behov.noted"  # whether what is told goes into the run's log
PLAYED = "behov.played"  # the copy of the round that a command with --dry-run is played in
TYPED = "behov.typed"  # the words of the command, for the run's log
LONGEST = 200  # characters of what is said of a command in a list
INTERRUPTED = 130  # as shells say it
DAYS = ("%Y-%m-%d", "%d.%m.%Y")
SOME_DAY = datetime(2024, 2, 15, 14, 30)  # noqa: DTZ001 - to show how one is written
EXPORTS = ("xlsx", "csv", "parquet", "journal")
TIMES = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M")


class WrongUse(click.ClickException):
    """Something the user can put right: one sentence, exit code 2."""

    exit_code = WRONG_USE

    def format_message(self) -> str:
        return _fitted(f"Error: {self.message}", sys.stderr).removeprefix("Error: ")


class Moment(click.DateTime):
    """A day, or a day and a time; what is none is told with how one is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            raise WrongUse(f"«{value}» is not understood; write it as {SOME_DAY:{self.formats[0]}}") from None


class Commands(click.Group):
    """The commands; each can be stopped with Ctrl-C and taken up again."""

    group_class = type  # a group within it is one too

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with its first sentence, whole: click would cut it off at the end of the line."""
        commands = {name: self.commands[name] for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(LONGEST)) for name, one in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta.setdefault(TYPED, list(args))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nStopped. What was done is kept; the same command again goes on from there.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--round",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="The round's folder.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say only what is wrong, and what --json asks for.")
@click.option("--verbose", "-v", is_flag=True, help="Tell every step as well, as the file in logs/ does.")
@click.version_option(package_name="behov")
@click.pass_context
def main(context: click.Context, folder: Path, *, quiet: bool, verbose: bool) -> None:
    """Run a round of forms by Excel: send workbooks out, take them in, tell owners what to correct.

    Start with: behov demo
    """
    from outputs.runlog import run_log

    context.obj = folder
    context.meta[QUIET] = quiet
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name with letters that the code page lacks ends no command
    in_a_round = (folder / "round.toml").exists()
    context.with_resource(run_log(folder if in_a_round else None, context.meta[TYPED], verbose=verbose))


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
send_option = click.option("--send", is_flag=True, help="Send what is queued; without it nothing leaves this machine.")
redirect_option = click.option("--redirect", metavar="ADDRESS", help="With --send: copies to a test address instead.")


def writes(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--dry-run`: it is played in a copy of the round, and tells what it would have done."""

    @dry_run_option
    @wraps(command)
    def play(folder: Path, *, dry_run: bool, **options: Any) -> None:  # noqa: ANN401 - as click has it
        if options.get("other"):
            folder, options["other"] = options["other"], None
        if not dry_run:
            with _noted():
                command(folder, **options)
            return
        from outputs.care.rehearsal import rehearsal
        from outputs.runlog import unwritten

        code: Any = DONE
        with _told_plainly(), unwritten(), rehearsal(folder) as played:
            click.get_current_context().meta[PLAYED] = played
            try:
                command(played.folder, **options)
            except click.ClickException as error:
                raise WrongUse(played.as_told(error.message)) from None
            except SystemExit as end:
                code = end.code
        if not options.get("as_json"):
            _say("Nothing was written (--dry-run): this is what would be done without it.")
        sys.exit(code)

    return play


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
@click.option("--form", "form_name", default="behovsmelding-2024", show_default=True, help="The form to show.")
@click.option(
    "--returns",
    type=click.IntRange(1, 20000),
    help="How many reports (default: as many as in the form's mix).",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same round.")
@json_option
@writes
def demo(folder: Path, form_name: str, returns: int | None, seed: int, *, as_json: bool) -> None:
    """Make a complete round on sample data, from workbooks to letters."""
    from outputs.demo import demo_lines, run_demo
    from outputs.runlog import run_log

    with run_log(folder, click.get_current_context().meta[TYPED]):
        with _told_plainly():
            done = run_demo(folder, form_name, returns, seed, _progress())
        counts = {"workbooks": done.sent, "reports": done.reports, "letters": done.letters}
        document = {**counts, "places": {label: str(path) for label, path in done.places.items()}}
        _give(document, demo_lines(done, folder), as_json=as_json)
        if any(verdict.outcome == "failed" for verdict in done.verdicts):
            sys.exit(OUR_FAILURE)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--form", "form_name", required=True, help="The name of a form, or a folder that holds one.")
@json_option
@writes
def new(folder: Path, form_name: str, *, as_json: bool) -> None:
    """Start a round folder."""
    from templates.round import new_round

    with _told_plainly():
        new_round(folder, form_name)
    after = "fill in round.toml (sender, deadline) and put your owners in recipients.csv, then: behov send-out"
    _give({"folder": str(folder)}, [f"Made {folder}. Next: {after}"], as_json=as_json)


@main.command("send-out")
@click.option("--skip-bad", is_flag=True, help="Leave out recipients whose row needs you.")
@click.option("--copies", type=click.IntRange(1, 99), help="Workbooks for each owner, instead of the column «antall».")
@send_option
@redirect_option
@json_option
@click.pass_obj
@writes
def send_out(
    folder: Path, *, skip_bad: bool, copies: int | None, send: bool, redirect: str | None, as_json: bool
) -> None:
    """Make a workbook for every recipient, in sent/, and the letter it goes with."""
    from outputs.letters.notice_letters import INVITATION
    from outputs.letters.stationery import stationery_of
    from outputs.mailing.notices import make_invitations
    from outputs.results import sent_out_json
    from outputs.telling import bad_rows, sent_out_lines
    from templates import sendout

    with _told_plainly():
        round_, register = _register(folder)
        good, bad = round_.read_recipients()
        if not (good or bad):
            raise WrongUse("there is nobody to send to; put your owners in recipients.csv, one row each")
        if bad and not skip_bad:
            raise WrongUse(bad_rows(round_, good, bad))
        stationery_of(round_)  # what is wrong with the letters is told before a workbook is made
        lines = sendout.plan(round_, good, copies)
        with _progress()("Workbooks", len(lines)) as step:
            written = sendout.send_out(round_, lines, lambda: step(1))
        made = make_invitations(round_, register, _now(round_.form))
        run = _sent(round_, register, [INVITATION], send=send, redirect=redirect)
        told = list(sent_out_lines(written, made, round_, run, _now(round_.form)))
    _give(sent_out_json(written, bad, made, round_, run), told, as_json=as_json)
    sys.exit(DONE if run is None or run.done else NEEDS_A_PERSON)


@main.command()
@json_option
@click.pass_obj
@writes
def collect(folder: Path, *, as_json: bool) -> None:
    """Fetch returned workbooks from the mailbox into inbox/. The password is read from BEHOV_IMAP_PASSWORD."""
    import os

    from intake import mailbox
    from outputs.mailing.bounces import bounce_taker
    from outputs.results import collected_json
    from outputs.telling import collected_lines

    with _told_plainly():
        round_ = _round(folder)
        box, password = round_.settings.mailbox, os.environ.get(mailbox.PASSWORD)
        takes_back = bounce_taker(lambda: _register(folder)[1], _now(round_.form))
        places = (round_.inbox, round_.collected)
        found = mailbox.collect(box, password, *places, _progress(), takes_back, flag=not _is_dry())
    if as_json:
        _print_json(collected_json(found))
    else:
        _tell(collected_lines(found, round_.inbox))
    sys.exit(NEEDS_A_PERSON if found.needs_a_person else DONE)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--received", type=Moment(TIMES), metavar="TIME", help="When PATHS were handed in (local time); a mail tells."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that read files (default: one for each core).")
@click.option("--cluster", "address", metavar="ADDRESS", help="Read on a cluster of dask: tcp://HOST:8786.")
@click.option("--answers", is_flag=True, help="With --json: every answer as it was understood.")
@json_option
@click.pass_obj
@writes
def ingest(  # noqa: PLR0913 - what staff may say of a run
    folder: Path,
    paths: tuple[Path, ...],
    received: datetime | None,
    *,
    workers: int | None,
    address: str | None,
    answers: bool,
    as_json: bool,
) -> None:
    """Take returned workbooks in: read, check, merge. Without PATHS: the round's inbox/."""
    from intake.cluster import cluster
    from outputs import ingest as batch
    from outputs.checking import known_of
    from outputs.results import verdicts_json
    from outputs.telling import ingest_lines
    from validation.known import unchecked
    from validation.rules import without_sender

    with _told_plainly():
        round_ = _round(folder)
        now, skipped = _now(round_.form), unchecked(round_.form, known_of(round_))
        stated = batch.stated_time(received, paths, now)
        with cluster(None if _is_dry() else address) as executor:
            verdicts = batch.ingest(
                round_, paths, now, _progress(), executor or workers, dry=_is_dry(), stated=stated, answers=answers
            )
    if as_json:
        _print_json(verdicts_json(verdicts, round_.form, answers=answers))
    else:
        skipped += without_sender(round_.form, verdicts)
        _tell(ingest_lines(verdicts, round_, skipped, dry=_is_dry()))
    sys.exit(_exit_code(verdict.outcome for verdict in verdicts))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--form", "form_name", help="Judge by this form alone, outside any round; the skjemakode is not proved.")
@click.option("--answers", is_flag=True, help="With --json: every answer as it was understood.")
@json_option
@click.pass_obj
def check(folder: Path, file: Path, form_name: str | None, *, answers: bool, as_json: bool) -> None:
    """Show the findings of one workbook, or of each in a mail or a zip file. Nothing is stored."""
    from outputs.checking import check_file
    from outputs.results import verdicts_json
    from outputs.telling import check_lines

    with _told_plainly():
        round_ = None if form_name else _round(folder)
        form = round_.form if round_ else _form(str(form_name))
        verdicts = check_file(round_ or form, file)
    if as_json:
        _print_json(verdicts_json(verdicts, form, answers=answers))
    else:
        _tell(check_lines(verdicts, form))
    sys.exit(_exit_code(verdict.outcome for verdict in verdicts))


@main.command()
@send_option
@redirect_option
@json_option
@click.pass_obj
@writes
def feedback(folder: Path, *, send: bool, redirect: str | None, as_json: bool) -> None:
    """Write the letters that are owed to owners, in outbox/: on what came back, and on more time."""
    from outputs.letters.feedback import KINDS
    from outputs.letters.notice_letters import EXTENSION
    from outputs.mailing.notices import make_extensions
    from outputs.mailing.outbox import make_letters

    with _told_plainly():
        round_, register = _register(folder)
        now = _now(round_.form)
        made = make_letters(round_, register, now, _progress()) + make_extensions(round_, register, now)
        run = _sent(round_, register, [*KINDS, EXTENSION], send=send, redirect=redirect)
    _tell_letters(round_, made, run, as_json=as_json)


@main.command()
@send_option
@redirect_option
@json_option
@click.pass_obj
@writes
def remind(folder: Path, *, send: bool, redirect: str | None, as_json: bool) -> None:
    """Write to those who have not answered, or not corrected in time; once for each deadline."""
    from outputs.letters.notice_letters import REMINDER
    from outputs.mailing.notices import make_reminders

    with _told_plainly():
        round_, register = _register(folder)
        made = make_reminders(round_, register, _now(round_.form))
        run = _sent(round_, register, [REMINDER], send=send, redirect=redirect)
    _tell_letters(round_, made, run, as_json=as_json)


@main.command()
@click.argument("report")
@click.argument("until", type=Moment(DAYS), metavar="DAY")
@click.option("--reason", default="", help="Why. Stays in the register.")
@click.option("--by", default="", help="Who decides: the name of a person.")
@json_option
@click.pass_obj
@writes
def extend(folder: Path, report: str, until: datetime, *, reason: str, by: str, as_json: bool) -> None:
    """Give one REPORT more time, to come in or to be corrected, until the end of a day (2024-02-15).

    To move the deadline of all, change it in round.toml. Either way `behov feedback` tells the owners.
    """
    from outputs.mailing.extend import EXTEND, extend, extended_lines
    from outputs.register.decide import Wish

    with _told_plainly():
        round_, register = _register(folder)
        done = extend(round_, register, report, until.date(), Wish(EXTEND, "", reason, by, _now(round_.form)))
    _give(done, extended_lines(done), as_json=as_json)


@main.command()
@send_option
@redirect_option
@json_option
@click.pass_obj
@writes
def close(folder: Path, *, send: bool, redirect: str | None, as_json: bool) -> None:
    """Write to each owner, at the end of the round, what is registered from it.

    Owners with something that waits for a person, or may still be corrected, are left out; run it again later.
    """
    from outputs.letters.notice_letters import CLOSING
    from outputs.mailing.notices import make_closings

    with _told_plainly():
        round_, register = _register(folder)
        made, left = make_closings(round_, register, _now(round_.form))
        run = _sent(round_, register, [CLOSING], send=send, redirect=redirect)
    _tell_letters(round_, made, run, as_json=as_json, left=left)


@main.command()
@click.argument("action", type=click.Choice(OUTBOX_ACTIONS), default=OUTBOX_ACTIONS[0])
@click.argument("letters", nargs=-1, type=int)
@click.option("--by", default="", help="Who says so.")
@click.option("--reason", default="", help="Why.")
@click.option("--text", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="edit: the new words.")
@json_option
@click.pass_obj
@writes
def outbox(  # noqa: PLR0913 - what staff may say of a letter
    folder: Path, action: str, letters: tuple[int, ...], by: str, reason: str, *, text: Path | None, as_json: bool
) -> None:
    """See the letters, or say of some of them, by number, what is to be done.

    list: how all letters stand. show: all that has happened to some. hold: not to be sent for now. edit: let one that
    is held say something else; an editor opens, or --text names a file with the subject, an empty line and the
    text. release: to be sent after all. resend: to be sent again, though it was sent, refused or uncertain.
    discard: never to be sent. renew: to be written again by the command that wrote it; no number means all that wait.
    mailed: somebody sent it by hand; where round.toml has no [mail], no number means all that wait.
    """
    from outputs.mailing import mailroom
    from outputs.mailing.orders import Order, edit, obey
    from outputs.mailing.preview import write_preview
    from outputs.telling import histories_lines, outbox_lines

    with _told_plainly():
        round_, register = _register(folder)
        now = _now(round_.form)
        mailroom.settle(round_, register, now)
        if action == "edit":
            edit(round_, register, letters, lambda words: _new_words(words, text), Order(action, by, reason, now))
        elif action not in LOOKS:
            obey(round_, register, letters, Order(action, by, reason, now))
        if action not in LOOKS:
            write_preview(round_, register, now)
        chosen = [] if action == "list" else [mailroom.letter_history(register, number) for number in letters]
        listed = chosen or mailroom.letter_list(register)
    lines = histories_lines(chosen, round_.form.zone) if chosen else outbox_lines(listed)
    _give({"letters": listed}, lines, as_json=as_json)


@main.command()
@json_option
@click.pass_obj
def status(folder: Path, *, as_json: bool) -> None:
    """Show where the round stands: what waits for a person, and the figures the dashboard begins with."""
    from outputs.checking import known_of
    from outputs.telling import status_lines
    from outputs.top import top_of
    from validation.known import unchecked

    with _told_plainly():
        round_, register = _register(folder)
        with register.reading():
            counts = register.status_counts()
            top = top_of(round_, register, register.files(), _now(round_.form))
        skipped = unchecked(round_.form, known_of(round_))
    document = {"recipients": len(round_.recipients), "sent": top.sent, **counts}
    _give(document, status_lines(top, counts["need_a_person"], skipped), as_json=as_json)
    sys.exit(NEEDS_A_PERSON if counts["need_a_person"] or top.letters_for_a_person else DONE)


@main.command()
@click.argument("subject", metavar="REPORT-OR-FILE")
@json_option
@click.pass_obj
def show(folder: Path, subject: str, *, as_json: bool) -> None:
    """Tell the whole story of one report, or of one file (its name, or the start of its SHA-256)."""
    from outputs.story import story, story_lines

    with _told_plainly():
        round_, register = _register(folder)
        told = story(round_, register, subject)
    _give(told, story_lines(told, round_.form.languages[0]), as_json=as_json)


@main.command()
@click.argument("report")
@click.argument("decision", type=click.Choice(DECISIONS))
@click.argument("about", metavar="[VERSION|RULE]", default="")
@click.option("--reason", default="", help="Why. Stays in the register.")
@click.option("--by", default="", help="Who decides: the name of a person.")
@json_option
@click.pass_obj
@writes
def decide(folder: Path, /, report: str, decision: str, *, as_json: bool, **wish: str) -> None:
    """Record a person's decision on a report, or on a file that is none.

    A VERSION is a number or the start of a SHA-256, as `behov show` tells them; prefer needs one,
    the others where several versions wait. waive needs the RULE. The same decision again changes
    nothing.
    """
    from outputs.register.decide import Wish, decide, decided_lines

    with _told_plainly():
        round_, register = _register(folder)
        done = decide(round_, register, report, Wish(decision, at=_now(round_.form), **wish))
    _give(done.json(), decided_lines(done), as_json=as_json)


@main.command()
@json_option
@click.pass_obj
@writes
def rebuild(folder: Path, *, as_json: bool) -> None:
    """Make the current state of the register again from its log; carry an older one over, or one to a server."""
    from outputs.care.upkeep import rebuild, rebuilt_lines

    with _told_plainly():
        round_ = _round(folder)
        done = rebuild(round_, _now(round_.form), _progress())
    _give(done, rebuilt_lines(done), as_json=as_json)


@main.command()
@click.option(
    "--against",
    type=click.Path(path_type=Path, file_okay=False),
    help="A backup: nothing that its log holds may be gone or changed.",
)
@json_option
@click.pass_obj
def verify(folder: Path, *, against: Path | None, as_json: bool) -> None:
    """Prove that the register, its originals and its current state are whole."""
    from outputs.care.verify import verified_lines, verify

    with _told_plainly():
        problems = verify(*_register(folder), against, _progress())
    _give({"ok": not problems, "problems": problems}, verified_lines(problems), as_json=as_json)
    sys.exit(NEEDS_A_PERSON if problems else DONE)


@main.command()
@click.option("--round", "other", type=click.Path(path_type=Path, file_okay=False), help="The round's folder.")
@click.option("--by", default="", help="Who says so: the name of a person.")
@click.option("--reason", default="", help="Why. Stays in the register.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_option
@click.pass_obj
@writes
def forget(folder: Path, *, other: Path | None, by: str, reason: str, yes: bool, as_json: bool) -> None:
    """Remove contact persons from the register after the round; the archived originals stay."""
    from outputs.care.forget import Forgetting, forget, forgotten_lines

    with _told_plainly():
        round_, register = _register(other or folder)
        wish = Forgetting(by, reason, _now(round_.form))
        planned = forget(round_, register, wish, dry=True)
        if not _is_dry() and not yes and planned.anything:
            if as_json:
                raise WrongUse("with --json nobody is asked; add --yes, or look first with --dry-run")
            _tell(forgotten_lines(planned, dry=True))
            if not click.confirm("This cannot be taken back. Import what caseworkers have filled in first. Go on?"):
                sys.exit(DONE)
        done = planned if _is_dry() or not planned.anything else forget(round_, register, wish)
    _give(done.json(dry=_is_dry()), forgotten_lines(done, dry=_is_dry()), as_json=as_json)


@main.command()
@click.option("--to", "path", type=click.Path(path_type=Path, file_okay=False), help="Where to; best on another disk.")
@dry_run_option
@json_option
@click.pass_obj
def backup(folder: Path, path: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Copy the round to another folder (default: backup/), also while others work in it."""
    from outputs.care.backup import back_up

    with _noted(dry=dry_run):
        with _told_plainly():
            done = back_up(_round(folder), path or folder / "backup", dry=dry_run)
        _give(done.json(), done.lines(dry=dry_run), as_json=as_json)


@main.command()
@click.option(
    "--to", "path", type=click.Path(path_type=Path), help="The file to write; for csv and parquet the folder."
)
@click.option("--language", help="Of headings and choices (default: as round.toml says, else the form's first).")
@click.option(
    "--format", "kind", type=click.Choice(EXPORTS), default=EXPORTS[0], show_default=True, help="What to write."
)
@json_option
@click.pass_obj
@writes
def export(folder: Path, path: Path | None, language: str | None, kind: str, *, as_json: bool) -> None:
    """Write the register workbook, with columns for caseworkers; or the register for other programs.

    xlsx: the workbook. csv, parquet: each of its tables as a file. journal: what came in and went out, for the archive.
    """
    from outputs.exports import exports
    from outputs.telling import exported_lines

    with _told_plainly():
        round_, register = _register(folder)
        chosen = _language(round_, language)
        made = exports.write(round_, register, kind, _instead(path), chosen, _now(round_.form), progress=_progress())
    document = {"format": kind, "language": chosen, "files": [str(written) for written in made]}
    _give(document, exported_lines(made, kind), as_json=as_json)


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", default="", help="Whose words these are (default: you).")
@click.option("--yes", is_flag=True, help="Take it in without asking.")
@click.option("--skip-stale", is_flag=True, help="Leave out rows that are older than the register.")
@click.option("--source", default="", help="Which public register the file is from, when it does not tell.")
@click.option(
    "--dated", type=Moment(DAYS), metavar="DAY", help="The day it speaks of (default: of its name, or its own)."
)
@json_option
@click.pass_obj
@writes
def import_file(  # noqa: PLR0913 - what staff may say of a file
    folder: Path,
    file: Path,
    by: str,
    *,
    yes: bool,
    skip_stale: bool,
    source: str,
    dated: datetime | None,
    as_json: bool,
) -> None:
    """Take in what staff bring: a filled-in export, recipients, earlier grants, or a public register.

    What it changes is shown first. Who and when stays in the register.
    """
    from outputs.imports.imports import look_through
    from outputs.register.log import actor
    from outputs.register.waiting import typed

    with _told_plainly():
        round_, register = _register(folder)
        incoming = look_through(
            round_, register, file, skip_stale=skip_stale, source=source, dated=dated and dated.date()
        )
        if not as_json:
            _tell(incoming.lines())
        ready = incoming.is_new and not incoming.blocked
        asked = ready and not (_is_dry() or yes or as_json) and sys.stdin.isatty()
        kept = ready and not _is_dry() and (yes or (asked and click.confirm("Take this in?")))
        if kept:
            incoming.keep(by or actor(), _now(round_.form))
    if as_json:
        _print_json(incoming.json(applied=kept))
    elif ready:
        again = f"Nothing is changed yet. Take it in with: behov import {typed(file)} --yes --by NAME"
        _tell([f"Taken in, by {by or actor()}.", *incoming.after()] if kept else [again])
    sys.exit(NEEDS_A_PERSON if incoming.blocked or (ready and not kept and not _is_dry()) else DONE)


@main.command()
@click.option("--language", help="The language of the pages (default: as round.toml says, else the form's first).")
@json_option
@click.pass_obj
@writes
def dashboard(folder: Path, language: str | None, *, as_json: bool) -> None:
    """Write the round in one page, with a page for each report: dashboard/index.html.

    The pages need no network and no script. Pictures need the extra: pip install "behov[dashboard]"
    """
    from outputs.overview.dashboard import make_dashboard
    from outputs.telling import dashboard_lines

    with _told_plainly():
        round_, register = _register(folder)
        chosen = _language(round_, language)
        made = make_dashboard(round_, register, _now(round_.form), chosen, _progress())
    _give(made.json(), dashboard_lines(made), as_json=as_json)


@main.group()
def form() -> None:
    """Work with form definitions."""


@form.command("list")
@json_option
def form_list(*, as_json: bool) -> None:
    """List the forms that come with the program."""
    from templates.definition import form_names

    _give({"forms": list(form_names())}, form_names(), as_json=as_json)


@form.command("check")
@click.argument("name")
@json_option
def form_check(name: str, *, as_json: bool) -> None:
    """Check a form definition and list every mistake in it."""
    from outputs.telling import form_lines
    from validation.lint import notes

    with _told_plainly():
        checked = _form(name)
        worth_a_look = list(notes(checked))
    document = {"form": checked.name, "version": checked.version, "notes": [str(note) for note in worth_a_look]}
    _give(document, form_lines(checked, worth_a_look), as_json=as_json)


@form.command("preview")
@click.argument("name")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), default="preview", show_default=True)
@json_option
@writes
def form_preview(folder: Path, *, name: str, as_json: bool) -> None:
    """Write the workbook owners will see, in every language, with pictures of its pages."""
    from templates.authoring.preview import preview

    with _told_plainly():
        files = [str(path) for path in preview(_form(name), folder)]
    lines = [f"Wrote {path}" for path in files]
    if not list(folder.glob("*.pdf")):
        lines.append("For pictures, install LibreOffice and poppler, then run this again.")
    _give({"files": files}, lines, as_json=as_json)


@form.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
def form_diff(old: str, new: str, *, as_json: bool) -> None:
    """Tell what has changed from the form OLD to NEW, and what to see to before NEW is published."""
    from templates.authoring.form_diff import diff_json, diff_lines

    with _told_plainly():
        older, newer = _form(old), _form(new)
    _give(diff_json(older, newer), diff_lines(older, newer), as_json=as_json)


@form.command("export")
@click.argument("name")
@click.argument("folder", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@writes
def form_export(folder: Path, *, name: str, as_json: bool) -> None:
    """Write a form as a workbook, FILE.xlsx, to go on with in Excel: a row for each question, choice and rule."""
    from templates.authoring.form_workbook import write_form_workbook
    from templates.definition import find_form

    with _told_plainly():
        write_form_workbook(find_form(name), folder)
    told = f"Wrote {folder}. When it is filled in: behov form import {folder} FOLDER"
    _give({"file": str(folder)}, [told], as_json=as_json)


@form.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@writes
def form_import(folder: Path, *, file: Path, as_json: bool) -> None:
    """Make a form, in a new FOLDER, of a workbook such as `behov form export` writes."""
    from outputs.telling import form_lines
    from templates.authoring.form_workbook import import_form
    from validation.lint import notes

    with _told_plainly():
        made = import_form(file, folder)
        worth_a_look = list(notes(made))
    document = {"folder": str(folder), "form": made.name, "version": made.version}
    _give(document, [f"Made {folder}.", *form_lines(made, worth_a_look)], as_json=as_json)


@form.command("rules")
@click.argument("name")
@click.option("--markdown", is_flag=True, help="Print the page docs/rules.md.")
@json_option
def form_rules(name: str, *, markdown: bool, as_json: bool) -> None:
    """List the rules of a form: id, severity, scope, where they are checked and what they say."""
    from templates.authoring import catalogue

    with _told_plainly():
        checked = _form(name)
    if as_json:
        _print_json(catalogue.catalogue_json(checked))
    else:
        _tell(catalogue.catalogue_page(checked) if markdown else catalogue.catalogue_lines(checked))


@form.command("try-rule")
@click.argument("rule")
@click.option("--round", "other", type=click.Path(path_type=Path, file_okay=False), help="The round's folder.")
@json_option
@click.pass_obj
def form_try_rule(folder: Path, rule: str, other: Path | None, *, as_json: bool) -> None:
    """Show whom a rule would hit among the reports already in a round. Nothing is stored."""
    from outputs.tryout import tried_json, tried_lines, try_rule

    with _told_plainly():
        round_, register = _register(other or folder)
        tried = try_rule(round_, register, rule)
    _give(tried_json(tried), tried_lines(tried, round_), as_json=as_json)


# what the commands share


def _form(name: str) -> "Form":
    from templates.definition import find_form, load_form

    return load_form(find_form(name))


def _round(folder: Path) -> "Round":
    from templates.round import Round

    round_ = Round(folder)
    round_.settings  # noqa: B018 - read here, so that a folder that is no round is told first
    return round_


def _register(folder: Path) -> tuple["Round", "Register"]:
    from outputs.checking import known_of
    from outputs.register.register import Register

    round_ = _round(folder)
    return round_, Register.of(round_, known_of(round_))


def _language(round_: "Round", wanted: str | None) -> str:
    """Choose the language of what staff read."""
    languages = round_.form.languages
    language = wanted or round_.settings.language or languages[0]
    if language not in languages:
        raise WrongUse(f"the form has no texts in «{language}»; use {' or '.join(languages)}")
    return language


def _sent(
    round_: "Round", register: "Register", kinds: Collection[str], *, send: bool, redirect: str | None
) -> "Run | None":
    """Send the letters of these kinds, if that is wanted, and draw the page that shows the outbox."""
    from outputs.mailing.preview import write_preview
    from outputs.mailing.sending import send_letters, would_send

    if redirect and not send:
        raise WrongUse("--redirect says where --send sends; write both")
    try:
        if send and _is_dry():
            return would_send(round_, register, kinds, redirect=redirect)
        return send_letters(round_, register, kinds, _progress(), redirect=redirect) if send else None
    finally:
        write_preview(round_, register, _now(round_.form))


def _new_words(words: str, text: Path | None) -> str | None:
    """Give what somebody writes in place of these words; None when they are to stay."""
    from templates.tables import text_in

    return text_in(text) if text else click.edit(words, extension=".txt")


def _tell_letters(
    round_: "Round", made: list[dict[str, Any]], run: "Run | None", *, as_json: bool, left: Sequence[str] = ()
) -> None:
    from outputs.results import letters_json
    from outputs.telling import left_lines, letter_lines

    if as_json:
        _print_json(letters_json(made, run) | ({"left": list(left)} if left else {}))
    else:
        _tell(letter_lines(made, round_, run))
        _tell(left_lines(left))
    sys.exit(DONE if (run is None or run.done) and not left else NEEDS_A_PERSON)


def _now(form: "Form") -> datetime:
    return datetime.now(form.zone).replace(microsecond=0)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn every failure into one sentence: theirs with exit code 2, ours with 3 and a log."""
    from intake.sources import SourceError
    from outputs.register.refusals import RefusalError, refusal
    from templates.definition import FormError
    from templates.round import RoundError
    from templates.tables import TableError
    from templates.waivers import WaiversError

    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt, BrokenPipeError):
        raise
    except FormError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        what = "a mistake" if len(error.problems) == 1 else f"{len(error.problems)} mistakes"
        raise WrongUse(f"the form definition has {what}:\n{lines}") from None
    except (RoundError, TableError, SourceError, WaiversError, RefusalError) as error:
        raise WrongUse(str(error)) from None
    except OSError as error:
        refused = refusal(error)
        if refused is None:
            _fail(error)
        raise WrongUse(str(refused)) from None
    except Exception as error:  # noqa: BLE001 - the one place where our own failures end
        _fail(error)


@contextmanager
def _noted(*, dry: bool = False) -> Iterator[None]:
    """Let what is told, and what is wrong, stand in the log of the run: nobody sees the window of a scheduled one."""
    from outputs.runlog import TOLD, log

    context = click.get_current_context()
    context.meta[NOTED] = not dry and context.params.get("action") not in LOOKS
    try:
        yield
    except click.ClickException as error:
        log.error("%s", error.format_message(), extra=TOLD)
        raise


def _fail(error: Exception) -> NoReturn:
    from outputs.runlog import keep_trace

    path = keep_trace(error)
    click.echo(f"Error: something in the program failed ({type(error).__name__}). Details: {path}", err=True)
    sys.exit(OUR_FAILURE)


def _exit_code(outcomes: Iterable[str]) -> int:
    found = set(outcomes)
    if "failed" in found:
        return OUR_FAILURE
    return NEEDS_A_PERSON if found & {"late", "unreadable", "quarantined"} else DONE


def _print_json(document: dict[str, Any]) -> None:
    played = _played()
    document = played.document_as_told(document) if played else document
    _note("told as JSON")
    any_letter = "utf" in (sys.stdout.encoding or "").lower()  # else they are escaped, which says the same
    click.echo(json.dumps(document, ensure_ascii=not any_letter, indent=1))


def _give(document: dict[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Tell what was done, to a program or to a person."""
    if as_json:
        _print_json(document)
    else:
        _tell(lines)


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _say(words: str) -> None:
    played = _played()
    words = played.as_told(words) if played else words
    _note(words.strip("\n"))
    if not _is_quiet():
        click.echo(_fitted(words, sys.stdout))


def _note(words: str) -> None:
    """Let the log of the run have what is told, of a command that does something."""
    if click.get_current_context().meta.get(NOTED):
        from outputs.runlog import TOLD, log

        log.info("%s", words, extra=TOLD)


def _fitted(words: str, stream: TextIO) -> str:
    """Break lines for a window; what goes elsewhere stays as it is."""
    return fitted(words, get_terminal_size().columns) if stream.isatty() else words


def _played() -> "Rehearsal | None":
    return click.get_current_context().meta.get(PLAYED)


def _is_dry() -> bool:
    return _played() is not None


def _instead(path: Path | None) -> Path | None:
    """Give the place to write to: with --dry-run another one."""
    played = _played()
    return played.instead(path) if played and path else path


def _is_quiet() -> bool:
    return bool(click.get_current_context().meta.get(QUIET))


def _progress() -> Progress:
    return silent if _is_quiet() else progress


if __name__ == "__main__":
    main()
