"""The topic that the shop's events go to."""

import json
import logging

logger = logging.getLogger(__name__)


class Topic:
    """An SNS FIFO topic: it keeps a subject's order, and takes an event that comes again within five minutes once."""

    def __init__(self, arn, client):
        self._arn = arn
        self._client = client

    def __call__(self, envelopes):
        """Publish; returns the ids of the events that the topic has. Raises botocore's errors where it is away."""
        entries = [
            {
                "Id": str(number),
                "Message": json.dumps(told),
                "MessageGroupId": told["subject"],
                "MessageDeduplicationId": told["event"],
            }
            for number, told in enumerate(envelopes)
        ]
        answer = self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries)
        for refused in answer.get("Failed", ()):
            told = envelopes[int(refused["Id"])]
            logger.warning("event not taken", extra={"event": told["event"], "reason": refused.get("Message", "")})
        return [envelopes[int(taken["Id"])]["event"] for taken in answer.get("Successful", ())]
