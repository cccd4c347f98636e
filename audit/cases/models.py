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
    incident = models.CharField(
        max_length=80, blank=True, default="", help_text="as named when asked, or before the review"
    )
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
            models.Index(
                fields=["incident", "-asked_at"], name="case_row_of_incident", condition=~models.Q(incident="")
            ),
        ]


class ActRow(models.Model):
    """One action on a target, so that many can be counted, grouped and paged. Statements and objects stay in the log."""

    index = models.BigIntegerField(primary_key=True, help_text="of its entry in the log")
    event_id = models.UUIDField()
    case = models.CharField(max_length=36)
    activity_id = models.CharField(max_length=80)
    session_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=40, help_text="its class")
    outcome = models.CharField(max_length=40)
    state_code = models.TextField(blank=True, default="")
    held = models.BooleanField(help_text="neither denied nor broken off")
    at = models.BigIntegerField(help_text="on the target, milliseconds since 1970 UTC")
    number = models.BigIntegerField()

    class Meta:
        """Once each; in the order of a whole use, and in that of a session and class."""

        db_table = "audit_act_row"
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "activity_id"], name="act_row_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["case", "held", "at", "index"], name="act_row_of_case", include=["kind", "session_id"]
            ),
            models.Index(fields=["case", "session_id", "kind", "held", "at", "index"], name="act_row_of_group"),
        ]


class ActSession(models.Model):
    """How the target's log names a connection in which something was done."""

    pk = models.CompositePrimaryKey("case", "session_id")
    case = models.CharField(max_length=36)
    session_id = models.CharField(max_length=80)
    name = models.CharField(max_length=120)

    class Meta:
        """One row for each connection of a case."""

        db_table = "audit_act_session"
        default_permissions = ()


class CaseListPosition(models.Model):
    """How far a list has followed the log: the next index to read. The first row is the list's of cases, the second that of actions."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_index = models.BigIntegerField(default=0)

    class Meta:
        """Locked by whoever follows."""

        db_table = "audit_case_list_position"
        default_permissions = ()
