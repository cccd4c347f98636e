"""A sealed ``log.cut`` lets go only what is old: the trigger looks at the entry's own time by the database's clock, and at no table but the log's.

Neither the web tier, which can write a ``log.cut``, nor whoever has the eraser's login can set that clock.
"""

import importlib

from django.db import migrations

before = importlib.import_module("audit.migrations.0013_cut")

# The days are those of audit/events/retention.py, ENTRIES_DAYS; a longer term of the operator's is looked at by audit/log/cutting.py.
# The path: without it temporary tables, which anybody makes, stand before the log's. The pattern: what is no number cuts nothing.
FUNCTION = r"""
CREATE OR REPLACE FUNCTION audit_refuse_but_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  place bigint;
  old_enough boolean;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF TG_TABLE_NAME = 'audit_event' THEN
      SELECT "index" INTO place FROM public.audit_sealed_entry WHERE event_id = OLD.id;
      old_enough := OLD.at <= extract(epoch FROM clock_timestamp() - interval '2555 days') * 1000;
    ELSE
      place := OLD."index";
      old_enough := NOT EXISTS (SELECT FROM public.audit_event WHERE id = OLD.event_id);  -- a place goes after its event alone
    END IF;
    IF old_enough AND EXISTS (
      SELECT FROM (
        SELECT s."index", convert_from(e.body, 'UTF8')::jsonb #> '{fields,minimum_index}' AS said
        FROM public.audit_event e JOIN public.audit_sealed_entry s ON s.event_id = e.id WHERE e.name = 'log.cut'
      ) cut WHERE CASE WHEN said::text ~ '^[0-9]{1,18}$'
        THEN said::text::bigint <= cut."index" AND said::text::bigint % 256 = 0 AND place < said::text::bigint ELSE false END
    ) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


class Migration(migrations.Migration):
    """The function anew; the triggers stay."""

    dependencies = [("audit", "0016_dossier_begun")]
    operations = [
        migrations.RunSQL(
            FUNCTION,
            before.FUNCTION.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"),
        ),
    ]
