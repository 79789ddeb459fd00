"""What is not done, said to the person who asked for it."""

from errno import EDQUOT, ENOSPC, EROFS

FULL = (ENOSPC, EDQUOT)


class RefusalError(Exception):
    """Something that cannot be done as asked: one sentence that says why, and what to do instead."""


def refusal(error: OSError) -> RefusalError | None:
    """Say what a person can do when the machine denies us a file; None when it is a failure of ours."""
    name = error.filename2 or error.filename  # of a file that takes another's place, the other
    if error.errno in FULL:
        return RefusalError("the disk is full; make room, then run the same command again: what was done is kept")
    if name and (isinstance(error, PermissionError) or error.errno == EROFS):
        return RefusalError(
            f"{name} cannot be opened or written; close it in other programs, or see that you may change it, "
            "then run the same command again"
        )
    return None
