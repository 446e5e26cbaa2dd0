"""What the benchmarks share: times, medians, and one line for each figure with its reference beside it."""

import statistics
import sys
import time

import psycopg


def line(what, ours, reference, share):
    sys.stdout.write(f"{what:<34} {ours:<86} {reference:<50} {'' if share is None else f'{share:.2f}'}\n")
    sys.stdout.flush()


def timed(what):
    began = time.monotonic()
    what()
    return time.monotonic() - began


def median(values):
    return statistics.median(values)


def p99(values):
    return sorted(values)[int(len(values) * 0.99)]


def execute(dsn, *statements):
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
