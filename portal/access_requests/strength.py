"""With which factor a request was asked, and which its responder needs to use it."""

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.policy.queries import rules_of
from portal.policy.rules import Policy
from portal.policy.strength import methods_of, need_any_factor, need_factor


def is_weaker(request: AccessRequest, rules: Policy) -> bool:
    """Whether a bypass rests on a factor that its policy does not take: T-12 shows it as a deviation."""
    return request.mode == "bypass" and bool(request.factor) and request.factor not in methods_of(rules)


def need_factor_to_use(by: Actor, request: AccessRequest, *, about: object) -> None:
    """Demand the policy's factor of the responder; after a bypass on a weaker one, that is enough here too, or nothing could be used.

    Raises:
        StepUpNeeded: the last one is too old or too weak.
    """
    rules = rules_of(request.policy)
    need = need_any_factor if is_weaker(request, rules) else need_factor
    need(by, rules, about=about)
