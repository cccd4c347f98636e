"""Who looks, and that it is written down: one event for each person, case and quarter of an hour; polls and parts of pages none.

If it cannot be logged, it is not shown: `LogUnavailable` becomes 503.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from audit.log.append import Actor, Entry, LogUnavailable, Refused, action, append, append_many, now_ms
from audit.log.models import PageView

P = ParamSpec("P")
QUARTER_MS = 15 * 60_000
PAGE_LASTS_MS = 12 * 3_600_000  # as long as a sign-in
FIRST_LOOK = """
INSERT INTO audit_page_view (person, about, quarter) VALUES (%s, %s, %s)
ON CONFLICT (person, about) DO UPDATE SET quarter = excluded.quarter WHERE audit_page_view.quarter < excluded.quarter
RETURNING quarter
"""
FIRST_LOOKS = """
INSERT INTO audit_page_view (person, about, quarter) SELECT %s, about, %s FROM unnest(%s::text[]) AS about ORDER BY about
ON CONFLICT (person, about) DO UPDATE SET quarter = excluded.quarter WHERE audit_page_view.quarter < excluded.quarter
RETURNING about
"""


class Viewer(Protocol):
    """What audit knows of the person who looks; the portal supplies it."""

    pk: UUID

    def has_perm(self, permission: str, obj: object = None) -> bool:
        """Whether the person may."""


class ViewerRequest(HttpRequest):
    """A request of somebody who is signed in, as `signed_in` hands it on."""

    user: Viewer  # type: ignore[assignment]  # a person of the portal, of which audit knows no more than this
    actor: Actor
    strong_at: int | None
    looked_at: Callable[[], None]
    """Says to the portal that the page to which its alerts lead is shown now; raises LogUnavailable as `viewed` does."""


class SeenAlready(Refused):
    """This look is in the log already."""


def signed_in(
    view: Callable[Concatenate[ViewerRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only people in who are signed in; others sign in first and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if getattr(request, "actor", None) is None:
            return redirect_to_login(request.get_full_path(), login_url=reverse(settings.LOGIN_URL))
        return view(request, *args, **kwargs)  # type: ignore[arg-type]  # the portal's middleware has put it on the request

    return guarded  # type: ignore[return-value]  # wraps() names the first argument, which is all that differs


def viewed(request: HttpRequest, page: str, about: object = "", *, case: object = "") -> None:
    """Write down that the person of this request looks at a record. Call it before anything is shown.

    ``page`` is the name of the page in plain words ("the case"); ``about`` the id of the thing, or the row itself (its
    ``log_subject`` and ``log_case`` are taken); ``case`` the access request that it belongs to. Looks at several pages
    of one case within a quarter of an hour are one event.

    Raises:
        LogUnavailable: it cannot be logged, so it must not be shown.
    """
    by: Actor = request.actor  # type: ignore[attr-defined]  # the portal's middleware has put it there
    case = str(case or getattr(about, "log_case", ""))
    subject = str(getattr(about, "log_subject", ""))
    thing = str(getattr(about, "pk", about))
    key, quarter = _key(page, about, case), now_ms() // QUARTER_MS * QUARTER_MS
    if PageView.objects.filter(person=by.id, about=key, quarter__gte=quarter).exists():
        return
    try:
        look(by=by, page=page, about=thing, key=key, case=case, subject=subject, quarter=quarter)
    except SeenAlready:
        return
    except DatabaseError as error:
        raise LogUnavailable("The log cannot be written, so this record is not shown.") from error


def viewed_with(request: HttpRequest, page: str, about: object = "", *, case: object = "") -> None:
    """As `viewed`, for parts of pages, polls, and forms that come back: no event while they go with a page that was looked at and logged.

    Asked for by themselves, without that page in the last `PAGE_LASTS_MS`, they are a look like any other.
    """
    by: Actor = request.actor  # type: ignore[attr-defined]  # the portal's middleware has put it there
    key = _key(page, about, str(case or getattr(about, "log_case", "")))
    if not PageView.objects.filter(person=by.id, about=key, quarter__gt=now_ms() - PAGE_LASTS_MS).exists():
        viewed(request, page, about, case=case)


def viewed_cases(request: HttpRequest, page: str, cases: Sequence[str]) -> None:
    """As `viewed`, for a page on which several cases are told together: one event for each, in one statement. Three statements at most.

    Raises:
        LogUnavailable: it cannot be logged, so nothing of it must be shown.
    """
    by: Actor = request.actor  # type: ignore[attr-defined]  # the portal's middleware has put it there
    quarter = now_ms() // QUARTER_MS * QUARTER_MS
    seen = PageView.objects.filter(person=by.id, about__in=cases, quarter__gte=quarter).values_list("about", flat=True)
    left = sorted(set(cases) - set(seen))
    if not left:
        return
    try:
        look_at_all(by=by, page=page, cases=left, quarter=quarter)
    except SeenAlready:
        return
    except DatabaseError as error:
        raise LogUnavailable("The log cannot be written, so these records are not shown.") from error


def _key(page: str, about: object, case: str) -> str:
    """What counts as one thing that is looked at."""
    return (case or str(getattr(about, "log_subject", "")) or str(getattr(about, "pk", about)) or page)[:120]


@action(event="page.viewed")
def look(*, by: Actor, page: str, about: str, key: str, case: str, subject: str, quarter: int) -> None:
    """One look; of two at the same time the second finds the row of the first."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_LOOK, [by.id, key, quarter])
        if cursor.fetchone() is None:
            raise SeenAlready("This look is in the log already.")
    append(
        "page.viewed",
        by=by,
        case=case,
        subject=subject,
        person_id=by.id,
        page=page,
        about_id=about or None,
        quarter=quarter,
    )


@action(event="list.downloaded")
def take_list(*, by: Actor, name: str, rows: int, query: str = "") -> None:
    """A list is taken away as a file: one event for each, before the first byte leaves.

    Args:
        name: Which list.
        rows: How many rows it had then.
        query: What it was narrowed to, as in its address; personal, since names are searched for.
    """
    append("list.downloaded", by=by, person_id=by.id, list=name, rows=rows, query=query or None)


@action(event="page.viewed")
def look_at_all(*, by: Actor, page: str, cases: Sequence[str], quarter: int) -> None:
    """One look at several cases; those that a look at the same time has logged already are left out."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_LOOKS, [by.id, quarter, list(cases)])
        first = sorted(case for (case,) in cursor.fetchall())
    if not first:
        raise SeenAlready("These looks are in the log already.")
    append_many(
        Entry("page.viewed", by, {"person_id": by.id, "page": page, "about_id": case, "quarter": quarter}, case=case) for case in first
    )  # fmt: skip


@action(event="page.viewed")
def take_away(*, by: Actor, page: str, about: str, case: str = "") -> None:
    """A download: one event for each."""
    append(
        "page.viewed", by=by, case=case, person_id=by.id, page=page, about_id=about or None,
        quarter=now_ms() // QUARTER_MS * QUARTER_MS,
    )  # fmt: skip
