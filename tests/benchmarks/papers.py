"""From the read-back to the dossier in the mailbox, with every process of the portal real: what people wait for after a use."""

import email
import email.policy
import html
import re
import uuid

import psycopg

from portal.demo.personas import BY_KEY
from tests.benchmarks.rows import Row, at_most
from tests.faults.visiting import Visitor
from tests.faults.whole import House, running_house
from tests.servers import wait_until
from tests.web.walking import text_of

USES, BAR_S = 5, 60.0
SUBJECT = "Dossier: "
STATE = "SELECT id, state, login, (extract(epoch FROM ended_at) * 1000)::bigint FROM portal_grant WHERE request_id = %s"
PASSWORD = re.compile(r'id="password"[^>]*><code>([^<]+)<')


def use(house: House, ann: Visitor, number: int) -> str:
    """One bypass: opened, used, given back, read back. The case."""
    ((privilege,),) = house.rows("SELECT id FROM portal_privilege WHERE on_target = 'shop_support'")
    fields = {"criterion": "outage", "reason": f"Payments hang, for the {number}th time."}
    page = ann.post(f"/requests/bypass/?privilege={privilege}", fields)
    found = re.search(r"/requests/([0-9a-f-]{36})/", page.url)
    assert found, (page.status, page.url)
    case = str(uuid.UUID(found[1]))
    wait_until(lambda: _row(house, case)[1] == "active", "the access to open")
    grant, _, login, _ = _row(house, case)
    shown = ann.post(f"/grants/{grant}/reveal/", page=ann.get(f"/requests/{case}/"))
    password = PASSWORD.search(shown.text)
    assert password, shown.text[-3000:]
    with psycopg.connect(house.target_url(str(login), html.unescape(password[1])), autocommit=True) as session:
        session.execute("SELECT count(*) FROM shop.orders")
    ann.post(f"/grants/{grant}/return/", page=ann.get(f"/requests/{case}/"))
    wait_until(lambda: _row(house, case)[1] == "ended", "the access to be read back", 60)
    return case


def mailed_after(house: House, case: str) -> float:
    """Seconds from the read-back until the last of responder and owner has the paper of this case."""
    came: dict[str, int] = {}

    def there() -> bool:
        for key in ("ann", "mo"):
            found = [each.received for each in house.mails(BY_KEY[key].email) if _is_paper_of(each.content, case)]
            came.update({key: min(found)} if found else {})
        return len(came) == 2

    wait_until(there, "the dossier in both mailboxes", 180)
    return (max(came.values()) - int(str(_row(house, case)[3]))) / 1000


def _row(house: House, case: str) -> tuple[object, ...]:
    return house.rows(STATE, [case])[0]


def _is_paper_of(content: bytes, case: str) -> bool:
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not str(message["Subject"]).startswith(SUBJECT):
        return False
    papers = [part.get_content() for part in message.walk() if part.get_content_type() == "application/pdf"]
    return any(case in text_of(bytes(paper)) for paper in papers)


def rows() -> list[Row]:
    """One row: the longest of a few uses, one after the other."""
    with running_house() as house:
        ann = house.visitor("ann")
        took = [mailed_after(house, use(house, ann, number)) for number in range(1, USES + 1)]
    beside = "each: " + ", ".join(f"{each:.1f} s" for each in took)
    return [at_most(f"read-back to the dossier in both mailboxes, longest of {USES}", max(took), BAR_S, beside=beside)]
