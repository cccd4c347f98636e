"""Make a key for PORTAL_SECRETS_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.secrets import new_key


class Command(BaseCommand):
    """Prints 32 random bytes in base 64; keeps nothing."""

    help = (
        "Print a new key for PORTAL_SECRETS_KEY. Secrets that lie encrypted under another key cannot be read with it."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own way of declaring it

    def handle(self, *args: Any, **options: Any) -> None:
        """One line."""
        self.stdout.write(new_key())
