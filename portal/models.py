"""Gathers the models of all concepts for Django."""

from portal.access_requests.models import AccessRequest, Approval, Seen
from portal.campaigns.models import Campaign, Duty, Item
from portal.drills.models import Drill
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.erasing.models import Cut, Erasure, LegalHold
from portal.findings.models import Finding
from portal.grants.models import Extension, Grant, Release
from portal.lists.models import SavedSearch
from portal.lost.models import LostRange
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.models import Alert
from portal.people.models import Attempts, FactorReset, Passkey, PasskeyChallenge, Person, SignIn, Sponsorship
from portal.personnel.models import PersonnelList
from portal.policy.models import PolicyConfirmation, PolicyVersion
from portal.reconciliation.models import IntakePosition, Listing
from portal.reviews.models import Acceptance, ChangeRecord, Delegation, PrivacyDecision, Review, Sitting
from portal.rotas.models import Absence, Rota, Swap
from portal.sealed.models import OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.stops.models import Stop
from portal.systems.models import Privilege, ProposedChange, System

__all__ = [
    "Absence",
    "Acceptance",
    "AccessRequest",
    "Alert",
    "Approval",
    "Attempts",
    "Campaign",
    "ChangeRecord",
    "Cut",
    "Delegation",
    "Drill",
    "Duty",
    "Eligibility",
    "Erasure",
    "Extension",
    "FactorReset",
    "Finding",
    "Grant",
    "IntakePosition",
    "Item",
    "LegalHold",
    "Listing",
    "LostRange",
    "OfflineCard",
    "OfflineSet",
    "Passkey",
    "PasskeyChallenge",
    "Person",
    "PersonnelList",
    "PolicyConfirmation",
    "PolicyVersion",
    "PrivacyDecision",
    "Privilege",
    "ProposedChange",
    "Receiver",
    "Release",
    "Review",
    "RoleAssignment",
    "Rota",
    "Rotation",
    "SavedSearch",
    "SealedAccount",
    "Seen",
    "SignIn",
    "Sitting",
    "Sponsorship",
    "Stop",
    "Swap",
    "System",
]  # fmt: skip
