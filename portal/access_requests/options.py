"""What a responder may ask for now, with the policy that would hold."""

from dataclasses import dataclass
from uuid import UUID

from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import what_may_be_asked
from portal.people.models import Person
from portal.policy.queries import in_force_for, rules_of
from portal.policy.rules import Policy
from portal.stops.models import Stop
from portal.stops.queries import by_system
from portal.systems.models import Privilege


@dataclass(frozen=True)
class Option:
    """One privilege of the viewer's list; without a policy in force nothing can be asked, and while ``stop`` is in force nothing is opened."""

    privilege: Privilege
    rules: Policy | None
    stop: Stop | None = None

    def allows(self, mode: str) -> bool:
        """Whether the policy knows the mode."""
        return self.rules is not None and mode in self.rules.modes


def options_of(viewer: Person) -> list[Option]:
    """All of them, by system and privilege; in three queries."""
    listed = {each.privilege_id: each.privilege for each in what_may_be_asked(viewer)}
    versions = in_force_for({privilege.system for privilege in listed.values()})
    rules = {system_id: rules_of(version) for system_id, version in versions.items()}
    stops = by_system({privilege.system for privilege in listed.values()})
    return [
        Option(privilege, rules.get(privilege.system_id), stops.get(privilege.system_id))
        for privilege in listed.values()
    ]


def own_request(viewer: Person, pk: UUID) -> AccessRequest | None:
    """An earlier request of the viewer, to begin another one with."""
    return AccessRequest.objects.filter(responder=viewer, pk=pk).select_related("system", "privilege").first()


def privilege_for_act(pk: UUID) -> Privilege | None:
    """For the act alone, which refuses whoever is not on the list, and has that on record."""
    return Privilege.objects.select_related("system__owner").filter(pk=pk).first()
