"""The jobs of a study: where their files are, what each sees, and what it builds on.

Snakemake runs a job again when its parameters change. They hold the settings that its stage sees, a
fingerprint of its code, and a digest of the same for all jobs before it: so a job is out of date,
too, where one before it is and has failed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from maskedteeth.data.sources import module_of_source
from maskedteeth.fingerprint import fingerprint
from maskedteeth.models import module_of
from maskedteeth.settings.config import Model, Settings
from maskedteeth.settings.sections import as_values, cut, models_in
from maskedteeth.stages import locate, sections_of
from maskedteeth.tasks import module_of_task
from maskedteeth.training import module_of_loss

#: What a pretraining leaves in a pretext's folder; everything else there is of its measurement.
PRETRAINED = ("weights.safetensors", "history.csv", "previews.npz", "run.json")


class Jobs:
    """The jobs of one study.

    Args:
        study: its settings.
        given: what the user gave of them.
        results: its folder.
        datasets: names, sizes and times of the user's files, as one text a dataset: of the study's
            own, named "", and of further ones.

    Attributes:
        run: pattern of a training's folder, with its wildcards; likewise pretext and evaluation.
        encoder: pattern of an encoder's file.
        runs: all trainings of the grid.
        groups: runs that one job evaluates: all of a method, or those that figures show, so that
            one of these figures alone trains no more than it needs.
    """

    def __init__(
        self, study: Settings, given: dict[str, Any], results: Path, datasets: dict[str, str]
    ):
        self.study = study
        self.given, self.datasets = given, datasets
        self.run = results / "runs" / "{method}" / "fraction-{fraction}" / "seed-{seed}"
        self.pretext = results / "pretext" / "{pretext}"
        self.encoder = results / "encoders" / "{encoder}.safetensors"
        self.evaluation = results / "evaluation" / "{group}"
        self.elsewhere = results / "elsewhere" / "{elsewhere}" / "{group}"
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
        self._made_by: dict[str, tuple[str, dict[str, str]]] = {}
        self._inputs: dict[tuple[str, str], dict[str, Any]] = {}
        self._seen: dict[str, tuple[str, str, str]] = {}

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

    def of_skipped_pretext(self, method: str) -> str | list[str]:
        """Return the record of the pretext that a method goes without, or an empty list."""
        name = self.study.methods[method].instead_of
        return self.of_pretexts("run.json", [name])[0] if name else []

    def of_encoder(self, model: Model) -> str | list[str]:
        """Return the weights that a network's encoder starts from, or an empty list."""
        name = model.pretrained
        return self._made("encoder_weights", self.encoder, {"encoder": name}) if name else []

    def of_runs(self, file: str, runs: Iterable[dict[str, str]]) -> list[str]:
        """Return the paths of a file of some trainings."""
        return [self._made("train", self.run / file, run) for run in runs]

    def of_pretexts(self, file: str, pretexts: Iterable[str]) -> list[str]:
        """Return the paths of a file of some pretexts."""
        stage = "pretrain" if file in PRETRAINED else "measure_pretext"
        return [self._made(stage, self.pretext / file, {"pretext": name}) for name in pretexts]

    def of_groups(self, file: str, groups: Iterable[str]) -> list[str]:
        """Return the paths of a file of the evaluations of some groups."""
        return [self._made("evaluate", self.evaluation / file, {"group": g}) for g in groups]

    def of_elsewhere(self, file: str, dataset: str, groups: Iterable[str]) -> list[str]:
        """Return the paths of a file of the evaluations of some groups on a further dataset."""
        jobs = [{"elsewhere": dataset, "group": group} for group in groups]
        return [self._made("evaluate_elsewhere", self.elsewhere / file, job) for job in jobs]

    def made_by(self, stage: str, file: str, dataset: str = "") -> str:
        """Mark a file as made by a stage without wildcards, and return it."""
        return self._made(stage, Path(file), {"elsewhere": dataset} if dataset else {})

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

    def parameters(
        self,
        stage: str,
        inputs: dict[str, Any] | None = None,
        dataset: str = "",
        **more: Any,
    ) -> dict[str, str | Callable[..., str]]:
        """Return the parameters of a rule.

        Args:
            stage: what it runs.
            inputs: the rule's: paths by name, or functions of the wildcards that return them.
            dataset: that it is about, where that is a further one and no wildcard says so.
            **more: what the stage is told besides, because it changes no result.

        Returns:
            ``settings``, ``code`` and ``before``, by which Snakemake knows what is out of date, and
            ``files``: inputs and outputs by name, and ``more``. It is a function of inputs and
            outputs; of such a parameter Snakemake compares nothing.
        """
        self._inputs[stage, dataset] = inputs or {}
        of_dataset = {"elsewhere": dataset} if dataset else {}

        def files(wildcards: Any, input: Any, output: Any) -> str:
            given = {name: value for name, value in [*input.items(), *output.items()] if value}
            paths = {n: v if isinstance(v, str) else list(map(str, v)) for n, v in given.items()}
            return json.dumps(paths | more)

        return {
            "stage": stage,
            "settings": lambda wildcards: self.seen(stage, {**wildcards, **of_dataset})[0],
            "code": lambda wildcards: self.seen(stage, {**wildcards, **of_dataset})[1],
            "before": lambda wildcards: self.seen(stage, {**wildcards, **of_dataset})[2],
            "files": files,
        }

    def seen(self, stage: str, job: dict[str, str]) -> tuple[str, str, str]:
        """Return what the result of a job depends on.

        Args:
            stage: what it runs.
            job: its wildcards, and as `elsewhere` the further dataset that it is about.

        Returns:
            The settings that it sees, as JSON; the fingerprint of its code; and a digest of the
            same of all jobs that it builds on, "" of none.
        """
        name = f"{stage} {job}"
        if name not in self._seen:
            study, dataset = self.study, job.get("elsewhere", "")
            if dataset:  # what sees the settings of a dataset sees those of this one
                study = study.model_copy(update={"data": study.datasets[dataset]})
            about = {"given": self.given, "dataset": self.datasets[dataset]}
            about["runs"] = self.groups.get(job.get("group", ""))
            sections = cut(study, sections_of(stage), {**job, **about})
            chosen = {module_of(model) for model in models_in(sections)}
            if "layout" in sections:
                chosen.add(module_of_source(sections["layout"].source))
            if {"training", "runs"} & sections.keys():
                chosen.add(module_of_task(self.study.task))
            if "adversary" in sections:
                chosen.add(module_of_loss(sections["model"], sections["adversary"]))
            code = fingerprint(locate(stage)[0], *chosen)
            before = dict.fromkeys(self.seen(*made) for made in self._builds_on(stage, job))
            digest = hashlib.sha256(repr([*before]).encode()).hexdigest()[:16] if before else ""
            self._seen[name] = json.dumps(as_values(sections)), code, digest
        return self._seen[name]

    def _builds_on(self, stage: str, job: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
        of_dataset = stage, job.get("elsewhere", "")
        inputs = self._inputs[of_dataset if of_dataset in self._inputs else (stage, "")]
        for given in inputs.values():
            paths = given(SimpleNamespace(**job)) if callable(given) else given
            for path in [paths] if isinstance(paths, str) else paths:
                if path in self._made_by:
                    yield self._made_by[path]
