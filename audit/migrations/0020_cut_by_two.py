"""No cut on one person's word: the trigger asks for the sealed entries of two people, and the eraser's role writes in its own name alone.

``audit/log/cuts.py`` asks the same of what it reads. Whoever has the eraser's login cannot write the two entries, and the web tier, which can,
deletes nothing.
"""

import importlib

from django.db import migrations

before = importlib.import_module("audit.migrations.0017_cut_by_time")
SAID = """
SELECT s."index", convert_from(e.body, 'UTF8')::jsonb AS said
        FROM public.audit_event e JOIN public.audit_sealed_entry s ON s.event_id = e.id WHERE e.name"""

FUNCTION = rf"""
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
      SELECT FROM ({SAID} = 'log.cut') cut, ({SAID} = 'cut.proposed') asked, ({SAID} = 'cut.approved') yes
      WHERE CASE WHEN (cut.said #> '{{fields,minimum_index}}')::text ~ '^[0-9]{{1,18}}$'
        THEN (cut.said #> '{{fields,minimum_index}}')::text::bigint <= cut."index"
          AND (cut.said #> '{{fields,minimum_index}}')::text::bigint % 256 = 0
          AND place < (cut.said #> '{{fields,minimum_index}}')::text::bigint
        ELSE false END
      AND asked."index" < yes."index" AND yes."index" < cut."index"
      AND asked.said #> '{{fields,minimum_index}}' = cut.said #> '{{fields,minimum_index}}'
      AND yes.said #> '{{fields,minimum_index}}' = cut.said #> '{{fields,minimum_index}}'
      AND asked.said #> '{{fields,cut_id}}' = cut.said #> '{{fields,cut_id}}'
      AND yes.said #> '{{fields,cut_id}}' = cut.said #> '{{fields,cut_id}}'
      AND asked.said #> '{{by}}' = cut.said #> '{{fields,asked_by}}'
      AND yes.said #> '{{fields,asked_by}}' = cut.said #> '{{fields,asked_by}}'
      AND yes.said #> '{{by}}' = cut.said #> '{{fields,approved_by}}'
      AND asked.said #> '{{by}}' <> yes.said #> '{{by}}'
      AND asked.said #>> '{{by}}' NOT LIKE 'process:%' AND yes.said #>> '{{by}}' NOT LIKE 'process:%'
    ) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
# The condition is the trigger's own, so an append by anybody else costs one comparison.
OWN_NAME = """
CREATE FUNCTION audit_refuse_other_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the eraser writes in its own name alone' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER own_name BEFORE INSERT ON audit_event FOR EACH ROW
WHEN ('breakglass_eraser' IN (current_user, session_user) AND NEW."by" <> 'process:eraser')
EXECUTE FUNCTION audit_refuse_other_name()
"""


class Migration(migrations.Migration):
    """The function anew, and a trigger more."""

    dependencies = [("audit", "0019_dossier_made_again")]
    operations = [
        migrations.RunSQL(FUNCTION, before.FUNCTION),
        migrations.RunSQL(OWN_NAME, "DROP TRIGGER own_name ON audit_event; DROP FUNCTION audit_refuse_other_name()"),
    ]
