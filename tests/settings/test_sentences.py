"""A mistake in the settings is one sentence, with the setting's path and what is allowed."""

import copy
import functools
import re
from pathlib import Path

import pytest
import yaml

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate

#: What nobody but a programmer would write.
JARGON = re.compile(
    r"\b(input|string|tuple|dict|dictionary|instance|valid|validation|parse|pydantic|None|True|int"
    r"|float)\b"
)
#: Sections of a method that may be null.
MAYBE_NULL = ("model", "annotations", "adversary", "training")

MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text())


def refused(content):
    with pytest.raises(InputError) as error:
        validate(content, Settings)
    return str(error.value)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["said"])
def test_a_mistake_is_one_sentence_with_the_path_and_what_is_allowed(paper, mistake):
    sentence = refused(paper(**mistake["given"]))
    assert sentence.startswith(mistake["said"]), sentence
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
        wrong = 3 if isinstance(value, dict) or path[-1] in MAYBE_NULL else {"a": []}
        for name, given in ((f"{path[-1]}x", value), (path[-1], wrong)):
            mistaken = copy.deepcopy(content)
            functools.reduce(dict.__getitem__, path[:-1], mistaken)[name] = given
            sentence, dotted = refused(mistaken), ".".join((*path[:-1], name))
            assert sentence.startswith(f"Setting {dotted} is "), sentence
            assert "\n" not in sentence and sentence.endswith((".", "?")), sentence
            assert not JARGON.search(re.sub("'[^']*'", "", sentence.replace(dotted, ""))), sentence
            count += 1
    assert count > 150
