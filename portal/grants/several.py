"""Approve several requests of one incident with one press: an act and an event for each, and what did not work said one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import allows, may_decide
from portal.errors import LogUnavailable, NotAllowed, Refused
from portal.grants import authorising
from portal.grants.models import Grant
from portal.kept_form import NOT_LOGGED
from portal.people.passkeys import has_settled
from portal.people.strength import RESISTANT_METHODS, STRONG_METHODS, need_fresh
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
        StepUpNeeded: before any of them, by the strictest of their policies; for a passkey only where the actor has one that has settled: who has
            none approves what their factor is enough for, and reads why the others were refused.
        NotAllowed: the actor may decide on none of them; each refusal is on record.
    """
    rules = [rules_of(each.policy) for each in requests]
    wants_passkey = any(
        each.phishing_resistant and allows(may_decide, by, request)
        for each, request in zip(rules, requests, strict=True)
    )
    methods = RESISTANT_METHODS if wants_passkey and has_settled(by.id) else STRONG_METHODS
    need_fresh(by, minutes=min((each.step_up_minutes for each in rules), default=None), methods=methods)
    refused: list[Refused] = []
    done = [_approve(by, each, comment, refused) for each in requests]
    if refused and len(refused) == len(done) and all(isinstance(each, NotAllowed) for each in refused):
        raise refused[0]
    return done


def _approve(by: Actor, request: AccessRequest, comment: str, refused: list[Refused]) -> Outcome:
    try:
        return Outcome(request, authorising.approve(by=by, request=request, comment=comment))
    except Refused as refusal:
        refused.append(refusal)
        return Outcome(request, refusal=refusal.sentence)
    except LogUnavailable:
        return Outcome(request, refusal=NOT_LOGGED)
