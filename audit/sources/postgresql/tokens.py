"""SQL text cut into tokens, as PostgreSQL's scanner does; no grammar. What cannot be cut for certain is refused, never guessed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

LONGEST = 4_000_000
"""Characters. A longer text is not looked into."""


class Untokenizable(ValueError):
    """The text is not closed somewhere, or its meaning hangs on a setting of the session."""


class Unsure(Untokenizable):
    """It may be a statement all the same: it is too long to be looked into, or hangs on a setting of the session."""


class T(Enum):
    """Kinds of tokens."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    DOLLAR = "dollar-quoted string"
    NUMBER = "number"
    PARAMETER = "parameter"
    MARK = "mark"
    SPACE = "space or comment"


@dataclass(frozen=True)
class Token:
    """A piece of the text; ``word`` is the upper-case word, or the name inside quotes."""

    kind: T
    text: str
    word: str = ""

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in (T.WORD, T.QUOTED)


_SCAN = re.compile(
    r"""
    (?P<space>\s+|--[^\n\r]*)
  | (?P<comment>/\*)
  | (?P<escape>[eE]'(?:[^'\\]|''|\\.)*')
  | (?P<string>(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
  | (?P<dollar>\$(?P<tag>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
  | (?P<parameter>\$\d+)
  | (?P<number>\d[\w.]*|\.\d[\w]*)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
  | (?P<mark>::|:=|=>|\.\.|[-+*/<>=~!@\#%^&|`?:;,.()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_KINDS = {"space": T.SPACE, "parameter": T.PARAMETER, "number": T.NUMBER, "mark": T.MARK}


def words(text: str) -> frozenset[str]:
    """A set of words written as one text."""
    return frozenset(text.split())


COMMANDS = words("""
    ABORT ALTER ANALYSE ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE
    DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE
    REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE
    UNLISTEN UPDATE VACUUM VALUES WITH
""")
"""The words with which a statement begins."""


def tokens(text: str) -> list[Token]:
    """All tokens in order; their texts joined give the text again.

    Raises:
        Untokenizable: a quote or comment is not closed, a character has no place in SQL, or a plain string holds a backslash before a
            quote: where it ends then hangs on ``standard_conforming_strings``.
    """
    if len(text) > LONGEST:
        raise Unsure("too long")
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        found = _SCAN.match(text, place)
        if found is None:
            raise Untokenizable(f"at character {place}")
        end = found.end()
        group = found.lastgroup if found.lastgroup != "tag" else "dollar"
        if found["dollar"] is not None:
            group = "dollar"
            close = text.find(found["dollar"], end)
            if close < 0:
                raise Untokenizable("a dollar quote is not closed")
            end = close + len(found["dollar"])
        elif group == "comment":
            end = _comment_end(text, end)
        yield _token(group or "", text[place:end])
        place = end


def _token(group: str, text: str) -> Token:
    if group == "word":
        return Token(T.WORD, text, text.upper())
    if group == "quoted":
        return Token(T.QUOTED, text, text[text.index('"') + 1 : -1].replace('""', '"'))
    if group == "string":
        if "\\'" in text:
            raise Unsure("a backslash before a quote")
        return Token(T.STRING, text)
    if group == "escape":
        return Token(T.STRING, text)
    if group == "dollar":
        return Token(T.DOLLAR, text)
    return Token(_KINDS.get(group, T.SPACE), text, text if group == "mark" else "")


def _comment_end(text: str, place: int) -> int:
    """Comments nest."""
    depth = 1
    for found in _COMMENT.finditer(text, place):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise Untokenizable("a comment is not closed")


def body(token: Token) -> str:
    """What stands between the dollar quotes or quotes of a token."""
    if token.kind is T.DOLLAR:
        tag = token.text.index("$", 1) + 1
        return token.text[tag:-tag]
    return token.text[token.text.index("'") + 1 : -1].replace("''", "'")


def is_plain(token: Token) -> bool:
    """Whether a name or string says what it means as it stands, without signs written by their numbers."""
    if token.text[-1:] not in ("'", '"'):
        return True
    return token.text[:2] not in ("u&", "U&") and not (token.text[:1] in "eE" and "\\" in token.text)


def statements(found: list[Token]) -> list[list[Token]]:
    """Cut at semicolons outside brackets and leave out spaces; the body of a function in standard SQL stays in one piece."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        if token.kind is T.SPACE:
            continue
        depth += (token.word in ("(", "[")) - (token.word in (")", "]")) if token.kind is T.MARK else 0
        if token.word == ";" and depth <= 0 and not _in_atomic(parts[-1]):
            parts.append([])
            continue
        parts[-1].append(token)
    return [part for part in parts if part]


def _in_atomic(part: list[Token]) -> bool:
    if not part or part[0].word != "CREATE" or part[-1].word == "END":
        return False
    return any(a.word == "BEGIN" and b.word == "ATOMIC" for a, b in pairwise(part))
