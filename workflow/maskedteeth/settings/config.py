"""Every setting: its type, default, unit, range and source, in one place.

:class:`Settings` is the whole configuration (``config/paper.yaml`` with overlays merged over it).
Defaults are the paper's values. What a single stage sees of it is in
:mod:`maskedteeth.settings.sections`.
"""

import json
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

#: Names are parts of files' names, which have an end, and of shell commands.
NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
MEANING_PATTERN = r"^([1-9][0-9]?|tooth|ignore)$"
STUDY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _each_once(values: tuple) -> tuple:
    if len(set(values)) < len(values):
        raise PydanticCustomError("twice", "the same value must not appear twice")
    return values


def _as_printed(value: float) -> float:
    """Refuse a number with more digits than names of folders and tables have."""
    if value != float(f"{value:g}"):
        raise PydanticCustomError("digits", f"it must have at most six digits, such as {value:g}")
    return value


def _inside(folder: str) -> str:
    if PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
        raise PydanticCustomError("outside", "it must be a folder inside data.path")
    return folder


def _with(word: str, example: str) -> AfterValidator:
    """Ask for a pattern that holds ``word`` once."""

    def check(pattern: str) -> str:
        if pattern.count(word) != 1 or set("{}/") & set(pattern.replace(word, "")):
            expected = f"it must contain {word} once, as in {example}, and no other brace or slash"
            raise PydanticCustomError("without", expected)
        return pattern

    return AfterValidator(check)


def _refuse_unknown(where: str, name: Any, known: Iterable[Any], of: str) -> None:
    if name not in known:
        found, names = name if isinstance(name, float) else repr(name), ", ".join(map(str, known))
        raise ValueError(f"{where} {found}, which is not one of {of}: {names or '(none)'}")


def _refuse_meaningless(settings: BaseModel, names: Iterable[str], kind: str) -> None:
    """Refuse settings that are given although they say nothing of such a kind."""
    for name in names:
        if getattr(settings, name) != type(settings).model_fields[name].default:
            raise ValueError(f"{name} has no meaning for {kind}; remove it")


def last_name(path: str) -> str:
    """Return the name of a file or folder, without those that it is in; also that of `.`."""
    name = PurePath(path).name
    return name if name not in ("", "..") else Path(path).resolve().name


Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1), AfterValidator(_as_printed)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_each_once)]
Positive = Annotated[int, Field(ge=1)]
TaskName = Literal["teeth", "numbering"]
Transfer = Literal["all", "without_head", "encoder"]
ClassName = Annotated[str, Field(coerce_numbers_to_str=True)]
Meaning = Annotated[
    str,
    Field(
        pattern=MEANING_PATTERN,
        coerce_numbers_to_str=True,
        json_schema_extra={"type": ["string", "integer"]},
    ),
]
MaskName = Annotated[str, _with("{name}", "{name}_mask")]
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
    contrast: float = Field(
        1.0, ge=0.2, le=2, description="Factor on the distance of grey values from middle grey."
    )
    error_rate: float = Field(
        0.15, ge=0, le=1, description="Share of radiographs whose annotation gets an error."
    )


