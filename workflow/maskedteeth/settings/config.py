"""Every setting: its type, default, unit, range and source, in one place.

:class:`Settings` is the whole configuration (``config/paper.yaml`` with overlays merged over it).
Defaults are the paper's values. What a single stage gets of it is in
:mod:`maskedteeth.settings.jobs`.
"""

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from maskedteeth.settings.networks import Model
from maskedteeth.settings.strict import STUDY_PATTERN, Fraction, Name, Positive, Seed, Strict

Share = Annotated[float, Field(ge=0, le=1)]

# --- Data ---


class Phantom(Strict):
    """The digital phantom that `data.source: phantom` draws."""

    images: int = Field(60, ge=10, le=100_000, description="Radiographs to draw.")
    seed: Seed = Field(1, description="Seed of the whole phantom dataset.")
    height: int = Field(
        256, ge=64, le=2048, description="Height in pixels; the width is about twice that."
    )
    error_rate: float = Field(
        0.15, ge=0, le=1, description="Share of radiographs whose annotation gets an error."
    )


class Data(Strict):
    """Where the radiographs come from."""

    source: Literal["hitl", "folder", "phantom"] = Field(
        "hitl",
        description="hitl: the paper's dataset (Humans in the Loop, Supervisely JSON); "
        "folder: images with masks of the same name; phantom: drawn from a seed.",
    )
    title: str | None = Field(
        None,
        min_length=1,
        description="Name of the dataset, printed on every table and figure. Null: told from "
        "source and path.",
    )
    path: str | None = Field(
        None,
        description="A folder (for hitl also a zip) that you already have. Null: hitl is "
        "downloaded; folder needs a path.",
    )
    download: Literal["publisher", "kaggle"] = Field(
        "publisher",
        description="Where hitl is downloaded from: the publisher's copy, verified by sha256, "
        "or Kaggle with your credentials.",
    )
    images: str = Field("images", description="Folder of the radiographs inside a `folder`.")
    masks: str = Field("masks", description="Folder of the masks inside a `folder`.")
    most_problems: Share = Field(
        0.1,
        description="Share of the radiographs that may be unusable and are set aside in "
        "data/problems.csv; more stop the run.",
    )
    phantom: Phantom = Phantom()

    @property
    def name(self) -> str:
        """The dataset's name in print: ``title``, or what ``source`` and ``path`` say."""
        names = {
            "hitl": "Humans in the Loop (2023), Teeth Segmentation on dental X-ray images",
            "folder": f"radiographs in '{PurePath(self.path or '').name}', not the paper's dataset",
            "phantom": "digital phantom (drawn by a program; no evidence about the paper)",
        }
        return self.title or names[self.source]

    @property
    def zipped(self) -> bool:
        """Whether ``path`` is of a zip."""
        return PurePath(self.path or "").suffix.lower() == ".zip"

    @property
    def in_place(self) -> bool:
        """Whether ``path`` is of a folder, which is read where it is."""
        return self.path is not None and not self.zipped


class Image(Strict):
    """The size at which everything is trained and evaluated; radiographs are about 2:1."""

    height: int = Field(256, ge=32, multiple_of=32, description="Pixels.")
    width: int = Field(512, ge=32, multiple_of=32, description="Pixels.")


class HeldOut(Strict):
    """Who tests."""

    protocol: Literal["fixed-test", "complement"] = Field(
        "fixed-test",
        description="fixed-test: one test set that nothing trains on. complement: all that a "
        "training subset leaves out is its test set and the pretext sees every radiograph (the "
        "paper's likely protocol; its pretext has seen the test radiographs).",
    )
    test_fraction: Fraction = Field(0.1, description="Share of the labelled radiographs.")
    test_seed: Seed = Field(42, description="Seed that draws the test set, the same for all runs.")

    def check_room_for(self, fraction: float) -> None:
        """Refuse a training subset that is larger than what the test set leaves."""
        largest = 1 - self.test_fraction
        if self.protocol == "fixed-test" and fraction > largest + 1e-9:
            raise ValueError(
                f"fraction {fraction:g} does not fit beside a test set of "
                f"{self.test_fraction:g}; the largest possible is {largest:g}"
            )


