"""The stages of the workflow: where each is, and what it depends on.

A stage is a function. Its positional parameters are sections of the settings
(:mod:`maskedteeth.settings.sections`); its keyword-only parameters are the files that it reads and
writes. A table or a figure needs no entry here if it is a function of its module's name.
"""

import ast
from functools import cache

from maskedteeth.fingerprint import PACKAGE, ROOT, parsed

#: Stage → module and function.
STAGES = {
    "card": "machine:check_card",
    "draw_phantom": "data.phantom:draw_dataset",
    "fetch": "data.fetch:fetch",
    "prepare": "data.prepare:prepare",
    "encoder_weights": "models.encoder_weights:fetch_encoder",
    "describe": "models.describe:describe",
    "pretrain": "training.pretrain:pretrain",
    "train": "training.train:train",
    "evaluate": "metrics.evaluate:evaluate",
    "evaluate_elsewhere": "metrics.elsewhere:evaluate_elsewhere",
    "lpips_weights": "metrics.lpips_weights:fetch_weights",
    "measure_pretext": "metrics.pretext:measure_pretext",
    "report": "report.page.report:report",
    **{f"table{n}": f"report.tables.of_paper:table{n}" for n in (1, 2, 3)},
    **{f"figure{n}": f"report.figures.reconstructions:figure{n}" for n in (2, 3, 6, 7)},
    **{f"figure{n}": f"report.figures.segmentations:figure{n}" for n in (4, 8)},
    **{f"figure{n}": f"report.figures.candidates:figure{n}" for n in (5, 9)},
}


def locate(stage: str) -> tuple[str, str]:
    """Return the module and the function of a stage, a table or a figure."""
    if stage in STAGES:
        module, _, function = STAGES[stage].partition(":")
        return f"{PACKAGE}.{module}", function
    kind = "tables" if (ROOT / "report" / "tables" / f"{stage}.py").is_file() else "figures"
    return f"{PACKAGE}.report.{kind}.{stage}", stage


@cache
def sections_of(stage: str) -> tuple[str, ...]:
    """Return the sections of the settings that a stage sees, without importing it."""
    module, name = locate(stage)
    functions = (node for node in parsed(module).body if isinstance(node, ast.FunctionDef))
    function = next(node for node in functions if node.name == name)
    return tuple(argument.arg for argument in function.args.args)
