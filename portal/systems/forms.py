"""Forms for systems, one part for each kind of target; each gives the ``after`` that a proposal holds."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from portal.kept_form import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.systems.actions import DOUBLED_PRIVILEGE, DOUBLED_SLUG
from portal.systems.facts import MAJOR
from portal.systems.models import CRITICALITIES, System
from portal.systems.queries import privilege_is_taken, slug_is_taken
from portal.widgets import ChoiceCards, Minutes

NAME_ON_TARGET = RegexValidator(
    r"^[a-z_][a-z0-9_$-]{0,62}$", "Lower-case letters, digits, _ - and $, beginning with a letter."
)
COUNTING = (
    ("line_num per session", "Each session numbers its lines (PostgreSQL's JSON log)"),
    ("dense", "One unbroken count"),
    ("none", "It does not count, or its log is out of reach"),
)


def words_of(text: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


class SystemForm(KeptForm):
    """What describes every system."""

    name = PlainCharField(max_length=120)
    slug = forms.SlugField(
        label="Short name", max_length=60, help_text="Letters, digits and hyphens, as in payments-db."
    )
    owner: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(queryset=None, help_text="Is told of every use.")
    criticality = forms.ChoiceField(
        choices=CRITICALITIES, widget=ChoiceCards(hints={"critical": "Every use is reviewed within 24 hours."})
    )
    personal_data = forms.BooleanField(label="It holds personal data", required=False)
    way_in = PlainCharField(
        label="The way in",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="How a responder gets to it, in plain words.",
    )
    kind = ""

    def __init__(self, *args: Any, people: Any, present: System | None = None, **kwargs: Any) -> None:
        """Begin with what the system is now; ``people`` may become its owner."""
        kwargs.setdefault("initial", _initial(present) if present else {"criticality": "normal"})
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101 - tells the type
        owner.queryset = people
        self.present = present
        if present is not None:
            self.fields[MAJOR] = forms.BooleanField(
                label="It is a major change",
                required=False,
                help_text="A new version, another host, another way in: the system is drilled again within two weeks.",
            )

    def clean_slug(self) -> str:
        """Say it beside the field when it stands already; the action looks again."""
        if slug_is_taken(self.cleaned_data["slug"], but=self.present):
            raise forms.ValidationError(DOUBLED_SLUG)
        return str(self.cleaned_data["slug"])

    def after(self) -> dict[str, Any]:
        """What the system is to be."""
        data = self.cleaned_data
        described = {name: data[name] for name in ("name", "slug", "criticality", "personal_data", "way_in")}
        before = self.present.settings if self.present else {}
        major = {MAJOR: True} if data.get(MAJOR) else {}
        return {
            **described,
            **major,
            "owner": str(data["owner"].pk),
            "connector": self.kind,
            "settings": {**before, **self.settings()},
        }

    def settings(self) -> dict[str, Any]:
        """What reaches the connector; no secret."""
        raise NotImplementedError

    def secret(self) -> str:
        """The portal's own password on the target; empty where it stays."""
        return str(self.cleaned_data.get("password") or "")


def _initial(system: System) -> dict[str, Any]:
    settings = {key: ", ".join(value) if isinstance(value, list) else value for key, value in system.settings.items()}
    described = {
        name: getattr(system, name) for name in ("name", "slug", "owner", "criticality", "personal_data", "way_in")
    }
    return {**settings, **described}


