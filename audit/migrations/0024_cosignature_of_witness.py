"""A witness's last cosignature is looked up by witness and size. Built beside the sealer, as ``0023_checkpoint_by_time`` says."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """One index, in no transaction."""

    atomic = False
    dependencies = [("audit", "0023_checkpoint_by_time")]
    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS cosignature_of_witness", migrations.RunSQL.noop),
        AddIndexConcurrently("cosignature", models.Index(fields=["witness", "size"], name="cosignature_of_witness")),
    ]
