import pytest
from notifications_service.broker import celery_settings


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("valkey://127.0.0.1:6379/1", "redis://127.0.0.1:6379/1"),
        ("redis://:word@host:6379/0", "redis://:word@host:6379/0"),
        ("sqs://", "sqs://"),
        ("amqp://user:word@host//", "amqp://user:word@host//"),
        ("pgmq://user:word@host:5432/database", "pgmq://user:word@host:5432/database"),
    ],
)
def test_one_url_chooses_the_broker(url, told):
    assert celery_settings(url)["broker_url"] == told


@pytest.mark.parametrize("url", ["redis://host", "sqs://", "pgmq://host/database"])
def test_a_task_whose_worker_died_comes_again_after_two_minutes(url):
    assert celery_settings(url)["broker_transport_options"]["visibility_timeout"] == 120


@pytest.mark.parametrize("url", ["kafka://host", "memory://", "localhost:6379", ""])
def test_another_broker_is_refused_with_those_that_are_known(url):
    with pytest.raises(ValueError, match="use valkey, redis, sqs, amqp or pgmq"):
        celery_settings(url)
