"""The pictures of the round: each says in words what it shows, and has its figures in a table behind it."""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from outputs.overview import charts
from outputs.overview.counted import Counted
from outputs.overview.tables import Cell, Column, Table
from outputs.overview.words import Words, number
from outputs.register.life import ACCEPTED, NEEDS_CORRECTION, REJECTED, REMARKS, WITHDRAWN
from validation.verdict import LATE

WIDE, NARROW = 510, 288  # pixels; one of them is shown, as there is room
MOST_COMMON = 10  # kinds of findings
MOST_ROWS = 12  # places in one chart; the rest are summed
STATES = (ACCEPTED, REMARKS, NEEDS_CORRECTION, LATE, WITHDRAWN, REJECTED)
PROGRESS = ("corrected", "settled", "again", "left")


@dataclass(frozen=True)
class Picture:
    """One picture: what it is called, what it says, and how it is drawn at a width."""

    id: str
    heading: str
    says: str
    table: Table
    draw: Callable[[int], str] | None = None
    key: tuple[tuple[str, str], ...] = ()  # what colours mean: class and words


def pictures(counted: Counted, words: Words) -> list[Picture]:
    """Make those there is something to show in."""
    made = (_returns(counted, words), _places(counted, words), _amounts(counted, words))
    return [one for one in (*made, _findings(counted, words), _progress(counted, words)) if one]


# how they came in


def _returns(counted: Counted, words: Words) -> Picture | None:
    local = [words.local(file["received"]) for file in counted.files]
    if not local:
        return None
    per_day = Counter(when.date() for when in local)
    names, first_of = {report.name for report in counted.reports}, dict[str, date]()
    for file, when in sorted(zip(counted.files, local, strict=True), key=lambda pair: pair[1]):
        if file["report"] in names:
            first_of.setdefault(file["report"], when.date())
    in_all = Counter(first_of.values())
    deadline = words.local(counted.form.deadline)
    days = _days(min(per_day), max(*per_day, deadline.date()))
    total, rows = 0, []
    for day in days:
        total += in_all[day]
        rows.append(charts.Day(per_day[day], total, after=day > deadline.date()))
    busiest = max(per_day, key=lambda day: (per_day[day], day))
    late = sum(per_day[day] for day in days if day > deadline.date())
    says = words.say(
        "returns_say",
        files=number(len(local)),
        day=words.phrases.day(busiest),
        most=number(per_day[busiest]),
        late=number(late),
    )
    ticks = {at: words.phrases.day(day) for at, day in enumerate(days) if day.day == 1}
    if len(days) <= 45:  # noqa: PLR2004 - a month and a half is told by the week
        ticks = {at: words.phrases.day(day) for at, day in enumerate(days) if day.weekday() == 0}
    chart = charts.Returns(
        rows,
        counted.top.sent,
        days.index(deadline.date()) if deadline.date() in days else 0,
        ticks,
        {
            "in_all": words.say("chart_came", n=number(total)),
            "per_day": words.say("chart_per_day"),
            "sent": words.say("chart_sent", n=number(counted.top.sent)),
            "deadline": words.say("chart_deadline", day=words.day(deadline)),
        },
    )
    columns = (
        Column(words.say("day")),
        Column(words.say("chart_per_day"), "n"),
        Column(words.say("chart_in_all"), "n"),
    )
    lines = [
        (Cell(f"{day:%d.%m.%Y}"), Cell(number(row.files)), Cell(number(row.in_all)))
        for day, row in zip(days, rows, strict=True)
        if row.files
    ]
    table = Table("returns-table", words.say("returns_table"), columns, lines)
    return Picture("returns", words.say("returns"), says, table, lambda width: charts.returns(chart, width))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# how they stand


