"""One offline card as a PDF page, made in memory: it holds half of a secret, so nothing of it lies in a file or goes over a network."""

from pathlib import Path
from typing import Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_variables

from portal.clock import now
from portal.offline_card import Card

STYLE = Path(__file__).with_name("card.css")


class NotDrawn(RuntimeError):
    """No page can be made here; the text says what is missing."""


@sensitive_variables()
def pdf(card: Card, *, system: str, custodian: str) -> bytes:
    """The page. Raises NotDrawn where the library for it is missing."""
    try:
        import weasyprint  # noqa: PLC0415 - it loads system libraries that only this needs
    except OSError:
        raise NotDrawn("Cards cannot be printed here: the library Pango is missing. See docs/operate.md.") from None
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 - as above

    class OnlyData(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Nothing but the picture that the page brings along."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith("data:"):
                raise ValueError("A card fetches nothing.")
            return super().fetch(url, headers)

    html = weasyprint.HTML(string=page(card, system=system, custodian=custodian), url_fetcher=OnlyData())
    return bytes(html.write_pdf(stylesheets=[weasyprint.CSS(filename=str(STYLE))]))


@sensitive_variables()
def page(card: Card, *, system: str, custodian: str) -> str:
    """The page as HTML: what it is for, the QR code, the words in numbered columns."""
    code = segno.make(card.qr(), error="q", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    context = {
        "card": card, "system": system, "custodian": custodian, "qr": code, "words": card.words.split(), "made": now(), "portal_name": settings.PORTAL_NAME,
        "other": "B" if card.letter == "A" else "A",
    }  # fmt: skip
    return render_to_string("sealed/card.html", context)
