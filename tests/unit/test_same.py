"""The services' copies: the same now, and told when they part."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXTRACTED = Path(__file__).parents[2] / "extracted"


def compared(folder):
    done = subprocess.run(
        [sys.executable, "-S", EXTRACTED / "same.py", folder], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.fixture
def copies(tmp_path):
    """The services' copies, to be changed."""
    shutil.copytree(EXTRACTED, tmp_path / "extracted", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    return tmp_path / "extracted"


def test_what_is_copied_into_each_service_is_the_same_in_all():
    assert compared(EXTRACTED) == (0, "4 files are the same in all services\n")


def test_a_copy_that_was_changed_alone_is_told_with_the_line(copies):
    path = copies / "notifications" / "notifications_service" / "identity.py"
    path.write_text(path.read_text().replace("_LEEWAY_SECONDS = 5", "_LEEWAY_SECONDS = 3600"))
    code, said = compared(copies)
    assert code == 1
    assert said == 'identity.py of "reviews" is not that of "notifications": -_LEEWAY_SECONDS = 3600\n'


def test_a_copy_that_is_gone_is_told(copies):
    (copies / "reviews" / "reviews_service" / "outward.py").unlink()
    assert compared(copies) == (1, '"reviews" has no outward.py\n')


def test_a_name_that_no_service_has_is_told(copies):
    (copies / "same.txt").write_text("healthy.py\n")
    assert compared(copies) == (1, '"notifications" has no healthy.py\n"reviews" has no healthy.py\n')


def test_how_a_copy_is_laid_out_in_lines_is_no_matter(copies):
    path = copies / "reviews" / "reviews_service" / "health.py"
    path.write_text(path.read_text() + "\n\n# a remark\n")
    assert compared(copies)[0] == 0
