"""Until when list and role carry a use: together, one after another, and no longer than both."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from portal.clock import now
from portal.eligibility.models import RESPONDER, Eligibility, RoleAssignment
from portal.eligibility.queries import usable_until
from tests.worlds import make_world

pytestmark = pytest.mark.django_db
AT = now()
Spans = list[tuple[int, int | None]]  # from and to, in minutes from now


def dated(rows: "QuerySet[Eligibility] | QuerySet[RoleAssignment]", spans: Spans) -> None:
    """Instead of the one row as many like it, so dated."""
    row = rows.get()
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    rows.delete()
    for begins, ends in spans:
        to_at = None if ends is None else AT + timedelta(minutes=ends)
        row._meta.model._base_manager.create(**{**values, "from_at": AT + timedelta(minutes=begins), "to_at": to_at})


@pytest.mark.parametrize(
    ("listed", "held", "expected"),
    [
        ([(-9, None)], [(-9, None)], None),
        ([(-9, 5)], [(-9, None)], 5),
        ([(-9, None)], [(-9, 7)], 7),
        ([(-9, 5)], [(-9, 7)], 5),
        ([(-9, 5), (5, 20)], [(-9, None)], 20),
        ([(-9, 5), (4, None)], [(-9, 30)], 30),
        ([(-9, 5), (6, 20)], [(-9, None)], 5),
        ([(-9, 5), (-9, 3)], [(-9, None)], 5),
        ([(-9, -2)], [(-9, None)], 0),
        ([], [(-9, None)], 0),
    ],
)
def test_use_is_carried_as_long_as_list_and_role_hold(listed: Spans, held: Spans, expected: int | None) -> None:
    world = make_world()
    dated(Eligibility._base_manager.filter(person=world.ann), listed)
    dated(RoleAssignment._base_manager.filter(person=world.ann, role=RESPONDER), held)
    until = usable_until(world.ann.pk, world.privilege, AT)
    assert until == (None if expected is None else AT + timedelta(minutes=expected))


def test_what_waits_for_approval_carries_nothing() -> None:
    world = make_world()
    Eligibility.objects.filter(person=world.ann).update(approved_at=None, approved_by=None)
    assert usable_until(world.ann.pk, world.privilege, AT) == AT
