"""Odd names and unusable files in a folder of the user are no trouble of the workflow."""

import os

import pytest

from maskedteeth.files import read_csv

ODD = ("-a b", "ü", "…", "it's", '"q"', "*?[1]", "$HOME", "a,b;c", "%s\\n", "x" * 251)

pytestmark = pytest.mark.workflow


@pytest.fixture
def odd(new_project, tmp_path, write_folder):
    project = new_project(tmp_path)
    raw = write_folder(project.folder / "my 'radiographs'", 12)
    for number, name in enumerate(ODD, start=1):
        for part in ("images", "masks"):
            (raw / part / f"{number}.png").rename(raw / part / f"{name}.png")
    content = (raw / "images" / "11.png").read_bytes()
    for name in ("line\nbreak.png", "{wildcard}.png", os.fsdecode(b"\xfc.png")):
        (raw / "images" / name).write_bytes(content)
    (raw / "images" / "loop.png").symlink_to("loop.png")
    (raw / "images" / "folder.png").mkdir()
    (project.folder / "folder.yaml").write_text(
        "data: {source: folder, path: \"my 'radiographs'\", most_problems: 0.5}\n"
    )
    project.settings.append("folder.yaml")
    return project, raw


def test_a_folder_of_odd_names_is_prepared_once_and_watched(odd):
    project, raw = odd
    target = "results/tiny/data/images.npy"
    project.snakemake(target)
    rows, problems = (read_csv(project.results / f"data/{n}.csv") for n in ("index", "problems"))
    assert {row["id"] for row in rows} == {*ODD, "11", "12"}
    set_aside = {row["id"] for row in problems}
    assert set_aside == {
        "line\\nbreak",
        "{wildcard}",
        "\\udcfc",
        "loop",
        "folder",
    }
    assert project.planned(target) == {}
    changed = raw / "images" / "*?[1].png"
    changed.write_bytes((raw / "images" / "12.png").read_bytes())
    assert set(project.planned(target)) == {"index", "prepare"}


def test_braces_in_the_path_of_the_dataset_are_one_sentence(odd):
    project, raw = odd
    raw.rename(raw.with_name("a {b}"))
    printed = project.snakemake("--config", "data={path: 'a {b}'}", check=False)
    assert "data.path a {b} has braces, which Snakemake takes for wildcards; rename it." in printed


def test_jobs_take_no_module_from_the_working_directory(new_project, tmp_path):
    project = new_project(tmp_path)
    (tmp_path / "maskedteeth.py").write_text("raise SystemExit('another module')\n")
    project.snakemake("audit")
    assert (project.results / "tables" / "audit.md").is_file()
