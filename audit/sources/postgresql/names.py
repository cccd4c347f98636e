"""What a statement names: functions that it calls, relations that it reads, the first object."""

import re

from audit.sources.postgresql.tokens import T, Token, words

# Words that may stand before a bracket without calling a function.
NO_FUNCTIONS = words("""
    ALL AND ANY ARRAY AS BETWEEN BY CASE CAST CHAR CHARACTER CHECK COALESCE COLLATE CONFLICT CONSTRAINT CUBE DEC
    DECIMAL DEFAULT DISTINCT ELSE END EXCEPT EXCLUDE EXISTS EXTRACT FILTER FLOAT FOR FROM GREATEST GROUP GROUPING
    HAVING IF ILIKE IN INCLUDE INDEX INTERSECT INTERVAL INTO IS JOIN KEY LATERAL LEAST LIKE LIMIT MATERIALIZED NOT
    NULLIF NUMERIC OF OFFSET ON ONLY OPERATOR OPTIONS OR ORDER OVER OVERLAY PARTITION POSITION PRECISION PRIMARY
    RECURSIVE REFERENCES RETURNING ROLLUP ROW ROWS SELECT SET SETS SIMILAR SOME SUBSTRING TABLE TABLESAMPLE THEN
    TIME TIMESTAMP TRIM UNION UNIQUE UPDATE USING VALUES VARCHAR VARYING WHEN WHERE WINDOW WITH WITHIN XMLELEMENT
    XMLFOREST
""")
# Functions of pg_catalog that read what they are given, or the server's own state, and nothing else.
HARMLESS = words("""
    abs age array_agg array_length array_to_string avg bool_and bool_or ceil ceiling char_length chr clock_timestamp
    col_description concat concat_ws count current_database current_schema current_schemas current_setting date_part
    date_trunc dense_rank every exp first_value floor format format_type generate_series greatest
    has_any_column_privilege has_column_privilege has_database_privilege has_function_privilege has_schema_privilege
    has_sequence_privilege has_table_privilege inet_client_addr inet_server_addr inet_server_port initcap json_agg
    json_array_length json_build_array json_build_object json_object_agg jsonb_agg jsonb_array_elements
    jsonb_array_length jsonb_build_object jsonb_object_agg jsonb_pretty lag last_value lead left length ln localtime
    log lower lpad ltrim make_date max md5 min mod mode now ntile nullif obj_description pg_backend_pid
    pg_blocking_pids pg_char_to_encoding pg_conf_load_time pg_database_size pg_encoding_to_char
    pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments
    pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef pg_get_keywords
    pg_get_partkeydef pg_get_ruledef pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_indexes_size
    pg_is_in_recovery pg_my_temp_schema pg_postmaster_start_time pg_relation_filenode pg_relation_size
    pg_size_pretty pg_sleep pg_stat_get_numscans pg_table_is_visible pg_table_size pg_tablespace_location
    pg_tablespace_size pg_total_relation_size pg_type_is_visible pg_typeof position power quote_ident quote_literal
    rank regexp_matches regexp_replace repeat replace reverse right round row_number row_to_json set_config rpad rtrim
    shobj_description sign split_part sqrt statement_timestamp stddev string_agg string_to_array strpos substr
    substring sum timeofday to_char to_date to_json to_jsonb to_number to_regclass to_regnamespace to_regrole
    to_timestamp transaction_timestamp translate trunc txid_current_if_assigned unnest upper variance version
    width_bucket
""")
_DESCRIBES = re.compile(r"pg_(stat_)?get_\w+|\w+_is_visible|has_\w+_privilege")
# Words between a command and the name of what it touches.
_SKIP = words("""
    ACCESS AGGREGATE ALL ANALYZE AUTHORIZATION CASCADE CAST COLLATION COLUMN CONCURRENTLY CONFIGURATION CONSTRAINT
    CONVERSION CURSOR DATA DATABASE DEFAULT DOMAIN EVENT EXCLUSIVE EXISTS EXTENSION FOR FOREIGN FREEZE FROM FULL
    FUNCTION GLOBAL GROUP IF IN INDEX INTO LANGUAGE LARGE LOCAL LOCK MAPPING MATERIALIZED MODE NOT OBJECT ON ONLY
    OPERATOR OR OWNED PARSER POLICY PRIVILEGES PROCEDURAL PROCEDURE PUBLICATION RECURSIVE REPLACE ROLE ROUTINE RULE
    SCHEMA SEQUENCE SEQUENCES FUNCTIONS PROCEDURES ROUTINES TABLES SERVER SET STATISTICS SUBSCRIPTION SYSTEM TABLE
    TABLESPACE TEMP TEMPLATE TEMPORARY TEXT TRIGGER
    TRUSTED TYPE UNIQUE UNLOGGED USER VERBOSE VIEW WRAPPER
""")
_QUERIES = frozenset({"SELECT", "WITH", "VALUES"})
_RELATION_AFTER = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "USING"})
LONGEST_NAME = 200


