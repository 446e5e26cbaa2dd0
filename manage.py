#!/usr/bin/env python
"""Orchard's command line; the toolkit's commands come with its app."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
    # The toolkit shares the proxy's route table, which is not installed in this tree.
    sys.path.append(str(Path(__file__).resolve().parent / "proxy"))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
