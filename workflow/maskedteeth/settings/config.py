"""Every setting: its type, default, unit, range and source, in one place.

:class:`Settings` is the whole configuration (``config/paper.yaml`` with overlays merged over it).
Defaults are the paper's values. What a single stage sees of it is in
:mod:`maskedteeth.settings.sections`.
"""

from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

#: Names are parts of files' names, which have an end, and of shell commands.
NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
MEANING_PATTERN = r"^([1-9][0-9]?|tooth|ignore)$"
STUDY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _each_once(values: tuple) -> tuple:
    # As they are printed: numbers are parts of files' names, too.
    if len({f"{value:g}" if isinstance(value, float) else value for value in values}) < len(values):
        raise PydanticCustomError("twice", "the same value must not appear twice")
    return values


def _inside(folder: str) -> str:
    if PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
        raise PydanticCustomError("outside", "it must be a folder inside data.path")
    return folder


def last_name(path: str) -> str:
    """Return the name of a file or folder, without those that it is in; also that of `.`."""
    name = PurePath(path).name
    return name if name not in ("", "..") else Path(path).resolve().name


Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_each_once)]
Positive = Annotated[int, Field(ge=1)]
TaskName = Literal["teeth", "numbering"]
ClassName = Annotated[str, Field(coerce_numbers_to_str=True)]
Meaning = Annotated[
    str,
    Field(
        pattern=MEANING_PATTERN,
        coerce_numbers_to_str=True,
        json_schema_extra={"type": ["string", "integer"]},
    ),
]
Subfolder = Annotated[str, AfterValidator(_inside)]


class Strict(BaseModel):
    """Base of all settings: unknown names are errors, values do not change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_booleans(cls, value: Any) -> Any:
        """Refuse true and false, which Python takes for 1 and 0: no setting is one of them."""
        items = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(item, bool) for item in items):
            raise PydanticCustomError(
                "boolean",
                "it must be a number or text (YAML takes yes, no, on and off for true and false "
                "unless they are quoted)",
            )
        return value


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


class Layout(Strict):
    """How a dataset is laid out, and how much of it may be unusable."""

    source: Literal["hitl", "folder", "supervisely", "phantom"] = Field(
        "hitl",
        description="hitl: the paper's dataset (Humans in the Loop, Supervisely JSON); "
        "folder: images with masks of the same name; supervisely: a project of any datasets and "
        "classes; phantom: drawn from a seed.",
    )
    images: Subfolder = Field("images", description="Folder of the radiographs inside a `folder`.")
    masks: Subfolder = Field("masks", description="Folder of the masks inside a `folder`.")
    numbering: Literal["auto", "universal", "fdi", "none"] = Field(
        "auto",
        description="What numbers in the names of classes are: universal (1 to 32), fdi (11 to "
        "48), or none: teeth are not told apart. auto: the one that fits; where both do, the run "
        "stops.",
    )
    classes: dict[ClassName, Meaning] = Field(
        {},
        description="What classes of objects are whose names do not say it, such as {crown: tooth, "
        "front left: 21, implant: ignore}: a tooth, its number (read as data.numbering says), or "
        "nothing.",
    )
    most_problems: Share = Field(
        0.1,
        description="Share of the radiographs that may be unusable and are set aside in "
        "data/problems.csv; more stop the run.",
    )


class Data(Layout):
    """Where the radiographs come from."""

    title: str | None = Field(
        None,
        min_length=1,
        description="Name of the dataset, printed on every table and figure. Null: told from "
        "source and path.",
    )
    path: str | None = Field(
        None,
        min_length=1,
        description="A folder (for hitl also a zip) that you already have. Null: hitl is "
        "downloaded; the others need a folder.",
    )
    download: Literal["publisher", "kaggle"] = Field(
        "publisher",
        description="Where hitl is downloaded from: the publisher's copy, verified by sha256, "
        "or Kaggle with your credentials.",
    )
    phantom: Phantom = Phantom()

    @model_validator(mode="after")
    def _path_suits_source(self) -> "Data":
        if self.source == "phantom" and self.path:
            raise ValueError(
                f"path is {self.path!r}, but source is 'phantom', which is drawn; for your own "
                "radiographs set data.source to 'folder'"
            )
        if self.source not in ("hitl", "phantom") and not self.in_place:
            raise ValueError(
                f"path is {self.path or 'not set'}, but source is {self.source!r}; name the folder "
                "of your radiographs, for instance --config data='{path: my/radiographs}'"
            )
        return self

    @property
    def name(self) -> str:
        """The dataset's name in print: ``title``, or what ``source`` and ``path`` say."""
        names = {
            "hitl": "Humans in the Loop (2023), Teeth Segmentation on dental X-ray images",
            "phantom": "digital phantom (drawn by a program; no evidence about the paper)",
        }
        own = f"radiographs in '{last_name(self.path or '.')}', not the paper's dataset"
        return self.title or names.get(self.source, own)

    @property
    def in_place(self) -> bool:
        """Whether ``path`` is of a folder, which is read where it is, and not of a zip."""
        return self.path is not None and PurePath(self.path).suffix.lower() != ".zip"