class PostgreSQLForm(SystemForm):
    """A PostgreSQL server."""

    kind = "postgresql"
    host = PlainCharField(max_length=253)
    port = forms.IntegerField(min_value=1, max_value=65_535, initial=5432)
    dbname = PlainCharField(label="Database", max_length=63)
    user = PlainCharField(
        label="The portal's login", max_length=63, help_text="Without superuser; it makes and removes logins."
    )
    password = forms.CharField(
        label="Its password", required=False, max_length=500, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted and never shown.",
    )  # fmt: skip
    sslmode = forms.ChoiceField(
        label="Encryption",
        choices=(
            ("verify-full", "TLS, certificate and name checked"),
            ("prefer", "As the server has it (this machine only)"),
        ),
    )
    sslrootcert = PlainCharField(label="File with the certificate authority", required=False, max_length=500)
    public_host = PlainCharField(label="Host as responders reach it", required=False, max_length=253)
    public_port = forms.IntegerField(label="Port as responders reach it", required=False, min_value=1, max_value=65_535)
    databases = PlainCharField(
        label="Databases looked at when reading back", required=False, max_length=500, help_text="With commas between."
    )
    privileges = PlainCharField(
        label="Roles that the test looks at", required=False, max_length=500, help_text="With commas between."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Only a system that has a password can keep it."""
        super().__init__(*args, **kwargs)
        if self.present is not None and self.present.secret:
            self.fields["password"].help_text = "Kept encrypted and never shown. Empty: it stays as it is."

    def settings(self) -> dict[str, Any]:
        """Empty ones are left out; lists are lists."""
        data = self.cleaned_data
        lists = {name: words_of(data[name]) for name in ("databases", "privileges")}
        plain = {
            name: data[name]
            for name in ("host", "port", "dbname", "user", "sslmode", "sslrootcert", "public_host", "public_port")
        }
        return {name: value for name, value in {**plain, **lists}.items() if value not in ("", None, [])}


class SimulatedForm(SystemForm):
    """A target kept in a file; demonstrations and tests only."""

    kind = "simulated"
    state_path = PlainCharField(label="File that stands for the target", max_length=500)
    privileges = PlainCharField(
        label="Privileges that exist on it", required=False, max_length=500, help_text="With commas between."
    )

    def settings(self) -> dict[str, Any]:
        """The file, and what can be opened in it."""
        return {"state_path": self.cleaned_data["state_path"], "privileges": words_of(self.cleaned_data["privileges"])}


class SealedForm(SystemForm):
    """A target that the portal does not reach: its sealed accounts are kept by their custodians."""

    kind = "sealed"

    def settings(self) -> dict[str, Any]:
        """Nothing reaches a connector."""
        return {}


FORMS: dict[str, type[SystemForm]] = {form.kind: form for form in (PostgreSQLForm, SimulatedForm, SealedForm)}


class PrivilegeForm(KeptForm):
    """What can be opened on a system."""

    name = PlainCharField(max_length=120, help_text="In plain words: what one can do with it.")
    on_target = forms.CharField(
        label="Its name on the target",
        max_length=63,
        validators=[NAME_ON_TARGET],
        help_text="For PostgreSQL a role without login.",
    )
    description = PlainCharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, system: System, **kwargs: Any) -> None:
        """Keep on which system."""
        super().__init__(*args, **kwargs)
        self.system = system

    def clean_on_target(self) -> str:
        """Say it beside the field when it stands already; the action looks again."""
        if privilege_is_taken(self.system, self.cleaned_data["on_target"]):
            raise forms.ValidationError(DOUBLED_PRIVILEGE)
        return str(self.cleaned_data["on_target"])


class SourceForm(KeptForm):
    """Where a system reports what was done on it, and how it counts."""

    counting = forms.ChoiceField(choices=COUNTING, widget=ChoiceCards())
    log_dir = PlainCharField(
        label="Folder of its log",
        required=False,
        max_length=500,
        help_text="As the gatherer sees it. Empty: out of reach.",
    )
    portal_login = PlainCharField(label="The portal's login on it", required=False, max_length=63)
    declared_logins = PlainCharField(
        label="Logins whose work is not the portal's",
        required=False,
        max_length=2_000,
        help_text="Applications and the like; with commas between.",
    )
    lateness_ms = forms.IntegerField(
        label="How late a line may come, in milliseconds", min_value=0, max_value=86_400_000, initial=10_000
    )
    heartbeat_ms = forms.IntegerField(
        label="Time between heartbeats, in milliseconds", min_value=1_000, max_value=86_400_000, initial=60_000
    )

    def clean(self) -> dict[str, Any]:
        """A log out of reach counts nothing."""
        data = super().clean() or {}
        if data.get("counting") != "none" and "log_dir" in data and not data["log_dir"]:
            self.add_error("log_dir", "Name the folder, or choose that the log is out of reach.")
        return data

    def after(self) -> dict[str, Any]:
        """As a proposal holds it."""
        given = {
            name: value for name, value in self.cleaned_data.items() if name != "counting" and value not in ("", None)
        }
        return {"counting": self.cleaned_data["counting"], "settings": given}


class DryRunForm(forms.Form):
    """How long it would be open."""

    minutes = forms.IntegerField(widget=Minutes(lowest=1, highest=240), min_value=1, max_value=240, initial=60)
