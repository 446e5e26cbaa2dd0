import pytest

from strangler.split.postgres.fitness import forgetful, too_old
from strangler.split.postgres.publication import unready

DURABLE = {"fsync": "on", "full_page_writes": "on", "strangler.forgetful": None}


@pytest.mark.parametrize(("version", "said"), [(130_022, ["is PostgreSQL 13; 14 is the oldest"]), (140_000, [])])
def test_a_server_that_is_too_old_is_named_with_the_oldest_one(version, said):
    assert [fault.split(" that can take part")[0] for fault in too_old(version)] == said


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_forgets_is_named_with_its_setting_unless_it_may(setting):
    (fault,) = forgetful({**DURABLE, setting: "off"})
    assert f"may forget or break what it has committed in a power cut ({setting} is off); set it to on or" in fault
    assert list(forgetful({**DURABLE, setting: "off", "strangler.forgetful": "on"})) == []
    assert list(forgetful(DURABLE)) == []


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (("replica", 1, "1GB"), 'wal_level is replica; set it to logical and restart the server, or capture by "trig'),
        (("logical", 0, "1GB"), 'no replication slot is free; raise max_replication_slots, or capture by "triggers"'),
        (("logical", 1, "-1"), "max_slot_wal_keep_size is not set, so a slot that nobody reads would fill the disk"),
    ],
)
def test_a_server_whose_log_cannot_be_read_is_named_with_what_to_set(server, said):
    (fault,) = unready(*server)
    assert said in fault
    assert list(unready("logical", 1, "1GB")) == []