def functions(part: list[Token]) -> tuple[list[str], bool]:
    """Names that are called, in lower case, and whether any is not known to be harmless."""
    called: list[str] = []
    doubt = False
    for place, token in enumerate(part[:-1]):
        if part[place + 1].word != "(" or part[place + 1].kind is not T.MARK or not token.is_name:
            continue
        if token.kind is T.WORD and token.word in NO_FUNCTIONS:
            continue
        if _no_call(part, place):
            continue
        name = token.word.lower() if token.kind is T.WORD else token.word
        qualified = place >= 2 and part[place - 1].text == "."
        called.append(name)
        built_in = not qualified or part[place - 2].word.lower() == "pg_catalog"
        doubt = doubt or not built_in or not (name in HARMLESS or (qualified and _DESCRIBES.fullmatch(name)))
    return called, doubt


def _no_call(part: list[Token], place: int) -> bool:
    """A bracket after a name is no call in ``INSERT INTO t (..)``, ``WITH x (..) AS``, ``CREATE TABLE t (..)``, ``x AS t(..)``, ``::numeric(..)``."""
    start = place
    while start >= 2 and part[start - 1].text == ".":
        start -= 2
    before = part[start - 1] if start else None
    if before is None:
        return False
    if before.kind is T.WORD and before.word in (
        "INTO",
        "AS",
        "TABLE",
        "EXISTS",
        "INDEX",
        "REFERENCES",
        "WITH",
        "RECURSIVE",
        "COPY",
        "VIEW",
        "CONFLICT",
    ):
        return not (before.word == "AS" and part[0].word in ("CREATE", "PREPARE"))
    return before.text in ("::",) or (before.text == "," and part[0].word == "WITH" and _is_cte(part, place))


def _is_cte(part: list[Token], place: int) -> bool:
    """Whether ``name (columns) AS`` stands at ``place``."""
    close = next((at for at in range(place, len(part)) if part[at].word == ")"), None)
    return close is not None and close + 1 < len(part) and part[close + 1].word == "AS"


def relations(part: list[Token]) -> list[tuple[str, ...]]:
    """Qualified names that stand where a relation stands, names of WITH queries left out."""
    ours = _cte_names(part)
    found: list[tuple[str, ...]] = []
    for place, token in enumerate(part):
        after_comma = token.text == "," and _in_from_list(part, place)
        if (
            not after_comma
            and not (token.kind is T.WORD and token.word in _RELATION_AFTER)
            and not (place == 0 and token.word == "TABLE")
        ):
            continue
        name, end = _name_at(part, place + 1)
        called = end < len(part) and part[end].word == "(" and token.word != "INTO"
        if name and not called and not (len(name) == 1 and name[0] in ours) and not _is_expression_from(part, place):
            found.append(name)
    return found


def _cte_names(part: list[Token]) -> set[str]:
    if not part or part[0].word != "WITH":
        return set()
    return {
        _name(part[place - 1])
        for place, token in enumerate(part)
        if token.word == "AS"
        and place
        and part[place - 1].is_name
        and place + 1 < len(part)
        and part[place + 1].word in ("(", "MATERIALIZED", "NOT")
    }


def _is_expression_from(part: list[Token], place: int) -> bool:
    """``EXTRACT(x FROM y)``, ``SUBSTRING(x FROM y)``, ``TRIM(x FROM y)``, ``IS DISTINCT FROM``."""
    if part[place].word != "FROM":
        return False
    if place and part[place - 1].word == "DISTINCT":
        return True
    depth = 0
    for at in range(place - 1, 0, -1):
        depth += (part[at].word == ")") - (part[at].word == "(")
        if depth < 0:
            return part[at - 1].word in ("EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION")
    return False


