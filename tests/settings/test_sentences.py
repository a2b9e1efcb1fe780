"""A mistake in the settings is one sentence, with the setting's path and what is allowed."""

import copy
import functools
import re

import pytest

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate

#: What nobody but a programmer would write.
JARGON = re.compile(
    r"\b(input|string|tuple|dict|dictionary|instance|valid|validation|parse|pydantic|None|True|int"
    r"|float)\b"
)
MASKING = "random_block_masking"

MISTAKES = [
    ({"trainin": {}}, "Setting trainin is unknown; did you mean 'training'?"),
    (
        {"pretext": {MASKING: {"mask": {"kind": "uniform", "size": 48}}}},
        f"Setting pretext.{MASKING}.mask takes patches two by two, but a radiograph has 6 x 11 of "
        "them; change size so that both numbers are even.",
    ),
    (
        {"methods": {"unet": {"model": {"inputs": ["sobel"], "encoder_weights": "imagenet"}}}},
        "Setting methods.unet.model: inputs are sobel, but encoder_weights were trained on "
        "pictures, whose place the X-ray alone can take; set inputs to [xray].",
    ),
    (
        {"compute": {"zzz": 1}},
        "Setting compute.zzz is unknown; known here: device, precision, threads, "
        "checkpoint_minutes.",
    ),
    (
        {"training": {"epochs": "many"}},
        "Setting training.epochs is 'many'; it must be a whole number.",
    ),
    (
        {"training": {"epochs": 0}},
        "Setting training.epochs is 0; it must be greater than or equal to 1.",
    ),
    (
        {"training": {"learning_rate": float("nan")}},
        "Setting training.learning_rate is nan; it must be a finite number.",
    ),
    (
        {"split": {"fractions": [0.1, 2]}},
        "Setting split.fractions.1 is 2; it must be less than 1.",
    ),
    (
        {"data": {"mask_name": "mask"}},
        "Setting data.mask_name is 'mask'; it must hold {name} once, as in {name}_mask, and no",
    ),
    (
        {"data": {"source": "dicom"}},
        "Setting data.source is 'dicom'; it must be 'auto', 'folder',",
    ),
    (
        {"evaluation": {"lpips": False}},
        "Setting evaluation.lpips is false; it must be a number or text (YAML takes yes, no, on "
        "and off for true and false unless they are quoted).",
    ),
    (
        {"study": "../elsewhere"},
        "Setting study is '../elsewhere'; it must consist of letters, digits, _ and -, beginning "
        "with a letter or digit.",
    ),
    (
        {"methods": {"UNet": {"label": "x", "model": {"architecture": "unet"}}}},
        "Setting methods.UNet is 'UNet'; it must consist of small letters, digits and _, "
        "beginning with a letter.",
    ),
    (
        {"methods": {"fpn": {"model": {"architecture": "fpn"}}}},
        "Setting methods.fpn.label is missing; add it.",
    ),
    (
        {"data": {"source": "phantom", "path": "mine"}},
        "Setting data: path is 'mine', but source is 'phantom', which is drawn; for your own "
        "radiographs set source to 'auto'.",
    ),
    (
        {"data": {"source": "folder"}},
        "Setting data: path is not set, but source is 'folder'; name the folder of your",
    ),
    (
        {"data": {"classes": {"crown": "tooths"}}},
        "Setting data.classes.crown is 'tooths'; it must consist of a number of one or two digits, "
        "or the word tooth or ignore.",
    ),
    (
        {"data": {"patient": "patient_*"}},
        "Setting data.patient is 'patient_*'; it must hold {patient} once, as in {patient}_*,",
    ),
    (
        {"split": {"given": "my/split.csv", "protocol": "complement"}},
        "Setting split: given is 'my/split.csv', but protocol is 'complement', which tests on what "
        "a subset leaves out; leave one of them out.",
    ),
    (
        {"data": {"images": "/mine/images"}},
        "Setting data.images is '/mine/images'; it must be a folder inside data.path.",
    ),
    (
        {"pretext": {"random": {}}},
        "Setting pretext.random has the name that stands for no pretext; rename it.",
    ),
    (
        {"methods": {"unet": {"label": "PSPNet"}}},
        "Setting methods.label 'PSPNet' stands twice; tables and figures tell methods apart by it.",
    ),
    (
        {"methods": {"unet": {"short_label": "PSPNet"}}},  # where space is short, PSPNet's label
        "Setting methods.short_label 'PSPNet' stands twice; tables and figures tell methods apart",
    ),
    (
        {"split": {"test_fraction": 0.2}},
        "Setting split: fraction 0.9 does not fit beside a test set of 0.2; the largest possible "
        "is 0.8.",
    ),
    (
        {"split": {"fractions": [0.2, 0.2000000001]}},  # they would share a folder
        "Setting split.fractions is [0.2, 0.2000000001]; the same value must not appear twice.",
    ),
    ({"seeds": [42, 42]}, "Setting seeds is [42, 42]; the same value must not appear twice."),
    (
        {"pretext": {MASKING: {"epochs": 40}}},
        f"Setting pretext.{MASKING}: preview epoch 75 is after the last epoch (40).",
    ),
    (
        {"pretext": {MASKING: {"mask": {"fewest": 6}}}},
        f"Setting pretext.{MASKING}.mask: fewest (6) is above most (5).",
    ),
    (
        {"pretext": {MASKING: {"mask": {"kind": "patches", "area": 0.2}}}},
        f"Setting pretext.{MASKING}.mask: area has no meaning for patches; remove it.",
    ),
    (
        {"pretext": {MASKING: {"mask": {"kind": "patches", "size": 256}}}},
        f"Setting pretext.{MASKING}.mask would mask 0 of the 2 patches of a radiograph; change",
    ),
    (
        {"pretext": {MASKING: {"mask": {"kind": "none"}, "loss": {"over": "masked"}}}},
        f"Setting pretext.{MASKING}: loss.over is 'masked', but mask.kind is 'none': no pixel",
    ),
    (
        {"pretext": {MASKING: {"model": {"inputs": ["xray"]}, "guidance": "masked"}}},
        f"Setting pretext.{MASKING}: guidance has no meaning without sobel in model.inputs; remove",
    ),
    (
        {"pretext": {MASKING: {"mask": {"kind": "patch"}}}},
        f"Setting pretext.{MASKING}.mask.kind is 'patch'; it must be 'blocks', 'patches', "
        "'uniform' or 'none'",
    ),
    (
        {"pretext": {"other": {"like": "jigsaw"}}},
        f"Setting pretext.other.like is 'jigsaw', which is not one of those above it: {MASKING}.",
    ),
    (
        {"methods": {"other": {"like": "unet"}}},
        "Setting methods.other.label is missing; add it.",
    ),
    (
        {"methods": {"unet": {"transfer": "encoder"}}},
        "Setting methods.unet.transfer has no meaning after 'random'; remove it.",
    ),
    (
        {"methods": {MASKING: {"instead_of": MASKING}}},
        f"Setting methods.{MASKING}.instead_of has no meaning after '{MASKING}'; remove it.",
    ),
    (
        {"methods": {"unet": {"instead_of": "jigsaw"}}},
        f"Setting methods.unet.instead_of is 'jigsaw', which is not one of pretext: {MASKING}.",
    ),
    (
        {"methods": {MASKING: {"initialisation": "jigsaw"}}},
        f"Setting methods.{MASKING}.initialisation is 'jigsaw', which is neither 'random' nor one "
        f"of pretext: {MASKING}.",
    ),
    (
        {"methods": {MASKING: {"initialisation": "random"}}},
        f"Setting methods.{MASKING} starts at random and needs a model.",
    ),
    (
        {"methods": {MASKING: {"model": {"architecture": "unet"}}}},
        f"Setting methods.{MASKING}.model differs from pretext.{MASKING}.model, whose weights it "
        "takes over; leave it out.",
    ),
    (
        {"methods": {"unet": {"model": {"widths": [8, 16]}}}},
        "Setting methods.unet.model: widths has no meaning for unet; remove it.",
    ),
    (
        {"training": {"dice_weight": 0, "bce_weight": 0}},
        "Setting training: dice_weight and bce_weight are both 0: there is no loss to minimise.",
    ),
    (
        {"evaluation": {"also_on": ["clinic"]}},
        "Setting evaluation.also_on has 'clinic', which is not one of datasets: (none).",
    ),
    (
        {
            "datasets": {"clinic": {"source": "phantom"}},
            "evaluation": {"also_on": ["clinic"]},
            "pretext": {MASKING: {"also_on": ["clinic"]}},
        },
        f"Setting pretext.{MASKING}.also_on has 'clinic', which evaluation.also_on has, too; what "
        "networks are measured on must not train them: take it out of one of them.",
    ),
    (
        {"datasets": {"clinic": {"source": "folder"}}},
        "Setting datasets.clinic: path is not set, but source is 'folder'; name the folder of your",
    ),
    (
        {"methods": {"unet": {"annotations": {"drop": 0}}}},
        "Setting methods.unet.annotations: annotations has no error; set one of them above 0 or "
        "leave it out.",
    ),
    (
        {"methods": {"unet": {"annotations": {"swap": 0.1}}}},
        "Setting methods.unet.annotations.swap exchanges the numbers of teeth, which task 'teeth' "
        "does not learn; remove it, or set task to 'numbering'.",
    ),
    (
        {"report": {"ours": "sam"}},
        "Setting report.ours is 'sam', which is not one of methods: unet, pspnet, linknet, "
        f"modified_resunet, {MASKING}.",
    ),
    (
        {"report": {"figure_fraction": 0.5}},
        "Setting report.figure_fraction is 0.5, which is not one of split.fractions: 0.1, 0.2, "
        "0.3, 0.8, 0.9.",
    ),
]


