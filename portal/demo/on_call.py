"""At the demo's present the two approvers of a system begin to take turns. No policy names their rota, so both are told of a request as before."""

from portal.demo.organisation import Organisation
from portal.rotas import actions
from portal.rotas.models import Rota


def take_turns(organisation: Organisation, slug: str) -> Rota:
    """Ines has the week that runs, Jon the next."""
    members = [str(organisation.people[key].pk) for key in ("ines", "jon")]
    return actions.set_up(
        by=organisation.by("pia"), system=organisation.systems[slug], name="On call", members=members, weekday=0, hour=9, zone="Europe/Berlin"
    )  # fmt: skip
