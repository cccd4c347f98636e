"""Who answers for somebody of another company: named anew by an administrator of others, from now on, with the reason."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from audit.log.append import LogUnavailable
from audit.log.read import of_subject
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.people.actions import add_person
from portal.people.models import Person, Sponsorship
from portal.people.sponsoring import sponsor
from tests.at_once import at_once
from tests.factories import broken_log, client_of, fields_of, founders, names_by_subject, person
from tests.worlds import actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = (now() + timedelta(days=9)).replace(second=0, microsecond=0)
LATER = ENDS + timedelta(days=90)


def outside(by: Person, sponsored_by: Person, name: str = "Vera", ends: datetime = ENDS) -> Person:
    made, _ = add_person(
        by=actor(by), name=name, email=f"{name.lower()}@example.org", third_party=True, sponsor=sponsored_by, contract_end=ends
    )  # fmt: skip
    return made


def spans(about: Person) -> list[tuple[Person, datetime, bool]]:
    return [
        (each.sponsor, each.contract_end, each.until_at is None)
        for each in about.sponsorships.select_related("sponsor")
    ]


def test_another_sponsor_and_a_later_end_are_on_record_and_what_was_before_stays() -> None:
    pia, _ = founders()
    mo, ann = person("Mo M"), person("Ann A")
    vera = outside(pia, mo)
    assert spans(vera) == [(mo, ENDS, True)]
    sponsor(by=actor(pia), person=vera, sponsor=ann, contract_end=LATER, reason="Prolonged, mail of today.")
    assert spans(vera) == [(ann, LATER, True), (mo, ENDS, False)]
    new, old = vera.sponsorships.all()
    assert new.from_at == old.until_at
    assert fields_of("person.sponsored", vera.log_subject) == {
        "person_id": str(vera.pk), "sponsor_id": str(ann.pk), "contract_end": ms(LATER), "before_sponsor_id": str(mo.pk),
        "before_contract_end": ms(ENDS),
    }  # fmt: skip
    assert of_subject(vera.log_subject, ("person.sponsored",))[0].says("reason") == "Prolonged, mail of today."
    with pytest.raises(ChangedMeanwhile):
        sponsor(by=actor(pia), person=vera, sponsor=ann, contract_end=LATER, reason="Again.")


def test_only_administrators_say_it_and_neither_end_of_it() -> None:
    pia, quinn = founders()
    mo = person("Mo M")
    vera, ulf = outside(pia, quinn), outside(pia, mo, "Ulf")
    for by, about, named in ((mo, ulf, pia), (quinn, vera, mo), (pia, ulf, pia)):
        with pytest.raises(NotAllowed):
            sponsor(by=actor(by), person=about, sponsor=named, contract_end=LATER, reason="r")
    with pytest.raises(StepUpNeeded):
        sponsor(by=actor(pia, age_s=3600), person=vera, sponsor=mo, contract_end=LATER, reason="r")
    with pytest.raises(NotAllowed, match="Nobody decides on their own"):
        outside(pia, pia, "Wim")
    with broken_log(), pytest.raises(LogUnavailable):
        sponsor(by=actor(pia), person=vera, sponsor=mo, contract_end=LATER, reason="r")
    assert (spans(vera), spans(ulf)) == ([(quinn, ENDS, True)], [(mo, ENDS, True)])
    assert names_by_subject(vera.log_subject)[2:] == ["person.act_refused"] * 2


def test_sponsor_works_here_and_the_contract_runs() -> None:
    pia, _ = founders()
    mo, gone = person("Mo M"), person("Gone G")
    vera, ulf = outside(pia, mo), outside(pia, mo, "Ulf")
    Person.objects.filter(pk=gone.pk).update(left_at=now())
    for named, ends, why in (
        (gone, LATER, "has left"), (ulf, LATER, "another company too"), (mo, now() - timedelta(minutes=1), "ended already"),
    ):  # fmt: skip
        with pytest.raises(RefusedByPolicy, match=why):
            sponsor(by=actor(pia), person=vera, sponsor=named, contract_end=ends, reason="r")
    with pytest.raises(RefusedByPolicy, match="another company too"):
        outside(pia, ulf, "Wim")
    with pytest.raises(RefusedByPolicy, match="Only who works for another company"):
        sponsor(by=actor(pia), person=mo, sponsor=person("Ann A"), contract_end=LATER, reason="r")
    Person.objects.filter(pk=vera.pk).update(left_at=now())
    with pytest.raises(WrongState):
        sponsor(by=actor(pia), person=vera, sponsor=person("Jon J"), contract_end=LATER, reason="r")
    assert spans(vera) == [(mo, ENDS, True)]


def test_two_at_the_same_moment_leave_one_sponsor() -> None:
    pia, quinn = founders()
    mo, ann = person("Mo M"), person("Ann A")
    vera = outside(pia, mo)
    acts = iter([(pia, ann, ENDS), (quinn, ann, ENDS)])

    def act() -> Sponsorship:
        by, named, ends = next(acts)
        return sponsor(by=actor(by), person=vera, sponsor=named, contract_end=ends, reason="r")

    outcomes = at_once(2, act)
    assert sorted(type(each).__name__ for each in outcomes) == ["ChangedMeanwhile", "Sponsorship"]
    assert spans(vera) == [(ann, ENDS, True), (mo, ENDS, False)]


def test_later_end_gives_back_nothing_that_was_lost() -> None:
    pia, _ = founders()
    world = make_world()
    vera = outside(pia, world.mo)
    ago = now() - timedelta(days=3)
    role = RoleAssignment.objects.create(
        person=vera, role="responder", system=world.system, proposed_by=pia, proposed_at=ago, approved_by=world.mo, approved_at=ago,
        from_at=ago, ended_at=ago, ended_by=str(pia.pk), ended_cause="contract ended",
    )  # fmt: skip
    before = RoleAssignment.objects.filter(person=vera).values().get()
    sponsor(by=actor(pia), person=vera, sponsor=world.mo, contract_end=LATER, reason="Prolonged.")
    assert RoleAssignment.objects.filter(person=vera).values().get() == before
    assert str(role.pk) == str(before["id"])


def test_who_was_added_before_is_taken_from_the_log() -> None:
    pia, _ = founders()
    mo = person("Mo M")
    vera, ann = (
        outside(pia, mo, ends=ENDS + timedelta(milliseconds=7)),
        add_person(by=actor(pia), name="Ann", email="a@example.org")[0],
    )
    kept = spans(vera)
    Sponsorship.objects.all().delete()
    import_module("portal.migrations.0036_sponsorship").take_from_the_log(apps, None)
    assert (spans(vera), spans(ann)) == (kept, [])
    assert vera.sponsorships.get().from_at == vera.added_at


# --- by the pages


def test_administrator_names_another_on_a_page_and_a_refusal_comes_back_in_the_form() -> None:
    pia, _ = founders()
    mo, ann = person("Mo M"), person("Ann A")
    vera, ulf = outside(pia, mo), outside(pia, mo, "Ulf")
    browser, address = client_of(pia), f"/people/{vera.pk}/sponsor/"
    page = browser.get(address).content.decode()
    assert (f'value="{ann.pk}"' in page, f'value="{ulf.pk}"' in page, f'value="{ENDS:%Y-%m-%dT%H:%M}"' in page) == (
        True,
        False,
        True,
    )
    said = {
        "sponsor": str(ann.pk),
        "contract_end": f"{now() - timedelta(days=1):%Y-%m-%dT%H:%M}",
        "reason": "Mail of today.",
    }
    answer = browser.post(address, said)
    assert (
        answer.status_code,
        "ended already" in answer.content.decode(),
        "Mail of today." in answer.content.decode(),
    ) == (422, True, True)
    assert browser.post(address, said | {"reason": ""}).status_code == 422
    with broken_log():
        assert browser.post(address, said | {"contract_end": f"{LATER:%Y-%m-%dT%H:%M}"}).status_code == 503
    assert spans(vera) == [(mo, ENDS, True)]
    answer = browser.post(address, said | {"contract_end": f"{LATER:%Y-%m-%dT%H:%M}"})
    assert answer.headers["Location"] == f"/people/{vera.pk}/"
    page = browser.get(f"/people/{vera.pk}/").content.decode()
    card = page[page.index('id="sponsor"') :]
    assert card.index("Ann A</a>") < card.index("Mo M</a>")
    assert 'id="sponsor"' not in browser.get(f"/people/{mo.pk}/").content.decode()
    assert spans(vera) == [(ann, LATER, True), (mo, ENDS, False)]


@pytest.mark.parametrize("who", ["zoe", "ann"])
def test_outsider_and_teammate_are_refused_on_record(who: str) -> None:
    pia, _ = founders()
    world = make_world()
    vera = outside(pia, world.mo)
    browser = client_of(world.people[who])
    assert browser.get(f"/people/{vera.pk}/sponsor/").status_code == 404
    said = {"sponsor": str(world.people[who].pk), "contract_end": f"{LATER:%Y-%m-%dT%H:%M}", "reason": "r"}
    assert browser.post(f"/people/{vera.pk}/sponsor/", said).status_code == 403
    assert names_by_subject(vera.log_subject)[-1] == "person.act_refused"
    assert spans(vera) == [(world.mo, ENDS, True)]
