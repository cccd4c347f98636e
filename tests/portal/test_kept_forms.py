"""While the log cannot be written a form changes nothing, and what was typed comes back in it; passwords never."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.findings import actions as findings
from portal.findings.models import Finding
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
LATER = "2099-01-02T03:04"
SOON = f"{now() + timedelta(days=30):%Y-%m-%dT%H:%M}"  # a date to put something right lies within a year
SECRET = "only-the-target-knows-it"
Sent = tuple[str, dict[str, Any]]


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(person=made.pia).update(system=None)
    return made


def _finding(world: World, act: str, **said: Any) -> Sent:
    row = findings.raise_finding(by=actor(world.pia), kind="by hand", title="A thing", about="x", system=world.system)
    return f"/findings/{row.pk}/{act}/", said


def _answered(world: World, act: str, **said: Any) -> Sent:
    address, said = _finding(world, act, **said)
    row = Finding.objects.get()
    findings.assign(by=actor(world.pia), finding=row, owner=world.mo, due_at=now() + timedelta(days=5))
    findings.answer(by=actor(world.mo), finding=row, cause="A cause.", response="A response.")
    return address, said


def _system(world: World, **more: Any) -> dict[str, Any]:
    return {
        "name": "Typed name", "slug": "typed-name", "owner": world.mo.pk, "criticality": "critical", "way_in": "Typed way in.", **more,
    }  # fmt: skip


SENT: dict[str, Callable[[World], Sent]] = {
    "role": lambda world: ("/roles/new/", {"person": world.zoe.pk, "role": "reviewer", "system": world.system.pk, "to_at": LATER}),
    "eligibility": lambda world: ("/eligibilities/new/", {"person": world.ines.pk, "privilege": world.privilege.pk, "to_at": LATER}),
    "shorter": lambda world: (f"/eligibilities/{Eligibility.objects.get(person=world.ann).pk}/shorten/", {"to_at": LATER}),
    "new system": lambda world: (
        "/systems/new/postgresql/",
        _system(world, host="db", port=5432, dbname="Typed", user="portal", password=SECRET, sslmode="prefer"),
    ),
    "system": lambda world: (f"/systems/{world.system.pk}/change/", _system(world, state_path="/typed/path", privileges="a, b")),
    "privilege": lambda world: (f"/systems/{world.system.pk}/privileges/new/", {"name": "Typed name", "on_target": "typed_role"}),
    "source": lambda world: (
        f"/systems/{world.system.pk}/source/", {"counting": "none", "portal_login": "typed", "lateness_ms": 4321, "heartbeat_ms": 9876},
    ),
    "finding": lambda world: ("/findings/new/", {"system": world.system.pk, "title": "Typed title", "details": "Typed details"}),
    "assign": lambda world: _finding(world, "assign", owner=world.mo.pk, due_at=SOON),
    "close": lambda world: _answered(world, "close", retest_ok="0", comment="Typed comment"),
    "person": lambda _: ("/people/new/", {"name": "Typed name", "email": "typed@example.org"}),
}  # fmt: skip


def _everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of our own tables but the log's and those that a browser leaves."""
    own = (
        model for model in apps.get_app_config("portal").get_models() if model._meta.managed
    )  # not those of benchmarks
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in own
        if model.__name__ not in ("SignIn", "Throttle", "Failure")
    }


@pytest.mark.parametrize("form", SENT)
def test_broken_log_changes_nothing_and_keeps_what_was_typed(world: World, form: str) -> None:
    address, said = SENT[form](world)
    browser = browser_of(world.pia)
    if form in ("assign", "close"):
        browser.get(f"/findings/{Finding.objects.get().pk}/")  # a page whose reading is logged: it is read before
    before = _everything()
    with broken_log():
        answer = browser.post(address, said)
    assert (answer.status_code, _everything()) == (503, before)
    page = answer.content.decode()
    assert "The log cannot be written, so nothing was done. What you typed is kept here" in page
    assert ("Passwords are never kept" in page, SECRET in page) == ("password" in said, False)
    bound = _sent_form(answer)
    assert {name: str(bound[name].value()) for name in said} == {name: str(value) for name, value in said.items()}
    assert [str(value) for name, value in said.items() if name != "password" and str(value) not in page] == []


