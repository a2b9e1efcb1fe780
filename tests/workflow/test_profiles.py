"""The profiles of the engines, planned only: they need no scheduler, just Snakemake's plugins."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
ENGINES = {
    "slurm": ("--workflow-profile", "profiles/slurm"),
    "slurm-gres": ("--profile", "profiles/slurm", "--workflow-profile", "profiles/slurm/gres.yaml"),
    "slurm-cpu": ("--profile", "profiles/slurm", "--workflow-profile", "profiles/slurm/cpu.yaml"),
    "qsub": ("--workflow-profile", "profiles/qsub"),
    "kubernetes": ("--workflow-profile", "profiles/kubernetes"),
}
ON_GPUS = {"measure_one", "pretrain", "train", "evaluate", "reconstruct"}


def plugin_missing(engine):
    name = "slurm" if engine.startswith("slurm") else "cluster_generic"
    return importlib.util.find_spec(f"snakemake_executor_plugin_{name}") is None


def profile(name):
    return yaml.safe_load((PROFILES / name).read_text())


@pytest.fixture(scope="module")
def fresh(new_project, tmp_path_factory):
    """The tiny study before its first run."""
    return new_project(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="module")
def planned_locally(fresh):
    return fresh.planned()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_plans_what_a_local_run_does(engine, fresh, planned_locally):
    if plugin_missing(engine):
        pytest.skip("Snakemake's plugin for it is not installed (envs/requirements.txt)")
    assert fresh.planned(*ENGINES[engine]) == planned_locally


@pytest.mark.parametrize("file", sorted(PROFILES.glob("*/*.yaml")), ids=lambda f: str(f.name))
def test_resources_are_set_for_rules_that_there_are(file, planned_locally):
    asked = set(yaml.safe_load(file.read_text()).get("set-resources", {}))
    assert asked <= set(planned_locally)


@pytest.mark.parametrize("name", ["slurm", "qsub", "kubernetes"])
def test_what_runs_a_network_gets_a_gpu_and_the_default_profile_is_repeated(name):
    settings = profile(f"{name}/profile.yaml")
    assert {r for r, need in settings["set-resources"].items() if need == {"gpu": 1}} == ON_GPUS
    default = profile("default/profile.yaml")
    default.pop("printshellcmds")  # false, as where nothing is said
    assert {key: settings.get(key) for key in default} == default


def test_both_spellings_ask_for_the_same_gpus():
    gres = profile("slurm/gres.yaml")["set-resources"]
    assert {rule for rule, need in gres.items() if need == {"gres": "'gpu:1'"}} == ON_GPUS
    cpu = profile("slurm/cpu.yaml")["set-resources"]
    assert json.dumps(cpu).count('"gpu": 0') == len(cpu)
