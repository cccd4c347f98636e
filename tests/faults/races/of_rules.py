"""What holds for people and systems: legal holds, erasures, emergency stops, rotas, receivers of alerts, searches, drills."""

from datetime import timedelta

from audit.log.append import process
from portal.clock import now
from portal.drills import actions as drills
from portal.drills.models import Drill
from portal.drills.queries import to_remind
from portal.erasing import actions as erasing
from portal.erasing import holding, lifting_by_log
from portal.erasing.models import Erasure, LegalHold
from portal.erasing.said_holds import SaidHold, said_holds
from portal.grants import stopping
from portal.lists import actions as lists
from portal.lists.models import SavedSearch
from portal.lost import actions as lost
from portal.lost.models import LostRange
from portal.notifications import actions as alerts
from portal.notifications.channels.webhook import actions as receivers
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.policy import confirming, retiring
from portal.policy.models import PolicyConfirmation
from portal.rotas import absences
from portal.rotas import actions as rotas
from portal.rotas.models import Absence, Rota, Swap
from portal.stops import actions as stops
from portal.stops.models import Stop
from portal.systems.models import System
from tests.faults.races.of_people import everywhere
from tests.faults.races.racing import Raced, Said, does, race
from tests.portal.rotas.set_up import rota_of, weeks
from tests.worlds import World, actor, request_of


def _gone(world: World) -> Person:
    everywhere(world)
    world.zoe.left_at = now()
    world.zoe.save(update_fields=["left_at"])
    return world.zoe


ERASE: Said = {"basis": "asked", "reason": "They asked by letter."}


@race(erasing.ask, holding.set_hold)
def an_erasure_and_a_hold_are_asked(world: World) -> Raced:
    person = _gone(world)
    return Raced(
        [
            does(erasing.ask, by=actor(world.pia), person=person, **ERASE),
            does(holding.set_hold, by=actor(world.quinn), person=person, reason="A court case."),
            does(erasing.ask, by=actor(world.quinn), person=person, **ERASE),
        ],
        LegalHold.objects.count,
        {("ask", "set_hold"): 1, ("set_hold",): 1},
    )


@race(erasing.confirm, erasing.decline)
def an_erasure_waits(world: World) -> Raced:
    row = erasing.ask(by=actor(world.pia), person=_gone(world), **ERASE)
    return Raced(
        [
            does(erasing.confirm, by=actor(world.quinn), erasure=row),
            does(erasing.decline, by=actor(world.pia), erasure=row),
            does(erasing.decline, by=actor(world.quinn), erasure=row),
        ],
        lambda: Erasure.objects.get().state,
        {("confirm",): "confirmed", ("decline",): "declined"},
    )


@race(holding.ask_lift)
def lifting_a_hold_is_asked(world: World) -> Raced:
    row = holding.set_hold(by=actor(everywhere(world).pia), person=world.ben, reason="A court case.")
    said: Said = {"hold": row, "reason": "It is over."}
    return Raced(
        [does(holding.ask_lift, by=actor(who), **said) for who in (world.pia, world.quinn)],
        lambda: LegalHold.objects.get().state,
        {("ask_lift",): "lift_asked"},
    )


@race(holding.keep, holding.lift)
def lifting_a_hold_waits(world: World) -> Raced:
    row = holding.set_hold(by=actor(everywhere(world).pia), person=world.ben, reason="A court case.")
    holding.ask_lift(by=actor(world.pia), hold=row, reason="It is over.")
    return Raced(
        [
            does(holding.lift, by=actor(world.quinn), hold=row),
            does(holding.keep, by=actor(world.pia), hold=row),
            does(holding.keep, by=actor(world.quinn), hold=row),
        ],
        lambda: LegalHold.objects.get().state,
        {("lift",): "lifted", ("keep",): "holds"},
    )


def _known_to_the_log(world: World) -> SaidHold:
    holding.set_hold(by=actor(everywhere(world).pia), person=world.ben, reason="A court case.")
    LegalHold.objects.all().delete()
    (said,) = said_holds()
    return said


@race(lifting_by_log.ask_lift)
def lifting_a_hold_that_the_log_alone_knows_is_asked(world: World) -> Raced:
    said: Said = {"hold": _known_to_the_log(world), "reason": "It is over."}
    return Raced(
        [does(lifting_by_log.ask_lift, by=actor(who), **said) for who in (world.pia, world.quinn)],
        lambda: [each.state for each in said_holds()],
        {("ask_lift",): ["lift_asked"]},
    )