class Layout(Strict):
    """How a dataset is laid out."""

    source: Literal[
        "auto", "folder", "coco", "labelme", "yolo", "supervisely", "hitl", "phantom"
    ] = Field(
        "auto",
        description="auto: hitl without a path, else recognised from the folder; folder: images "
        "with masks of the same name; coco, labelme, yolo (for segmentation), supervisely: "
        "annotations in these formats; hitl: the paper's dataset (Humans in the Loop, Supervisely "
        "JSON); phantom: drawn from a seed.",
    )
    images: Subfolder = Field(
        "images", description="Subfolder with the radiographs, for source folder."
    )
    masks: Subfolder = Field("masks", description="Subfolder with the masks, for source folder.")
    mask_name: MaskName | None = Field(
        None,
        description="How masks are named after radiographs, such as {name}_mask. Null: the pattern "
        "that nearly all follow; the run prints it.",
    )
    numbering: Literal["auto", "universal", "fdi", "none"] = Field(
        "auto",
        description="What numbers in class names (for drawn masks: their values) mean: universal "
        "(1 to 32), fdi (11 to 48), or none: teeth are not told apart. auto: the one that fits; "
        "if both fit, the run stops.",
    )
    classes: dict[ClassName, Meaning] = Field(
        {},
        description="Classes whose names do not say what they are, such as {crown: tooth, front "
        "left: 21, implant: ignore}: a tooth, the tooth's number (read as data.numbering says), "
        "or nothing.",
    )
    patient: Annotated[str, _with("{patient}", "{patient}_*")] | None = Field(
        None,
        description="Where a radiograph's name gives its patient, such as '{patient}_*': "
        "radiographs of one patient are never split between training and test. Null: each has its "
        "own patient.",
    )


