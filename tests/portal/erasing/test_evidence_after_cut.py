"""What packs, dossiers, reports and lists say once the log was cut: what is gone is said, and nothing that is missing looks like none."""

import re
from html import unescape
from pathlib import Path

import pytest

from audit.cases import projection
from audit.cases.models import CaseRow
from audit.controls.runner import CUT_SAYS
from audit.events.retention import DAY_MS
from audit.log import checking
from audit.log.cuts import cases_gone
from audit.log.models import Event
from audit.log.read import named
from audit.packs import evidence, paper, position
from audit.packs.campaign import NoSuchCampaign
from audit.packs.campaign_paper import report_of_campaign
from audit.packs.dossier_paper import NoSuchCase, made
from audit.packs.evidence import Evidence, Scope
from audit.packs.gone import gone_of
from audit.packs.inert import person
from audit.packs.paper import Request
from audit.packs.printing import filled
from portal.access_requests.models import AccessRequest
from portal.erasing import holding
from portal.health.backup_rows import history
from tests.audit.log.logged import sealed
from tests.browsing import browser_of
from tests.portal.erasing import old_log
from tests.portal.erasing.old_log import THEN, approved, carried_out
from tests.worlds import World, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
world, old = old_log.world, old_log.old  # fixtures
LIMIT = "No control test counts what is left as all"


def gathered(world: World, start: int, end: int) -> Evidence:
    return evidence.gathered(Scope(start, end, (str(world.system.pk),), ()), position.newest(), lambda *_: None)


def printed(found: Evidence, world: World) -> str:
    """The words of a pack's pages, each space once."""
    asked = Request("5d3c", str(world.otto.pk), THEN, "For the test.")
    page = filled("pack.html", paper.context(found, asked, (), signed=False, demo=False))
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", page)))


@pytest.mark.usefixtures("old")
def test_pack_says_what_was_cut_by_which_event_and_under_which_rule(world: World, tmp_path: Path) -> None:
    before = printed(gathered(world, THEN - DAY_MS, THEN + DAY_MS), world)
    assert ("behind a cut" in before, "1 access request in the period" in before) == (False, True)
    approved(world)
    assert carried_out(tmp_path / "log").state == "cut"
    (said,) = named(["log.cut"])
    found = gathered(world, THEN - DAY_MS, THEN + DAY_MS)
    words = printed(found, world)
    pia, quinn = (person(str(each.pk), {}) for each in (world.pia, world.quinn))
    for each in (
        "A part of it lies behind a cut of the log:", "A part of the period lies behind a cut of the log", "Entries 0 to 255, written from",
        "each is kept for at least 2555 days after it was written", f"Entry {said.index} of the log (log.cut) says so; proposed by {pia}, approved by {quinn}.",
        LIMIT, "None is left in the log.", "The log holds no use of these systems in the period; it is not known whether there was one",
        f"entries 256 to {found.position.size - 1} in",
    ):  # fmt: skip
        assert each in words, each
    assert words.count("This is what is left.") == 5
    assert "Nobody used emergency access" not in words
    assert "There is none." not in words


@pytest.mark.usefixtures("old")
def test_no_control_test_over_what_was_cut_passes_or_finds_nothing_to_test(world: World, tmp_path: Path) -> None:
    whole = (THEN - DAY_MS, THEN + 1)
    before = {each.id for each in gathered(world, *whole).results if each.result in ("pass", "not_applicable")}
    assert len(before) > 10
    approved(world)
    carried_out(tmp_path / "log")
    found = gathered(world, *whole)
    assert {each.id for each in found.results if each.result in ("pass", "not_applicable", "open")} <= {"T-33"}
    assert {each.id for each in found.results if CUT_SAYS not in each.says} == {"T-33"}
    words = printed(found, world)
    assert "The whole period lies behind a cut of the log" in words
    assert "All of it lies behind a cut of the log:" in words


@pytest.mark.usefixtures("old")
def test_a_period_after_the_cut_is_judged_as_ever_and_says_that_the_log_begins_later(
    world: World, tmp_path: Path
) -> None:
    approved(world)
    carried_out(tmp_path / "log")
    found = gathered(world, THEN + DAY_MS, THEN + 2 * DAY_MS)
    assert [each.id for each in found.results if CUT_SAYS in each.says] == ["T-47"]  # what was due in it may be gone
    words = printed(found, world)
    assert "The log was cut before this period" in words
    assert "Nothing of the period itself is gone." in words
    assert (LIMIT in words, "This is what is left." in words) == (False, False)


def test_dossier_of_a_case_that_was_cut_says_why_there_is_none(
    world: World, old: AccessRequest, tmp_path: Path
) -> None:
    with pytest.raises(NoSuchCase) as never:
        made("none", "ended", position.newest(), signed=False, demo=False)
    assert "cut" not in str(never.value)
    approved(world)
    carried_out(tmp_path / "log")
    with pytest.raises(NoSuchCase, match=r"What stood before entry 256 was cut on .* under retention"):
        made(str(old.pk), "ended", position.newest(), signed=False, demo=False)
    with pytest.raises(NoSuchCampaign, match="What stood before entry 256 was cut on"):
        report_of_campaign(str(old.pk))


def test_how_much_of_a_period_is_gone_is_exact_to_a_millisecond(
    world: World, old: AccessRequest, tmp_path: Path
) -> None:
    approved(world)
    carried_out(tmp_path / "log")
    held = gathered(world, THEN, THEN + 1).cuts
    reach = {(start, end): gone_of(held, THEN + start, THEN + end) for start, end in ((0, 1), (0, 2), (1, 2), (-9, 0))}
    assert {span: each and each.reach for span, each in reach.items()} == {
        (0, 1): "whole", (0, 2): "part", (1, 2): "before", (-9, 0): "before",
    }  # fmt: skip


@pytest.mark.usefixtures("old")
def test_check_of_the_log_says_from_where_on_it_is_whole(world: World, tmp_path: Path) -> None:
    assert checking.check(by=checking.CHECKER).ok
    approved(world)
    carried_out(tmp_path / "log")
    assert checking.check(by=checking.CHECKER).ok
    assert [each.fields.get("whole_from") for each in named(["log.checked"])] == [None, 256]
    shown = history()
    assert shown is not None
    assert [line[-1] for line in shown.rows] == ["Whole from entry 256; cut before", "Whole"]
    page = browser_of(world.pia).get("/status/").content.decode()
    assert "Whole from entry 256; cut before" in page
    assert "Whole from entry 256; what stood before was cut." in page


def test_a_case_that_was_cut_stays_so_whatever_is_done_about_it_later(
    world: World, old: AccessRequest, tmp_path: Path
) -> None:
    """Its alerts are looked at, its page in the portal too, and a hold is set that comes too late: entries of the case, but not the case."""
    approved(world)
    carried_out(tmp_path / "log")
    projection.catch_up()
    ines = browser_of(world.ines)
    for path in (f"/requests/{old.pk}/", "/alerts/"):
        assert ines.get(path).status_code == 200
    holding.set_hold(by=actor(world.pia), case=old, reason="A court case.")
    sealed(0)
    assert set(Event.objects.filter(case=str(old.pk)).values_list("name", flat=True)) >= {"alert.seen"}
    projection.catch_up()
    assert (CaseRow.objects.count(), projection.rebuild(), cases_gone([str(old.pk)])) == (0, 0, {str(old.pk)})
    browser = browser_of(world.otto)
    assert [browser.get(f"/cases/{old.pk}/{part}").status_code for part in ("", "statements/")] == [410, 410]
    assert "that none is here does not say that there was none" in browser.get("/cases/").content.decode()
