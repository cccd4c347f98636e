"""The authorisation table against the portal: no address without its lines, and every answer as the table says."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.authorisation import SENT, Row, rows
from tests.architecture.scene import Scene, make_scene
from tests.counting import Count
from tests.worlds import sealing

EVERY_URL = "tests.architecture.every_url"
METHODS = ("GET", "POST")
HURRIERS = (
    "portal.grants.views",
    "portal.access_requests.views.page",
    "portal.access_requests.views.asking",
    "portal.access_requests.views.incident",
    "portal.campaigns.views.lines",
)
# Their word alone decides, or they have no word at all: no object to hide, or a page that only a demo has.
# A signed link is a right of its own, and says to others that it is not theirs.
# A list of findings holds what each viewer may see, which may be nothing.
NOT_OBJECTS = {"-", "kind", "mail", "link", "feed", "list-findings", "size"}


def addresses() -> Iterator[URLPattern]:
    """All of the portal's, a demo's included."""

    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns)
            else:
                yield each

    return walk(get_resolver(EVERY_URL).url_patterns)


def test_every_address_has_a_line_and_a_name_of_its_own() -> None:
    names = Counter(str(each.name) for each in addresses())
    assert [name for name, times in names.items() if times > 1] == []
    assert {row.name for row in rows()} == set(names)


def test_no_line_stands_twice() -> None:
    lines = Counter((row.name, row.method, row.thing) for row in rows())
    assert [line for line, times in lines.items() if times > 1] == []


@pytest.mark.parametrize("viewer", ["outsider", "expired"])
def test_outsiders_find_no_object_and_are_refused_every_act(viewer: str) -> None:
    about = [row for row in rows() if row.thing not in NOT_OBJECTS and not row.name.startswith("demo_")]
    wrong = [row for row in about if row.answers[viewer] != ("404" if row.method == "GET" else "403")]
    assert [(row.name, row.method, row.answers[viewer]) for row in wrong] == []
    assert len(about) > 60


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_as_the_table_says(monkeypatch: pytest.MonkeyPatch, count: Count) -> None:
    for module in HURRIERS:  # the target is not asked: each act is undone, and who may is known before
        monkeypatch.setattr(f"{module}.hurry", lambda *_: None)
    with sealing():
        scene = make_scene()
    table = rows()
    with override_settings(ROOT_URLCONF=EVERY_URL):
        wrong = [told for row in table for told in _wrong(scene, row)] + _methods_without_a_line(scene, table)
    counts = Counter(answer for row in table for answer in row.answers.values())
    names, cells = len({row.name for row in table}), sum(counts.values())
    told = ", ".join(f"{times} x {answer}" for answer, times in sorted(counts.items()))
    count(f"authorisation: {names} addresses, {len(table)} lines, {cells} answers: {told}")
    assert wrong == [], "\n".join(wrong)


def _wrong(scene: Scene, row: Row) -> Iterator[str]:
    scene.renew()
    for viewer, expected in row.answers.items():
        got = answer(scene, row.name, row.method, row.thing, viewer)
        if got != expected:
            yield f"{row.name} {row.method} {row.thing}: {viewer} got {got}, expected {expected}"


def _methods_without_a_line(scene: Scene, table: tuple[Row, ...]) -> list[str]:
    """What a view takes and the table does not name."""
    named = {(row.name, row.method) for row in table}
    things = {row.name: row.thing for row in table}
    left = [(name, method) for name in things for method in METHODS if (name, method) not in named]
    taken = [
        (name, method) for name, method in left if answer(scene, name, method, things[name], "administrator") != "405"
    ]
    return [f"{name} takes {method}: no line says who may" for name, method in taken]


def answer(scene: Scene, name: str, method: str, thing: str, viewer: str) -> str:
    """What one gets; whatever it did is undone."""
    browser, where = scene.browser(viewer), scene.address(name, thing)
    sent = SENT[name](scene) if name in SENT else {}
    with transaction.atomic():
        response = browser.get(where) if method == "GET" else browser.post(where, sent)
        transaction.set_rollback(True)
    leads_to = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
    return "in" if leads_to.startswith("/sign-in/?next=") else str(response.status_code)
