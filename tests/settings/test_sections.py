"""A stage sees the settings that it depends on, and no others."""

import copy

import pytest
from snakemake.utils import update_config

from maskedteeth.settings.sections import cut
from maskedteeth.stages import STAGES, sections_of

RUN = {"method": "unet", "fraction": "0.2", "seed": "42"}
JOB = {**RUN, "runs": [RUN], "pretext": "random_block_masking", "dataset": "d"}
JOB |= {"elsewhere": "clinic", "encoder": "resnet18-imagenet"}
#: Besides the paper's: a further dataset, and a network whose encoder was trained elsewhere.
STUDY = {"datasets": {"clinic": {"source": "phantom"}}}
PICTURES = {"architecture": "unet", "encoder": "resnet18", "encoder_weights": "imagenet"}
STUDY |= {"methods": {"pictures": {"label": "P", "model": PICTURES}}}
TABLE = "table2"  # which sees what all tables and figures see

PRETEXT = {"pretrain", "measure_pretext"}
EVALUATIONS = {"evaluate", "evaluate_elsewhere"}

#: A changed setting, and the stages that see it, besides the report page, which shows them all.
CHANGES = [
    ({"data": {"most_problems": 0.2}}, set()),
    ({"data": {"download": "kaggle"}}, set()),
    ({"data": {"numbering": "fdi"}}, {"prepare"}),
    ({"data": {"classes": {7: 11}}}, {"prepare"}),
    ({"data": {"title": "Other"}}, {TABLE, "describe"}),
    ({"data": {"phantom": {"seed": 2}}}, {"draw_phantom"}),
    ({"task": "numbering"}, {"describe", "train", *EVALUATIONS}),
    ({"image": {"height": 128}}, {"prepare", "describe"}),
    ({"split": {"test_seed": 1}}, {"pretrain", "measure_pretext", "train", *EVALUATIONS}),
    ({"split": {"fractions": [0.2, 0.5]}}, set()),
    (
        {"pretext": {"random_block_masking": {"mask": {"most": 4}}}},
        PRETEXT,
    ),
    ({"training": {"epochs": 3}}, {"train"}),
    ({"methods": {"unet": {"label": "U"}}}, {TABLE, "describe"}),
    (
        {"methods": {"unet": {"model": {"encoder": "resnet18"}}}},
        {"describe", "train", *EVALUATIONS},
    ),
    ({"methods": {"pspnet": {"model": {"encoder": "resnet18"}}}}, {"describe"}),
    ({"methods": {"pspnet": {"seeds": [1]}}}, set()),
    ({"methods": {"unet": {"training": {"augment": "light"}}}}, {"train"}),
    ({"methods": {"pspnet": {"training": {"augment": "light"}}}}, set()),
    ({"methods": {"pictures": {"model": {"architecture": "fpn"}}}}, {"describe"}),
    ({"methods": {"unet": {"source": "[9]"}}}, set()),
    ({"evaluation": {"threshold": 0.4}}, {*EVALUATIONS, TABLE, "describe"}),
    ({"evaluation": {"boundary_tolerance": 1}}, {*EVALUATIONS, TABLE, "describe"}),
    ({"methods": {"unet": {"annotations": {"drop": 0.1}}}}, {"train", *EVALUATIONS}),
    ({"pretext": {"random_block_masking": {"also_on": ["clinic"]}}}, PRETEXT),
    ({"evaluation": {"mask_seed": 9}}, {"measure_pretext"}),
    ({"evaluation": {"lpips": "off"}}, {"lpips_weights"}),
    ({"evaluation": {"lpips_weights": "/mine/alexnet.pth"}}, set()),
    ({"report": {"samples": 2}}, {TABLE, "describe"}),
    ({"report": {"bootstrap_resamples": 500}}, {TABLE, "describe"}),
    (
        {"compute": {"precision": "float32"}},
        {"pretrain", "measure_pretext", "train", *EVALUATIONS},
    ),
    ({"compute": {"checkpoint_minutes": 1}}, set()),
]


@pytest.mark.parametrize(("changes", "expected"), CHANGES, ids=[str(c) for c, _ in CHANGES])
def test_a_changed_setting_is_seen_by_the_stages_that_depend_on_it_alone(
    settings, changes, expected
):
    def seen(study, stage):
        return cut(study, sections_of(stage), JOB)

    stages = {s for s, place in STAGES.items() if not place.startswith("report.")} - {"card"}
    stages.add(TABLE)
    changed = copy.deepcopy(STUDY)
    update_config(changed, changes)
    before, after = settings(**STUDY), settings(**changed)
    assert {s for s in stages if seen(before, s) != seen(after, s)} == expected


def test_the_report_shows_what_was_given_but_for_what_changes_no_result(settings):
    def shown(**given):
        return cut(settings(), ("changed",), {"given": given})["changed"]

    data = {"path": "/home/jo/set.zip", "download": "kaggle", "most_problems": 0.2}
    given = {"data": data, "methods": {"unet": None}}
    found = shown(**given, compute={"checkpoint_minutes": 1})
    assert found == {"data": {"path": "set.zip"}, "methods": {"unet": None}}
    clinic = {"path": "/home/jo/clinic", "source": "folder"}
    assert shown(datasets={"clinic": clinic, "other": None}) == {
        "datasets": {"clinic": {"path": "clinic", "source": "folder"}, "other": None}
    }
    assert shown() == {}
