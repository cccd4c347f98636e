"""The log and all that reads it."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Never imports portal."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
