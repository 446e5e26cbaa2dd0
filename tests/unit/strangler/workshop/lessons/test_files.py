"""Trees of files that are made like one another."""

import os

from strangler.workshop.lessons.files import differing, lay, tree_of


def made(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return tree_of(root)


def test_what_is_the_same_is_not_touched_and_the_rest_becomes_so(tmp_path):
    wanted = made(tmp_path / "wanted", {"same.py": "1", "changed.py": "2", "new/er.py": "3"})
    made(tmp_path / "here", {"same.py": "1", "changed.py": "x", "gone/too.py": "4", "new": ""})
    before = (tmp_path / "here" / "same.py").stat().st_ino
    lay(tmp_path / "here", wanted)
    assert differing(tree_of(tmp_path / "here"), wanted) == []
    assert (tmp_path / "here" / "same.py").stat().st_ino == before
    assert not (tmp_path / "here" / "gone").exists()


def test_what_is_made_from_the_rest_or_by_others_stays(tmp_path):
    files = {".run/data": "", ".git/HEAD": "", ".venv/bin/python": "", "app/__pycache__/a.pyc": "", "app/a.py": ""}
    made(tmp_path, files)
    lay(tmp_path, {"app/a.py": tmp_path / "app" / "a.py"})
    assert all((tmp_path / path).exists() for path in files)


def test_a_file_of_the_same_size_and_second_is_not_taken_for_the_compiled_one(tmp_path):
    wanted = made(tmp_path / "wanted", {"a.py": "x = 1\n"})
    made(tmp_path / "here", {"a.py": "x = 2\n", "__pycache__/a.cpython-311.pyc": "compiled of the other"})
    for place in ("wanted", "here"):
        os.utime(tmp_path / place / "a.py", (1_000_000_000, 1_000_000_000))
    lay(tmp_path / "here", wanted)
    assert not (tmp_path / "here" / "__pycache__" / "a.cpython-311.pyc").exists()


def test_links_and_the_right_to_run_are_part_of_a_file(tmp_path):
    wanted = made(tmp_path / "wanted", {"run": "#!/bin/sh\n"})
    (tmp_path / "wanted" / "run").chmod(0o755)
    (tmp_path / "wanted" / "link").symlink_to("run")
    (tmp_path / "wanted" / "folder").symlink_to("/nowhere", target_is_directory=True)
    wanted = tree_of(tmp_path / "wanted")
    here = made(tmp_path / "here", {"run": "#!/bin/sh\n", "link": "#!/bin/sh\n"})
    assert differing(here, wanted) == ["folder", "link", "run"]
    lay(tmp_path / "here", wanted)
    assert differing(tree_of(tmp_path / "here"), wanted) == []
