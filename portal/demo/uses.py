"""What the demo's past uses and drills were like, as a table: who asked, decided and did what, and when. Invented throughout."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.access_requests.rules import Asked
from portal.connectors.simulated.activity import Act
from portal.demo.clock import at

Acts = tuple[tuple[datetime, Act], ...]
DRILLED = "Quarterly drill of the emergency way to {}: sign in, read the health page, sign out."


@dataclass(frozen=True)
class Use:
    """One past use. ``acts`` are what was done and when; ``late`` one act after the end over a kept session."""

    key: str
    system: str
    responder: str
    approver: str
    asked: Asked
    asked_at: datetime
    decided_at: datetime
    opened_at: datetime
    ended_at: datetime
    acts: Acts = ()
    own_approval_at: datetime | None = None
    late: tuple[datetime, Act] | None = None
    read_back_at: datetime | None = None
    released_by: str = ""  # who was the second person, where a sealed account's secret was shown
    lost: tuple[datetime, Act] | None = None  # done, and its record never reached the target's log
    longer: tuple[datetime, int] | None = None  # when the approver gave more time, and how many minutes
    kept_open: bool = False  # the target does not take it away, and says so
    refused: str = ""  # why the target did not open it
    repeats: str = ""  # the drill that failed before


def asked(mode: str, reason: str, classes: tuple[str, ...], incident: str, *, minutes: int = 60,
          criterion: str = "outage", category: str = "availability") -> Asked:  # fmt: skip
    """What the responder said."""
    return Asked(mode, criterion, reason, minutes, category, classes, incident)


def _mail_use(number: int, day: str) -> Use:
    reason = f"Customers report lost mail since this morning; look at what the quarantine holds back, report {number}."
    return Use(
        f"EARLIER-{number}", "mail", "emil", "jon", asked("approved", reason, ("data_read",), f"INC-211{number}"), at(f"{day} 07:00"),
        at(f"{day} 07:04"), at(f"{day} 07:05"), at(f"{day} 07:25"), ((at(f"{day} 07:10"), Act("list quarantine", "data_read", "ok", "quarantine")),),
    )  # fmt: skip


def _chart(number: int) -> tuple[datetime, Act]:
    when = at("2026-07-28 22:01") + timedelta(minutes=4 * number)
    return when, Act(f"open chart {number}", "data_read", "ok", f"chart {number}")


def _payslips(when: str, number: int) -> tuple[datetime, Act]:
    return at(f"2026-08-21 {when}"), Act(f"pay run: set payslip {number} right", "data_change", "ok", "payslips")


def drill(system: str, responder: str, approver: str, when: datetime, *, key: str = "", refused: str = "",
          repeats: str = "", released_by: str = "") -> Use:  # fmt: skip
    """A drill: asked, approved after four minutes, open a minute later, ten minutes long."""
    page = (when + timedelta(minutes=8), Act("open the health page", "session", "ok", "health page"))
    reason = DRILLED.format(system) + (" Repeated: the first one failed." if repeats else "")
    said = asked("drill", reason, ("data_read",), "", minutes=30, criterion="", category="drill")
    return Use(
        key or f"BG-12-{system}", system, responder, approver, said,
        when, when + timedelta(minutes=4), when + timedelta(minutes=5), when + timedelta(minutes=15), (page,), refused=refused, repeats=repeats,
        released_by=released_by,
    )  # fmt: skip


USES = (
    Use("BG-01", "billing", "ann", "ines",
        asked("approved", "Disk at 98 %, writes failing; the DBA role was lost in a role clean-up.", ("schema_change",), "INC-2041"),
        at("2026-07-03 02:00"), at("2026-07-03 02:05"), at("2026-07-03 02:06"), at("2026-07-03 02:50"),
        ((at("2026-07-03 02:11"), Act("SELECT * FROM pg_stat_user_tables", "catalogue_read", "ok", "pg_stat_user_tables")),
         (at("2026-07-03 02:26"), Act("DROP TABLE invoices_2019", "schema_change", "ok", "invoices_2019")))),
    Use("BG-02", "sso", "ben", "",
        asked("bypass", "Sign-on outage: nobody can sign in since a rule locks everybody out.", ("config_change",), "INC-2055"),
        at("2026-07-09 03:10"), at("2026-07-09 03:10"), at("2026-07-09 03:12"), at("2026-07-09 04:00"),
        ((at("2026-07-09 03:27"), Act("disable rule mfa-7", "config_change", "ok", "rule mfa-7")),), released_by="pia"),
    Use("BG-03", "aws", "ben", "",
        asked("bypass", "A bad security group rule cut off customers; take it back.", ("config_change",), "INC-2060"),
        at("2026-07-15 14:00"), at("2026-07-15 14:00"), at("2026-07-15 14:01"), at("2026-07-15 14:20"),
        ((at("2026-07-15 14:07"), Act("revoke-security-group-ingress sg-edge", "config_change", "ok", "sg-edge")),)),
    Use("BG-04", "k8s", "ben", "ines",
        asked("approved", "The control plane's certificate expired at night; renew it and restart the nodes.", ("config_change",), "INC-2071", minutes=120),
        at("2026-07-21 01:00"), at("2026-07-21 01:09"), at("2026-07-21 01:10"), at("2026-07-21 02:40"),
        ((at("2026-07-21 01:20"), Act("renew certificate apiserver", "config_change", "ok", "apiserver certificate")),
         (at("2026-07-21 01:50"), Act("restart node 1", "config_change", "ok", "node 1")))),
    Use("BG-05", "patient", "cleo", "",
        asked("bypass", "A ward cannot open a chart during a network fault; read it for them.", ("data_read",), "INC-2080", criterion="safety"),
        at("2026-07-28 22:00"), at("2026-07-28 22:00"), at("2026-07-28 22:01"), at("2026-07-28 22:41"), tuple(_chart(number) for number in range(1, 5))),
    Use("BG-06", "payments", "dan", "ines",
        asked("approved", "Payments queue stuck after a failover; look at it and restart the consumer.", ("config_change",), "INC-2088"),
        at("2026-08-04 02:00"), at("2026-08-04 02:19"), at("2026-08-04 02:20"), at("2026-08-04 02:35"), own_approval_at=at("2026-08-04 02:10")),
    Use("BG-07", "network", "dan", "",
        asked("bypass", "Routing loop after maintenance: half of the offices are cut off.", ("config_change",), "INC-2093"),
        at("2026-08-08 05:00"), at("2026-08-08 05:00"), at("2026-08-08 05:02"), at("2026-08-08 05:45"),
        ((at("2026-08-08 05:14"), Act("reload running-config", "config_change", "ok", "running-config")),)),
    Use("BG-08", "warehouse", "ann", "jon",
        asked("approved", "The nightly load failed; read its log and see what is missing.", ("data_read",), "INC-2101"),
        at("2026-08-14 04:00"), at("2026-08-14 04:09"), at("2026-08-14 04:10"), at("2026-08-14 05:10"),
        ((at("2026-08-14 04:25"), Act("SELECT * FROM load_log", "data_read", "ok", "load_log")),),
        late=(at("2026-08-14 05:47"), Act("SELECT * FROM customers", "data_read", "ok", "customers")), read_back_at=at("2026-08-14 05:50")),
    Use("BG-09", "payroll", "ann", "jon",
        asked("approved", "Urgent repair of the pay run: payslips are wrong, and the bank's file leaves at four.", ("data_change",), "INC-2104",
              minutes=90),
        at("2026-08-21 13:30"), at("2026-08-21 13:39"), at("2026-08-21 13:40"), at("2026-08-21 15:30"),
        (_payslips("13:52", 1), _payslips("13:55", 2), _payslips("15:00", 3)), lost=_payslips("14:20", 0), longer=(at("2026-08-21 15:00"), 30)),
    _mail_use(1, "2026-08-28"),
    _mail_use(2, "2026-09-03"),
    Use("BG-11", "storage", "vera", "jon",
        asked("approved", "Firmware fault on the array; the vendor's engineer patches one node.", ("config_change",), "INC-2117", minutes=240),
        at("2026-09-04 09:00"), at("2026-09-04 09:29"), at("2026-09-04 09:30"), at("2026-09-04 12:00"),
        ((at("2026-09-04 10:10"), Act("upgrade firmware node 2", "config_change", "ok", "node 2 firmware")),), kept_open=True),
    _mail_use(3, "2026-09-10"),
    Use("BG-10", "mail", "emil", "",
        asked("bypass", "need access", ("data_read",), ""),
        at("2026-09-16 20:00"), at("2026-09-16 20:00"), at("2026-09-16 20:01"), at("2026-09-16 20:26"),
        ((at("2026-09-16 20:06"), Act("list quarantine", "data_read", "ok", "quarantine")),)),
)  # fmt: skip
DRILLS = (
    drill("aws", "ben", "ines", at("2026-09-21 09:00"), key="BG-12-aws-first", refused="The token of the portal has expired."),
    drill("billing", "ann", "ines", at("2026-09-21 10:00")),
    drill("sso", "ben", "ines", at("2026-09-21 10:20"), released_by="pia"),
    drill("k8s", "ben", "ines", at("2026-09-21 11:00")),
    drill("patient", "cleo", "ines", at("2026-09-21 11:20")),
    drill("payments", "dan", "ines", at("2026-09-21 11:40")),
    drill("network", "dan", "jon", at("2026-09-21 12:00")),
    drill("warehouse", "ann", "jon", at("2026-09-21 12:20")),
    drill("payroll", "ann", "jon", at("2026-09-21 12:40")),
    drill("mail", "emil", "jon", at("2026-09-21 13:00")),
    drill("storage", "vera", "jon", at("2026-09-21 13:20")),
    drill("wiki", "emil", "jon", at("2026-09-21 13:40")),
    drill("aws", "ben", "ines", at("2026-09-22 09:00"), repeats="BG-12-aws-first"),
)  # fmt: skip
