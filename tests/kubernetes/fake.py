#!/usr/bin/env python3
"""A stand-in for kubectl: `create` runs a Job's container as a process here, in the background.

FAKE_KUBECTL names the folder of its state, where every manifest is kept as NAME.json.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_KUBECTL"])


def create():
    """Start the manifest's container; print the job's name."""
    STATE.mkdir(parents=True, exist_ok=True)
    job = json.load(sys.stdin)
    name = f"{job['metadata']['generateName']}{len(list(STATE.glob('*.json')))}"
    (STATE / f"{name}.json").write_text(json.dumps(job))
    subprocess.Popen(
        [sys.executable, __file__, "run", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(f"job.batch/{name}")


def run(name):
    """Run a job's container to its end, in a process group of its own, as a pod does."""
    job = json.loads((STATE / f"{name}.json").read_text())
    container = job["spec"]["template"]["spec"]["containers"][0]
    with (STATE / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            container["command"],
            cwd=container["workingDir"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (STATE / f"{name}.pid").write_text(str(process.pid))
    code = process.wait()
    (STATE / f"{name}.part").write_text(str(code))
    (STATE / f"{name}.part").rename(STATE / f"{name}.exit")


def get(name):
    """Print succeeded/failed of a job."""
    if not (STATE / f"{name}.json").exists():
        sys.exit(f'Error from server (NotFound): jobs.batch "{name}" not found')
    ended = STATE / f"{name}.exit"
    if not ended.exists():
        print("/")
    else:
        print("1/" if ended.read_text().strip() == "0" else "/1")


def delete(names):
    """End jobs and forget them."""
    for name in names:
        os.killpg(int((STATE / f"{name}.pid").read_text()), signal.SIGKILL)
        (STATE / f"{name}.json").unlink()


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    jobs = [word.split("/")[1] for word in words if word.startswith("job.batch/")]
    if verb == "create":
        create()
    elif verb == "run":
        run(words[0])
    elif verb == "get":
        get(jobs[0])
    elif verb == "delete":
        delete(jobs)
    else:
        sys.exit(f"error: unknown command {verb}")
