#!/usr/bin/env python
"""Run a command of the portal."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit(f"{sys.executable} has no Django. In a checkout: make venv, then .venv/bin/python manage.py ...")

    execute_from_command_line(sys.argv)
