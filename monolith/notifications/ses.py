"""Mails through Amazon's SES v2. Each is tagged with its key and attempt, which SES repeats in what it tells later."""

from http import HTTPStatus

from botocore import exceptions

from monolith.notifications.outcomes import NotSent, Rejected, Unknown

ANSWER_SECONDS = 4
"""A fence that comes while a mail is handed over waits for as long."""
_FOR_GOOD = {"MessageRejected", "BadRequestException"}
_NOBODY_ASKED = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.NoCredentialsError,
    exceptions.ParamValidationError,
)


class Ses:
    """`client` must not repeat calls by itself: an answer may be lost after the mail was sent."""

    def __init__(self, client, *, sender, configuration_set):
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, mail):
        """Hand it over; gives SES's id of it. Raises NotSent, Rejected, Unknown."""
        try:
            answer = self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.recipient]},
                Content={"Simple": {"Subject": _text(mail.subject), "Body": {"Text": _text(mail.body)}}},
                EmailTags=[{"Name": "mail", "Value": str(mail.pk)}, {"Name": "attempt", "Value": str(mail.attempts)}],
                ConfigurationSetName=self._configuration_set,
            )
        except exceptions.ClientError as error:
            raise _refusal(error) from error
        except _NOBODY_ASKED as error:
            raise NotSent(str(error)) from error
        except exceptions.BotoCoreError as error:
            raise Unknown(str(error)) from error
        return answer["MessageId"]


def _refusal(error):
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if error.response["Error"].get("Code") in _FOR_GOOD:
        return Rejected(str(error))
    # Overloaded, it says so before it takes anything; any other failure of the server's may have come after.
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return NotSent(str(error))
    return Unknown(str(error))


def _text(value):
    return {"Data": value, "Charset": "UTF-8"}
