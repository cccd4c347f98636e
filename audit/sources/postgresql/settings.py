"""Settings that decide what a PostgreSQL server logs, and statements and lines that change them."""

from dataclasses import dataclass

from audit.sources.postgresql.tokens import T, Token, Untokenizable, body, statements, tokens, words

LOGGING = words("""
    lc_messages log_connections log_destination log_directory log_disconnections log_error_verbosity log_file_mode
    log_filename log_min_error_statement log_min_messages log_parameter_max_length log_rotation_age
    log_rotation_size log_statement log_timezone log_truncate_on_rotation logging_collector
    session_preload_libraries shared_preload_libraries
""")
# Values with which nothing that is counted on is left out. Any other value may leave something out.
HARMLESS: dict[str, frozenset[str]] = {
    "log_connections": frozenset({"on", "true", "yes", "1", "all"}),
    "log_disconnections": frozenset({"on", "true", "yes", "1"}),
    "log_statement": frozenset({"all"}),
    "logging_collector": frozenset({"on", "true", "yes", "1"}),
    "log_truncate_on_rotation": frozenset({"off", "false", "no", "0"}),
    "log_min_messages": frozenset(
        {"debug5", "debug4", "debug3", "debug2", "debug1", "debug", "info", "notice", "warning", "error"}
    ),
    "log_min_error_statement": frozenset(
        {"debug5", "debug4", "debug3", "debug2", "debug1", "debug", "info", "notice", "warning", "error"}
    ),
    "lc_messages": frozenset({"c", "posix", "en_us", "en_us.utf8", "en_us.utf-8"}),
}
COMPARED = words("""
    lc_messages log_connections log_destination log_disconnections log_error_verbosity log_min_error_statement
    log_min_messages log_truncate_on_rotation logging_collector
""")
"""Those of which each heartbeat brings a hash, as the connector reads them."""
NO_MATTER = frozenset(
    {
        "log_error_verbosity",
        "log_file_mode",
        "log_parameter_max_length",
        "log_rotation_age",
        "log_rotation_size",
        "log_timezone",
    }
)
DEFAULT_IS_HARMLESS = frozenset({"log_truncate_on_rotation", "log_min_messages", "log_min_error_statement"})


@dataclass(frozen=True)
class Setting:
    """A setting that is given a value; None is its default, and ``?`` a value that the text does not show."""

    name: str
    value: str | None


def is_logging(name: str) -> bool:
    """Whether the setting decides what is logged; ``all`` (RESET ALL) is not counted, since a role's own setting is refused to it."""
    return name in LOGGING or name.startswith("pgaudit.")


def weakens(name: str, value: str | None, *, everywhere: bool) -> bool:
    """Whether less may be logged afterwards. ``everywhere``: for the whole server, where ``log_statement`` is not counted on."""
    if name in NO_MATTER or name.startswith("pgaudit.") or (everywhere and name == "log_statement"):
        return False
    if value is None:
        return name not in DEFAULT_IS_HARMLESS
    if name == "log_destination":
        return "jsonlog" not in value
    return value.lower() not in HARMLESS.get(name, frozenset())


def changed_setting(part: list[Token]) -> Setting | None:
    """The setting that one statement changes: SET, RESET, ALTER SYSTEM | ROLE | DATABASE .. SET | RESET, set_config(..)."""
    words = [token.word if token.kind is T.WORD else token.text for token in part]
    if words[0] not in ("SET", "RESET", "ALTER"):
        return _set_config(part)
    at = next(
        (place for place, word in enumerate(words) if word in ("SET", "RESET") and part[place].kind is T.WORD), None
    )
    if at is None:
        return None
    place = at + 1
    while (
        place < len(words)
        and words[place] in ("LOCAL", "SESSION")
        and place + 1 < len(words)
        and words[place + 1] not in ("=", "TO")
    ):
        place += 1
    if place >= len(part):
        return None
    name, place = _setting_name(part, place)
    if words[at] == "RESET":
        return Setting(name, None)
    return Setting(name, _value(part[place:]))


def _setting_name(part: list[Token], place: int) -> tuple[str, int]:
    name = part[place].word.lower()
    if place + 2 < len(part) and part[place + 1].text == ".":
        return f"{name}.{part[place + 2].word.lower()}", place + 3
    return {"time": "timezone", "authorization": "session_authorization"}.get(name, name), place + 1


def _value(rest: list[Token]) -> str | None:
    rest = rest[1:] if rest and rest[0].word in ("=", "TO") else rest
    if not rest or rest[0].word == "DEFAULT":
        return None
    if rest[0].word == "FROM":
        return "?"
    return ",".join(body(token) if token.kind is T.STRING else token.text for token in rest if token.text != ",")


def _set_config(part: list[Token]) -> Setting | None:
    at = next((place for place, token in enumerate(part) if token.word.lower() == "set_config" and token.is_name), None)
    if at is None:
        return None
    arguments = part[at + 2 : at + 5]
    if len(arguments) < 3 or arguments[0].kind is not T.STRING or arguments[1].text != ",":
        return None
    return Setting(body(arguments[0]).lower(), body(arguments[2]) if arguments[2].kind is T.STRING else "?")


def logging_changes(text: str) -> list[Setting]:
    """Every change of a logging setting that a string of statements asks for."""
    if not any(word in text.lower() for word in ("log", "pgaudit", "lc_messages", "preload")):
        return []
    try:
        parts = statements(tokens(text))
    except Untokenizable:
        return []
    found = (changed_setting(part) for part in parts)
    return [setting for setting in found if setting is not None and is_logging(setting.name)]


def outlives_an_error(text: str) -> bool:
    """Whether a string of statements ends a transaction in between, so that an error behind it takes back nothing of what came before."""
    return any(part[0].word in ("COMMIT", "END") for part in statements(tokens(text)))
