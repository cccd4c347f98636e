"""Every page of the portal in the demo's data: who looks at it, and of which thing. Read by the sweep over all of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from portal.clock import now
from portal.demo.personas import BY_KEY
from tests.faults.visiting import Page, Visitor
from tests.faults.whole import House
from tests.servers import wait_until

NOBODY, PENDING, NEWCOMER, BEGINNER = "nobody", "pending", "newcomer", "beginner"
NEW_PASSWORD = "a long password for a newcomer"

# What answers GET and is no page of its own.
NOT_PAGES = {
    "health_live": "for machines", "health_ready": "for machines", "log_checkpoint": "a file", "log_bytes": "a file", "log_proof": "a file",
    "calendar_feed": "a file", "log_grown": "a file", "pack_timestamp": "a file",
    "demo_mail_attachment": "a file", "request_live": "part of request_page", "request_ends": "part of request_new",
    "case_activity": "part of case_page", "case_acts": "part of review_acts", "case_act_rows": "part of review_acts", "grant_reveal": "leads to request_page",
    "review_moved": "leads to review_page",
    "incident_timeline": "part of incident_page", "item_decide": "leads to campaign_page",
}  # fmt: skip

# Page: who looks, the thing that it is about, and what follows its address.
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "sign_in": ((NOBODY, "", ""),), "second_factor": ((PENDING, "", ""),), "first_password": ((NEWCOMER, "", ""),),
    "enrol": ((BEGINNER, "", ""), ("ann", "", "")), "recovery": ((PENDING, "", ""), ("ann", "", "?next=/")),
    "step_up": (("ann", "", "?next=/"),), "new_password": (("ann", "", ""),), "sign_ins": (("ann", "", ""),),
    "passkey_new": (("ann", "", ""),),
    "home": tuple((key, "", "") for key in ("ann", "mo", "rosa")),
    "people": (("pia", "", ""),), "person_new": (("pia", "", ""),), "person_page": (("pia", "person", ""),),
    "person_manager": (("pia", "person", ""),), "person_sponsor": (("pia", "outside person", ""),),
    "reset_new": (("pia", "person", ""),), "reset_page": (("mo", "reset", ""), ("ann", "reset", "")),
    "lost_ranges": (("pia", "", ""),), "lost_range_page": (("quinn", "lost", ""),),
    "retention": (("pia", "", ""), ("rosa", "", "")),
    "erasing": (("pia", "", ""), ("rosa", "", "")), "erasure_new": (("pia", "left person", ""),), "erasure_page": (("quinn", "erasure", ""),),
    "hold_person": (("pia", "person", ""),), "hold_case": (("pia", "open", ""),), "hold_page": (("pia", "hold", ""), ("pia", "said hold", "")),
    "stops": (("mo", "", ""), ("ann", "", "")), "stop_all": (("pia", "", ""),), "stop_system": (("ines", "shop", ""),),
    "stop_page": (("mo", "stop", ""), ("dan", "stop", "")), "grant_revoke": (("mo", "open grant", ""),),
    "figures": (("rosa", "", ""),), "signals": (("rosa", "", ""),),
    "lists": (("rosa", "", ""), ("ann", "", "")),
    "personnel_lists": (("pia", "", ""),), "personnel_new": (("pia", "", ""),), "personnel_page": (("pia", "personnel", ""),),
    "systems": (("pia", "", ""), ("mo", "", "")), "system_new": (("pia", "kind", ""),), "system_page": (("pia", "shop", ""), ("rosa", "shop", "")),
    "system_change": (("pia", "shop", ""),), "privilege_new": (("pia", "shop", ""),), "source_declare": (("pia", "shop", ""),),
    "change_page": (("pia", "change", ""),), "role_new": (("pia", "", ""),), "role_page": (("pia", "role", ""),), "role_lend": (("ines", "", ""),),
    "eligibility_new": (("mo", "", ""),), "eligibility_page": (("mo", "eligibility", ""),),
    "sealed": (("otto", "", ""), ("mo", "", "")), "sealed_new": (("pia", "", ""),), "sealed_page": (("otto", "sealed", ""), ("nora", "cards", "")),
    "offline_use": (("ben", "cards", ""),),
    "rotas": (("ines", "", ""), ("pia", "", "")), "rota_new": (("pia", "shop", ""),), "rota_page": (("ines", "rota", ""),),
    "rota_change": (("pia", "rota", ""),),
    "policies": (("pia", "", ""),), "policy_system": (("pia", "shop", ""),), "policy_new": (("pia", "shop", ""),),
    "policy_version": (("pia", "version", ""),), "policy_confirm": (("quinn", "policy in force", ""),),
    "requests": (("ann", "", "?list=mine"), ("mo", "", "?list=waiting"), ("jon", "", "?list=waiting")),
    "request_new": (("ann", "", ""), ("dan", "", "")), "request_bypass": (("ann", "", ""), ("dan", "", "")),
    "request_several": (("ann", "", "?sent=1"),), "incident_page": (("ann", "", "?ref=INC-2101"), ("jon", "", "?ref=INC-2101")),
    "request_page": (("ann", "open", ""), ("mo", "open", ""), ("ann", "waiting", ""), ("jon", "waiting", ""), ("ann", "owing", "")),
    "request_supplement": (("ann", "owing", ""),),
    "findings": (("mo", "", ""), ("mo", "", "?show=closed")), "finding_raise": (("mo", "", ""),), "finding_page": (("mo", "finding", ""),),
    "reviews": (("kim", "", ""), ("kim", "", "?show=done")), "review_page": (("kim", "review", ""), ("kim", "judging", ""), ("kim", "offline review", "")),
    "review_judges": (("mo", "", ""),), "review_away": (("kim", "", ""),), "review_after": (("kim", "judging", ""), ("mo", "review", "")),
    "review_acts": (("kim", "judging", ""), ("kim", "judging", "?only=attention")),
    "calendar": (("mo", "", ""), ("ann", "", "")),
    "drills": (("ann", "", ""), ("mo", "", "")), "drill_new": (("ann", "", ""), ("dan", "", "")), "drill_page": (("ann", "drill", ""),),
    "campaigns": (("nora", "", ""), ("pia", "", "")), "campaign_page": (
        ("nora", "campaign", ""), ("mo", "campaign waiting", "?view=rows"), ("mo", "campaign waiting", ""),
    ),
    "campaign_line": (("mo", "line", ""),), "campaign_judging": (("mo", "campaign", ""),),
    "alerts": (("mo", "", ""),),
    "alert_link": ((NOBODY, "link", ""),), "receivers": (("pia", "", ""),), "receiver_new": (("pia", "", ""),), "receiver_page": (("pia", "receiver", ""),),

    "status_page": (("mo", "", ""),),
    "case_list": (("rosa", "", ""),), "case_page": (("rosa", "case", ""), ("rosa", "open", "")), "case_statements": (("rosa", "case", ""),),
    "incident_cases": (("rosa", "", "?ref=INC-2041"),),
    "case_dossier": (("rosa", "case", ""),), "pack_list": (("rosa", "", ""),), "pack_new": (("rosa", "", ""),), "pack_page": (("rosa", "pack", ""),),
    "log_page": (("rosa", "", ""),), "log_entry": (("rosa", "entry", ""),),
    "demo_personas": ((NOBODY, "", ""),), "demo_mails": ((NOBODY, "", ""),), "demo_tamper": ((NOBODY, "", ""),), "demo_try": (("ann", "open grant", ""),),
}  # fmt: skip


@dataclass
class Furnished:
    """A house with something for every page: what the demo's past does not hold is asked, opened and ordered here."""

    house: House

    @cached_property
    def things(self) -> dict[str, dict[str, object]]:
        """Arguments of addresses."""
        opened = self._bypass("shop_support", "A look at every page: payments hang.")
        owing = self._bypass("billing_emergency", "A look at every page: writes fail.")
        self._give_back(self._grant_of(owing))
        return {
            "": {}, "kind": {"kind": "simulated"}, "entry": {"index": 3}, "shop": self._one("portal_system WHERE slug = 'shop'"),
            "person": self._one(f"portal_person WHERE email = '{BY_KEY['ann'].email}'"),
            "outside person": self._one(f"portal_person WHERE email = '{BY_KEY['vera'].email}'"),
            "change": self._one("portal_proposedchange ORDER BY proposed_at DESC"), "role": self._one("portal_roleassignment"),
            "eligibility": self._one("portal_eligibility"), "version": self._one("portal_policyversion"),
            "policy in force": self._one("portal_policyversion WHERE effective_from IS NOT NULL AND effective_to IS NULL"),
            "finding": self._one("portal_finding"), "review": self._one("portal_review WHERE submitted_at IS NOT NULL"), "judging": self._judging(),
            "campaign": self._one("portal_campaign WHERE state = 'closed' AND system_id IS NOT NULL"),
            "campaign waiting": self._one("portal_campaign WHERE state = 'open'"),
            "line": self._one("portal_item WHERE state = 'undecided'"),
            "case": self._one("portal_accessrequest ORDER BY requested_at"), "personnel": self._personnel(),
            "sealed": self._one("portal_sealedaccount WHERE kept_by = 'custodian'"),
            "cards": self._one("portal_sealedaccount WHERE kept_by = 'cards'"), "offline review": self._offline_review(),
            "open": {"pk": opened}, "owing": {"pk": owing}, "open grant": {"pk": self._grant_of(opened)},
            "waiting": {"pk": self._waiting()}, "drill": {"pk": self._drill()}, "pack": {"pk": self._pack()}, "link": {"token": self._link()},
            "stop": {"pk": self._stop()}, "receiver": {"pk": self._receiver()}, "reset": {"pk": self._reset()},
            "rota": {"pk": self._one("portal_rota WHERE name = 'On call'")["pk"]},
            "said hold": {"pk": self._said_hold()}, "hold": {"pk": self._hold()}, **self._gone(), "lost": {"pk": self._lost()},
        }  # fmt: skip

    def leave(self) -> None:
        """End what was opened here, lift what was stopped, and send nothing more to whom nobody reaches."""
        stop = self.things["stop"]["pk"]
        for who, act, said in (("mo", "ask-lift", {"reason": "Looked at."}), ("nora", "lift", {})):
            visitor = self.house.visitor(who)
            answer = visitor.post(f"/stops/{stop}/{act}/", said, page=visitor.get(f"/stops/{stop}/"))
            assert answer.status == 200, answer.text[-3000:]
        self._give_back(self.things["open grant"]["pk"])
        pia, receiver = self.house.visitor("pia"), f"/receivers/{self.things['receiver']['pk']}/"
        answer = pia.post(f"{receiver}retire/", page=pia.get(receiver))
        assert answer.status == 200, answer.text[-3000:]

    def _give_back(self, grant: object) -> None:
        answer = self._ann.post(f"/grants/{grant}/return/", page=self._ann.get("/"))
        assert answer.status == 200, answer.text[-3000:]

    @cached_property
    def _ann(self) -> Visitor:
        return self.house.visitor("ann")

    def _bypass(self, on_target: str, reason: str) -> str:
        address = f"/requests/bypass/?privilege={self._one('portal_privilege WHERE on_target = %s', on_target)['pk']}"
        return _last(self._ann.post(address, {"criterion": "outage", "reason": reason}))

    def _reset(self) -> str:
        """Of Ann, who has signed in; nobody has said yes, so nothing of hers stands still."""
        ann = self._one(f"portal_person WHERE email = '{BY_KEY['ann'].email}'")["pk"]
        return _last(
            self.house.visitor("pia").post(f"/people/{ann}/factor-reset/", {"reason": "A look at every page."})
        )

    def _hold(self) -> str:
        """On somebody whom no other look is about."""
        lea = self._one("portal_person WHERE email = %s", BY_KEY["lea"].email)["pk"]
        return _last(self.house.visitor("pia").post(f"/people/{lea}/hold/", {"reason": "A look at every page."}))

    def _said_hold(self) -> str:
        """Known to the log alone."""
        hold = self._hold()
        self.house.rows("DELETE FROM portal_legalhold WHERE id = %s RETURNING id", [hold])
        return hold

    def _lost(self) -> str:
        """A minute of the log, as one administrator says."""
        said = {"from_at": "2026-01-01T10:00:00Z", "to_at": "2026-01-01T10:01:00Z", "reason": "A look at every page."}
        return _last(self.house.visitor("pia").post("/lost/", said))

    def _gone(self) -> dict[str, dict[str, object]]:
        """Somebody who came and left; erasing what is kept of them waits."""
        pia, email = self.house.visitor("pia"), "gus@breakglass.example"
        pia.post("/people/new/", {"name": "Gus Gone", "email": email})
        gus = self._one("portal_person WHERE email = %s", email)
        pia.post(f"/people/{gus['pk']}/left/", page=pia.get(f"/people/{gus['pk']}/"))
        said = {"basis": "asked", "reason": "A look at every page."}
        return {"left person": gus, "erasure": {"pk": _last(pia.post(f"/people/{gus['pk']}/erase/", said))}}

    def _offline_review(self) -> dict[str, object]:
        """Of cards that Ben says he used."""
        cards = self._one("portal_sealedaccount WHERE kept_by = 'cards'")["pk"]
        said = {
            "from_at": f"{now() - timedelta(hours=2):%Y-%m-%dT%H:%M}", "to_at": f"{now():%Y-%m-%dT%H:%M}",
            "criterion": "outage", "reason": "A look at every page: the portal was dead, so both cards were fetched.",
        }  # fmt: skip
        _last(self.house.visitor("ben").post(f"/sealed/{cards}/used/", said))
        return self._one("portal_review WHERE of_set_id IS NOT NULL")

    def _stop(self) -> str:
        """Of a system that no other look asks for."""
        system = self._one("portal_system WHERE slug = 'payments'")["pk"]
        return _last(self.house.visitor("mo").post(f"/systems/{system}/stop/", {"reason": "A look at every page."}))

    def _waiting(self) -> str:
        address = f"/requests/new/?privilege={self._one('portal_privilege WHERE on_target = %s', 'warehouse_emergency')['pk']}"
        said = {
            "criterion": "outage", "reason": "The nightly load failed; read its log and see what is missing.", "category": "availability",
            "intended_classes": ["data_read"], "incident_ref": "INC-2101", "minutes": "30",
        }  # fmt: skip
        return _last(self._ann.post(address, said))

    def _judging(self) -> dict[str, object]:
        """A review that Kim has taken."""
        not_done = "portal_review WHERE state <> 'submitted' ORDER BY due_at"
        wait_until(lambda: bool(self.house.rows(f"SELECT id FROM {not_done}", ())), "a review", 90)
        waits = self._one(not_done)
        self.house.visitor("kim").post(f"/reviews/{waits['pk']}/claim/")
        return waits

    def _drill(self) -> str:
        address = (
            f"/drills/new/?privilege={self._one('portal_privilege WHERE on_target = %s', 'warehouse_emergency')['pk']}"
        )
        return _last(
            self._ann.post(address, {"act": "Sign in, read the health page, sign out again.", "minutes": "10"})
        )

    def _pack(self) -> str:
        rosa, shop = self.house.visitor("rosa"), str(self._one("portal_system WHERE slug = 'mail'")["pk"])
        said = {
            "first": "2026-08-01",
            "last": "2026-08-31",
            "systems": [shop],
            "frameworks": ["soc2"],
            "purpose": "A look at every page.",
        }
        form = rosa.get("/packs/new/")
        frameworks = _values(form, "frameworks")[:1]
        return _last(rosa.post("/packs/new/", {**said, "frameworks": frameworks}, page=form))

    def _receiver(self) -> object:
        """Out of reach: nobody listens, and the page says so."""
        pia = self.house.visitor("pia")
        said = {"name": "Pager", "url": "https://127.0.0.1:9/hook", "topics": ["call", "failure"]}
        answer = pia.post("/receivers/new/", said, page=pia.get("/receivers/new/"))
        assert answer.status == 200, answer.text[-3000:]
        return self._one("portal_receiver")["pk"]

    def _link(self) -> str:
        """Out of any mail."""
        mails = Visitor(self.house.url)
        wait_until(lambda: "/alerts/seen/" in mails.get("/demo/mails/").text, "a mail", 60)
        found = re.search(r"/alerts/seen/([\w.-]+)/", mails.get("/demo/mails/").text)
        assert found
        return found[1]

    def _personnel(self) -> dict[str, object]:
        """A list on which Ann is missing, one is new, and nothing was decided."""
        everybody = self.house.rows(
            "SELECT email, name FROM portal_person WHERE left_at IS NULL AND email <> %s", [BY_KEY["ann"].email]
        )
        lines = ["email,name", *(f"{email},{name}" for email, name in everybody), "new@breakglass.example,Somebody New"]
        content = "\n".join(lines).encode()
        said = {"query": "SELECT email, name FROM people", "taken_at": f"{now():%Y-%m-%dT%H:%M}"}
        return {
            "pk": _last(self.house.visitor("pia").upload("/people/lists/new/", said, ("file", "people.csv", content)))
        }

    def _grant_of(self, request: str) -> object:
        return self._one("portal_grant WHERE request_id = %s", request)["pk"]

    def _one(self, where: str, *values: object) -> dict[str, object]:
        return {"pk": self.house.rows(f"SELECT id FROM {where} LIMIT 1", values)[0][0]}

    def visitor(self, who: str) -> Visitor:
        """A persona, or somebody on the way in."""
        ways: dict[str, Callable[[], Visitor]] = {
            NOBODY: lambda: Visitor(self.house.url), PENDING: self._pending, NEWCOMER: lambda: self._newcomer("Noa"),
            BEGINNER: self._beginner,
        }  # fmt: skip
        return ways[who]() if who in ways else self.house.visitor(who)

    def _pending(self) -> Visitor:
        """Past the password, before the second factor."""
        visitor = Visitor(self.house.url)
        visitor.post("/sign-in/", {"email": BY_KEY["lea"].email, "password": BY_KEY["lea"].password})
        return visitor

    def _newcomer(self, name: str) -> Visitor:
        """Signed in with a one-time password."""
        email = f"{name.lower()}{len(self.house.rows('SELECT id FROM portal_person'))}@breakglass.example"
        shown = self.house.visitor("pia").post("/people/new/", {"name": name, "email": email})
        visitor = Visitor(self.house.url)
        visitor.post("/sign-in/", {"email": email, "password": _shown(shown)})
        return visitor

    def _beginner(self) -> Visitor:
        """Chose a password, and enrols next."""
        visitor = self._newcomer("Nils")
        visitor.post("/sign-in/password/", {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
        return visitor


def _last(page: Page) -> str:
    """The id in the address that one landed on."""
    assert page.status == 200, (page.status, page.url, page.text[-3000:])
    return page.url.rstrip("/").rsplit("/", 1)[1]


def _values(page: Page, name: str) -> list[str]:
    return re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page.text)


def _shown(page: Page) -> str:
    found = re.search(r'id="one-time"[^>]*><code>([^<]+)<', page.text)
    assert found, page.text[:3000]
    return found[1]
