"""An open access: shown, released, extended, ended."""

from datetime import timedelta

from audit.log.append import process
from portal.clock import now
from portal.grants import actions, authorising, ending, opening, releasing, sweep
from portal.grants.models import Extension, Grant, Release
from portal.grants.states import ACTIVE, ENDED
from portal.policy.rules import Policy
from portal.reviews import actions as reviews
from portal.reviews.models import Review
from portal.secrets import encrypt
from tests.faults.races.racing import Raced, does, race
from tests.portal.reviews.used import used
from tests.portal.sealed.vault import make_vault
from tests.worlds import World, actor, authorised, request_of

SWEEP = process("sweep")


def opened(grant: Grant) -> Grant:
    """As if the target had said that it is open: the race needs no sealer."""
    at = now()
    ends = at + timedelta(minutes=grant.minutes)
    Grant.objects.filter(pk=grant.pk).update(
        state=ACTIVE, opened_at=at, first_expires_at=ends, expires_at=ends, login=f"bg_{grant.number}", secret=encrypt("a secret", f"grant:{grant.pk}"),
    )  # fmt: skip
    grant.refresh_from_db()
    return grant


def _is(grant: Grant) -> tuple[str, str]:
    row = Grant.objects.get(pk=grant.pk)
    return row.state, row.end_cause


@race(actions.reveal)
def a_password_is_shown(world: World) -> Raced:
    grant = opened(authorised(world))
    return Raced(
        [does(actions.reveal, by=actor(world.ann), grant=grant)],
        lambda: Grant.objects.filter(pk=grant.pk, revealed_at__isnull=False).count(),
        {("reveal",): 1},
    )


@race(actions.give_back, actions.revoke)
def an_access_is_ended(world: World) -> Raced:
    grant = opened(authorised(world))
    return Raced(
        [
            does(actions.give_back, by=actor(world.ann), grant=grant),
            does(actions.revoke, by=actor(world.mo), grant=grant, reason="Wrong system.", wrote=["grant.revoked"]),
            does(actions.revoke, by=actor(world.ines), grant=grant, reason="Wrong.", wrote=["grant.revoked"]),
        ],
        lambda: _is(grant),
        {("give_back",): ("closing", "returned"), ("revoke",): ("closing", "revoked")},
    )


@race(actions.give_back, ending.expire, actions.revoke)
def an_access_whose_time_is_over(world: World) -> Raced:
    grant = opened(authorised(world))
    past = now() - timedelta(seconds=1)
    Grant.objects.filter(pk=grant.pk).update(expires_at=past, first_expires_at=past)
    return Raced(
        [
            does(ending.expire, by=SWEEP, grant=grant),
            does(actions.give_back, by=actor(world.ann), grant=grant),
            does(actions.revoke, by=actor(world.mo), grant=grant, reason="Over.", wrote=["grant.revoked"]),
        ],
        lambda: _is(grant),
        {
            ("expire",): ("closing", "expired"), ("give_back",): ("closing", "returned"), ("revoke",): ("closing", "revoked"),
        },
    )  # fmt: skip


@race(actions.revoke, opening.give_up, opening.begin)
def an_access_is_ended_before_it_opens(world: World) -> Raced:
    grant = authorised(world)
    Grant.objects.filter(pk=grant.pk).update(authorised_at=now() - timedelta(days=1))
    return Raced(
        [
            does(opening.give_up, by=SWEEP, grant=grant, wrote=["grant.failed"]),
            does(actions.revoke, by=actor(world.mo), grant=grant, reason="Wrong system.", wrote=["grant.failed"]),
            does(opening.begin, by=SWEEP, grant=grant),
        ],
        lambda: _is(grant),
        {
            ("give_up",): ("failed", "failed"), ("revoke",): ("failed", "revoked"),
            ("begin", "revoke"): ("closing", "revoked"), ("begin", "give_up"): ("closing", "failed"),
        },
        writes={("begin", "revoke"): ["grant.opening", "grant.revoked"], ("begin", "give_up"): ["grant.opening", "grant.revoked"]},
    )  # fmt: skip


@race(actions.ask_extension)
def more_time_is_asked(world: World) -> Raced:
    grant = opened(authorised(world))
    return Raced(
        [
            does(actions.ask_extension, by=actor(world.ann), grant=grant, minutes=minutes, called=f"{minutes}")
            for minutes in (10, 20)
        ],
        lambda: list(Extension.objects.values_list("minutes", flat=True)),
        {("10",): [10], ("20",): [20]},
    )


