"""What one version of a policy changes beside the one before, in sentences. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from audit.events.glossary import WHY_NOW
from portal.policy.alerts import GROUPS, ordered, sentence, told_of
from portal.policy.rules import CRITERIA, Policy, told_in_tiers

Way = Literal["stricter", "looser", "other"]
WORDS: dict[Way, str] = {"stricter": "Stricter", "looser": "Looser", "other": "Different"}


@dataclass(frozen=True)
class Difference:
    """One changed rule: what holds from then on, and whether it allows less or more than before."""

    rule: str
    sentence: str
    way: Way


# Rule: the sentence, and whether a higher figure is the stricter one. {} is the new figure, then the old one.
FIGURES: dict[str, tuple[str, bool]] = {
    "min_approvals": ("A request needs {} approvals instead of {}.", True),
    "approver_groups": ("Approvals come from at least {} different groups instead of {}.", True),
    "max_grant_minutes": ("A window is at most {} minutes long instead of {}.", False),
    "bypass_minutes": ("A bypass is at most {} minutes long instead of {}.", False),
    "max_extensions": ("A window can be extended {} times instead of {}.", False),
    "min_reason_chars": ("A reason has at least {} characters instead of {}.", True),
    "lapse_minutes": ("A request lapses after {} minutes without an answer instead of {}.", False),
    "bypass_offer_minutes": ("A bypass is offered after {} minutes of waiting instead of {}.", True),
    "step_up_minutes": ("A second factor counts as fresh for {} minutes instead of {}.", False),
    "review_due_hours": ("A use is reviewed within {} hours instead of {}.", False),
    "review_due_hours_bypass": ("A bypass is reviewed within {} hours instead of {}.", False),
    "removal_grace_minutes": ("Access is gone within {} minutes after its end instead of {}.", False),
    "alert_minutes": ("Alerts leave within {} minutes instead of {}.", False),
}
# Rule: the sentence where it is switched on, where it is switched off, and whether on is the stricter one.
SWITCHES: dict[str, tuple[str, str, bool]] = {
    "incident_required": ("A request must name an incident.", "A request need not name an incident any more.", True),
    "bypass_extensions": (
        "A bypass may be extended once by its responder alone.",
        "A bypass is no longer extended by its responder alone.",
        False,
    ),
    "phishing_resistant": (
        "Asking and deciding need a passkey.",
        "Asking and deciding no longer need a passkey.",
        True,
    ),
    "witnessed": (
        "Nothing opens before the log's witnesses have seen its intent.",
        "Access opens without the log's witnesses.",
        True,
    ),
    "open_unsealed": (
        "Access opens, with an alarm, although the log cannot be sealed.",
        "Nothing opens any more before its intent is sealed in the log.",
        False,
    ),
}
TIERS, ALERTS = "tiers", "alerts"
MODES = {"approved": "Access with approval", "bypass": "A bypass", "drill": "A drill"}
LISTS: dict[str, Callable[[str], str]] = {
    "modes": lambda mode: MODES.get(mode, mode),
    "criteria": lambda criterion: f"“{WHY_NOW}”: “{CRITERIA.get(criterion, criterion)}”",
}


def differences(before: Policy, after: Policy, rules: Iterable[str]) -> list[Difference]:
    """Every rule that is not the same, in the order of ``rules``, which is the form's."""
    return [
        told for rule in rules if getattr(before, rule) != getattr(after, rule) for told in _told(rule, before, after)
    ]


def _told(rule: str, earlier: Policy, later: Policy) -> list[Difference]:
    before, after = getattr(earlier, rule), getattr(later, rule)
    if rule == TIERS:
        return [Difference(rule, told_in_tiers(later) if after else "All approvers are told at once.", "other")]
    if rule == ALERTS:
        return _of_alerts(earlier, later)
    if rule in LISTS:
        return _of_list(rule, before, after)
    if rule in SWITCHES:
        on, off, on_is_stricter = SWITCHES[rule]
        return [Difference(rule, on if after else off, _way(bool(after) == on_is_stricter))]
    words, more_is_stricter = FIGURES[rule]
    return [Difference(rule, words.format(after, before), _way((after > before) == more_is_stricter))]


def _of_list(rule: str, before: tuple[str, ...], after: tuple[str, ...]) -> list[Difference]:
    name = LISTS[rule]
    return [
        *(Difference(rule, f"{name(each)} is no longer allowed.", "stricter") for each in before if each not in after),
        *(Difference(rule, f"{name(each)} is now allowed.", "looser") for each in after if each not in before),
    ]


def _of_alerts(earlier: Policy, later: Policy) -> list[Difference]:
    """Fewer who are told is looser, more is stricter."""
    found = []
    for group in GROUPS:
        before, after = (set(told_of(each.alerts, group)) for each in (earlier, later))
        if before != after:
            way: Way = "stricter" if before < after else "looser" if after < before else "other"
            found.append(Difference(ALERTS, sentence(group, ordered(after)), way))
    return found


def _way(stricter: bool) -> Way:
    return "stricter" if stricter else "looser"
