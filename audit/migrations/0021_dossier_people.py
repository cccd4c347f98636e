"""Whom a dossier names, so that nobody has to look through the log for it when somebody is erased."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("audit", "0020_cut_by_two")]
    operations = [
        migrations.AddField(
            "dossier",
            "people",
            models.JSONField(default=list, help_text="pseudonyms of all whom its case's entries named when it was made"),
        )
    ]
