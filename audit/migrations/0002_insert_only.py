"""Triggers that keep the log insert-only. TRUNCATE is refused by rights (see audit/log/rights.py)."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDED = (
    ("audit_event", "UPDATE OR DELETE"),
    ("audit_personal_value", "UPDATE"),
    ("audit_sealed_entry", "UPDATE OR DELETE"),
    ("audit_checkpoint", "UPDATE OR DELETE"),
    ("audit_tile", "DELETE"),
)


class Migration(migrations.Migration):
    """One function, one trigger for each guarded table."""

    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION audit_refuse()"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table, what in GUARDED
        ),
    ]
