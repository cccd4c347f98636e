"""Broker, worker, beat, mail and sealer down, each alone and all together: the glass breaks as the policy says and is on record,
pages say what is late, and what was queued goes out afterwards."""

import re
import uuid
from dataclasses import dataclass

import psycopg
import pytest

from audit.log.append import now_ms
from portal.grants import opening, permits
from portal.policy.rules import Policy
from tests.faults.visiting import Visitor
from tests.faults.whole import HELPERS, House
from tests.servers import wait_until
from tests.worlds import authorised, make_world

SETS = [*((each,) for each in HELPERS), HELPERS]
ROWS = {
    "broker": "Broker",
    "worker": "Worker",
    "beat": "Beat",
    "sealer": "Sealer",
}  # on the status page; mail shows at the outbox


@dataclass(frozen=True)
class Bypass:
    """One broken glass: its request, and what the database says of it."""

    house: House
    case: str

    def row(self) -> tuple[object, ...]:
        """State of the grant, its login, its trouble."""
        return self.house.rows(
            "SELECT state, login, last_trouble, id, expires_at FROM portal_grant WHERE request_id = %s", [self.case]
        )[0]

    @property
    def state(self) -> str:
        return str(self.row()[0])

    def events(self) -> list[str]:
        found = self.house.rows('SELECT name FROM audit_event WHERE "case" = %s ORDER BY at', [self.case])
        return [str(row[0]) for row in found]

    def unsent(self) -> int:
        return int(
            str(
                self.house.rows('SELECT count(*) FROM portal_alert WHERE "case" = %s AND sent_at IS NULL', [self.case])[
                    0
                ][0]
            )
        )


def _break(house: House, ann: Visitor, words: str) -> Bypass:
    privilege = house.rows("SELECT p.id FROM portal_privilege p WHERE p.on_target = 'shop_support'")[0][0]
    page = ann.post(f"/requests/bypass/?privilege={privilege}", {"criterion": "outage", "reason": words})
    found = re.search(r"/requests/([0-9a-f-]{36})/", page.url)
    assert page.status == 200, page.text[:2000]
    assert found, page.url
    return Bypass(house, str(uuid.UUID(found[1])))


def _name(down: tuple[str, ...]) -> str:
    return "+".join(down).replace(" ", "_")


ALL_SETS = [pytest.param(each, marks=[] if each == HELPERS else pytest.mark.faults, id=_name(each)) for each in SETS]


@pytest.mark.parametrize("down", ALL_SETS)
def test_glass_breaks_without(house: House, down: tuple[str, ...]) -> None:
    ann, mo = house.visitor("ann"), house.visitor("mo")
    began = now_ms()
    with house.without(*down):
        broken = _break(house, ann, f"Payments hang without {', '.join(down)}.")
        assert {"request.made", "grant.authorised", "grant.opening"} <= set(broken.events())
        if "sealer" in down:  # the demo's policy opens nothing before its intent is sealed, and says so
            wait_until(lambda: "not being sealed" in str(broken.row()[2]), "the trouble to be told")
            assert "not being sealed" in ann.get(f"/requests/{broken.case}/").text
            assert broken.state == "opening"
        else:
            wait_until(lambda: broken.state == "active", "the access to open")
        wait_until(lambda: _late_is_said(mo, down), "the status page to say what is late", 60)
        if "mail sink" in down:
            assert broken.unsent() >= 4
            assert re.search("Mail waits|Mail is late", mo.get(f"/requests/{broken.case}/").text)
    wait_until(lambda: broken.state == "active", "the access to open", 90)
    wait_until(lambda: broken.unsent() == 0, "what was queued to go out", 90)
    told = {
        each
        for mail in house.mails()
        if mail.received >= began and b"broke the glass" in mail.content
        for each in mail.recipients
    }
    assert {
        "ines@breakglass.example",
        "jon@breakglass.example",
        "mo@breakglass.example",
        "security@breakglass.example",
    } <= told
    _end(house, ann, broken)


def _late_is_said(mo: Visitor, down: tuple[str, ...]) -> bool:
    text = mo.get("/status/").text
    return all("Down" in _row(text, ROWS[each]) for each in down if each in ROWS)


def _row(text: str, name: str) -> str:
    """The table row of one name."""
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)
    return next((row for row in rows if f">{name}<" in row), "")


def _end(house: House, ann: Visitor, broken: Bypass) -> None:
    grant, login = broken.row()[3], str(broken.row()[1])
    ann.post(f"/grants/{grant}/return/", page=ann.get(f"/requests/{broken.case}/"))
    wait_until(lambda: broken.state == "ended", "the access to be read back", 60)
    with psycopg.connect(house.target, autocommit=True) as target:
        assert target.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchall() == []
    assert [name for name in broken.events() if name in ("grant.activated", "grant.ended")] == [
        "grant.activated",
        "grant.ended",
    ]


@pytest.mark.django_db(transaction=True)
def test_policy_may_prefer_to_open_unsealed_with_an_alarm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 0.2)
    monkeypatch.setattr(permits.alarms, "propagate", True)
    grant = opening.run(authorised(make_world(policy=Policy(open_unsealed=1))).pk)
    alarmed = {record.levelname for record in caplog.records if "not sealed" in record.message}
    assert (grant.state, alarmed) == ("active", {"CRITICAL"})
