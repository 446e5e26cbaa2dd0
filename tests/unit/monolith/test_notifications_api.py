"""Everybody's own notifications, over HTTP and through the gateway."""

import threading
from wsgiref.simple_server import make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler

from monolith.accounts.models import User
from monolith.notifications import gateway
from monolith.notifications.errors import (
    NotificationForbidden,
    NotificationNotFound,
    NotificationsRefused,
    NotificationsUnavailable,
)
from monolith.notifications.gateway import MovingNotifications
from monolith.notifications.local import LocalNotifications
from monolith.notifications.models import Mail, Notification, Preference
from monolith.notifications.remote import ATTEMPTS, RemoteNotifications
from monolith.notifications.selectors import mail_wanted_by
from tests.unit.monolith.test_gateway import FakeService

CARD = {"id": 7, "subject": "Hello", "body": ".", "read": False, "created_at": "2026-01-01T00:00:00Z"}
PAGE = {"count": 1, "next": None, "previous": None, "results": [CARD]}


def elsewhere(service):
    return service == "notifications"


def introduce(user, audience):
    return f"{user.username} to {audience}"


@pytest.fixture
def mine(ada, ben):
    Notification.objects.create(user=ben, subject="Ben's", body=".")
    return Notification.objects.create(user=ada, subject="Ada's", body="Read me.")


@pytest.fixture
def service():
    fake = FakeService()
    yield fake
    fake.shutdown()
    fake.server_close()


def test_everybody_reads_their_own(as_user, ada, mine):
    client = as_user(ada)
    body = client.get("/api/notifications/").json()
    assert [(one["subject"], one["read"]) for one in body["results"]] == [("Ada's", False)]
    assert client.post(f"/api/notifications/{mine.pk}/read/").json()["read"] is True
    assert client.post(f"/api/notifications/{mine.pk}/read/").status_code == 200
    assert client.get("/api/notifications/?unread=true").json()["count"] == 0
    assert client.get("/api/notifications/").json()["count"] == 1


def test_what_is_somebody_elses_does_not_exist(as_user, ben, mine):
    assert as_user(ben).post(f"/api/notifications/{mine.pk}/read/").status_code == 404
    mine.refresh_from_db()
    assert not mine.read


def test_preference_is_kept_and_can_be_taken_back(as_user, ada):
    client = as_user(ada)
    url = "/api/notifications/preferences/"
    assert client.get(url).json() == {"mail": True}
    for wanted in (False, False, True):
        answer = client.put(url, {"mail": wanted}, content_type="application/json")
        assert (answer.status_code, answer.json()) == (200, {"mail": wanted})
        assert mail_wanted_by(ada.pk) is wanted
    assert client.put(url, {"mail": "perhaps"}, content_type="application/json").status_code == 400


@pytest.mark.parametrize("url", ["/api/notifications/", "/api/notifications/preferences/"])
def test_nobody_in_particular_has_none(client, db, url):
    assert client.get(url).status_code == 403


def test_person_is_forgotten_by_staff_alone(as_user, ada, ben, staff, mine):
    Mail.objects.create(user_id=ada.pk, recipient=ada.email, subject=".", body=".")
    Preference.objects.create(user_id=ada.pk, mail=True)
    assert as_user(ben).delete(f"/api/notifications/?user={ada.pk}").status_code == 403
    assert as_user(staff).delete("/api/notifications/").status_code == 400
    for _ in range(2):
        assert as_user(staff).delete(f"/api/notifications/?user={ada.pk}").status_code == 204
    assert not Mail.objects.exists()
    assert not Preference.objects.exists()
    assert [one.user_id for one in Notification.objects.all()] == [ben.pk]


def test_profile_shows_messages_marks_them_as_read_and_takes_the_wish(as_user, ada, mine):
    client = as_user(ada)
    page = client.get("/profile/").content.decode()
    assert "Read me." in page
    assert "checked" in page
    assert "Read me." not in client.post(f"/messages/{mine.pk}/read/", follow=True).content.decode()
    assert "checked" not in client.post("/messages/mail/", follow=True).content.decode()
    assert "checked" in client.post("/messages/mail/", {"mail": "on"}, follow=True).content.decode()
    assert "You have no notification" in client.post("/messages/999/read/", follow=True).content.decode()


