"""Clients of AWS. Where it is, and who we are there, boto3 reads from its own variables (AWS_ENDPOINT_URL, ...)."""

from functools import lru_cache


@lru_cache
def client(service, *, read_timeout=10):
    """One client a process and service. A call is tried once: who calls knows what may be repeated, and when."""
    # Loaded here, so that processes that never call AWS do without it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    once = Config(connect_timeout=1, read_timeout=read_timeout, retries={"total_max_attempts": 1})
    return boto3.client(service, config=once)
