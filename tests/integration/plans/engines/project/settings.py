"""The monolith's settings; with SERVED set those of its service. Where the databases are stands in the environment.

Django's driver for MariaDB is mysqlclient, where that is installed, else PyMySQL.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ENGINES = {"postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite3"}


def database(dsn):
    where = urlsplit(dsn)
    options = {}
    if where.scheme == "mysql" and find_spec("MySQLdb") is None:
        import pymysql

        pymysql.install_as_MySQLdb()
    if where.scheme == "sqlite":
        options = {"init_command": "PRAGMA journal_mode = WAL", "transaction_mode": "IMMEDIATE"}
    return {
        "ENGINE": f"django.db.backends.{_ENGINES[where.scheme]}",
        "NAME": where.path if where.scheme == "sqlite" else where.path.lstrip("/"),
        "USER": unquote(where.username or ""),
        "PASSWORD": unquote(where.password or ""),
        "HOST": where.hostname or "",
        "PORT": where.port or "",
        "OPTIONS": options,
    }


SERVED = bool(os.environ.get("SERVED"))
BASE_DIR = Path(__file__).parent
SECRET_KEY = "of a test"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["served"] if SERVED else ["shop", "strangler"]
DATABASES = {"default": database(os.environ["TARGET_DSN" if SERVED else "SOURCE_DSN"])}
STRANGLER = {
    "PLANS": BASE_DIR / "plans",
    "RECORDS": Path(os.environ["RECORDS"]),
    "SOURCE_DSN": os.environ["SOURCE_DSN"],
    "PROXY_TOKEN": "of a test",
    "SERVICES": {"reviews": {"DSN": os.environ["TARGET_DSN"], "UPSTREAM": os.environ["UPSTREAM"]}},
}
