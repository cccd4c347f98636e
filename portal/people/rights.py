"""Who may: asked of the rules in ``portal/permissions.py`` by name, so that the lower concepts need not know about roles."""

from audit.log.append import Actor
from portal.errors import NotAllowed
from portal.people.models import Person

ADMINISTER, MANAGE, NARROW = "portal.administer", "portal.manage", "portal.narrow"


def need_permission(by: Actor, permission: str, about: object = None, *, says: str) -> None:
    """Demand a permission of the person who acts. Processes have their own code and no permissions.

    Raises:
        NotAllowed: the person does not have it; ``says`` is the sentence.
    """
    person = Person.objects.filter(pk=by.id, left_at__isnull=True).first() if by.is_person else None
    if person is None or not person.has_perm(permission, about):
        raise NotAllowed(says, about=about, kind="not allowed")


def need_other(by: Actor, *person_ids: object, about: object = None) -> None:
    """Demand that the act is not about the person who acts.

    Raises:
        NotAllowed: it is; nobody decides on their own.
    """
    if by.id in {str(each) for each in person_ids}:
        raise NotAllowed("Nobody decides on their own. Another person has to do this.", about=about, kind="own")