class Data(Layout):
    """Where the radiographs come from."""

    title: str | None = Field(
        None,
        min_length=1,
        description="Name of the dataset, printed on every table and figure. Null: made from "
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
    most_problems: Share = Field(
        0.1,
        description="Share of the radiographs that may be unusable. They are left out and listed "
        "in data/problems.csv; more stop the run.",
    )
    phantom: Phantom = Phantom()

    @model_validator(mode="before")
    @classmethod
    def _the_papers_dataset_unless_a_folder_is_named(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("source", "auto") == "auto":
            path = values.get("path")
            if path is None or (isinstance(path, str) and path.lower().endswith(".zip")):
                return values | {"source": "hitl"}
        return values

    @model_validator(mode="after")
    def _path_suits_source(self) -> "Data":
        if self.source == "phantom" and self.path:
            raise ValueError(
                f"path is {self.path!r}, but source is 'phantom', which is drawn; for your own "
                "radiographs set source to 'auto'"
            )
        if self.source not in ("hitl", "phantom") and not self.in_place:
            raise ValueError(
                f"path is {self.path or 'not set'}, but source is {self.source!r}; "
                f"{'unpack it, and ' * bool(self.path)}name the folder of your radiographs, for "
                "instance --config data='{path: my/radiographs}'"
            )
        if self.source not in ("auto", "folder"):
            names = ("images", "masks", "mask_name")
            _refuse_meaningless(self, names, f"source {self.source!r}")
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

    protocol: Literal["fixed-test", "validation", "complement"] = Field(
        "fixed-test",
        description="fixed-test: one test set that nothing trains on. validation: that test set is "
        "set aside and the rest is divided in the same way, so that settings can be chosen before "
        "they are tested. complement: all radiographs outside a training subset are its test set, "
        "and the pretext trains on every radiograph, test radiographs included (the paper's likely "
        "protocol).",
    )
    test_fraction: float = Field(0.1, gt=0, lt=1, description="Share of the labelled radiographs.")
    test_seed: Seed = Field(42, description="Seed that draws the test set, the same for all runs.")
    given: str | None = Field(
        None,
        min_length=1,
        description="Your own split: a CSV with id, part (train, test or unlabelled) and, if "
        "known, patient; 'folders', for radiographs in folders train, test and valid; or the "
        "results folder of an earlier study, whose test radiographs are used again. test_fraction "
        "and test_seed then only count for what `validation` divides. Null: drawn.",
    )


class Split(HeldOut):
    """Which radiographs train and which test."""

    fractions: Annotated[tuple[Fraction, ...], AfterValidator(_each_once)] = Field(
        (0.1, 0.2, 0.3, 0.8, 0.9),
        min_length=1,
        description="Training subsets as shares of all labelled radiographs (table 2).",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Split":
        largest, fraction = 1 - self.test_fraction, max(self.fractions)
        if self.given and self.protocol == "complement":
            raise ValueError(
                f"given is {self.given!r}, but protocol is 'complement', which tests on what a "
                "subset leaves out; leave one of them out"
            )
        drawn = self.protocol == "validation" or (self.protocol == "fixed-test" and not self.given)
        if drawn and fraction > largest + 1e-9:
            raise ValueError(
                f"fraction {fraction:g} does not fit beside a test set of "
                f"{self.test_fraction:g}; the largest possible is {largest:g}"
            )
        return self


# --- Networks ---


class Model(Strict):
    """A network: the paper's, Mask R-CNN, or any of segmentation_models_pytorch.

    Whether a library can build it, and whether it takes radiographs of the study's size, is found
    out by the stage `describe`, or when one of them is trained.
    """

    architecture: str = Field(
        description="modified_resunet (section 3.1), mask_rcnn (torchvision's, with a feature "
        "pyramid) or an architecture of segmentation_models_pytorch, by its name: unet, pspnet, "
        "linknet, …"
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
        "resnet34",
        description="Encoder of segmentation_models_pytorch, by that library's name; for mask_rcnn "
        "a ResNet of torchvision: resnet18 to resnet152.",
    )
    encoder_weights: str | None = Field(
        None,
        description="Null: random. imagenet, …: fetched once, before any training. The network "
        "then sees the X-ray in three equal channels, normalised as those weights expect.",
    )
    options: dict[str, Any] = Field(
        {},
        description="Further arguments of the library's architecture, e.g. decoder_channels. For "
        "mask_rcnn: width (of pyramid and heads, 256), anchors (sides in pixels on five levels, 32 "
        "to 512), enlarge (factor on the radiographs' sides, 1) and those of torchvision's "
        "MaskRCNN.",
    )

    @field_validator("options", mode="after")
    @classmethod
    def _numbers_of_text(cls, value: Any) -> Any:
        """Read numbers, true and false: of what --config has in a mapping, Snakemake makes text."""
        if isinstance(value, dict):
            return {name: cls._numbers_of_text(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [*map(cls._numbers_of_text, value)]
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value

    @model_validator(mode="after")
    def _belongs_together(self) -> "Model":
        of_paper = self.architecture == "modified_resunet"
        names = ("encoder", "encoder_weights", "options") if of_paper else ("widths",)
        names += ("encoder_weights",) * self.finds_instances
        _refuse_meaningless(self, names, self.architecture)
        if self.encoder_weights and self.inputs != ("xray",):
            raise ValueError(
                f"inputs are {', '.join(self.inputs)}, but a network with encoder_weights takes "
                "only the X-ray; set inputs to [xray]"
            )
        return self

    @property
    def finds_instances(self) -> bool:
        """Whether the network finds teeth one by one, and not pixels."""
        return self.architecture == "mask_rcnn"

    @property
    def pretrained(self) -> str | None:
        """Name the weights that the encoder starts from, as a file; None: random ones."""
        return f"{self.encoder}-{self.encoder_weights}" if self.encoder_weights else None


# --- Trainings ---


class Recipe(Strict):
    """How long and how fast a network is trained, with Adam (section 4.1)."""

    epochs: int = Field(
        80, ge=1, le=1_000_000, description="Passes over the pool (fixed-test: 0.9 of the data)."
    )
    batch_size: int = Field(8, ge=1, le=100_000, description="Radiographs per step.")
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Of Adam, in the first step.")
    schedule: Literal["constant", "cosine"] = Field(
        "constant",
        description="The learning rate stays constant, or falls to 0 along half a cosine, step by "
        "step.",
    )


class Mask(Strict):
    """What is hidden in a radiograph: random blocks (section 3.2), patches or nothing."""

    kind: Literal["blocks", "patches", "uniform", "none"] = Field(
        "blocks",
        description="blocks: `fewest` to `most` rectangles of `area`, anywhere. patches: squares "
        "of `size` on a grid, the same share `ratio` of every radiograph, as in MAE [6]. uniform: "
        "one of each 2 x 2 such patches is visible, and the share `ratio` of these is masked, too, "
        "as in UM-MAE [20].",
    )
    fewest: Positive = Field(2, description="Fewest blocks on a radiograph.")
    most: int = Field(5, ge=1, le=64, description="Most blocks on a radiograph.")
    area: float = Field(0.15, gt=0, lt=1, description="Share of the radiograph a block covers.")
    size: int = Field(16, ge=4, le=1024, description="Side of a patch in pixels.")
    ratio: float = Field(
        0.25, gt=0, lt=1, description="Masked share of all patches, or (uniform) of the visible."
    )
    fill: float = Field(0.0, ge=0, le=1, description="Grey value of masked pixels.")

    @model_validator(mode="after")
    def _belongs_together(self) -> "Mask":
        own = {"blocks": {"fewest", "most", "area", "fill"}, "patches": {"size", "ratio", "fill"}}
        own["uniform"] = own["patches"]
        meant = {"kind", *own.get(self.kind, ())}
        names = [name for name in type(self).model_fields if name not in meant]
        _refuse_meaningless(self, names, self.kind)
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) is above most ({self.most})")
        return self


class PretextLoss(Strict):
    """The mean absolute error that a pretext minimises (eq. 1)."""

    over: Literal["all", "masked"] = Field("all", description="All pixels, or only the masked.")


class Pretext(Recipe):
    """A self-supervised pretraining: reconstruct a radiograph that is partly hidden."""

    model: Model = Model(architecture="modified_resunet", inputs=("xray", "sobel"))
    mask: Mask = Mask()
    guidance: Literal["unmasked", "masked"] = Field(
        "unmasked",
        description="The Sobel channel has the edges of the whole radiograph, or only of what the "
        "network sees of it. For no guidance, leave sobel out of `model.inputs`.",
    )
    loss: PretextLoss = PretextLoss()
    denoise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Standard deviation of the Gaussian noise on what the network sees, with grey "
        "values from 0 to 1.",
    )
    seed: Seed = Field(42, description="Seed of weights, order, masks and noise.")
    preview_epochs: Annotated[tuple[Positive, ...], AfterValidator(_each_once)] = Field(
        (1, 10, 20, 50, 75),
        min_length=1,
        description="Epochs after which the probe radiographs are reconstructed (figure 6).",
    )
    probes: int = Field(6, ge=1, le=32, description="Test radiographs that figure 6 follows.")
    also_on: Annotated[tuple[Name, ...], AfterValidator(_each_once)] = Field(
        (), description="Further datasets that it also trains on, without their annotations."
    )
    like: Name | None = Field(
        None,
        exclude=True,
        description="A pretext above this one. Settings not given here are taken from it; but none "
        "of mask if mask.kind is given, and none of model if model.encoder is.",
    )
    longer: int = Field(1, ge=1, le=100, description="Factor on `epochs`.")

    @field_validator("guidance", mode="before")
    @classmethod
    def _none_is_an_input_less(cls, value: Any) -> Any:
        if value in ("none", None):
            expected = "for no guidance, leave out both guidance and sobel in model.inputs"
            raise PydanticCustomError("guidance", expected)
        return value

    @model_validator(mode="after")
    def _belongs_together(self) -> "Pretext":
        if self.model.finds_instances:
            raise ValueError(
                "model.architecture is 'mask_rcnn', which cannot reconstruct; change it"
            )
        if (late := max(self.preview_epochs)) > self.epochs:
            raise ValueError(f"preview epoch {late} is after the last epoch ({self.epochs})")
        if self.guidance == "masked" and "sobel" not in self.model.inputs:
            raise ValueError("guidance has no meaning without sobel in model.inputs; remove it")
        if self.loss.over == "masked" and self.mask.kind == "none":
            raise ValueError("loss.over is 'masked', but mask.kind is 'none': no pixel would count")
        return self


class Annotations(Strict):
    """Errors added to the annotations that a method is trained on; test annotations stay clean.

    They are drawn from the seed of the run, the same for all methods. A tooth is what has one
    number; without numbers, it is a region that touches no other one.
    """

    drop: Share = Field(0.0, description="Share of the teeth that are missing.")
    coarse: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Outlines have as few corners as possible within this many pixels of the real "
        "one.",
    )
    shift: int = Field(
        0, ge=0, le=100, description="Pixels by which each tooth is moved, in a random direction."
    )
    grow: int = Field(
        0, ge=-50, le=50, description="Pixels by which outlines are too far out; below 0: in."
    )
    swap: Share = Field(
        0.0, description="Share of the teeth whose number is exchanged with a neighbour's."
    )

    @model_validator(mode="after")
    def _some_error(self) -> "Annotations":
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("annotations has no errors; set one of its values, or leave it out")
        return self


class Training(Recipe):
    """Training for segmentation (section 3.3)."""

    budget: Literal["equal-steps", "equal-epochs"] = Field(
        "equal-steps",
        description="equal-steps: every fraction trains for as many steps as `epochs` passes over "
        "the pool. equal-epochs: `epochs` passes over the fraction itself.",
    )
    augment: Literal["none", "light"] = Field(
        "none",
        description="light: radiographs are rotated by up to 5 degrees and scaled by 0.9 to 1.1, "
        "and their contrast by 0.8 to 1.2.",
    )
    dice_weight: float = Field(0.7, ge=0, description="alpha of eqs. 4 and 5, of the Dice loss.")
    bce_weight: float = Field(0.3, ge=0, description="beta of eqs. 4 and 5, of the cross-entropy.")

    @model_validator(mode="after")
    def _some_loss(self) -> "Training":
        if self.dice_weight + self.bce_weight == 0:
            raise ValueError("dice_weight and bce_weight are both 0: there is no loss to minimise")
        return self


class Adversary(Strict):
    """A discriminator that a network is trained against, as in ToothPix [19] and pix2pix.

    It learns to tell the annotation of a radiograph from what the network draws.
    """

    weight: float = Field(
        0.01,
        gt=0,
        le=1000,
        description="Weight of its verdict in the network's loss, beside the segmentation loss. "
        "pix2pix has 1 against 100.",
    )
    widths: tuple[Positive, ...] = Field(
        (64, 128, 256, 512),
        min_length=1,
        max_length=4,
        description="Widths of its convolutions. The default is pix2pix's, which judges patches of "
        "70 x 70 pixels.",
    )


class Method(Strict):
    """One line of table 2."""

    label: str = Field(min_length=1, description="Name in tables and figures.")
    short_label: str | None = Field(None, description="Name where space is short; null: label.")
    initialisation: str = Field(
        "random", description="random, or the name of the pretext whose weights it starts from."
    )
    transfer: Transfer = Field(
        "all",
        description="Which weights of the pretext are taken over: all, all but the last layer's, "
        "or only the encoder's. The others are drawn from the run's seed. A network that numbers "
        "teeth has another last layer, so for it all means without_head.",
    )
    model: Model | None = Field(
        None, description="The network. Null, after a pretext: the pretext's, unmodified."
    )
    seeds: Seeds | None = Field(None, description="Null: the study's seeds.")
    instead_of: str | None = Field(
        None,
        description="A pretext. This method trains without it, but longer by as many steps as the "
        "pretext takes, which is trained first.",
    )
    like: Name | None = Field(
        None,
        exclude=True,
        description="A method above this one. Settings not given here are taken from it; but not "
        "labels and source, and none of model if model.encoder is given.",
    )
    annotations: Annotations | None = Field(
        None, description="Errors in the annotations that it is trained on. Null: none."
    )
    training: Training | None = Field(
        None,
        description="How its training differs from the study's; what is not given here is the "
        "study's. Tables name the difference. Null: no difference.",
    )
    adversary: Adversary | None = Field(
        None, description="A discriminator that it is trained against. Null: none."
    )
    source: str | None = Field(
        None,
        description="Where the system comes from, with its reference number in the paper, such as "
        "'[14]'. The table `related` shows it.",
    )

    @model_validator(mode="after")
    def _some_mask_to_judge(self) -> "Method":
        if self.adversary and self.model and self.model.finds_instances:
            raise ValueError("adversary has no meaning for mask_rcnn; remove it")
        return self


#: Of an entry, what those that are ``like`` it do not take over.
OF_ITSELF = ("label", "short_label", "source")


def _filled_in(entry: Any, above: dict[str, Any], where: str) -> Any:
    """Return an entry with what it lacks from the one that it is ``like``."""
    if not isinstance(entry, dict) or entry.get("like") is None:
        return entry
    other = str(entry["like"])
    _refuse_unknown(f"{where}.like is", other, above, "those above it")
    filled = {k: v for k, v in above[other].items() if k not in OF_ITSELF}
    for name, value in entry.items():
        # A mask of another kind has other settings, and so has a model of another encoder.
        joined = isinstance(value, dict) and isinstance(filled.get(name), dict)
        alike = joined and not {"kind", "encoder"} & value.keys()
        filled[name] = filled[name] | value if alike else value
    return filled | {"like": None}


# --- Evaluation, report, machine ---


class Evaluation(Strict):
    """How finished networks are measured."""

    threshold: float = Field(
        0.5, gt=0, lt=1, description="Least probability with which a pixel counts as tooth."
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
        description="required: stop if AlexNet's weights are not available. optional: say so in "
        "the table and go on. off: leave LPIPS out.",
    )
    lpips_weights: str | None = Field(
        None, description="torchvision's alexnet-owt-7be5be79.pth, if you have it. Null: download."
    )
    mask_seed: Seed = Field(
        0, description="Seed of the masks and the noise that pretexts are measured with."
    )
    also_on: Annotated[tuple[Name, ...], AfterValidator(_each_once)] = Field(
        (), description="Further datasets whose labelled radiographs all networks are measured on."
    )


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
        description="auto: CUDA if torch can use a GPU, else the CPU. Apple's GPUs are not used.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto: bfloat16 autocast if the device has instructions for it.",
    )
    threads: int = Field(2, ge=1, le=256, description="CPU threads of one training.")


class StudyCompute(Compute):
    """The machine. All but ``checkpoint_minutes`` may change results."""

    checkpoint_minutes: float = Field(
        5,
        gt=0,
        description="Minutes between two saved states of a training. After a stop it goes on from "
        "the last.",
    )


class Settings(Strict):
    """A study: everything that `snakemake` needs to know."""

    study: Annotated[
        str, Field(pattern=STUDY_PATTERN, max_length=100, coerce_numbers_to_str=True)
    ] = Field("paper", description="Results go to results/<study>/.")
    data: Data = Data()
    task: TaskName = Field(
        "teeth",
        description="What networks learn: which pixels are tooth, or also which of the 32 teeth.",
    )
    datasets: dict[Name, Data] = Field(
        {}, description="Further datasets, by name; nothing is trained on their annotations."
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
    def _complete_entries(cls, values: Any) -> Any:
        """Leave out entries of ``methods``, … that are null; fill in ``like``."""
        for key in ("methods", "pretext", "datasets"):
            if isinstance(values, dict) and isinstance(values.get(key), dict):
                entries: dict[str, Any] = {}
                for name, entry in values[key].items():
                    if entry is not None:
                        entries[name] = _filled_in(entry, entries, f"{key}.{name}")
                values = values | {key: entries}
        return values

    @model_validator(mode="after")
    def _some_patches(self) -> "Settings":
        from maskedteeth.pretext.patches import count_patches

        height, width = self.image.height, self.image.width
        for name, pretext in self.pretext.items():
            rows, columns, masked = count_patches(pretext.mask, height, width)
            if pretext.mask.kind == "uniform" and (rows % 2 or columns % 2):
                raise ValueError(
                    f"pretext.{name}.mask takes patches two by two, but a radiograph has {rows} x "
                    f"{columns} of them; change size so that both numbers are even"
                )
            if pretext.mask.kind == "patches" and masked in (0, rows * columns):
                raise ValueError(
                    f"pretext.{name}.mask would mask {masked} of the {rows * columns} patches of a "
                    "radiograph; change size or ratio"
                )
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> "Settings":
        if "random" in self.pretext:
            raise ValueError("pretext.random has the name that stands for no pretext; rename it")
        for name, method in self.methods.items():
            start, where = method.initialisation, f"methods.{name}"
            meaningless = method.transfer != "all" if start == "random" else method.instead_of
            if meaningless:
                setting = "transfer" if start == "random" else "instead_of"
                raise ValueError(f"{where}.{setting} has no meaning after {start!r}; remove it")
            if method.instead_of is not None:
                _refuse_unknown(
                    f"{where}.instead_of is", method.instead_of, self.pretext, "pretext"
                )
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
                    f"methods.{setting} {twice[0]!r} is used twice; tables and figures need "
                    "different ones"
                )
        _refuse_unknown("report.ours is", self.report.ours, self.methods, "methods")
        fraction, fractions = self.report.figure_fraction, self.split.fractions
        _refuse_unknown("report.figure_fraction is", fraction, fractions, "split.fractions")
        return self

    @model_validator(mode="after")
    def _losses_are_left(self) -> "Settings":
        for name in self.methods:
            training = self.training_of(name)
            if training.dice_weight + training.bce_weight == 0:
                raise ValueError(
                    f"methods.{name}.training leaves dice_weight and bce_weight both 0: there is "
                    "no loss to minimise"
                )
        return self

    @model_validator(mode="after")
    def _errors_are_seen(self) -> "Settings":
        for name in self.noisy:
            if self.methods[name].annotations.swap and self.task == "teeth":
                raise ValueError(
                    f"methods.{name}.annotations.swap exchanges the numbers of teeth, which task "
                    "'teeth' does not learn; remove it, or set task to 'numbering'"
                )
        return self

    @model_validator(mode="after")
    def _datasets_are_known(self) -> "Settings":
        if "raw" in self.datasets:
            raise ValueError("datasets.raw has the name of the folder of data; rename it")
        measured = set(self.evaluation.also_on)
        named = {f"pretext.{name}": entry.also_on for name, entry in self.pretext.items()}
        for where, names in {"evaluation": self.evaluation.also_on, **named}.items():
            for name in names:
                _refuse_unknown(f"{where}.also_on has", name, self.datasets, "datasets")
                if where != "evaluation" and name in measured:
                    raise ValueError(
                        f"{where}.also_on has {name!r}, and so has evaluation.also_on; networks "
                        "must not train on what they are measured on: remove it from one of the two"
                    )
        return self

    @property
    def noisy(self) -> list[str]:
        """The methods that are trained on errors in the annotations."""
        return [name for name, method in self.methods.items() if method.annotations]

    def model_of(self, method: str) -> Model:
        """Return the network of a method: its own, or its pretext's."""
        entry = self.methods[method]
        return entry.model or self.pretext[entry.initialisation].model

    def transfer_of(self, method: str) -> Transfer:
        """Return what a method takes over of a pretext: never its last layer to number teeth."""
        chosen = self.methods[method].transfer
        return "without_head" if (self.task, chosen) == ("numbering", "all") else chosen

    def training_of(self, method: str) -> Training:
        """Return the training of a method: the study's, but for what it has of its own."""
        entry = self.methods[method]
        own = entry.training.model_dump(exclude_unset=True) if entry.training else {}
        return self.training.model_copy(update=own)

    def pretext_of(self, name: str) -> Pretext:
        """Return a pretext with all its epochs."""
        pretext = self.pretext[name]
        epochs = pretext.epochs * pretext.longer
        return pretext.model_copy(update={"epochs": epochs, "longer": 1})

    def seeds_of(self, method: str) -> tuple[int, ...]:
        """Return the seeds that a method is trained with."""
        return self.methods[method].seeds or self.seeds
