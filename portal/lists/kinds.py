"""Every list that can be taken away as a file: its rows as the viewer may see them, and its columns. One table.

The lists of cases and of packs are audit's own and are taken away on their pages; they stand here for their names and for saved searches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from portal.access_requests.queries import visible as requests_of
from portal.campaigns.queries import visible as campaigns_of
from portal.clock import now
from portal.drills.queries import visible as drills_of
from portal.eligibility.queries import keeps_systems, visible_eligibilities, visible_roles
from portal.eligibility.seen import systems_seen
from portal.findings.queries import OPEN, SHOWN, findings, listed
from portal.grants.queries import visible_grants as grants_of
from portal.notifications.channels.webhook.queries import all_for as receivers_for
from portal.notifications.queries import alerts_for
from portal.people.models import Person
from portal.people.queries import people
from portal.people.rights import ADMINISTER
from portal.personnel.queries import lists as personnel_lists
from portal.policy.queries import holding, versions_for
from portal.reviews.queries import visible as reviews_of
from portal.reviews.states import SUBMITTED
from portal.rotas.queries import visible as rotas_of
from portal.sealed.queries import has_register
from portal.sealed.queries import visible as sealed_of
from portal.stops.queries import visible as stops_of

Rows = QuerySet[Any]
Said = Mapping[str, str]
REQUEST = "request"


@dataclass(frozen=True)
class ListKind:
    """One list. ``columns`` are pairs of a heading and where the value stands, from the row on.

    ``rows`` are all that the viewer may see, ``narrowed`` those that an address of its page shows; ``keys`` are the words of such an address.
    """

    title: str
    thing: str
    things: str
    page: str
    columns: tuple[tuple[str, str], ...] = ()
    rows: Callable[[Person], Rows] | None = None
    narrowed: Callable[[Person, Said], Rows] | None = None
    keys: tuple[str, ...] = ()
    may: Callable[[Person], bool] = lambda _: True

    def chosen(self, viewer: Person, said: Said) -> Rows:
        """The rows that an address asks for, as plain values."""
        assert self.rows is not None  # noqa: S101 - asked for lists of the portal only
        found = self.narrowed(viewer, said) if self.narrowed is not None else self.rows(viewer)
        return found.values_list(*(path for _, path in self.columns))


def _requests(viewer: Person, said: Said) -> Rows:
    found = requests_of(viewer).order_by("-requested_at", "pk")
    return found.filter(responder=viewer) if said.get("list") == "mine" else found


def _findings(viewer: Person, said: Said) -> Rows:
    shown = said.get("show") or ("" if said.get("all") else OPEN)
    return listed(viewer, shown) if shown in SHOWN else findings(viewer).order_by("raised_at", "pk")


def _reviews(viewer: Person, said: Said) -> Rows:
    found = reviews_of(viewer).order_by("due_at", "pk")
    if said.get("all"):
        return found
    return found.filter(state=SUBMITTED) if said.get("show") == "done" else found.exclude(state=SUBMITTED)


def _administers(viewer: Person) -> bool:
    return viewer.has_perm(ADMINISTER)


def _stops(viewer: Person) -> Rows:
    return (
        stops_of(viewer).annotate(where_=Coalesce("system__name", Value("All systems"))).order_by("-started_at", "pk")
    )


def _rotas(viewer: Person) -> Rows:
    return rotas_of(viewer).annotate(members_=Cast("members", TextField())).order_by("system__name", "name", "pk")


def _receivers(viewer: Person) -> Rows:
    return receivers_for(viewer).annotate(topics_=Cast("topics", TextField())).order_by("added_at", "pk")


USE = (("system", "system__name"), ("privilege", "privilege__name"))
DATED = (
    ("from", "from_at"), ("until", "to_at"), ("proposed_by", "proposed_by__name"), ("proposed_at", "proposed_at"),
    ("approved_by", "approved_by__name"), ("approved_at", "approved_at"), ("ended_at", "ended_at"), ("ended_because", "ended_cause"),
)  # fmt: skip

KINDS: Mapping[str, ListKind] = {
    "cases": ListKind("Cases", "case", "cases", "case_list", keys=("q", "system", "mode", "status", "verdict", "person", "since", "until")),
    "requests": ListKind(
        "Requests", "request", "requests", "requests", (
            ("request", "pk"), ("asked_at", "requested_at"), ("person", "responder__name"), *USE, ("mode", "mode"), ("criterion", "criterion"),
            ("category", "category"), ("incident", "incident_ref"), ("minutes", "minutes"), ("state", "state"), ("decided_at", "decided_at"),
            ("grant", "grant__state"),
        ),
        lambda viewer: requests_of(viewer).order_by("-requested_at", "pk"), _requests, ("list",),
    ),
    "grants": ListKind(
        "Grants", "grant", "grants", "requests", (
            ("grant", "pk"), (REQUEST, "request_id"), ("person", "person__name"), *USE, ("mode", "request__mode"), ("state", "state"),
            ("authorised_at", "authorised_at"), ("opened_at", "opened_at"), ("expires_at", "expires_at"), ("ended_at", "ended_at"),
            ("end_confirmed_at", "confirmed_at"), ("ended_because", "end_cause"), ("minutes", "minutes"),
        ),
        lambda viewer: grants_of(viewer).order_by("-authorised_at", "pk"),
    ),
    "reviews": ListKind(
        "Reviews", "review", "reviews", "reviews", (
            ("review", "pk"), ("grant", "grant_id"), ("offline_account", "of_set__account__account"), ("offline_set", "of_set__number"),
            (REQUEST, "request_id"), ("person", "request__responder__name"), ("system", "request__system__name"), ("mode", "request__mode"), ("state", "state"),
            ("due_at", "due_at"), ("reviewer", "reviewer__name"), ("submitted_at", "submitted_at"), ("outcome", "outcome"), ("second_due_at", "second_due_at"),
            ("second_reviewer", "second_reviewer__name"), ("second_submitted_at", "second_submitted_at"), ("second_confirms", "second_agrees"),
        ),
        lambda viewer: reviews_of(viewer).order_by("due_at", "pk"), _reviews, ("show",),
    ),
    "findings": ListKind(
        "Findings", "finding", "findings", "findings", (
            ("finding", "pk"), ("title", "title"), ("kind", "kind"), ("test", "test_id"), ("system", "system__name"), ("owner", "owner__name"),
            ("state", "state"), ("raised_at", "raised_at"), ("due_at", "due_at"), ("closed_at", "closed_at"), ("case", "case"),
        ),
        lambda viewer: findings(viewer).order_by("raised_at", "pk"), _findings, ("show",),
    ),
    "campaigns": ListKind(
        "Attestations", "attestation", "attestations", "campaigns", (
            ("attestation", "pk"), ("list", "kind"), ("system", "system__name"), ("state", "state"), ("list_taken_at", "snapshot_at"),
            ("list_sha256", "snapshot_sha256"), ("due_at", "due_at"), ("closed_at", "closed_at"), ("closed_by", "closed_by__name"),
        ),
        lambda viewer: campaigns_of(viewer).order_by("-snapshot_at", "pk"),
    ),
    "drills": ListKind(
        "Drills", "drill", "drills", "drills", (
            ("drill", "pk"), (REQUEST, "request_id"), ("system", "system__name"), ("privilege", "request__privilege__name"),
            ("person", "request__responder__name"), ("started_at", "started_at"), ("over_at", "over_at"), ("judged_at", "judged_at"),
            ("worked", "worked"), ("repeats", "repeats_id"),
        ),
        lambda viewer: drills_of(viewer).order_by("-started_at", "pk"),
    ),
    "sealed": ListKind(
        "Sealed accounts", "sealed account", "sealed accounts", "sealed", (
            ("account", "pk"), ("name", "name"), ("system", "system__name"), ("on_target", "account"), ("where", "location"),
            ("custodian", "custodian__name"), ("second_custodian", "second_custodian__name"), ("kept_by", "kept_by"), ("state", "state"),
            ("stands", "standing"), ("proposed_by", "proposed_by__name"), ("proposed_at", "proposed_at"), ("decided_by", "decided_by__name"),
            ("decided_at", "decided_at"), ("held_by", "held_by__name"), ("held_at", "held_at"),
        ),
        lambda viewer: sealed_of(viewer).order_by("system__name", "name", "pk"), may=has_register,
    ),
    "stops": ListKind(
        "Emergency stops", "stop", "stops", "stops", (
            ("stop", "pk"), ("where", "where_"), ("state", "state"), ("started_by", "started_by__name"), ("started_at", "started_at"),
            ("lift_asked_by", "lift_asked_by__name"), ("lift_asked_at", "lift_asked_at"), ("lifted_by", "lifted_by__name"), ("lifted_at", "lifted_at"),
        ),
        _stops,
    ),
    "policies": ListKind(
        "Policies", "version of a policy", "versions of policies", "policies", (
            ("version", "pk"), ("system", "system__name"), ("number", "number"), ("sha256", "sha256"), ("written_by", "written_by__name"),
            ("written_at", "written_at"), ("approved_by", "approved_by__name"), ("approved_at", "approved_at"), ("from", "effective_from"),
            ("until", "effective_to"), ("declined_by", "declined_by__name"), ("declined_at", "declined_at"), ("review_due_at", "due_"),
        ),
        versions_for, lambda viewer, said: versions_for(viewer) if said.get("all") else versions_for(viewer).filter(holding(now())),
    ),
    "rotas": ListKind(
        "Rotas", "rota", "rotas", "rotas", (
            ("rota", "pk"), ("name", "name"), ("system", "system__name"), ("members", "members_"), ("begins", "begins"), ("hour", "hour"),
            ("zone", "zone"), ("changed_by", "changed_by__name"), ("changed_at", "changed_at"), ("retired_by", "retired_by__name"),
            ("retired_at", "retired_at"),
        ),
        _rotas,
    ),
    "packs": ListKind("Packs", "pack", "packs", "pack_list"),
    "eligibilities": ListKind(
        "Eligibilities", "eligibility", "eligibilities", "lists", (
            ("eligibility", "pk"), ("person", "person__name"), ("system", "privilege__system__name"), ("privilege", "privilege__name"), *DATED,
        ),
        lambda viewer: visible_eligibilities(viewer).order_by("privilege__system__name", "privilege__name", "person__name", "pk"),
    ),
    "roles": ListKind(
        "Roles", "role", "roles", "lists", (("assignment", "pk"), ("person", "person__name"), ("role", "role"), ("system", "system__name"), *DATED),
        lambda viewer: visible_roles(viewer).order_by("role", "person__name", "pk"),
    ),
    "alerts": ListKind(
        "Alerts", "alert", "alerts", "alerts", (
            ("alert", "pk"), ("kind", "kind"), ("over", "channel"), ("told_at", "queued_at"), ("sent_at", "sent_at"),
            ("looked_at", "seen_at"), ("seen_at", "acknowledged_at"), ("case", "case"), ("page", "path"),
        ),
        alerts_for,
    ),
    "people": ListKind(
        "People", "person", "people", "people", (
            ("person", "pk"), ("name", "name"), ("mail", "email"), ("unit", "unit"), ("reports_to", "manager__name"), ("added_at", "added_at"),
            ("moved_at", "moved_at"), ("left_at", "left_at"),
        ),
        lambda viewer: people(viewer).order_by("name", "pk"), may=_administers,
    ),
    "personnel": ListKind(
        "Personnel lists", "list", "lists", "personnel_lists", (
            ("list", "pk"), ("taken_at", "taken_at"), ("query", "query"), ("sha256", "sha256"), ("lines", "rows"), ("state", "state"),
            ("read_at", "read_at"), ("read_by", "read_by"), ("asked_at", "asked_at"), ("asked_by", "asked_by"), ("decided_at", "decided_at"),
            ("decided_by", "decided_by"), ("left", "outcome__leavers"), ("moved", "outcome__movers"),
        ),
        lambda viewer: personnel_lists(viewer).order_by("-read_at", "pk"), may=_administers,
    ),
    "receivers": ListKind(
        "Receivers", "receiver", "receivers", "receivers", (
            ("receiver", "pk"), ("name", "name"), ("server", "host"), ("topics", "topics_"), ("added_by", "added_by__name"), ("added_at", "added_at"),
            ("retired_by", "retired_by__name"), ("retired_at", "retired_at"),
        ),
        _receivers, lambda viewer, said: _receivers(viewer) if said.get("all") else _receivers(viewer).filter(retired_at__isnull=True),
        may=_administers,
    ),
    "systems": ListKind(
        "Systems", "system", "systems", "systems", (
            ("system", "pk"), ("name", "name"), ("short_name", "slug"), ("kind", "connector"), ("owner", "owner__name"), ("criticality", "criticality"),
            ("personal_data", "personal_data"), ("in_scope_from", "in_scope_from"), ("in_scope_to", "in_scope_to"),
        ),
        lambda viewer: systems_seen(viewer).order_by("name"), may=lambda viewer: keeps_systems(viewer.pk),
    ),
}  # fmt: skip
EXPORTED = {name: kind for name, kind in KINDS.items() if kind.rows is not None}
