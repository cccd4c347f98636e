"""One emergency's things in every stage, and people who stand to it in different ways: what the authorisation table speaks of."""

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from audit.log.append import now_ms
from audit.packs import keeping
from audit.packs.actions import request_pack
from audit.packs.models import Dossier
from portal.access_requests import questions
from portal.access_requests.models import AccessRequest
from portal.calendars import feed
from portal.campaigns import actions as campaigns
from portal.campaigns import starting
from portal.campaigns.models import Item
from portal.clock import now
from portal.connectors.simulated import logins, state
from portal.drills.actions import start as start_drill
from portal.eligibility import actions as lists
from portal.eligibility import resetting
from portal.eligibility.models import ADMINISTRATOR, AUDITOR, CUSTODIAN, Eligibility, RoleAssignment
from portal.erasing import actions as erasing
from portal.erasing import holding, lifting_by_log
from portal.erasing.models import Cut, LegalHold
from portal.erasing.said_holds import said_holds
from portal.findings.actions import raise_finding
from portal.grants import actions, ending, stopping
from portal.grants.models import Grant
from portal.lists.actions import save_search
from portal.lost import actions as losing
from portal.notifications.channels.webhook import actions as receivers
from portal.notifications.links import token_of
from portal.notifications.models import Alert
from portal.people.actions import add_person
from portal.people.models import SignIn
from portal.personnel.actions import read as read_personnel
from portal.policy.actions import propose as propose_policy
from portal.policy.rules import Policy
from portal.reviews import accepting, delegating, sweep
from portal.reviews import actions as reviews
from portal.reviews.models import Review
from portal.rotas import absences
from portal.rotas import actions as rotas
from portal.rotas.queries import plan_of
from portal.rotas.schedule import holder, week_at
from portal.sealed import actions as sealed
from portal.sealed import rotating, rotations
from portal.sealed.models import OfflineCard, SealedAccount
from portal.stops import actions as stops
from portal.systems import actions as systems
from portal.systems.models import Privilege
from portal.systems.targets import target
from tests.audit.cases.conftest import listed
from tests.audit.cases.written import Did, do
from tests.browsing import browser_of
from tests.factories import passkey_of, person, sign_in_of
from tests.portal.reviews.used import grant_of
from tests.worlds import REASON, World, actor, make_world, opened, request_of

# Who looks: how they stand to Ann's requests on one system.
VIEWERS = {
    "asker": "ann", "teammate": "ben", "approver": "ines", "reviewer": "kim", "owner": "mo", "auditor": "otto",
    "administrator": "quinn", "expired": "jon", "outsider": "zoe", "anonymous": "",
}  # fmt: skip

PAPER = b"%PDF-1.7 a paper"
PAPER_SHA256 = hashlib.sha256(PAPER).hexdigest()


@dataclass
class Scene:
    """``things`` holds the argument of an address by the thing's name: a row's key, a number, a word."""

    world: World
    browsers: dict[str, Client]
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def address(self, name: str, thing: str) -> str:
        """Where a page is about a thing."""
        said = {"chosen": f"?privilege={self.world.privilege.pk}", "incident": "?ref=INC-1"}
        return reverse(name, kwargs=self.things[thing]) + said.get(thing, "")

    def renew(self) -> None:
        """Everybody's second factor is fresh again, however long it took until here."""
        SignIn.objects.filter(ended_at__isnull=True).update(strong_at=now(), seen_at=now())

    def browser(self, viewer: str) -> Client:
        """The viewer's, as new: what an earlier answer did to its cookies is forgotten."""
        made, kept = Client(raise_request_exception=False), self.browsers[viewer].cookies.get("breakglass")
        if kept is not None:
            made.cookies["breakglass"] = kept.value
        return made


def make_scene() -> Scene:
    """All of it by the real actions; needs `sealing`."""
    world = make_world()
    _roles(world)
    things = {
        **_requests(world), **_uses(world), **_lists(world), **_configuration(world), **_campaign(world), **_sealed(world), **_papers(world), **_stop(world),
        **_rota(world), **_erasing(world), **_lost(world),
        "-": {}, "chosen": {}, "incident": {}, "kind": {"kind": "simulated"}, "entry": {"index": 3}, "mail": {"name": "none", "wanted": "none.pdf"},
        "size": {"size": 3},
    }  # fmt: skip
    listed()
    browsers = {role: browser_of(world.people[who]) if who else Client() for role, who in VIEWERS.items()}
    things["feed"] = {"token": feed.token_of(world.ann)}
    things["sign_in"] = {"pk": sign_in_of(world.ann).pk}
    things["reset"] = {"pk": resetting.propose(by=actor(world.pia), person=world.ben, reason="The phone is gone.").pk}
    things["passkey"] = {"pk": passkey_of(world.ann).pk}
    return Scene(world, browsers, things)


