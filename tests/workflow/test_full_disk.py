"""The results on a disk that is too small at first."""

import pytest

pytestmark = pytest.mark.workflow


def test_a_full_disk_is_a_sentence_and_the_workflow_goes_on_when_there_is_room(
    project, new_project, disk, tmp_path
):
    (tmp_path / "project").mkdir()
    here = new_project(tmp_path / "project")
    (here.folder / "results").symlink_to(disk.folder)
    for pages in (60, 0):  # room for the first stages, then for nothing more
        disk.leave(pages)
        printed = here.snakemake("table3", check=False)
        assert "make room and run the same command again" in printed, printed
        assert "Traceback" not in printed, printed
        hidden = {file.name for file in disk.folder.rglob(".*")}
        assert hidden <= {".snakemake_timestamp", ".shared"}  # nothing temporary is left
    assert f"The disk of {here.results} is full (0.0 MB left)" in printed
    assert here.planned("table3")["train"] > 0

    disk.make_room()
    here.snakemake("table3")
    tables = list((project.results / "tables").glob("table3.*"))
    assert len(tables) == 3
    for table in tables:
        assert (here.results / "tables" / table.name).read_bytes() == table.read_bytes()
