"""Counts of the list of cases say where they stop."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column of a projection."""

    dependencies = [("audit", "0006_append_without_checks")]
    operations = [
        migrations.AddField(
            model_name="caserow",
            name="cut",
            field=models.BooleanField(default=False, help_text="more was done than was counted"),
        ),
    ]
