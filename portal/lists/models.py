"""Searches that were saved under a name: one's own, or for everybody."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person


class SavedSearch(models.Model):
    """An address of a list's page. It shows each viewer what they may see, whoever saved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    list = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000, help_text="what follows the page's address")
    shared = models.BooleanField(help_text="for everybody, and not for its owner alone")
    saved_at = models.DateTimeField()

    class Meta:
        """A name stands once for each list among one's own, and once among those for everybody."""

        default_permissions = ()
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "list", "name"], name="search_name_of_owner"),
            models.UniqueConstraint(
                fields=["list", "name"], condition=models.Q(shared=True), name="search_name_of_all"
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"search:{self.pk}"
