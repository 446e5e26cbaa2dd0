"""Runs texts of standard input in the project, a line of JSON each, as "manage.py shell" would; tells their facts."""

import json
import sys
import traceback

import django

django.setup()
for line in sys.stdin:
    facts, error = {}, ""
    try:
        exec(compile(json.loads(line), "act", "exec"), {"facts": facts})
    except BaseException:
        error = traceback.format_exc()
    print(json.dumps({"facts": facts, "error": error}), flush=True)  # noqa: T201
