"""A disk that is full."""

import errno
import shutil

from strangler.workshop.room import is_full


def test_a_full_disk_is_known_however_it_is_told(tmp_path):
    assert is_full(OSError(errno.ENOSPC, "No space left on device"))
    assert is_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert not is_full(OSError(errno.EACCES, "Permission denied"))


def test_it_is_known_of_a_folder_that_could_not_be_copied_whole(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "file").write_text("text")

    def told(number):
        def copy(source, target):
            raise OSError(number, "so it is", target)

        try:
            shutil.copytree(tmp_path / "from", tmp_path / "to", copy_function=copy, dirs_exist_ok=True)
        except OSError as error:
            return is_full(error)
        return None

    assert told(errno.ENOSPC) is True
    assert told(errno.EACCES) is False
