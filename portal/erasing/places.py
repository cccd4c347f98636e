"""What the portal's own rows hold of a person, beside the log: rows that are theirs, what they typed, and every text that repeats it."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime

from auditlog.models import LogEntry
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connections, models
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log.erased import in_words
from portal.lists.models import SavedSearch
from portal.notifications.kinds import CUT
from portal.people.models import Passkey, Person, SignIn

GONE = "(erased)"
SHORTEST = 8
"""Characters of a typed text that is looked for elsewhere; what is shorter stands in too many others' texts by chance."""
# Who typed a text, by the way from its row to the person.
TYPED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("AccessRequest", "responder", ("reason",)),
    ("Approval", "approver", ("comment",)),
    ("Question", "asked_by", ("text",)),
    ("Question", "request__responder", ("answer",)),
    ("Extension", "grant__person", ("reason",)),
    ("FactorReset", "proposed_by", ("reason",)),
    ("FactorReset", "person", ("reason",)),
    ("Finding", "owner", ("cause", "response", "proof")),
    ("Item", "decided_by", ("reason",)),
    ("Acceptance", "accepted_by", ("note",)),
    ("PolicyConfirmation", "confirmed_by", ("note",)),
    ("PrivacyDecision", "decided_by", ("reason", "delay_reason")),
    ("Review", "second_reviewer", ("second_words",)),
    ("Stop", "started_by", ("reason",)),
    ("Stop", "lift_asked_by", ("lift_reason",)),
    ("LegalHold", "set_by", ("reason",)),
    ("LegalHold", "lift_asked_by", ("lift_reason",)),
    ("LostRange", "reported_by", ("reason",)),
)
# Texts of a case, by the way from their row to it.
OF_CASES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("AccessRequest", "pk", ("reason",)),
    ("Approval", "request_id", ("comment",)),
    ("Question", "request_id", ("text", "answer")),
    ("Extension", "grant__request_id", ("reason",)),
    ("Review", "request_id", ("second_words",)),
    ("Acceptance", "review__request_id", ("note",)),
    ("PrivacyDecision", "review__request_id", ("reason", "delay_reason")),
    ("Finding", "case", ("details", "cause", "response", "proof")),
)
# Projections of audit that lists are searched by; they are written anew with the next entry of their case.
PROJECTIONS = ("CaseRow", "ActRow")
TEXTS = (models.TextField, models.CharField, models.JSONField)


def typed_by(person: Person) -> set[str]:
    """What the person typed, as the rows hold it."""
    found: set[str] = set()
    for name, way, fields in TYPED:
        rows = apps.get_model("portal", name)._base_manager.filter(**{way: person})
        found |= {text for values in rows.values_list(*fields) for text in values if text}
    return found


def clear_own(person: Person, at: int) -> dict[str, int]:
    """The person's own rows: nobody can sign in with them, and nothing in them says who it was. ``at``: when they were erased (ms).

    Returns how many of each.
    """
    gone = {
        "passkeys": Passkey.objects.filter(person=person).delete()[0],
        "authenticators": TOTPDevice.objects.filter(user=person).delete()[0] + StaticDevice.objects.filter(user=person).delete()[0],
        "saved searches": SavedSearch.objects.filter(owner=person).delete()[0],
        "sign-ins": SignIn.objects.filter(person=person).update(agent="", address=None),
        "sessions": sum(each.delete()[0] for each in Session.objects.all() if each.get_decoded().get("_auth_user_id") == str(person.pk)),
    }  # fmt: skip
    person.name = f"{in_words(at)} {str(person.pk)[:8]}"
    person.email = f"erased-{person.pk.hex}@erased.invalid"
    person.unit, person.time_zone = "", "UTC"
    person.set_unusable_password()
    person.save(update_fields=["name", "email", "unit", "time_zone", "password"])
    return {name: count for name, count in gone.items() if count}


