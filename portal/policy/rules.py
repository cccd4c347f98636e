"""What a policy says, as plain data, and the sentences it speaks. Pure; the document's canonical bytes are hashed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import rfc8785

from portal.policy.alerts import GROUPS, Telling, listed, ordered

CLASSES = {
    "data_read": "Read data",
    "data_change": "Change data",
    "schema_change": "Change structure",
    "config_change": "Change configuration",
    "permission_change": "Change permissions",
}
CATEGORIES = {
    "availability": "Something is down or failing",
    "security": "A security incident",
    "data_repair": "Data is wrong and must be repaired",
    "safety": "People could come to harm",
    "other": "Something else",
}
CRITERIA = {
    "outage": "A service is down, or about to be",
    "security": "An attack or leak is going on",
    "safety": "People could come to harm",
    "deadline": "A legal or payment deadline would be missed",
}
# Figures that the catalogue knows under the same name and that a policy may tighten
FIGURES = (
    "min_approvals", "min_reason_chars", "max_grant_minutes", "max_extensions", "removal_grace_minutes",
    "step_up_minutes", "alert_minutes",
)  # fmt: skip
LATER = frozenset({"alerts", "approver_groups", "bypass_extensions", "phishing_resistant", "tiers", "witnessed"})
"""Rules that came after the first versions: at their default they are no part of the document, so that the hash of an older version stays."""

MOST_TIERS = 3


class WrongPolicy(ValueError):
    """The document is not a policy; the sentence says why."""


@dataclass(frozen=True)
class Tier:
    """Approvers who are told together, and for how many minutes they alone are: people, by pseudonym, and whoever stands in a group, by its name; or
    whoever is on call by a rota, by its id."""

    people: tuple[str, ...]
    minutes: int
    rota: str = ""
    groups: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """As it is hashed: a rota alone, or people, groups or both; what came later is left out where it says nothing."""
        if self.rota:
            return {"minutes": self.minutes, "rota": self.rota}
        people: dict[str, object] = {"people": list(self.people)} if self.people or not self.groups else {}
        return {"minutes": self.minutes, **people, **({"groups": list(self.groups)} if self.groups else {})}


@dataclass(frozen=True)
class Policy:
    """The rules of one version. Times in the unit that the name says."""

    modes: tuple[str, ...] = ("approved", "bypass", "drill")
    criteria: tuple[str, ...] = ("outage", "security", "safety")
    min_approvals: int = 1
    max_grant_minutes: int = 120
    bypass_minutes: int = 60
    max_extensions: int = 1
    min_reason_chars: int = 40
    incident_required: int = 1
    lapse_minutes: int = 60
    bypass_offer_minutes: int = 10
    step_up_minutes: int = 15
    review_due_hours: int = 72
    review_due_hours_bypass: int = 24
    removal_grace_minutes: int = 5
    alert_minutes: int = 5
    approver_groups: int = 0  # different groups of approvers that must be among those who say yes
    bypass_extensions: int = 0  # that the responder of a bypass takes alone, because nobody is there to give them
    phishing_resistant: int = 0  # 1: asking, deciding, revealing and judging take a passkey and no other factor
    tiers: tuple[Tier, ...] = ()  # who is told first; without any, all approvers at once
    alerts: tuple[Telling, ...] = ()  # who is told of what, where it is not as usual
    witnessed: int = 0  # 1: nothing opens before every required witness of the log has cosigned its intent
    open_unsealed: int = 0  # 1: when the log cannot be sealed in time, open with an alarm; 0: refuse in one sentence

    def document(self) -> str:
        """Canonical JSON (RFC 8785) of all rules: what is hashed, shown and put into the log. See ``LATER``."""
        known = {each.name: each.default for each in fields(self)}
        said = {key: value for key, value in asdict(self).items() if key not in LATER or value != known[key]}
        if self.tiers:
            said["tiers"] = [each.document() for each in self.tiers]
        if self.alerts:
            said["alerts"] = {each.group: list(each.to) for each in self.alerts}
        return rfc8785.dumps(
            {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
        ).decode()

    def sha256(self) -> str:
        """SHA-256 over the document's bytes, in hex."""
        return hashlib.sha256(self.document().encode()).hexdigest()

    def figures(self) -> dict[str, int | list[str] | dict[str, int]]:
        """Figures under the catalogue's names; the review's hours by mode and criticality."""
        plain: dict[str, int | list[str] | dict[str, int]] = {name: getattr(self, name) for name in FIGURES}
        hours = {mode: self.review_hours_for(mode, "normal") for mode in ("approved", "bypass", "drill")}
        alone = {"approved": 0, "bypass": self.bypass_extensions, "drill": 0}
        plain["bypass_extensions"] = alone
        if self.phishing_resistant:
            plain["allowed_strong_methods"] = ["webauthn"]
        return plain | {"review_due_hours": hours | {"critical_system": self.review_hours_for("approved", "critical")}}

    def minutes_for(self, mode: str) -> int:
        """The longest window that the mode allows."""
        return min(self.bypass_minutes, self.max_grant_minutes) if mode == "bypass" else self.max_grant_minutes

    def review_hours_for(self, mode: str, criticality: str) -> int:
        """Hours until the review is due; the smaller figure holds."""
        hours = self.review_due_hours_bypass if mode == "bypass" else self.review_due_hours
        return min(hours, 24) if criticality == "critical" else hours