def _roles(world: World) -> None:
    """Otto audits and Quinn administers everything; all that Jon held ran out a minute ago."""
    ago = now() - timedelta(days=10)
    by = {"proposed_by": world.pia, "proposed_at": ago, "approved_by": world.mo, "approved_at": ago, "from_at": ago}
    RoleAssignment.objects.create(person=world.otto, role=AUDITOR, **by)
    RoleAssignment.objects.create(person=world.quinn, role=ADMINISTRATOR, **by)
    RoleAssignment.objects.create(person=world.pia, role=ADMINISTRATOR, **by | {"proposed_by": world.quinn})
    for role in ("responder", "reviewer", "owner", "auditor", "administrator"):
        RoleAssignment.objects.create(person=world.jon, role=role, system=world.system, **by)
    Eligibility.objects.create(person=world.jon, privilege=world.privilege, **by)
    for rows in (RoleAssignment.objects.filter(person=world.jon), Eligibility.objects.filter(person=world.jon)):
        rows.update(to_at=now() - timedelta(minutes=1))


def _stop(world: World) -> dict[str, dict[str, Any]]:
    """A stop of another system of the same people; Mo asks to lift it."""
    other = make_world(slug="other", people=world.people)
    RoleAssignment.objects.filter(person=world.jon).update(to_at=now() - timedelta(minutes=1))
    stop = stopping.start(by=actor(world.mo), system=other.system, reason="Somebody is in.")
    stops.ask_lift(by=actor(world.mo), stop=stop, reason="Nobody is in.")
    return {"stop": {"pk": stop.pk}}


def _erasing(world: World) -> dict[str, dict[str, Any]]:
    """Two have left; erasing one of them is asked for, and a case of Ben's is held until somebody confirms that it is over, as is somebody by the log alone."""
    first, second = person("Gus Gone"), person("Tess Gone")
    for each in (first, second):
        each.left_at = now()
        each.save(update_fields=["left_at"])
    erasure = erasing.ask(by=actor(world.pia), person=first, basis="asked", reason="They asked by letter.")
    hold = holding.set_hold(
        by=actor(world.pia), case=request_of(world, "ben", incident_ref="INC-77"), reason="A court case."
    )
    holding.ask_lift(by=actor(world.pia), hold=hold, reason="It is over.")
    lost = holding.set_hold(by=actor(world.pia), person=person("Hedy Held"), reason="A court case.")
    LegalHold.objects.filter(pk=lost.pk).delete()  # and so known to the log alone
    (said,) = said_holds()
    lifting_by_log.ask_lift(by=actor(world.pia), hold=said, reason="It is over.")
    cut = Cut.objects.create(
        minimum_index=256, from_index=0, reason="Their time has come.", proposed_by=world.pia, proposed_at=now()
    )
    return {
        "left-person": {"pk": second.pk}, "erasure": {"pk": erasure.pk}, "hold": {"pk": hold.pk}, "said-hold": {"pk": said.pk}, "cut": {"pk": cut.pk},
    }  # fmt: skip


def _lost(world: World) -> dict[str, dict[str, Any]]:
    """Pia says that a minute of the log is lost; nobody has signed it."""
    ago = now() - timedelta(minutes=1)
    return {"lost": {"pk": losing.report(by=actor(world.pia), from_at=ago, to_at=ago, reason="The primary burned.").pk}}


def _rota(world: World) -> dict[str, dict[str, Any]]:
    """Ines has the week that runs now and Hal the next; Hal offers her a swap of the two after, and she is away later."""
    hal, ago = person("Hal"), now() - timedelta(days=10)
    RoleAssignment.objects.create(
        person=hal, role="approver", system=world.system, proposed_by=world.pia, proposed_at=ago, approved_by=world.quinn, approved_at=ago, from_at=ago
    )  # fmt: skip
    members = [str(world.ines.pk), str(hal.pk)]
    rota = rotas.set_up(
        by=actor(world.quinn), system=world.system, name="Nights", members=members, weekday=0, hour=9, zone="UTC"
    )
    plan = plan_of(rota)
    this = week_at(plan, now())
    mine, his = (next(each for each in (this + 2, this + 3) if holder(plan, each) == member) for member in members)
    swap = rotas.offer_swap(by=actor(hal), rota=rota, week=plan.day_of(his), other_week=plan.day_of(mine))
    absence = absences.say_away(
        by=actor(world.ines), rota=rota, person=world.ines, from_at=now() + timedelta(days=60), to_at=now() + timedelta(days=61)
    )  # fmt: skip
    return {
        "rota": {"pk": rota.pk}, "swap": {"pk": swap.pk}, "absence": {"pk": absence.pk},
        "weeks": {"mine": plan.day_of(mine + 2).isoformat(), "other": plan.day_of(his + 2).isoformat()},
    }  # fmt: skip


