"""Who reports to whom: said by an administrator, of others, once."""

from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.log.append import LogUnavailable
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded
from portal.people.models import Person
from portal.people.reporting import leads_back, lines_now, reports_of, set_manager, without_circles
from tests.at_once import at_once
from tests.factories import broken_log, client_of, fields_of, founders, names_by_subject, person
from tests.worlds import actor

pytestmark = pytest.mark.django_db(transaction=True)


def test_line_of_reporting_is_set_changed_and_taken_away() -> None:
    pia, _ = founders()
    ann, mo = person("Ann A"), person("Mo M")
    set_manager(by=actor(pia), person=ann, manager=mo)
    assert fields_of("person.manager_set", ann.log_subject) == {"person_id": str(ann.pk), "manager_id": str(mo.pk)}
    assert reports_of([mo.pk, ann.pk]) == {mo.pk: {str(ann.pk)}}
    with pytest.raises(ChangedMeanwhile):
        set_manager(by=actor(pia), person=ann, manager=mo)
    set_manager(by=actor(pia), person=ann, manager=None)
    assert (fields_of("person.manager_set", ann.log_subject), reports_of([mo.pk])) == ({"person_id": str(ann.pk)}, {})


def test_only_administrators_say_it_and_never_of_themselves() -> None:
    pia, _ = founders()
    ann, mo = person("Ann A"), person("Mo M")
    for by, about, error in ((mo, ann, NotAllowed), (pia, pia, NotAllowed)):
        with pytest.raises(error):
            set_manager(by=actor(by), person=about, manager=mo)
    with pytest.raises(StepUpNeeded):
        set_manager(by=actor(pia, age_s=3600), person=ann, manager=mo)
    with pytest.raises(RefusedByPolicy):
        set_manager(by=actor(pia), person=ann, manager=ann)
    assert names_by_subject(ann.log_subject) == ["person.act_refused"] * 3
    with broken_log(), pytest.raises(LogUnavailable):
        set_manager(by=actor(pia), person=ann, manager=mo)
    assert not Person.objects.filter(manager__isnull=False).exists()


def test_no_end_of_a_line_makes_or_cuts_it() -> None:
    pia, quinn = founders()
    ann = person("Ann A")
    with pytest.raises(NotAllowed, match="Nobody decides on their own"):
        set_manager(by=actor(pia), person=ann, manager=pia)
    set_manager(by=actor(quinn), person=ann, manager=pia)
    for manager in (None, quinn):
        with pytest.raises(NotAllowed, match="Nobody decides on their own"):
            set_manager(by=actor(pia), person=ann, manager=manager)
    assert lines_now() == {ann.pk: pia.pk}


def test_nobodys_line_of_managers_leads_back_to_them() -> None:
    pia, _ = founders()
    ann, mo, kim = (person(name) for name in ("Ann A", "Mo M", "Kim K"))
    set_manager(by=actor(pia), person=ann, manager=mo)
    set_manager(by=actor(pia), person=mo, manager=kim)
    for below in (ann, mo):
        with pytest.raises(RefusedByPolicy, match="reports to this one already"):
            set_manager(by=actor(pia), person=kim, manager=below)
    assert lines_now() == {ann.pk: mo.pk, mo.pk: kim.pk}
    Person.objects.filter(pk=kim.pk).update(left_at=now())
    with pytest.raises(RefusedByPolicy, match="has left"):
        set_manager(by=actor(pia), person=ann, manager=kim)


def test_manager_cannot_leave_while_somebody_is_put_below_them() -> None:
    pia, _ = founders()
    ann, mo, kim = (person(name) for name in ("Ann A", "Mo M", "Kim K"))

    def free() -> list[str]:
        with transaction.atomic():
            rows = Person.objects.select_for_update(no_key=True, skip_locked=True).filter(
                pk__in=[ann.pk, mo.pk, kim.pk]
            )
            return sorted(each.name for each in rows)

    with transaction.atomic():
        set_manager(by=actor(pia), person=ann, manager=mo)
        (seen,) = at_once(1, free)
    assert seen == ["Kim K"]


def test_two_at_the_same_moment_make_no_circle() -> None:
    pia, quinn = founders()
    ann, mo = person("Ann A"), person("Mo M")
    acts = iter([(pia, ann, mo), (quinn, mo, ann)])

    def act() -> Person:
        by, below, above = next(acts)
        return set_manager(by=actor(by), person=below, manager=above)

    outcomes = at_once(2, act)
    assert sorted(type(each).__name__ for each in outcomes) == ["Person", "RefusedByPolicy"]
    assert len(lines_now()) == 1


KEYS = st.integers(0, 7).map(lambda number: UUID(int=number))
LINES = st.dictionaries(KEYS, KEYS, max_size=8)


@given(before=LINES, wanted=LINES)
def test_of_many_changes_those_that_are_kept_make_no_circle(before: dict[UUID, UUID], wanted: dict[UUID, UUID]) -> None:
    before = {each: above for each, above in before.items() if not leads_back(before, each)}
    kept, left_out = without_circles(before, wanted)
    after = {**before, **kept}
    assert not any(leads_back(after, each) for each in after)
    assert (set(kept) | left_out, set(kept) & left_out) == (set(wanted), set())
    if not any(leads_back({**before, **wanted}, each) for each in wanted):
        assert kept == wanted


# --- by the pages


def test_administrator_sets_it_on_a_page_and_a_refusal_comes_back_in_the_form() -> None:
    pia, _ = founders()
    ann, mo = person("Ann A"), person("Mo M")
    browser = client_of(pia)
    page = browser.get(f"/people/{ann.pk}/manager/").content.decode()
    assert (f'<option value="{mo.pk}">Mo M (' in page, f'value="{ann.pk}"' in page) == (True, False)
    answer = browser.post(f"/people/{ann.pk}/manager/", {"manager": str(mo.pk)})
    assert answer.headers["Location"] == f"/people/{ann.pk}/"
    assert "Ann A reports to Mo M." in browser.get(f"/people/{ann.pk}/").content.decode()
    assert "Ann A</a>" in browser.get(f"/people/{mo.pk}/").content.decode()
    answer = browser.post(f"/people/{mo.pk}/manager/", {"manager": str(ann.pk)})
    assert (answer.status_code, "reports to this one already" in answer.content.decode()) == (422, True)
    assert browser.post(f"/people/{mo.pk}/manager/", {"manager": "nobody we know"}).status_code == 422
    assert browser.post(f"/people/{ann.pk}/manager/", {"manager": ""}).status_code == 302
    assert lines_now() == {}
    for about in (pia, ann):
        assert client_of(ann).post(f"/people/{about.pk}/manager/", {"manager": ""}).status_code == 403
    assert browser.get(f"/people/{pia.pk}/manager/").status_code == 403
