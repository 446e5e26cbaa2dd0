"""Mails through the AWS on loopback: the mailbox, what SES tells of them, suppressed addresses, and faults."""

import re
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError


def kinds(aws):
    return [event["eventType"] for event in aws.feedback()]


def test_a_mail_is_in_the_mailbox_and_the_feedback_queue_tells_of_it_with_its_id_and_tags(aws):
    before = len(aws.mails())
    sent = aws.send("anna@example.com")
    [mail] = aws.mails()[before:]
    assert (mail["message_id"], mail["recipients"], mail["text"]) == (sent, ["anna@example.com"], "Thank you.")
    told = aws.feedback()
    assert [event["eventType"] for event in told] == ["Send", "Delivery"]
    for event in told:
        assert event["mail"]["messageId"] == sent
        assert event["mail"]["tags"]["mail"] == ["17"]
        assert event["mail"]["tags"]["attempt"] == ["1"]


def test_the_mailbox_can_be_read_by_people_and_programs(aws):
    aws.send("reader@example.com")
    page = aws.web.get("/mailbox/")
    assert "reader@example.com" in page.text
    assert "script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    newest = re.search(r'href="(/mailbox/(\d+)/)"', page.text)
    assert "Thank you." in aws.web.get(newest[1]).text
    assert aws.web.get(f"/mailbox/{newest[2]}.json").json() == aws.mails()[-1]


def test_a_page_is_found_without_its_last_slash(aws):
    assert aws.web.get("/mailbox", follow_redirects=True).url.path == "/mailbox/"


def test_a_mail_that_is_not_there_is_told(aws):
    assert aws.web.get("/mailbox/100000/").status_code == 404
    assert aws.web.get("/mailbox/100000.json").status_code == 404


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("bounce@simulator.amazonses.com", ["Send", "Bounce"]),
        ("complaint@simulator.amazonses.com", ["Send", "Delivery", "Complaint"]),
    ],
)
def test_mails_to_the_simulator_come_back_or_are_complained_of(aws, address, told):
    aws.send(address)
    assert kinds(aws) == told


def test_a_suppressed_address_gets_nothing_until_it_is_taken_off(aws):
    aws.ses.put_suppressed_destination(EmailAddress="Gone@example.com", Reason="BOUNCE")
    shown = aws.ses.get_suppressed_destination(EmailAddress="gone@example.com")["SuppressedDestination"]
    assert shown["Reason"] == "BOUNCE"
    assert shown["LastUpdateTime"].timestamp() == pytest.approx(time.time(), abs=60)
    assert not aws.ses.list_suppressed_destinations(Reasons=["COMPLAINT"])["SuppressedDestinationSummaries"]
    [listed] = aws.ses.list_suppressed_destinations(Reasons=["BOUNCE"])["SuppressedDestinationSummaries"]
    assert listed["EmailAddress"] == "Gone@example.com"
    aws.send("gone@example.com")
    [_, bounce] = aws.feedback()
    assert bounce["bounce"]["bounceSubType"] == "OnAccountSuppressionList"
    aws.ses.delete_suppressed_destination(EmailAddress="gone@example.com")
    aws.send("gone@example.com")
    assert kinds(aws) == ["Send", "Delivery"]
    for call in (aws.ses.get_suppressed_destination, aws.ses.delete_suppressed_destination):
        with pytest.raises(aws.ses.exceptions.NotFoundException):
            call(EmailAddress="gone@example.com")


def test_an_event_destination_is_changed_listed_and_taken_away(aws):
    ours = {"ConfigurationSetName": "changing", "EventDestinationName": "one"}
    arn = aws.sns.create_topic(Name="changing")["TopicArn"]
    aws.ses.create_configuration_set(ConfigurationSetName="changing")
    told = {"Enabled": True, "MatchingEventTypes": ["BOUNCE"], "SnsDestination": {"TopicArn": arn}}
    aws.ses.create_configuration_set_event_destination(**ours, EventDestination=told)
    with pytest.raises(aws.ses.exceptions.AlreadyExistsException):
        aws.ses.create_configuration_set_event_destination(**ours, EventDestination=told)
    aws.ses.update_configuration_set_event_destination(**ours, EventDestination={**told, "Enabled": False})
    [listed] = aws.ses.get_configuration_set_event_destinations(ConfigurationSetName="changing")["EventDestinations"]
    assert listed == {**told, "Name": "one", "Enabled": False}
    aws.ses.delete_configuration_set_event_destination(**ours)
    with pytest.raises(aws.ses.exceptions.NotFoundException):
        aws.ses.delete_configuration_set_event_destination(**ours)


