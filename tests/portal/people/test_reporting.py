"""Who reports to whom: said by an administrator, of others, once."""

import pytest

from audit.log.append import LogUnavailable
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded
from portal.people.models import Person
from portal.people.reporting import reports_of, set_manager
from tests.factories import broken_log, fields_of, founders, names_by_subject, person
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
