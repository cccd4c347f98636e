"""What the catalogue says about attestations: how often, what counts as dormant, and the words of the statement."""

from datetime import timedelta
from functools import cache
from typing import Any

import yaml

from portal.campaigns.signals import Limits
from portal.parameters import CATALOGUE, days, values


@cache
def attestation_interval(kind: str) -> timedelta:
    """The longest time between two attestations of a list of that kind; the operator's stricter figure holds."""
    return timedelta(days=min(each[kind] for each in values("attestation_days")))


@cache
def conflicting_roles() -> frozenset[frozenset[str]]:
    """Pairs of roles that nobody should hold for one system; the operator's come on top."""
    return frozenset(frozenset(pair) for pairs in values("conflicting_roles") for pair in pairs)


@cache
def dormant_after() -> timedelta:
    """So long after the last use or drill a right counts as dormant, and keeping it needs a reason."""
    return days("dormant_days")


@cache
def limits() -> Limits:
    """From which figures on a second look at how lines were judged is worth it; the operator's stricter figures hold."""
    return Limits(
        stamp_min_items=min(values("stamp_min_items")), stamp_keep_rate=min(values("stamp_keep_rate")),
        stamp_seconds=max(values("stamp_seconds")), stamp_same_comment=min(values("stamp_same_comment")),
    )  # fmt: skip


@cache
def statement() -> str:
    """What whoever closes an attestation states."""
    return str(_campaign()["statement"])


@cache
def decisions() -> dict[str, str]:
    """Each decision and what it says."""
    return {str(name): str(says) for name, says in _campaign()["decisions"].items()}


def _campaign() -> dict[str, Any]:
    document = yaml.safe_load((CATALOGUE / "review_questions.yaml").read_text(encoding="utf-8"))
    return dict(document["campaign"])
