"""The function that lets cut entries go reads sealed entries as JSON, and the database's own JSON ends at the character NUL. Nobody writes one
any more, but whoever may insert an event could, and one sealed ``cut.proposed`` with it let no row go ever after.

Escaped it is ``\\u0000`` behind an even number of backslashes; another symbol is read in its place. Nothing else is changed.
"""

import importlib

from django.db import migrations

before = importlib.import_module("audit.migrations.0020_cut_by_two")
READ, ANY_TEXT = (
    "convert_from(e.body, 'UTF8')::jsonb",
    r"regexp_replace(convert_from(e.body, 'UTF8'), '(?<!\\)((?:\\\\)*)\\u0000', '\1\\u2400', 'g')::jsonb",
)
PATH = "SET search_path = pg_catalog, public, pg_temp"
FUNCTION = before.FUNCTION.replace(READ, ANY_TEXT).replace(PATH, f"{PATH} SET standard_conforming_strings = on")


class Migration(migrations.Migration):
    """The function anew."""

    dependencies = [("audit", "0024_cosignature_of_witness")]
    operations = [migrations.RunSQL(FUNCTION, before.FUNCTION)]
