"""One verdict for the whole connection test; what failed stands first."""

from django.template.loader import render_to_string

from portal.connectors.base import Check
from portal.templatetags.checks import check_name, passes, verdict, worst_first

WELL = Check("connection", True, "The target answers.")
NOTE = Check("watchdog", None, "No watchdog runs on the target; opening starts one.")
FAILED = Check("createrole", False, "The portal's login cannot make logins: it needs CREATEROLE.")


def test_verdict_says_all_of_it_in_one_sentence() -> None:
    assert verdict([WELL, WELL]) == "Well: none of 2 checks failed."
    assert verdict([WELL, NOTE]) == "Well: none of 2 checks failed. 1 thing to know."
    assert verdict([WELL, FAILED, NOTE, NOTE]) == "Not well: 1 of 4 checks failed: Making logins. 2 things to know."
    assert (passes([WELL, NOTE]), passes([WELL, FAILED])) == (True, False)


def test_what_failed_stands_first() -> None:
    assert worst_first([WELL, NOTE, FAILED]) == [FAILED, NOTE, WELL]
    page = render_to_string("systems/checks.html", {"checks": [WELL, FAILED]})
    assert page.index("Not well: 1 of 2") < page.index("cannot make logins") < page.index("The target answers.")


def test_privileges_and_settings_keep_their_names() -> None:
    assert [check_name(name) for name in ("privilege shop_admin", "account shop_vault", "log_connections", "superuser")] == [
        "Privilege shop_admin",
        "Account shop_vault", "log_connections", "Superuser",
    ]  # fmt: skip
