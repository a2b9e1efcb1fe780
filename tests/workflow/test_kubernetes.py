"""Jobs of profiles/kubernetes, run for real on a stand-in for kubectl."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_until

FAKE = Path(__file__).parents[1] / "kubernetes" / "fake.py"
PROFILE = Path(__file__).parents[2] / "profiles" / "kubernetes"
pytestmark = pytest.mark.workflow
JOB = ("--image", "teeth:1", "--claim", "radiographs", "--mount", "/study", "--rule", "measure_one")
JOB += ("--cpus", "2", "--memory-mb", "4000", "--minutes", "90", "--gpus")


@pytest.fixture
def environment(tmp_path):
    """Environment in which kubectl is the stand-in."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").symlink_to(FAKE)
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent)])
    path += os.pathsep + os.environ["PATH"]
    return {"PATH": path, "FAKE_KUBECTL": str(tmp_path / "jobs")}


def call(environment, folder, name, *arguments):
    env = {**os.environ, **environment}
    command = [str(PROFILE / name), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def wait_for_end(environment, folder, job):
    def ended():
        status = call(environment, folder, "status.sh", job).stdout.strip()
        return status if status != "running" else None

    return wait_until(ended)


@pytest.mark.parametrize(("body", "end"), [("exit 0", "success"), ("exit 4", "failed")])
def test_a_job_asks_for_what_it_needs_and_its_end_is_told(environment, tmp_path, body, end):
    folder = tmp_path / "with a space"
    folder.mkdir()
    script = folder / "job.sh"
    script.write_text(f"pwd > where; {body}\n")
    done = call(environment, folder, "submit.py", *JOB, "1", str(script))
    job = done.stdout.strip()
    assert job.startswith("job.batch/measure-one-"), done.stderr
    assert wait_for_end(environment, tmp_path, job) == end
    assert Path((folder / "where").read_text().strip()) == folder
    manifest = json.loads(next((tmp_path / "jobs").glob("*.json")).read_text())
    assert manifest["spec"]["backoffLimit"] == 0
    assert manifest["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 5400
    pod = manifest["spec"]["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "radiographs"}
    container = pod["containers"][0]
    assert container["image"] == "teeth:1"
    assert container["resources"]["limits"] == {"memory": "4000M", "nvidia.com/gpu": 1}
    assert container["resources"]["requests"]["cpu"] == 2


def test_a_pod_that_is_told_to_stop_passes_it_on_and_waits(environment, tmp_path):
    script = tmp_path / "job.sh"
    trap = f"trap 'sleep 0.3; touch {tmp_path}/told; exit 1' TERM"
    script.write_text(f"{trap}; touch {tmp_path}/on; sleep 60 & wait\n")
    job = call(environment, tmp_path, "submit.py", *JOB, "0", str(script)).stdout.strip()
    wait_until((tmp_path / "on").exists)
    pid = tmp_path / "jobs" / f"{job.split('/')[1]}.pid"
    os.kill(int(pid.read_text()), signal.SIGTERM)
    assert wait_for_end(environment, tmp_path, job) == "failed"
    assert (tmp_path / "told").exists()
    manifest = json.loads(next((tmp_path / "jobs").glob("*.json")).read_text())
    limits = manifest["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert "nvidia.com/gpu" not in limits


def test_a_deleted_job_has_failed(environment, tmp_path):
    script = tmp_path / "job.sh"
    script.write_text(f"touch {tmp_path}/on; sleep 60\n")
    job = call(environment, tmp_path, "submit.py", *JOB, "0", str(script)).stdout.strip()
    assert call(environment, tmp_path, "status.sh", job).stdout == "running\n"
    wait_until((tmp_path / "on").exists)
    assert call(environment, tmp_path, "cancel.sh", job).returncode == 0
    status = call(environment, tmp_path, "status.sh", job)
    assert status.stdout == "failed\n" and "deleted" in status.stderr
