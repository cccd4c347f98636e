"""Connectors open, close, list and read back access on targets: one folder for each kind, no models."""

from portal.connectors.base import BadSettings, Connector


def for_kind(kind: str) -> Connector:
    """The connector of a kind. Raises BadSettings for a kind that is not known."""
    if kind == "postgresql":
        from portal.connectors.postgresql import PostgreSQL  # noqa: PLC0415 - a kind costs nothing until it is used

        return PostgreSQL()
    if kind == "simulated":
        from portal.connectors.simulated import Simulated  # noqa: PLC0415 - as above

        return Simulated()
    if kind == "sealed":
        from portal.connectors.sealed import Sealed  # noqa: PLC0415 - as above

        return Sealed()
    raise BadSettings(f"There is no connector for systems of the kind {kind!r}.")
