"""What class of activity a statement is, by its command. No grammar: what is not known for certain is ``other`` or ``at_least``.

``at_least`` says that the statement may do more than its class: it calls a function that is not on the list of harmless ones, runs text
that is not in the log, or is one of several statements in one string.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from audit.sources.postgresql.names import first_object, functions, only_catalogue
from audit.sources.postgresql.settings import called_settings, changed_setting, is_logging
from audit.sources.postgresql.tokens import T, Token, Untokenizable, statements, tokens, words
from audit.sources.records import CLASSES


@dataclass(frozen=True)
class Classified:
    """Class, whether it may be more, and the first thing that the statement names (empty where it names none)."""

    class_: str
    at_least: bool = False
    object: str = ""


UNKNOWN = Classified("other", at_least=True)
# Functions that do what their class says; other unknown functions leave the class as it is and set at_least.
FUNCTION_CLASSES = {
    **dict.fromkeys(words("lo_creat lo_create lo_from_bytea lo_import lo_put lo_truncate lo_truncate64 lo_unlink lowrite setval"), "data_change"),
    **dict.fromkeys(words("pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal pg_create_restore_point"), "config_change"),
    **dict.fromkeys(words("pg_create_logical_replication_slot pg_create_physical_replication_slot pg_drop_replication_slot"), "config_change"),
    **dict.fromkeys(words("pg_terminate_backend pg_cancel_backend dblink dblink_exec dblink_connect"), "other"),
}  # fmt: skip


def classify(text: str, *, prepared: str = "") -> Classified:
    """Class of a whole string that was sent, several statements included; ``prepared`` is the text behind an EXECUTE."""
    try:
        parts = statements(tokens(text))
    except Untokenizable:
        return UNKNOWN
    if not parts:
        return Classified("session")
    found = [_one(part, prepared) for part in parts]
    heaviest = max(found, key=lambda each: CLASSES.index(each.class_))
    at_least = any(each.at_least for each in found) or len({each.class_ for each in found}) > 1
    return Classified(
        heaviest.class_, at_least, heaviest.object or next((each.object for each in found if each.object), "")
    )


def classify_fastpath(text: str) -> Classified:
    """Class of a function called without SQL: ``"lo_create" (OID 715)``; its arguments are never in the log."""
    name = text.partition('"')[2].partition('"')[0]
    return Classified(FUNCTION_CLASSES.get(name, "other"), at_least=True, object=name)


def classify_tag(tag: str) -> Classified:
    """Class of a statement of which only the server's own tag for it is certain; no tag makes it lighter than `UNKNOWN`."""
    return Classified(max(UNKNOWN.class_, classify(tag).class_, key=CLASSES.index), at_least=True)


def _one(part: list[Token], prepared: str) -> Classified:
    first = part[0].word
    if part[0].word == "(":
        return (
            _one([token for token in part if token.word not in ("(", ")")] or part[:1], prepared)
            if len(part) > 1
            else UNKNOWN
        )
    if first == "EXECUTE" and part[0].kind is T.WORD:
        inner = _prepared_body(prepared)
        return classify(inner) if inner else UNKNOWN
    rule = RULES.get(first) if part[0].kind is T.WORD else None
    if rule is None:
        return UNKNOWN
    if isinstance(rule, str):
        return Classified(rule, object=first_object(part))
    return rule(part)


def _prepared_body(prepared: str) -> str:
    """The statement inside ``PREPARE name (types) AS statement``."""
    try:
        found = [token for token in tokens(prepared) if token.kind is not T.SPACE]
    except Untokenizable:
        return ""
    at = next((place for place, token in enumerate(found) if token.kind is T.WORD and token.word == "AS"), None)
    if not found or found[0].word != "PREPARE" or at is None:
        return ""
    return " ".join(token.text for token in found[at + 1 :])


def _upper(part: list[Token]) -> list[str]:
    return [token.word for token in part if token.kind is T.WORD]


