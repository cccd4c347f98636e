"""A bypass that goes on with a weaker factor than the policy takes: said by the responder, never fallen into."""

from portal.people.factors import RECOVERY
from portal.people.signing_in import PersonRequest
from portal.policy.rules import Policy
from portal.policy.strength import has_any_factor, has_factor

NONE, WEAKER, ENOUGH = "none", "weaker", "enough"


def goes_on_weaker(request: PersonRequest) -> bool:
    """Whether the responder said so: by the link of the step-up page, which the form carries on, or by a recovery code, which is said on the form."""
    said = request.POST if request.method == "POST" else request.GET
    return said.get("weaker") == "1" or (request.method == "GET" and request.actor.method == RECOVERY)


def factor_for_bypass(request: PersonRequest, rules: Policy) -> str:
    """What the last proof is good for now."""
    if has_factor(request.actor, rules):
        return ENOUGH
    return WEAKER if goes_on_weaker(request) and has_any_factor(request.actor, rules) else NONE
