"""What a parser may do to the process it runs in; a file of its own, so that workers start fast."""

import os
import time

from intake.limits import limit_process


def read(item: str, context: str) -> str:
    """Do what the item says, as a parser might."""
    match item:
        case "hang":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "abort":
            os.abort()
        case "leave":
            os._exit(0)
        case "eat":
            return str(len(bytearray(3 << 30)))
    return f"{context} {item}"


def read_or_say(item: str, context: str) -> str:
    try:
        return read(item, context)
    except MemoryError:
        return "too much"


def killed(_source: object, _office: object) -> None:
    os.abort()


def leave_at_once(_work: object) -> None:
    os._exit(1)


def with_less_memory(item: str, _context: str) -> str:
    """Let the machine allow so many megabytes, and tell how many a worker then takes."""
    import resource  # noqa: PLC0415 - not on Windows

    most = int(item) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    limit_process()
    return str(resource.getrlimit(resource.RLIMIT_AS)[0] >> 20)
