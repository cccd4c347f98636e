"""The key of a personal value begins with its event: another index on that was written with each value and read by nobody."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0007_cut_counts")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="personalvalue",
            name="event",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="personal_values", to="audit.event",
            ),  # fmt: skip
        ),
    ]
