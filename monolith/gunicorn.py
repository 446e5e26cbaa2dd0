"""How gunicorn runs Orchard; the address is given on the command line (`--bind`)."""

from monolith import logs

worker_class = "gthread"
workers = 2
threads = 8
keepalive = 75
timeout = 60
graceful_timeout = 20
logconfig_dict = logs.configuration("INFO")
