"""The list of cases knows the incident of each; it is emptied, and made again from the log as it goes on."""

from django.db import migrations, models

BEGIN_AGAIN = "DELETE FROM audit_case_row; UPDATE audit_case_list_position SET next_index = 0"


class Migration(migrations.Migration):
    """One column of a projection."""

    dependencies = [("audit", "0010_case_by_name")]
    operations = [
        migrations.RunSQL(BEGIN_AGAIN, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="caserow",
            name="incident",
            field=models.CharField(
                blank=True, default="", help_text="as named when asked, or before the review", max_length=80
            ),
        ),
        migrations.AddIndex(
            model_name="caserow",
            index=models.Index(
                condition=models.Q(("incident", ""), _negated=True),
                fields=["incident", "-asked_at"],
                name="case_row_of_incident",
            ),
        ),
    ]
