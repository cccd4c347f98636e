"""A browser without script: cookies, forms and their hidden fields, and nothing else. Speaks to real web processes."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
NAME, VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')
Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Page:
    """What came back, redirects followed."""

    status: int
    url: str
    text: str

    @property
    def hidden(self) -> dict[str, str]:
        """Hidden fields of all forms of the page; the token is the same in each."""
        found: dict[str, str] = {}
        for tag in HIDDEN.findall(self.text):
            name, value = NAME.search(tag), VALUE.search(tag)
            if name:
                found[unescape(name[1])] = unescape(value[1]) if value else ""
        return found


@dataclass
class Visitor:
    """Somebody's browser at one portal."""

    url: str
    jar: CookieJar = field(default_factory=CookieJar)
    timeout_s: float = 60

    def get(self, path: str) -> Page:
        """Follow a link."""
        return self._ask(urllib.request.Request(urljoin(self.url, path)))

    def post(self, path: str, fields: Fields | None = None, *, page: Page | None = None) -> Page:
        """Send the form of `page`, or that which stands at the same address."""
        shown = page or self.get(path)
        data = urlencode({**shown.hidden, **(fields or {})}, doseq=True).encode()
        headers = {"Referer": shown.url, "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask(urllib.request.Request(urljoin(self.url, path), data, headers))

    def upload(self, path: str, fields: Mapping[str, str], file: tuple[str, str, bytes]) -> Page:
        """Send the form at an address with a file in it: the field's name, the file's name, and its bytes (RFC 7578)."""
        shown, mark = self.get(path), "a-part-that-stands-in-no-file"
        parts = [(f'name="{name}"', value.encode()) for name, value in {**shown.hidden, **fields}.items()]
        parts.append((f'name="{file[0]}"; filename="{file[1]}"', file[2]))
        body = b"".join(
            f"--{mark}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
            for head, value in parts
        )
        headers = {"Referer": shown.url, "Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._ask(urllib.request.Request(urljoin(self.url, path), body + f"--{mark}--\r\n".encode(), headers))

    def sign_in(self, email: str, password: str, code: Callable[[], str]) -> None:
        """Past password and second factor."""
        self.post("/sign-in/", {"email": email, "password": password})
        landed = self.post("/sign-in/code/", {"code": code()})
        assert (landed.status, landed.url) == (200, f"{self.url}/"), (landed.status, landed.url, landed.text[:3000])

    def _ask(self, request: urllib.request.Request) -> Page:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        try:
            with opener.open(request, timeout=self.timeout_s) as answer:
                return Page(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.url, error.read().decode(errors="replace"))
