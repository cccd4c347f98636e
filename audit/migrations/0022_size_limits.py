"""No row of the log is larger than what our own writer makes: an entry as `canonical.py` encodes it, a value as long as the longest line
of a target's log that is read. Whoever may insert an event could otherwise fill the sealer's memory, and everybody's copy, with one statement.

NOT VALID: what lies there already is not read under a lock that would hold up every append, and one old row stops no upgrade.
"""

from django.db import migrations

LIMITS = (
    ("audit_event", "event_body_size", "octet_length(body) <= 65535"),
    ("audit_personal_value", "personal_salt_size", "octet_length(salt) <= 32"),
    ("audit_personal_value", "personal_value_size", "octet_length(value) <= 64000000"),
)


class Migration(migrations.Migration):
    """Three limits."""

    dependencies = [("audit", "0021_dossier_people")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({limit}) NOT VALID",
            f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        )
        for table, name, limit in LIMITS
    ]
