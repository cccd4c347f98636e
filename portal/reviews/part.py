"""A part of a page that another room serves by its address, set in on the server: for browsers without script."""

from copy import copy
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe


def set_in(request: HttpRequest, name: str, pk: UUID, **query: str | list[str]) -> SafeString:
    """What the address ``name`` answers to a GET of the same person; nothing where nobody serves it."""
    try:
        found = resolve(reverse(name, args=[pk]))
    except NoReverseMatch:
        return SafeString("")
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(urlencode(query, doseq=True))
    answer = found.func(asked, *found.args, **found.kwargs)
    text: str = answer.content.decode()
    return mark_safe(text)  # noqa: S308 - our own template, which has escaped what it shows
