"""Statement text as it may be kept: secrets replaced, and nothing at all of what cannot be read for certain."""

import re

from audit.sources.postgresql.tokens import COMMANDS, T, Token, Untokenizable, body, tokens, words

MASK = "'***'"
COMMENT = "/* *** */"
LONGEST = 100_000
"""Characters of masked text that are kept."""
# Names that speak of a secret, wherever they stand in a text, and secrets that show by themselves.
_SECRET = re.compile(
    r"passw|passphrase|passcode|pwd|secret|credential|token|bearer|(?:api|private|access|signing|encryption|shared).?key"
    r"|(?<![a-z])(?:pin|otp|totp)(?![a-z])|SCRAM-SHA-256\$|\bmd5[0-9a-f]{32}\b|://[^/\s:@]*:[^/\s@]+@",
    re.IGNORECASE,
)
# Functions whose texts are keys, passwords or ways to connect.
_GUARDED = re.compile(
    r"dblink\w*|crypt|digest|hmac|encrypt\w*|decrypt\w*|pgp_\w+|set_config|postgres_fdw\w*", re.IGNORECASE
)
_AFTER = frozenset({"PASSWORD", "CONNECTION", "PROGRAM"})
_BEGINS = words("; BEGIN THEN ELSE LOOP")  # a statement begins after these
_COMPARES = words("= < > <= >= <> != => :=")


def mask(text: str, *, literals: str = "keep", about: str = "") -> str:
    """The text with its secrets hidden: strings become ``'***'``, numbers ``?``.

    Where a name that speaks of a secret stands anywhere in the text, or in what it is ``about`` (the text that was prepared), every
    value is hidden: which of them is the secret cannot be told. Elsewhere only what stands where secrets stand.
    ``literals="hide"`` hides every string and number always. Text that cannot be cut into tokens keeps its first word only, and
    that only where it is a command.
    """
    try:
        found = tokens(text)
    except Untokenizable:
        return first_word(text)
    secret = _SECRET.search(text) is not None or _SECRET.search(about) is not None
    return _bounded(_hidden(found, secret=secret) if literals == "hide" else _masked(found, secret=secret))


def hides(text: str, *, literals: str = "keep") -> bool:
    """Whether values of the text are to be hidden because of the source's declaration, or since it speaks of a secret."""
    return literals == "hide" or _SECRET.search(text) is not None


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


def _hidden(found: list[Token], *, secret: bool) -> str:
    """Without any value, and without comments."""
    out: list[str] = []
    bare = _bare_values(found) if secret else frozenset()
    for place, token in enumerate(found):
        if token.kind in (T.STRING, T.DOLLAR) or place in bare:
            _add(out, "'?'", token)
        elif token.kind is T.NUMBER:
            out.append("?")
        elif token.kind is not T.SPACE:
            out.append(token.text)
        elif not out or out[-1] != " ":
            out.append(" ")
    return "".join(out)


def _masked(found: list[Token], *, secret: bool) -> str:
    out: list[str] = []
    bare = _bare_values(found) if secret else frozenset()
    guarded = 0  # depth of brackets inside OPTIONS(..) or a guarded function, 0 outside
    first = last = None  # of the statement; spaces left out
    hid = False
    for place, token in enumerate(found):
        if token.kind is T.MARK and token.word == "(":
            guarded += 1 if guarded or _opens_guard(last) else 0
        elif token.kind is T.MARK and token.word == ")" and guarded:
            guarded -= 1
        hides = secret or guarded > 0 or _follows_secret_word(last, hid)
        piece = MASK if place in bare else _one(token, hides, secret=secret, code=_is_code(first, last))
        _add(out, piece, token)
        if token.kind is not T.SPACE:
            first = token if last is None or last.word == ";" else first
            last, hid = token, piece == MASK
    return "".join(out)


def _add(out: list[str], piece: str, token: Token) -> None:
    """A mask is kept apart from a quote or ``U&`` before it, or both would be read as one string."""
    apart = piece != token.text and piece[0] == "'" and out and out[-1][-1] in "'&"
    out.append(f" {piece}" if apart else piece)


def _opens_guard(last: Token | None) -> bool:
    return last is not None and last.is_name and (last.word == "OPTIONS" or _GUARDED.fullmatch(last.word) is not None)


def _follows_secret_word(last: Token | None, hid: bool) -> bool:
    """After PASSWORD, CONNECTION or PROGRAM; also after a mask, since adjacent strings on two lines are one."""
    return last is not None and (last.word in _AFTER or (last.kind in (T.STRING, T.DOLLAR) and hid))


def _is_code(first: Token | None, last: Token | None) -> bool:
    """Whether a dollar quote here is the body of a DO block, function or procedure."""
    return (
        first is not None
        and last is not None
        and (first.word == "DO" or (first.word == "CREATE" and last.word == "AS"))
    )


def _bare_values(found: list[Token]) -> frozenset[int]:
    """Places of names that stand as values: after ``SET name TO``, and a quoted one (meant as a string) that is compared."""
    solid = [(place, token) for place, token in enumerate(found) if token.kind is not T.SPACE]
    places: set[int] = set()
    first, last, setting = "", "", ""
    for (place, token), follows in zip(solid, [*(each.word for _, each in solid[1:]), ""], strict=True):
        if not last or last in _BEGINS:
            first, setting = token.word, ""
        compared = token.kind is T.QUOTED and last in _COMPARES and follows != "."  # before a point it names a table
        if token.is_name and (setting == "value" or compared):
            places.add(place)
        if first in ("SET", "ALTER") and (token.word == "SET" or (setting and token.word in ("=", "TO"))):
            setting = "name" if token.word == "SET" else "value"
        last = token.word or "literal"
    return frozenset(places)


def _one(token: Token, hides: bool, *, secret: bool, code: bool) -> str:
    if token.kind is T.DOLLAR:
        return _dollar(token, secret=secret) if code or not hides else MASK
    if token.kind is T.STRING:
        return MASK if hides else token.text
    if token.kind is T.NUMBER and secret:
        return "?"
    if secret and token.kind is T.SPACE and token.text.lstrip():
        return COMMENT
    return token.text


def _dollar(token: Token, *, secret: bool) -> str:
    """The body of a function or DO block is masked as SQL of its own; as text where it is none."""
    inside = body(token)
    tag = token.text[: token.text.index("$", 1) + 1]
    try:
        masked = _masked(tokens(inside), secret=secret)
    except Untokenizable:
        return MASK
    return f"{tag}{masked}{tag}"
