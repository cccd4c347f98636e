"""What a string of statements may change of the logging, also inside the bodies of DO blocks and functions.

What a body builds and runs as text, and what a function does that was defined before, no text shows.
"""

import re
from collections.abc import Iterator

from audit.sources.postgresql.settings import UNSEEN, Setting, called_settings, changed_setting, is_logging
from audit.sources.postgresql.tokens import T, Token, Untokenizable, body, statements, tokens, words

# Without one of these no statement changes what is logged; most are let go at once by this.
_MAY = re.compile(r"log|pgaudit|lc_messages|preload|set_config|pg_settings|execute|u&", re.IGNORECASE)
_LOOKS_SO = re.compile(
    r"set_config|\b(?:set|reset|update)\b.{0,200}?(?:log|pgaudit|lc_messages|preload|pg_settings)",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS = words("BEGIN THEN ELSE LOOP")
"""In a body a statement begins after these, and after a semicolon."""
_ENDS = words(
    "AS BEGIN CALLED COST EXTERNAL IMMUTABLE LANGUAGE LEAKPROOF NOT PARALLEL RETURN ROWS SECURITY SET STABLE STRICT VOLATILE"
)
"""In the head of a function a setting's value ends before these."""
DEEPEST = 3
LONGEST = 60
"""Tokens of a statement that are looked at for the setting that it changes."""


def logging_changes(text: str) -> list[Setting]:
    """Every change of a logging setting that a string of statements asks for, or may ask for."""
    if not _MAY.search(text):
        return []
    try:
        parts = statements(tokens(text))
    except Untokenizable:
        return _unread(text)
    found = (setting for part in parts for setting in _of_statement(part))
    return [setting for setting in dict.fromkeys(found) if is_logging(setting.name)]


def outlives_an_error(text: str) -> bool:
    """Whether a string of statements ends a transaction in between, so that an error behind it takes back nothing of what came before."""
    try:
        return any(part[0].word in ("COMMIT", "END") for part in statements(tokens(text)))
    except Untokenizable:
        return False


def _unread(text: str) -> list[Setting]:
    return [UNSEEN] if _LOOKS_SO.search(text) else []


def _of_statement(part: list[Token]) -> Iterator[Setting]:
    setting = changed_setting(part)
    if setting:
        yield setting
    yield from _anywhere(part)
    if part[0].word == "DO" or _makes_a_function(part):
        yield from _clauses(part)
        for token in part:
            if token.kind in (T.STRING, T.DOLLAR):
                yield from _in_body(body(token), DEEPEST)


def _anywhere(part: list[Token]) -> Iterator[Setting]:
    """Calls of set_config, and ``UPDATE pg_settings``, which is one behind a view."""
    yield from called_settings(part)
    for place, token in enumerate(part):
        if token.kind is T.WORD and token.word == "UPDATE":
            named = [each.word.lower() for each in part[place + 1 : place + 5] if each.is_name]
            if "pg_settings" in named[:3]:
                yield UNSEEN


def _makes_a_function(part: list[Token]) -> bool:
    return part[0].word == "CREATE" and any(each.word in ("FUNCTION", "PROCEDURE") for each in part[1:4])


def _clauses(part: list[Token]) -> Iterator[Setting]:
    """``CREATE FUNCTION .. SET name TO value``: it holds while the function runs."""
    for place, token in enumerate(part):
        if token.kind is T.WORD and token.word == "SET":
            end = next(
                (at for at in range(place + 1, min(place + LONGEST, len(part))) if part[at].word in _ENDS),
                place + LONGEST,
            )
            setting = changed_setting(part[place:end])
            if setting:
                yield setting


def _in_body(text: str, depth: int, *, built: bool = False) -> Iterator[Setting]:
    """Statements of a body; ``built``: the text is a piece of what is run, so a name at its end may go on."""
    try:
        found = [token for token in tokens(text) if token.kind is not T.SPACE]
    except Untokenizable:
        yield from _unread(text)
        return
    yield from _anywhere(found)
    pieces = _pieces(found)
    for piece in pieces:
        for place, token in enumerate(piece):
            if token.word in ("SET", "RESET", "ALTER") and (place == 0 or piece[place - 1].word in _BEGINS):
                yield from _set(piece[place : place + LONGEST], unfinished=built and piece is pieces[-1])
        at = next((place for place, token in enumerate(piece) if token.word == "EXECUTE"), None)
        if at is not None and depth:
            yield from _run_as_text(piece[at + 1 :], depth - 1)


def _pieces(found: list[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for token in found:
        if token.word == ";":
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def _set(part: list[Token], *, unfinished: bool) -> Iterator[Setting]:
    setting = changed_setting(part)
    if setting and (is_logging(setting.name) or not unfinished or part[-1].kind is not T.WORD):
        yield setting
    elif unfinished and part[0].word != "ALTER":
        yield UNSEEN


def _run_as_text(expression: list[Token], depth: int) -> Iterator[Setting]:
    for token in expression:
        if token.kind in (T.STRING, T.DOLLAR):
            yield from _in_body(body(token), depth, built=len(expression) > 1)
