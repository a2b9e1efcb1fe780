import re
import shutil
import subprocess

import pytest

from maskedteeth.cli import STAGES, main
from maskedteeth.completion import flags_of


def offered(script, *words):
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    code = (
        f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _maskedteeth; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture
def script(capsys):
    def write(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return write


def test_bash_offers_the_stages_and_their_flags(script):
    bash = script("bash")
    assert offered(bash, "maskedteeth", "") == list(STAGES)
    assert offered(bash, "maskedteeth", "tab") == ["table1", "table2", "table3", "table-pretext"]
    assert offered(bash, "maskedteeth", "evaluate", "--ma") == ["--masks"]
    assert "--checkpoint-minutes" in offered(bash, "maskedteeth", "train", "--")
    assert offered(bash, "maskedteeth", "why", "results") == []  # files, which bash itself offers


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_reads_its_script(script):
    code = 'autoload -Uz compinit && compinit -D && eval "$1" && print $_comps[maskedteeth]'
    command = ["zsh", "-fc", code, "zsh", script("zsh")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "_maskedteeth"


@pytest.mark.parametrize("stage", ["train", "table2", "audit", "export", "guard"])
def test_flags_are_those_that_the_command_line_takes(stage, capsys):
    with pytest.raises(SystemExit):
        main([stage, "--help"])
    taken = set(re.findall(r"(?<![\w-])--[a-z0-9-]+", capsys.readouterr().out.split("\n\n")[0]))
    assert set(flags_of(stage)) == taken | {"--help"}


def test_another_shell_is_a_sentence(capsys):
    assert main(["completion", "fish"]) == 2
    assert "Shell 'fish' is unknown; it must be bash or zsh." in capsys.readouterr().err
