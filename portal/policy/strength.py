"""Which second factor a policy takes, and the one exception: a bypass that rests on a weaker one, with an alarm."""

from audit.log.append import Actor
from portal.people.factors import RECOVERY
from portal.people.strength import RESISTANT_METHODS, STRONG_METHODS, need_fresh, passes
from portal.policy.rules import Policy

ANY_METHODS = (*STRONG_METHODS, RECOVERY)


def methods_of(rules: Policy) -> tuple[str, ...]:
    """The factors that the policy takes."""
    return RESISTANT_METHODS if rules.phishing_resistant else STRONG_METHODS


def need_factor(by: Actor, rules: Policy, *, about: object = None) -> None:
    """Demand a factor that the policy takes, as fresh as it asks for.

    Raises:
        StepUpNeeded: the last one is too old or too weak.
    """
    need_fresh(by, about=about, minutes=rules.step_up_minutes, methods=methods_of(rules))


def has_factor(by: Actor, rules: Policy) -> bool:
    """Whether `need_factor` would pass."""
    return passes(need_factor, by, rules)


def need_any_factor(by: Actor, rules: Policy, *, about: object = None) -> None:
    """Demand any factor that is fresh, a recovery code too: what a bypass may rest on when the better one is out of reach.

    Raises:
        StepUpNeeded: there was none in the policy's minutes.
    """
    need_fresh(by, about=about, minutes=rules.step_up_minutes, methods=ANY_METHODS)


def has_any_factor(by: Actor, rules: Policy) -> bool:
    """Whether `need_any_factor` would pass."""
    return passes(need_any_factor, by, rules)
