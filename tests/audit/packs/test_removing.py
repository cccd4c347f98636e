"""What is looked at each minute for files that must go: as many questions however many were erased, and the log is not read through."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import Entry
from audit.packs import removing
from audit.packs.models import Dossier
from audit.packs.reading import people_in
from tests.audit.log.cut_log import written
from tests.audit.log.logged import TEST

pytestmark = pytest.mark.django_db(transaction=True)


def dossier(*people: str) -> Dossier:
    at = datetime.now(UTC) - timedelta(minutes=1)
    return Dossier.objects.create(
        event_id=uuid4(), case=uuid4(), occasion="ended", made_at=at, log_size=10_000, people=list(people)
    )


def erased(person: str) -> None:
    said = {"erasure_id": str(uuid4()), "person_id": person, "basis": "asked", "asked_by": "a", "approved_by": "b"}
    written(Entry("erasure.done", TEST, said | {"values": 0, "rows": {}}))


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_questions_however_many_were_erased_and_no_entry_is_read_for_it(
    count: int, settings: Any, tmp_path: Path
) -> None:
    settings.PORTAL_DATA = tmp_path
    for _ in range(count):
        dossier(str(uuid4()))
        erased(str(uuid4()))
    with CaptureQueriesContext(connection) as asked:
        assert removing.run_due() == 0
    assert (len(asked), [each["sql"] for each in asked if "position(" in each["sql"]]) == (QUESTIONS, [])


QUESTIONS = 6


def test_the_dossiers_that_name_who_was_erased_go_and_no_others(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_DATA = tmp_path
    person, other = str(uuid4()), str(uuid4())
    names, does_not = dossier(other, person), dossier(other)
    erased(person)
    assert (removing.run_due(), removing.run_due()) == (1, 0)
    assert [Dossier.objects.get(pk=each.pk).gone_why for each in (names, does_not)] == ["erased", ""]


def test_a_dossier_names_all_people_by_whom_its_entries_are_or_whom_one_names() -> None:
    case, by, named_, elsewhere = str(uuid4()), str(uuid4()), str(uuid4()), str(uuid4())
    added = [
        Entry("person.added", TEST, {"person_id": each, "name": "N", "email": "e"}, subject=f"person:{each}")
        for each in (by, named_, elsewhere)
    ]
    seen = {"page": "the case", "quarter": 0}
    written(
        *added,
        Entry("page.viewed", TEST, {"person_id": named_} | seen, case=case),
        Entry("page.viewed", type(TEST)(by), {"person_id": by} | seen, case=case),
        Entry("page.viewed", TEST, {"person_id": elsewhere} | seen, case=str(uuid4())),
    )
    assert (people_in(10, case), people_in(4, case)) == (sorted([by, named_]), [named_])