def parse(document: str | Mapping[str, Any]) -> Policy:
    """Read a policy strictly.

    Raises:
        WrongPolicy: an unknown rule, a wrong type, a figure out of its range.
    """
    given = dict(json.loads(document)) if isinstance(document, str) else dict(document)
    known = {each.name: each for each in fields(Policy)}
    for key, value in given.items():
        if key not in known:
            raise WrongPolicy(f"A policy has no rule {key}.")
        if key == "tiers":
            given[key] = tuple(_tier(each) for each in value)
        elif key == "alerts":
            given[key] = _alerts(value)
        elif isinstance(known[key].default, tuple):
            given[key] = tuple(value)
        elif not isinstance(value, int) or value < 0:
            raise WrongPolicy(f"{key} must be a whole number.")
    policy = Policy(**given)
    _check(policy)
    return policy


def _tier(given: Any) -> Tier:
    if isinstance(given, Tier):
        return given
    if not isinstance(given, dict) or given.keys() - {"minutes"} not in (
        {"people"}, {"groups"}, {"people", "groups"}, {"rota"},
    ):  # fmt: skip
        raise WrongPolicy("A tier is a list of people and groups, or a rota, and a number of minutes.")
    people, groups, rota = given.get("people", []), given.get("groups", []), given.get("rota", "")
    if not isinstance(people, list | tuple) or not isinstance(groups, list | tuple):
        raise WrongPolicy("A tier names its people, and its groups, in a list.")
    if not all(isinstance(each, str) for each in (*people, *groups, rota)):
        raise WrongPolicy("A tier names people and rotas by their ids, and groups by their names.")
    if not isinstance(given.get("minutes"), int):
        raise WrongPolicy("The minutes of a tier must be a whole number.")
    return Tier(tuple(people), given["minutes"], rota, tuple(groups))


def _alerts(given: Any) -> tuple[Telling, ...]:
    if isinstance(given, tuple) and all(isinstance(each, Telling) for each in given):
        given = {each.group: list(each.to) for each in given}
    if not isinstance(given, dict) or not given.keys() <= GROUPS.keys():
        raise WrongPolicy("Alerts are groups of alerts, each with those who are told.")
    for name, to in given.items():
        if not isinstance(to, list | tuple) or any(each not in GROUPS[name].may for each in to):
            raise WrongPolicy(f"{GROUPS[name].label}: these cannot be chosen.")
    return tuple(Telling(name, ordered(given[name])) for name in GROUPS if name in given)


