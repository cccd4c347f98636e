"""Old entries may go, and only those that a sealed ``log.cut`` names: the triggers look it up themselves, whoever deletes."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION audit_refuse_but_cut() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  place bigint;
  minimum bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF TG_TABLE_NAME = 'audit_event' THEN
      SELECT "index" INTO place FROM audit_sealed_entry WHERE event_id = OLD.id;
    ELSE
      place := OLD."index";
    END IF;
    SELECT max((convert_from(e.body, 'UTF8')::jsonb #>> '{fields,minimum_index}')::bigint) INTO minimum
    FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = 'log.cut'
    AND (convert_from(e.body, 'UTF8')::jsonb #>> '{fields,minimum_index}')::bigint <= s."index";
    IF place < minimum THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
TABLES = ("audit_event", "audit_sealed_entry")


class Migration(migrations.Migration):
    """The two triggers, anew."""

    dependencies = [("audit", "0012_cosignatures")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION audit_refuse_but_cut()"),
        *(
            migrations.RunSQL(
                f"DROP TRIGGER only_grows ON {table};"
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse_but_cut()",
                f"DROP TRIGGER only_grows ON {table};"
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
            )
            for table in TABLES
        ),
    ]
