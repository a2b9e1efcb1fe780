"""What each stage gets of a study's settings.

A stage knows its job and its files, nothing else, and Snakemake runs it again exactly when its
job changes. ``of`` cuts the job out of the whole settings.
"""

from typing import Any

from pydantic import Field, model_validator

from maskedteeth.settings.config import (
    Blocks,
    Compute,
    Data,
    Evaluation,
    Fraction,
    HeldOut,
    Image,
    Model,
    Name,
    Phantom,
    Positive,
    Pretext,
    Report,
    Seed,
    Settings,
    Share,
    Strict,
    Training,
)
from maskedteeth.settings.overlay import overlay


def _fields(part: Strict, kind: type[Strict] | None = None) -> dict:
    """Return a part of the settings, or its fields of a kind, as keywords for a job."""
    return {name: getattr(part, name) for name in (kind or type(part)).model_fields}


def _compute(study: Settings) -> Compute:
    """Return of the machine's settings those that results depend on."""
    return Compute(**_fields(study.compute, Compute))


class PhantomJob(Phantom):
    """Settings of the stage `phantom`."""

    @classmethod
    def of(cls, study: Settings) -> "PhantomJob":
        """Cut the job out of a study."""
        return cls(**_fields(study.data.phantom))


class FetchJob(Strict):
    """Settings of the stage `fetch`."""

    data: Data

    @classmethod
    def of(cls, study: Settings) -> "FetchJob":
        """Cut the job out of a study."""
        data = study.data  # without the names of things, which change nothing that is fetched
        return cls(data=Data(source=data.source, path=data.path, download=data.download))


class Layout(Strict):
    """How a dataset is laid out."""

    source: str
    images: str
    masks: str


class IndexJob(Layout):
    """Settings of the stage `index`."""

    most_problems: Share = 0.1

    @classmethod
    def of(cls, study: Settings) -> "IndexJob":
        """Cut the job out of a study."""
        return cls(**{name: getattr(study.data, name) for name in cls.model_fields})


class PrepareJob(Image):
    """Settings of the stage `prepare`."""

    source: Layout

    @classmethod
    def of(cls, study: Settings) -> "PrepareJob":
        """Cut the job out of a study."""
        source = Layout(**{n: getattr(study.data, n) for n in Layout.model_fields})
        return cls(source=source, **_fields(study.image))


class GuardJob(HeldOut):
    """Settings of the stage `guard`."""

    @classmethod
    def of(cls, study: Settings) -> "GuardJob":
        """Cut the job out of a study."""
        return cls(**_fields(study.split, HeldOut))


class SplitPretextJob(HeldOut):
    """Settings of the stage `split-pretext`."""

    @classmethod
    def of(cls, study: Settings) -> "SplitPretextJob":
        """Cut the job out of a study."""
        return cls(**_fields(study.split, HeldOut))


class SplitJob(HeldOut):
    """Settings of the stage `split`."""

    fraction: Fraction
    seed: Seed

    @model_validator(mode="after")
    def _fits(self) -> "SplitJob":
        self.check_room_for(self.fraction)
        return self

    @classmethod
    def of(cls, study: Settings, fraction: str, seed: str) -> "SplitJob":
        """Cut the job out of a study."""
        exact = next(f for f in study.split.fractions if f"{f:g}" == fraction)
        return cls(fraction=exact, seed=int(seed), **_fields(study.split, HeldOut))


class DescribeJob(Image):
    """Settings of the stage `describe`."""

    model: Model

    @classmethod
    def of(cls, study: Settings) -> "DescribeJob":
        """Cut the job out of a study."""
        return cls(model=study.model_of(study.report.ours), **_fields(study.image))


class PretrainJob(Pretext):
    """Settings of the stage `pretrain`."""

    compute: Compute

    @classmethod
    def of(cls, study: Settings, pretext: str) -> "PretrainJob":
        """Cut the job out of a study."""
        return cls(compute=_compute(study), **_fields(study.pretext[pretext]))