def _check(policy: Policy) -> None:
    named = [each for tier in policy.tiers for each in (*tier.people, *filter(None, [tier.rota]))]
    groups = [each for tier in policy.tiers for each in tier.groups]
    limits = (
        (
            set(policy.modes) <= {"approved", "bypass", "drill"} and policy.modes,
            "Modes are approved, bypass and drill.",
        ),
        (policy.criteria, "A policy names at least one answer to “Why now?”."),
        (1 <= policy.min_approvals <= 5, "One to five approvers."),
        (policy.approver_groups <= policy.min_approvals, "No more groups than approvers who must say yes."),
        (5 <= policy.max_grant_minutes <= 240, "A window is 5 to 240 minutes long."),
        (
            5 <= policy.bypass_minutes <= policy.max_grant_minutes,
            "A bypass is 5 minutes or more, and no longer than an approved window.",
        ),
        (policy.max_extensions <= 1, "At most one extension."),
        (
            policy.bypass_extensions <= policy.max_extensions,
            "A bypass can be extended by its responder only where extensions are possible at all.",
        ),
        (policy.min_reason_chars >= 40, "A reason has at least 40 characters."),
        (5 <= policy.lapse_minutes <= 1440, "A request lapses after 5 minutes to a day."),
        (1 <= policy.step_up_minutes <= 15, "A second factor is at most 15 minutes old."),
        (
            1 <= policy.review_due_hours <= 72 and 1 <= policy.review_due_hours_bypass <= 24,
            "Reviews are due within 72 hours, 24 after a bypass.",
        ),
        (
            1 <= policy.removal_grace_minutes <= 5 and 1 <= policy.alert_minutes <= 5,
            "Removal and alerts have at most 5 minutes.",
        ),
        (
            len(policy.tiers) <= MOST_TIERS
            and all(bool(tier.people or tier.groups) != bool(tier.rota) for tier in policy.tiers),
            f"At most {MOST_TIERS} tiers, each with somebody in it: people and groups, or one rota alone.",
        ),
        (len(named) == len(set(named)), "Nobody stands in two tiers, and no rota does."),
        (len(groups) == len(set(groups)) and all(groups), "No group stands in two tiers, and each has a name."),
        (all(1 <= tier.minutes <= 60 for tier in policy.tiers), "The next tier is told after 1 to 60 minutes."),
    )
    for ok, sentence in limits:
        if not ok:
            raise WrongPolicy(sentence)


def count(number: int, one: str, many: str) -> str:
    """``One approver``, ``3 approvers``: small numbers in words at the head of a sentence."""
    words = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five"}
    return f"{words.get(number, number)} {one if number == 1 else many}"


def told_in_tiers(policy: Policy) -> str:
    """In which order approvers are told, in one sentence."""
    first, *others = policy.tiers
    within = [f"after {tier.minutes} minute{'' if tier.minutes == 1 else 's'}" for tier in (first, *others)]
    return f"{_told_first(first)} told at once; the next, if nobody has seen it, {', then '.join(within)}."


def _told_first(tier: Tier) -> str:
    if tier.rota:
        return "Whoever is on call is"
    people = [count(len(tier.people), "approver", "approvers")] if tier.people else []
    who = listed(
        [*people, *(f"{'the' if people or number else 'The'} group {each}" for number, each in enumerate(tier.groups))]
    )
    return f"{who} {'is' if len(tier.people) + len(tier.groups) == 1 else 'are'}"


def sentences(policy: Policy, *, mode: str, approvers: int) -> list[str]:
    """What the policy says to a responder before the form is sent."""
    said = [f"At most {policy.minutes_for(mode)} minutes."]
    if mode == "bypass":
        said = ["Opens at once, without approval.", *said]
        said.append("Every approver, the owner and the security list are told now.")
        hours = policy.review_due_hours_bypass
        within = f"{hours} hour{'' if hours == 1 else 's'}"
        said.append(f"Reviewed within {within}; what you leave out now is owed until then.")
    else:
        said.insert(0, f"{count(policy.min_approvals, 'approver', 'approvers')} of {approvers} must say yes.")
        if policy.approver_groups > 1:
            said.insert(1, f"They must come from {policy.approver_groups} different groups.")
        if policy.tiers:
            said.append(told_in_tiers(policy))
        said.append(f"The reason has at least {policy.min_reason_chars} characters.")
        if policy.incident_required and mode == "approved":
            said.append("You must name an incident.")
        said.append(f"Lapses after {policy.lapse_minutes} minutes without an answer.")
    if policy.max_extensions:
        said.append(_extensions(policy, mode))
    if policy.phishing_resistant:
        said.append("Asks for your passkey; an authenticator's code is not enough.")
    said.append("Every action on the system is recorded.")
    return said


def _extensions(policy: Policy, mode: str) -> str:
    if mode == "bypass" and policy.bypass_extensions:
        return "One extension, by another person or, where nobody is there, by yourself; everybody is told."
    return "One extension, decided by another person."
