"""Statement text as it may be kept: secrets replaced, and nothing at all of what cannot be read for certain."""

import re

from audit.sources.postgresql.tokens import T, Token, Untokenizable, body, tokens, words

MASK = "'***'"
LONGEST = 100_000
"""Characters of masked text that are kept."""
COMMANDS = words("""
    ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE
    DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE
    REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE
    UNLISTEN UPDATE VACUUM VALUES WITH
""")
# A text inside a string that holds a secret, or SQL that does.
_SECRET = re.compile(
    r"passw|pwd|secret|api.?key|token|SCRAM-SHA-256\$|^md5[0-9a-f]{32}$|://[^/\s:@]*:[^/\s@]+@|BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)
# Functions whose texts are keys, passwords or ways to connect.
_GUARDED = re.compile(
    r"dblink\w*|crypt|digest|hmac|encrypt\w*|decrypt\w*|pgp_\w+|set_config|postgres_fdw\w*", re.IGNORECASE
)
_AFTER = frozenset({"PASSWORD", "CONNECTION", "PROGRAM"})


def mask(text: str, *, literals: str = "keep") -> str:
    """The text with its secrets replaced by ``'***'``; ``literals="hide"`` replaces every string and number.

    Text that cannot be cut into tokens keeps its first word only, and that only where it is a command.
    """
    try:
        found = tokens(text)
    except Untokenizable:
        return first_word(text)
    if literals == "hide":
        return _bounded("".join(_hidden(token) for token in found))
    return _bounded("".join(_masked(found)))


def first_word(text: str) -> str:
    """All that is kept of a statement that the server itself could not read: it may be a password typed in the wrong place."""
    word = re.match(r"\s*([A-Za-z]+)", text)
    if word and word[1].upper() in COMMANDS:
        return f"{word[1].upper()} [not shown: the statement could not be read]"
    return "[not shown: the statement could not be read]"


def _bounded(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} [{len(text) - LONGEST} more characters]"


def _hidden(token: Token) -> str:
    if token.kind in (T.STRING, T.DOLLAR):
        return "'?'"
    if token.kind is T.NUMBER:
        return "?"
    return " " if token.kind is T.SPACE else token.text


def _masked(found: list[Token]) -> list[str]:
    out: list[str] = []
    guarded = 0  # depth of brackets inside OPTIONS(..) or a guarded function, 0 outside
    last: Token | None = None
    named = ""  # the name before an equals sign
    for token in found:
        if token.kind is T.MARK and token.word == "(":
            guarded += 1 if guarded or _opens_guard(last) else 0
        elif token.kind is T.MARK and token.word == ")" and guarded:
            guarded -= 1
        compared = last is not None and last.word == "=" and _SECRET.search(named) is not None
        out.append(_one(token, guarded > 0 or compared or _follows_secret_word(last, out)))
        if token.kind is not T.SPACE:
            named = token.word if token.is_name else named
            last = token
    return out


def _opens_guard(last: Token | None) -> bool:
    return last is not None and last.is_name and (last.word == "OPTIONS" or _GUARDED.fullmatch(last.word) is not None)


def _follows_secret_word(last: Token | None, out: list[str]) -> bool:
    """After PASSWORD, CONNECTION or PROGRAM; also after a mask, since adjacent strings on two lines are one."""
    return last is not None and (
        last.word in _AFTER
        or (last.kind is T.STRING and next((part for part in reversed(out) if part.strip()), "") == MASK)
    )


def _one(token: Token, secret: bool) -> str:
    if token.kind is T.DOLLAR:
        return MASK if secret else _dollar(token)
    if token.kind is T.STRING and (secret or _SECRET.search(body(token))):
        return MASK
    if token.kind is T.SPACE and _SECRET.search(token.text):
        return " /* *** */ "
    return token.text


def _dollar(token: Token) -> str:
    """The body of a function or DO block is masked as SQL of its own; as text where it is none."""
    inside = body(token)
    tag = token.text[: token.text.index("$", 1) + 1]
    try:
        masked = "".join(_masked(tokens(inside)))
    except Untokenizable:
        return MASK
    return f"{tag}{masked}{tag}"
