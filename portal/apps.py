"""Where people act."""

from django.apps import AppConfig
from django.forms import Field


class PortalConfig(AppConfig):
    """One app, one migration history."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register configuration models with auditlog, and the checks."""
        from portal import celery, checks, configuration, kept_form  # noqa: PLC0415 - models must be loaded first

        celery.app.set_default()
        # Every form speaks with one voice, also those whose fields are Django's own.
        Field.default_error_messages["required"] = kept_form.EMPTY

        configuration.register()
        checks.register_all()
