"""What stands above a list: its total, the searches that were saved of it, and the list as a file: `{% list_tools "findings" total=9 shown=3 %}`."""

from typing import Any

from django import template
from django.urls import reverse

from portal.lists.kinds import KINDS
from portal.lists.queries import address_of, cleaned, searches_of

register = template.Library()


@register.inclusion_tag("components/list_tools.html", takes_context=True)
def list_tools(
    context: dict[str, Any], name: str, *, total: int, shown: int | None = None, file: str = ""
) -> dict[str, Any]:
    """One query, for the searches.

    `total`: rows that the viewer may see; `shown`: those that the address narrows it to; `file`: the address of the file, where it is audit's.
    """
    request, kind = context["request"], KINDS[name]
    query = cleaned(name, request.GET.urlencode())
    return {
        "name": name, "kind": kind, "total": total, "shown": total if shown is None else shown, "narrowed": shown is not None and shown != total,
        "query": query, "here": request.get_full_path(), "file": (file or reverse("list_file", args=[name])) + (f"?{query}" if query else ""),
        "searches": [{"search": each, "url": address_of(each)} for each in searches_of(request.user, name)] if kind.keys else [],
        "save_url": reverse("search_save"), "csrf_token": context.get("csrf_token"),
    }  # fmt: skip
