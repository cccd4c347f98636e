"""What the list of cases needs of each case. Made from the log, made again at will, never evidence.

No personal value is kept here: people stand as pseudonyms, reasons and names are read from the log when a list is shown. So an erasure
takes effect at once, and nothing has to be erased twice.
"""

from typing import ClassVar

from django.db import models


class CaseRow(models.Model):
    """One case as the log told it up to ``position``. Times are milliseconds since 1970 UTC."""

    case = models.CharField(primary_key=True, max_length=36)
    system_id = models.CharField(max_length=36)
    system = models.CharField(max_length=200)
    privilege = models.CharField(max_length=200)
    responder_id = models.CharField(max_length=80)
    people = models.JSONField(default=list, help_text="pseudonyms of all who asked, decided, ended or reviewed")
    deciders = models.JSONField(default=list, help_text="pseudonyms of those who answered the request")
    mode = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    verdict = models.CharField(max_length=20, blank=True)
    asked_at = models.BigIntegerField()
    opened_at = models.BigIntegerField(null=True)
    over_at = models.BigIntegerField(null=True)
    activities = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    outside = models.IntegerField(default=0)
    cut = models.BooleanField(default=False, help_text="more was done than was counted")
    findings = models.IntegerField(default=0, help_text="that are not closed")
    words = models.TextField(help_text="what is searched, in lower case; nothing personal")
    position = models.BigIntegerField(help_text="index of the last entry that it was made from")

    class Meta:
        """Newest first, for one system or all."""

        db_table = "audit_case_row"
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["-asked_at", "case"], name="case_row_newest"),
            models.Index(fields=["system_id", "-asked_at"], name="case_row_of_system"),
        ]


class CaseListPosition(models.Model):
    """How far the list has followed the log: the next index to read. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_index = models.BigIntegerField(default=0)

    class Meta:
        """Locked by whoever follows."""

        db_table = "audit_case_list_position"
        default_permissions = ()