@race(lifting_by_log.keep, lifting_by_log.lift)
def lifting_a_hold_that_the_log_alone_knows_waits(world: World) -> Raced:
    hold = lifting_by_log.ask_lift(by=actor(world.pia), hold=_known_to_the_log(world), reason="It is over.")
    return Raced(
        [
            does(lifting_by_log.lift, by=actor(world.quinn), hold=hold),
            does(lifting_by_log.keep, by=actor(world.pia), hold=hold),
            does(lifting_by_log.keep, by=actor(world.quinn), hold=hold),
        ],
        lambda: [each.state for each in said_holds()],
        {("lift",): ["lifted"], ("keep",): ["holds"]},
    )


@race(stopping.start)
def a_stop_is_started(world: World) -> Raced:
    said: Said = {"system": world.system, "reason": "Somebody is in.", "wrote": ["stop.started"]}
    return Raced(
        [does(stopping.start, by=actor(who), **said) for who in (world.mo, world.ines, world.pia)],
        Stop.objects.count,
        {("start",): 1},
    )


def _stopped(world: World) -> Stop:
    return stopping.start(by=actor(world.mo), system=world.system, reason="Somebody is in.")


@race(stops.ask_lift)
def lifting_a_stop_is_asked(world: World) -> Raced:
    row = _stopped(world)
    said: Said = {"stop": row, "reason": "Nobody is in."}
    return Raced(
        [does(stops.ask_lift, by=actor(who), **said) for who in (world.mo, world.pia)],
        lambda: Stop.objects.get().state,
        {("ask_lift",): "lift_asked"},
    )


@race(stops.keep, stops.lift)
def lifting_a_stop_waits(world: World) -> Raced:
    row = _stopped(world)
    stops.ask_lift(by=actor(world.mo), stop=row, reason="Nobody is in.")
    return Raced(
        [
            does(stops.lift, by=actor(world.pia), stop=row),
            does(stops.keep, by=actor(world.mo), stop=row),
            does(stops.lift, by=actor(world.quinn), stop=row),
        ],
        lambda: Stop.objects.get().state,
        {("lift",): "lifted", ("keep",): "in_force"},
    )


@race(confirming.confirm)
def a_policy_in_force_is_looked_at(world: World) -> Raced:
    said: Said = {"version": world.policy, "note": "Read the uses of the year."}
    return Raced(
        [does(confirming.confirm, by=actor(world.quinn), **said)],
        PolicyConfirmation.objects.count,
        {("confirm",): 1},
    )


@race(rotas.offer_swap)
def a_week_is_offered(world: World) -> Raced:
    rota = rota_of(world)
    said = weeks(rota, world, "ines", "jon")
    return Raced(
        [does(rotas.offer_swap, by=actor(world.ines), rota=rota, **said)],
        Swap.objects.count,
        {("offer_swap",): 1},
    )


@race(rotas.take_swap, rotas.decline_swap, rotas.withdraw_swap, retiring.retire_rota)
def an_offered_week_waits(world: World) -> Raced:
    rota = rota_of(world)
    swap = rotas.offer_swap(by=actor(world.ines), rota=rota, **weeks(rota, world, "ines", "jon"))
    retire: Said = {"by": actor(world.pia), "rota": rota, "wrote": ["rota.retired"]}
    ends = ((("take_swap",), "taken"), (("decline_swap",), "declined"), (("withdraw_swap",), "withdrawn"))
    return Raced(
        [
            does(rotas.take_swap, by=actor(world.jon), swap=swap),
            does(rotas.decline_swap, by=actor(world.jon), swap=swap),
            does(rotas.withdraw_swap, by=actor(world.ines), swap=swap),
            does(retiring.retire_rota, **retire),
        ],
        lambda: (Swap.objects.get().state, Rota.objects.get().retired_at is not None),
        {
            ("retire_rota",): ("withdrawn", True),
            **{tuple(sorted((*won, "retire_rota"))): (state, True) for won, state in ends},
        },
        writes={("retire_rota",): ["rota.retired", "rota.swap_withdrawn"]},
    )  # fmt: skip


@race(absences.say_away)
def somebody_says_away(world: World) -> Raced:
    rota = rota_of(world)
    days: Said = {"from_at": now() + timedelta(days=9), "to_at": now() + timedelta(days=12)}
    return Raced(
        [does(absences.say_away, by=actor(who), rota=rota, person=world.ines, **days) for who in (world.ines, world.pia)],
        Absence.objects.count,
        {("say_away",): 1},
    )  # fmt: skip


