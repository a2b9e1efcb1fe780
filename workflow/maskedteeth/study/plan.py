"""`maskedteeth plan`: what a run would do, why, and about how long it would take."""

import ast
import io
import json
import shlex
import textwrap
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Settings
from maskedteeth.study.nesting import flat

if TYPE_CHECKING:
    from argparse import Namespace

    from snakemake.dag import DAG
    from snakemake.jobs import Job, Reason

WIDTH = 80
#: How many changed settings, or newer files, are named.
MOST_NAMED = 3


def plan(arguments: list[str], /) -> None:
    """Print what `snakemake ARGUMENTS` would do: jobs by rule, why, hours and disk.

    Nothing is run, written to the results, or locked. Hours come from trainings that this machine
    has finished or measured; without any, the plan says so.

    Args:
        arguments: as of snakemake: targets first, then options, such as
            --configfile config/demo.yaml.

    Raises:
        InputError: Snakemake cannot plan it, which the sentence repeats, or it is a workflow that
            only uses this one.
    """
    dag, command = _dry_run(arguments)
    study = dag.workflow.globals.get("STUDY")
    if not isinstance(study, Settings):
        raise InputError(
            f"{dag.workflow.main_snakefile} is another workflow, which may use this one as a "
            "module. `snakemake --dry-run` plans it, and `maskedteeth plan` a study in this "
            "project's folder."
        )
    needed = [job for job in dag.needrun_jobs() if not job.rule.norun]
    there = [job for job in dag.jobs if not job.rule.norun and not dag.needrun(job)]
    print(f"Plan of the study {study.study}: {len(needed)} jobs to do, {len(there)} done already")
    if not needed:
        print("Nothing to be done.")
        return
    reasons = {job: why(dag.reason(job)) for job in needed}
    print("\n" + "\n".join(table(needed, there, reasons)))
    from maskedteeth.study.estimate import estimate

    print("\n" + "\n".join(estimate(study, needed, command)))


class _Planned(BaseException):
    """Carries what Snakemake has worked out past all that it would do next."""

    def __init__(self, dag: "DAG"):
        self.dag = dag


def _dry_run(arguments: list[str]) -> tuple["DAG", Callable[[str], str]]:
    """Have Snakemake plan.

    Where a dry run would warn of a lock, everything is known that a plan says.

    Returns:
        What it has worked out, and :func:`command_of` these arguments.
    """
    from snakemake import cli
    from snakemake.persistence import PersistenceBase

    def stop(persistence: PersistenceBase) -> None:
        workflow = persistence.dag.workflow
        workflow.async_run(persistence.dag.postprocess(update_needrun=False, check_initial=True))
        raise _Planned(persistence.dag)

    lock, PersistenceBase.lock_warn_only = PersistenceBase.lock_warn_only, stop
    said = io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(said):
            parser, options = cli.parse_args(["--dry-run", *arguments])
            command = command_of(arguments, options)
            cli.args_to_api(options, parser)
    except _Planned as planned:
        return planned.dag, command
    except SystemExit:
        pass
    finally:
        PersistenceBase.lock_warn_only = lock
    message = said.getvalue().partition("Building DAG of jobs...")
    raise InputError(f"Snakemake cannot plan this:\n{(message[2] or message[0]).strip()}")


def command_of(arguments: list[str], options: "Namespace") -> Callable[[str], str]:
    """Return what tells how to make another target with these options.

    Args:
        arguments: as of snakemake.
        options: what Snakemake has read from them and from its profiles.
    """
    others = list(arguments)
    for target in options.targets:
        others.remove(target)
    if options.cores is None:
        others = ["--cores", "1", *others]
    return lambda target: shlex.join(["snakemake", target, *others])


def why(reason: "Reason") -> str:
    """Say in a few words why a job is to run: the first cause, not what follows from it."""
    if reason.forced:
        return "you ask for it"
    if reason.incomplete_output:
        return "was stopped before its end"
    causes = []
    if reason.params_changed:
        causes.append(_changed(reason.params_changed.only_old, reason.params_changed.only_new))
    if reason.code_changed:
        causes.append("its command has changed")
    if reason.input_changed and not causes:  # a changed setting changes what was measured for it
        causes.append("it gets other input files")
    if reason.software_stack_changed:
        causes.append("its software environment has changed")
    newer = sorted(set(map(str, reason.updated_input)) - set(map(str, reason.updated_input_run)))
    if newer:
        causes.append("changed: " + _some(newer))
    if causes:
        return "; ".join(causes)
    if reason.missing_output:
        return "not made yet"
    if reason.updated_input_run:
        return "what it is made from is made again"
    return str(reason) or "unknown"


def _changed(old: set[str], new: set[str]) -> str:
    """Say which settings differ between two sets of parameters, as Snakemake keeps them."""
    before, after = _settings(old), _settings(new)
    names = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    texts = [f"{key} {_short(before, key)} → {_short(after, key)}" for key in names]
    code = any(_is_fingerprint(text) for text in old | new)
    parts = ["its code has changed"] if code else []
    parts += [_some(texts)] if texts else []
    return ", ".join(parts) or "its parameters have changed"


def _short(values: dict[str, Any], key: str) -> str:
    text = json.dumps(values[key]) if key in values else "–"
    return text if len(text) <= 20 else text[:19] + "…"


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _is_fingerprint(text: str) -> bool:
    value = _literal(text)
    return isinstance(value, str) and len(value) == 16 and set(value) <= set("0123456789abcdef")


def _settings(parameters: set[str]) -> dict[str, Any]:
    """Return the settings among parameters without nesting: {"model.widths": [32]}."""
    for text in parameters:
        value = _literal(text)
        if isinstance(value, str) and value.startswith("{"):
            try:
                return flat(json.loads(value))
            except ValueError:
                continue
    return {}


def _some(texts: list[str]) -> str:
    more = len(texts) - MOST_NAMED
    return ", ".join(texts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def table(needed: list["Job"], there: list["Job"], reasons: dict["Job", str]) -> list[str]:
    """Lay out the jobs by rule, in the order of the workflow, with their reasons."""
    done = Counter(job.rule.name for job in there)
    why_of: dict[str, Counter[str]] = {}
    for job in sorted(needed, key=lambda job: job.jobid):
        why_of.setdefault(job.rule.name, Counter())[reasons[job]] += 1
    lines = [f"{'rule':<20}{'to do':>6}{'done':>6}  why"]
    for rule in sorted(why_of, key=_order(needed)):
        counts = why_of[rule]
        total = sum(counts.values())
        for row, (text, count) in enumerate(counts.most_common()):
            text = text if len(counts) == 1 else f"{count}: {text}"
            first = f"{rule:<20}{total:>6}{done[rule]:>6}  " if row == 0 else " " * 34
            lines += _wrapped(first, text)
    finished = [f"{name} {count}" for name, count in done.items() if name not in why_of]
    if finished:
        lines += _wrapped("Done: ", ", ".join(sorted(finished)))
    return lines


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first), drop_whitespace=True
    )


def _order(jobs: list["Job"]) -> Callable[[str], int]:
    """Return the place of a rule in the workflow."""
    names = [rule.name for rule in jobs[0].rule.workflow.rules]
    return names.index
