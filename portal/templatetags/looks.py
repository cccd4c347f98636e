"""Icons, states, names and blocks: `{% load looks %}`."""

from functools import cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.templatetags import tones

register = template.Library()


@register.simple_tag
def icon(name: str, *, label: str = "", size: str = "") -> SafeString:
    """One symbol of the sprite. Without `label` it is decoration; `size="large"` doubles it."""
    sprite = _sprite()
    css = "icon icon-large" if size == "large" else "icon"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', css, label, sprite, name
        )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', css, sprite, name
    )


@cache
def _sprite() -> str:
    return static("vendor/tabler-icons/sprite.svg")


@register.inclusion_tag("components/state.html")
def state_badge(state: Any, *, label: str = "", tone: str = "", icon: str = "") -> dict[str, str]:
    """`{% state_badge grant.state %}`: the word of a state, outlined, with its icon.

    The label comes from the state itself where it has one (TextChoices, StrEnum with `label`).
    """
    look = tones.look_of(str(getattr(state, "value", state)))
    words = label or str(getattr(state, "label", "")) or look.label
    return {"label": words, "tone": tone or look.tone, "icon": icon or look.icon}


@register.filter
def initials(name: str) -> str:
    """ "Ada Byron King" -> "AK"; one word gives its first two letters; nothing gives a question mark."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def message_tone(level_tag: str) -> str:
    """Django's level of a message as the tone of a callout."""
    return {"success": "good", "warning": "attention", "error": "attention"}.get(level_tag, "note")


@register.simple_block_tag
def card(content: SafeString, title: str = "", **arguments: Any) -> str:
    """`{% card "Who decides" icon="users" %} ... {% endcard %}`; arguments as in components/card.html."""
    return render_to_string("components/card.html", {"content": content, "title": title, **arguments})


@register.simple_block_tag
def callout(content: SafeString, title: str = "", **arguments: Any) -> str:
    """`{% callout "Sealing is late" tone="attention" %} ... {% endcallout %}`; as components/callout.html."""
    return render_to_string("components/callout.html", {"content": content, "title": title, **arguments})


@register.simple_block_tag
def confirm(content: SafeString, label: str, **arguments: Any) -> str:
    """A button that opens a form in place; `content` is what stands in the form before its button."""
    return render_to_string("components/confirm.html", {"content": content, "label": label, **arguments})
