import os
import signal
import subprocess
from datetime import timedelta

import psycopg
import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import ArchiveTables
from strangler.plans.operations.retire_tables import retirement
from strangler.split.archive import write_archive
from strangler.split.errors import SplitError
from strangler.split.store import Database
from tests.integration.plans.operations.retired import MODELS, moved

ARCHIVE = ArchiveTables(MODELS, to="archive/reviews", after=timedelta(0))
RELATIONS = ("public.reviews_review", "public.reviews_vote")


@pytest.fixture
def templates(retired):
    return retired


@pytest.fixture
def shop(world, key, state, source_dsn, target_dsn):
    return moved(world, key, state, source_dsn, target_dsn)


@pytest.fixture
def files(tmp_path):
    return tmp_path / "archive" / "reviews"


def forwards(shop, key, operation=ARCHIVE):
    world, retired = shop
    operation.forwards(world, retired, operation.state_forwards(key, retired))


def backwards(shop, key):
    world, retired = shop
    ARCHIVE.backwards(world, retired, ARCHIVE.state_forwards(key, retired))


def archived(source):
    return source.execute(
        "SELECT rows FROM strangler.retirements WHERE archived_at IS NOT NULL ORDER BY name"
    ).fetchall()


def test_each_table_becomes_three_files_that_check_with_ordinary_tools(shop, key, source, files, events):
    forwards(shop, key)
    assert sorted(path.name for path in files.iterdir()) == sorted(
        relation + suffix for relation in RELATIONS for suffix in (".csv", ".sql", ".sha256")
    )
    for relation in RELATIONS:
        checked = subprocess.check_output(["sha256sum", "-c", f"{relation}.sha256"], cwd=files, text=True)
        assert checked.count("OK") == 2
    assert archived(source) == [(4,), (4,)]
    assert [event[1]["rows"] for event in events if event[0] == "step" and event[1]["step"] == "archived"] == [4, 4]


def test_the_files_alone_give_the_tables_back(shop, key, source, target_dsn, files):
    forwards(shop, key)
    source.execute("CREATE DATABASE given_back")
    name = psycopg.conninfo.make_conninfo(source.info.dsn, password=source.info.password, dbname="given_back")
    try:
        with psycopg.connect(name) as empty:
            empty.execute("CREATE TYPE mood AS ENUM ('glad', 'sad')")
            for relation in RELATIONS:
                making, filled = (files / f"{relation}.sql").read_text().split("-- once the rows are in:")
                empty.execute(making)
                command = next(line for line in making.splitlines() if line.startswith("-- \\copy"))
                command = command.replace("-- \\copy", "COPY").replace(f"'{relation}.csv'", "STDIN")
                with empty.cursor().copy(command) as copy:
                    copy.write((files / f"{relation}.csv").read_bytes())
                empty.execute(filled)
            for table in ("reviews_review", "reviews_vote"):
                everything = f"SELECT row::text FROM {table} row ORDER BY id"
                assert empty.execute(everything).fetchall() == source.execute(everything).fetchall()
            # The shape, too: defaults, numbers, checks, keys, indexes.
            (new,) = empty.execute(
                "INSERT INTO reviews_review (product_id) VALUES (1) RETURNING (id, title, upper_title)"
            ).fetchone()
            assert new == ("5", "it's", "IT'S")
            for wrong in (
                "INSERT INTO reviews_review (product_id) VALUES (0)",
                "INSERT INTO reviews_review (product_id) VALUES (1)",
                "INSERT INTO reviews_vote (review_id) VALUES (99)",
            ):
                with pytest.raises(psycopg.IntegrityError), empty.transaction():
                    empty.execute(wrong)
            indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'reviews_review' ORDER BY 1"
            assert empty.execute(indexes).fetchall() == source.execute(indexes).fetchall()
    finally:
        source.execute("DROP DATABASE given_back WITH (FORCE)")


def test_before_the_waiting_time_is_over_nothing_is_written(shop, key, source, files):
    week = ArchiveTables(MODELS, to="archive/reviews", after=timedelta(days=7))
    with pytest.raises(PlanError, match=r'"reviews_review" waits until .* UTC, 7 days, 0:00:00 after RetireTables'):
        forwards(shop, key, week)
    assert not files.exists()
    source.execute("UPDATE strangler.retirements SET tombstoned_at = tombstoned_at - 8 * 86400")
    forwards(shop, key, week)
    assert archived(source) == [(4,), (4,)]


def test_the_dry_run_says_what_would_be_refused_and_writes_nothing(shop, key, files):
    world, retired = shop
    week = ArchiveTables(MODELS, to="archive/reviews", after=timedelta(days=7))
    lines = list(week.effects(world, retired, week.state_forwards(key, retired)))
    assert sum(line.startswith("-- would be refused now:") for line in lines) == 2
    assert any("archive/reviews/reviews_vote" in line for line in lines)
    assert not files.exists()


