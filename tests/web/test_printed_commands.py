"""The commands that the pages of docs print: each is there and takes what stands behind it. Names in capitals stand for files and addresses."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from audit.log.verify.command import main as verify
from audit.log.witness.__main__ import main as witness
from portal.embedded.state import CHECKOUT
from tests.web.test_readme import PAPERS, code_of

PRINTED = re.compile(r"(manage\.py|verify\.pyz|audit\.log\.verify|audit\.log\.witness) ([^`\n]+)")


def manage(words: list[str]) -> None:
    """Read the words as the command does, and do nothing. A name alone is no call: texts speak of commands too."""
    name, *options = words
    app = get_commands().get(name)
    if app is None:
        raise CommandError(f"Nothing is called {name}.")
    command = load_command_class(str(app), name)
    if options:
        command.create_parser("manage.py", name).parse_args(options)


READ: dict[str, Callable[[list[str]], object]] = {
    "manage.py": manage, "verify.pyz": verify, "audit.log.verify": verify, "audit.log.witness": witness,
}  # fmt: skip


def printed(paper: Path) -> list[tuple[str, str]]:
    return PRINTED.findall(code_of(paper))


def fault(program: str, words: str) -> str:
    """What the command says against its own words. Those that have no file to work on end with a status, and no exit."""
    try:
        READ[program](shlex.split(words, comments=True))
    except CommandError as error:
        return f"{program} {words}: {error}"
    except SystemExit as end:
        return f"{program} {words}: wrong words" if end.code else ""
    return ""


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(CHECKOUT)))
def test_paper_prints_only_commands_that_take_their_words(
    paper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [said for program, words in printed(paper) if (said := fault(program, words))] == []


def test_commands_are_found_where_operators_read_them() -> None:
    found = {name: len(printed(CHECKOUT / "docs" / name)) for name in ("operate.md", "failover.md", "witness.md")}
    assert [name for name, count in found.items() if count < 2] == []
