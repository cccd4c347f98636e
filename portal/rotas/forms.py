"""A rota in plain fields, a swap of two weeks, and an absence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms

from portal.kept import KeptForm, speak
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.rotas.actions import DAYS
from portal.rotas.models import Rota
from portal.rotas.rules import MOST_NAME, WEEKS_AHEAD
from portal.rotas.schedule import Plan, holder, week_at
from portal.widgets import UtcMoment

PLACE = "place_"
ZONES = ["UTC", *sorted(each for each in available_timezones() if "/" in each and not each.startswith("Etc/"))]


class RotaForm(KeptForm):
    """The order as a place for each approver; the hand-over as day, hour and clock."""

    name = PlainCharField(label="Name", max_length=MOST_NAME)
    weekday = forms.TypedChoiceField(label="Handed over on", choices=list(enumerate(DAYS)), coerce=int)
    hour = forms.TypedChoiceField(
        label="At", choices=[(hour, f"{hour:02}:00") for hour in range(24)], coerce=int, initial=9
    )
    zone = forms.ChoiceField(
        label="By the clock of",
        choices=[(each, each.replace("_", " ")) for each in ZONES],
        initial="UTC",
        help_text="Changes of the clock included: a week then has an hour less or more.",
    )

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        """``people`` may be put on the rota."""
        super().__init__(*args, **kwargs)
        places = [("", "Not on this rota"), *((str(place), f"{place}.") for place in range(1, len(people) + 1))]
        for each in people:
            field = forms.ChoiceField(label=f"Place of {each.name}", choices=places, required=False)
            self.fields[f"{PLACE}{each.pk}"] = field
            speak(field)

    def clean(self) -> dict[str, Any]:
        """Everybody has a place of their own."""
        said = super().clean() or {}
        placed = {name: int(place) for name, place in said.items() if name.startswith(PLACE) and place}
        if not placed:
            self.add_error(None, "Give at least one person a place.")
        if len(set(placed.values())) < len(placed):
            self.add_error(None, "Two people have the same place. Give everybody a place of their own.")
        self.members = [name.removeprefix(PLACE) for name in sorted(placed, key=placed.__getitem__)]
        return said

    def said(self) -> dict[str, Any]:
        """As the actions take it."""
        return {name: self.cleaned_data[name] for name in ("name", "weekday", "hour", "zone")} | {
            "members": self.members
        }


def first_values(rota: Rota, people: Iterable[Person]) -> dict[str, Any]:
    """A change begins with the rota as it is, without whoever may not be on it any more; the others move up."""
    able = {str(each.pk) for each in people}
    places = {f"{PLACE}{member}": str(place) for place, member in enumerate(filter(able.__contains__, rota.members), 1)}
    return {"name": rota.name, "weekday": rota.begins.weekday(), "hour": rota.hour, "zone": rota.zone, **places}


class SwapForm(KeptForm):
    """One of the viewer's weeks for one of somebody else's, among those that are not over."""

    week = forms.TypedChoiceField(label="You give the week that begins on", coerce=date.fromisoformat)
    other_week = forms.TypedChoiceField(label="You want the week that begins on", coerce=date.fromisoformat)

    def __init__(
        self, *args: Any, plan: Plan, viewer: Person, people: Mapping[str, Person], at: datetime, **kwargs: Any
    ) -> None:
        """Weeks of half a year; empty where the viewer has none to give."""
        super().__init__(*args, **kwargs)
        first = week_at(plan, at)
        weeks = [(plan.day_of(number), holder(plan, number)) for number in range(first, first + WEEKS_AHEAD)]
        mine = [(day.isoformat(), f"{day:%-d %b %Y}") for day, who in weeks if who == str(viewer.pk)]
        others = [
            (day.isoformat(), f"{day:%-d %b %Y}: {people[who].name if who in people else 'a member who is gone'}")
            for day, who in weeks
            if who != str(viewer.pk)
        ]
        for name, choices in (("week", mine), ("other_week", others)):
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # a choice field
        self.possible = bool(mine and others)


class AwayForm(KeptForm):
    """From when until when; for whom, where the viewer may say it for others."""

    person = forms.ChoiceField(label="Who is away")
    from_at = forms.DateTimeField(label="From", widget=UtcMoment())
    to_at = forms.DateTimeField(label="Until", widget=UtcMoment(), help_text="When they are back.")

    def __init__(self, *args: Any, people: Iterable[Person], **kwargs: Any) -> None:
        """``people`` may be named; one alone is not asked for."""
        super().__init__(*args, **kwargs)
        self.people = {str(each.pk): each for each in people}
        self.fields["person"].choices = [(pk, each.name) for pk, each in self.people.items()]  # type: ignore[attr-defined]  # a choice field
        if len(self.people) == 1:
            self.fields["person"].widget = forms.HiddenInput()
            self.initial.setdefault("person", next(iter(self.people)))

    def clean(self) -> dict[str, Any]:
        """It must not be over before it begins."""
        said = super().clean() or {}
        begins, ends = said.get("from_at"), said.get("to_at")
        if begins and ends and ends <= begins:
            self.add_error("to_at", "The end must be later than the beginning.")
        return said


def soon(at: datetime) -> dict[str, datetime]:
    """An absence begins, unless said otherwise, with the next full hour, and lasts a week."""
    begins = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return {"from_at": begins, "to_at": begins + timedelta(days=7)}
