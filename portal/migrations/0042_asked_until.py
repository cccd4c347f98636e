from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0041_legal_holds_and_erasures'),
    ]

    operations = [
        migrations.AddField(
            model_name='item',
            name='removal_asked_to_at',
            field=models.DateTimeField(blank=True, help_text='until when it may still be held, as they want it; none: it goes at once', null=True),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('removal_asked_to_at__isnull', True), ('removal_asked_by__isnull', False), _connector='OR'), name='item_asked_whole'),
        ),
    ]
