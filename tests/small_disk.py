"""A small file system of its own, to be filled."""

import os
import subprocess
from pathlib import Path

import pytest

PAGE = os.sysconf("SC_PAGESIZE")


class Disk:
    """A tmpfs of some pages in a new folder; the test is skipped where none can be mounted."""

    def __init__(self, folder: Path, pages: int):
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={pages * PAGE}", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            folder.rmdir()
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")

    def leave(self, pages: int) -> None:
        """Fill the disk, but for some pages."""
        ballast = self.folder / "ballast"
        ballast.unlink(missing_ok=True)
        free = os.statvfs(self.folder).f_bavail - pages
        if free > 0:
            ballast.touch()
            with ballast.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, free * PAGE)

    def make_room(self) -> None:
        """Remove what fills the disk."""
        (self.folder / "ballast").unlink()

    def read_only(self) -> None:
        """Allow no further write."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", str(self.folder)], check=True)
