"""What each of Celery's brokers needs to be told, by its URL alone."""

from urllib.parse import urlsplit

_TASK_SECONDS = 120
"""No task takes as long: one that is not acknowledged by then is given to another worker."""
_AWAY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""Who has committed must not wait long for a broker that is away: the sweep finds what was not enqueued."""
_OPTIONS = {
    "redis": {"visibility_timeout": _TASK_SECONDS, "socket_connect_timeout": 1, "socket_timeout": 5},
    "sqs": {
        "visibility_timeout": _TASK_SECONDS,
        "wait_time_seconds": 5,
        "polling_interval": 0,
        "queue_name_prefix": "notifications-",
    },
    "pgmq": {
        "init_extension": False,  # which only an administrator may do, once
        "visibility_timeout": _TASK_SECONDS,
        "wait_time_seconds": 1,
        "poll_interval_ms": 50,
        "polling_interval": 0,
    },
    "amqp": {},
}
_SAME = {"rediss": "redis", "amqps": "amqp"}


def celery_settings(url):
    """Celery's settings of the broker at `url`. Raises ValueError naming what can be used where it is none of these."""
    scheme = urlsplit(url).scheme
    if scheme == "valkey":  # which Celery knows by its elder's name
        scheme, url = "redis", url.replace("valkey", "redis", 1)
    if _SAME.get(scheme, scheme) not in _OPTIONS:
        raise ValueError(
            f'NOTIFICATIONS_BROKER_URL: "{scheme}" is no broker known here; use valkey, redis, sqs, amqp or pgmq'
        )
    return {"broker_url": url, "broker_transport_options": {**_AWAY, **_OPTIONS[_SAME.get(scheme, scheme)]}}
