"""What keeps the log's tables as they are, held against what the migrations and `LOG_RIGHTS` make: triggers with their whole text and that
of their functions, limits and unique keys, owners, and rights to the single column.

A guard's name proves nothing: a function can be replaced under it, a condition can be added that never holds.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.log.rights import ERASER, LOG_RIGHTS, OWNER, SEALER, WEB

FIRST, NAMES, SIZES, CUT = (
    importlib.import_module(f"audit.migrations.{name}")
    for name in ("0002_insert_only", "0020_cut_by_two", "0022_size_limits", "0025_cut_reads_any_text")
)
REFUSE, BUT_CUT, OTHER_NAME = "audit_refuse", "audit_refuse_but_cut", "audit_refuse_other_name"
# Of each function the text between the dollars, and its settings.
FUNCTIONS: Mapping[str, tuple[str, list[str] | None]] = {
    REFUSE: (FIRST.FUNCTION.split("$$")[1], None),
    BUT_CUT: (
        CUT.FUNCTION.split("$$")[1],
        ["search_path=pg_catalog, public, pg_temp", "standard_conforming_strings=on"],
    ),
    OTHER_NAME: (NAMES.OWN_NAME.split("$$")[1], None),
}
NEVER = "BEFORE DELETE OR UPDATE"
# As PostgreSQL writes the condition of migration 0020.
WHEN_ERASER = f"WHEN ((('{ERASER}'::name = ANY (ARRAY[CURRENT_USER, SESSION_USER])) AND ((new.by)::text <> 'process:eraser'::text))) "
TRIGGERS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("audit_event", "only_grows"): (NEVER, "", BUT_CUT),
    ("audit_event", "own_name"): ("BEFORE INSERT", WHEN_ERASER, OTHER_NAME),
    ("audit_sealed_entry", "only_grows"): (NEVER, "", BUT_CUT),
    ("audit_checkpoint", "only_grows"): (NEVER, "", REFUSE),
    ("audit_cosignature", "only_grows"): (NEVER, "", REFUSE),
    ("audit_timestamp", "only_grows"): (NEVER, "", REFUSE),
    ("audit_personal_value", "only_grows"): ("BEFORE UPDATE", "", REFUSE),
    ("audit_tile", "only_grows"): ("BEFORE DELETE", "", REFUSE),
}
# What must be true of each row and between any two, as PostgreSQL writes it; the keys' names are Django's own.
OF_WHAT = (
    "CHECK (((((about)::text ~~ 'checkpoint:%'::text) AND (size IS NOT NULL))"
    " OR (((about)::text ~~ 'pack:%'::text) AND (size IS NULL))))"
)
LIMITS: Mapping[tuple[str, str], str] = {
    **{(table, f"CHECK (({limit}))"): name for table, name, limit in SIZES.LIMITS},
    ("audit_timestamp", OF_WHAT): "timestamp_of_checkpoint_or_pack",
}
KEYS = frozenset(
    {
        ("audit_checkpoint", "PRIMARY KEY (size)"),
        ("audit_cosignature", "PRIMARY KEY (size, witness)"),
        ("audit_event", "PRIMARY KEY (id)"),
        ("audit_personal_value", "PRIMARY KEY (event_id, field)"),
        ("audit_queue", "PRIMARY KEY (seq)"),
        ("audit_queue", "UNIQUE (event_id)"),
        ("audit_sealed_entry", "PRIMARY KEY (index)"),
        ("audit_sealed_entry", "UNIQUE (event_id)"),
        ("audit_tile", "PRIMARY KEY (level, index)"),
        ("audit_timestamp", "PRIMARY KEY (about)"),
    }
)
TABLES = tuple(sorted({table for table, _ in TRIGGERS} | {"audit_queue"}))
ALTERING, WRITING = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"), ("INSERT",)
OF_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid), p.proname, p.prosrc, p.proconfig,
  n.nspname = 'public' AND l.lanname = 'plpgsql' AND NOT p.prosecdef AND (p.proowner = c.relowner OR o.rolsuper)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_roles o ON o.oid = p.proowner
JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE c.oid = ANY(%s::regclass[]) AND NOT t.tgisinternal ORDER BY 1, 2
"""
# Whether older rows were looked at when it was made is left out. A function or operator of the server's own leaves no trace among what is
# depended on; one that somebody made under the same name does.
OF_LIMITS = """
SELECT c.relname, k.conname, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
  AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.oid = ANY(%s::regclass[]) AND k.contype IN ('c', 'p', 'u', 'x') ORDER BY 1, 2
"""
OF_TABLES = """
SELECT c.relname, o.rolname, o.rolsuper, (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.django_migrations'::regclass),
  EXISTS (SELECT FROM pg_roles WHERE rolname = %s), c.relrowsecurity OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid),
  c.relkind = 'r' AND c.relpersistence = 'p'
FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner WHERE c.oid = ANY(%s::regclass[]) ORDER BY 1
"""
# What a login can do, by whichever memberships; then what is granted at all, also to a role that nobody logs in as.
OF_RIGHTS = """
SELECT r.rolname, c.relname, p.name FROM pg_roles r, pg_class c, unnest(%s::text[]) AS p (name)
WHERE c.oid = ANY(%s::regclass[]) AND r.rolcanlogin AND NOT r.rolsuper AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
AND (has_table_privilege(r.oid, c.oid, p.name)
  OR CASE WHEN p.name IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(r.oid, c.oid, p.name) ELSE false END)
UNION
SELECT coalesce(g.rolname, 'everybody'), c.relname, a.privilege_type || CASE WHEN a.is_grantable THEN ' and pass on' ELSE '' END
FROM pg_class c CROSS JOIN LATERAL (
  SELECT * FROM aclexplode(c.relacl)
  UNION ALL SELECT x.* FROM pg_attribute b CROSS JOIN LATERAL aclexplode(b.attacl) x WHERE b.attrelid = c.oid
) a LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE c.oid = ANY(%s::regclass[]) AND a.grantee <> c.relowner AND NOT coalesce(g.rolsuper, false) AND a.privilege_type = ANY(%s)
ORDER BY 1, 2, 3
"""
# Not the administrators of roles, who could only grant it to themselves: then it is found.
OF_MEMBERS = """
SELECT m.rolname, w.rolname FROM pg_roles m, pg_roles w, pg_class c WHERE c.oid = 'public.audit_event'::regclass
AND w.rolname = ANY(%s) AND m.rolcanlogin AND NOT m.rolsuper AND m.oid <> w.oid AND NOT pg_has_role(m.oid, c.relowner, 'USAGE')
AND pg_has_role(m.oid, w.oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) ORDER BY 1, 2
"""
# In the role of a replica, triggers do not fire.
OF_REPLICAS = """
SELECT coalesce(r.rolname, 'everybody') FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole
WHERE EXISTS (SELECT FROM unnest(d.setconfig) s WHERE s LIKE 'session_replication_role=%%' AND s <> 'session_replication_role=origin')
UNION SELECT 'the server' WHERE current_setting('session_replication_role') <> 'origin' ORDER BY 1
"""
OF_PARAMETERS = """
SELECT DISTINCT coalesce(r.rolname, 'everybody') FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE p.parname = 'session_replication_role' AND a.privilege_type = 'SET' AND NOT coalesce(r.rolsuper, false) ORDER BY 1
"""


