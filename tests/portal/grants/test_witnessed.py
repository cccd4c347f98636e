"""A policy may demand that the log's witnesses have seen the intent before anything opens."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from audit.log import checkpoints
from audit.log.proof import VerifiedInclusion
from audit.log.read import named
from audit.log.witness.listed import Listed
from portal.grants import opening, permits
from portal.policy.rules import Policy
from tests.witnesses import ONE, required, serving, witness
from tests.worlds import authorised, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
STRICT = Policy(witnessed=1)


def said() -> dict[str, Any]:
    (event,) = named(["grant.activated"])
    return {name: event.fields.get(name) for name in ("unsealed", "witnessed")}


def test_access_opens_once_the_required_witness_has_cosigned(tmp_path: Path, settings: Any) -> None:
    with serving(witness(ONE, tmp_path / "1")) as address:
        listed = Listed(ONE.cosigner(), address, True)
        required(settings, listed)
        with sealing(listed):
            grant = opening.run(authorised(make_world(policy=STRICT)).pk)
    assert (grant.state, said()) == ("active", {"unsealed": 0, "witnessed": 1})


@pytest.mark.parametrize("where", ["none is required", "it is away"])
def test_without_the_witness_nothing_opens(where: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 1)
    away = (Listed(ONE.cosigner(), "http://127.0.0.1:9", True),) if where == "it is away" else ()
    required(settings, *away)
    with sealing(*away):
        grant = opening.run(authorised(make_world(policy=STRICT)).pk)
    assert (grant.state, grant.last_trouble) == (
        "opening", "The log is not being witnessed, and the policy opens nothing before that. It is tried again.",
    )  # fmt: skip
    (event,) = named(["grant.opening_failed"])
    assert event.fields["code"] == "log_unwitnessed"


def test_the_policy_may_prefer_to_open_with_an_alarm(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 0.2)
    monkeypatch.setattr(permits.alarms, "propagate", True)
    required(settings)
    with sealing():
        grant = opening.run(authorised(make_world(policy=dataclasses.replace(STRICT, open_unsealed=1))).pk)
    assert (grant.state, said()) == ("active", {"unsealed": 1, "witnessed": 0})
    assert "although the log is not witnessed" in caplog.text


def test_without_the_rule_nothing_is_said_of_witnesses(settings: Any) -> None:
    with sealing():
        grant = opening.run(authorised(make_world()).pk)
    assert (grant.state, said()) == ("active", {"unsealed": 0, "witnessed": None})


def test_a_proof_is_witnessed_by_its_own_lines_alone(settings: Any) -> None:
    """No field of the proof says so that could be set: without the lines of the witnesses it is not."""
    required(settings, Listed(ONE.cosigner(), "http://127.0.0.1:9", True))
    with sealing():
        grant = authorised(make_world())
        row = opening.begin(by=opening.PORTAL, grant=grant)
        assert row.opening_event is not None
        proof = checkpoints.wait_for_inclusion(row.opening_event, 10)
    assert (isinstance(proof, VerifiedInclusion), checkpoints.is_witnessed(proof.checkpoint)) == (True, False)
