"""Legal holds whose rows were lost: the log keeps them in force, the pages show them, and two administrators lift them as any other."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.log import held_again
from audit.log.append import append
from audit.log.models import Event
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.sources import Folder
from portal.access_requests.models import AccessRequest, Approval
from portal.clock import now
from portal.erasing import actions, cutting, holding, lifting_by_log, retention
from portal.erasing.models import LegalHold
from portal.erasing.said_holds import SaidHold, part_in_case, said_holds
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.grants.narrowing import note_leaving
from portal.people.models import Person
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.logged import run_signer, sealed
from tests.browsing import browser_of
from tests.portal.erasing import old_log
from tests.portal.erasing.old_log import WHY, approved, carried_out
from tests.worlds import World, actor, let_ask, request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
world, old = old_log.world, old_log.old  # fixtures


def lost(world: World, **about: Any) -> SaidHold:
    """A hold whose row is gone."""
    row = holding.set_hold(by=actor(world.pia), reason="A court case.", **about)
    LegalHold.objects.filter(pk=row.pk).delete()
    return {each.pk: each for each in said_holds()}[str(row.pk)]


def lifted(world: World, hold: SaidHold) -> None:
    """By two."""
    asking = lifting_by_log.ask_lift(by=actor(world.pia), hold=hold, reason="It is over.")
    lifting_by_log.lift(by=actor(world.quinn), hold=asking)


@pytest.mark.parametrize("held", ["case", "person"])
def test_nothing_under_such_a_hold_is_cut_until_two_have_lifted_it_and_that_is_sealed(
    world: World, old: AccessRequest, held: str, tmp_path: Path
) -> None:
    approved(world)
    hold = lost(world, **{held: old if held == "case" else world.ann})
    cut = carried_out(tmp_path / "log")
    assert (cut.state, "under a legal hold" in cut.trouble, named(["log.cut"])) == ("approved", True, [])
    cutting.decline(by=actor(world.pia), cut=cut)
    with pytest.raises(RefusedByPolicy) as refused:
        cutting.propose(by=actor(world.pia), minimum=256, reason=WHY)
    assert refused.value.kind == "must be kept"
    page = browser_of(world.otto).get("/retention/").content.decode()
    assert f'href="/holds/{hold.pk}/">The legal hold on {hold.on}</a>' in page
    lifted(world, hold)
    assert (retention.could_go().minimum, said_holds()[0].get_state_display()) == (
        0,
        "Lifted; in force until the log has sealed that",
    )
    sealed(0)
    assert (retention.could_go().minimum, said_holds()[0].get_state_display()) == (256, "Lifted")
    approved(world)
    assert carried_out(tmp_path / "log").state == "cut"
    assert not Event.objects.filter(case=str(old.pk)).exists()


def test_a_row_and_a_lost_one_keep_from_the_first_of_what_either_keeps(world: World, old: AccessRequest) -> None:
    """The row remembers an index; what was held before it was set is the log's to say."""
    lost(world, case=old)
    first = holding.set_hold(by=actor(world.pia), case=old, reason="Another.").from_index
    LegalHold.objects.update(from_index=255)
    assert dict(retention.could_go().in_the_way or {})[str(old.pk)] == first


def test_it_is_lifted_by_two_whom_it_does_not_concern_as_the_log_says(world: World) -> None:
    let_ask(world, "quinn")
    hers, decided = request_of(world, "quinn"), request_of(world)
    approval = Approval.objects.create(request=decided, approver=world.pia, decision="approve", decided_at=now())
    told: dict[str, Any] = {"approval_id": approval.pk, "approvals": 1, "approvals_needed": 1}
    with transaction.atomic():
        append("request.approved", by=actor(world.pia), case=str(decided.pk), **told)
    on_hers, on_decided, on_pia = lost(world, case=hers), lost(world, case=decided), lost(world, person=world.pia)
    assert part_in_case(str(hers.pk)) == {str(world.quinn.pk)}
    for hold, who in ((on_hers, world.quinn), (on_decided, world.pia), (on_pia, world.pia)):
        with pytest.raises(NotAllowed) as refused:
            lifting_by_log.ask_lift(by=actor(who), hold=hold, reason="Mine.")
        assert refused.value.kind == "own"
    asking = lifting_by_log.ask_lift(by=actor(world.pia), hold=on_hers, reason="It is over.")
    for who in (world.pia, world.quinn):  # who asked, and whom it concerns
        with pytest.raises(NotAllowed):
            lifting_by_log.lift(by=actor(who), hold=asking)
    with pytest.raises(WrongState):
        lifting_by_log.ask_lift(by=actor(world.pia), hold=on_hers, reason="Again.")
    assert lifting_by_log.keep(by=actor(world.quinn), hold=asking).state == "holds"
    with pytest.raises(WrongState):
        lifting_by_log.lift(by=actor(world.pia), hold=asking)
    assert {each.in_force for each in said_holds()} == {True}


def test_one_that_has_a_row_again_is_lifted_by_its_row(world: World) -> None:
    row = holding.set_hold(by=actor(world.pia), person=world.ann, reason="A court case.")
    LegalHold.objects.all().delete()
    (hold,) = said_holds()
    row.save(force_insert=True)
    with pytest.raises(WrongState, match="has this hold again"):
        lifting_by_log.ask_lift(by=actor(world.pia), hold=hold, reason="It is over.")
    assert said_holds() == []