def _requests(world: World) -> dict[str, dict[str, Any]]:
    """One that waits, with its alert to Ines; one that is open and wants more time; a bypass that is over and owes something."""
    waiting = request_of(world, reason=f"{REASON} Waiting.")
    grant = opened(world, reason=f"{REASON} Open.")
    extension = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    asked = questions.question(by=actor(world.ines), request=waiting, text="Which disk?")
    alert = Alert.objects.filter(recipient=world.ines, path__contains=str(waiting.pk)).earliest("queued_at")
    return {
        "waiting": {"pk": waiting.pk}, "open": {"pk": grant.request_id}, "grant": {"pk": grant.pk}, "extension": {"pk": extension.pk},
        "alert": {"pk": alert.pk}, "question": {"pk": asked.pk}, "link": {"token": token_of(alert)},
    }  # fmt: skip


def _uses(world: World) -> dict[str, dict[str, Any]]:
    """Two uses of Ann's that are over: one bypass whose review waits and which owes something, one whose review Kim has taken."""
    from portal.grants import authorising, opening

    bypassed = opening.run(
        authorising.bypass(
            by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass", incident_ref="")
        ).pk
    )
    rows: list[Grant] = []
    for grant in (bypassed, opened(world, reason=f"{REASON} Over.")):
        actions.give_back(by=actor(world.ann), grant=grant)
        rows.append(ending.run(grant.pk))
    sweep.run_due()
    due, taken = (Review.objects.get(grant=grant) for grant in rows)
    reviews.claim(by=actor(world.kim), review=taken)
    (done,) = do(grant_of(taken), [Did("DROP TABLE old", "schema_change")])
    accepted = accepting.accept(by=actor(world.kim), review=taken, activities=[done], note="Needed.")
    leave = now() + timedelta(days=30)
    delegation = delegating.delegate(
        by=actor(world.kim), to=world.lea, system=world.system, from_at=leave, to_at=leave + timedelta(days=2)
    )
    finding = raise_finding(
        by=actor(world.kim), kind="gap", title="Records are missing", about="w-1", system=world.system, owner=world.mo
    )
    return {
        "owing": {"pk": rows[0].request_id}, "case": {"pk": rows[1].request_id}, "review-due": {"pk": due.pk},
        "review-taken": {"pk": taken.pk}, "acceptance": {"pk": taken.pk, "acceptance": accepted.pk}, "finding": {"pk": finding.pk},
        "delegation": {"pk": delegation.pk},
    }  # fmt: skip


def _lists(world: World) -> dict[str, dict[str, Any]]:
    """What Pia proposed for Lea, what Ann holds, and Ann herself."""
    role = lists.propose_role(by=actor(world.pia), person=world.lea, role="approver", system=world.system)
    eligibility = lists.propose_eligibility(by=actor(world.pia), person=world.lea, privilege=world.privilege)
    held = RoleAssignment.objects.get(person=world.ann)
    leave = now() + timedelta(days=20)
    loan = lists.lend_role(
        by=actor(world.ines), to=world.kim, system=world.system, from_at=leave, to_at=leave + timedelta(days=2)
    )  # fmt: skip
    listed = Eligibility.objects.get(person=world.ann)
    answer = "".join(["email,name\n", *(f"{each.email},{each.name}\n" for each in world.people.values())])
    outside, _ = add_person(
        by=actor(world.pia), name="Vera", email="vera@example.org", third_party=True, sponsor=world.lea, contract_end=now() + timedelta(days=9)
    )  # fmt: skip
    personnel = read_personnel(by=actor(world.quinn), content=answer.encode(), query="SELECT *", taken_at=now())
    return {
        "list-findings": {"name": "findings"}, "list-people": {"name": "people"}, "list-systems": {"name": "systems"},
        "search": {"pk": save_search(by=actor(world.ann), kind="findings", name="Late", query="show=overdue").pk},
        "personnel": {"pk": personnel.pk}, "proposed-role": {"pk": role.pk}, "role": {"pk": held.pk}, "loan": {"pk": loan.pk},
        "proposed-eligibility": {"pk": eligibility.pk},
        "eligibility": {"pk": listed.pk}, "person": {"pk": world.ann.pk}, "outside-person": {"pk": outside.pk},
    }  # fmt: skip


def _configuration(world: World) -> dict[str, dict[str, Any]]:
    after = {"name": "Read everything", "on_target": "read_all", "description": ""}
    change = systems.propose(by=actor(world.pia), kind=systems.PRIVILEGE, system=world.system, after=after)
    version = propose_policy(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=90))
    drill = start_drill(
        by=actor(world.ann), privilege=world.privilege, act="Sign in, read the health page, sign out.", minutes=10
    )
    receiver, _ = receivers.add(by=actor(world.quinn), name="Pager", url="https://pager.example/hook", topics=["call"])
    return {
        "receiver": {"pk": receiver.pk}, "drill": {"pk": drill.pk},
        "system": {"pk": world.system.pk}, "privilege": {"pk": world.privilege.pk}, "change": {"pk": change.pk}, "version": {"pk": version.pk},
        "policy-held": {"pk": world.policy.pk},
    }  # fmt: skip


