"""Where a person's name, mail address and words could still stand after their erasure: the whole database is searched."""

import pytest
from django.db import connection

from portal.access_requests import questions
from portal.access_requests.models import AccessRequest
from portal.erasing import actions, carrying_out
from portal.lists.actions import save_search
from portal.notifications.models import Alert
from portal.people.models import Person
from tests.factories import passkey_of
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.worlds import World, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]


def places_of(*words: str) -> list[str]:
    """Columns of the whole database that hold one of the words, in text, JSON or bytes."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY') ORDER BY 1, 2"
        )
        for table, column, kind in cursor.fetchall():
            given = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE lower({given}) LIKE ANY(%s)',
                [[f"%{word.lower()}%" for word in words]],
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found


def test_name_mail_and_words_stand_nowhere_in_the_database(world: World, asked: AccessRequest) -> None:
    from portal.grants.narrowing import note_leaving

    ursula = world.ursula
    questions.question(by=actor(world.ines), request=asked, text="Which queue?")
    save_search(by=actor(ursula), kind="findings", query="show=mine", name="What Ursula Vogelweide minds", shared=False)
    passkey_of(ursula, name="Key of Ursula Vogelweide")
    before = places_of(NAME, EMAIL, TYPED)
    assert {
        "audit_personal_value.value",
        "portal_person.name",
        "portal_accessrequest.reason",
        "portal_alert.facts",
    } <= set(before)
    assert Alert.objects.filter(facts__icontains="mandarin").exists()
    note_leaving(by=actor(world.pia), person=ursula)
    erasure = actions.ask(
        by=actor(world.pia), person=Person.objects.get(pk=ursula.pk), basis="asked", reason="By letter."
    )
    actions.confirm(by=actor(world.quinn), erasure=erasure)
    assert carrying_out.run_due() == 1
    assert places_of(NAME, EMAIL, TYPED) == []
    assert world.ann.name in Person.objects.values_list("name", flat=True)