def _with_functions(part: list[Token], class_: str) -> Classified:
    """Raise the class for functions that are known to change something; others leave a doubt."""
    known, doubt = functions(part)
    candidates = [class_, *(FUNCTION_CLASSES[name] for name in known if name in FUNCTION_CLASSES)]
    if "set_config" in known:
        logging = any(is_logging(setting.name) for setting in called_settings(part))
        candidates.append("config_change" if logging else "session")
    heaviest = max(candidates, key=CLASSES.index)
    doubt = doubt or any(name in FUNCTION_CLASSES for name in known)
    if doubt and heaviest == "catalogue_read":
        heaviest = "other"  # nothing is known of it but the name of a function
    return Classified(heaviest, doubt, first_object(part))


def _select(part: list[Token]) -> Classified:
    words = _upper(part)
    changing = _changing_query(part)
    if changing:
        return _with_functions(part, "data_change")
    if "INTO" in words:
        return _with_functions(part, "schema_change")
    return _with_functions(part, "catalogue_read" if only_catalogue(part) else "data_read")


def _changing_query(part: list[Token]) -> bool:
    """Whether a query holds a writing one: INSERT, UPDATE, DELETE or MERGE right after ``(``, or as the main verb after WITH."""
    depth = 0
    for before, token in zip([None, *part], part, strict=False):
        depth += (token.word == "(") - (token.word == ")") if token.kind is T.MARK else 0
        if token.kind is not T.WORD or token.word not in ("INSERT", "UPDATE", "DELETE", "MERGE"):
            continue
        if before is not None and before.kind is T.MARK and (before.word == "(" or (before.word == ")" and depth == 0)):
            return True
    return False


def _change(part: list[Token]) -> Classified:
    return _with_functions(part, "data_change")


def _explain(part: list[Token]) -> Classified:
    rest = part[1:]
    analyze = False
    if rest and rest[0].word == "(":
        close = next((place for place, token in enumerate(rest) if token.word == ")"), len(rest) - 1)
        options, rest = rest[: close + 1], rest[close + 1 :]
        at = [place for place, token in enumerate(options) if token.word in ("ANALYZE", "ANALYSE")]
        analyze = any(options[place + 1].text.lower() not in ("off", "false", "0") for place in at)
    while rest and rest[0].word in ("ANALYZE", "ANALYSE", "VERBOSE"):
        analyze = analyze or rest[0].word != "VERBOSE"
        rest = rest[1:]
    if not rest:
        return UNKNOWN
    inner = _one(rest, "")
    return inner if analyze else Classified("catalogue_read", object=inner.object)


def _copy(part: list[Token]) -> Classified:
    words = _upper(part)
    program = "PROGRAM" in words
    if part[1:] and part[1].word == "(":
        inner = [token for token in part[2:] if token.word != ")"]
        found = _one(inner, "") if inner else UNKNOWN
        return Classified(found.class_, found.at_least or program, found.object)
    reading = "TO" in words and "FROM" not in words[: words.index("TO")]
    return Classified("data_read" if reading else "data_change", program, first_object(part))


def _create(part: list[Token]) -> Classified:
    words = _upper(part)
    head = [
        word
        for word in words[1:6]
        if word not in ("OR", "REPLACE", "IF", "NOT", "EXISTS", "TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL")
    ]
    target = head[0] if head else ""
    if target in ("ROLE", "USER", "GROUP", "POLICY") or _pair(words, "DEFAULT", "PRIVILEGES"):
        return _role_or_policy(part, words)
    if target == "SYSTEM":
        return Classified("config_change", object=first_object(part))
    if (
        target == "DATABASE"
        and words[0] == "ALTER"
        and ("SET" in words or "RESET" in words)
        and "TABLESPACE" not in words
    ):
        return Classified("config_change", object=first_object(part))
    if _pair(words, "OWNER", "TO") or _pair(words, "LEVEL", "SECURITY") or (target == "SCHEMA" and "GRANT" in words):
        return Classified("permission_change", object=first_object(part))
    if target in ("SERVER", "SUBSCRIPTION", "PUBLICATION", "FOREIGN", "EVENT") and "TABLE" not in words:
        return Classified("config_change", object=first_object(part))
    return Classified(
        "schema_change", target in ("EXTENSION", "TABLE", "MATERIALIZED") and _runs_more(part), first_object(part)
    )


