"""What an attestation revokes is gone on the target, and the target says so; what stands there by itself is watched until it is gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.log.models import QueueEntry
from portal.campaigns import actions, removal, sweep
from portal.campaigns.models import Item
from portal.campaigns.states import REVOKED
from portal.clock import now
from portal.connectors.simulated import controls
from portal.findings import intake
from portal.findings.models import Finding
from portal.grants.models import Grant
from portal.grants.targets import target_of
from portal.reconciliation.models import Listing
from tests.at_once import at_once
from tests.portal.campaigns.attested import begun, down, events_of, line, ready, row_of, seen, stand
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
REMOVED, READ_BACK = "campaign.removal_done", "campaign.removal_read_back"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def _sealing() -> Iterator[None]:
    with sealing():
        yield


def revoked(world: World, who: str = "Ann") -> Item:
    return actions.revoke(by=actor(world.mo), item=ready(world, who), reason="Left the team.")


def told(item: Item) -> list[tuple[str, int]]:
    """Names of what became of the removal, and whether access was present."""
    return [(event.name, event.fields.get("access_present", -1)) for event in events_of(item, REMOVED, READ_BACK)]


def an_hour_later() -> None:
    """Listings of before are too old to be used again."""
    for listing in Listing.objects.all():
        Listing.objects.filter(pk=listing.pk).update(taken_at=listing.taken_at - timedelta(hours=1))


@pytest.mark.usefixtures("_sealing")
def test_open_grant_ends_at_once_and_the_target_shows_no_login(world: World) -> None:
    grant, others = opened(world, "ann"), opened(world, "ben")
    item = revoked(world)
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause) == ("closing", "revoked")
    removal.run(item.pk)
    grant.refresh_from_db()
    others.refresh_from_db()
    assert (grant.state, others.state) == ("ended", "active")
    row = row_of(item)
    assert (row["access_present"], row["read_back_at"] > row["removed_at"]) == (False, True)
    done, read = events_of(item, REMOVED, READ_BACK)
    assert read.fields["read_back_at"] > done.fields["done_at"]
    assert (done.fields["done_by"], read.fields["read_back_by"]) == (str(world.mo.pk), "process:campaigns")
    listing = Listing.objects.get(pk=read.fields["listing_id"])
    assert [each["login"] for each in listing.answer] == [others.login]


def test_revocation_without_a_grant_is_read_back_too(world: World) -> None:
    item = revoked(world)
    sweep.run_due()
    assert told(item) == [(REMOVED, -1), (READ_BACK, 0)]


@pytest.mark.usefixtures("_sealing")
def test_target_that_hangs_is_never_called_clear(world: World) -> None:
    grant = opened(world)
    item = revoked(world)
    down(world)
    removal.run(item.pk)
    grant.refresh_from_db()
    assert (grant.state, told(item)) == ("closing", [])
    controls.write(target_of(world.system))
    Grant.objects.update(next_try_at=now())
    sweep.run_due()
    assert told(item) == [(REMOVED, -1), (READ_BACK, 0)]


@pytest.mark.usefixtures("_sealing")
def test_login_that_is_still_there_is_a_finding_once_and_read_until_it_is_gone(world: World) -> None:
    """The target lies when it is closed and read back, but its list of logins shows the truth."""
    grant = opened(world)
    item = revoked(world)
    controls.write(target_of(world.system), lie_close=True, lie_read_back=True)
    for _ in range(3):
        removal.run(item.pk)
        an_hour_later()
    grant.refresh_from_db()
    assert (grant.state, told(item)) == ("ended", [(REMOVED, -1), (READ_BACK, 1)])
    assert [(each.kind, each.owner, each.about) for each in Finding.objects.all()] == [
        ("removal_failed", world.mo, str(item.pk))
    ]
    controls.write(target_of(world.system))
    _remove_by_hand(world, grant)
    sweep.run_due()
    assert told(item)[-1] == (READ_BACK, 0)
    wait_until(lambda: not QueueEntry.objects.exists(), "all of it to be sealed")
    assert (intake.run(), Finding.objects.count()) == (0, 1)  # what the log says of it makes no second one


def _remove_by_hand(world: World, grant: Grant) -> None:
    """As the owner of the target would."""
    from portal.connectors.simulated import state

    with state.changing(target_of(world.system)) as database:
        assert database.execute("DELETE FROM login WHERE name = ?", [grant.login]).rowcount == 1


@pytest.mark.usefixtures("_sealing")
def test_narrowing_ends_what_would_outlast_it_and_leaves_the_rest(world: World) -> None:
    grant = opened(world, minutes=30)
    item = ready(world)
    actions.modify(by=actor(world.mo), item=item, to_at=now() + timedelta(hours=2), reason="Until the handover.")
    removal.run(item.pk)
    grant.refresh_from_db()
    assert (grant.state, told(item)) == ("active", [(REMOVED, -1), (READ_BACK, 0)])


@pytest.mark.usefixtures("_sealing")
def test_narrowing_below_an_open_grant_ends_it(world: World) -> None:
    grant = opened(world, minutes=30)
    item = ready(world)
    actions.modify(by=actor(world.mo), item=item, to_at=now() + timedelta(minutes=5), reason="Until the handover.")
    removal.run(item.pk)
    grant.refresh_from_db()
    assert (grant.state, told(item)) == ("ended", [(REMOVED, -1), (READ_BACK, 0)])


def test_standing_access_is_left_to_the_targets_owner_and_watched(world: World) -> None:
    stand(world, "old_admin")
    item = revoked(world, "old_admin")
    assert [(each.kind, each.owner, each.about) for each in Finding.objects.all()] == [
        ("standing_access", world.mo, str(item.pk))
    ]
    assert "old_admin" not in Finding.objects.get().title
    for _ in range(2):
        sweep.run_due()
        an_hour_later()
    assert (told(item), row_of(item)["removed_at"]) == ([], None)
    stand(world)
    sweep.run_due()
    assert told(item) == [(REMOVED, -1), (READ_BACK, 0)]
    done, read = events_of(item, REMOVED, READ_BACK)
    assert done.fields["done_by"] != read.fields["read_back_by"]
    count = Listing.objects.count()
    sweep.run_due()
    assert Listing.objects.count() == count


def test_one_listing_does_for_several_lines(world: World) -> None:
    campaign = seen(world, begun(world))
    for who in ("Ann", "Ben"):
        actions.revoke(by=actor(world.mo), item=line(campaign, who), reason="Reorganised.")
    before = Listing.objects.count()
    sweep.run_due()
    assert Item.objects.filter(state=REVOKED, access_present=False).count() == 2
    assert Listing.objects.count() - before <= 2


def test_many_hands_leave_each_event_once(world: World) -> None:
    item = revoked(world)
    assert [each for each in at_once(8, lambda: removal.run(item.pk)) if isinstance(each, BaseException)] == []
    assert told(item) == [(REMOVED, -1), (READ_BACK, 0)]


@pytest.mark.parametrize("step", ["note_removed", "take", "note_read_back"])
def test_killed_at_any_step_it_goes_on(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    item = revoked(world)
    with monkeypatch.context() as patched:

        def killed(**_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(removal, step, killed)
        with pytest.raises(KeyboardInterrupt):
            removal.run(item.pk)
    sweep.run_due()
    assert told(item) == [(REMOVED, -1), (READ_BACK, 0)]
