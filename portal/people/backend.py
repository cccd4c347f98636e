"""Password check. A second factor follows in every case; see ``signing_in.py``."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from portal.people.models import Person


class PasswordBackend(BaseBackend):
    """Checks mail address and password in about the same time whether the person exists or not."""

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django hands it to every backend
        email: str = "",
        password: str = "",
        **_: Any,
    ) -> Person | None:
        """Return the person whose password it is, else ``None``."""
        person = Person.objects.filter(email=email.strip().lower(), left_at__isnull=True).first()
        if person is None:
            make_password(password)
            return None
        return person if person.check_password(password) else None

    def get_user(self, user_id: Any) -> Person | None:
        """Load the person of a browser login."""
        return Person.objects.filter(pk=user_id, left_at__isnull=True).first()
