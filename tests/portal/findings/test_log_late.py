"""Each outage of what keeps the log is one finding that administrators and the security list are told of; that of sealing is told elsewhere."""

from typing import Any

import pytest

from audit.log.late_parts import Part
from audit.log.lateness import WATCHER, note_late
from portal.findings import intake
from portal.findings.models import Finding
from portal.notifications.models import Alert
from tests.audit.log.logged import sealed
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_outage_is_one_finding_with_an_alert_of_its_own_and_sealing_is_none(settings: Any) -> None:
    world = make_world()
    world.pia.roles.update(system=None)
    settings.PORTAL_SECURITY_LIST = ["security@example.org"]
    for what in ("sealing", "publication", "witness w.example"):
        note_late(by=WATCHER, part=Part(what, 1, 0, "It stopped.", "Look."), since=1)
    sealed(0)
    assert (intake.run(), intake.run()) == (2, 0)
    found = sorted((each.kind, each.title) for each in Finding.objects.all())
    assert found == [
        ("log late", "What keeps the log is late: publication"),
        ("log late", "What keeps the log is late: witness w.example"),
    ]
    told = [(each.recipient, each.address) for each in Alert.objects.filter(kind="finding.raised").order_by("pk")]
    assert sorted(told, key=str) == sorted([(world.pia, ""), (None, "security@example.org")] * 2, key=str)
