"""Receivers: who may, what is told and recorded, and that no secret leaves the table."""

from collections.abc import Callable

import pytest
from django.db import connection

from audit.log.models import Event, PersonalValue
from audit.log.read import named
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.notifications.channels.webhook import actions
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.models import Alert
from tests.browsing import browser_of
from tests.portal.notifications.conftest import queue
from tests.portal.notifications.webhook.conftest import Listening
from tests.worlds import World, actor

URL = "https://hooks.pager.example/services/T0P-S3CRET"


def test_receiver_is_added_told_of_and_kept_secret(world: World) -> None:
    row, secret = actions.add(by=actor(world.pia), name=" Pager ", url=URL, topics=["use", "call"])
    assert (row.name, row.host, row.topics) == ("Pager", "hooks.pager.example", ["call", "use"])
    told = {
        each.recipient.name if each.recipient else each.address for each in Alert.objects.select_related("recipient")
    }
    assert told == {"Quinn", "security@breakglass.example"}
    (event,) = named(["receiver.added"])
    assert (event.by, event.subject, event.fields["topics"]) == (str(world.pia.pk), row.log_subject, ["call", "use"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, secret FROM portal_receiver")
        (stored,) = cursor.fetchall()
    written = (
        b" ".join(bytes(each.body) for each in Event.objects.all())
        + " ".join(PersonalValue.objects.values_list("value", flat=True)).encode()
    )
    for hidden in (b"S3CRET", secret.removeprefix("whsec_").encode()):
        assert hidden not in written + b" ".join(map(bytes, stored))


ACTS: dict[str, Callable[[World, Receiver, str], object]] = {
    "add": lambda world, _, who: actions.add(by=actor(world.people[who]), name="x", url=URL, topics=["use"]),
    "change": lambda world, row, who: actions.change(
        by=actor(world.people[who]), receiver=row, name="x", topics=["use"]
    ),
    "replace_secret": lambda world, row, who: actions.replace_secret(by=actor(world.people[who]), receiver=row),
    "try_out": lambda world, row, who: actions.try_out(by=actor(world.people[who]), receiver=row),
    "retire": lambda world, row, who: actions.retire(by=actor(world.people[who]), receiver=row),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_administrators_with_a_fresh_factor_may(world: World, listening: Listening, act: str) -> None:
    for who in ("ann", "mo", "otto", "zoe"):
        with pytest.raises(NotAllowed):
            ACTS[act](world, listening.row, who)
    assert [event.fields["act"] for event in named(["receiver.act_refused"])] == [act] * 4
    with pytest.raises(StepUpNeeded):
        actions.retire(by=actor(world.pia, age_s=3_600), receiver=listening.row)


@pytest.mark.parametrize("act", [each for each in ACTS if each != "add"])
def test_retired_receiver_is_let_be(world: World, listening: Listening, act: str) -> None:
    queue(world, "ines")
    actions.retire(by=actor(world.pia), receiver=listening.row)
    (event,) = named(["receiver.retired"])
    assert (event.fields["waiting"], Alert.objects.filter(channel="webhook").count()) == (1, 0)
    row = Receiver.objects.get()
    assert (bytes(row.url), bytes(row.secret)) == (b"", b"")
    with pytest.raises(WrongState):
        ACTS[act](world, listening.row, "quinn")


@pytest.mark.parametrize(
    ("url", "topics"), [("ftp://x/", ["use"]), ("https://a:b@x/", ["use"]), (URL, []), (URL, ["use", "everything"])]
)
def test_what_no_receiver_can_be_is_refused(world: World, url: str, topics: list[str]) -> None:
    with pytest.raises(RefusedByPolicy):
        actions.add(by=actor(world.pia), name="x", url=url, topics=topics)
    assert not Receiver.objects.exists()


def test_pages_show_the_secret_once_and_the_address_never(world: World, listening: Listening) -> None:
    pia = browser_of(world.pia)
    shown = pia.post("/receivers/new/", {"name": "Chat", "url": URL, "topics": ["use"]})
    assert "whsec_" in shown.content.decode()
    row = Receiver.objects.get(name="Chat")
    pages = [f"/receivers/{row.pk}/", "/receivers/"]
    assert [word for page in pages for word in ("whsec_", "S3CRET") if word in pia.get(page).content.decode()] == []
    assert pia.post(pages[0], {"name": "Chat two", "url": "", "topics": ["use", "duty"]}).status_code == 302
    assert pia.post(f"{pages[0]}try/").status_code == 302
    page = pia.get(pages[0]).content.decode()
    assert "Chat two" in page
    assert "Trial, queued" in page
    assert pia.post(pages[0], {"name": "Chat", "url": "ftp://x/", "topics": ["use"]}).status_code == 422
    assert "whsec_" in pia.post(f"{pages[0]}secret/").content.decode()
    assert pia.post(f"{pages[0]}retire/").status_code == 302
    assert (
        "Chat two" not in pia.get("/receivers/").content.decode().partition('id="messages"')[2].partition("</div>")[2]
    )


def test_list_costs_the_same_for_one_receiver_and_for_three(
    world: World, listening: Listening, django_assert_num_queries: object
) -> None:
    from django.test.utils import CaptureQueriesContext

    pia, counts = browser_of(world.pia), []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert pia.get("/receivers/").status_code == 200
        counts.append(len(queries))
        for number in range(2):
            actions.add(by=actor(world.pia), name=f"R{number}", url=URL, topics=["use"])
    assert counts[0] == counts[1]