def _places(counted: Counted, words: Words) -> Picture | None:
    """Show how reports stand in each region, one block for each scheme; either may be lacking."""
    roles = counted.form.file.dashboard
    if not counted.reports or not (roles.region or roles.scheme):
        return None
    schemes = _labels(counted, words, roles.scheme, (report.scheme for report in counted.reports))
    regions = _labels(counted, words, roles.region, (report.region for report in counted.reports))
    tally = Counter((report.scheme, report.region, report.status) for report in counted.reports)
    states = [state for state in STATES if any(key[2] == state for key in tally)]

    def any_in(scheme: str, region: str) -> bool:
        return any(tally[scheme, region, state] for state in states)

    if not roles.region:
        blocks = [("", [(label, _states(tally, code, "", states)) for code, label in schemes.items()])]
    else:
        blocks = [
            (label, [(place, _states(tally, code, at, states)) for at, place in regions.items() if any_in(code, at)])
            for code, label in schemes.items()
        ]
    done = Counter(report.region for report in counted.reports if report.status in (ACCEPTED, REMARKS))
    says = words.say(
        "places_say",
        complete=words.share(done.total(), len(counted.reports)),
        n=number(len(counted.reports)),
        wrong=number(counted.top.standing(NEEDS_CORRECTION)),
    )
    heads = [Column(_asked(counted, words, roles.scheme)), Column(_asked(counted, words, roles.region))]
    columns = (*heads, *(Column(words.status(state), "n") for state in states), Column(words.say("in_all"), "n"))
    lines = [
        (
            Cell(label or words.say("everything")),
            Cell(place),
            *(Cell(number(n)) for n in counts.values()),
            Cell(number(sum(counts.values()))),
        )
        for label, rows in blocks
        for place, counts in rows
    ]
    table = Table("places-table", words.say("places_table"), columns, lines)
    key = tuple((state, words.status(state)) for state in states)
    return Picture("places", words.say("places"), says, table, lambda width: charts.places(blocks, width), key)


def _states(tally: Counter[tuple[str, str, str]], scheme: str, place: str, states: Sequence[str]) -> dict[str, int]:
    return {state: tally[scheme, place, state] for state in states}


def _labels(counted: Counted, words: Words, path: str | None, found: Iterable[str]) -> dict[str, str]:
    """Give what each code is called, in the order of the form; what is no choice comes last, as it was written."""
    if path is None:
        return {"": ""}
    form, counts = counted.form, Counter(found)
    options = {code: words.own(label) for code, label in form.question_options(form.question(path)).items()}
    shown = {code: label for code, label in options.items() if counts[code]}
    others = [code for code, _ in counts.most_common() if code and code not in options]
    shown |= {code: textwrap.shorten(code, 40, placeholder=" …") for code in others[:MOST_ROWS]}
    return shown | ({"": words.say("not_told")} if counts[""] else {})


def _asked(counted: Counted, words: Words, path: str | None) -> str:
    return words.own(counted.form.question(path).label) if path else words.say("everything")


# what they ask for


def _amounts(counted: Counted, words: Words) -> Picture | None:
    """Show what is asked for in each year, and what was granted the year before."""
    roles = counted.form.file.dashboard
    asking = [one for one in counted.reports if one.status in (ACCEPTED, REMARKS, NEEDS_CORRECTION)]
    if not roles.amounts or not asking:
        return None
    years = [one.year for one in roles.amounts]
    schemes = _labels(counted, words, roles.scheme, (report.scheme for report in asking)) if roles.scheme else {}
    before = next(iter(counted.granted), (0, ""))[0]

    def block(label: str, code: str | None) -> charts.Amounts:
        ours = [report for report in asking if code is None or report.scheme == code]
        sums = [sum(report.amounts[at] or 0 for report in ours) for at in range(len(years))]
        given = sum(n for (_, scheme), n in counted.granted.items() if code in (None, scheme))
        bars = [charts.Bar(words.say("granted", year=before), given, words.kroner(given), past=True)] if given else []
        asked = zip(years, sums, strict=True)
        bars += [charts.Bar(words.say("sought", year=year), n, words.kroner(n)) for year, n in asked]
        return charts.Amounts(label, bars)

    blocks = [block(label, code) for code, label in schemes.items()] if len(schemes) > 1 else []
    blocks = [block(words.say("everything") if blocks else "", None), *blocks]
    first = next(bar for bar in blocks[0].bars if not bar.past)
    says = words.say("amounts_say", first=years[0], amount=first.told, n=number(len(asking)))
    if past := [bar for bar in blocks[0].bars if bar.past]:
        says += " " + words.say("amounts_before", year=before, amount=past[0].told)
    columns = (Column(_asked(counted, words, roles.scheme)), Column(words.say("year")), Column(words.say("kr"), "n"))
    lines = [
        (Cell(one.label or words.say("everything")), Cell(bar.label), Cell(number(bar.amount)))
        for one in blocks
        for bar in one.bars
    ]
    table = Table("amounts-table", words.say("amounts_table"), columns, lines)
    return Picture("amounts", words.say("amounts"), says, table, lambda width: charts.amounts(blocks, width))


