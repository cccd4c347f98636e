"""What a timestamp authority answered; insert-only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One table, one trigger."""

    dependencies = [("audit", "0014_files_gone")]
    operations = [
        migrations.CreateModel(
            name="Timestamp",
            fields=[
                ("about", models.CharField(help_text="checkpoint:SIZE or pack:ID", max_length=60, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(help_text="of the checkpoint; nothing for a pack", null=True)),
                ("sha256", models.BinaryField(help_text="of what was stamped", max_length=32)),
                ("answer", models.BinaryField()),
                ("at", models.BigIntegerField(help_text="milliseconds since 1970 UTC, as the authority says")),
                ("authority", models.CharField(help_text="the subject of its certificate", max_length=300)),
            ],
            options={
                "db_table": "audit_timestamp",
                "default_permissions": (),
                "indexes": [models.Index(condition=models.Q(("size", None), _negated=True), fields=["size"], name="timestamp_of_size")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("about__startswith", "checkpoint:"), ("size__isnull", False)),
                            models.Q(("about__startswith", "pack:"), ("size__isnull", True)),
                            _connector="OR",
                        ),
                        name="timestamp_of_checkpoint_or_pack",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit_timestamp FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
            "DROP TRIGGER only_grows ON audit_timestamp",
        ),
    ]
