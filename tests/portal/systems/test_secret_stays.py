"""The portal's password on a target goes nowhere else because one person proposes another address."""

import pytest

from portal.connectors.base import BadSettings, Check, Target
from portal.people.models import Person
from portal.systems import actions, probing
from portal.systems.facts import CHANGE
from portal.systems.models import ProposedChange, System
from portal.systems.targets import proposed_target
from tests.portal.systems.test_systems import PASSWORD, described, registered
from tests.worlds import actor

pytestmark = pytest.mark.django_db(transaction=True)


def proposed(
    by: Person, owner: Person, system: System, settings: dict[str, object], secret: str = ""
) -> ProposedChange:
    after = described(owner, settings={**system.settings, **settings})
    return actions.propose(by=actor(by), kind=CHANGE, system=system, after=after, secret=secret)


@pytest.mark.parametrize(
    "change", [{"host": "elsewhere.example"}, {"port": 5433}, {"sslmode": "prefer"}, {"sslrootcert": "/tmp/ca.pem"}]
)
def test_present_password_is_not_sent_to_a_proposed_address(
    change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    pia, quinn, system = registered()
    reached: list[Target] = []
    monkeypatch.setattr(probing, "for_kind", lambda _: Asked(reached))
    lure = proposed(pia, quinn, system, change)
    with pytest.raises(BadSettings):
        proposed_target(lure)
    checks = probing.test_connection(by=actor(pia), about=lure)
    assert (reached, [each.ok for each in checks]) == ([], [False])


def test_password_given_with_the_change_goes_there() -> None:
    pia, quinn, system = registered()
    there = proposed_target(proposed(pia, quinn, system, {"host": "elsewhere.example"}, secret="a newer one"))
    assert there.password is not None
    assert there.password.reveal() == "a newer one"


def test_same_address_is_tested_with_the_present_password() -> None:
    pia, quinn, system = registered()
    there = proposed_target(proposed(pia, quinn, system, {"dbname": "shop2"}))
    assert there.password is not None
    assert there.password.reveal() == PASSWORD


class Asked:
    """Stands for a connector, to see whether it is called at all."""

    def __init__(self, reached: list[Target]) -> None:
        self.reached = reached

    def test(self, target: Target) -> tuple[Check, ...]:
        self.reached.append(target)
        return ()
