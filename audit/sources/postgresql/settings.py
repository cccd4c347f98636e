"""Settings that decide what a PostgreSQL server logs, and statements and lines that change them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from audit.sources.postgresql.tokens import T, Token, body, is_plain, words
from audit.sources.records import NOT_SHOWN

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
_SWITCH = words("on off true false yes no 0 1")
_LEVELS = words("debug debug1 debug2 debug3 debug4 debug5 info notice warning error log fatal panic")
SHOWN: dict[str, frozenset[str]] = {
    **dict.fromkeys(words("log_disconnections log_truncate_on_rotation logging_collector"), _SWITCH),
    "log_connections": _SWITCH | words("all receipt authentication authorization setup_durations"),
    "log_statement": words("none ddl mod all"),
    **dict.fromkeys(words("log_min_messages log_min_error_statement pgaudit.log_level"), _LEVELS),
    "log_error_verbosity": words("terse default verbose"),
    "log_destination": words("stderr csvlog jsonlog syslog eventlog"),
    "log_timezone": words("utc gmt"),
    "lc_messages": HARMLESS["lc_messages"],
    "pgaudit.log": words("all none read write function role ddl misc misc_set")
    | words("-all -none -read -write -function -role -ddl -misc -misc_set"),
    **dict.fromkeys(
        words("pgaudit.log_catalog pgaudit.log_client pgaudit.log_parameter pgaudit.log_relation pgaudit.log_rows"),
        _SWITCH,
    ),
    **dict.fromkeys(words("pgaudit.log_statement pgaudit.log_statement_once"), _SWITCH),
}
"""By setting, the words of which its value may consist to be kept as it is. A value is typed by somebody, and may hold anything."""
NUMBERS = words(
    "log_file_mode log_parameter_max_length log_rotation_age log_rotation_size pgaudit.log_parameter_max_size"
)
_NUMBER = re.compile(r"-?\d{1,7} ?(?:[kMGT]?B|us|ms|s|min|h|d)?")
DEFAULT_IS_HARMLESS = frozenset({"log_truncate_on_rotation", "log_min_messages", "log_min_error_statement"})


KNOWN = LOGGING | SHOWN.keys() | NUMBERS | {"pgaudit.role", NOT_SHOWN}


@dataclass(frozen=True)
class Setting:
    """A setting that is given a value; None is its default, and ``?`` a value that the text does not show."""

    name: str
    value: str | None


UNSEEN = Setting(NOT_SHOWN, "?")
"""What is logged may have been changed, and the text does not show which setting, or to what."""


def is_logging(name: str) -> bool:
    """Whether the setting decides what is logged; ``all`` (RESET ALL) is not counted, since a role's own setting is refused to it."""
    return name in LOGGING or name == NOT_SHOWN or name.startswith("pgaudit.")


def weakens(name: str, value: str | None, *, everywhere: bool) -> bool:
    """Whether less may be logged afterwards. ``everywhere``: for the whole server, where ``log_statement`` is not counted on."""
    if name in NO_MATTER or name.startswith("pgaudit.") or (everywhere and name == "log_statement"):
        return False
    if value is None:
        return name not in DEFAULT_IS_HARMLESS
    if name == "log_destination":
        return "jsonlog" not in value
    return value.lower() not in HARMLESS.get(name, frozenset())


HOLDERS = words("DATABASE FUNCTION PROCEDURE ROLE ROUTINE SYSTEM USER")
"""What ``ALTER .. SET`` gives a setting to; of a table it sets other things."""


def shown(setting: Setting) -> Setting:
    """What may be kept of it in clear: names and values that are known, else ``?``."""
    name = setting.name if setting.name in KNOWN else "pgaudit.?"
    if setting.value is None:
        return Setting(name, None)
    values = [each.strip().lower() for each in setting.value.split(",")]
    known = all(value in SHOWN.get(name, ()) for value in values)
    known = known or (name in NUMBERS and _NUMBER.fullmatch(setting.value) is not None)
    return Setting(name, setting.value if known else "?")


def changed_setting(part: list[Token]) -> Setting | None:
    """The setting that one statement changes: SET, RESET, ALTER SYSTEM | ROLE | DATABASE .. SET | RESET."""
    words = [token.word if token.kind is T.WORD else token.text for token in part]
    if words[0] not in ("SET", "RESET", "ALTER"):
        return None
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
    if name == NOT_SHOWN:
        return UNSEEN if words[0] != "ALTER" or words[1] in HOLDERS else None
    if words[at] == "RESET":
        return Setting(name, None)
    return Setting(name, _value(part[place:]))


def _setting_name(part: list[Token], place: int) -> tuple[str, int]:
    if part[place].text == "%" or not is_plain(part[place]):  # a part of format('SET %I ..'), U&"log\\005fstatement"
        return NOT_SHOWN, place + 1
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


ARGUMENTS = 12
"""Tokens of a call that are looked at; a name and a value that are written out need fewer."""


def called_settings(part: list[Token]) -> Iterator[Setting]:
    """What each call of ``set_config`` changes; `UNSEEN` where the text does not show the setting's name."""
    for place, token in enumerate(part[:-1]):
        if part[place + 1].word != "(" or not token.is_name:
            continue
        if not is_plain(token):  # U&"set\\005fconfig"
            yield UNSEEN
        elif token.word.lower() == "set_config":
            yield _call(part[place + 2 : place + 2 + ARGUMENTS])


def _call(arguments: list[Token]) -> Setting:
    end = next((place for place, token in enumerate(arguments) if token.text in (",", "(", ")")), len(arguments))
    first, rest = arguments[:end], arguments[end + 1 : end + 3]
    cast = len(first) > 1 and first[1].text == "::"
    if not first or first[0].kind is not T.STRING or not is_plain(first[0]) or not (cast or len(first) == 1):
        return UNSEEN
    alone = len(rest) == 2 and rest[0].kind is T.STRING and is_plain(rest[0]) and rest[1].text == ","
    return Setting(body(first[0]).lower(), body(rest[0]) if alone else "?")
