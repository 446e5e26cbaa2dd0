import json
import logging
import os

import pytest
from django.core.exceptions import ImproperlyConfigured

from strangler.tracing import book, complaints, texts
from strangler.tracing.options import Options, parsed
from strangler.tracing.recorder import Recorder
from strangler.tracing.unit import current, note_begin, note_commit, note_end, note_statement


def recorder(folder, share=1.0):
    return Recorder(Options(folder=folder, share=share))


def lines(folder):
    (file,) = folder.iterdir()
    return [json.loads(line) for line in file.read_text().splitlines()]


def entries(folder):
    return {line["name"]: line for line in lines(folder) if "entry" in line}


def run(recorder, sql, name="GET /", times=1):
    with recorder.unit("route", name):
        for _ in range(times):
            note_statement(current.get(), recorder.shapes.get(sql, "postgresql"), 2, "default", above=1)


def test_sums_of_many_requests_are_one_line(tmp_path):
    made = recorder(tmp_path)
    run(made, "SELECT a FROM t WHERE b = 1")
    run(made, "SELECT a FROM t WHERE b = 2", times=3)
    made.flush()
    (entry,) = entries(tmp_path).values()
    assert entry["units"] == 2
    assert [counts[2:] for counts in entry["statements"]] == [[2, 4, 3, 8, 0]]


def test_file_is_replaced_whole_and_for_its_owner_alone(tmp_path):
    made = recorder(tmp_path / "new")
    for _ in range(2):
        run(made, "SELECT a FROM t")
        made.flush()
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert entries(tmp_path / "new")["GET /"]["units"] == 2


@pytest.mark.parametrize("careless", [False, True])
def test_values_are_not_in_the_file_unless_shapes_keep_them(tmp_path, monkeypatch, careless):
    if careless:
        monkeypatch.setattr(texts, "shape", lambda sql, vendor: sql)
    made = recorder(tmp_path)
    run(made, "SELECT a FROM t WHERE b = 'Rosebud'")
    made.flush()
    (file,) = tmp_path.iterdir()
    assert ("Rosebud" in file.read_text()) is careless


def test_nothing_is_written_where_nothing_was_done(tmp_path):
    recorder(tmp_path / "new").flush()
    assert not (tmp_path / "new").exists()


def test_share_of_the_requests_is_looked_at_and_all_that_is_within_one(tmp_path):
    made = recorder(tmp_path, share=0.25)
    seen = 0
    for _ in range(400):
        with made.unit("route", "GET /"):
            outer = current.get()
            seen += outer is not None
            if outer is not None:
                with made.unit("task", "inner"):
                    assert current.get() is not None
    made.flush()
    assert 50 < seen < 150
    assert {name: entry["units"] for name, entry in entries(tmp_path).items()} == {"GET /": seen, "inner": seen}


def test_what_a_savepoint_or_a_transaction_rolls_back_was_not_written(tmp_path):
    made = recorder(tmp_path)
    with made.unit("route", "GET /"):
        unit = current.get()

        def write(table):
            note_statement(unit, made.shapes.get(f"DELETE FROM {table}", "postgresql"), 1, "default", above=1)

        note_begin(unit, "default")
        write("kept")
        note_begin(unit, "default")
        write("undone")
        note_end(unit, "default", kept=False)
        note_begin(unit, "default")
        write("released")
        note_end(unit, "default", kept=True)
        note_end(unit, "default", kept=True)
        note_begin(unit, "default")
        write("lost")
        note_end(unit, "default", kept=False)
        note_end(unit, "default", kept=True)  # of a transaction that was there before the request
    made.flush()
    texts = {line["shape"]: line["sql"] for line in lines(tmp_path) if "shape" in line}
    (held,) = entries(tmp_path)["GET /"]["transactions"]
    assert {texts[shape] for shape, _ in held[0]} == {"DELETE FROM kept", "DELETE FROM released"}


def test_what_waits_for_a_commit_is_not_of_the_transaction_that_it_waited_for(tmp_path):
    made = recorder(tmp_path)
    with made.unit("route", "GET /"):
        unit = current.get()

        def write(table):
            note_statement(unit, made.shapes.get(f"DELETE FROM {table}", "postgresql"), 1, "default", above=1)

        note_begin(unit, "default")
        write("ordered")
        note_commit(unit, "default")
        note_begin(unit, "default")
        write("told")
        note_end(unit, "default", kept=True)
        note_end(unit, "default", kept=True)  # of the first one, whose block is left only now
    made.flush()
    texts = {line["shape"]: line["sql"] for line in lines(tmp_path) if "shape" in line}
    held = [{texts[shape] for shape, _ in keys} for keys, _ in entries(tmp_path)["GET /"]["transactions"]]
    assert sorted(held, key=sorted) == [{"DELETE FROM ordered"}, {"DELETE FROM told"}]


def test_sums_have_a_bound_and_say_what_had_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "ENTRIES", 2)
    monkeypatch.setattr(book, "KEYS", 3)
    made = recorder(tmp_path)
    for number in range(5):
        run(made, "SELECT a FROM t", name=f"GET /{number}")
    for number in range(5):
        run(made, f"SELECT a FROM t{number}", name="GET /0")
    made.flush()
    assert lines(tmp_path)[0]["left_out"] == 3 + 3
    assert len(entries(tmp_path)) == 2
    assert len(entries(tmp_path)["GET /0"]["statements"]) == 3


def test_forked_process_begins_a_file_of_its_own(tmp_path):
    made = recorder(tmp_path)
    run(made, "SELECT a FROM t")
    child = os.fork()
    if child == 0:
        run(made, "SELECT b FROM t", name="GET /child")
        made.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    made.flush()
    found = [json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert {(line["name"], line["units"]) for line in found if "entry" in line} == {("GET /", 1), ("GET /child", 1)}


def test_folder_that_cannot_be_written_is_said_once_and_harms_nobody(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    made = recorder(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        run(made, "SELECT a FROM t")
        made.flush()
        made.flush()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["nothing is traced any more"]
    assert made.begin("route") is None


def test_what_breaks_in_the_trace_is_said_once_and_is_not_the_requests_error(tmp_path, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(complaints, "_said", [])
    made = recorder(tmp_path)
    monkeypatch.setattr(made._book, "add", broken)
    with caplog.at_level(logging.WARNING):
        run(made, "SELECT a FROM t")
        run(made, "SELECT a FROM t")
    assert [record.message for record in caplog.records] == ["something could not be traced; the rest is"]


@pytest.mark.parametrize("size", [10, 100_000])
def test_long_texts_are_known_again_and_not_kept(size):
    shapes = texts.Shapes()
    sql = f"SELECT a FROM t WHERE b IN ({', '.join(['%s'] * size)})"
    assert shapes.get(sql, "postgresql") is shapes.get(f"{sql[:-1]})", "postgresql")
    (kept, _) = next(iter(shapes._known))
    assert (kept == sql) is (size == 10)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("a folder", "is no dictionary"),
        ({"FOLDER": "x", "SHARES": 1}, "SHARES"),
        ({"FOLDER": "x", "SHARE": 0}, "SHARE"),
        ({"FOLDER": "x", "SHARE": 1.5}, "SHARE"),
        ({"FOLDER": "x", "SHARE": "all"}, "SHARE"),
    ],
)
def test_settings_that_are_wrong_are_named(given, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        parsed(given)


def test_no_folder_is_no_trace():
    assert parsed(None) is None
    assert parsed({"FOLDER": ""}) is None
