"""The stored log: events as they were written, their personal values apart, and what the sealer made of them.

Rights and triggers in the migrations keep it insert-only: the web role may insert and read events and owns nothing.
"""

from typing import ClassVar

from django.db import models


class Event(models.Model):
    """One entry of the log. ``body`` holds the canonical bytes; the other columns repeat parts of it for look-ups."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80)
    at = models.BigIntegerField(help_text="milliseconds since 1970 UTC")
    by = models.CharField(max_length=80)
    case = models.CharField(max_length=36, blank=True, default="")
    subject = models.CharField(max_length=120, blank=True, default="")
    body = models.BinaryField()

    class Meta:
        """Look-ups by case and name, by subject and by name in order of time."""

        db_table = "audit_event"
        default_permissions = ()
        indexes: ClassVar = [
            # With the name between: a case may hold fifty thousand actions, and a few events of other names are asked for by themselves.
            models.Index(fields=["case", "name", "at"], name="event_case_name_at", condition=~models.Q(case="")),
            models.Index(fields=["subject", "at"], name="event_subject_at", condition=~models.Q(subject="")),
            models.Index(fields=["name", "at"], name="event_name_at"),
        ]


class PersonalValue(models.Model):
    """The salt and clear value of one personal field; only the eraser role may delete it."""

    pk = models.CompositePrimaryKey("event_id", "field")
    # No constraint in the database, here and in the queue: one statement writes all three rows, events cannot be deleted, and the
    # check would lock, and so write again, every event. The sealer refuses a queue entry without its event.
    # No index of its own either: the key begins with it.
    event = models.ForeignKey(
        Event, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="personal_values"
    )
    field = models.CharField(max_length=60)
    salt = models.BinaryField(max_length=32)
    value = models.TextField()

    class Meta:
        """One value for each event and field."""

        db_table = "audit_personal_value"
        default_permissions = ()


class QueueEntry(models.Model):
    """An event that waits for the sealer, in the order of insertion."""

    seq = models.BigAutoField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")

    class Meta:
        """Emptied by the sealer alone."""

        db_table = "audit_queue"
        default_permissions = ()


class SealedEntry(models.Model):
    """The dense index that the sealer gave to an event, and the RFC 6962 hash of its bytes."""

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.DO_NOTHING, related_name="sealed")
    leaf_hash = models.BinaryField(max_length=32)
    sealed_at = models.BigIntegerField(help_text="milliseconds since 1970 UTC")

    class Meta:
        """Written by the sealer alone."""

        db_table = "audit_sealed_entry"
        default_permissions = ()


class Tile(models.Model):
    """Up to 256 node hashes of the tree, as C2SP tlog-tiles cuts it."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField(max_length=8192)

    class Meta:
        """Written by the sealer alone."""

        db_table = "audit_tile"
        default_permissions = ()


class StoredCheckpoint(models.Model):
    """A signed note of the tree's size and root (C2SP tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    signed_at = models.BigIntegerField(help_text="milliseconds since 1970 UTC")

    class Meta:
        """Written by the sealer alone."""

        db_table = "audit_checkpoint"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["signed_at"], name="checkpoint_signed_at")]  # the size at a day's end


class Cosignature(models.Model):
    """The line of a witness under a stored checkpoint (C2SP tlog-cosignature)."""

    pk = models.CompositePrimaryKey("size", "witness")
    size = models.BigIntegerField()
    witness = models.CharField(max_length=300, help_text="its public key as C2SP writes it")
    line = models.TextField()
    signed_at = models.BigIntegerField(help_text="seconds since 1970 UTC, as the witness says")

    class Meta:
        """Written by the sealer alone."""

        db_table = "audit_cosignature"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["witness", "size"], name="cosignature_of_witness")]


class Timestamp(models.Model):
    """The answer of a timestamp authority (RFC 3161) over the signed note of a checkpoint, or over the bytes of a pack."""

    about = models.CharField(max_length=60, primary_key=True, help_text="checkpoint:SIZE or pack:ID")
    size = models.BigIntegerField(null=True, help_text="of the checkpoint; nothing for a pack")
    sha256 = models.BinaryField(max_length=32, help_text="of what was stamped")
    answer = models.BinaryField()
    at = models.BigIntegerField(help_text="milliseconds since 1970 UTC, as the authority says")
    authority = models.CharField(max_length=300, help_text="the subject of its certificate")

    class Meta:
        """Found by size."""

        db_table = "audit_timestamp"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["size"], name="timestamp_of_size", condition=~models.Q(size=None))]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(about__startswith="checkpoint:", size__isnull=False)
                | models.Q(about__startswith="pack:", size__isnull=True),
                name="timestamp_of_checkpoint_or_pack",
            )
        ]


class Heartbeat(models.Model):
    """When a process last said that it is alive. For operators; never evidence."""

    process = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        """One row for each process."""

        db_table = "audit_heartbeat"
        default_permissions = ()


class PageView(models.Model):
    """The last quarter of an hour in which somebody's look at something was logged, so that it is logged once. Never evidence."""

    pk = models.CompositePrimaryKey("person", "about")
    person = models.CharField(max_length=80)
    about = models.CharField(max_length=120)
    quarter = models.BigIntegerField(help_text="its beginning, milliseconds since 1970 UTC")

    class Meta:
        """One row for each person and thing."""

        db_table = "audit_page_view"
        default_permissions = ()
