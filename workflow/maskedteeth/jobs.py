"""The jobs of a study: where their files are, what each sees, and what it builds on.

Snakemake runs a job again when its parameters change. They hold the settings that its stage sees, a
fingerprint of its code, and a digest of the same for all jobs before it: so a job is out of date,
too, where one before it is and has failed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from maskedteeth.data.sources import module_of_source
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models import module_of
from maskedteeth.settings.config import Settings
from maskedteeth.settings.sections import as_values, cut, models_in
from maskedteeth.stages import locate, sections_of

#: A stage and its wildcards.
Job = tuple[str, dict[str, str]]


class Jobs:
    """The jobs of one study.

    Args:
        study: its settings.
        paper: the paper's.
        results: its folder.
        dataset: names, sizes and times of the user's files, as one text.
        get_data: stage that draws or fetches the dataset; None where it is read in place.

    Attributes:
        run: pattern of a training's folder, with its wildcards; likewise pretext and evaluation.
        runs: all trainings of the grid.
        groups: runs that one job evaluates: all of a method, or those that figures show, so that
            one of these figures alone trains no more than it needs.
    """

    def __init__(
        self, study: Settings, paper: Settings, results: Path, dataset: str, get_data: str | None
    ):
        self.study, self.paper, self.dataset, self.get_data = study, paper, dataset, get_data
        self.run = results / "runs" / "{method}" / "fraction-{fraction}" / "seed-{seed}"
        self.pretext = results / "pretext" / "{pretext}"
        self.evaluation = results / "evaluation" / "{group}"
        self.runs = [
            {"method": method, "fraction": f"{fraction:g}", "seed": str(seed)}
            for method in study.methods
            for fraction in study.split.fractions
            for seed in study.seeds_of(method)
        ]
        self.groups = {
            method: [run for run in self.runs if run["method"] == method]
            for method in study.methods
        }
        others = [method for method in study.methods if method != study.report.ours]
        self.groups["shown-ours"] = [self._shown(study.report.ours)]
        if others:
            self.groups["shown-others"] = [self._shown(method) for method in others]
        self._digests: dict[str, str] = {}
        self._made_by: dict[str, Job] = {}

    def _shown(self, method: str) -> dict[str, str]:
        """Return the run of a method that figures 4, 5, 8 and 9 show: its first seed."""
        fraction = f"{self.study.report.figure_fraction:g}"
        return {"method": method, "fraction": fraction, "seed": str(self.study.seeds_of(method)[0])}

    def initialisation(self, method: str) -> list[str]:
        """Return the pretext that a method starts from: one or none."""
        name = self.study.methods[method].initialisation
        return [] if name == "random" else [name]

    def initial_weights(self, method: str) -> str | list[str]:
        """Return the weights that a method starts from, or an empty list."""
        pretexts = self.initialisation(method)
        return self.of_pretexts("weights.safetensors", pretexts)[0] if pretexts else []

    def of_runs(self, file: str, runs: Iterable[dict[str, str]]) -> list[str]:
        """Return the paths of a file of some trainings."""
        return [self._made("train", self.run / file, run) for run in runs]

    def of_pretexts(self, file: str, pretexts: Iterable[str]) -> list[str]:
        """Return the paths of a file of some pretexts."""
        # A measurement builds on all that its pretraining does, and on the weights of LPIPS.
        pattern = self.pretext / file
        return [self._made("measure_pretext", pattern, {"pretext": name}) for name in pretexts]

    def of_groups(self, file: str, groups: Iterable[str]) -> list[str]:
        """Return the paths of a file of the evaluations of some groups."""
        return [self._made("evaluate", self.evaluation / file, {"group": g}) for g in groups]

    def made_by(self, stage: str, file: str) -> str:
        """Mark a file as made by a stage without wildcards, and return it."""
        return self._made(stage, Path(file), {})

    def _made(self, stage: str, pattern: Path, job: dict[str, str]) -> str:
        path = str(pattern).format(**job)
        self._made_by[path] = (stage, job)
        return path

    def records(self, groups: Iterable[str]) -> list[str]:
        """Return the records of the trainings and evaluations of some groups, and of pretexts."""
        runs = [run for group in groups for run in self.groups[group]]
        pretexts = {name: None for run in runs for name in self.initialisation(run["method"])}
        return [
            *self.of_runs("run.json", runs),
            *self.of_groups("evaluation.json", groups),
            *self.of_pretexts("run.json", pretexts),
        ]

    def seen(self, stage: str, job: dict[str, str]) -> tuple[str, str]:
        """Return the settings that a job sees, as JSON, and the fingerprint of its code."""
        about = {**job, "dataset": self.dataset, "paper": self.paper}
        about["runs"] = self.groups.get(job.get("group", ""))
        sections = cut(self.study, sections_of(stage), about)
        chosen = {module_of(model) for model in models_in(sections)}
        if "layout" in sections:
            chosen.add(module_of_source(sections["layout"].source))
        return json.dumps(as_values(sections)), fingerprint(locate(stage)[0], *chosen)

    def builds_on(self, stage: str, job: dict[str, str]) -> list[Job]:
        """Return the jobs that one of the data, a training or an evaluation builds on directly."""
        if stage == "prepare" and self.get_data:
            return [(self.get_data, {})]
        if stage == "pretrain":
            return [("prepare", {})]
        if stage == "train":
            pretexts = self.initialisation(job["method"])
            return [("prepare", {}), *(("pretrain", {"pretext": name}) for name in pretexts)]
        if stage == "evaluate":
            return [("train", run) for run in self.groups[job["group"]]]
        if stage == "measure_pretext":
            return [("pretrain", job), ("lpips_weights", {})]
        return []

    def digest(self, jobs: Iterable[Job]) -> str:
        """Return what some jobs and all before them see, as one short text; "" of none."""
        found = dict.fromkeys(self._digest(stage, job) for stage, job in jobs)
        return _short("".join(found)) if found else ""

    def _digest(self, stage: str, job: dict[str, str]) -> str:
        name = f"{stage} {job}"
        if name not in self._digests:
            before = self.digest(self.builds_on(stage, job))
            self._digests[name] = _short(repr((self.seen(stage, job), before)))
        return self._digests[name]

    def parameters(
        self, stage: str, inputs: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, str | Callable[..., str]]:
        """Return the parameters of a rule.

        Args:
            stage: what it runs.
            inputs: of a table or figure.
            **more: what the stage is told besides, because it changes no result.

        Returns:
            ``settings``, ``code`` and ``before``, by which Snakemake knows what is out of date, and
            ``files``, which it does not compare: inputs and outputs by name, and ``more``.
        """
        named = [[paths] if isinstance(paths, str) else paths for paths in (inputs or {}).values()]
        made = [self._made_by[path] for paths in named for path in paths if path in self._made_by]

        def before(wildcards: Any) -> str:
            return self.digest(self.builds_on(stage, dict(wildcards)) if inputs is None else made)

        def files(wildcards: Any, input: Any, output: Any) -> str:
            given = {name: value for name, value in [*input.items(), *output.items()] if value}
            paths = {n: v if isinstance(v, str) else list(map(str, v)) for n, v in given.items()}
            return json.dumps(paths | more)

        return {
            "stage": stage,
            "settings": lambda wildcards: self.seen(stage, dict(wildcards))[0],
            "code": lambda wildcards: self.seen(stage, dict(wildcards))[1],
            "before": before,
            "files": files,
        }


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
