"""`manage.py` where no portal is installed."""

import subprocess
import sys

from portal.embedded.state import CHECKOUT


def test_a_python_without_django_is_told_which_one_to_take() -> None:
    bare = [sys.executable, "-S", "manage.py", "verifier"]  # without what is installed beside it
    ran = subprocess.run(bare, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    said = f"{sys.executable} has no Django. In a checkout: make venv, then .venv/bin/python manage.py ...\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", said)
