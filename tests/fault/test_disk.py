"""The small disk can be filled, has room again afterwards, and leaves nothing behind."""

import pytest

from tests.fault.disk import small_disk


def test_a_full_disk_takes_nothing_until_it_has_room_again():
    with small_disk(megabytes=1) as disk:
        if not disk.is_small:
            pytest.skip("a file system of its own needs root and the right to mount")
        file = disk.folder / "file"
        with disk.full(), pytest.raises(OSError, match="No space left"):
            file.write_bytes(b"x" * 10_000)
        assert file.write_bytes(b"x" * 10_000) == 10_000
    assert not disk.folder.exists()
