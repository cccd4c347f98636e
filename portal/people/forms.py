"""Forms of the way in, and for adding people."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet

from portal.choices import RowField
from portal.kept_form import KeptForm
from portal.people.actions import DOUBLED_ADDRESS
from portal.people.models import Person
from portal.people.passkeys import LONGEST_ANSWER
from portal.people.queries import address_is_taken, working_here
from portal.plain_text import PlainCharField
from portal.widgets import OneTimeCode, QuickSelect, UtcMoment


class SignInForm(forms.Form):
    """Mail address and password."""

    email = PlainCharField(
        label="Mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class CodeForm(forms.Form):
    """A code of the authenticator, or what a passkey answered."""

    code = forms.RegexField(
        r"^\s*[0-9]{3}\s?[0-9]{3}\s*$", label="Code of your authenticator", max_length=12, widget=OneTimeCode(attrs={"autofocus": True}),
        help_text="Six digits; each code works once.", error_messages={"invalid": "A code has six digits."},
    )  # fmt: skip
    passkey = forms.CharField(required=False, max_length=LONGEST_ANSWER, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A passkey's answer takes the place of the code."""
        super().__init__(*args, **kwargs)
        self.fields["code"].required = not self.data.get("passkey")


class CodeAndPasswordForm(CodeForm):
    """A code, and the password of a form that is otherwise kept."""

    password = forms.CharField(
        label="The password of the form, once more", max_length=500, strip=False, help_text="Passwords are never kept: type it again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class RecoveryForm(forms.Form):
    """A recovery code."""

    code = PlainCharField(
        label="Recovery code", max_length=40, help_text="Sixteen letters and digits, as abcd-efgh-ijkl-mnop. Each works once.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}),
    )  # fmt: skip


class PasskeyForm(forms.Form):
    """What to call a passkey."""

    name = PlainCharField(
        label="Name", max_length=60, help_text="Such as \u201cBlue key\u201d or \u201cWork laptop\u201d."
    )


class NewPasskeyForm(PasskeyForm):
    """A new passkey: its name, and what the authenticator answered, which the script fills in."""

    passkey = forms.CharField(
        max_length=LONGEST_ANSWER, widget=forms.HiddenInput,
        error_messages={"required": "The browser sent no passkey: this page needs JavaScript, and a browser that knows passkeys."},
    )  # fmt: skip


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label="New password", max_length=200, strip=False, help_text="At least 12 characters, and none that others would guess.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label="The same again",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        """Keep whose password it is: it must not resemble name or address, nor be the one that it replaces."""
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        """Hold it against the rules."""
        password = str(self.cleaned_data["password"])
        validate_password(password, self.person)
        if self.person.check_password(password):
            raise forms.ValidationError("This is the password that you have. Choose another one.")
        return password

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        data = super().clean() or {}
        if "password" in data and data.get("again") != data["password"]:
            self.add_error("again", "The two passwords differ. Type both again.")
        return data


class ResetForm(KeptForm):
    """Why a lost second factor is reset."""

    reason = PlainCharField(
        label="What was lost, and how do you know that it is they who ask?", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ManagerForm(KeptForm):
    """Whom somebody reports to."""

    manager: "forms.ModelChoiceField[Person]" = RowField(
        queryset=None, required=False, empty_label="Nobody", widget=QuickSelect
    )

    def __init__(self, *args: Any, people: QuerySet[Person], **kwargs: Any) -> None:
        """``people`` may be chosen."""
        super().__init__(*args, **kwargs)
        self.fields["manager"].queryset = people  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["manager"].label_from_instance = lambda each: f"{each.name} ({each.email})"  # type: ignore[attr-defined]  # likewise


class PersonForm(KeptForm):
    """Somebody new."""

    name = PlainCharField(max_length=120)
    email = forms.EmailField(
        label="Mail address", max_length=254, help_text="They sign in with it, and alerts go there."
    )
    third_party = forms.BooleanField(label="Works for another company", required=False)
    sponsor = RowField(
        working_here(), label="Who here answers for them", required=False, help_text="Only for who works for another company.",
    )  # fmt: skip
    contract_end = forms.DateTimeField(label="Their contract ends", widget=UtcMoment(), required=False)

    def clean_email(self) -> str:
        """Say it beside the field when it stands already; the action looks again."""
        if address_is_taken(self.cleaned_data["email"]):
            raise forms.ValidationError(DOUBLED_ADDRESS)
        return str(self.cleaned_data["email"])


class SponsorForm(KeptForm):
    """Who answers for somebody of another company from now on, and until when their contract runs."""

    sponsor = RowField(working_here(), label="Who here answers for them", widget=QuickSelect)
    contract_end = forms.DateTimeField(label="Their contract ends", widget=UtcMoment())
    reason = PlainCharField(
        label="Why, and where it is written down", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