def test_profile_goes_on_without_the_messages_when_their_service_is_down(as_user, ada, settings):
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    settings.NOTIFICATIONS_URL = "http://127.0.0.1:1"
    answer = as_user(ada).get("/profile/")
    assert (answer.status_code, "The messages are away" in answer.content.decode()) == (200, True)


class Introduced:
    """Takes the word of the header for who it is, as the service takes a token."""

    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request):
        name = request.headers.get("Strangler-Identity", "").partition(" ")[0]
        if name:
            request.user = request._cached_user = User.objects.get(username=name)
            request._dont_enforce_csrf_checks = True
        return self._get_response(request)


@pytest.fixture
def shop(settings, transactional_db):
    """The URL of a shop that takes others' word for who asks."""
    settings.NOTIFICATIONS_IDENTITY = f"{__name__}.introduce"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Introduced"]
    listening = make_server("127.0.0.1", 0, WSGIHandler())
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


def test_both_implementations_do_the_same(shop, ada, mine):
    local, remote = LocalNotifications(), RemoteNotifications(shop)
    assert remote.unread(user=ada) == local.unread(user=ada)
    assert [card.subject for card in remote.unread(user=ada)] == ["Ada's"]
    for one, other in ((local, remote), (remote, local)):
        for wanted in (False, True):
            one.want_mail(user=ada, mail=wanted)
            assert other.mail_wanted(user=ada) is wanted
        one.mark_read(user=ada, notification=mine.pk)
        assert other.unread(user=ada) == ()
        with pytest.raises(NotificationNotFound):
            one.mark_read(user=ada, notification=999)
        Notification.objects.update(read=False)


def test_service_is_told_who_asks_and_asked_again_a_bounded_number_of_times(service, ada, settings):
    settings.NOTIFICATIONS_IDENTITY = f"{__name__}.introduce"
    remote = RemoteNotifications(service.url)
    service.answer(500)
    service.answer(200, PAGE)
    assert remote.unread(user=ada)[0].subject == "Hello"
    assert service.requests[0][2]["Strangler-Identity"] == "ada to notifications"
    for _ in range(ATTEMPTS):
        service.answer(500)
    with pytest.raises(NotificationsUnavailable):
        remote.want_mail(user=ada, mail=False)
    assert len(service.requests) == 2 + ATTEMPTS
    service.answer(403)
    with pytest.raises(NotificationForbidden):
        remote.unread(user=ada)


def test_write_follows_the_notifications_back_home(service, ada):
    service.answer(503, Retry_After="0")
    places = iter([True, False])
    moving = MovingNotifications(LocalNotifications(), RemoteNotifications(service.url), lambda: next(places))
    moving.want_mail(user=ada, mail=False)
    assert not mail_wanted_by(ada.pk)
    assert len(service.requests) == 1


def test_write_gives_up_when_patience_ends(service, ada):
    for _ in range(5):
        service.answer(503, Retry_After="1")
    moving = MovingNotifications(LocalNotifications(), RemoteNotifications(service.url), lambda: True, patience=0.5)
    with pytest.raises(NotificationsRefused):
        moving.want_mail(user=ada, mail=False)
    assert len(service.requests) == 1


def test_each_call_asks_anew_where_the_notifications_are(service, ada, mine, settings):
    settings.NOTIFICATIONS_URL = service.url
    service.answer(200, PAGE)
    assert gateway.notifications().unread(user=ada)[0].subject == "Ada's"
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    assert gateway.notifications().unread(user=ada)[0].subject == "Hello"


def test_person_takes_notifications_along_while_they_are_here_and_leaves_them_elsewhere(ada, ben, mine, settings):
    ada.delete()
    assert [one.user_id for one in Notification.objects.all()] == [ben.pk]
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    key = ben.pk
    ben.delete()
    assert [one.user_id for one in Notification.objects.all()] == [key]
