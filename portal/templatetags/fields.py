"""Forms: `{% field form.reason %}` draws a field by its widget, `{% error_summary form %}` what must be put right."""

import re
from typing import Any

from django import forms, template
from django.forms import BoundField

register = template.Library()

_STYLES = {"check": "form-check-input"}
_DASHES = "---------"


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, *, optional: bool = True, wide: bool = False) -> dict[str, Any]:
    """Label, hint, error and input, tied together by aria-describedby.

    `optional`: say "(optional)" where the field is not required; `wide`: choices side by side where there is room.
    """
    widget = bound.field.widget
    if isinstance(widget, forms.HiddenInput):
        return {"kind": "hidden", "control": bound.as_widget()}
    _name_empty_choice(bound.field)
    kind = _kind(widget)
    described = _described_by(bound)
    context: dict[str, Any] = {
        "kind": kind,
        "id": bound.id_for_label or bound.auto_id,
        "label": bound.label,
        "hint": bound.help_text,
        "hint_id": f"{bound.auto_id}-hint",
        "errors": list(bound.errors),
        "error_id": f"{bound.auto_id}-error",
        "described_by": described,
        "say_optional": optional and not bound.field.required and kind != "check",
        "unit": getattr(widget, "unit", ""),
        "stepper": "data-step" in widget.attrs,
        "wide": wide,
    }
    if kind == "choices":
        context["choices"] = _choices(bound)
    else:
        context["control"] = bound.as_widget(attrs=_attributes(bound, kind, described))
    return context


def _name_empty_choice(choice: forms.Field) -> None:
    """Django's dashes say nothing; a field that names its own empty choice keeps it."""
    if isinstance(choice, forms.ModelChoiceField) and choice.empty_label == _DASHES:
        choice.empty_label = "Choose one" if choice.required else "None"


def _kind(widget: forms.Widget) -> str:
    """Which part of field.html draws it: choices, check, password, or one plain input."""
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "password" if isinstance(widget, forms.PasswordInput) else "input"


def _described_by(bound: BoundField) -> str:
    ids = [f"{bound.auto_id}-hint"] if bound.help_text else []
    return " ".join(ids + ([f"{bound.auto_id}-error"] if bound.errors else []))


def _attributes(bound: BoundField, kind: str, described: str) -> dict[str, Any]:
    """Attributes of the input itself; the widget's own class stays."""
    widget = bound.field.widget
    styles = [_STYLES.get(kind, "form-select" if isinstance(widget, forms.Select) else "form-control")]
    if widget.attrs.get("autocomplete") == "one-time-code":
        styles.append("code-input")
    attributes: dict[str, Any] = {"class": " ".join([*styles, widget.attrs.get("class", "")]).strip()}
    if described:
        attributes["aria-describedby"] = described
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return attributes


def _choices(bound: BoundField) -> list[dict[str, Any]]:
    """Each choice with its own id, words and hint, as the browser will send it."""
    hints = getattr(bound.field.widget, "hints", {})
    shown = []
    for choice in bound.subwidgets:
        data = choice.data
        data["attrs"] = data["attrs"] | {"class": "form-check-input"}
        hint = hints.get(str(data["value"]), "")
        if hint:
            data["attrs"]["aria-describedby"] = f"{choice.id_for_label}-hint"
        shown.append({"id": choice.id_for_label, "label": choice.choice_label, "hint": hint, "tag": choice.tag()})
    return shown


@register.inclusion_tag("components/error_summary.html")
def error_summary(*bound_forms: forms.BaseForm) -> dict[str, Any]:
    """All errors of one or more forms, each with a link to its field; nothing where there is none."""
    problems = [
        {"href": _link(bound), "label": _label_before(str(bound.label), str(text)), "text": text}
        for form in bound_forms
        for bound in form
        for text in bound.errors
    ]
    general = [{"href": "", "label": "", "text": text} for form in bound_forms for text in form.non_field_errors()]
    return {"problems": general + problems}


def _label_before(label: str, text: str) -> str:
    """The label, unless the sentence says most of its words again."""
    words, said = re.findall(r"\w{4,}", label.lower()), set(re.findall(r"\w+", text.lower()))
    repeated = sum(word in said for word in words)
    return "" if repeated * 2 > len(words) else _before_text(label)


def _before_text(label: str) -> str:
    """A question keeps its mark; any other label gets a colon."""
    return label if label.endswith(("?", ".", "!", ":")) else f"{label}:"


def _link(bound: BoundField) -> str:
    """Leads to the input; to the first choice of a group, which has none of its own; nowhere for a hidden one."""
    if bound.is_hidden:
        return ""
    return f"#{_first_input(bound)}"


def _first_input(bound: BoundField) -> str:
    if _kind(bound.field.widget) == "choices":
        return next((choice.id_for_label for choice in bound.subwidgets), bound.auto_id)
    return bound.id_for_label


@register.simple_tag
def error_mark(*bound_forms: forms.BaseForm) -> str:
    """ "Error: " for the page's title when a form was sent with something to put right."""
    return "Error: " if any(form.is_bound and form.errors for form in bound_forms) else ""
