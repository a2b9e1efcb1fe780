"""`maskedteeth <stage>`: what every rule of the workflow runs, and what a person can run too.

A stage is a function. Its first parameter holds its settings, given as JSON to ``--settings``;
its keyword parameters are files (or numbers, texts and switches), each a flag of the same name; a
positional-only parameter is given without a flag. A list of paths takes one or more; a list of
texts takes all that follows and is handed on as it is.
Modules are imported when their stage runs, so that light stages start in a blink.
"""

import argparse
import gc
import importlib
import inspect
import json
import os
import re
import signal
import sys
import typing
from pathlib import Path

from maskedteeth.errors import InputError, Stopped, say
from maskedteeth.files import ADVICE

#: Stage → module and function.
STAGES = {
    "phantom": "maskedteeth.data.phantom:draw_dataset",
    "fetch": "maskedteeth.data.fetch:fetch",
    "index": "maskedteeth.data.index:index",
    "prepare": "maskedteeth.data.prepare:prepare",
    "guard": "maskedteeth.data.guard:guard",
    "split": "maskedteeth.data.splits:split",
    "split-pretext": "maskedteeth.data.splits:split_pretext",
    "describe": "maskedteeth.models.describe:describe",
    "measure": "maskedteeth.training.measure:measure",
    "pretrain": "maskedteeth.training.pretrain:pretrain",
    "train": "maskedteeth.training.train:train",
    "evaluate": "maskedteeth.metrics.evaluate:evaluate",
    "lpips-weights": "maskedteeth.metrics.lpips_weights:fetch_weights",
    "measure-pretext": "maskedteeth.metrics.pretext:measure_pretext",
    "table1": "maskedteeth.report.tables.table1:table1",
    "table2": "maskedteeth.report.tables.table2:table2",
    "table3": "maskedteeth.report.tables.table3:table3",
    "table-pretext": "maskedteeth.report.tables.pretext:table_pretext",
    "statistics": "maskedteeth.report.tables.statistics:statistics",
    "boundary": "maskedteeth.report.tables.boundary:boundary",
    "audit": "maskedteeth.report.tables.audit:audit",
    "claims": "maskedteeth.report.tables.claims:claims",
    "cost": "maskedteeth.report.tables.cost:cost",
    "annotation-errors": "maskedteeth.report.tables.annotation_errors:annotation_errors",
    **{f"figure{n}": f"maskedteeth.report.figures.figure{n}:figure{n}" for n in range(1, 10)},
    "dice-by-fraction": "maskedteeth.report.figures.dice_by_fraction:dice_by_fraction",
    "differences": "maskedteeth.report.figures.differences:differences",
    "training-curves": "maskedteeth.report.figures.training_curves:training_curves",
    "contact-sheet": "maskedteeth.report.figures.contact_sheet:contact_sheet",
    "report": "maskedteeth.report.page.report:report",
    "predict": "maskedteeth.use.predict:predict",
    "reconstruct": "maskedteeth.use.reconstruct:reconstruct",
    "export-onnx": "maskedteeth.use.export_onnx:export_onnx",
    "why": "maskedteeth.study.why:why",
    "plan": "maskedteeth.study.plan:plan",
    "export": "maskedteeth.study.exporting:export_study",
    "import": "maskedteeth.study.importing:import_study",
    "schema": "maskedteeth.settings.schema:write_schema",
    "completion": "maskedteeth.completion:completion",
}