@race(actions.decide_extension, actions.give_back)
def more_time_waits(world: World) -> Raced:
    grant = opened(authorised(world))
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    gives = [
        does(actions.decide_extension, by=actor(who), extension=asked, give=give, called=name, wrote=[wrote])
        for who in (world.mo, world.ines)
        for give, name, wrote in ((True, "give", "grant.extended"), (False, "refuse", "grant.extension_declined"))
    ]

    def left() -> tuple[str, float, str]:
        row, said = Grant.objects.get(pk=grant.pk), Extension.objects.get()
        assert row.expires_at is not None
        assert row.first_expires_at is not None
        return said.decision, (row.expires_at - row.first_expires_at).total_seconds(), row.state

    return Raced(
        [*gives, does(actions.give_back, by=actor(world.ann), grant=grant)],
        left,
        {
            ("give", "give_back"): ("approve", 600, "closing"), ("give_back", "refuse"): ("decline", 0, "closing"),
            ("give_back",): ("", 0, "closing"),
        },
    )  # fmt: skip


@race(actions.extend_bypass, actions.decide_extension)
def a_bypass_is_extended_while_somebody_decides(world: World) -> Raced:
    rules = Policy(bypass_extensions=1, max_extensions=1)
    type(world.policy).objects.filter(pk=world.policy.pk).update(document=rules.document(), sha256=rules.sha256())
    said = world.asked("bypass", reason="Writes fail.")
    grant = opened(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=said))
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)

    def left() -> tuple[list[str], float]:
        row = Grant.objects.get(pk=grant.pk)
        assert row.expires_at is not None
        assert row.first_expires_at is not None
        given = list(Extension.objects.values_list("decision", flat=True))
        return given, (row.expires_at - row.first_expires_at).total_seconds()

    return Raced(
        [
            does(actions.extend_bypass, by=actor(world.ann), grant=grant, minutes=5),
            does(actions.decide_extension, by=actor(world.mo), extension=asked, give=True, called="give", wrote=["grant.extended"]),
        ],
        left,
        {("extend_bypass",): (["approve"], 300), ("give",): (["approve"], 600)},
    )  # fmt: skip


@race(authorising.approve)
def one_account_is_wanted_by_many(world: World) -> Raced:
    """Fifty who were asked for it at once: one holds it, and the requests of all others wait on."""
    vault = make_vault(world=world)
    rows = [
        request_of(vault.world, ("ann", "ben")[n % 2], reason=f"Writes fail, and nobody knows why. Case {n}.")
        for n in range(8)
    ]
    wrote = ("sealed.checked_out", "request.approved", "grant.authorised")
    return Raced(
        [does(authorising.approve, by=actor(world.ines), request=row, wrote=wrote) for row in rows],
        lambda: (Grant.objects.count(), vault.account.state, vault.account.grant_id == Grant.objects.get().pk),
        {("approve",): (1, "held", True)},
    )


@race(releasing.release)
def a_secret_is_released(world: World) -> Raced:
    grant = opened(authorised(make_vault(world=world).world))
    return Raced(
        [does(releasing.release, by=actor(who), grant=grant) for who in (world.ines, world.mo, world.cleo)],
        Release.objects.count,
        {("release",): 1},
    )


@race(actions.reveal, actions.give_back)
def one_release_is_for_one_look(world: World) -> Raced:
    grant = opened(authorised(make_vault(world=world).world))
    releasing.release(by=actor(world.ines), grant=grant)
    return Raced(
        [
            does(actions.reveal, by=actor(world.ann), grant=grant),
            does(actions.give_back, by=actor(world.ann), grant=grant),
        ],
        lambda: (Release.objects.filter(used_at__isnull=False).count(), _is(grant)),
        {("give_back", "reveal"): (1, ("closing", "returned")), ("give_back",): (0, ("closing", "returned"))},
    )


@race(reviews.set_due)
def a_use_is_put_up_for_review(world: World) -> Raced:
    grant = used(world, state=ENDED)
    return Raced([does(reviews.set_due, by=SWEEP, grant=grant)], Review.objects.count, {("set_due",): 1})


@race(ending.begin)
def two_sweeps_close(world: World) -> Raced:
    """Each try is on record; the connector is asked by one at a time, which tests/portal/grants/test_processes.py shows."""
    grant = actions.give_back(by=actor(world.ann), grant=opened(authorised(world)))
    return Raced(
        [does(ending.begin, by=SWEEP, grant=grant)], lambda: _is(grant)[0], {(): "closing"}, frozenset({"begin"})
    )


@race(sweep.warn, actions.give_back)
def two_sweeps_warn(world: World) -> Raced:
    grant = opened(authorised(world))
    return Raced(
        [does(sweep.warn, by=SWEEP, grant=grant), does(actions.give_back, by=actor(world.ann), grant=grant)],
        lambda: _is(grant)[0],
        {("give_back",): "closing", ("give_back", "warn"): "closing"},
    )
