"""Forms for proposing roles and eligibilities, and for shortening one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from portal.eligibility.models import ROLES
from portal.eligibility.seen import privileges_of
from portal.kept_form import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.systems.models import Privilege, System
from portal.widgets import UtcMoment


class _DatedForm(KeptForm):
    """For whom, and between which times."""

    person: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(queryset=None)
    from_at = forms.DateTimeField(
        label="From", required=False, widget=UtcMoment(), help_text="Empty: from the approval on."
    )
    to_at = forms.DateTimeField(
        label="Until", required=False, widget=UtcMoment(), help_text="Empty: until it is ended."
    )

    def __init__(self, *args: Any, people: QuerySet[Person], **kwargs: Any) -> None:
        """`people` may be proposed."""
        super().__init__(*args, **kwargs)
        self._choose("person", people)

    def _choose(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type
        field.queryset = rows

    def clean(self) -> dict[str, Any]:
        """It must not be over before it begins."""
        data = super().clean() or {}
        begins, ends = data.get("from_at"), data.get("to_at")
        if isinstance(begins, datetime) and isinstance(ends, datetime) and ends <= begins:
            self.add_error("to_at", "The end must be later than the beginning.")
        return data


class RoleForm(_DatedForm):
    """A role, for one system or for all."""

    role = forms.ChoiceField(choices=ROLES)
    system: "forms.ModelChoiceField[System]" = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="All systems"
    )
    group = PlainCharField(
        label="Group of approvers",
        max_length=40,
        required=False,
        help_text="Such as security. For policies that want one of each of several groups.",
    )
    field_order = ("person", "role", "system", "group", "from_at", "to_at")

    def __init__(self, *args: Any, systems: QuerySet[System], everywhere: bool, **kwargs: Any) -> None:
        """`systems` may be chosen; `everywhere`: all of them at once too."""
        super().__init__(*args, **kwargs)
        self._choose("system", systems)
        field = self.fields["system"]
        field.required = not everywhere
        if not everywhere:
            field.empty_label = "Choose one"  # type: ignore[attr-defined]  # a ModelChoiceField


class LendForm(_DatedForm):
    """One's own role of approver, to somebody else for the days of one's leave."""

    system: "forms.ModelChoiceField[System]" = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="All systems"
    )
    field_order = ("person", "system", "from_at", "to_at")

    def __init__(self, *args: Any, systems: QuerySet[System], everywhere: bool, **kwargs: Any) -> None:
        """`systems` may be chosen; `everywhere`: all of them at once too."""
        super().__init__(*args, **kwargs)
        self._choose("system", systems)
        self.fields["person"].label = "Who approves in your place?"
        self.fields["to_at"].required, self.fields["to_at"].help_text = True, "When you are back."
        field = self.fields["system"]
        field.required = not everywhere
        if not everywhere:
            field.empty_label = "Choose one"  # type: ignore[attr-defined]  # a ModelChoiceField


class EligibilityForm(_DatedForm):
    """A privilege on a system that the viewer manages."""

    privilege: "forms.ModelChoiceField[Privilege]" = forms.ModelChoiceField(queryset=None)
    field_order = ("person", "privilege", "from_at", "to_at")

    def __init__(self, *args: Any, systems: list[System], **kwargs: Any) -> None:
        """Each privilege with its system: of one alone nobody can tell where it opens what."""
        super().__init__(*args, **kwargs)
        self._choose("privilege", privileges_of(systems))
        self.fields["privilege"].choices = [  # type: ignore[attr-defined]  # a choice field
            ("", "Choose one"),
            *((each.pk, f"{system.name}: {each.name}") for system in systems for each in system.privileges.all()),
        ]


class ShortenForm(KeptForm):
    """When it ends instead."""

    to_at = forms.DateTimeField(label="Ends at", widget=UtcMoment())


def chosen(given: str | None) -> UUID | None:
    """An id from the address; what is none chooses nothing."""
    try:
        return UUID(given or "")
    except ValueError:
        return None
