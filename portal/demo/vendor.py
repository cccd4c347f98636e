"""What became of the vendor's account after BG-11: still enabled after the end, revoked by an attestation, and gone only after three days.

The simulated target is made to lie: what the portal closes has no effect, and a day before it is true the target says that the login is gone.
"""

from datetime import datetime

from portal.campaigns import actions as campaigns
from portal.campaigns import removal, starting
from portal.campaigns.models import Campaign, Item
from portal.connectors.simulated import controls, state
from portal.demo.clock import at
from portal.demo.stage import Stage
from portal.grants import ending
from portal.grants.models import Grant
from portal.systems.models import System
from portal.systems.targets import target

SLUG = "storage"
LISTED_AT, SHOWN_AT, REVOKED_AT = at("2026-09-05 00:00"), at("2026-09-06 09:57"), at("2026-09-06 10:00")
SAID_GONE_AT, LOOKED_AT, GONE_AT, CLOSED_AT = (
    at("2026-09-06 15:00"), at("2026-09-06 18:00"), at("2026-09-07 12:00"), at("2026-09-13 00:00"),
)  # fmt: skip
WHY = "The vendor's work is done; nobody of theirs is on call."


def list_rights(stage: Stage) -> None:
    """An administrator has the list of the array attested before its time."""
    system = _at(stage, LISTED_AT)
    starting.run_now(by=stage.organisation.by("pia"), system=system)
    stage.release(system)


def revoke(stage: Stage) -> None:
    """The owner to whom the line was put takes the right away."""
    clock, item = stage.organisation.clock, _item(stage)
    judge = next(key for key, person in stage.organisation.people.items() if person.pk == item.reviewer_id)
    clock.set(SHOWN_AT)
    campaigns.show(by=stage.organisation.by(judge), campaign=item.campaign)
    campaigns.open_evidence(by=stage.organisation.by(judge), item=item)
    clock.set(REVOKED_AT)
    campaigns.revoke(by=stage.organisation.by(judge), item=item, reason=WHY)
    stage.run("outbox")


def say_gone(stage: Stage, grant: Grant) -> None:
    """The target answers that nothing is left, so the end is noted as read back; and what it lists says otherwise."""
    system = _at(stage, SAID_GONE_AT)
    controls.write(target(system), lie_close=True, lie_read_back=True)
    ending.run(grant.pk)
    controls.write(target(system), lie_close=True)
    stage.release(system)


def look(stage: Stage) -> None:
    """The portal asks the target for a listing after the removal, and finds the login there."""
    system = _at(stage, LOOKED_AT)
    removal.run(_item(stage).pk)
    stage.run("reviews", "outbox")
    stage.release(system)


def take_away(stage: Stage) -> None:
    """Somebody at the array removes the login by hand; the next listing shows it."""
    system = _at(stage, GONE_AT)
    controls.write(target(system))
    with state.changing(target(system)) as connection:
        connection.execute("DELETE FROM login WHERE comment <> ''")
    removal.run(_item(stage).pk)
    stage.run("outbox")
    stage.release(system)


def close(stage: Stage) -> None:
    """The attestation is closed with its statement."""
    stage.organisation.clock.set(CLOSED_AT)
    campaigns.close(by=stage.organisation.by("mo"), campaign=_campaign(stage))


def _at(stage: Stage, when: datetime) -> System:
    system = stage.organisation.systems[SLUG]
    stage.move(system, when)
    return system


def _campaign(stage: Stage) -> Campaign:
    return Campaign.objects.get(system=stage.organisation.systems[SLUG], kind="eligibility")


def _item(stage: Stage) -> Item:
    return Item.objects.select_related("campaign").get(
        campaign=_campaign(stage), person=stage.organisation.people["vera"], subject_kind="eligibility"
    )
