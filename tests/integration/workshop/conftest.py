"""An AWS on loopback, as processes of Orchard see it."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from strangler.deploy.ports import free_port
from strangler.deploy.supervisor import Process, Supervisor
from strangler.workshop.aws import names
from strangler.workshop.instance import ROOT

# A client that tries again by itself would hide what is told to go wrong.
_ONCE = Config(retries={"total_max_attempts": 1})


@dataclass
class Aws:
    """The process, and what a person or a program asks of it."""

    url: str
    environment: dict[str, str] = field(init=False)
    sns: Any = field(init=False)
    sqs: Any = field(init=False)
    ses: Any = field(init=False)
    web: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.environment = names.environment(self.url)
        self.sns, self.sqs, self.ses = (self.client(service) for service in ("sns", "sqs", "sesv2"))
        self.web = httpx.Client(base_url=self.url, trust_env=False)

    def client(self, service: str, **config: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            config=_ONCE.merge(Config(**config)),
        )

    def queue(self, name: str = "", **attributes: str) -> str:
        """The URL of a new queue."""
        name = f"{uuid.uuid4().hex}{name}"
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def bodies(self, url: str, count: int = 10, wait: int = 0) -> list[str]:
        """Take messages, and delete them."""
        taken = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count, WaitTimeSeconds=wait)
        for message in taken.get("Messages", []):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in taken.get("Messages", [])]

    def feedback(self) -> list[dict[str, Any]]:
        """What SES has told since it was last asked."""
        return [json.loads(body) for body in self.bodies(self.environment["NOTIFICATIONS_FEEDBACK_QUEUE"])]

    def send(self, to: str = "anna@example.com", client: Any = None, **changes: Any) -> str:
        """Send a mail; its id."""
        wanted = {
            "FromEmailAddress": self.environment["NOTIFICATIONS_FROM"],
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": {"Data": "Your order"}, "Body": {"Text": {"Data": "Thank you."}}}},
            "ConfigurationSetName": self.environment["NOTIFICATIONS_CONFIGURATION_SET"],
            "EmailTags": [{"Name": "mail", "Value": "17"}, {"Name": "attempt", "Value": "1"}],
        }
        return (client or self.ses).send_email(**{**wanted, **changes})["MessageId"]

    def behave(self, service: str, **how: Any) -> None:
        assert self.web.put("/behaviour", json={"service": service, **how}).status_code == 200

    def mails(self) -> list[dict[str, Any]]:
        return self.web.get("/mailbox.json").json()


@pytest.fixture(scope="session")
def running_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    supervisor = Supervisor(home=Path(tmp_path_factory.mktemp("aws")))
    url = f"http://127.0.0.1:{port}"
    process = Process(
        name="aws",
        command=[sys.executable, "-m", "strangler.workshop.aws", "--port", str(port)],
        directory=ROOT,
        ready_url=f"{url}/health",
    )
    supervisor.start(process)
    try:
        supervisor.wait(process)
        yield url
    finally:
        supervisor.stop("aws")


@pytest.fixture(scope="session")
def shared_aws(running_aws: str) -> Aws:
    return Aws(running_aws)


@pytest.fixture
def aws(shared_aws: Aws) -> Iterator[Aws]:
    """It does as it should, and nothing of earlier tests waits in the feedback queue."""
    yield shared_aws
    for service in ("ses", "sns", "sqs"):
        shared_aws.behave(service)
    while shared_aws.feedback():
        pass
