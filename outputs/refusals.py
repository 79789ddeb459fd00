"""What the register does not do, said to the person who asked for it."""


class RefusalError(Exception):
    """Something that cannot be done as asked: one sentence that says why, and what to do instead."""
