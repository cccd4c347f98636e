"""Icons, states and names; what people typed stays text."""

from types import SimpleNamespace

import pytest
from django.template import Context, Template

from portal.templatetags.looks import icon, initials, message_tone
from portal.templatetags.tones import look_of

HOSTILE = '"><script>alert(1)</script>'


def rendered(source: str, **context: object) -> str:
    return Template("{% load looks %}" + source).render(Context(context))


def test_icon_is_decoration_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in icon("key")
    assert 'role="img" aria-label="Sealed"' in icon("key", label="Sealed")
    assert icon("key").count("/vendor/tabler-icons/sprite") == 1


@pytest.mark.parametrize(
    ("state", "label", "tone"),
    [
        ("bypass", "Bypass", "broken"),
        ("active", "Active", "glass"),
        ("not_covered", "Not covered", "quiet"),
        ("not covered", "Not covered", "quiet"),
        ("gap", "Gap", "attention"),
        ("complete", "Complete", "good"),
        ("never_heard_of", "Never heard of", "quiet"),
        ("", "", "quiet"),
    ],
)
def test_look_of_a_state(state: str, label: str, tone: str) -> None:
    assert (look_of(state).label, look_of(state).tone) == (label, tone)


def test_state_badge_takes_the_label_of_the_state_itself() -> None:
    badge = rendered("{% state_badge state %}", state=SimpleNamespace(value="active", label="Open until noon"))
    assert "tone-glass" in badge
    assert badge.strip().endswith("Open until noon</span>")


def test_state_badge_says_what_it_is_told() -> None:
    badge = rendered('{% state_badge "active" label="Live" tone="attention" icon="clock" %}')
    assert "tone-attention" in badge
    assert "#clock" in badge
    assert badge.strip().endswith("Live</span>")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Byron King", "AK"),
        ("ada lovelace", "AL"),
        ("Ada", "AD"),
        ("Ö", "Ö"),
        ("  ", "?"),
        ("(x) Élodie <b>", "ÉL"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("level", "tone"), [("success", "good"), ("error", "attention"), ("info", "note"), ("", "note")]
)
def test_message_tone(level: str, tone: str) -> None:
    assert message_tone(level) == tone


@pytest.mark.parametrize(
    "source",
    [
        "{% card text %}{{ text }}{% endcard %}",
        "{% callout text %}{{ text }}{% endcallout %}",
        "{% confirm text url=text token=text text=text button=text %}{{ text }}{% endconfirm %}",
        "{% state_badge text %}{% icon text label=text %}",
        '{% include "components/button.html" with label=text href=text only %}',
        '{% include "components/button.html" with label=text name=text value=text only %}',
        '{% include "components/code.html" with text=text label=text id="line" only %}',
        '{% include "components/empty.html" with title=text text=text action_url=text action_label=text only %}',
        '{% include "components/person.html" with name=text note=text only %}',
        '{% include "components/banner.html" with tone="demo" text=text url=text link=text only %}',
        '{% include "components/table.html" with caption=text columns=cells rows=rows only %}',
        '{% include "components/definitions.html" with rows=pairs only %}',
    ],
)
def test_hostile_text_stays_text(source: str) -> None:
    page = rendered(
        source,
        text=HOSTILE,
        cells=[HOSTILE] * 3,
        rows=[[HOSTILE, HOSTILE, {"person": HOSTILE}]],
        pairs=[(HOSTILE, HOSTILE)],
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
