"""The results on a disk that is too small at first."""

import pytest

pytestmark = pytest.mark.workflow


def test_a_full_disk_is_a_sentence_and_the_workflow_goes_on_when_there_is_room(
    project, new_project, disk, tmp_path
):
    (tmp_path / "project").mkdir()
    here = new_project(tmp_path / "project")
    (here.folder / "results").symlink_to(disk.folder)
    # Room for the radiographs, then for some of what follows, then for nothing.
    for pages in (300, 150, 0):
        disk.leave(pages)
        printed = here.snakemake(check=False)
        assert "make room and run the same command again" in printed, printed
        assert "Traceback" not in printed, printed
        assert not list(disk.folder.rglob(".*"))  # nothing temporary is left
    assert f"The disk of {here.results.resolve()}" in printed.replace(
        str(here.results), str(here.results.resolve())
    )
    assert here.planned()["train"] > 0

    disk.make_room()
    here.snakemake()
    for table in sorted((project.results / "tables").glob("*.csv")):
        assert (here.results / "tables" / table.name).read_bytes() == table.read_bytes()
