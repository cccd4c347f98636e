"""Sealed accounts: the register, who held one, new secrets, and the register against the target."""

from audit.facts.fold.changes import proposed, rule_change
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import AccountRun, Facts, given


def registered(facts: Facts, entry: LogEntry) -> None:
    """An account is kept under seal from now on."""
    account = entry.fields["account_id"]
    facts.put("accounts", account, **given(entry, "system_id", "custodian_id"))
    facts.accounts_by_login[entry.fields["system_id"], entry.fields["account"]] = account
    runs = facts.account_runs[entry.fields["system_id"]]
    if not runs or runs[-1].over is not None:
        runs.append(AccountRun(min(entry.at, entry.fields["effective_at"])))
    rule_change(facts, entry, "sealed_account")


def custodian_changed(facts: Facts, entry: LogEntry) -> None:
    """Another person keeps it. Facts know the first custodian alone."""
    if entry.fields.get("second"):
        return
    facts.change("accounts", entry.fields["account_id"], **given(entry, "custodian_id"))


def retired(facts: Facts, entry: LogEntry) -> None:
    """Out of use: it is in the register no longer, and no break-glass account any more."""
    account = entry.fields["account_id"]
    facts.accounts_by_login = {login: each for login, each in facts.accounts_by_login.items() if each != account}
    runs = facts.account_runs[entry.fields["system_id"]]
    if runs and not any(system == entry.fields["system_id"] for system, _ in facts.accounts_by_login):
        runs[-1].over = entry.at
    rule_change(facts, entry, "sealed_account")


def checked_out(facts: Facts, entry: LogEntry) -> None:
    """One person holds it."""
    facts.put("checkouts", entry.fields["grant_id"], **given(entry, "account_id", "person_id", "grant_id", "from_at"))


def checked_in(facts: Facts, entry: LogEntry) -> None:
    """Nobody holds it any more."""
    facts.put("checkouts", entry.fields["grant_id"], **given(entry, "account_id", "person_id", "grant_id", "to_at"))


def released(facts: Facts, entry: LogEntry) -> None:
    """A second person let the secret be shown: the same act as the showing, by another person."""
    facts.act(entry, "reveal", entry.case)
    facts.involved[entry.case].add(entry.fields["person_id"])


def rotated(facts: Facts, entry: LogEntry) -> None:
    """A new secret. Given again after a test that failed, the last one counts."""
    facts.put(
        "rotations", entry.fields["rotation_id"], tested_at=None, test_ok=None,
        **given(entry, "account_id", "grant_id", "rotated_at", "rotated_by"),
    )  # fmt: skip
    facts.change("accounts", entry.fields["account_id"], **given(entry, "rotated_at"))


def tested(facts: Facts, entry: LogEntry) -> None:
    """A login with it was tried."""
    ok = entry.fields["ok"]
    facts.change("rotations", entry.fields["rotation_id"], test_ok=ok, **given(entry, "tested_at"))
    if ok:
        facts.change("accounts", entry.fields["account_id"], enabled=1, **given(entry, "tested_at"))


def account_listed(facts: Facts, entry: LogEntry) -> None:
    """One account in the union of register and target. One that nobody registered has no id: its login stands for it, as the log commits to it."""
    account = entry.fields.get("account_id") or entry.commitments.get("login")
    facts.put(
        "account_matches", str(entry.id), account_id=account, at=entry.fields["taken_at"],
        **given(entry, "listing_id", "system_id", "in_register", "in_target"),
    )  # fmt: skip
    if "enabled" in entry.fields and "account_id" in entry.fields:
        facts.change("accounts", entry.fields["account_id"], **given(entry, "enabled"))


HANDLERS = {
    "sealed.proposed": proposed,
    "sealed.registered": registered,
    "sealed.custodian_changed": custodian_changed,
    "sealed.retired": retired,
    "sealed.checked_out": checked_out,
    "sealed.released": released,
    "sealed.checked_in": checked_in,
    "sealed.rotated": rotated,
    "sealed.tested": tested,
    "sealed.account_listed": account_listed,
}
