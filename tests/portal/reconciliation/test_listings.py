"""Who could act as a privilege, as the target says it, held against what the portal opened."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from audit.log.read import LoggedEvent, named
from portal.clock import now
from portal.connectors.simulated import controls
from portal.connectors.simulated.logins import add_standing
from portal.grants.models import Grant
from portal.reconciliation import listings
from portal.reconciliation.models import Listing
from portal.systems.targets import target
from tests.worlds import World, actor, opened, sealing


@pytest.fixture
def _sealer(world: World) -> Iterator[None]:
    with sealing():
        yield


def standing(world: World, name: str) -> None:
    """An account on the target that no grant made."""
    listings.take(by=listings.LISTINGS, system=world.system)  # makes the state
    with sqlite3.connect(world.state) as state:
        add_standing(state, name, "billing_emergency")


def rows_of(listing: Listing) -> list[LoggedEvent]:
    return [event for event in named(["target.login_listed"]) if event.fields["listing_id"] == str(listing.pk)]


@pytest.mark.usefixtures("_sealer")
def test_login_of_a_live_grant_is_known_and_a_standing_one_is_not(world: World) -> None:
    standing(world, "legacy_admin")
    grant = opened(world)
    listing = listings.take(by=actor(world.pia), system=world.system)
    known = {
        event.says("login"): (
            event.fields.get("grant_id"),
            event.fields.get("person_id"),
            event.fields["seen_in_log"],
            event.fields["request_count"],
        )
        for event in rows_of(listing)
    }
    assert known == {grant.login: (str(grant.pk), str(world.ann.pk), 1, 1), "legacy_admin": (None, None, 0, 0)}
    event = next(each for each in named(["target.listed"]) if each.fields["listing_id"] == str(listing.pk))
    assert json.loads(event.says("logins")) == sorted([grant.login, "legacy_admin"])
    assert (event.fields["answer_sha256"], event.fields["count"], event.by) == (
        listing.answer_sha256,
        2,
        str(world.pia.pk),
    )
    assert {event.fields["privilege_id"] for event in rows_of(listing)} == {str(world.privilege.pk)}


@pytest.mark.usefixtures("_sealer")
def test_login_left_of_a_grant_that_is_over_is_explained_by_no_request(world: World) -> None:
    grant = opened(world)
    Grant.objects.filter(pk=grant.pk).update(
        state="ended", ended_at=now(), end_cause="expired", confirmed_at=now(), secret=None, verifier=""
    )
    (event,) = rows_of(listings.take(by=listings.LISTINGS, system=world.system))
    assert (event.fields["grant_id"], event.fields["seen_in_log"], event.fields["request_count"]) == (
        str(grant.pk),
        0,
        0,
    )


@pytest.mark.usefixtures("_sealer")
def test_foreign_login_with_a_grants_name_is_not_taken_for_it(world: World) -> None:
    grant = opened(world)
    with sqlite3.connect(world.state) as state:
        state.execute("UPDATE login SET comment = 'not ours' WHERE name = ?", [grant.login])
    (event,) = rows_of(listings.take(by=listings.LISTINGS, system=world.system))
    assert ("grant_id" in event.fields, event.fields["seen_in_log"]) == (False, 0)


def test_listings_are_taken_when_due_and_once(world: World) -> None:
    assert (listings.take_due(), listings.take_due()) == (1, 0)
    Listing.objects.update(taken_at=now() - timedelta(hours=21))
    assert (listings.take_due(), listings.take_due()) == (1, 0)


def test_dead_target_is_told_once_for_a_stretch_of_trouble(world: World) -> None:
    controls.write(target(world.system), down=True)
    assert (listings.take_due(), listings.take_due()) == (0, 0)
    (event,) = named(["target.listing_failed"])
    assert event.fields["sentence"]
    with pytest.raises(listings.NotListed):
        listings.take(by=actor(world.pia), system=world.system)


def test_target_is_never_called_inside_a_transaction(world: World) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        listings.take(by=listings.LISTINGS, system=world.system)


def test_systems_out_of_scope_are_left_alone(world: World) -> None:
    world.system.in_scope_to = now() - timedelta(minutes=1)
    world.system.save()
    assert listings.take_due() == 0
