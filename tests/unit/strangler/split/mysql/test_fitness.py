import pytest

from strangler.split.mysql.fitness import lacking, too_old, unsafe
from strangler.split.mysql.wording import conditions
from strangler.split.table import Column, Family, Table

SAFE = {
    "binlog_format": "ROW",
    "foreign_key_checks": "ON",
    "innodb_flush_log_at_trx_commit": "1",
    "log_bin": "ON",
    "log_bin_trust_function_creators": "ON",
    "read_only": "OFF",
    "sync_binlog": "1",
    "wsrep_on": "OFF",
}


@pytest.mark.parametrize(
    ("product", "version", "said"),
    [
        ("MariaDB", "10.5.29-MariaDB", ["is MariaDB 10.5; 10.6 is the oldest that can take part"]),
        ("MariaDB", "10.11.14-MariaDB-0+deb12u2", []),
        ("MySQL", "5.7.44-log", ["is MySQL 5.7; 8.0 is the oldest that can take part"]),
        ("MySQL", "8.0.36", []),
    ],
)
def test_a_server_that_is_too_old_is_named_with_the_oldest_one(product, version, said):
    assert list(too_old(product, version)) == said


@pytest.mark.parametrize("cluster", [{"wsrep_on": "ON"}, {"group_replication_single_primary_mode": "OFF"}])
def test_a_cluster_of_several_writers_is_refused(cluster):
    (fault,) = unsafe({**SAFE, **cluster}, replicates=False)
    assert fault.startswith("belongs to a cluster with several writers, which do not see each other's locks; let it")
    assert list(unsafe(SAFE, replicates=False)) == []


def test_a_key_that_is_no_number_never_becomes_sql():
    column = Column(name="id", type="bigint", family=Family.INTEGER)
    table = Table(name="t", relation="`t`", columns=(column,), key=(column,))
    with pytest.raises(ValueError, match='"1 OR 1" is no value of the key column "id bigint"'):
        list(conditions(table, (("1 OR 1",),)))


ON_DATABASE = {
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "REFERENCES",
    "TRIGGER",
    "GRANT OPTION",
}


@pytest.mark.parametrize("where", ["database", "server"])
def test_rights_count_wherever_they_are_held(where):
    held = {"server": {"CREATE USER", "PROCESS"}, "database": set()}
    held[where] = held[where] | ON_DATABASE
    assert list(lacking(held, SAFE)) == []


def test_where_a_binary_log_lets_only_trusted_users_make_triggers_that_is_asked_for():
    held = {"server": {"CREATE USER", "PROCESS"}, "database": ON_DATABASE}
    (said,) = lacking(held, {**SAFE, "log_bin_trust_function_creators": "OFF"})
    assert said.startswith("GRANT SUPER ON *.* to it, or set log_bin_trust_function_creators to ON")
    without = {**SAFE, "log_bin": "OFF", "log_bin_trust_function_creators": "OFF"}
    assert list(lacking(held, without)) == []