class Split(HeldOut):
    """Who trains and who tests."""

    fractions: tuple[Fraction, ...] = Field(
        (0.1, 0.2, 0.3, 0.8, 0.9),
        min_length=1,
        description="Training subsets as shares of all labelled radiographs (table 2).",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Split":
        names = {f"{fraction:g}" for fraction in self.fractions}  # of files and folders
        if len(names) != len(self.fractions):
            raise ValueError(f"fractions {list(self.fractions)} name one fraction twice")
        for fraction in self.fractions:
            self.check_room_for(fraction)
        return self


# --- Trainings ---


class Recipe(Strict):
    """How long and how fast a network is trained, with Adam (section 4.1)."""

    epochs: int = Field(
        80, ge=1, le=1_000_000, description="Passes over the pool (fixed-test: 0.9 of the data)."
    )
    batch_size: int = Field(8, ge=1, le=100_000, description="Radiographs a step.")
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Adam's learning rate, constant.")


class Blocks(Strict):
    """Random Block Masking (section 3.2)."""

    fewest: Positive = Field(2, description="Fewest blocks on a radiograph.")
    most: int = Field(5, ge=1, le=64, description="Most blocks on a radiograph.")
    area: float = Field(0.15, gt=0, lt=1, description="Share of the radiograph a block covers.")
    fill: float = Field(0.0, ge=0, le=1, description="Grey value of masked pixels.")

    @model_validator(mode="after")
    def _ordered(self) -> "Blocks":
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) is above most ({self.most})")
        return self


class Pretext(Recipe):
    """A self-supervised pretraining: reconstruct the radiograph behind masked blocks (eq. 1)."""

    model: Model = Model(architecture="modified_resunet", inputs=("xray", "sobel"))
    blocks: Blocks = Blocks()
    seed: Seed = Field(42, description="Seed of weights, order and blocks.")
    preview_epochs: tuple[Positive, ...] = Field(
        (1, 10, 20, 50, 75),
        min_length=1,
        description="Epochs after which the probe radiographs are reconstructed (figure 6).",
    )
    probes: int = Field(6, ge=1, le=32, description="Test radiographs that figure 6 follows.")

    @model_validator(mode="after")
    def _previews_happen(self) -> "Pretext":
        late = [epoch for epoch in self.preview_epochs if epoch > self.epochs]
        if late:
            raise ValueError(f"preview epoch {late[0]} is after the last epoch ({self.epochs})")
        if list(self.preview_epochs) != sorted(set(self.preview_epochs)):
            raise ValueError("preview_epochs must rise, each epoch once")
        return self


class Method(Strict):
    """One line of table 2."""

    label: str = Field(min_length=1, description="Name in tables and figures.")
    short_label: str | None = Field(None, description="Name where space is short; null: label.")
    initialisation: str = Field(
        "random", description="random, or the name of a pretext whose weights are all taken over."
    )
    model: Model | None = Field(
        None, description="The network. Null, after a pretext: the pretext's, unmodified."
    )
    seeds: tuple[Seed, ...] | None = Field(None, description="Null: the study's seeds.")


class Training(Recipe):
    """Training for segmentation, the same for every method (section 3.3)."""

    budget: Literal["equal-steps", "equal-epochs"] = Field(
        "equal-steps",
        description="equal-steps: every fraction trains as many steps as `epochs` over the pool "
        "take. equal-epochs: `epochs` passes over the fraction itself.",
    )
    dice_weight: float = Field(0.7, ge=0, description="alpha of eq. 5.")
    bce_weight: float = Field(0.3, ge=0, description="beta of eq. 5.")

    @model_validator(mode="after")
    def _some_loss(self) -> "Training":
        if self.dice_weight + self.bce_weight == 0:
            raise ValueError("dice_weight and bce_weight are both 0: there is no loss to minimise")
        return self


# --- Evaluation, report, machine ---


class Evaluation(Strict):
    """How finished networks are measured."""

    threshold: float = Field(
        0.5, gt=0, lt=1, description="Probability from which a pixel is tooth."
    )
    boundary_tolerance: float = Field(
        2.0,
        ge=0,
        le=100,
        description="Pixels of the evaluated size by which an outline may be off and still count "
        "as right (normalised surface distance).",
    )
    lpips: Literal["required", "optional", "off"] = Field(
        "required",
        description="required: stop when AlexNet's weights cannot be had. optional: say so in "
        "the table and go on. off: leave LPIPS out.",
    )
    lpips_weights: str | None = Field(
        None, description="torchvision's alexnet-owt-7be5be79.pth, if you have it. Null: download."
    )
    mask_seed: Seed = Field(0, description="Seed of the blocks that the pretext is measured on.")


class Report(Strict):
    """What tables and figures show."""

    figure_fraction: Fraction = Field(0.2, description="Training fraction of figures 4, 5, 8, 9.")
    ours: str = Field(
        "random_block_masking", description="Method of tables 1 and 3 and figures 4, 5 and 9."
    )
    samples: int = Field(4, ge=1, le=12, description="Radiographs in figures 3, 4, 7 and 8.")
    bootstrap_resamples: int = Field(
        10_000, ge=100, le=100_000, description="Resampled test sets behind each interval."
    )


