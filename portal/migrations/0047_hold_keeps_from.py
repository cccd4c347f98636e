"""From which entry on a hold keeps what is its: found once, when it is set. One that was set before keeps everything."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("portal", "0046_cards_are_reviewed_as_any_use")]
    operations = [
        migrations.AddField(
            "legalhold",
            "from_index",
            models.PositiveBigIntegerField(
                default=0, help_text="of the first entry that it keeps, as it was when the hold was set"
            ),
            preserve_default=False,
        )
    ]
