"""Approve several requests of one incident with one press: an act and an event for each, and what did not work said one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.errors import LogUnavailable, NotAllowed, Refused
from portal.grants import opening
from portal.grants.models import Grant
from portal.kept_form import NOT_LOGGED
from portal.people.strength import need_fresh
from portal.policy.queries import rules_of


@dataclass(frozen=True)
class Outcome:
    """What became of one: approved, with its grant where this was the last yes, or not, and why."""

    request: AccessRequest
    grant: Grant | None = None
    refusal: str = ""

    @property
    def sentence(self) -> str:
        """For whoever decided."""
        name = f"{self.request.responder.name}, {self.request.privilege.name} on {self.request.system.name}"
        if self.refusal:
            return f"{name}: not approved. {self.refusal}"
        return f"{name}: approved. {'It opens now.' if self.grant else 'Others must say yes too.'}"


def approve_several(*, by: Actor, requests: Sequence[AccessRequest], comment: str = "") -> list[Outcome]:
    """Approve each in an act of its own: one that is refused leaves the others.

    Raises:
        StepUpNeeded: before any of them, by the strictest of their policies.
        NotAllowed: the actor may decide on none of them; each refusal is on record.
    """
    need_fresh(by, minutes=min((rules_of(each.policy).step_up_minutes for each in requests), default=None))
    refused: list[Refused] = []
    done = [_approve(by, each, comment, refused) for each in requests]
    if refused and len(refused) == len(done) and all(isinstance(each, NotAllowed) for each in refused):
        raise refused[0]
    return done


def _approve(by: Actor, request: AccessRequest, comment: str, refused: list[Refused]) -> Outcome:
    try:
        return Outcome(request, opening.approve(by=by, request=request, comment=comment))
    except Refused as refusal:
        refused.append(refusal)
        return Outcome(request, refusal=refusal.sentence)
    except LogUnavailable:
        return Outcome(request, refusal=NOT_LOGGED)
