import pytest
from conftest import MOVE, fenced
from notifications_service.fence import owns
from notifications_service.notifications.models import Preference

PATH = "/api/notifications/preferences/"


@pytest.mark.django_db(transaction=True)
def test_a_refused_write_may_be_sent_again_elsewhere_and_reads_go_on(caller):
    with fenced("notifications_preference"):
        answer = caller().put(PATH, {"mail": False})
        assert caller().get(PATH).status_code == 200
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Strangler-Refused"] == "move=0002_notifications; term=7; replay=1"
    assert not Preference.objects.exists()


@pytest.mark.django_db
def test_a_write_to_a_move_that_is_owned_elsewhere_is_refused_before_the_view_reads(caller, ownership):
    ownership(owns=False)
    client = caller()
    assert client.post("/api/notifications/12/read/").status_code == 404
    answer = client.post("/api/notifications/12/read/", HTTP_STRANGLER_MOVE=MOVE)
    assert answer["Strangler-Refused"] == "move=0002_notifications; term=4; replay=1"
    ownership(owns=True)
    assert client.post("/api/notifications/12/read/", HTTP_STRANGLER_MOVE=MOVE).status_code == 404


@pytest.mark.django_db
def test_nothing_is_ours_before_the_move_is_known(settings):
    assert owns()
    settings.MOVE = MOVE
    assert not owns()


@pytest.mark.django_db
def test_messages_are_ours_while_the_move_is_here(settings, ownership):
    settings.MOVE = MOVE
    assert not owns()
    ownership(owns=False)
    assert not owns()
    ownership(owns=True)
    assert owns()
