"""A real Slurm on one machine, in a folder of its own: munged, slurmctld, slurmd, two GPU slots.

It needs root and Debian's slurmctld, slurmd, slurm-client and munge; for an accounting database
slurmdbd and mariadb-server too. It runs in containers too: no systemd, no cgroups, its own
munge key and ports. The "GPUs" are two character devices that behave as /dev/null; Slurm hands them
out as it does real ones, with CUDA_VISIBLE_DEVICES.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
ACCOUNTING_PACKAGES = ("slurmdbd", "mariadb-server")
COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")
ACCOUNTING_COMMANDS = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacctmgr")
GPUS = 2
ACCOUNT = "radiographs"

SLURM_CONF = """
ClusterName=onemachine
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
DefMemPerCPU=1000
ReturnToService=2
MinJobAge=300
KillWait=10
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
TaskProlog={folder}/task-start
TaskEpilog={folder}/task-end
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:{gpus}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
ACCOUNTING_CONF = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd_port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations
"""
SLURMDBD_CONF = """
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={slurmdbd_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm_accounting
"""
# One line a task: start or end, job, step, the GPUs it sees, its memory in MiB, seconds.
TASK_LOG = """#!/bin/sh
echo "{event} ${{SLURM_JOB_ID}} ${{SLURM_STEP_ID:-batch}} ${{CUDA_VISIBLE_DEVICES:-none}}" \\
    "${{SLURM_MEM_PER_NODE:-0}} $(date +%s.%N)" >> {folder}/tasks.log
"""


SRUN = """#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


class ClusterError(RuntimeError):
    """Slurm cannot be brought up here; the message says why and what to do."""


def why_not(accounting: bool = False) -> str | None:
    """Return why no Slurm can be brought up here, with what to do about it, or None if it can."""
    if os.geteuid() != 0:
        return "a one-machine Slurm needs root (slurmd starts jobs, mknod makes its GPU slots)"
    commands = COMMANDS + (ACCOUNTING_COMMANDS if accounting else ())
    missing = [command for command in commands if _which(command) is None]
    if missing:
        packages = PACKAGES + (ACCOUNTING_PACKAGES if accounting else ())
        return f"{', '.join(missing)} not found; apt-get install {' '.join(packages)}"
    return None


def _which(command: str) -> str | None:
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Cluster:
    """Slurm in `folder`, for a `with` block."""

    def __init__(self, folder: Path, accounting: bool = False, cpus: int = 8):
        self.folder = Path(folder).resolve()
        self.accounting, self.cpus = accounting, cpus
        self.daemons: list[tuple[str, subprocess.Popen]] = []
        # A path, too: the plugin's job step drops every SLURM_ variable before it calls srun.
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        settings = str(self.folder / "slurm.conf")
        self.environment = {**os.environ, "PATH": path, "SLURM_CONF": settings}

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def run(self, *command: str) -> str:
        """Run one of Slurm's commands on this cluster; return what it printed."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise ClusterError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout

    def up(self) -> None:
        """Start everything and wait until the node is idle."""
        if reason := why_not(self.accounting):
            raise ClusterError(f"No Slurm here: {reason}.")
        self._write_settings()
        munge = [
            f"--{kind}-file={self.folder}/munge.{kind}" for kind in ("key", "pid", "log", "seed")
        ]
        socket_file = f"--socket={self.folder}/munge.socket"
        self._start("munged", "--foreground", "--force", *munge, socket_file)
        self._wait("munge's socket", lambda: (self.folder / "munge.socket").exists())
        if self.accounting:
            self._start_accounting()
        self._start("slurmctld", "-D", "-i")
        self._wait("slurmctld", lambda: "UP" in self.run("scontrol", "ping"))
        self._start("slurmd", "-D")
        self._wait("the node", lambda: self.run("sinfo", "-h", "-o", "%T").strip() == "idle")

    def down(self) -> None:
        """End the daemons and what they started."""
        if "slurmctld" in dict(self.daemons):
            subprocess.run(["scancel", "-u", "root"], env=self.environment, capture_output=True)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and self._jobs_left():
                time.sleep(0.2)
        for _, daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
        for pid in self.left_over():
            os.kill(pid, signal.SIGKILL)

    def left_over(self) -> list[int]:
        """Return processes of this cluster's jobs; without cgroups Slurm may lose sight of one."""
        found, mark = [], f"{self.folder / 'bin'}{os.pathsep}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if mark in environment and b"\0SLURM_JOB_ID=" in environment:
                found.append(int(process.name))
        return found

    def _jobs_left(self) -> bool:
        try:
            return bool(self.run("squeue", "-h").strip())
        except ClusterError:
            return False

    def tasks(self) -> list[dict]:
        """Return the tasks that ran: job, step, gpus, memory_mb, start and end (s, or None)."""
        log = self.folder / "tasks.log"
        found: dict[tuple, dict] = {}
        for line in log.read_text().splitlines() if log.exists() else ():
            event, job, step, gpus, memory, when = line.split()
            task = found.setdefault((job, step), {"job": job, "step": step, "end": None})
            task[event] = float(when)
            if event == "start":
                task |= {"gpus": gpus, "memory_mb": int(memory)}
        return list(found.values())

    def _write_settings(self) -> None:
        for name in ("state", "spool", "database", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        names = ("slurmctld_port", "slurmd_port", "slurmdbd_port", "database_port")
        values = dict(zip(names, _free_ports(len(names)), strict=True))
        values |= {"folder": self.folder, "host": socket.gethostname().split(".")[0]}
        values |= {"cpus": self.cpus, "memory_mb": 64000, "gpus": GPUS}
        values |= {"password": os.urandom(8).hex()}
        self.values = values
        self._write("munge.key", os.urandom(1024).hex(), mode=0o400)
        conf = SLURM_CONF + (ACCOUNTING_CONF if self.accounting else "")
        self._write("slurm.conf", conf.format(**values))
        self._write("slurmdbd.conf", SLURMDBD_CONF.format(**values), mode=0o600)
        self._write("cgroup.conf", "CgroupAutomount=no\n")
        gres = []
        for number in range(GPUS):
            device = self.folder / f"gpu{number}"
            os.mknod(device, 0o666 | 0o020000, os.makedev(1, 3))
            gres.append(f"Name=gpu File={device}")
        self._write("gres.conf", "\n".join(gres) + "\n")
        for event, name in (("start", "task-start"), ("end", "task-end")):
            self._write(name, TASK_LOG.format(event=event, folder=self.folder), mode=0o755)
        srun = SRUN.format(folder=self.folder, srun=_which("srun"))
        self._write("bin/srun", srun, mode=0o755)

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def _start_accounting(self) -> None:
        data, values = self.folder / "database", self.values
        of_root = ("--no-defaults", "--user=root", f"--datadir={data}")
        options = ("--skip-test-db", "--auth-root-authentication-method=normal")
        self.run("mariadb-install-db", *of_root, *options)
        sql_socket = f"--socket={self.folder}/database.socket"
        self._start(
            "mariadbd",
            *of_root,
            f"--port={values['database_port']}",
            "--bind-address=127.0.0.1",
            f"--pid-file={self.folder}/mariadbd.pid",
            sql_socket,
        )
        sql = (
            "CREATE DATABASE IF NOT EXISTS slurm_accounting;"
            f"CREATE OR REPLACE USER slurm@'localhost' IDENTIFIED BY '{values['password']}';"
            f"CREATE OR REPLACE USER slurm@'127.0.0.1' IDENTIFIED BY '{values['password']}';"
            "GRANT ALL ON slurm_accounting.* TO slurm@'localhost';"
            "GRANT ALL ON slurm_accounting.* TO slurm@'127.0.0.1';"
        )
        client = ("mariadb", "--no-defaults", "--user=root", sql_socket, "--execute", sql)
        self._wait("the database", lambda: self.run(*client) == "")
        self._start("slurmdbd", "-D")
        self._wait("slurmdbd", lambda: self.run("sacctmgr", "-n", "list", "cluster") is not None)
        self.run("sacctmgr", "-i", "add", "cluster", "onemachine")
        self.run("sacctmgr", "-i", "add", "account", ACCOUNT, "cluster=onemachine")
        self.run("sacctmgr", "-i", "add", "user", "root", f"account={ACCOUNT}")

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [_which(name), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.daemons.append((name, process))

    def _wait(self, what: str, ready, seconds: float = 60) -> None:
        """Wait until `ready()` is true; stop with the daemon's log when it ended or time is up."""
        name, process = self.daemons[-1]
        deadline, reason = time.monotonic() + seconds, ""
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if ready():
                    return
            except ClusterError as error:
                reason = f" {error}"
            time.sleep(0.1)
        state = "still starts" if process.poll() is None else f"ended with {process.returncode}"
        log = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
        raise ClusterError(f"Waited in vain for {what}: {name} {state}.{reason}\nIts log:\n{log}")