class Compute(Strict):
    """What of the machine results depend on; a few CUDA operations are not deterministic either."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: CUDA where there is a card, else the CPU."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto: bfloat16 autocast where the device has instructions for it.",
    )
    threads: int = Field(2, ge=1, le=256, description="CPU threads of one training.")


class StudyCompute(Compute):
    """The machine. All but ``checkpoint_minutes`` may change results."""

    checkpoint_minutes: float = Field(
        5,
        gt=0,
        description="Minutes between two states of a training, from which it goes on when it was "
        "stopped.",
    )


class Settings(Strict):
    """A study: everything that `snakemake` needs to know."""

    study: Annotated[str, Field(pattern=STUDY_PATTERN, max_length=100)] = Field(
        "paper", description="Results go to results/<study>/."
    )
    data: Data = Data()
    image: Image = Image()
    split: Split = Split()
    seeds: tuple[Seed, ...] = Field(
        (42, 3407, 0), min_length=1, description="Seeds of subsets, weights and order (table 3)."
    )
    pretext: dict[Name, Pretext] = Field(description="Pretrainings, by name.")
    methods: dict[Name, Method] = Field(min_length=1, description="Lines of table 2, by name.")
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    report: Report = Report()
    compute: StudyCompute = StudyCompute()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, values: Any) -> Any:
        """Let an overlay take an entry out of ``methods`` or ``pretext`` by setting it to null."""
        if isinstance(values, dict):
            for key in ("methods", "pretext"):
                if isinstance(values.get(key), dict):
                    entries = {k: v for k, v in values[key].items() if v is not None}
                    values = {**values, key: entries}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if "random" in self.pretext:
            raise ValueError("pretext.random has the name that stands for no pretext; rename it")
        _check_unique("seeds", self.seeds)
        for name, method in self.methods.items():
            _check_unique(f"methods.{name}.seeds", self.seeds_of(name))
            if method.initialisation == "random":
                if method.model is None:
                    raise ValueError(f"methods.{name} starts at random and needs a model")
                continue
            if method.initialisation not in self.pretext:
                raise ValueError(
                    f"methods.{name}.initialisation is {method.initialisation!r}, which is "
                    f"neither 'random' nor one of pretext: {_listing(self.pretext)}"
                )
            pretext = self.pretext[method.initialisation]
            if method.model is not None and method.model != pretext.model:
                raise ValueError(
                    f"methods.{name}.model differs from pretext.{method.initialisation}.model, "
                    "whose weights it takes over; leave it out"
                )
        labels = [method.label for method in self.methods.values()]
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise ValueError(
                f"methods.label {twice[0]!r} stands twice; tables tell methods apart by it"
            )
        if self.report.ours not in self.methods:
            raise ValueError(
                f"report.ours is {self.report.ours!r}, which is not one of methods: "
                f"{_listing(self.methods)}"
            )
        if self.report.figure_fraction not in self.split.fractions:
            raise ValueError(
                f"report.figure_fraction is {self.report.figure_fraction:g}, which is not one of "
                f"split.fractions: {', '.join(f'{f:g}' for f in self.split.fractions)}"
            )
        if self.data.path is not None and not self.data.path.strip():
            raise ValueError(
                "data.path is empty; name the folder or zip of your radiographs, or leave it out"
            )
        if self.data.source == "phantom" and self.data.path is not None:
            raise ValueError(
                f"data.path is {self.data.path!r}, but data.source is 'phantom', which is drawn; "
                "for your own radiographs set data.source to 'folder'"
            )
        if self.data.source == "folder" and self.data.path is None:
            raise ValueError(
                "data.path is not set: data.source is 'folder', so name the folder of your "
                "radiographs, for instance --config data='{path: my/radiographs}'"
            )
        if self.data.source == "folder" and self.data.zipped:
            raise ValueError(
                f"data.path is {self.data.path!r}, a zip, but data.source is 'folder'; unpack it "
                "and name the folder"
            )
        return self

    def model_of(self, method: str) -> Model:
        """Return the network of a method: its own, or its pretext's."""
        entry = self.methods[method]
        return entry.model or self.pretext[entry.initialisation].model

    def seeds_of(self, method: str) -> tuple[int, ...]:
        """Return the seeds that a method is trained with."""
        seeds = self.methods[method].seeds
        return self.seeds if seeds is None else seeds


def _check_unique(where: str, seeds: tuple[int, ...]) -> None:
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError(f"{where} {list(seeds)} must name each seed once, and at least one")


def _listing(names: Any) -> str:
    return ", ".join(sorted(names)) or "(none)"
