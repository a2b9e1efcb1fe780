"""The study through profiles/qsub, run for real on a small stand-in for qsub."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from waiting import wait_until

FAKE = Path(__file__).parents[1] / "qsub" / "fake.py"
ROOT = Path(__file__).parents[2]
MISSING = importlib.util.find_spec("snakemake_executor_plugin_cluster_generic") is None
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        MISSING,
        reason="snakemake-executor-plugin-cluster-generic is not installed (envs/requirements.txt)",
    ),
]

TRAINING = "results/tiny/runs/modified_resunet/fraction-0.2/seed-42/metrics.csv"


def environment(folder, **more):
    """Environment in which qsub, qstat and qdel are the stand-in."""
    (folder / "bin").mkdir()
    for name in ("qsub", "qstat", "qdel"):
        (folder / "bin" / name).symlink_to(FAKE)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "FAKE_QSUB": str(folder / "jobs"), "QSUB_LATENCY": "0", **more}


def submitted(folder):
    return [json.loads(line) for line in (folder / "jobs" / "jobs.log").read_text().splitlines()]


def script(name, *arguments, folder, environment):
    command = [str(ROOT / "profiles" / "qsub" / name), *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=30)


def wait_for_end(number, folder, environment):
    """Return what status.sh prints of a job that does not run any more."""

    def ended():
        status = script("status.sh", number, folder=folder, environment=environment)
        return status.stdout if status.stdout != "running\n" else None

    return wait_until(ended)


def test_a_training_through_qsub_gives_the_same_bits_after_its_job_was_deleted(project, tmp_path):
    study = project.copy(tmp_path / "study")
    run = (study.folder / TRAINING).parent
    kept = {file.name: file.read_bytes() for file in run.glob("*")}
    for file in run.iterdir():
        file.unlink()
    study.environment = environment(tmp_path)
    process = study.start(TRAINING, "--workflow-profile", "profiles/qsub", "--latency-wait", "10")
    try:
        first = tmp_path / "jobs" / "1.fake.pid"
        deadline = time.monotonic() + 120
        while not first.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        subprocess.run(["qdel", "1.fake"], env={**os.environ, **study.environment}, check=True)
        printed, _ = process.communicate(timeout=400)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, printed[-6000:]
    for name in ("weights.safetensors", "metrics.csv", "predictions.npz"):
        assert (run / name).read_bytes() == kept[name]
    rules = [job["options"][1] for job in submitted(tmp_path)]
    assert rules == ["train", "train", "evaluate"]
    train, again, _ = (" ".join(job["options"]) for job in submitted(tmp_path))
    assert "ngpus=1" in train
    memory = [int(re.search(r"mem=(\d+)mb", options)[1]) for options in (train, again)]
    assert memory[1] == 2 * memory[0]


@pytest.mark.parametrize("kind", ["pbs", "sge"])
def test_status_follows_a_job_to_its_end(tmp_path, kind):
    env = environment(tmp_path, **({"SGE_ROOT": "/sge"} if kind == "sge" else {}))
    job = tmp_path / "job.sh"
    for body, end in (("exit 0", "success"), ("exit 3", "failed")):
        job.write_text(f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; {body}\n")
        options = (kind, "train", "2", "4001", "125", "1", str(job))
        asked = script("submit.sh", *options, folder=tmp_path, environment=env)
        number = asked.stdout.strip()
        assert number, asked.stderr
        status = script("status.sh", number, folder=tmp_path, environment=env)
        assert status.stdout == "running\n", status.stderr
        (tmp_path / "go").touch()
        assert wait_for_end(number, tmp_path, env) == f"{end}\n"
        (tmp_path / "go").unlink()
    options = " ".join(submitted(tmp_path)[0]["options"])
    assert "02:05:00" in options
    needs = {"pbs": "select=1:ncpus=2:mem=4001mb:ngpus=1", "sge": "-pe smp 2 -l h_vmem=2001M"}
    assert needs[kind] in options


def test_a_deleted_job_has_failed_and_a_silent_server_has_not(tmp_path):
    env = environment(tmp_path)
    job = tmp_path / "job.sh"
    job.write_text("sleep 60\n")
    options = ("pbs", "train", "1", "1000", "5", "0", str(job))
    number = script("submit.sh", *options, folder=tmp_path, environment=env).stdout.strip()
    (tmp_path / "bin" / "qstat").unlink()
    (tmp_path / "bin" / "qstat").write_text("#!/bin/sh\necho cannot connect to server; exit 1\n")
    (tmp_path / "bin" / "qstat").chmod(0o755)
    status = script("status.sh", number, folder=tmp_path, environment=env)
    assert status.stdout == "running\n" and "cannot connect" in status.stderr
    (tmp_path / "bin" / "qstat").unlink()
    (tmp_path / "bin" / "qstat").symlink_to(FAKE)
    subprocess.run(["qdel", number], env={**os.environ, **env}, check=True)
    status = script("status.sh", number, folder=tmp_path, environment=env)
    assert status.stdout == "failed\n" and "left the queue" in status.stderr


@pytest.mark.parametrize("notice", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_notice_reaches_what_the_job_runs_as_sigterm(tmp_path, notice):
    env = environment(tmp_path, SGE_ROOT="/sge")
    job, told = tmp_path / "job.sh", tmp_path / "told"
    job.write_text(f"trap 'touch {told}; exit 1' TERM; touch {tmp_path}/on; sleep 60 & wait\n")
    options = ("sge", "train", "1", "1000", "5", "0", str(job))
    number = script("submit.sh", *options, folder=tmp_path, environment=env).stdout.strip()
    wait_until((tmp_path / "on").exists)
    os.kill(int((tmp_path / "jobs" / f"{number}.pid").read_text()), notice)
    assert wait_for_end(number, tmp_path, env) == "failed\n"
    assert told.exists()


def test_a_system_that_is_neither_is_named(tmp_path):
    options = ("lsf", "train", "1", "1000", "5", "0", "job.sh")
    done = script("submit.sh", *options, folder=tmp_path, environment=environment(tmp_path))
    assert done.returncode and "'lsf' is neither pbs nor sge" in done.stderr
