"""The profiles, planned only: they need no scheduler, just Snakemake's plugins."""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
SLURM = "profiles/slurm"
USES = {
    "gpu": ("--profile", "profiles/gpu"),
    "slurm": ("--workflow-profile", SLURM),
    "slurm-gres": ("--profile", SLURM, "--workflow-profile", f"{SLURM}/gres.yaml"),
    "slurm-cpu": ("--profile", SLURM, "--workflow-profile", f"{SLURM}/cpu.yaml"),
}


def profile(name):
    return yaml.safe_load((ROOT / "profiles" / name).read_text())


@pytest.fixture(scope="module")
def planned_locally(fresh):
    return fresh.planned()


@pytest.mark.parametrize("use", USES)
def test_every_profile_plans_what_a_local_run_does(use, fresh, planned_locally):
    assert fresh.planned(*USES[use]) == planned_locally


@pytest.mark.parametrize("file", ["gpu/profile", "slurm/profile", "slurm/gres", "slurm/cpu"])
def test_every_rule_that_runs_a_network_gets_what_a_profile_gives_them(file):
    rules = (ROOT / "workflow/rules/training.smk").read_text()
    _, *parts = re.split(r"^rule (\w+):$", rules, flags=re.M)
    bodies = zip(parts[::2], parts[1::2], strict=True)
    networks = [name for name, body in bodies if "**NETWORK" in body]
    settings = profile(f"{file}.yaml")
    given = settings.get("set-resources", settings.get("set-threads"))
    assert "evaluate_elsewhere" in given and set(given) == set(networks)
    assert len(networks) == rules.count("**NETWORK")


def test_the_profile_of_a_cluster_repeats_the_default_one_which_it_replaces():
    default = profile("default/profile.yaml")
    default.pop("printshellcmds")  # false, as where nothing is said
    default.pop("resources")  # of this machine's cards
    settings = profile("slurm/profile.yaml")
    assert {key: settings.get(key) for key in default} == default
