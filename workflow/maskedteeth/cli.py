"""`maskedteeth`: commands for people, and `maskedteeth run`, with which the workflow runs a stage.

A stage is a function. Its positional parameters are sections of the settings, its keyword-only
parameters are files; its type hints say what JSON becomes. Modules are imported when they are
needed: torch takes seconds.
"""

import gc
import importlib
import inspect
import json
import os
import signal
import sys
import typing
from pathlib import Path
from typing import Any

from maskedteeth.errors import InputError, Stopped, out_of_memory, say
from maskedteeth.files import ADVICE

#: What a person calls → module and function.
COMMANDS = {
    "predict": "maskedteeth.use.predict:predict",
    "reconstruct": "maskedteeth.use.predict:reconstruct",
    "export-onnx": "maskedteeth.use.export_onnx:export_onnx",
    "why": "maskedteeth.record:why",
    "schema": "maskedteeth.settings.schema:write_schema",
}

#: Stage → module and function. A table or figure needs no entry: it is the function of its name in
#: the module of its name, in `report/tables` or `report/figures`.
STAGES = {
    "phantom": "maskedteeth.data.phantom:draw_dataset",
    "fetch": "maskedteeth.data.fetch:fetch",
    "index": "maskedteeth.data.index:index",
    "prepare": "maskedteeth.data.prepare:prepare",
    "guard": "maskedteeth.data.guard:guard",
    "split": "maskedteeth.data.splits:split",
    "split_pretext": "maskedteeth.data.splits:split_pretext",
    "describe": "maskedteeth.models.describe:describe",
    "measure": "maskedteeth.training.measure:measure",
    "pretrain": "maskedteeth.training.pretrain:pretrain",
    "train": "maskedteeth.training.train:train",
    "evaluate": "maskedteeth.metrics.evaluate:evaluate",
    "lpips_weights": "maskedteeth.metrics.lpips_weights:fetch_weights",
    "measure_pretext": "maskedteeth.metrics.reconstruct:reconstruct",
    "report": "maskedteeth.report.page.report:report",
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command or a stage.

    Returns:
        0; 2 after a sentence on what is wrong; or 128 + the number of the signal that ended it.
    """
    # Importing torch makes millions of objects, and looking through them for garbage again and
    # again took a tenth of a training's start.
    gc.set_threshold(50_000)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        status = run_stage(*words[1:]) if words[:1] == ["run"] else _run_command(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read this, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        sentence, status = "Interrupted before its end.", 128 + signal.SIGINT
    except Stopped as stopped:
        sentence, status = str(stopped), 128 + stopped.signal
    except (InputError, OSError, RuntimeError, MemoryError) as error:
        sentence, status = _sentence(error), 2
        if sentence is None:
            raise
    name = words[1] if words[0] == "run" else words[0]
    say(f"maskedteeth {name}: {sentence}")
    return status


def _sentence(error: Exception) -> str | None:
    """Return what a person can do about an error; None for a mistake in the code."""
    if isinstance(error, InputError):
        return str(error)
    if not isinstance(error, OSError):
        return out_of_memory(error)
    if error.errno not in ADVICE:
        return None
    where = "" if error.filename is None else f" ({error.filename})"
    return f"{os.strerror(error.errno)}{where}: {ADVICE[error.errno]}."


def run_stage(stage: str, text: str) -> int:
    """Run a stage of the workflow.

    Args:
        stage: its name.
        text: JSON, ``{"settings": {section: value}, "files": {name: path, [paths] or null}}``.
            Files that the function does not take are written from what it returns: a table or a
            figure.

    Returns:
        0.

    Raises:
        InputError: there is no such stage, or the stage has a sentence for the user.
    """
    from pydantic import TypeAdapter

    module, name = function_of(stage)
    function = getattr(importlib.import_module(module), name)
    given, hints = json.loads(text), typing.get_type_hints(function)
    taken = inspect.signature(function).parameters
    values = given["settings"] | {n: f for n, f in given["files"].items() if n in taken}
    typed = {n: TypeAdapter(hints[n]).validate_python(value) for n, value in values.items()}
    made = function(**typed)
    _write(made, {n: Path(file) for n, file in given["files"].items() if n not in taken})
    return 0


def _write(made: Any, files: dict[str, Path]) -> None:
    if "csv" in files:
        from maskedteeth.report.table import write_table

        write_table(made, **files)
    elif files:
        from maskedteeth.report.figures.panels import write_figure

        write_figure(made, **files)


def function_of(stage: str) -> tuple[str, str]:
    """Return the module and the function of a stage, without importing them.

    Raises:
        InputError: there is no such stage.
    """
    if stage in STAGES:
        module, _, name = STAGES[stage].partition(":")
        return module, name
    for kind in ("tables", "figures"):
        if (Path(__file__).parent / "report" / kind / f"{stage}.py").is_file():
            return f"maskedteeth.report.{kind}.{stage}", stage
    raise InputError(f"There is no stage {stage!r}.")


def module_of_stage(stage: str) -> str:
    """Return the module that a stage starts in, for fingerprints."""
    return function_of(stage)[0]


def _run_command(words: list[str]) -> int:
    from cyclopts import App, CycloptsError

    app = App(
        name="maskedteeth",
        help="Finished networks at work on your own radiographs. The reproduction itself is run "
        "by `snakemake`.",
        result_action="return_value",
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    for name, function in COMMANDS.items():
        app.command(function, name=name)
    app.register_install_completion_command()
    if words[:1] in ([], ["-h"], ["--help"]):
        for name in COMMANDS:
            app[name]  # imported, so that the list says what each does
    try:
        app(words)
    except CycloptsError:  # it has printed what is wrong
        return 2
    return 0