def module_of_stage(stage: str) -> str:
    """Return the module that a stage starts in, for fingerprints."""
    return STAGES[stage].partition(":")[0]


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; return 0, 2 after a sentence on what is wrong, or 128 + a signal's number."""
    # Importing torch makes millions of objects, and looking through them for garbage again and
    # again took a tenth of a training's start.
    gc.set_threshold(50_000)
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="maskedteeth",
        description="One stage of the reproduction. `snakemake` runs them all in order; "
        "`maskedteeth STAGE --help` says what a stage reads and writes.",
    )
    parser.add_argument("stage", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    chosen = parser.parse_args(arguments[:1])
    try:
        _run(chosen.stage, arguments[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read this, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except InputError as error:
        say(f"maskedteeth {chosen.stage}: {error}")
        return 2
    except OSError as error:
        if (sentence := _of_system(error)) is None:
            raise
        say(f"maskedteeth {chosen.stage}: {sentence}")
        return 2
    except Stopped as stopped:
        say(f"maskedteeth {chosen.stage}: {stopped}")
        return 128 + stopped.signal
    except KeyboardInterrupt:
        say(f"maskedteeth {chosen.stage}: Interrupted before its end.")
        return 128 + signal.SIGINT
    return 0


def _of_system(error: OSError) -> str | None:
    """Return a sentence on a full disk, a missing permission and the like; None for the rest."""
    if error.errno not in ADVICE:
        return None
    where = "" if error.filename is None else f" ({error.filename})"
    return f"{os.strerror(error.errno)}{where}: {ADVICE[error.errno]}."


def _run(stage: str, arguments: list[str]) -> None:
    module, _, name = STAGES[stage].partition(":")
    function = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    description, about = documented(inspect.getdoc(function) or "")
    parser = argparse.ArgumentParser(
        prog=f"maskedteeth {stage}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for parameter in parameters:
        kind = hints[parameter.name]
        if parameter.name == "settings":
            text = f"{kind.__name__} as JSON: {about.get('settings', '')}"
            parser.add_argument("--settings", required=True, help=text)
            continue
        text, several = about.get(parameter.name), typing.get_origin(kind) is list
        if parameter.kind is parameter.POSITIONAL_ONLY and kind == list[str]:
            if arguments[:1] not in (["-h"], ["--help"]):  # all others are another program's
                return function(arguments)
            parser.add_argument(parameter.name, nargs=argparse.REMAINDER, help=text)
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            shown = parameter.name.removesuffix("s").upper() if several else None
            many = {"nargs": "+", "metavar": shown} if several else {}
            parser.add_argument(parameter.name, type=_converter(kind), help=text, **many)
            continue
        flag = f"--{parameter.name.replace('_', '-')}"
        if kind is bool:
            parser.add_argument(flag, action="store_true", help=text)
            continue
        choice = typing.get_origin(kind) is typing.Literal
        parser.add_argument(
            flag,
            help=text,
            type=str if choice else _converter(kind),
            choices=typing.get_args(kind) if choice else None,
            nargs="+" if several else None,
            required=parameter.default is inspect.Parameter.empty,
            default=None if parameter.default is inspect.Parameter.empty else parameter.default,
        )
    values = vars(parser.parse_args(arguments))
    if "settings" in values:
        values["settings"] = _settings(values["settings"], hints["settings"])
    without_flag = [values.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY]
    try:
        function(*without_flag, **values)
    except (RuntimeError, MemoryError) as error:
        from maskedteeth.training.memory import explained

        sentence = explained(error, values.get("settings"))
        if sentence is None:
            raise
        raise sentence from error


def documented(text: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into what a person reads first, and what it says of each argument.

    Returns:
        All before its sections, and the texts of "Args:" by name, each on one line, ready for
        argparse (a percent sign is doubled).
    """
    description, *sections = re.split(r"^(?=(?:Args|Raises|Returns):$)", text, flags=re.MULTILINE)
    arguments = next((s for s in sections if s.startswith("Args:")), "")
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments, flags=re.MULTILINE)
    return description.rstrip(), {
        name: " ".join(said.split()).replace("%", "%%") for name, said in entries
    }


def _converter(kind: typing.Any) -> type:
    kinds = typing.get_args(kind) or (kind,)
    return next((k for k in kinds if k in (int, float, str)), Path)


def _settings(text: str, kind: type) -> typing.Any:
    from maskedteeth.settings.validation import validate

    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"--settings is not valid JSON: {error}.") from None
    return validate(content, kind)