@dataclass(frozen=True)
class Found:
    """What is otherwise than it was made, each in a sentence: who may change something, who may write, and which guard is off."""

    altering: tuple[str, ...]
    writing: tuple[str, ...]
    off: tuple[str, ...]


def look(cursor: Any) -> Found:
    """At everything, by the database's own catalogue; a fixed number of queries."""
    places = [f"public.{table}" for table in TABLES]
    rights = _unusual(_rows(cursor, OF_RIGHTS, [[*ALTERING, *WRITING], places, places, [*ALTERING, *WRITING]]))
    tables = _rows(cursor, OF_TABLES, [OWNER, places])
    seen = {role for role, *_ in rights}
    acting = [
        f"{role} may act as {other}"
        for role, other in _rows(cursor, OF_MEMBERS, [[WEB, SEALER, ERASER]])
        if role not in seen and role not in (WEB, SEALER, ERASER)
    ]
    return Found(
        (*_words(rights, "change", ALTERING), *_owned(tables)),
        (*_words(rights, "write", WRITING), *acting),
        (
            *_triggers(_rows(cursor, OF_TRIGGERS, [places])),
            *_limited(_rows(cursor, OF_LIMITS, [places])),
            *_ruled(tables),
            *_replicas(cursor),
        ),
    )


def _rows(cursor: Any, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    cursor.execute(query, parameters)
    return list(cursor.fetchall())


def _unusual(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [
        (role, table, right) for role, table, right in rows if right not in LOG_RIGHTS[table].get(role, "").split(", ")
    ]


def _words(rights: Iterable[tuple[str, str, str]], verb: str, which: tuple[str, ...]) -> list[str]:
    """One sentence for each role and table."""
    found: dict[tuple[str, str], list[str]] = {}
    for role, table, right in rights:
        if right.startswith(which):
            found.setdefault((role, table), []).append(right)
    return [f"{role} may {verb} {table} ({', '.join(names)})" for (role, table), names in found.items()]


def _owned(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """A superuser owns everything in any case."""
    for table, owner, is_super, usual, has_owner, *_ in rows:
        if not is_super and owner != (OWNER if has_owner else usual):
            yield f"{owner} owns {table}"


def _ruled(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    for table, *_, ruled, ordinary in rows:
        if ruled:
            yield f"a rule or policy stands before the rows of {table}"
        if not ordinary:
            yield f"{table} is no ordinary table that outlives a crash"


def _triggers(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    found = {(table, name): rest for table, name, *rest in rows}
    for table, name in sorted(TRIGGERS.keys() - found.keys()):
        yield f"the trigger {name} of {table} is missing"
    for (table, name), (enabled, text, function, source, configured, ours) in found.items():
        if (table, name) not in TRIGGERS:
            yield f"{table} has a trigger {name} that the portal did not make"
            continue
        if enabled not in ("O", "A"):
            yield f"the trigger {name} of {table} is off"
        if text.replace(" public.", " ") != _definition(table, name):
            yield f"the trigger {name} of {table} is another than the portal made"
        elif not ours or (source, configured) != FUNCTIONS[function]:
            yield f"the function of the trigger {name} of {table} is another than the portal made"


def _definition(table: str, name: str) -> str:
    when, condition, function = TRIGGERS[table, name]
    return f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {function}()"


def _limited(rows: Iterable[tuple[str, str, str, bool]]) -> Iterator[str]:
    """One that was replaced is missing, and there is another."""
    found = {(table, text): name for table, name, text, of_others in rows if not of_others}
    for table, text in sorted((LIMITS.keys() | KEYS) - found.keys()):
        yield f"{table} has no {LIMITS.get((table, text), text)}"
    ours = {(table, name) for (table, text), name in found.items() if (table, text) in LIMITS.keys() | KEYS}
    for table, name, *_ in rows:
        if (table, name) not in ours:
            yield f"{table} has a limit {name} that the portal did not make"


def _replicas(cursor: Any) -> Iterator[str]:
    for (whose,) in _rows(cursor, OF_REPLICAS, []):
        yield f"for {whose} triggers are off (session_replication_role)"
    cursor.execute("SELECT to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL")  # since PostgreSQL 15
    if cursor.fetchone()[0]:
        for (whose,) in _rows(cursor, OF_PARAMETERS, []):
            yield f"{whose} may switch triggers off (session_replication_role)"