def test_a_second_run_keeps_what_is_whole_and_writes_what_is_torn_anew(shop, key, source, files):
    forwards(shop, key)
    before = {path.name: path.stat().st_mtime_ns for path in files.glob("*.csv")}
    torn = files / "public.reviews_vote.csv"
    torn.write_bytes(torn.read_bytes()[:-3])
    forwards(shop, key)
    after = {path.name: path.stat().st_mtime_ns for path in files.glob("*.csv")}
    assert [name for name in before if before[name] != after[name]] == ["public.reviews_vote.csv"]
    assert archived(source) == [(4,), (4,)]


@pytest.mark.parametrize("point", range(8))
def test_killed_anywhere_the_next_run_finishes_it(shop, key, source, files, point):
    """The first process dies in the middle of a file: at the nth chunk that it makes durable, or after a rename."""
    if (child := os.fork()) == 0:
        passed = [0]

        def pass_by(name, arguments):
            if name == "os.rename" or (name == "open" and str(arguments[0]).endswith(".part")):
                passed[0] += 1
                if passed[0] > point:
                    os.kill(os.getpid(), signal.SIGKILL)

        import sys

        sys.addaudithook(pass_by)
        forwards(shop, key)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == signal.SIGKILL
    assert len(archived(source)) <= (1 if point >= 6 else 0)
    forwards(shop, key)
    assert archived(source) == [(4,), (4,)]
    with retirement(shop[0], shop[1], MODELS) as retired:
        assert list(retired.drop_refusals(files, timedelta(0))) == []
    assert not list(files.glob("*.part"))


def test_going_back_removes_the_files_and_the_note_and_it_can_be_done_again(shop, key, source, files):
    forwards(shop, key)
    for _ in range(2):
        backwards(shop, key)
    assert (list(files.iterdir()), archived(source)) == ([], [])
    assert source.execute("SELECT count(*) FROM reviews_review").fetchone() == (4,)
    forwards(shop, key)
    assert archived(source) == [(4,), (4,)]


def test_a_table_that_does_not_come_back_the_same_is_no_archive(source, source_dsn, tmp_path):
    """A column whose type reads something else than it writes: the check must not trust what was written."""
    source.execute("CREATE DOMAIN short AS text")
    source.execute("CREATE TABLE odd (id int PRIMARY KEY, name short)")
    source.execute("INSERT INTO odd VALUES (1, 'longer than three')")
    source.execute("ALTER DOMAIN short ADD CHECK (length(VALUE) < 4) NOT VALID")
    with Database(name="source", dsn=source_dsn).connect() as store, pytest.raises(SplitError):
        write_archive(store, store.describe("odd"), tmp_path)
    assert not (tmp_path / "public.odd.sha256").exists()


def test_files_that_do_not_give_the_rows_back_are_no_archive(source, source_dsn, tmp_path):
    """Whatever spoils a row on its way back: here a trigger on each table that is made."""
    source.execute("CREATE TABLE public.odd (id int PRIMARY KEY, name text)")
    source.execute("INSERT INTO odd VALUES (1, 'as it was')")
    source.execute(
        """CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql
               AS $$ BEGIN NEW.name = 'spoiled'; RETURN NEW; END $$;
           CREATE FUNCTION on_each() RETURNS event_trigger LANGUAGE plpgsql
               AS $$ BEGIN CREATE TRIGGER s BEFORE INSERT ON pg_temp.odd
                           FOR EACH ROW EXECUTE FUNCTION public.spoil(); END $$;
           CREATE EVENT TRIGGER on_each ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION on_each()"""
    )
    with (
        Database(name="source", dsn=source_dsn).connect() as store,
        pytest.raises(SplitError, match=r'odd.csv" does not give back the rows of "public.odd"; run the plan again'),
    ):
        write_archive(store, store.describe("odd"), tmp_path)
    assert not (tmp_path / "public.odd.sha256").exists()


def test_a_directory_that_cannot_be_written_is_one_sentence(shop, key, files):
    files.parent.mkdir()
    files.write_text("I am a file")
    with pytest.raises(SplitError, match=r'archive of "public.reviews_review" cannot be written to'):
        forwards(shop, key)


def test_names_with_quotes_and_case_are_archived_under_their_names(source, source_dsn, tmp_path):
    source.execute('CREATE TABLE "Odd Table" ("Key" uuid, "part" bytea, note text, PRIMARY KEY ("Key", "part"))')
    source.execute("""INSERT INTO "Odd Table" SELECT gen_random_uuid(), decode(md5(n::text), 'hex'), 'n' || n
                      FROM generate_series(1, 5000) n""")
    with Database(name="source", dsn=source_dsn).connect() as store:
        archive = write_archive(store, store.describe('"Odd Table"'), tmp_path)
    assert archive.rows == 5000
    assert len(list(tmp_path.glob("*.Odd Table.csv"))) == 1
    assert list(archive.refusals()) == []
