"""Which statement an ``execute <name>: <statement>`` line tells. The name is free text of the client and may hold anything, a colon too.

So where the name ends is certain only if one place alone is followed by what the server can have executed. Else nothing is guessed.
"""

import re

from audit.sources.postgresql.tokens import COMMANDS, Unsure, Untokenizable, tokens

PREFIX = "execute "
MOST = 5
"""Places that are looked at; a line with more of them stays unclear."""
# The server executes nothing but commands; a comment or bracket may stand before one.
_SPLIT = re.compile(rf": (?=[\s(]*(?:--|/\*|(?:{'|'.join(sorted(COMMANDS))})(?![\w$])))", re.IGNORECASE)


def executed(message: str) -> str | None:
    """The statement of an execute line; None where the line does not say for certain where its name ends."""
    found = readings(message)
    return found[0] if len(found) == 1 else None


def readings(message: str) -> list[str]:
    """Every text that the line may mean, the first `MOST` and one more."""
    found: list[str] = []
    first = message.find(": ")
    for split in _SPLIT.finditer(message):
        text = message[split.end() :]
        if split.start() == first or _may_run(text):
            found.append(text)
        if len(found) > MOST:
            break
    return found


def _may_run(text: str) -> bool:
    """Whether it can be a whole statement: what is left of a string or comment is none, since its end has no beginning."""
    try:
        tokens(text)
    except Unsure:
        return True
    except Untokenizable:
        return False
    return True
