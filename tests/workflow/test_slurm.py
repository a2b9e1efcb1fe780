"""The study through a real Slurm here, calm and disturbed, to the same bits as a local run."""

import importlib.util
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "slurm"))
import cluster as slurm

MISSING = slurm.why_not()
if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
    MISSING = "snakemake-executor-plugin-slurm is not installed (envs/requirements.txt)"
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slurm,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]

# Two methods, whose trainings last some seconds.
SMALL = """
methods: {unet: null}
pretext: {random_block_masking: {epochs: 100}}
training: {epochs: 60}
compute: {checkpoint_minutes: 0.005}
"""
TARGETS = ("table2", "statistics", "table_pretext", "figure1")
RUNS = [
    f"{method}/fraction-{fraction}/seed-42"
    for method in ("modified_resunet", "random_block_masking")
    for fraction in ("0.2", "0.8")
]
# Its first look at the jobs comes after a second, and files show at once.
HASTE = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10")
GPU = ("--workflow-profile", "profiles/slurm", *HASTE)
GRES = ("--profile", "profiles/slurm", "--workflow-profile", "profiles/slurm/gres.yaml", *HASTE)
CPU = ("--profile", "profiles/slurm", "--workflow-profile", "profiles/slurm/cpu.yaml", *HASTE)


def small_project(new_project, folder):
    folder.mkdir()
    project = new_project(folder)
    (folder / "small.yaml").write_text(SMALL)
    project.settings.append("small.yaml")
    return project


def measured(project):
    """Everything that must come out equal to the bit: tables, metrics, predictions and weights."""
    kinds = ("tables/*.csv", "**/metrics.csv", "**/predictions.npz", "**/weights.safetensors")
    files = {file for kind in kinds for file in project.results.glob(kind)}
    return {str(file.relative_to(project.results)): file.read_bytes() for file in files}


def gpu_tasks(cluster, jobs=None):
    """What ran under srun with a GPU, of the given Slurm jobs or of all."""
    tasks = [task for task in cluster.tasks() if task["step"] not in ("batch", "4294967291")]
    return [t for t in tasks if t["gpus"] != "none" and (jobs is None or t["job"] in jobs)]


def most_at_once(tasks):
    return max(
        sum(other["start"] <= task["start"] < other["end"] for other in tasks) for task in tasks
    )


def slurm_jobs(printed, rule):
    """Ids of the Slurm jobs of a rule, by what Snakemake printed."""
    return re.findall(rf"SLURM jobid (\d+) \(log: [^)]*/rule_{rule}/", printed)


@pytest.fixture(scope="module")
def local(new_project, tmp_path_factory):
    """The small study, run on this machine without a scheduler."""
    project = small_project(new_project, tmp_path_factory.mktemp("slurm") / "local")
    project.snakemake(*TARGETS)
    return project


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with slurm.Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def submitted(new_project, cluster, tmp_path_factory):
    """The small study, submitted to Slurm, asking for GPUs with --gpus."""
    project = small_project(new_project, tmp_path_factory.mktemp("slurm") / "submitted")
    project.environment = cluster.environment
    project.printed = project.snakemake(*TARGETS, *GPU)
    return project


def without_runs(local, folder, cluster):
    """A copy of the study whose trainings, and what is made from them, have yet to be made."""
    project = local.copy(folder)
    for part in ("runs", "tables", "evaluation"):
        shutil.rmtree(project.results / part)
    project.environment = cluster.environment
    return project


def test_slurm_gives_the_same_bits_as_a_local_run(submitted, local):
    assert measured(submitted) == measured(local)
    assert submitted.planned(*TARGETS, *GPU) == {}


def test_two_gpus_are_shared_by_two_jobs_at_once_and_no_more(submitted, cluster):
    tasks = gpu_tasks(cluster)
    assert {task["job"] for task in tasks} >= set(slurm_jobs(submitted.printed, "train"))
    assert {task["gpus"] for task in tasks} == {"0", "1"}
    assert most_at_once(tasks) == 2
    for one in tasks:
        beside = [t for t in tasks if t is not one and t["start"] <= one["start"] < t["end"]]
        assert one["gpus"] not in {task["gpus"] for task in beside}


def test_short_work_makes_no_jobs(submitted):
    submissions = re.findall(r"SLURM jobid \d+ \(log: [^)]*/rule_(\w+)/", submitted.printed)
    assert not {"describe", "lpips_weights", "table2", "figure1"} & set(submissions)
    assert submissions.count("train") == len(RUNS) and submissions.count("evaluate") == 2


