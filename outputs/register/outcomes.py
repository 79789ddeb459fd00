"""How a returned file, or a report, stands: the words for it on the terminal."""

WORDS = {
    "accepted": "complete",
    "remarks": "complete, with remarks",
    "needs_correction": "to be corrected by owner",
    "late": "late, for decision",
    "superseded": "replaced by a newer version",
    "duplicate": "same file again",
    "empty": "nothing filled in",
    "unreadable": "could not be read",
    "quarantined": "for a person",
    "failed": "our own failure",
    "withdrawn": "withdrawn by the owner",
    "rejected": "rejected by a person",
}
