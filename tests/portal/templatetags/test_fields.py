"""Fields as they are drawn: label, hint, error and input belong together."""

import re

from django import forms
from django.template import Context, Template

from portal.people.models import Person
from portal.widgets import ChoiceCards, Minutes, OneTimeCode, UtcMoment


class Asked(forms.Form):
    """One field of each kind."""

    reason = forms.CharField(help_text="What is wrong?", widget=forms.Textarea(attrs={"class": "tall"}))
    why = forms.ChoiceField(
        label="Why?",
        choices=[("a", "Outage"), ("b", "Attack")],
        widget=ChoiceCards(hints={"a": "Down."}),
        help_text="One.",
    )
    system = forms.ChoiceField(choices=[("1", "payments-db")])
    incident = forms.CharField(required=False)
    minutes = forms.IntegerField(widget=Minutes(lowest=5, highest=120, step=15))
    from_at = forms.DateTimeField(widget=UtcMoment())
    code = forms.CharField(widget=OneTimeCode())
    password = forms.CharField(widget=forms.PasswordInput)
    told = forms.BooleanField(help_text="By phone.")
    version = forms.IntegerField(widget=forms.HiddenInput)


def drawn(form: forms.Form, field: str, arguments: str = "") -> str:
    return Template("{% load fields %}{% field bound " + arguments + " %}").render(Context({"bound": form[field]}))


def test_field_without_error_is_described_by_its_hint() -> None:
    html = drawn(Asked(), "reason")
    assert '<label class="field-label" for="id_reason">Reason</label>' in html
    assert '<p class="field-hint" id="id_reason-hint">What is wrong?</p>' in html
    assert re.search(r'<textarea[^>]* class="form-control tall"[^>]* aria-describedby="id_reason-hint"', html)
    assert "aria-invalid" not in html


def test_field_with_error_is_described_by_both_and_keeps_what_was_typed() -> None:
    form = Asked({"minutes": "many"})
    html = drawn(form, "reason")
    assert 'aria-describedby="id_reason-hint id_reason-error"' in html
    assert 'aria-invalid="true"' in html
    assert re.search(r'id="id_reason-error">.*Please fill this in', html, re.DOTALL)
    assert 'value="many"' in drawn(form, "minutes")


def test_choices_are_a_group_with_a_legend_and_hints() -> None:
    html = drawn(Asked({"why": "b"}), "why")
    assert '<fieldset class="field" aria-describedby="id_why-hint">' in html
    assert "<legend>Why?</legend>" in html
    assert 'aria-describedby="id_why_0-hint"' in html
    assert '<span class="choice-hint" id="id_why_0-hint">Down.</span>' in html
    assert [match[0] for match in re.findall(r'<input[^>]*value="(\w)"[^>]*( checked)', html)] == ["b"]


def test_field_that_may_be_left_out_says_so_once() -> None:
    assert "(optional)" in drawn(Asked(), "incident")
    assert "(optional)" not in drawn(Asked(), "incident", "optional=False")
    assert "(optional)" not in drawn(Asked(), "reason")


def test_widgets_are_drawn_as_they_ask() -> None:
    form = Asked()
    assert 'class="form-select"' in drawn(form, "system")
    minutes = drawn(form, "minutes")
    assert 'data-move="-1" data-for="id_minutes"' in minutes
    assert '<span class="unit">minutes</span>' in minutes
    assert '<span class="unit">UTC</span>' in drawn(form, "from_at")
    assert 'class="form-control code-input"' in drawn(form, "code")
    assert 'data-reveal="id_password"' in drawn(form, "password")
    assert 'class="form-check-input"' in drawn(form, "told")
    assert drawn(form, "version").strip() == '<input type="hidden" name="version" id="id_version">'


def test_time_of_a_form_is_utc_in_the_browser_s_own_format() -> None:
    assert 'value="2026-11-24T17:25"' in drawn(Asked({"from_at": "2026-11-24T17:25"}), "from_at")


def test_summary_leads_to_each_field_and_first_choice() -> None:
    form = Asked(
        {"reason": "r", "system": "1", "minutes": "60", "from_at": "2026-11-24T17:25", "code": "1", "password": "p"}
    )
    form.add_error(None, "The policy changed.")
    html = Template("{% load fields %}{% error_mark form %}|{% error_summary form %}").render(Context({"form": form}))
    assert html.startswith("Error: |")
    assert "3 things to put right" not in html
    assert "4 things to put right" in html
    assert re.findall(r'href="(#\w+)"', html) == ["#id_why_0", "#id_told"]
    assert html.index("The policy changed.") < html.index("#id_why_0")


class Wrong(forms.Form):
    """What is asked in words of its own, and what is not."""

    reason = forms.CharField(
        label="What is wrong? One sentence is enough.",
        error_messages={"required": "Say in one sentence what is wrong."},
    )
    why = forms.CharField(label="Why now?", error_messages={"required": "Choose one."})


def test_summary_says_no_words_twice() -> None:
    html = Template("{% load fields %}{% error_summary form %}").render(Context({"form": Wrong({})}))
    said = [re.sub(r"<[^>]+>", "", line) for line in re.findall(r"<li>(.*?)</li>", html)]
    assert said == ["Say in one sentence what is wrong.", "Why now? Choose one."]


def test_summary_of_a_form_without_errors_is_nothing() -> None:
    html = Template("{% load fields %}{% error_mark form %}{% error_summary form %}").render(Context({"form": Asked()}))
    assert html.strip() == ""


class Chosen(forms.Form):
    """Choices of rows, with and without words for none."""

    needed: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(Person.objects.none())
    optional: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(Person.objects.none(), required=False)
    named: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(
        Person.objects.none(), required=False, empty_label="All of them"
    )


def test_empty_choice_has_words() -> None:
    shown = [re.findall(r'<option value=""[^>]*>([^<]*)<', drawn(Chosen(), name)) for name in Chosen.base_fields]
    assert shown == [["Choose one"], ["None"], ["All of them"]]
