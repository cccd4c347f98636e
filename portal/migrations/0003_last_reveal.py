"""When a password was last shown, so that a double submit shows it once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("portal", "0002_alert_grant")]
    operations = [
        migrations.AddField(
            model_name="grant",
            name="revealed_at",
            field=models.DateTimeField(blank=True, help_text="when the password was last shown", null=True),
        )
    ]
