"""Where webhooks may go: public addresses over TLS, and what the operator named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.notifications.channels.webhook.addresses import Url, WrongUrl, may_reach, networks, parse

REFUSED = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2001:0:7f00:1::", "192.0.2.1", "198.18.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_reach(address, tls=True, named=())


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_public_addresses_are_reached_over_tls_alone(address: str) -> None:
    assert (may_reach(address, tls=True, named=()), may_reach(address, tls=False, named=())) == (True, False)


def test_named_networks_are_reached_in_clear_as_well() -> None:
    named = networks(["10.20.0.0/16", "fd00::/8"])
    reached = [
        may_reach(each, tls=False, named=named) for each in ("10.20.3.4", "::ffff:10.20.3.4", "fd00::5", "10.21.0.1")
    ]
    assert reached == [True, True, True, False]


def test_address_is_read_in_its_parts() -> None:
    assert parse("https://Pager.example/a/b?c=d") == Url(True, "pager.example", 443, "/a/b?c=d")
    assert parse("http://[fd00::5]:8080") == Url(False, "fd00::5", 8080, "/")


WRONG = [
    "", "pager.example", "ftp://pager.example/", "file:///etc/passwd", "https://", "https://u:p@pager.example/", "https://pager.example/#x",
    "https://pager.example:99999/", "https://pager.example/a b", "https://pager.example/\r\nHost: evil", "https://pägér.example/", "https://[::1/",
    "https://pager.example/" + "x" * 2_000,
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(WrongUrl, match=r"\.$"):
        parse(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = parse(f"https://{text}")
    except WrongUrl:
        return
    assert url.target.isascii()
    assert not any(each <= " " for each in url.target + url.host)
