"""The size of the log at a day's end is looked up by the time of signing.

Built beside the sealer, which goes on signing meanwhile. One that broke off leaves an index that nobody uses and whose name is taken, so the
next try removes it first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """One index, in no transaction: the database builds none beside others inside one."""

    atomic = False
    dependencies = [("audit", "0022_size_limits")]
    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS checkpoint_signed_at", migrations.RunSQL.noop),
        AddIndexConcurrently("storedcheckpoint", models.Index(fields=["signed_at"], name="checkpoint_signed_at")),
    ]
