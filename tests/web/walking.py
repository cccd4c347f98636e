"""People of the demo in browsers of their own, at a portal with every process real: signing in, mails, psql, papers."""

import email
import email.policy
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from typing import Any
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Browser, Page, expect
from psycopg.conninfo import conninfo_to_dict
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from portal.demo.personas import BY_KEY
from portal.embedded.mail_sink import StoredMail
from portal.embedded.state import CHECKOUT
from tests.faults.whole import House
from tests.servers import wait_until
from tests.web.looking import VARIANTS, Variant, seen

PHONE, DESK = VARIANTS[0], VARIANTS[2]
PICTURES = "PORTAL_PICTURES"
PAGE_COLOURS, PAPER_COLOURS = 64, 16
PLACE = CHECKOUT / "docs" / "pictures"
LINK = re.compile(r"^Look at it in the portal: (\S+)\s*$", re.MULTILINE)
REASON = "Payments hang since the failover; look at the stuck ones and release what is safe."


INTERACTIONS = "interactions"
# Whatever a person presses, and each field that they change, as the browser itself saw it; kept while the tab moves from page to page.
COUNTER = f"""
(() => {{
  const more = () => sessionStorage.setItem("{INTERACTIONS}", String(Number(sessionStorage.getItem("{INTERACTIONS}")) + 1));
  const pressed = (event) => event.target instanceof Element && event.target.closest("a, button, summary") && more();
  addEventListener("click", pressed, true);
  addEventListener("change", more, true);
}})();
"""


@dataclass
class Walker:
    """One persona and their browser."""

    house: House
    page: Page
    key: str

    @property
    def name(self) -> str:
        """The first one, as the pages' short lists have it."""
        return BY_KEY[self.key].name.split()[0]

    def go(self, address: str) -> None:
        """Open an address of the portal."""
        self.page.goto(urljoin(self.house.url, address))

    def sign_in(self, address: str = "/") -> None:
        """Follow a link as somebody who is not signed in: past password and second factor, to where it pointed."""
        wanted, persona = urljoin(self.house.url, address), BY_KEY[self.key]
        self.page.goto(wanted)
        if "/sign-in/" not in self.page.url:
            self.go("/sign-in/")
        self.page.get_by_label("Mail address").fill(persona.email)
        self.page.get_by_label("Password", exact=True).fill(persona.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_label("Code of your authenticator").fill(self.house.code(self.key))
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).to_have_url(wanted)

    def count_from_here(self) -> None:
        """Begin to count taps and fields."""
        self.page.evaluate(f"sessionStorage.setItem('{INTERACTIONS}', '0')")

    @property
    def interactions(self) -> int:
        """Taps on links, buttons and summaries, and fields that were changed, since `count_from_here`."""
        return int(self.page.evaluate(f"sessionStorage.getItem('{INTERACTIONS}')"))

    def press(self, button: str) -> None:
        """A button by its name."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def sees(self, text: str | re.Pattern[str], *, seconds: float = 20) -> None:
        """Wait until the page says so, by itself."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=seconds * 1000)

    def comes_to_see(self, text: str | re.Pattern[str], *, seconds: float = 60) -> None:
        """Load the page again until it says so."""
        said = self.page.get_by_text(text).first

        def there() -> bool:
            self.page.reload(wait_until="load")
            return said.is_visible()

        wait_until(there, f"{self.key} to see {text!r}", seconds=seconds)


@contextmanager
def walking(
    browser: Browser,
    house: House,
    key: str,
    variant: Variant = DESK,
    *,
    expected: str | tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Walker]:
    """A persona with a browser of their own."""
    with seen(browser, variant, expected=expected, **options) as page:
        page.add_init_script(COUNTER)
        yield Walker(house, page, key)


# --- mails