def _in_from_list(part: list[Token], place: int) -> bool:
    """Whether a comma divides relations: looking back at its depth, FROM comes before any other clause."""
    depth = 0
    for at in range(place - 1, -1, -1):
        token = part[at]
        depth += (token.word == ")") - (token.word == "(")
        if depth < 0:
            return False
        if (
            depth == 0
            and token.kind is T.WORD
            and token.word
            in ("FROM", "SELECT", "WHERE", "GROUP", "ORDER", "SET", "VALUES", "RETURNING", "WITH", "BY", "ON")
        ):
            return token.word == "FROM"
    return False


def _name_at(part: list[Token], place: int) -> tuple[tuple[str, ...], int]:
    while (
        place < len(part)
        and part[place].kind is T.WORD
        and part[place].word in ("ONLY", "LATERAL", "TABLE", "TEMP", "TEMPORARY", "UNLOGGED")
    ):
        place += 1
    names: list[str] = []
    while place < len(part) and part[place].is_name:
        names.append(_name(part[place]))
        if place + 1 >= len(part) or part[place + 1].text != ".":
            return tuple(names), place + 1
        place += 2
    return (), place


def _name(token: Token) -> str:
    return token.word.lower() if token.kind is T.WORD else token.word


def only_catalogue(part: list[Token]) -> bool:
    """Whether a query reads nothing but the server's own catalogue and state (or nothing at all)."""
    read = relations(part)
    own = {"current_user", "session_user"}
    return all(_is_catalogue(name) for name in read if name[0] not in own)


def _is_catalogue(name: tuple[str, ...]) -> bool:
    """``pg_stat_statements`` shows others' statements and ``pg_largeobject`` and ``pg_statistic`` hold data."""
    holding = {
        "pg_largeobject",
        "pg_statistic",
        "pg_statistic_ext_data",
        "pg_stats",
        "pg_stats_ext",
        "pg_stats_ext_exprs",
        "pg_stat_statements",
    }
    if name[-1] in holding or len(name) > 2:
        return False
    return name[0] in ("pg_catalog", "information_schema") if len(name) == 2 else name[0].startswith("pg_")


def first_object(part: list[Token]) -> str:
    """The first thing that a statement names, at most 200 characters; empty where it names none."""
    command = part[0].word
    if [token.word for token in part[:3]] == ["ALTER", "DEFAULT", "PRIVILEGES"]:
        return ""
    if command in _QUERIES:
        found: tuple[str, ...] = next(iter(relations(part)), ())
    elif command in ("GRANT", "REVOKE"):
        found = _name_after(part, "ON") or _name_at(part, 1)[0]
    elif command in ("INSERT", "MERGE", "DELETE", "UPDATE"):
        found = next(iter(relations([part[0], *part[1:]])), ())
    elif command == "COMMENT":
        found = _named(part[2:])
    elif command in ("CREATE", "DROP", "ALTER") and _after_on(part):
        found = _name_after(part, "ON")
    else:
        found = _named(part[1:])
    return ".".join(found)[:LONGEST_NAME]


def _after_on(part: list[Token]) -> bool:
    """Indexes without a name, policies, triggers and rules stand on a table."""
    words = [token.word for token in part[1:6] if token.kind is T.WORD]
    return part[0].word == "CREATE" and any(word in ("INDEX", "POLICY", "TRIGGER", "RULE") for word in words)


def _name_after(part: list[Token], word: str) -> tuple[str, ...]:
    at = next((place for place, token in enumerate(part) if token.kind is T.WORD and token.word == word), None)
    return _named(part[at + 1 :]) if at is not None else ()


def _named(part: list[Token]) -> tuple[str, ...]:
    place = 0
    if part and part[0].word == "(":  # VACUUM (FULL) t, EXPLAIN (..) SELECT
        place = next((at + 1 for at, token in enumerate(part) if token.word == ")"), 0)
    while place < len(part) - 1 and part[place].kind is T.WORD and part[place].word in _SKIP:
        place += 1
    return _name_at(part, place)[0] if place < len(part) else ()
