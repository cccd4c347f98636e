"""Since when the log was read for a dossier: what was erased while it was made may be in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("audit", "0015_timestamps")]
    operations = [
        migrations.AddField(
            "dossier",
            "begun_at",
            models.DateTimeField(blank=True, help_text="since when the log was read for it", null=True),
        )
    ]
