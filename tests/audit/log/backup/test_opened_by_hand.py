"""A backup opens with the ordinary tool, by the commands of the operator's page as they are printed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from audit.log.backup.target import folder_of
from tests.audit.log.backup.places import place
from tests.audit.log.logged import sealed
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def printed(words: str) -> str:
    """The command of the page that holds these words."""
    page = (settings.BASE_DIR / "docs/operate.md").read_text()
    return next(part for line in page.splitlines() for part in line.split("`") if words in part)


def ran(command: str, folder: Path) -> str:
    """What the shell says."""
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_age_opens_it_and_sha256sum_holds_it(tmp_path: Path) -> None:
    assert shutil.which("age"), "make packages: `portal.embedded packages test` brings it"
    world = make_world()
    sealed(3)
    backups = place(tmp_path)
    made = backups.backup()
    opens = printed("age --decrypt").replace("DIR", "backups").replace(folder_of("ID"), folder_of(made.id))
    assert f"\t{world.system.slug}\t" in ran(opens, tmp_path)
    checks = printed("sha256sum --check").replace("DIR", "backups").replace(folder_of("ID"), folder_of(made.id))
    said = ran(checks, tmp_path).splitlines()
    assert len(said) > 10
    assert {line.rpartition(": ")[2] for line in said} == {"OK"}


def test_personal_values_open_with_age_too_and_with_no_other_identity(tmp_path: Path) -> None:
    sealed(3)
    backups = place(tmp_path)
    backups.backup()
    (file,) = (path for path in (tmp_path / "backups").rglob("personal-*.age"))
    assert "Ada Lovelace" in ran(f"age --decrypt --identity backup.identity {file}", tmp_path)
    ran("age-keygen -o other.identity 2>/dev/null", tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        ran(f"age --decrypt --identity other.identity {file}", tmp_path)
