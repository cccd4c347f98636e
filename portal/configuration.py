"""Which rows of configuration django-auditlog watches. Secrets and personal fields are left out."""

from typing import Any

from auditlog.registry import auditlog
from auditlog.signals import post_log
from django.db import transaction

from audit.log.append import append, process, running

WATCHED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("System", ("secret", "way_in")),
    ("Privilege", ("description",)),
    ("PolicyVersion", ()),
    ("RoleAssignment", ()),
    ("Eligibility", ()),
    ("Rota", ()),
)


def register() -> None:
    """Watch each model of the list; bulk writes on them are forbidden by a test."""
    from portal import models  # noqa: PLC0415 - loaded after the app registry

    for name, left_out in WATCHED:
        model: Any = getattr(models, name)
        if not auditlog.contains(model):
            auditlog.register(model, exclude_fields=list(left_out))
            model.get_additional_data = _event_of_the_action
    post_log.connect(forward, dispatch_uid="portal.configuration.forward")


def _event_of_the_action(_: Any) -> dict[str, str]:
    """What auditlog keeps beside a row change: the id of the event of the action that made it."""
    event = running()[1]
    return {"event": str(event)} if event else {}


def forward(*, instance: Any, action: Any, changes: Any, log_created: bool, **_: Any) -> None:
    """Put each row change into the log as well, with the id of the action's event, in the same transaction."""
    if not log_created:
        return
    by, event = running()
    with transaction.atomic():
        append(
            "configuration.changed", by=by or process("shell"), subject=instance.log_subject, model=type(instance).__name__,
            object_id=instance.pk, operation=("create", "update", "delete", "access")[action], changed=sorted(changes or {}), event_id=event,
        )  # fmt: skip