def test_cancelled_killed_and_drained_it_ends_with_the_same_bits(local, cluster, tmp_path):
    project = without_runs(local, tmp_path / "study", cluster)
    process = project.start(*TARGETS, *GRES)
    printed = Follower(process)
    try:
        first, second = two_running_trainings(project, process, printed)
        cluster.run("scancel", first["job"])
        os.kill(second["pid"], signal.SIGKILL)
        node = cluster.run("sinfo", "-h", "-o", "%n").strip()
        cluster.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        until(lambda: cluster.run("sinfo", "-h", "-o", "%T").strip() == "drained", process, printed)
        before = len(cluster.tasks())
        until(lambda: "PENDING" in cluster.run("squeue", "-h", "-o", "%T"), process, printed)
        time.sleep(3)
        assert len(cluster.tasks()) == before, "a drained node started a job"
        cluster.run("scontrol", "update", f"nodename={node}", "state=resume")
        assert process.wait(timeout=600) == 0, printed.text[-6000:]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert measured(project) == measured(local)
    trainings = slurm_jobs(printed.text, "train")
    assert len(trainings) == len(RUNS) + 2  # one more each for the cancelled and the killed
    for run in (first["run"], second["run"]):
        attempts = [gpu_tasks(cluster, [job]) for job in jobs_of(run, printed.text)]
        memory = [{task["memory_mb"] for task in tasks} for tasks in attempts]
        (least,) = memory[0]
        assert memory == [{least}, {2 * least}]
    assert {task["gpus"] for task in gpu_tasks(cluster, trainings)} == {"0", "1"}
    record = json.loads((project.results / "runs" / first["run"] / "run.json").read_text())
    assert record["resumed_after_steps"], "the cancelled training began again from nothing"


def test_with_an_accounting_database_and_an_account_and_without_gpus(local, tmp_path):
    if reason := slurm.why_not(accounting=True):
        pytest.skip(reason)
    with slurm.Cluster(tmp_path / "cluster", accounting=True) as cluster:
        project = without_runs(local, tmp_path / "study", cluster)
        run = project.results / "runs" / RUNS[0]
        target = str((run / "weights.safetensors").relative_to(project.folder))
        resources = ("slurm_account=" + slurm.ACCOUNT, "runtime=5")
        options = ("--slurm-status-command", "sacct", "--default-resources", *resources)
        project.snakemake(target, *CPU, *options)
        listed = cluster.run("sacct", "-X", "-n", "-P", "-o", "State,Account,AllocTRES")
        assert all(task["gpus"] == "none" for task in cluster.tasks())
    assert listed.splitlines() and "gres/gpu" not in listed
    assert {line.rsplit("|", 1)[0] for line in listed.splitlines()} == {
        f"COMPLETED|{slurm.ACCOUNT}"
    }
    name = f"runs/{RUNS[0]}/weights.safetensors"
    assert (project.results / name).read_bytes() == (local.results / name).read_bytes()


class Follower:
    """Reads what a process prints while it runs."""

    def __init__(self, process):
        self.text = ""
        self.process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.text += line


def until(condition, process, printed, seconds=300):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None and time.monotonic() < deadline, printed.text[-6000:]
        time.sleep(0.1)
    return found


def two_running_trainings(project, process, printed):
    """Wait until two trainings are past their first epoch; return job, process and run of each."""

    def running():
        return [found for run in RUNS if (found := training_of(project, run, printed.text))]

    return until(lambda: len(found := running()) == 2 and found, process, printed)


def parts_of(run):
    return re.match(r"(\w+)/fraction-([\d.]+)/seed-(\d+)", run).groups()


def jobs_of(run, printed):
    """Ids of the Slurm jobs of a run's training, in the order of its attempts."""
    folder = f"rule_train/{'_'.join(parts_of(run))}"
    return re.findall(rf"jobid (\d+) \(log: \S*/{folder}/", printed)


def training_of(project, run, printed):
    """Job, process and run of a training that is past its first epoch, or None."""
    method, fraction, seed = parts_of(run)
    jobs = jobs_of(run, printed)
    log = project.results / "logs" / f"train-{method}-{fraction}-{seed}.log"
    if not jobs or not log.exists() or "epoch 2/" not in log.read_text():
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            inside = (folder / "cwd").resolve() == project.folder.resolve()
        except OSError:
            continue
        weights = f"results/tiny/runs/{run}/weights.safetensors".encode()
        if inside and b"maskedteeth" in command and any(weights in word for word in command):
            return {"job": jobs[-1], "pid": int(folder.name), "run": run}
    return None
