"""How a system is reached: its settings and its secret, decrypted only here and only when a connector is about to be called."""

from collections.abc import Mapping
from typing import Any

from portal.connectors.base import BadSettings, PasswordUnreadable, Secret, Target
from portal.secrets import SecretUnreadable, decrypt
from portal.systems.models import ProposedChange, System


def secret_context(system_id: object) -> str:
    """To what a system's secret is bound."""
    return f"system:{system_id}"


def target(system: System) -> Target:
    """The system as it stands.

    Raises:
        PasswordUnreadable: its password was kept under another key.
    """
    return Target(str(system.pk), system.connector, system.settings, _secret(system.secret, system.pk))


def proposed_target(change: ProposedChange) -> Target:
    """The system as a proposal would make it; a secret that was not given anew stays the present one.

    Raises:
        BadSettings: the present secret would go to another address than it belongs to, or with less protection, on one person's word.
    """
    system_id = change.system_id or change.after["id"]
    present = change.system.secret if change.system else None
    if (
        present
        and not change.secret
        and change.system
        and _way_to(change.after["settings"]) != _way_to(change.system.settings)
    ):
        raise BadSettings(
            "This leads to another address, and the present password is not sent there. Give the password with the change."
        )
    return Target(
        str(system_id),
        change.after["connector"],
        change.after["settings"],
        _secret(change.secret or present, system_id),
    )


def _way_to(settings: Mapping[str, Any]) -> list[Any]:
    """Where a secret goes, and what protects it on its way."""
    return [settings.get(name) for name in ("host", "port", "sslmode", "sslrootcert")]


def _secret(stored: bytes | memoryview | None, system_id: object) -> Secret | None:
    try:
        return Secret(decrypt(stored, secret_context(system_id))) if stored else None
    except SecretUnreadable:
        raise PasswordUnreadable(
            "The portal cannot read the password that it keeps for this system; it has to be entered again."
        ) from None
