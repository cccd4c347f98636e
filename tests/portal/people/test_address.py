"""Addresses as proxies tell them: plain, or none; never an error."""

from typing import Any

import pytest
from django.test import RequestFactory

from portal.people.throttle import address_of


@pytest.mark.parametrize(
    ("forwarded", "remote", "address"),
    [
        ("198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("198.51.100.7:51234", "10.0.0.1", "198.51.100.7"),
        ("[2001:db8::7]:51234", "10.0.0.1", "2001:db8::7"),
        ("[2001:db8::7]", "10.0.0.1", "2001:db8::7"),
        ("2001:DB8::7", "10.0.0.1", "2001:db8::7"),
        ("fe80::1%eth0", "10.0.0.1", "fe80::1"),
        ("::ffff:198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("unknown", "10.0.0.1", None),
        ("_hidden", "10.0.0.1", None),
        ("198.51.100.7, ", "10.0.0.1", "10.0.0.1"),
        ("'; DROP TABLE--", "10.0.0.1", None),
        ("1" * 5_000, "10.0.0.1", None),
        ("[" * 50, "10.0.0.1", None),
        ("", "10.0.0.1", "10.0.0.1"),
        ("", "unix:/run/portal.sock", None),
        ("", "", None),
    ],
)
def test_address_is_plain_or_none(settings: Any, forwarded: str, remote: str, address: str | None) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert address_of(request) == address


def test_what_a_caller_forwards_counts_for_nothing_without_a_proxy(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.7"}, REMOTE_ADDR="192.0.2.1")
    assert address_of(request) == "192.0.2.1"
