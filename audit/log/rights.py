"""What each database role may do, set anew after every migration. Roles that do not exist are passed over (see docs/operate.md)."""

from typing import Any

from django.db import connection

WEB, SEALER, ERASER, READER = "breakglass_web", "breakglass_sealer", "breakglass_eraser", "breakglass_reader"
OWNER = "breakglass_owner"  # migrations only
# Tables that hold something secret: keys of second factors, hashes of passwords, encrypted credentials. Nobody reads them but the web role.
WEB_ALONE = frozenset(
    {
        "django_session", "otp_static_staticdevice", "otp_static_statictoken", "otp_totp_totpdevice", "portal_grant", "portal_person",
        "portal_offlinecard", "portal_offlineset", "portal_personnellist", "portal_proposedchange", "portal_receiver",
        "portal_sealedaccount", "portal_signin", "portal_system",
    }
)  # fmt: skip
# table -> role -> rights; every other table of the portal is the web role's to read and write
LOG_RIGHTS: dict[str, dict[str, str]] = {
    "audit_event": {WEB: "SELECT, INSERT", SEALER: "SELECT", ERASER: "SELECT, INSERT, DELETE", READER: "SELECT"},
    "audit_personal_value": {WEB: "SELECT, INSERT", ERASER: "SELECT, INSERT, DELETE", READER: "SELECT"},
    "audit_queue": {WEB: "SELECT, INSERT", SEALER: "SELECT, DELETE", ERASER: "INSERT", READER: "SELECT"},
    "audit_sealed_entry": {WEB: "SELECT", SEALER: "SELECT, INSERT", ERASER: "SELECT, DELETE", READER: "SELECT"},
    "audit_tile": {WEB: "SELECT", SEALER: "SELECT, INSERT, UPDATE", READER: "SELECT"},
    "audit_checkpoint": {WEB: "SELECT", SEALER: "SELECT, INSERT", READER: "SELECT"},
    "audit_cosignature": {WEB: "SELECT", SEALER: "SELECT, INSERT", READER: "SELECT"},
    "audit_timestamp": {WEB: "SELECT, INSERT", SEALER: "SELECT", READER: "SELECT"},
    "audit_heartbeat": {WEB: "SELECT, INSERT, UPDATE", SEALER: "SELECT, INSERT, UPDATE", READER: "SELECT"},
    "auditlog_logentry": {WEB: "SELECT, INSERT", ERASER: "SELECT, UPDATE", READER: "SELECT"},
    "portal_legalhold": {WEB: "SELECT, INSERT, UPDATE", ERASER: "SELECT", READER: "SELECT"},
    "django_migrations": {WEB: "SELECT", SEALER: "SELECT", READER: "SELECT"},
}


def apply_rights(**_: Any) -> None:
    """Grant exactly the rights of the table above."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'breakglass_%%'")
        existing = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        tables = sorted(row[0] for row in cursor.fetchall())
        for role in (WEB, SEALER, ERASER, READER):
            if role in existing:
                _of_role(cursor, role, tables)


def _of_role(cursor: Any, role: str, tables: list[str]) -> None:
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    if role in (WEB, ERASER):
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for table in tables:
        rights = LOG_RIGHTS[table].get(role, "") if table in LOG_RIGHTS else _ordinary(role, table)
        cursor.execute(f'REVOKE ALL ON "{table}" FROM {role}')
        if rights:
            cursor.execute(f'GRANT {rights} ON "{table}" TO {role}')


def _ordinary(role: str, table: str) -> str:
    if role == WEB:
        return "SELECT, INSERT, UPDATE, DELETE"
    return "SELECT" if role == READER and table not in WEB_ALONE else ""