def _sent_form(answer: Any) -> Any:
    """The bound form of the page, by whatever name the page has it."""
    names = ("sent", "shorten_form", "form")
    return next(answer.context[name] for name in names if answer.context.get(name))


ASKS = ("role", "eligibility", "shorter", "new system", "system", "privilege", "source", "person")


@pytest.mark.parametrize("form", ASKS)
def test_second_factor_that_went_stale_meanwhile_is_asked_beside_what_was_typed(world: World, form: str) -> None:
    address, said = SENT[form](world)
    browser = browser_of(world.pia)
    stale(world.pia)
    before = _everything()
    answer = browser.post(address, said)
    assert (answer.status_code, _everything()) == (200, before)
    kept, again = dict(answer.context["kept"]), {name: SECRET for name in said if name == "password"}
    assert {**kept, **again} == {name: str(value) for name, value in said.items()}
    assert (SECRET in answer.content.decode(), "password" in answer.context["form"].fields) == (False, bool(again))
    answer = browser.post(address, {**kept, **again, "code": code_of_device(world.pia)})
    assert (answer.status_code in (302, 200), _everything() != before) == (True, True)


@pytest.mark.parametrize("code", [True, False])
def test_form_with_a_password_is_not_carried_out_without_it(world: World, code: bool) -> None:
    """Else an empty one would mean that the target's password stays as it is."""
    address, said = SENT["new system"](world)
    browser = browser_of(world.pia)
    stale(world.pia)
    kept = dict(browser.post(address, said).context["kept"])
    before = _everything()
    for again in ({"password": ""}, {"password": SECRET}) if not code else ({"password": ""},):
        answer = browser.post(address, {**kept, **again, "code": code_of_device(world.pia) if code else ""})
        assert (answer.status_code, _everything()) == (422, before)
        assert "password" in answer.context["form"].fields


@pytest.mark.parametrize("form", ["shorter", "assign", "close"])
@pytest.mark.parametrize("name", ["zoe", "ben"])
def test_broken_log_shows_nothing_to_outsiders(world: World, name: str, form: str) -> None:
    """Their try cannot be put on record, so it is not answered with the page that they may not see."""
    address, said = SENT[form](world)
    browser = browser_of(world.people[name])
    with broken_log():
        answer = browser.post(address, said)
    assert (answer.status_code, "Ann" in answer.content.decode(), "A thing" in answer.content.decode()) == (
        404,
        False,
        False,
    )


@pytest.mark.parametrize("form", SENT)
def test_same_form_is_carried_out_once_the_log_is_back(world: World, form: str) -> None:
    address, said = SENT[form](world)
    answer = browser_of(world.pia).post(address, said)
    assert answer.status_code in (302, 200), answer.context and _sent_form(answer).errors


def test_second_factor_that_cannot_be_logged_is_asked_again_with_what_was_typed(world: World) -> None:
    """Told of a form elsewhere that asks for it in between."""
    from tests.portal.campaigns.attested import at_line, ready, row_of

    item, browser = ready(world), browser_of(world.mo)
    stale(world.mo)
    said = {"decision": "revoke", "reason": "Left the team.", "code": code_of_device(world.mo)}
    with broken_log():
        answer = browser.post(f"/campaigns/lines/{item.pk}/decide/", at_line(item, said))
    page = answer.content.decode()
    assert (answer.status_code, row_of(item)["state"]) == (503, "undecided")
    assert ("What you typed is kept here" in page, 'value="Left the team."' in page) == (True, True)


@pytest.mark.parametrize(
    ("method", "kept"), [("get", "Nothing was changed."), ("post", "what you typed is not on this page")]
)
def test_page_without_a_form_promises_nothing_that_it_cannot_keep(world: World, method: str, kept: str) -> None:
    browser = browser_of(world.pia)
    address = (
        f"/eligibilities/{Eligibility.objects.get(person=world.ann).pk}/revoke/" if method == "post" else _viewed(world)
    )
    with broken_log():
        answer = getattr(browser, method)(address)
    page = answer.content.decode()
    assert (answer.status_code, kept in page, "kept in this form" in page) == (503, True, False)
    assert ("Look how it stands before you repeat it" in page) == (method == "post")


def _viewed(world: World) -> str:
    """A page whose reading is logged."""
    from tests.portal.campaigns.attested import begun

    return f"/campaigns/{begun(world).pk}/"
