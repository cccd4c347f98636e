"""One form with every widget, one with every error."""

from django import forms

from portal.widgets import CheckCards, ChoiceCards, Minutes, OneTimeCode, UtcMoment

CRITERIA = [
    ("outage", "Customers are affected now"),
    ("security", "An attack must be stopped"),
    ("data", "Data must be saved"),
]
CRITERIA_HINTS = {
    "outage": "A service is down or wrong, and waiting makes it worse.",
    "security": "Evidence is kept first.",
}
CLASSES = [
    ("read", "Read"),
    ("change", "Change data"),
    ("structure", "Change structure"),
    ("roles", "Change who may do what"),
]


class GalleryForm(forms.Form):
    """All kinds of fields."""

    system = forms.ChoiceField(
        choices=[("1", "payments-db"), ("2", "hr-db")], help_text="Only systems that you may open are listed."
    )
    criterion = forms.ChoiceField(
        label="Why is it an emergency?", choices=CRITERIA, widget=ChoiceCards(hints=CRITERIA_HINTS)
    )
    classes = forms.MultipleChoiceField(
        label="What do you intend to do?", choices=CLASSES, widget=CheckCards(), required=False
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        min_length=20,
        help_text="What is wrong, and what will you do? The reviewer reads this.",
    )
    incident = forms.CharField(required=False, label="Incident reference")
    minutes = forms.IntegerField(
        widget=Minutes(lowest=5, highest=120), initial=60, max_value=120, help_text="At most 120 minutes."
    )
    starts_at = forms.DateTimeField(widget=UtcMoment(), required=False, label="Eligible from")
    mail = forms.EmailField(label="Mail address", required=False)
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))
    code = forms.CharField(widget=OneTimeCode(), label="Code of your authenticator", help_text="Six digits.")
    told = forms.BooleanField(
        label="The owner has been told by phone", help_text="Leave it open if not; the portal tells them."
    )


class SignInForm(forms.Form):
    """What a plain page looks like."""

    mail = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))
