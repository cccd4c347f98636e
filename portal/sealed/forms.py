"""What is typed about sealed accounts. A secret is never kept by a form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from audit.events.glossary import WHY_NOW
from portal.kept_form import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, KEPT_BY, SealedAccount
from portal.sealed.queries import custodians_of
from portal.systems.forms import NAME_ON_TARGET
from portal.systems.models import System
from portal.widgets import ChoiceCards, UtcMoment


class ProposeForm(KeptForm):
    """An account that is to be kept under seal."""

    system: "forms.ModelChoiceField[System]" = forms.ModelChoiceField(queryset=None)
    name = PlainCharField(max_length=120, help_text="In plain words: what one can do with it.")
    account = forms.CharField(label="Its name on the target", max_length=63, validators=[NAME_ON_TARGET])
    location = PlainCharField(
        label="Where it is used", max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="An address, a console, a cabinet: whoever holds it at night reads this.",
    )  # fmt: skip
    custodian: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(
        queryset=None, help_text="Holds the role of custodian for the system, and never uses the account."
    )
    second_custodian: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="For offline cards only: who holds the other card."
    )
    kept_by = forms.ChoiceField(
        label="Who gives it new secrets", choices=KEPT_BY, initial=CUSTODIAN,
        widget=ChoiceCards(hints={CONNECTOR: "Where the portal reaches the target: PostgreSQL.",
                                  CARDS: "The last resort. The portal makes the password, and keeps it nowhere."}),
    )  # fmt: skip

    def __init__(self, *args: Any, systems: Any, people: Any, **kwargs: Any) -> None:
        """Only systems that the viewer manages, and only custodians."""
        super().__init__(*args, **kwargs)
        system: Any = self.fields["system"]
        custodian: Any = self.fields["custodian"]
        second: Any = self.fields["second_custodian"]
        system.queryset, custodian.queryset, second.queryset = systems, people, people


class SecretForm(KeptForm):
    """The new secret, as it was set on the target."""

    password = forms.CharField(
        label="New secret", max_length=500, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Set it on the target first. Kept encrypted, and shown only to who holds the account.",
    )  # fmt: skip


class TriedForm(KeptForm):
    """What the custodian saw on a target that the portal does not reach."""

    taken = forms.TypedChoiceField(
        label="Did the target take the new secret?",
        choices=[("1", "Yes, I was let in with it"), ("0", "No")],
        coerce=lambda value: value == "1",
        widget=ChoiceCards(hints={"0": "A new secret is owed again, and a finding is opened."}),
    )


class HandOverForm(KeptForm):
    """Another custodian; of two cards, for which."""

    which = forms.TypedChoiceField(label="Whose card", coerce=lambda value: value == "second", widget=ChoiceCards())
    custodian: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(queryset=None, label="New custodian")

    def __init__(self, account: SealedAccount, *args: Any, **kwargs: Any) -> None:
        """Custodians of the system, but the present ones."""
        super().__init__(*args, **kwargs)
        kept, other = account.custodian, account.second_custodian
        which: Any = self.fields["which"]
        which.choices = [("first", f"Card A: {kept.name}"), ("second", f"Card B: {other.name}")] if other else []
        if other is None:
            del self.fields["which"]
        field: Any = self.fields["custodian"]
        field.queryset = custodians_of(account.system).exclude(pk__in=[each.pk for each in (kept, other) if each])


class DrillForm(KeptForm):
    """What the command printed when both cards were put together."""

    answer = PlainCharField(max_length=20, help_text="What the command printed.")


class UseForm(KeptForm):
    """A use of the cards, declared afterwards."""

    from_at = forms.DateTimeField(label="From", widget=UtcMoment())
    to_at = forms.DateTimeField(label="Until", widget=UtcMoment())
    criterion = forms.ChoiceField(label=f"{WHY_NOW}?", widget=ChoiceCards())
    reason = PlainCharField(
        label="What was done, and why the portal could not be used", widget=forms.Textarea(attrs={"rows": 4})
    )
    incident_ref = PlainCharField(label="Incident", max_length=80, required=False)

    def __init__(self, criteria: Mapping[str, str], minutes: int, *args: Any, **kwargs: Any) -> None:
        """Criteria are those of the system's policy; ``minutes`` the longest bypass that it allows."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["criterion"]
        field.choices = list(criteria.items())
        self.minutes = minutes
