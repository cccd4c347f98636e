"""How long each class of event is kept at least, and by whose duty. Every event of the catalogue belongs to one class.

Entries go as whole bundles and never before `ENTRIES_DAYS`. What is personal in them may go sooner, as its class says. What is in force
(people, roles, systems, policies) is told by entries that may be old: those stay, whatever is cut around them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000
ENTRIES_DAYS = 2555
"""Seven years: the yardstick's ``retention_days``, which outlasts each duty below."""
ENTRIES = "entries"


@dataclass(frozen=True)
class Kept:
    """One class: for how many days from its writing what is personal in an entry is kept at least; ``None``: while the log is kept."""

    key: str
    label: str
    says: str
    days: int | None
    duty: str


CLASSES: Mapping[str, Kept] = {
    each.key: each
    for each in (
        Kept("access", "Access cases", "requests, decisions, grants, what was done, reviews, findings, packs",
             2555, "HIPAA 164.316(b)(2)(i) wants six years, ISO/IEC 27001 A.5.33 what contracts and law want; the yardstick says seven."),
        Kept("signins", "Sign-ins and looking", "sign-ins, second factors, pages looked at, lists taken away",
             400, "PCI DSS 10.5.1 wants twelve months, three of them at hand."),
        Kept("operational", "Running of the portal and the log", "checks of the log, alerts, sources, connectors, listings",
             400, "PCI DSS 10.5.1 wants twelve months, three of them at hand."),
        Kept("in_force", "People, roles and rules", "people, roles, eligibilities, systems, policies, keys, holds, erasures, cuts",
             None, "They say what is in force; a person's values are erased when two administrators say so."),
    )
}  # fmt: skip
FAMILIES: Mapping[str, str] = {
    family: key
    for key, families in {
        "access": "request grant session activity drill review finding privacy completeness change sealed offline dossier pack campaign",
        "signins": "signin factor password recovery page list search",
        "operational": "alert backup channel connector duty log reconciliation source target personnel",
        "in_force": "portal person role eligibility policy system privilege key hold erasure cut retention rota receiver stop configuration "
        "personal_value personal_values",
    }.items()
    for family in families.split()
}  # fmt: skip
# Where one event of a family says what is in force, or what is gone for ever.
OTHERWISE: Mapping[str, str] = dict.fromkeys(
    (
        "source.declared", "source.withdrawn", "source.epoch_started", "duty.set", "log.cut", "log.loss_reported", "log.range_lost", "log.recovered", "log.values_restored", "sealed.proposed", "sealed.registered",
        "sealed.account_listed", "sealed.custodian_changed", "sealed.retired", "offline.cards_made", "offline.card_held", "offline.replaced",
        "personnel.imported",
    ),
    "in_force",
)  # fmt: skip


def class_of(name: str) -> Kept:
    """The class of an event. One of a later version that is not known here is kept as what is in force is."""
    return CLASSES[OTHERWISE.get(name) or FAMILIES.get(name.partition(".")[0], "in_force")]


def stays(name: str) -> bool:
    """Whether an entry of this name stays in the database when the bundles around it are cut."""
    return class_of(name).days is None


def floors() -> dict[str, int]:
    """Days by class, and those of whole entries: nothing may be set below."""
    return {ENTRIES: ENTRIES_DAYS} | {key: each.days for key, each in CLASSES.items() if each.days is not None}


def read_terms(said: str) -> dict[str, int]:
    """Terms from ``"entries=3650 signins=800"``; what is not named keeps its floor.

    Raises:
        ValueError: a class is unknown, a number is none, or it is shorter than the duty.
    """
    terms = floors()
    for word in said.replace(",", " ").split():
        key, _, days = word.partition("=")
        if key not in terms:
            raise ValueError(f"There is no class {key}; there are {', '.join(terms)}.")
        if not days.isdecimal() or int(days) < terms[key]:
            raise ValueError(f"{key} is kept for {terms[key]} days at least.")
        terms[key] = int(days)
    return terms
