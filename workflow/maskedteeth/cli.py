"""`maskedteeth`: commands for people, and `maskedteeth run`, with which the workflow runs a stage.

A stage is a function. Its positional parameters are sections of the settings, its keyword-only
parameters are files; its type hints say what JSON becomes. Modules are imported when they are
needed: torch takes seconds.
"""

import atexit
import gc
import importlib
import inspect
import json
import os
import signal
import sys
import typing
from pathlib import Path

from maskedteeth.errors import InputError, Stopped, out_of_memory, say
from maskedteeth.files import ADVICE
from maskedteeth.stages import locate

#: What a person calls → module and function.
COMMANDS = {
    "predict": "maskedteeth.use.predict:predict",
    "export-onnx": "maskedteeth.use.export_onnx:export_onnx",
    "why": "maskedteeth.report.records:why",
    "schema": "maskedteeth.settings.schema:write_schema",
}


#: Files that the runner writes of a table or a figure.
KINDS = ("csv", "md", "tex", "html", "png", "pdf", "txt")


def main(arguments: list[str] | None = None) -> int:
    """Run a command or a stage.

    Returns:
        0; 2 after a sentence on what is wrong; or 128 + the number of the signal that ended it.
    """
    # Importing torch makes millions of objects. Looking through them for garbage again and again
    # took a tenth of a training's start, and at its end, when all goes anyway, a fifth.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
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


def run_stage(stage: str, settings: str, files: str) -> int:
    """Run a stage of the workflow.

    Args:
        stage: its name.
        settings: JSON, a value for each section that the stage sees.
        files: JSON, for each name a path, or several, or what else the stage is told. Files that
            the function does not take are written from what it returns: a table or a figure.

    Returns:
        0.

    Raises:
        InputError: the stage has a sentence for the user.
    """
    from pydantic import TypeAdapter

    from maskedteeth.settings.validation import naming

    module, name = locate(stage)
    function = getattr(importlib.import_module(module), name)
    taken, hints = inspect.signature(function).parameters, typing.get_type_hints(function)
    files = json.loads(files)
    values = json.loads(settings) | {n: value for n, value in files.items() if n in taken}
    typed = {n: TypeAdapter(hints[n]).validate_python(value) for n, value in values.items()}
    try:
        made = function(**typed)
    except InputError as error:
        raise InputError(naming(files.get("setting", "data"), str(error))) from None
    left = {n: Path(file) for n, file in files.items() if n in KINDS and n not in taken}
    if "csv" in left:
        from maskedteeth.report.table import write_table

        write_table(made, **left)
    elif left:
        from maskedteeth.report.figures.panels import write_figure

        write_figure(made, **left)
    return 0


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
