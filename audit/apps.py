"""The log and all that reads it."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """Never imports portal."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Set the rights anew after each migration."""
        from audit.log.rights import apply_rights  # noqa: PLC0415 - needs the app registry

        post_migrate.connect(apply_rights, dispatch_uid="audit.log.rights")
