"""Checks that no predicate can say, by the name a rule gives in `check`: where each is made, and what it says.

The functions are where the data is: `validation.rules` (one submission), `validation.across` (the
submissions of a batch), `validation.known` (a register). What intake and the register do to every
file has no function here; a rule names it so that the catalogue of a form tells the whole story.
"""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["submission", "batch", "register", "intake"]
SCOPES: tuple[Scope, ...] = ("batch", "register", "intake")  # what a rule may be `on` besides a sheet


@dataclass(frozen=True)
class NamedCheck:
    """One check: its scope, one sentence, the words its message may say, the answers a rule must name (`given`)."""

    scope: Scope
    says: str
    words: frozenset[str] = frozenset()
    given: tuple[str, ...] = ()
    needs: str = ""  # the register without which it cannot be made
    where: str = ""  # who makes it, when it has no function
    reasons: frozenset[str] = frozenset()  # the codes under which that tells why a file is not taken, or does not count


def _named(  # noqa: PLR0913, PLR0917 - a line of the table
    scope: Scope, says: str, words: str = "", given: str = "", needs: str = "", where: str = "", reasons: str = ""
) -> NamedCheck:
    return NamedCheck(
        scope, says, frozenset(words.split()), tuple(given.split()), needs, where, frozenset(reasons.split())
    )


NAMED_CHECKS: dict[str, NamedCheck] = {
    # one submission
    "received_by_deadline": _named("submission", "The return was received by the deadline.", "mottatt frist"),
    "received_after_opening": _named("submission", "The return was received after the form opened.", "mottatt apning"),
    # the submissions of a batch
    "same_measure": _named(
        "batch",
        "No other report of the same recipient and scheme has a title like this one.",
        "annen_id",
        "scheme title",
    ),
    "same_network": _named(
        "batch",
        "No other recipient reports a network with the same name or the same members in the same scheme.",
        given="scheme network members",
    ),
    "unit_in_own_report": _named(
        "batch", "A unit stands in one of the recipient's reports in a scheme only.", "annen_id", "scheme unit"
    ),
    "unit_in_anothers_report": _named(
        "batch", "No other recipient has reported the unit in the same scheme.", given="scheme unit"
    ),
    "one_name": _named(
        "batch", "A number has the same name in all reports of the recipient.", "orgnr liste", "orgnr name"
    ),
    "newer_version": _named(
        "batch",
        "A newer version of a report replaces the one before.",
        "n annen_id",
        where="the register",
        reasons="reason_superseded",
    ),
    "late_version": _named(
        "batch",
        "A version received after the deadline does not replace one received in time.",
        where="the register",
        reasons="reason_late late_by_guess late_forwarded",
    ),
    # registers
    "is_owner": _named("register", "The number is registered as an owner.", "register registerdato", "orgnr", "owners"),
    "units_elsewhere": _named(
        "register",
        "The owner has no active units outside the counties of the form.",
        "fylkesliste register registerdato",
        "orgnr counties",
        "units",
    ),
    "earlier_grant": _named(
        "register", "The reference is an earlier grant to the owner.", "registerdato", "orgnr reference", "grants"
    ),
    "no_similar_grant": _named(
        "register",
        "The owner has no grant to a measure with a title like this one.",
        "ref aar registerdato",
        "orgnr title reference",
        "grants",
    ),
    "in_register": _named("register", "The number is in the register.", "register registerdato", "orgnr", "units"),
    "registered_name": _named(
        "register", "The name is the registered one.", "registernavn register registerdato", "orgnr name", "units"
    ),
    "unit_is_active": _named("register", "The unit is active.", "register registerdato", "orgnr", "units"),
    "registered_owner": _named(
        "register", "The owner is the registered one.", "registereier register registerdato", "orgnr owner", "units"
    ),
    "registered_municipality": _named(
        "register",
        "The municipality is the registered one.",
        "registerkommune register registerdato",
        "orgnr kommunenr",
        "units",
    ),
    "enough_employees": _named(
        "register",
        "No more take part than are registered as employed.",
        "registertall register registerdato",
        "orgnr count",
        "units",
    ),
    # what is done to every file
    "opens_as_workbook": _named(
        "intake",
        "The file opens as an .xlsx workbook.",
        where="intake",
        reasons="empty_file too_big pdf word old_excel xlsb opendocument numbers csv_or_text password lock_file "
        "truncated image html other_zip archive not_a_workbook damaged winmail nested zip_empty zip_password "
        "zip_damaged zip_too_much zip_bomb unsafe_package far_cell",
    ),
    "nothing_active": _named(
        "intake",
        "The file has no macros, no external links and no embedded files.",
        where="intake",
        reasons="macro external_links reaching_formula doctype",
    ),
    "known_version": _named(
        "intake",
        "The file is a version of the form that is taken in.",
        where="intake",
        reasons="foreign wrong_form unknown_version no_code no_code_likely bad_code codes_disagree",
    ),
    "layout_kept": _named(
        "intake",
        "Questions have the labels they were sent with; answers are found by key, not by address.",
        "verdi felt",
    ),
    "tabs_kept": _named("intake", "Tabs have the names they were sent with.", "verdi fane"),
    "sums_as_sent": _named(
        "intake",
        "Sums are not written over; they are calculated again, and what stands in their cells is not used.",
        "verdi riktig",
    ),
    "file_is_new": _named(
        "intake",
        "The same file is taken in once.",
        where="intake and the register",
        reasons="reason_duplicate reason_known",
    ),
    "rows_in_table": _named(
        "intake",
        "Nothing is written outside the answers: beside them, in a row or tab of the owner's own, in a text box.",
        "tekst",
    ),
    "rows_in_sight": _named("intake", "Rows and columns that are filled in are not hidden."),
    "tabs_in_sight": _named("intake", "Tabs that are filled in are not hidden."),
    "answers_apart": _named(
        "intake", "Cells for answers are not merged: then only one of them holds something.", "celler"
    ),
    "no_notes": _named("intake", "Nothing is written in notes on cells, which are no answers.", "tekst"),
    "sender_is_contact": _named(
        "intake", "The sender is the contact person or at the same domain.", "avsender", "email"
    ),
    "language_decided": _named(
        "intake", "The owner asks for a reply in the language it is registered with.", "onsket maalform", "asked"
    ),
}
