"""SES v2, asked once a call: whether a mail was taken, was not, or whether nobody here can tell."""

from functools import lru_cache

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from django.conf import settings

_FINAL = frozenset({"BadRequestException"})


class NotTaken(Exception):
    """SES has not sent it, and may do so another time."""


class Rejected(NotTaken):
    """SES will never send it."""


class Unclear(Exception):
    """SES was asked and its answer did not come, or said nothing: it may have sent it."""


def send(mail):
    """Give a mail to SES; its message id. Raises NotTaken, Rejected or Unclear."""
    try:
        answer = _client().send_email(
            FromEmailAddress=settings.FROM,
            Destination={"ToAddresses": [mail.recipient]},
            Content={"Simple": {"Subject": _text(mail.subject), "Body": {"Text": _text(mail.body)}}},
            ConfigurationSetName=settings.CONFIGURATION_SET,
            EmailTags=[
                {"Name": "mail", "Value": str(mail.pk)},
                {"Name": "attempt", "Value": str(mail.attempts)},
            ],
        )
    except ClientError as error:
        raise _meaning(error) from error
    except (HTTPClientError, ResponseParserError) as error:
        raise Unclear(str(error)) from error
    except BotoCoreError as error:  # it could not even be asked
        raise NotTaken(str(error)) from error
    return answer["MessageId"]


def _meaning(error):
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if status >= 500 and status != 503:
        return Unclear(str(error))
    return Rejected(str(error)) if error.response["Error"]["Code"] in _FINAL else NotTaken(str(error))


def _text(data):
    return {"Data": data, "Charset": "UTF-8"}


@lru_cache(maxsize=1)
def _client():
    # boto3 would ask again by itself where an answer was lost, and so send twice.
    once = {"total_max_attempts": 1}
    connect = 1
    limits = {"connect_timeout": connect, "read_timeout": settings.SES_SECONDS - connect}
    return boto3.client("sesv2", config=Config(retries=once, **limits))