def _campaign(world: World) -> dict[str, dict[str, Any]]:
    """An attestation whose lines stood before Mo, to whom they were put; a second system whose list can be attested."""
    campaign = starting.run_now(by=actor(world.pia), system=world.system)
    campaigns.show(by=actor(world.mo), campaign=campaign)
    item = Item.objects.filter(campaign=campaign, reviewer=world.mo, person=world.ann).get()
    for each in Item.objects.filter(campaign=campaign).exclude(pk=item.pk):
        assert each.reviewer is not None
        campaigns.keep(by=actor(each.reviewer), item=each, reason="Needed.")
    return {"campaign": {"pk": campaign.pk}, "item": {"pk": item.pk}}


def _sealed(world: World) -> dict[str, dict[str, Any]]:
    """Accounts that Lea keeps: one lies sealed, one Ann holds, one waits for a second administrator. Ines could keep them as well."""
    ago = now() - timedelta(days=10)
    by = {"proposed_by": world.pia, "proposed_at": ago, "approved_by": world.quinn, "approved_at": ago, "from_at": ago}
    for keeper in (world.lea, world.ines):
        RoleAssignment.objects.create(person=keeper, role=CUSTODIAN, system=world.system, **by)
    rows = [
        sealed.propose(
            by=actor(world.pia), system=world.system, name=name, account=name, location="The console.", kept_by="custodian",
            custodian=world.lea,
        )
        for name in ("vault_a", "vault_b", "vault_c")
    ]  # fmt: skip
    cards = sealed.propose(
        by=actor(world.pia), system=world.system, name="vault_d", account="vault_d", location="The console.", kept_by="cards",
        custodian=world.lea, second_custodian=world.ines,
    )  # fmt: skip
    with state.changing(target(world.system)) as connection:
        logins.add_standing(connection, "vault_d", "vault_d")
    rotating.run(sealed.approve(by=actor(world.quinn), account=cards).pk)
    cards.card_sets.update(opened_at=now() - timedelta(days=1))  # so that a use may be said of the last hours
    Eligibility.objects.create(person=world.ann, privilege=Privilege.objects.get(sealed_account=cards), **by)
    for each in rows[:2]:
        account = sealed.approve(by=actor(world.quinn), account=each)
        rotations.lay_in(by=actor(world.lea), account=account, secret="a secret of the vault")
        with state.changing(target(world.system)) as connection:
            logins.add_standing(connection, account.account, account.account)
    Eligibility.objects.create(person=world.ann, privilege=Privilege.objects.get(sealed_account=rows[1]), **by)
    held = opened(replace(world, privilege=Privilege.objects.get(sealed_account=rows[1])), reason=f"{REASON} Sealed.")
    return {
        "sealed": {"pk": rows[0].pk},
        "proposed-sealed": {"pk": rows[2].pk},
        "sealed-grant": {"pk": held.pk},
        "cards": {"pk": cards.pk},
        "card": {"pk": OfflineCard.objects.get(custodian=world.lea).pk},
        "offline-review": {"pk": _offline_review(world, cards).pk},
    }


def _offline_review(world: World, cards: SealedAccount) -> Review:
    """What no act makes: a review of a use of cards that can still be used."""
    without = AccessRequest.objects.filter(responder=world.ann, review__isnull=True, grant__isnull=True)
    request = without.earliest("requested_at")
    return Review.objects.create(request=request, of_set=cards.card_sets.get(), due_at=now())


def _papers(world: World) -> dict[str, dict[str, Any]]:
    """A pack that Otto made, and a dossier of a case of Ann's."""
    day = 86_400_000
    pack = request_pack(by=actor(world.otto), start=now_ms() // day * day - 2 * day, end=now_ms() // day * day, systems=[str(world.system.pk)],
                        frameworks=[], purpose="Yearly audit.")  # fmt: skip
    case = Grant.objects.filter(state="ended").earliest("authorised_at").request_id
    dossier = Dossier.objects.create(
        event_id=uuid.uuid4(), case=case, occasion="ended", made_at=now(), sha256=PAPER_SHA256, bytes=len(PAPER)
    )
    keeping.keep(dossier.file, PAPER)
    keeping.keep(pack.file, PAPER)
    type(pack).objects.filter(pk=pack.pk).update(
        begun_at=now(), made_at=now(), sha256=PAPER_SHA256, bytes=len(PAPER), pages=1, log_size=1
    )
    return {"pack": {"pk": pack.pk}, "dossier": {"pk": dossier.pk}}
