"""Threads, since requests wait for the database; connections outlive the idle ones of the proxy in front."""

worker_class = "gthread"
workers = 2
threads = 8
keepalive = 75
preload_app = True
errorlog = "-"
