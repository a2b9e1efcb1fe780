"""The profiles, planned only: they need no scheduler, just Snakemake's plugins."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.workflow

PROFILES = Path(__file__).parents[2] / "profiles"
SLURM = "profiles/slurm"
USES = {
    "gpu": ("--profile", "profiles/gpu"),
    "slurm": ("--workflow-profile", SLURM),
    "slurm-gres": ("--profile", SLURM, "--workflow-profile", f"{SLURM}/gres.yaml"),
    "slurm-cpu": ("--profile", SLURM, "--workflow-profile", f"{SLURM}/cpu.yaml"),
}


def profile(name):
    return yaml.safe_load((PROFILES / name).read_text())


@pytest.fixture(scope="module")
def planned_locally(fresh):
    return fresh.planned()


@pytest.mark.parametrize("use", USES)
def test_every_profile_plans_what_a_local_run_does(use, fresh, planned_locally):
    assert fresh.planned(*USES[use]) == planned_locally


@pytest.mark.parametrize("file", sorted(PROFILES.glob("*/*.yaml")), ids=lambda f: str(f.name))
def test_resources_are_set_for_rules_that_there_are(file, planned_locally):
    content = yaml.safe_load(file.read_text())
    asked = {*content.get("set-resources", {}), *content.get("set-threads", {})}
    assert asked <= set(planned_locally)


def test_the_profile_of_a_cluster_repeats_the_default_one_which_it_replaces():
    default = profile("default/profile.yaml")
    default.pop("printshellcmds")  # false, as where nothing is said
    default.pop("resources")  # of this machine's cards
    settings = profile("slurm/profile.yaml")
    assert {key: settings.get(key) for key in default} == default