def refused(content):
    with pytest.raises(InputError) as error:
        validate(content, Settings)
    return str(error.value)


@pytest.mark.parametrize(("changes", "expected"), MISTAKES, ids=[e for _, e in MISTAKES])
def test_a_mistake_is_one_sentence_with_the_path_and_what_is_allowed(paper, changes, expected):
    sentence = refused(paper(**changes))
    assert sentence.startswith(expected), sentence
    assert "\n" not in sentence and sentence.endswith((".", "?"))


def test_several_mistakes_are_several_sentences(paper):
    assert len(refused(paper(trainin={}, compute={"threads": 0})).splitlines()) == 2


def test_a_file_without_a_mapping_or_a_section_is_a_sentence(paper):
    assert refused([1]).startswith("Settings are [1]; it must be a mapping")
    assert refused({"methods": paper()["methods"]}) == "Setting pretext is missing; add it."


def walk(section, path=()):
    """Yield the path of every setting and section, and what it is set to."""
    for name, value in section.items():
        yield (*path, name), value
        if isinstance(value, dict):
            yield from walk(value, (*path, name))


def test_a_typo_and_a_wrong_type_of_any_setting_are_plain_sentences(settings):
    content, count = settings().model_dump(mode="json"), 0
    for path, value in walk(content):
        if path[0] in ("pretext", "methods") and len(path) == 2:
            continue  # a name of the user's
        wrong = 3 if isinstance(value, dict) or path[-1] in ("model", "annotations") else {"a": []}
        for name, given in ((f"{path[-1]}x", value), (path[-1], wrong)):
            mistaken = copy.deepcopy(content)
            functools.reduce(dict.__getitem__, path[:-1], mistaken)[name] = given
            sentence, dotted = refused(mistaken), ".".join((*path[:-1], name))
            assert sentence.startswith(f"Setting {dotted} is "), sentence
            assert "\n" not in sentence and sentence.endswith((".", "?")), sentence
            assert not JARGON.search(re.sub("'[^']*'", "", sentence.replace(dotted, ""))), sentence
            count += 1
    assert count > 150
