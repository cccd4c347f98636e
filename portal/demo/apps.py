"""The demo: personas, seeds, a target with business data. Production refuses to start with it."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DemoConfig(AppConfig):
    """Installed only where PORTAL_DEMO is set."""

    name = "portal.demo"
    label = "demo"

    def ready(self) -> None:
        """Refuse to stand beside settings of production."""
        if settings.PORTAL_PRODUCTION or not settings.PORTAL_DEMO:
            raise ImproperlyConfigured("The demo does not start with production settings.")
        if settings.PORTAL_URL.startswith("https://"):
            raise ImproperlyConfigured(
                "The demo serves this machine only; PORTAL_URL with https looks like production."
            )
