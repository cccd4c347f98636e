"""``manage.py check --deploy`` names each missing or weak setting."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register


def register_all() -> None:
    """Register the checks of this module."""
    register(production_settings, Tags.security, deploy=True)


def production_settings(app_configs: Any, **_: Any) -> list[Error]:  # noqa: ARG001 - Django calls it so
    """Each thing that production needs, in a sentence."""
    if not settings.PORTAL_PRODUCTION:
        return []
    return [Error(sentence, id=f"portal.E{number:03}") for number, (ok, sentence) in enumerate(_needed(), 1) if not ok]


def _needed() -> list[tuple[bool, str]]:
    database = settings.DATABASES["default"]
    return [
        (len(settings.SECRET_KEY) >= 50, "PORTAL_SECRET_KEY is missing or shorter than 50 characters."),
        (
            len(settings.PORTAL_SECRETS_KEY) >= 43,
            "PORTAL_SECRETS_KEY is missing: 32 random bytes in base64 (manage.py secrets_key makes one).",
        ),
        (
            bool(settings.PORTAL_LOG_PUBLIC_KEY),
            "PORTAL_LOG_PUBLIC_KEY is missing: nothing could be opened on a verified log entry.",
        ),
        (bool(settings.ALLOWED_HOSTS), "PORTAL_HOSTS is missing."),
        (settings.PORTAL_URL.startswith("https://"), "PORTAL_URL must begin with https://."),
        (bool(settings.PORTAL_SECURITY_LIST), "PORTAL_SECURITY_LIST is missing: nobody would be told of a bypass."),
        (bool(settings.PORTAL_SIGNING_P12), "PORTAL_SIGNING_P12_PATH is missing: packs would be unsigned."),
        (bool(database["PASSWORD"]) or str(database["HOST"]).startswith("/"), "DATABASE_URL has no password."),
    ]