# what is wrong


def _findings(counted: Counted, words: Words) -> Picture | None:
    """Show which rules most reports break."""
    by_rule: dict[str, list[Any]] = {}
    for one in counted.found:
        by_rule.setdefault(one.finding.rule, []).append(one)
    broken = {rule: len({one.report.name for one in found}) for rule, found in by_rule.items()}
    most = sorted(broken, key=lambda rule: (-broken[rule], rule))[:MOST_COMMON]
    if not most:
        return None
    described = {rule.id: rule.later for rule in counted.form.rules if rule.later}
    bars, lines = [], []
    for rule in most:
        finding = by_rule[rule][0].finding
        places = Counter(words.own(one.finding.label) or one.finding.sheet for one in by_rule[rule])
        about = places.most_common(1)[0][0] or words.own(described.get(rule, finding.message)).rstrip(".")
        label = " ".join(filter(None, (rule, textwrap.shorten(about, 70, placeholder=" …"))))
        bars.append(charts.Rule(label, broken[rule], finding.severity))
        said = words.own(finding.message)
        severity = words.say(f"severity_{finding.severity}")
        lines.append((Cell(rule), Cell(severity), Cell(about), Cell(said), Cell(number(broken[rule]))))
    heads = ("rule", "severity", "about", "for_example")
    columns = (*(Column(words.say(head)) for head in heads), Column(words.say("reports_with_it"), "n"))
    table = Table("findings-table", words.say("findings_table"), columns, lines)
    says = words.say("findings_say", n=number(len(broken)), rule=most[0], most=number(broken[most[0]]))
    used = dict.fromkeys(bar.severity for bar in bars)
    key = tuple((severity, words.say(f"severity_{severity}")) for severity in used)
    return Picture("common", words.say("common"), says, table, lambda width: charts.findings(bars, width), key)


# how corrections go


def _progress(counted: Counted, words: Words) -> Picture | None:
    """Show what became of the reports that had errors, each time they came in."""
    if not counted.rounds:
        return None
    rows = [
        (words.say("correction_round", n=at), {state: getattr(one, state) for state in PROGRESS})
        for at, one in enumerate(counted.rounds, 1)
    ]
    used = [state for state in PROGRESS if any(counts[state] for _, counts in rows)]
    first = counted.rounds[0]
    open_now = counted.top.standing(NEEDS_CORRECTION)
    says = words.say("progress_say", n=number(first.asked), corrected=number(first.corrected), left=number(open_now))
    columns = (Column(words.say("correction")), *(Column(words.say(f"progress_{state}"), "n") for state in PROGRESS))
    lines = [(Cell(label), *(Cell(number(n)) for n in counts.values())) for label, counts in rows]
    table = Table("progress-table", words.say("progress_table"), columns, lines)
    key = tuple((state, words.say(f"progress_{state}")) for state in used)
    return Picture("progress", words.say("progress"), says, table, lambda width: charts.progress(rows, width), key)