def clear_words(words: Collection[str]) -> dict[str, int]:
    """Every text of every table that repeats one of the words: it stands there no more. Returns how many rows of each table."""
    wanted = sorted({each for each in words if len(each) >= SHORTEST}, key=len, reverse=True)
    found = {model._meta.db_table: _clear(model, wanted, "default") for model in _swept()}
    return {table: count for table, count in found.items() if count}


def says_cut(at: datetime) -> str:
    """What stands where somebody typed something, once its case was cut."""
    return f"(cut on {at:%-d %b %Y} under retention)"


def clear_cases(cases: Collection[str], at: datetime) -> None:
    """What people typed in cases that were cut from the log: the rows stay, and say so."""
    says = says_cut(at)
    for name, way, fields in OF_CASES:
        rows = apps.get_model("portal", name)._base_manager.filter(**{f"{way}__in": list(cases)})
        for field in fields:
            rows.exclude(**{field: ""}).update(**{field: says})
    apps.get_model("portal", "AccessRequest")._base_manager.filter(pk__in=list(cases)).update(incident_ref="")
    told = models.Q(case__in=list(cases)) | models.Q(about__in=_subjects(cases))
    apps.get_model("portal", "Alert")._base_manager.filter(told).update(facts={CUT: says}, last_trouble="")
    apps.get_model("portal", "Grant")._base_manager.filter(request_id__in=list(cases)).update(last_trouble="")
    for record in apps.get_model("portal", "ChangeRecord")._base_manager.filter(review__request_id__in=list(cases)):
        record.reference = f"{says} {str(record.pk)[:8]}"  # each stands once in a review
        record.save(update_fields=["reference"])
    for review in apps.get_model("portal", "Review")._base_manager.filter(request_id__in=list(cases)):
        review.answers = {
            key: {**said, "comment": says} if said.get("comment") else said for key, said in review.answers.items()
        }
        review.save(update_fields=["answers"])


def _subjects(cases: Collection[str]) -> list[str]:
    """What alerts of a case may speak of."""
    found = [f"request:{each}" for each in cases]
    for name, way in (("Grant", "request_id"), ("Review", "request_id"), ("Finding", "case")):
        rows = apps.get_model("portal", name)._base_manager.filter(**{f"{way}__in": list(cases)})
        found += [row.log_subject for row in rows]
    return found


def clear_row_changes(alias: str, words: Collection[str]) -> int:
    """As `clear_words`, for the row changes of configuration, which only the eraser may change."""
    return _clear(LogEntry, sorted({each for each in words if len(each) >= SHORTEST}, key=len, reverse=True), alias)


def _swept() -> Iterator[type[models.Model]]:
    yield from (model for model in apps.get_app_config("portal").get_models() if model._meta.managed)
    yield from (apps.get_model("audit", name) for name in PROJECTIONS)


def _clear(model: type[models.Model], words: list[str], alias: str) -> int:
    """One statement for each column: longest words first, so that no rest of a longer one stays."""
    columns = [
        (str(each.column), isinstance(each, models.JSONField)) for each in model._meta.concrete_fields if _is_text(each)
    ]
    return sum(_clear_column(model._meta.db_table, column, is_json, words, alias) for column, is_json in columns)


def _is_text(field: "models.Field[object, object]") -> bool:
    return isinstance(field, TEXTS) and not field.choices and not field.primary_key


def _clear_column(table: str, column: str, is_json: bool, words: list[str], alias: str) -> int:
    forms = [json.dumps(each, ensure_ascii=False)[1:-1] for each in words] if is_json else words
    given = f'"{column}"::text' if is_json else f'"{column}"'
    cleared, back = given, "::jsonb" if is_json else ""
    for _ in forms:
        cleared = f"regexp_replace({cleared}, %s, %s, 'gi')"
    patterns = [
        "".join("\\" + sign if not sign.isalnum() and not sign.isspace() else sign for sign in each) for each in forms
    ]
    pairs = [value for each in patterns for value in (each, GONE)]
    if not forms:
        return 0
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET "{column}" = ({cleared}){back} WHERE {given} ~* ANY(%s)',  # noqa: S608 - names of our own models
            [*pairs, patterns],
        )
        return int(cursor.rowcount)