def test_its_page_says_what_the_log_says_and_lifts_it(world: World) -> None:
    held = request_of(world)
    hold = lost(world, case=held)
    where = reverse("hold_page", args=[hold.pk])
    assert [browser_of(who).get(where).status_code for who in (world.ann, world.ben, world.zoe)] == [404, 404, 404]
    pia, quinn = browser_of(world.pia), browser_of(world.quinn)
    shown = pia.get(where).content.decode()
    for said in (
        "Known to the log alone",
        f"Legal hold on a request on {held.system.name}",
        str(held.pk),
        "Ann, ",
        "A court case.",
        "Pia, ",
    ):
        assert said in shown, said
    assert "Known to the log alone" in browser_of(world.otto).get("/erasing/").content.decode()
    assert pia.post(f"{where}ask-lift/", {"reason": ""}).status_code == 422
    assert pia.post(f"{where}ask-lift/", {"reason": "It is over."}).status_code == 302
    assert "as the second administrator" not in pia.get(where).content.decode()
    assert "as the second administrator" in quinn.get(where).content.decode()
    assert browser_of(world.ann).post(f"{where}decide/", {"decision": "lift"}).status_code == 403
    quinn.post(f"{where}decide/", {"decision": "lift"})
    (event,) = named(["hold.lifted"])
    assert (event.fields, event.by) == (
        {
            "hold_id": hold.pk,
            "case_id": str(held.pk),
            "asked_by": str(world.pia.pk),
            "approved_by": str(world.quinn.pk),
        },
        str(world.quinn.pk),
    )
    sealed(0)
    assert "Lifted by" in quinn.get(where).content.decode()
    assert retention.held() == (frozenset(), frozenset())


def test_the_pages_ask_as_much_for_three_as_for_one(world: World, old: AccessRequest) -> None:
    def asked(where: str) -> int:
        with CaptureQueriesContext(connection) as found:
            told.append(browser.get(where).content.decode().count("/holds/"))
        return len(found)

    told: list[int] = []
    browser = browser_of(world.otto)
    for where in ("/erasing/", "/retention/"):
        browser.get(where)
    lost(world, case=old), lost(world, person=world.mo)
    few = [asked(where) for where in ("/erasing/", "/retention/")]
    for held in ({"person": world.ann}, {"case": request_of(world, "ben")}):
        lost(world, **held)
    assert [asked(where) for where in ("/erasing/", "/retention/")] == few
    assert (told[0], told[2]) == (2, 4)


def test_an_erasure_of_its_person_waits_and_its_page_says_why(world: World) -> None:
    note_leaving(by=actor(world.pia), person=world.ben)
    erasure = actions.ask(
        by=actor(world.pia), person=Person.objects.get(pk=world.ben.pk), basis="asked", reason="By letter."
    )
    hold = lost(world, person=world.ben)
    assert f'href="/holds/{hold.pk}/"' in browser_of(world.otto).get(f"/erasing/{erasure.pk}/").content.decode()
    with pytest.raises(RefusedByPolicy):
        actions.confirm(by=actor(world.quinn), erasure=erasure)
    lifted(world, hold)
    sealed(0)
    assert actions.confirm(by=actor(world.quinn), erasure=erasure).state == "confirmed"


def test_one_under_an_id_that_the_portal_gives_to_nothing_is_shown_on_every_page_without_a_way_to_it(
    world: World,
) -> None:
    note_leaving(by=actor(world.pia), person=world.ben)
    ben = Person.objects.get(pk=world.ben.pk)
    erasure = actions.ask(by=actor(world.pia), person=ben, basis="asked", reason="By letter.")
    strange = {"hold_id": "of no form", "person_id": str(ben.pk), "reason": "A court case."}
    with transaction.atomic():
        append("hold.set", by=actor(world.pia), **strange)
    browser = browser_of(world.otto)
    pages = [browser.get(where) for where in ("/erasing/", "/retention/", f"/erasing/{erasure.pk}/")]
    assert [(page.status_code, page.content.decode().count("/holds/")) for page in pages] == [(200, 0)] * 3
    assert "A legal hold is in force" in pages[-1].content.decode()


def test_it_can_be_lifted_in_a_database_that_lost_the_case_it_is_on(world: World, tmp_path: Path) -> None:
    sealed(1)
    backups, published = place(tmp_path), DirectoryStore(tmp_path / "published")
    backups.backup()
    later = request_of(world)
    row = holding.set_hold(by=actor(world.pia), case=later, reason="A court case.")
    sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    with empty_database() as without, working_in(without):
        backups.restore()
        assert recover(connection, Folder(tmp_path / "published"), [run_signer().verifier()])
        (hold,) = said_holds()
        assert (hold.pk, hold.case_id, hold.reason) == (
            str(row.pk),
            str(later.pk),
            "The reason is not in what was published.",
        )
        lifted(world, hold)
        sealed(0)
        assert retention.held() == (frozenset(), frozenset())


def test_no_entry_on_a_hold_that_has_ended_keeps_the_rows_of_others_from_coming_back(world: World) -> None:
    over = holding.set_hold(by=actor(world.pia), person=world.mo, reason="A court case.")
    holding.ask_lift(by=actor(world.pia), hold=over, reason="It is over.")
    holding.lift(by=actor(world.quinn), hold=over)
    sealed(0)
    row = holding.set_hold(by=actor(world.pia), person=world.ann, reason="Another.")
    asked = {"hold_id": str(over.pk), "person_id": str(world.mo.pk), "reason": "Over already."}
    with transaction.atomic():
        append("hold.lift_asked", by=actor(world.pia), **asked)
    LegalHold.objects.all().delete()
    assert held_again.hold_again(held_again.said()) == 2
    assert dict(LegalHold.objects.values_list("pk", "state")) == {over.pk: "lifted", row.pk: "holds"}
