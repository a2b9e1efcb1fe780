"""The results on a disk that is too small at first."""

import pytest

pytestmark = pytest.mark.workflow


def test_a_full_disk_is_a_sentence_and_the_workflow_goes_on_when_there_is_room(
    project, new_project, disk, tmp_path
):
    (tmp_path / "project").mkdir()
    here = new_project(tmp_path / "project")
    (here.folder / "results").symlink_to(disk.folder)
    for pages in (300, 0):  # room for the first stages, then for nothing more
        disk.leave(pages)
        printed = here.snakemake(check=False)
        assert "make room and run the same command again" in printed, printed
        assert "Traceback" not in printed, printed
        hidden = {file.name for file in disk.folder.rglob(".*")}
        assert hidden <= {".snakemake_timestamp", ".shared"}  # nothing temporary is left
    assert f"The disk of {here.results} is full (0.0 MB left)" in printed
    assert here.planned()["train"] > 0

    disk.make_room()
    here.snakemake()
    tables = {*(project.results / "tables").glob("*.csv")}
    tables -= {project.results / "tables" / "cost.csv"}  # no two trainings take the same time
    assert tables
    for table in tables:
        assert (here.results / "tables" / table.name).read_bytes() == table.read_bytes()