def mail_for(house: House, key: str, subject: str, *, after: int, about: str = "", seconds: float = 60) -> EmailMessage:
    """
    Wait for the newest mail to a persona whose subject holds these words, received after `after` (ms).

    The house is shared, and another case of the same person at the same system may be told at the same time: `about`
    is an id that the mail's text or its paper must name.
    """
    found: list[EmailMessage] = []

    def there() -> bool:
        mails = [each for each in _read(house.mails(BY_KEY[key].email), after) if subject in str(each["Subject"])]
        found[:] = [each for each in mails if about in _said_by(each)]
        return bool(found)

    wait_until(there, f"a mail to {key} about {subject!r}", seconds=seconds)
    return found[0]


def subjects_for(house: House, key: str, *, after: int) -> list[str]:
    """What was mailed to a persona since, newest first."""
    return [str(each["Subject"]) for each in _read(house.mails(BY_KEY[key].email), after)]


def _read(mails: list[StoredMail], after: int) -> Iterator[EmailMessage]:
    for stored in mails:
        if stored.received >= after:
            yield _parsed(stored)


@cache
def _parsed(stored: StoredMail) -> EmailMessage:
    """Once for each mail, however often somebody who waits for another one looks."""
    message = email.message_from_bytes(stored.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@cache
def _said_by(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()) + "".join(text_of(paper) for paper in _papers(message))


def link_of(message: EmailMessage) -> str:
    """Where the mail's one link leads."""
    body = message.get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found, body.get_content()
    return found[1]


def pdf_of(message: EmailMessage) -> bytes:
    """The paper that is attached."""
    (paper,) = _papers(message)
    return paper


def _papers(message: EmailMessage) -> list[bytes]:
    return [
        bytes(part.get_content()) for part in message.iter_attachments() if part.get_content_type() == "application/pdf"
    ]


# --- papers


def text_of(pdf: bytes) -> str:
    """What a PDF says, with every run of white space as one blank."""
    return " ".join(" ".join(pages_of(pdf)).split())


def pages_of(pdf: bytes) -> list[str]:
    """What each page of a PDF says, line by line."""
    command = ["pdftotext", "-layout", "-enc", "UTF-8", "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=120)
    return done.stdout.decode().split("\f")[:-1]


def is_signed(pdf: bytes) -> bool:
    """Whether it bears one signature that covers what it says. Apart from the browser's loop, because the check has its own."""

    def check() -> bool:
        (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        found = validate_pdf_signature(signature, ValidationContext(allow_fetching=False))
        return bool(found.intact and found.valid)

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(check).result()


def picture_of_page(pdf: bytes, page: int, name: str) -> None:
    """Keep the upper part of one page of a PDF, counted from one, as a picture for the docs, where the run is asked to."""
    if os.environ.get(PICTURES):
        size = ["-scale-to-x", "800", "-scale-to-y", "-1", "-x", "0", "-y", "0", "-W", "800", "-H", "600"]
        command = ["pdftoppm", "-png", "-singlefile", "-f", str(page), "-l", str(page), *size, "-"]
        _keep(
            subprocess.run(command, input=pdf, check=True, timeout=60, capture_output=True).stdout, name, PAPER_COLOURS
        )


def picture(page: Page, name: str) -> None:
    """Keep what the window shows as a picture for the docs, where the run is asked to (`make pictures`)."""
    if os.environ.get(PICTURES):
        page.evaluate("document.activeElement instanceof HTMLElement && document.activeElement.blur()")
        _keep(page.screenshot(scale="css"), name)


def _keep(png: bytes, name: str, colours: int = PAGE_COLOURS) -> None:
    """In few colours, so that it is small."""
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    few.save(PLACE / f"{name}.png", optimize=True)


# --- the target


def login_of(line: str) -> str:
    """Whose login the line takes."""
    return str(conninfo_to_dict(shlex.split(line)[1])["user"])


def psql(line: str, password: str, *statements: str) -> subprocess.CompletedProcess[str]:
    """Run the line that the page shows with the psql that `make psql` runs; the statements come from standard input."""
    program, *arguments = shlex.split(line)
    assert program == "psql"
    command = [sys.executable, "-m", "portal.embedded", "psql", "-X", "--no-password", *arguments]
    environment: Mapping[str, str] = {**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}
    lines = "".join(f"{each};\n" for each in statements)
    return subprocess.run(
        command, input=lines, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
