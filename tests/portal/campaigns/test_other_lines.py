"""Without a script all lines of a page are sent together: what was typed at others comes back after each decision, and after each error."""

from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import pytest
from django.test import Client

from portal.campaigns import actions
from portal.campaigns.models import Item
from tests.browsing import browser_of, code_of_device, stale
from tests.portal.campaigns.attested import at_line, begun, line, row_of, seen, stand
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
NOTE, END = "Left <the> team.", "2027-03-04T05:06"


@pytest.fixture
def lines() -> tuple[World, Client, Item, Item]:
    """Two lines for Mo: Ann's and Ben's."""
    world = make_world()
    campaign = seen(world, begun(world))
    return world, browser_of(world.mo), line(campaign, "Ann"), line(campaign, "Ben")


def both(decided: Item, decision: str, other: Item, reason: str = "") -> dict[str, str]:
    """Everything of the page, sent by one line's button."""
    return at_line(decided, {"decision": decision, "reason": reason}) | at_line(
        other, {"reason": NOTE, "to_at": END, "to": ""}
    )


class Fields(HTMLParser):
    """What stands in the fields of a page, by name, and where its buttons send it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.sent_to: list[str] = []
        self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._area = said.get("name", "") if tag == "textarea" else ""
        if tag == "input":
            self.found[said.get("name", "")] = said.get("value", "")
        if "formaction" in said:
            self.sent_to.append(said["formaction"])

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[self._area] = self.found.get(self._area, "") + data.strip("\n")

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area


def standing(page: bytes, item: Item) -> tuple[str, str]:
    """What stands in the note and the new end of a line."""
    found = Fields(page.decode()).found
    return unescape(found[f"{item.pk}-reason"]), found[f"{item.pk}-to_at"]


def test_what_was_typed_at_another_line_stands_there_after_a_decision(lines: tuple[World, Client, Item, Item]) -> None:
    _, mo, ann, ben = lines
    answer = mo.post(f"/campaigns/lines/{ann.pk}/decide/?show=mine", both(ann, "keep", ben))
    assert (answer.status_code, row_of(ann)["state"], row_of(ben)["state"]) == (200, "kept", "undecided")
    assert standing(answer.content, ben) == (NOTE, END)
    assert "What you wrote at other lines stands there still" in answer.content.decode()
    assert set(Fields(answer.content.decode()).sent_to) == {f"/campaigns/lines/{ben.pk}/decide/?show=mine#lines"}
    again = mo.post(
        f"/campaigns/lines/{ben.pk}/decide/?show=mine", at_line(ben, {"decision": "revoke", "reason": NOTE})
    )
    assert (again.status_code, again.headers["Location"]) == (302, f"/campaigns/{ann.campaign_id}/?show=mine#lines")


def test_links_of_a_page_that_stands_where_a_decision_was_sent_lead_to_the_campaign(
    lines: tuple[World, Client, Item, Item],
) -> None:
    world, mo, ann, _ = lines
    answer = mo.get(f"/campaigns/lines/{ann.pk}/decide/?view=rows&show=mine")
    assert (answer.status_code, answer.headers["Location"]) == (
        302, f"/campaigns/{ann.campaign_id}/?view=rows&show=mine#lines",
    )  # fmt: skip
    assert browser_of(world.ann).get(f"/campaigns/lines/{ann.pk}/decide/").status_code == 404


def test_new_end_that_the_first_asked_for_is_nothing_that_was_typed(lines: tuple[World, Client, Item, Item]) -> None:
    world, mo, ann, ben = lines
    end = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
    Item.objects.filter(pk=ben.pk).update(removal_asked_by=world.kim, removal_asked_to_at=end)
    for to_at, status in (("2027-03-04T05:07", 200), (END, 302)):
        Item.objects.filter(pk=ann.pk).update(state="undecided", decided_at=None, decided_by=None)
        sent = at_line(ann, {"decision": "keep"}) | at_line(ben, {"reason": "", "to_at": to_at, "to": ""})
        assert mo.post(f"/campaigns/lines/{ann.pk}/decide/", sent).status_code == status


@pytest.mark.parametrize("what", ["an error", "the second factor"])
def test_it_stands_there_after_an_error_and_after_the_second_factor(
    lines: tuple[World, Client, Item, Item], what: str
) -> None:
    world, mo, ann, ben = lines
    if what == "an error":
        answer = mo.post(f"/campaigns/lines/{ann.pk}/decide/", both(ann, "revoke", ben))
        assert (answer.status_code, row_of(ann)["state"]) == (422, "undecided")
    else:
        stale(world.mo)
        asked = mo.post(f"/campaigns/lines/{ann.pk}/decide/", both(ann, "revoke", ben, "Gone."))
        kept = {name: unescape(value) for name, value in Fields(asked.content.decode()).found.items()}
        assert kept[f"{ben.pk}-reason"] == NOTE
        answer = mo.post(f"/campaigns/lines/{ann.pk}/decide/", kept | {"code": code_of_device(world.mo)})
        assert (answer.status_code, row_of(ann)["state"]) == (200, "revoked")
    assert standing(answer.content, ben) == (NOTE, END)


def test_who_comes_too_late_reads_again_what_was_typed_at_every_line(lines: tuple[World, Client, Item, Item]) -> None:
    world, mo, ann, ben = lines
    actions.keep(by=actor(world.mo), item=ann)
    answer = mo.post(f"/campaigns/lines/{ann.pk}/decide/", both(ann, "revoke", ben, "Gone."))
    page = unescape(answer.content.decode())
    assert (answer.status_code, "Gone." in page, NOTE in page) == (409, True, True)


def test_line_that_has_moved_off_the_page_comes_back_with_what_was_typed_and_no_strange_one_does(
    lines: tuple[World, Client, Item, Item],
) -> None:
    world, mo, ann, ben = lines
    other = make_world(slug="other", people=world.people)
    stand(other, "old_admin")
    foreign = line(begun(other), "old_admin")
    Item.objects.filter(pk=foreign.pk).update(reviewer=world.kim)
    sent = both(ann, "keep", ben) | at_line(foreign, {"reason": "Mine?"}) | {"x-reason": "?", "reason": "?"}
    answer = mo.post(f"/campaigns/lines/{ann.pk}/decide/?words=Ann", sent)
    assert standing(answer.content, ben) == (NOTE, END)
    assert str(foreign.pk) not in answer.content.decode()
