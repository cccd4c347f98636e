"""What witnesses sign under stored checkpoints; insert-only as those."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One table, one trigger."""

    dependencies = [("audit", "0011_incident_of_cases")]
    operations = [
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("pk", models.CompositePrimaryKey("size", "witness", blank=True, editable=False, primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("witness", models.CharField(help_text="its public key as C2SP writes it", max_length=300)),
                ("line", models.TextField()),
                ("signed_at", models.BigIntegerField(help_text="seconds since 1970 UTC, as the witness says")),
            ],
            options={"db_table": "audit_cosignature", "default_permissions": ()},
        ),
        migrations.RunSQL(
            "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit_cosignature FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
            "DROP TRIGGER only_grows ON audit_cosignature",
        ),
    ]
