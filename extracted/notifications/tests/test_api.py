import pytest
from notifications_service.notifications.models import Mail, Notification, Preference
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """Three of person 7's, the last one read, and one of person 8's."""
    return [
        Notification.objects.create(user_id=user, subject=subject, body="...", read=subject == "c")
        for user, subject in ((7, "a"), (7, "b"), (7, "c"), (8, "d"))
    ]


def subjects(answer):
    return [one["subject"] for one in answer.json()["results"]]


def test_everybody_sees_their_own_newest_first(told, caller):
    assert subjects(caller(7).get("/api/notifications/")) == ["c", "b", "a"]
    assert subjects(caller(7).get("/api/notifications/?unread=true")) == ["b", "a"]
    assert subjects(caller(8).get("/api/notifications/")) == ["d"]


def test_nobody_in_particular_sees_none(told):
    for path in ("/api/notifications/", "/api/notifications/preferences/"):
        assert APIClient().get(path).status_code == 403


def test_pages_hold_twenty(caller):
    Notification.objects.bulk_create(Notification(user_id=7, subject="x", body="y") for _ in range(25))
    page = caller(7).get("/api/notifications/?page=2").json()
    assert (page["count"], len(page["results"]), page["next"]) == (25, 5, None)


def test_ones_own_is_marked_as_read_and_nobody_elses(told, caller):
    path = f"/api/notifications/{told[0].pk}/read/"
    assert caller(8).post(path).status_code == 404
    assert [caller(7).post(path).json()["read"] for _ in range(2)] == [True, True]
    assert subjects(caller(7).get("/api/notifications/?unread=true")) == ["b"]


def test_who_has_said_nothing_wants_mails_until_they_say_otherwise(caller):
    path = "/api/notifications/preferences/"
    assert caller(7).get(path).json() == {"mail": True}
    assert caller(7).put(path, {"mail": False}).json() == {"mail": False}
    assert caller(7).put(path, {"mail": False}).status_code == 200
    assert (caller(7).get(path).json(), caller(8).get(path).json()) == ({"mail": False}, {"mail": True})
    assert caller(7).put(path, {"mail": "perhaps"}).status_code == 400


def test_staff_forget_a_person(told, caller):
    Mail.objects.create(user_id=7, recipient="a@example.org", subject="a", body="b")
    Preference.objects.create(user_id=7, mail=False)
    assert caller(7).delete("/api/notifications/?user=7").status_code == 403
    assert caller(9, staff=True).delete("/api/notifications/").status_code == 400
    assert caller(9, staff=True).delete("/api/notifications/?user=7").status_code == 204
    assert (Mail.objects.count(), Preference.objects.count()) == (0, 0)
    assert [one.subject for one in Notification.objects.all()] == ["d"]