@race(absences.come_back)
def somebody_comes_back(world: World) -> Raced:
    rota = rota_of(world)
    days: Said = {"from_at": now(), "to_at": now() + timedelta(days=12)}
    row = absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, **days)
    return Raced(
        [does(absences.come_back, by=actor(who), absence=row) for who in (world.ines, world.pia)],
        Absence.objects.filter(to_at__gt=now() + timedelta(days=1)).count,
        {("come_back",): 0},
    )


def _receiver(world: World) -> Receiver:
    said: Said = {"name": "Pager", "url": "https://pager.example/hook", "topics": ["call"]}
    return receivers.add(by=actor(everywhere(world).quinn), **said)[0]


@race(receivers.retire, receivers.change, receivers.replace_secret)
def a_receiver_is_retired(world: World) -> Raced:
    row = _receiver(world)
    return Raced(
        [
            does(receivers.retire, by=actor(world.pia), receiver=row),
            does(receivers.change, by=actor(world.quinn), receiver=row, name="Bell", topics=["call"]),
            does(receivers.replace_secret, by=actor(world.pia), receiver=row),
        ],
        lambda: (Receiver.objects.get().retired_at is not None, bytes(Receiver.objects.get().secret)),
        {("retire",): (True, b"")},
        free=frozenset({"change", "replace_secret"}),
    )


@race(alerts.acknowledge, alerts.note_seen, alerts.mark_sent)
def an_alert_is_sent_and_seen(world: World) -> Raced:
    request_of(world)
    alert = Alert.objects.filter(recipient=world.ines).earliest("queued_at")
    by = actor(world.ines)
    return Raced(
        [
            does(alerts.mark_sent, by=process("outbox"), alert=alert),
            does(alerts.acknowledge, by=by, alert=alert),
            does(alerts.note_seen, by=by, alerts=[alert]),
        ],
        Alert.objects.filter(sent_at__isnull=False, seen_at__isnull=False, acknowledged_at__isnull=False).count,
        {("acknowledge", "mark_sent", "note_seen"): 1},
    )


@race(lists.save_search)
def a_search_is_saved(world: World) -> Raced:
    said: Said = {"kind": "findings", "query": "show=overdue"}
    return Raced(
        [does(lists.save_search, by=actor(world.ann), **said, name="Late")],
        SavedSearch.objects.count,
        {("save_search",): 1},
    )


@race(lists.remove_search)
def a_search_is_removed(world: World) -> Raced:
    row = lists.save_search(by=actor(world.ann), kind="findings", name="Late", query="show=overdue")
    return Raced(
        [does(lists.remove_search, by=actor(world.ann), search=row)], SavedSearch.objects.count, {("remove_search",): 0}
    )


@race(drills.start)
def a_drill_is_started(world: World) -> Raced:
    said: Said = {"privilege": world.privilege, "act": "Sign in, read the health page, sign out.", "minutes": 10}
    return Raced(
        [does(drills.start, by=actor(world.ann), **said, wrote=["request.made", "drill.started"])],
        Drill.objects.count,
        {("start",): 1},
    )


@race(drills.remind)
def two_sweeps_remind_of_a_system_drill(world: World) -> Raced:
    System.objects.update(in_scope_from=now() - timedelta(days=80))
    ((due, mark),) = to_remind(now())
    return Raced(
        [does(drills.remind, by=process("drills"), due=due, mark=mark)],
        Alert.objects.filter(kind="drill.due").count,
        {("remind",): 1},
    )


def _lost() -> Said:
    ago = now() - timedelta(minutes=2)
    return {"from_at": ago, "to_at": ago + timedelta(seconds=1), "reason": "The primary burned."}


@race(lost.report)
def a_loss_is_reported(world: World) -> Raced:
    said = _lost()
    everywhere(world)
    return Raced(
        [does(lost.report, by=actor(who), **said) for who in (world.pia, world.quinn)],
        LostRange.objects.count,
        {("report",): 1},
    )


@race(lost.sign, lost.decline)
def a_reported_loss_waits(world: World) -> Raced:
    row = lost.report(by=actor(everywhere(world).pia), **_lost())
    return Raced(
        [
            does(lost.sign, by=actor(world.quinn), lost=row),
            does(lost.decline, by=actor(world.pia), lost=row),
            does(lost.decline, by=actor(world.quinn), lost=row),
        ],
        lambda: LostRange.objects.get().state,
        {("sign",): "signed", ("decline",): "declined"},
    )