class ReconstructJob(Strict):
    """Settings of the stage `measure-pretext`."""

    model: Model
    blocks: Blocks
    mask_seed: Seed
    samples: Positive
    compute: Compute

    @classmethod
    def of(cls, study: Settings, pretext: str) -> "ReconstructJob":
        """Cut the job out of a study."""
        entry = study.pretext[pretext]
        return cls(
            model=entry.model,
            blocks=entry.blocks,
            mask_seed=study.evaluation.mask_seed,
            samples=study.report.samples,
            compute=_compute(study),
        )


class TrainJob(Training):
    """Settings of the stage `train`."""

    model: Model
    fraction: Fraction
    seed: Seed
    compute: Compute

    @classmethod
    def of(cls, study: Settings, method: str, fraction: str, seed: str) -> "TrainJob":
        """Cut the job out of a study."""
        return cls(
            model=study.model_of(method),
            fraction=float(fraction),
            seed=int(seed),
            compute=_compute(study),
            **_fields(study.training),
        )


class MeasureJob(Image):
    """Settings of the stage `measure`: one training, and the size of the radiographs."""

    job: TrainJob | PretrainJob

    @classmethod
    def of(cls, study: Settings, stage: str, entry: str) -> "MeasureJob":
        """Cut the job of `train` (a method) or `pretrain` (a pretext) out of a study.

        It holds neither fractions nor seeds, which change nothing that is measured: those that
        stand in it are always the same.
        """
        if stage == "pretrain":
            job = PretrainJob.of(study, entry)
        else:
            job = TrainJob.of(study, entry, "0.5", "0")
        return cls(job=job, **_fields(study.image))


class EvaluateJob(Strict):
    """Settings of the stage `evaluate`."""

    method: Name
    model: Model
    fraction: Fraction
    seed: Seed
    threshold: float
    boundary_tolerance: float
    compute: Compute

    @classmethod
    def of(cls, study: Settings, method: str, fraction: str, seed: str) -> "EvaluateJob":
        """Cut the job out of a study."""
        return cls(
            method=method,
            model=study.model_of(method),
            fraction=float(fraction),
            seed=int(seed),
            threshold=study.evaluation.threshold,
            boundary_tolerance=study.evaluation.boundary_tolerance,
            compute=_compute(study),
        )


class LpipsJob(Strict):
    """Settings of the stage `lpips-weights`."""

    lpips: str
    lpips_weights: str | None = None

    @classmethod
    def of(cls, study: Settings) -> "LpipsJob":
        """Cut the job out of a study."""
        evaluation: Evaluation = study.evaluation
        return cls(lpips=evaluation.lpips, lpips_weights=evaluation.lpips_weights)


class ReportJob(Report):
    """Settings of every table and figure."""

    dataset: str = Field(description="The dataset's name.")
    protocol: str = Field(description="Of the split.")
    threshold: float = Field(description="Probability from which a pixel is tooth.")
    boundary_tolerance: float = Field(description="Pixels, of the normalised surface distance.")
    labels: dict[Name, str] = Field(description="Methods in order, with their names in print.")
    short_labels: dict[Name, str] = Field(description="Likewise, where space is short.")

    @classmethod
    def of(cls, study: Settings) -> "ReportJob":
        """Cut the job out of a study."""
        return cls(
            dataset=study.data.name,
            protocol=study.split.protocol,
            threshold=study.evaluation.threshold,
            boundary_tolerance=study.evaluation.boundary_tolerance,
            labels={name: entry.label for name, entry in study.methods.items()},
            short_labels={
                name: entry.short_label or entry.label for name, entry in study.methods.items()
            },
            **_fields(study.report),
        )


class PageJob(ReportJob):
    """Settings of the stage `report`."""

    study: str = Field(description="Name of the study.")
    source: str = Field(description="Of the dataset: hitl, folder, phantom.")
    changed: dict[str, Any] = Field(description="What the study changes of config/paper.yaml.")

    @classmethod
    def of_study(cls, study: Settings, paper: Settings) -> "PageJob":
        """Cut the job out of a study; ``paper`` holds the paper's settings."""
        return cls(
            study=study.study,
            source=study.data.source,
            changed=overlay(study, paper),
            **_fields(ReportJob.of(study)),
        )
