#!/usr/bin/env python3
"""Submits one job of the workflow to Kubernetes with kubectl, and prints its name."""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

# Longer than a training needs to write its state after SIGTERM, when its node is drained.
GRACE_SECONDS = 120


def manifest(job: argparse.Namespace, folder: Path) -> dict:
    """Return the Job: one pod that runs the script in the study's folder on the shared volume."""
    limits = {"memory": f"{job.memory_mb}M"}
    if job.gpus:
        limits["nvidia.com/gpu"] = job.gpus
    # SIGTERM reaches only a pod's first process; this one passes it on to all that it started.
    command = (
        f'trap "trap : TERM; kill -TERM 0" TERM; sh {shlex.quote(job.script)} & wait $!; code=$?; '
    )
    command += "wait; exit $code"
    container = {
        "name": "maskedteeth",
        "image": job.image,
        "command": ["sh", "-c", command],
        "workingDir": str(folder),
        "resources": {"requests": {"cpu": job.cpus, **limits}, "limits": limits},
        "volumeMounts": [
            {"name": "study", "mountPath": job.mount},
            {"name": "memory", "mountPath": "/dev/shm"},
        ],
    }
    pod = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": job.minutes * 60,  # here it does not count while the pod waits
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [container],
        "volumes": [
            {"name": "study", "persistentVolumeClaim": {"claimName": job.claim}},
            {"name": "memory", "emptyDir": {"medium": "Memory"}},
        ],
    }
    labels = {"app": "maskedteeth", "rule": job.rule.replace("_", "-")}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": f"{labels['rule']}-", "labels": labels},
        "spec": {
            "backoffLimit": 0,  # retries are Snakemake's, with more memory and time
            "ttlSecondsAfterFinished": 24 * 3600,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def main() -> int:
    """Create the job that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", required=True, help="image with the environment of this study")
    parser.add_argument("--claim", required=True, help="volume claim that holds the study's folder")
    parser.add_argument("--mount", required=True, help="where it is mounted, here and in the pods")
    parser.add_argument("--rule", required=True)
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--minutes", type=int, required=True)
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("script")
    job = parser.parse_args()
    done = subprocess.run(
        ["kubectl", "create", "--output", "name", "--filename", "-"],
        input=json.dumps(manifest(job, Path.cwd())),
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout.strip())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
