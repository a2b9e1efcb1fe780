#!/usr/bin/env python3
"""A batch system in one file, called as qsub, qstat and qdel: it runs jobs in the background.

FAKE_QSUB names the folder of its state. It speaks PBS' dialect, and SGE's where SGE_ROOT is set. A
job's id, options and command are kept in `jobs.log`, so that tests see what was asked for.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_QSUB"])
SGE = "SGE_ROOT" in os.environ


def qsub(arguments):
    """Start the script, the last argument, in a process group of its own; print its id."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "jobs.log").open("a+") as log:
        log.seek(0)
        number = len(log.readlines()) + 1
        job = f"{number}" if SGE else f"{number}.fake"
        log.write(json.dumps({"id": job, "options": arguments[:-1]}) + "\n")
    output = arguments[arguments.index("-o") + 1]
    with (Path(output) / f"{job}.log").open("wb") as out:
        process = subprocess.Popen(
            ["/bin/sh", arguments[-1]],
            env={**os.environ, "JOB_ID" if SGE else "PBS_JOBID": job},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    (STATE / f"{job}.pid").write_text(str(process.pid))
    print(job)


def running(job):
    """Tell whether the job's process group still has a process that is no zombie."""
    group = (STATE / f"{job}.pid").read_text()
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True).stdout
    return any(
        line.split()[0] == group and not line.split()[1].startswith("Z")
        for line in listed.splitlines()
    )


def qstat(arguments):
    """List a job that runs; say that it is unknown when it does not."""
    job = arguments[-1]
    if not (STATE / f"{job}.pid").exists() or not running(job):
        text = f"Following jobs do not exist: {job}" if SGE else f"qstat: Unknown Job Id {job}"
        sys.exit(text)
    print(f"{job} R")


def qdel(arguments):
    """Kill jobs at once, as a site does that gives no notice."""
    for job in arguments:
        os.killpg(int((STATE / f"{job}.pid").read_text()), signal.SIGKILL)


if __name__ == "__main__":
    {"qsub": qsub, "qstat": qstat, "qdel": qdel}[Path(sys.argv[0]).name](sys.argv[1:])
