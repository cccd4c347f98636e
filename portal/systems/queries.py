"""What stands already; who may see it is asked in ``portal/eligibility/seen.py``, where roles are known."""

from portal.systems.models import Privilege, System


def slug_is_taken(slug: str, but: System | None = None) -> bool:
    """Whether another system has the short name."""
    others = System.objects.exclude(pk=but.pk) if but else System.objects.all()
    return others.filter(slug=slug).exists()


def privilege_is_taken(system: System, on_target: str) -> bool:
    """Whether the system has a privilege of that name on the target."""
    return Privilege.objects.filter(system=system, on_target=on_target).exists()
