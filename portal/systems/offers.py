"""Which kinds of target this instance offers."""

from django.conf import settings

KINDS = (
    ("postgresql", "PostgreSQL"),
    ("simulated", "Simulated (for demonstrations)"),
    ("sealed", "Sealed accounts only (not reached by the portal)"),
)


def kinds_on_offer() -> list[tuple[str, str]]:
    """Kind and words; production offers nothing simulated."""
    return [(kind, words) for kind, words in KINDS if not (settings.PORTAL_PRODUCTION and kind == "simulated")]
