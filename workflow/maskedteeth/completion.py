"""Scripts that let a shell complete `maskedteeth`: stages, and the flags of each.

Flags are read from the stages' source, as `cli` derives them, so that no stage is imported.
"""

import ast
from pathlib import Path

from maskedteeth.cli import STAGES
from maskedteeth.errors import InputError

BASH = """\
_maskedteeth() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words=""
    if [[ $COMP_CWORD -eq 1 ]]; then
        words="{stages}"
    elif [[ $word == -* ]]; then
        case ${{COMP_WORDS[1]}} in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _maskedteeth maskedteeth
"""
ZSH = """\
_maskedteeth() {{
    if (( CURRENT == 2 )); then
        compadd -- {stages}
    elif [[ $PREFIX == -* ]]; then
        case $words[2] in
{cases}
        esac
    else
        _files
    fi
}}
compdef _maskedteeth maskedteeth
"""
SHELLS = {
    "bash": (BASH, '            {stage}) words="{flags}" ;;'),
    "zsh": (ZSH, "            {stage}) compadd -- {flags} ;;"),
}


def completion(shell: str, /) -> None:
    """Print a script for bash or zsh; `source <(maskedteeth completion bash)` takes it in.

    Raises:
        InputError: the shell is another one.
    """
    if shell not in SHELLS:
        raise InputError(f"Shell {shell!r} is unknown; it must be {' or '.join(SHELLS)}.")
    script, case = SHELLS[shell]
    cases = [case.format(stage=stage, flags=" ".join(flags_of(stage))) for stage in STAGES]
    print(script.format(stages=" ".join(STAGES), cases="\n".join(cases)), end="")


def flags_of(stage: str) -> list[str]:
    """Return the flags of a stage, in order."""
    module, _, name = STAGES[stage].partition(":")
    file = Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
    tree = ast.parse(file.read_bytes())
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return [*(f"--{argument.arg.replace('_', '-')}" for argument in arguments), "--help"]
