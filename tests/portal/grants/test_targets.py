"""Production opens nothing that is not real."""

import pytest
from pytest_django import Settings

from portal.connectors.base import BadSettings
from portal.grants.targets import connector_of
from portal.systems.models import System


def test_simulated_kind_is_refused_in_production(settings: Settings) -> None:
    system = System(connector="simulated")
    assert connector_of(system).kind == "simulated"
    settings.PORTAL_PRODUCTION = True
    with pytest.raises(BadSettings, match="demonstrations only"):
        connector_of(system)