def test_an_event_destination_is_told_what_it_wants_to_know_and_no_more(aws):
    url = aws.queue()
    queue = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    arn = aws.sns.create_topic(Name="bounces")["TopicArn"]
    aws.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    aws.ses.create_configuration_set(ConfigurationSetName="bounces")
    aws.ses.create_configuration_set_event_destination(
        ConfigurationSetName="bounces",
        EventDestinationName="one",
        EventDestination={"Enabled": True, "MatchingEventTypes": ["BOUNCE"], "SnsDestination": {"TopicArn": arn}},
    )
    aws.send("bounce@simulator.amazonses.com", ConfigurationSetName="bounces")
    [told] = aws.bodies(url)
    assert '"eventType": "Bounce"' in told
    assert aws.feedback() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ConfigurationSetName": "nowhere"}, "nowhere"),
        ({"FromEmailAddress": "shop@elsewhere.example"}, "not verified"),
        ({"EmailTags": [{"Name": "mail", "Value": "17, with a comma"}]}, "with a comma"),
        ({"Content": {"Raw": {"Data": b"Subject: x\n\nx"}}}, "Simple"),
    ],
)
def test_what_ses_would_refuse_is_refused_and_not_sent(aws, changes, said):
    before = len(aws.mails())
    with pytest.raises(ClientError, match=said):
        aws.send(**changes)
    assert len(aws.mails()) == before
    assert aws.feedback() == []


def test_a_destination_without_a_topic_that_exists_is_refused(aws):
    arn = aws.environment["ORCHARD_EVENTS_TOPIC"].replace("orchard-events", "nowhere")
    with pytest.raises(aws.ses.exceptions.BadRequestException, match="topic that exists"):
        aws.ses.create_configuration_set_event_destination(
            ConfigurationSetName="orchard",
            EventDestinationName="nowhere",
            EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": arn}},
        )


def test_told_to_fail_ses_sends_nothing_as_often_as_it_is_told(aws):
    before = len(aws.mails())
    aws.behave("ses", status=503, times=2)
    for _ in range(2):
        with pytest.raises(ClientError, match="503"):
            aws.send()
    assert (len(aws.mails()), aws.feedback()) == (before, [])
    aws.send()
    assert len(aws.mails()) == before + 1


def test_a_silent_ses_leaves_the_caller_waiting_and_the_mail_goes_out_later(aws):
    before = len(aws.mails())
    aws.behave("ses", delay=1.5, times=1)
    with pytest.raises(ReadTimeoutError):
        aws.send(client=aws.client("sesv2", read_timeout=0.5))
    assert len(aws.mails()) == before
    until = time.monotonic() + 10
    while len(aws.mails()) == before and time.monotonic() < until:
        time.sleep(0.1)
    assert len(aws.mails()) == before + 1


def test_a_mail_whose_answer_is_lost_is_sent_and_told_of(aws):
    before = len(aws.mails())
    aws.behave("ses", lost=True, times=1)
    with pytest.raises(ConnectionClosedError):
        aws.send()
    assert len(aws.mails()) == before + 1
    assert kinds(aws) == ["Send", "Delivery"]


@pytest.mark.parametrize("wanted", [{"service": "s3"}, {"service": "ses", "status": 200}, [], "ses"])
def test_a_behaviour_that_is_none_is_told_and_changes_nothing(aws, wanted):
    assert aws.web.put("/behaviour", json=wanted).status_code == 400
    aws.send()
