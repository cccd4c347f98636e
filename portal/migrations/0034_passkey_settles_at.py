"""Passkeys that are there have settled when they were added."""

from django.db import migrations, models

HELP = 'until then it proves no more than the code with which it was added'


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0033_alert_seen'),
    ]

    operations = [
        migrations.AddField('passkey', 'settles_at', models.DateTimeField(null=True)),
        migrations.RunSQL('UPDATE portal_passkey SET settles_at = added_at', migrations.RunSQL.noop),
        migrations.AlterField('passkey', 'settles_at', models.DateTimeField(help_text=HELP)),
    ]
