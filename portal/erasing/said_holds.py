"""Legal holds that the log alone knows: their rows went with a database that was set back, and could not be made again (`holding_again.py`).

They keep as any other, and end as any other. No row says how they stand, so that is folded from their events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.db import connection

from audit.log.held_again import SAID
from audit.log.holds import standing
from audit.log.read import LoggedEvent, named, of_case, of_cases, person_names
from portal.clock import moment
from portal.erasing.models import LegalHold
from portal.erasing.queries import may_see
from portal.erasing.states import HOLD_STATES, HOLDS, LIFT_ASKED, LIFTED
from portal.people.models import Person

NOT_SEALED = "Lifted; in force until the log has sealed that"
UNREAD = datetime(1, 1, 1, tzinfo=UTC)  # of a hold whose entry no reader can read
UNKNOWN = "The reason is not in what was published."
MADE = "request.made"
# Whoever wrote one of these, or is named by one so, has a part in the case.
PART = (
    MADE, "request.approved", "request.declined", "request.answered", "grant.authorised", "grant.extended", "grant.extension_declined",
    "review.claimed", "review.submitted", "review.second_claimed", "review.second_submitted",
)  # fmt: skip
NAMED = ("responder_id", "person_id", "reviewer_id")


@dataclass(frozen=True)
class Someone:
    """A person as the log has them: the pseudonym, and the name or what stands in its place."""

    pk: str
    name: str


@dataclass(frozen=True)
class SaidHold:
    """One of them, read as a row is. ``made``: the request that it is on; ``in_force`` until its end is sealed."""

    pk: str
    in_force: bool
    case_id: str
    person: Someone | None
    made: LoggedEvent | None
    asked_for_by: str
    state: str = HOLDS
    reason: str = ""
    set_by: Someone | None = None
    set_at: datetime = UNREAD
    lift_reason: str = ""
    lift_asked_by: Someone | None = None
    lift_asked_at: datetime | None = None
    lifted_by: Someone | None = None
    lifted_at: datetime | None = None

    @property
    def log_subject(self) -> str:
        """How the log names it."""
        return f"hold:{self.pk}"

    @property
    def person_id(self) -> str:
        """Of the person that it is on, or nothing."""
        return self.person.pk if self.person else ""

    @property
    def lift_asked_by_id(self) -> str:
        """Of whoever asked to lift it, or nothing."""
        return self.lift_asked_by.pk if self.lift_asked_by else ""

    @property
    def on(self) -> str:
        """What it is on, in words."""
        if self.person is not None:
            return self.person.name
        return f"a request on {self.made.fields['system_name']}" if self.made else f"the request {self.case_id}"

    @property
    def made_at(self) -> datetime | None:
        """When the request was made that it is on."""
        return moment(self.made.at) if self.made else None

    def get_state_display(self) -> str:
        """How it stands, in words."""
        return NOT_SEALED if self.state == LIFTED and self.in_force else HOLD_STATES[self.state]


def said_holds() -> list[SaidHold]:
    """All of them, the newest first, those that are lifted among them."""
    rows = {str(pk) for pk in LegalHold.objects.values_list("pk", flat=True)}
    with connection.cursor() as cursor:
        in_force = {hold: on for hold, on in standing(cursor).items() if hold not in rows}
    told: dict[str, list[LoggedEvent]] = {hold: [] for hold in in_force}
    for each in sorted(named(SAID), key=lambda event: (event.index is None, event.index)):
        if (hold := str(each.fields["hold_id"])) not in rows:
            told.setdefault(hold, []).append(each)
    return sorted(_read(told, in_force), key=lambda hold: hold.set_at, reverse=True)


def said_hold(pk: object) -> SaidHold | None:
    """One of them."""
    return next((each for each in said_holds() if each.pk == str(pk)), None)


def visible_said_holds(viewer: Person) -> list[SaidHold]:
    """All of them; none for those who may not see the others."""
    return said_holds() if may_see(viewer) else []


def said_hold_on(person_id: object) -> SaidHold | None:
    """One that is in force on a person."""
    return next((each for each in said_holds() if each.in_force and each.person_id == str(person_id)), None)


def part_in_case(case: str) -> set[str]:
    """Who has a part in a case, as the log says: its rows may be lost as well."""
    events = of_case(case, PART)
    return {each.by for each in events} | {
        str(each.fields[key]) for each in events for key in NAMED if key in each.fields
    }


def _read(told: Mapping[str, Sequence[LoggedEvent]], in_force: Mapping[str, tuple[str, str]]) -> Iterator[SaidHold]:
    events = [each for found in told.values() for each in found]
    about = {
        str(each.fields["hold_id"]): (str(each.fields.get("case_id", "")), str(each.fields.get("person_id", "")))
        for each in events if each.name == "hold.set"
    } | dict(in_force)  # fmt: skip
    made = {each.case: each for each in of_cases([case for case, _ in about.values() if case], [MADE])}
    people = {each.by for each in events} | {person for _, person in about.values()}
    people |= {str(each.fields["responder_id"]) for each in made.values()}
    names = {each.by: each.personal["by_name"] for each in (*events, *made.values()) if "by_name" in each.personal}
    names |= person_names(people)
    for hold, (case, person) in about.items():
        asked_for = made.get(case)
        said = SaidHold(
            hold, hold in in_force, case, _someone(person, names) if person else None, asked_for,
            _someone(str(asked_for.fields["responder_id"]), names).name if asked_for else "",
        )  # fmt: skip
        for each in told[hold]:
            said = _after(said, each, _someone(each.by, names))
        yield said if said.in_force else replace(said, state=LIFTED)


def _after(hold: SaidHold, said: LoggedEvent, by: Someone) -> SaidHold:
    """The hold after one more of its entries; one that does not fit changes nothing."""
    at = moment(said.at)
    if said.name == "hold.set":
        return replace(hold, set_by=by, set_at=at, reason=_reason(said))
    if said.name == "hold.lift_asked" and hold.state == HOLDS:
        return replace(hold, state=LIFT_ASKED, lift_asked_by=by, lift_asked_at=at, lift_reason=_reason(said))
    if hold.state != LIFT_ASKED:
        return hold
    if said.name == "hold.kept":
        return replace(hold, state=HOLDS, lift_asked_by=None, lift_asked_at=None, lift_reason="")
    if said.name == "hold.lifted" and by != hold.lift_asked_by:
        return replace(hold, state=LIFTED, lifted_by=by, lifted_at=at)
    return hold


def _reason(said: LoggedEvent) -> str:
    return said.says("reason") if said.personal or said.erased_at else UNKNOWN


def _someone(pk: str, names: Mapping[str, str]) -> Someone:
    return Someone(pk, names.get(pk) or f"person {pk[:8]}")
