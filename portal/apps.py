"""Where people act."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """One app, one migration history."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register configuration models with auditlog, and the checks."""
        from portal import celery, checks, configuration  # noqa: PLC0415 - models must be loaded first

        celery.app.set_default()

        configuration.register()
        checks.register_all()