def _runs_more(part: list[Token]) -> bool:
    """CREATE EXTENSION runs a script; CREATE TABLE .. AS and the like may call functions."""
    return part[1].word == "EXTENSION" or functions(part)[1]


def _role_or_policy(part: list[Token], words: list[str]) -> Classified:
    """``ALTER ROLE x SET name`` changes configuration, unless it sets who the role acts as."""
    setting = changed_setting(part) if words[0] == "ALTER" else None
    if setting and setting.name not in ("role", "session_authorization", "all", ""):
        return Classified("config_change", object=first_object(part))
    return Classified("permission_change", object=first_object(part))


def _pair(words: list[str], first: str, second: str) -> bool:
    return any(a == first and b == second for a, b in pairwise(words))


def _set(part: list[Token]) -> Classified:
    """A setting of one's own session is part of the session, unless it decides what is logged."""
    setting = changed_setting(part)
    return Classified(
        "config_change" if setting and is_logging(setting.name) else "session", object=setting.name if setting else ""
    )


def _declare(part: list[Token]) -> Classified:
    at = next((place for place, token in enumerate(part) if token.word == "FOR" and token.kind is T.WORD), None)
    return _one(part[at + 1 :], "") if at is not None and part[at + 1 :] else UNKNOWN


def _transaction(part: list[Token]) -> Classified:
    words = _upper(part)
    if "PREPARED" in words:
        return Classified("data_change" if words[0] == "COMMIT" else "other", at_least=True)
    return Classified("session")


def _prepare(part: list[Token]) -> Classified:
    """Preparing a statement runs nothing; a prepared transaction outlives the session."""
    return UNKNOWN if part[1:] and part[1].word == "TRANSACTION" else Classified("session")


def _fetch(_: list[Token]) -> Classified:
    return Classified("data_read", at_least=True)


def _unknown(part: list[Token]) -> Classified:
    return Classified("other", True, first_object(part))


RULES: dict[str, str | Callable[[list[Token]], Classified]] = {
    **dict.fromkeys(("SELECT", "WITH", "TABLE", "VALUES"), _select),
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "MERGE"), _change),
    **dict.fromkeys(("CREATE", "ALTER", "DROP"), _create),
    **dict.fromkeys(("GRANT", "REVOKE", "REASSIGN", "SECURITY"), "permission_change"),
    **dict.fromkeys(("SET", "RESET"), _set),
    **dict.fromkeys(("COMMIT", "ROLLBACK", "END", "ABORT"), _transaction),
    **dict.fromkeys(
        ("BEGIN", "START", "SAVEPOINT", "RELEASE", "DISCARD", "LISTEN", "UNLISTEN", "CLOSE", "DEALLOCATE", "LOCK"),
        "session",
    ),
    **dict.fromkeys(
        ("VACUUM", "ANALYZE", "ANALYSE", "REINDEX", "CLUSTER", "REFRESH", "COMMENT", "IMPORT"), "schema_change"
    ),
    **dict.fromkeys(("FETCH", "MOVE"), _fetch),
    **dict.fromkeys(("DO", "CALL", "NOTIFY"), _unknown),
    **dict.fromkeys(("CHECKPOINT", "LOAD"), "config_change"),
    "TRUNCATE": "data_change",
    "SHOW": "catalogue_read",
    "EXPLAIN": _explain,
    "COPY": _copy,
    "DECLARE": _declare,
    "PREPARE": _prepare,
}
