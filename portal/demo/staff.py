"""The demo's personnel list: taken each month from an invented personnel system, and imported as an administrator does it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from portal.demo.clock import at
from portal.demo.personas import COLLEAGUES, PERSONAS, Persona
from portal.demo.stage import Stage
from portal.eligibility import actions as lists
from portal.personnel import actions as personnel
from portal.personnel.plan import plan_of
from portal.personnel.reading import parse_list
from portal.systems.models import Privilege

IMPORTED_AT = (at("2026-06-30 10:00"), at("2026-07-31 10:00"), at("2026-08-15 10:00"), at("2026-09-01 10:00"))
TAKEN_BEFORE = timedelta(hours=1)
QUERY = "Report HR-17, everybody with an account"
LEFT, LAST_DAY = "tom", at("2026-08-14 00:00")
MOVED, FIRST_DAY = "ulla", at("2026-09-01 00:00")
LISTED_ANEW = (("ulla", "k8s", at("2026-09-02 09:00")), ("vera", "storage", at("2026-09-18 09:00")))
HEAD = "email,name,unit,manager,left_on,moved_on"
MANAGER = "hana"


def list_at(stage: Stage, when: datetime) -> bytes:
    """The list as the personnel system gives it at a time of the story."""
    return "\n".join([HEAD, *(_line(stage, each, when) for each in _known(when))]).encode()


def _known(when: datetime) -> Iterable[Persona]:
    people = (*PERSONAS, *COLLEAGUES)
    return [each for each in people if each.key != LEFT or when < LAST_DAY + timedelta(days=14)]


def _line(stage: Stage, persona: Persona, when: datetime) -> str:
    return ",".join(_cells(stage, persona, when))


def _cells(stage: Stage, persona: Persona, when: datetime) -> Iterator[str]:
    told = stage.organisation.clock.told
    moved = persona.key == MOVED and when >= FIRST_DAY
    outside = bool(persona.sponsor) or persona.key == MANAGER
    yield persona.email
    yield f'"{persona.name}"'
    yield "Analytics" if moved else "Operations"
    yield "" if outside else f"{MANAGER}@breakglass.example"
    yield f"{told(LAST_DAY):%Y-%m-%d}" if persona.key == LEFT and when > LAST_DAY else ""
    yield f"{told(FIRST_DAY):%Y-%m-%d}" if moved else ""


def take_in(stage: Stage, when: datetime) -> None:
    """Read the list, look at what it would do, and confirm it. Who left loses everything at once, who moved their lists a day later."""
    organisation = stage.organisation
    organisation.clock.set(when)
    content = list_at(stage, when)
    taken_at = organisation.clock.told(when - TAKEN_BEFORE)
    row = personnel.read(by=organisation.by("pia"), content=content, query=QUERY, taken_at=taken_at)
    personnel.confirm(by=organisation.by("pia"), row=row, shown=plan_of(parse_list(content)).fingerprint)
    stage.run("sweep", "outbox")


def list_anew(stage: Stage, key: str, slug: str, when: datetime) -> None:
    """Put somebody on a list again that they had lost."""
    organisation = stage.organisation
    organisation.clock.set(when)
    privilege = Privilege.objects.get(system=organisation.systems[slug])
    person = organisation.people[key]
    proposed = lists.propose_eligibility(by=organisation.by("pia"), person=person, privilege=privilege)
    lists.approve_eligibility(by=organisation.by("mo"), eligibility=proposed)
