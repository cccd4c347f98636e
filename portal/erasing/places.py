"""What the portal's own rows hold of a person, beside the log: rows that are theirs, what they typed, and every text that repeats it."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log.erased import in_words
from portal.erasing.columns import COLUMNS
from portal.erasing.wiping import GONE, clear_table, clear_tables, in_strings, sought
from portal.lists.models import SavedSearch
from portal.notifications.inert import one_line
from portal.notifications.kinds import CUT
from portal.notifications.models import Alert
from portal.people.models import Passkey, Person, SignIn
from portal.reviews.models import Review

ROW_CHANGES = "auditlog_logentry"
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


@dataclass
class Typed:
    """What somebody typed, and where: the cases and the log's names of the rows that hold it."""

    texts: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)  # of each table


def clear_typed(person: Person) -> Typed:
    """Empty what the person typed in the rows that they wrote, whatever it says, and what alerts of the same things repeat of it."""
    found = Typed()
    for name, way, fields in TYPED:
        for row in apps.get_model("portal", name)._base_manager.filter(**{way: person}):
            if texts := {each: text for each in fields if _is_theirs(text := getattr(row, each))}:
                _note(found, row, texts.values())
                _set(row, dict.fromkeys(texts, GONE))
    for review in Review.objects.filter(reviewer=person):
        if texts := {key: text for key, said in review.answers.items() if _is_theirs(text := said.get("comment", ""))}:
            _note(found, review, texts.values())
            _set(
                review,
                {
                    "answers": {
                        key: said | ({"comment": GONE} if key in texts else {}) for key, said in review.answers.items()
                    }
                },
            )
    found.rows[Alert._meta.db_table] += _clear_alerts(found)
    return found


def _is_theirs(text: str) -> bool:
    """Whether somebody typed it: neither empty, nor what an erasure or a cut left there."""
    return text not in ("", GONE) and not _SAYS_CUT.fullmatch(text)


def _note(found: Typed, row: models.Model, texts: Iterable[str]) -> None:
    ways = {name: way for name, way, _ in OF_CASES}
    if way := ways.get(type(row).__name__):
        found.cases.add(str(type(row)._base_manager.values_list(way, flat=True).get(pk=row.pk)))
    found.subjects.add(getattr(row, "log_subject", ""))
    found.texts.update(texts)
    found.rows[row._meta.db_table] += 1


def _set(row: models.Model, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def _clear_alerts(found: Typed) -> int:
    """Of the same cases and things: a fact that is what was typed, as a whole. Short words in other alerts are others' own."""
    wanted = {form for each in found.texts for form in (each, one_line(each))}
    cases, subjects = found.cases - {""}, found.subjects - {""}
    count = 0
    for alert in Alert.objects.filter(models.Q(case__in=cases) | models.Q(about__in=subjects)).iterator():
        facts = in_strings(alert.facts, lambda text: GONE if text in wanted else text)
        if facts != alert.facts:
            _set(alert, {"facts": facts})
            count += 1
    return count


def clear_rows(person: Person, names: Collection[str], at: int) -> dict[str, int]:
    """All that the portal's rows hold of somebody, but row changes. ``at``: when they were erased (ms). Returns how many rows of each table or kind."""
    typed = clear_typed(person)
    own = clear_own(person, at)
    named = Counter(clear_words(names, typed.texts))
    return own | dict(+(named + typed.rows))


def clear_words(names: Collection[str], typed: Collection[str]) -> dict[str, int]:
    """Every text of every table that names the person, or repeats at length what they typed: it stands there no more. Returns how many rows of each table."""
    return clear_tables([each for each in COLUMNS if each != ROW_CHANGES], sought(names, typed))


def clear_row_changes(alias: str, names: Collection[str]) -> int:
    """The names in row changes of configuration, which only the eraser may change. What people type is left out of them."""
    return clear_table(ROW_CHANGES, sought(names), alias)


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


_SAYS_CUT = re.compile(r"\(cut on \d+ \w+ \d+ under retention\)")


def says_cut(at: datetime) -> str:
    """What stands where somebody typed something, once its case was cut."""
    return f"(cut on {at:%-d %b %Y} under retention)"


def clear_cases(cases: Collection[str], at: datetime) -> None:
    """What people typed in cases that were cut from the log: the rows stay, and say so."""
    says = says_cut(at)
    for name, way, fields in OF_CASES:
        rows = apps.get_model("portal", name)._base_manager.filter(**{f"{way}__in": list(cases)})
        for each in fields:
            rows.exclude(**{each: ""}).update(**{each: says})
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
