"""One approved use of the real shop, by the bundled client: how soon its record is shown to be complete."""

import html
import re
import time

from tests.faults.visiting import Visitor
from tests.faults.whole import House
from tests.servers import wait_until
from tests.web.walking import psql

WITHIN_S = 40
ASKED = {
    "criterion": "outage", "category": "availability", "intended_classes": ["data_read", "data_change"], "incident_ref": "INC-3900",
    "reason": "Orders are stuck since this morning; look at them and set the first one right.", "minutes": "10",
}  # fmt: skip


def test_record_of_a_use_is_complete_soon_after_the_read_back(house: House) -> None:
    ann, ines = house.visitor("ann"), house.visitor("ines")
    case, grant = opened(house, ann, ines)
    line, password = shown(ann, case, grant)
    done = psql(line, password, "SELECT count(*) FROM shop.orders", "SELECT employee FROM shop.salaries")
    assert "permission denied" in done.stderr
    assert ann.post(f"/grants/{grant}/return/", page=ann.get(f"/requests/{case}/")).status == 200
    wait_until(lambda: facts(house, grant)[0] == "ended", "the read-back")
    since = time.monotonic()
    wait_until(lambda: verdict(house, grant) == "complete", f"complete, and not {verdict(house, grant)}", WITHIN_S)
    print(f"complete {time.monotonic() - since:.1f} s after the read-back")  # noqa: T201 - a figure that is looked at
    assert heartbeats(house, grant) >= 2


def opened(house: House, ann: Visitor, ines: Visitor) -> tuple[str, str]:
    """Ask, approve; ids of request and grant once access is open."""
    privilege = house.rows("SELECT id FROM portal_privilege WHERE name LIKE 'Read and correct%%'")[0][0]
    asked = ann.post(f"/requests/new/?privilege={privilege}", ASKED)
    case = re.search(r"/requests/([0-9a-f-]{36})/", asked.url)
    assert case, asked.text[:3000]
    assert (
        ines.post(
            f"/requests/{case[1]}/decide/", {"decision": "approve"}, page=ines.get(f"/requests/{case[1]}/")
        ).status
        == 200
    )
    grant = str(house.rows("SELECT id FROM portal_grant WHERE request_id = %s", [case[1]])[0][0])
    wait_until(lambda: facts(house, grant)[0] == "active", "the opening")
    return case[1], grant


def shown(ann: Visitor, case: str, grant: str) -> tuple[str, str]:
    """The line and the password that the pages show."""
    page = ann.post(f"/grants/{grant}/reveal/", page=ann.get(f"/requests/{case}/"))
    line = re.search(r'id="psql-line"[^>]*><code>([^<]+)<', page.text + ann.get(f"/requests/{case}/").text)
    password = re.search(r'id="password"[^>]*><code>([^<]+)<', page.text)
    assert line, page.text[:3000]
    assert password, page.text[:3000]
    return html.unescape(line[1]).strip(), html.unescape(password[1]).strip()


def facts(house: House, grant: str) -> tuple[object, ...]:
    """State of the grant."""
    return house.rows("SELECT state FROM portal_grant WHERE id = %s", [grant])[0]


def said(house: House, grant: str, name: str) -> list[dict[str, object]]:
    """Fields of the grant's events of one name."""
    query = "SELECT convert_from(body, 'UTF8')::jsonb -> 'fields' FROM audit_event WHERE subject = %s AND name = %s ORDER BY at"
    return [row[0] for row in house.rows(query, [f"grant:{grant}", name])]  # type: ignore[misc]  # JSON objects


def verdict(house: House, grant: str) -> object:
    """The last one on the grant's window."""
    judged = said(house, grant, "completeness.judged")
    return judged[-1]["verdict"] if judged else "nothing"


def heartbeats(house: House, grant: str) -> int:
    """How many stand around the window, with the server's own count of sessions in them."""
    query = """
    SELECT count(*) FROM audit_event WHERE name = 'source.heartbeat_sent'
      AND (convert_from(body, 'UTF8')::jsonb -> 'fields' ->> 'sessions_counted')::int > 0 AND at > %s
    """
    opened_at = said(house, grant, "grant.opening")[0]
    assert opened_at
    at = house.rows(
        "SELECT min(at) FROM audit_event WHERE subject = %s AND name = 'grant.opening'", [f"grant:{grant}"]
    )[0][0]
    return int(str(house.rows(query, [at])[0][0]))
