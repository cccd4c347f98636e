"""No foreign keys from the queue and the personal values to events: see ``audit/log/models.py``."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two constraints fewer; no column changes."""

    dependencies = [("audit", "0005_packs")]
    operations = [
        migrations.AlterField(
            model_name="personalvalue",
            name="event",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="personal_values", to="audit.event"
            ),
        ),
        migrations.AlterField(
            model_name="queueentry",
            name="event",
            field=models.OneToOneField(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="audit.event"
            ),
        ),
    ]
