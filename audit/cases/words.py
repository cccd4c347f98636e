"""Stored words as people read them. What is not in a table is shown as it is stored, with spaces."""

MODES = {"approved": "With approval", "bypass": "Bypass", "drill": "Drill"}
CRITERIA = {
    "outage": "A service is down, or about to be",
    "security": "An attack or leak is going on",
    "safety": "People could come to harm",
    "deadline": "A legal or payment deadline would be missed",
}
CATEGORIES = {
    "availability": "Something is down or failing",
    "security": "A security incident",
    "data_repair": "Data is wrong and must be repaired",
    "safety": "People could come to harm",
    "other": "Something else",
}
CLASSES = {
    "data_read": "Data read",
    "data_change": "Data change",
    "schema_change": "Schema change",
    "config_change": "Configuration change",
    "permission_change": "Permission change",
    "session": "Session",
    "catalogue_read": "Catalogue read",
    "other": "Other",
}
OUTCOMES = {
    "ok": "Done",
    "no_error_seen": "No error seen",
    "denied": "Denied",
    "failed": "Failed",
    "unknown": "Unknown",
}
JUDGED = {
    "accepted": "accepted",
    "accepted_with_findings": "accepted, with findings to put right",
    "not_accepted": "not accepted",
}
"""What a review came to."""
ENDS = {
    "returned": "the responder was done",
    "expired": "the time was over",
    "revoked": "somebody else ended it",
    "failed": "it could not be opened",
    "laid_in": "the first secret",
    "used": "it was shown in a use",
    "changed": "its custodian changed it",
    "handed_over": "another custodian",
    "offline": "its cards were used",
    "renewed": "new cards were wanted",
}
METHODS = {
    "password": "a password alone",
    "totp": "an authenticator code",
    "recovery": "a recovery code",
    "webauthn": "a passkey or security key",
    "webauthn_new": "a passkey that was added with a code shortly before",
    "smartcard": "a smart card",
    "hardware_otp": "a hardware token",
}
"""How somebody proved who they are."""
ALERTS = {
    "request.asked": "approval asked",
    "request.bypass_opened": "bypass",
    "grant.opened": "opened",
    "grant.ended": "ended",
    "grant.ending_soon": "ending soon",
    "grant.close_failed": "closing failed",
    "grant.opening_failed": "opening failed",
    "dossier.ready": "dossier ready",
    "receiver.changed": "receiver of alerts changed",
    "channel.failed": "channel takes nothing",
    "receiver.trial": "trial",
}
PROCESSES = {
    "sweep": "The sweep",
    "portal": "The portal",
    "gather": "The gatherer",
    "completeness": "The judging of completeness",
    "process": "A process",
}


def plain(code: str) -> str:
    """``session_cut`` -> ``session cut``; ``request.lapsed`` -> ``request lapsed``."""
    return code.replace("_", " ").replace(".", " ")


def process_name(actor: str) -> str:
    """``process:sweep`` -> ``The sweep``."""
    name = actor.removeprefix("process:")
    return PROCESSES.get(name, f"The {plain(name)}")


def minutes(count: int) -> str:
    """``1 minute``, ``60 minutes``."""
    return f"{count} minute{'' if count == 1 else 's'}"
