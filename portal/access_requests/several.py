"""One form for several systems: the rules that hold for all of them."""

from collections.abc import Sequence
from dataclasses import replace

from portal.policy.rules import Policy


def strictest(rules: Sequence[Policy]) -> Policy | None:
    """What a form for all of them may take: what each of the policies would. Nothing where they share no criterion."""
    if not rules:
        return None
    criteria = tuple(each for each in rules[0].criteria if all(each in other.criteria for other in rules))
    if not criteria:
        return None
    return replace(
        rules[0], criteria=criteria, max_grant_minutes=min(each.max_grant_minutes for each in rules),
        min_reason_chars=max(each.min_reason_chars for each in rules), incident_required=1,
    )  # fmt: skip