class Image(Strict):
    """The size at which everything is trained and evaluated; radiographs are about 2:1."""

    height: int = Field(256, ge=32, multiple_of=32, description="Pixels.")
    width: int = Field(512, ge=32, multiple_of=32, description="Pixels.")


class HeldOut(Strict):
    """Which radiographs train and which test."""

    protocol: Literal["fixed-test", "complement"] = Field(
        "fixed-test",
        description="fixed-test: one test set that nothing trains on. complement: all that a "
        "training subset leaves out is its test set and the pretext sees every radiograph (the "
        "paper's likely protocol; its pretext has seen the test radiographs).",
    )
    test_fraction: Fraction = Field(0.1, description="Share of the labelled radiographs.")
    test_seed: Seed = Field(42, description="Seed that draws the test set, the same for all runs.")


class Split(HeldOut):
    """Who trains and who tests."""

    fractions: Annotated[tuple[Fraction, ...], AfterValidator(_each_once)] = Field(
        (0.1, 0.2, 0.3, 0.8, 0.9),
        min_length=1,
        description="Training subsets as shares of all labelled radiographs (table 2).",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Split":
        largest, fraction = 1 - self.test_fraction, max(self.fractions)
        if self.protocol == "fixed-test" and fraction > largest + 1e-9:
            raise ValueError(
                f"fraction {fraction:g} does not fit beside a test set of "
                f"{self.test_fraction:g}; the largest possible is {largest:g}"
            )
        return self


# --- Networks ---


class Model(Strict):
    """A network: the paper's or any of segmentation_models_pytorch.

    Whether the library can build it, and whether it takes radiographs of the study's size, is found
    out by the stage `describe`, or when one of them is trained.
    """

    architecture: str = Field(
        description="modified_resunet (section 3.1) or an architecture of "
        "segmentation_models_pytorch, by its name: unet, pspnet, linknet, …"
    )
    inputs: Annotated[tuple[Literal["xray", "sobel"], ...], AfterValidator(_each_once)] = Field(
        ("xray",), min_length=1, description="Input channels, in order."
    )
    widths: tuple[Positive, ...] = Field(
        (32, 64, 128, 256, 512),
        min_length=2,
        description="modified_resunet: convolution widths of the encoder blocks and, last, of "
        "the bottleneck; a block returns twice its width.",
    )
    encoder: str = Field(
        "resnet34", description="Encoder of segmentation_models_pytorch, by that library's name."
    )
    encoder_weights: str | None = Field(
        None, description="Null: random. imagenet, …: downloaded by the library."
    )
    options: dict[str, Any] = Field(
        {}, description="Further arguments of the library's architecture, e.g. decoder_channels."
    )

    @model_validator(mode="after")
    def _belongs_together(self) -> "Model":
        of_paper = self.architecture == "modified_resunet"
        fields = type(self).model_fields
        for name in ("encoder", "encoder_weights", "options") if of_paper else ("widths",):
            if getattr(self, name) != fields[name].default:
                raise ValueError(f"{name} has no meaning for {self.architecture}; remove it")
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
    preview_epochs: Annotated[tuple[Positive, ...], AfterValidator(_each_once)] = Field(
        (1, 10, 20, 50, 75),
        min_length=1,
        description="Epochs after which the probe radiographs are reconstructed (figure 6).",
    )
    probes: int = Field(6, ge=1, le=32, description="Test radiographs that figure 6 follows.")

    @model_validator(mode="after")
    def _previews_happen(self) -> "Pretext":
        if (late := max(self.preview_epochs)) > self.epochs:
            raise ValueError(f"preview epoch {late} is after the last epoch ({self.epochs})")
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
    seeds: Seeds | None = Field(None, description="Null: the study's seeds.")


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
    numbers: Literal["universal", "fdi"] = Field(
        "universal", description="Numbers of teeth in print: universal (1 to 32) or fdi (11 to 48)."
    )
    bootstrap_resamples: int = Field(
        10_000, ge=100, le=100_000, description="Resampled test sets behind each interval."
    )


class Compute(Strict):
    """What of the machine results depend on; a few CUDA operations are not deterministic either."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="auto: CUDA where torch can use a card, else the CPU. Apple's GPUs are not "
        "used.",
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
    task: TaskName = Field(
        "teeth",
        description="What networks learn to tell: which pixels are tooth, or also which of the 32 "
        "teeth.",
    )
    image: Image = Image()
    split: Split = Split()
    seeds: Seeds = Field(
        (42, 3407, 0), description="Seeds of subsets, weights and order (table 3)."
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
        for key in ("methods", "pretext"):
            if isinstance(values, dict) and isinstance(values.get(key), dict):
                entries = {k: v for k, v in values[key].items() if v is not None}
                values = values | {key: entries}
        return values

    @model_validator(mode="after")
    def _names_are_known(self) -> "Settings":
        if "random" in self.pretext:
            raise ValueError("pretext.random has the name that stands for no pretext; rename it")
        for name, method in self.methods.items():
            start, where = method.initialisation, f"methods.{name}"
            if start == "random":
                if method.model is None:
                    raise ValueError(f"{where} starts at random and needs a model")
            elif start not in self.pretext:
                raise ValueError(
                    f"{where}.initialisation is {start!r}, which is neither 'random' nor one of "
                    f"pretext: {', '.join(self.pretext) or '(none)'}"
                )
            elif method.model not in (None, self.pretext[start].model):
                raise ValueError(
                    f"{where}.model differs from pretext.{start}.model, whose weights it takes "
                    "over; leave it out"
                )
        methods = self.methods.values()
        for setting, labels in (
            ("label", [method.label for method in methods]),
            ("short_label", [method.short_label or method.label for method in methods]),
        ):
            if twice := [label for label in labels if labels.count(label) > 1]:
                raise ValueError(
                    f"methods.{setting} {twice[0]!r} stands twice; tables and figures tell methods "
                    "apart by it"
                )
        if self.report.ours not in self.methods:
            raise ValueError(
                f"report.ours is {self.report.ours!r}, which is not one of methods: "
                f"{', '.join(self.methods)}"
            )
        if self.report.figure_fraction not in self.split.fractions:
            raise ValueError(
                f"report.figure_fraction is {self.report.figure_fraction:g}, which is not one of "
                f"split.fractions: {', '.join(f'{f:g}' for f in self.split.fractions)}"
            )
        return self

    def model_of(self, method: str) -> Model:
        """Return the network of a method: its own, or its pretext's."""
        entry = self.methods[method]
        return entry.model or self.pretext[entry.initialisation].model

    def seeds_of(self, method: str) -> tuple[int, ...]:
        """Return the seeds that a method is trained with."""
        return self.methods[method].seeds or self.seeds
