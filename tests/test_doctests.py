"""The examples in the docstrings: they are true, and each public name has one."""
import doctest
import importlib
import pkgutil

import oracle
import pytest

import chapter_adam

# The chapter is a script; `__main__` runs the command.
ROOMS = [room.name for room in pkgutil.iter_modules(chapter_adam.__path__) if room.name not in ('chapter', '__main__')]


@pytest.mark.parametrize('room', ROOMS)
def test_examples_are_true(room):
    assert doctest.testmod(importlib.import_module(f'chapter_adam.{room}')).failed == 0


# A rule that a reader has added to `optimizers` may still be without a docstring: it is in RULES, not in the oracle's.
READERS = {name for rule, functions in chapter_adam.RULES.items() if rule not in oracle.RULES
           for name in (rule, f'init_{rule}_states')}


@pytest.mark.parametrize('name', [name for name in chapter_adam.__all__ if name not in READERS])
def test_a_public_name_has_an_example(name):
    """A table has no docstring of its own: its example stands in its room's."""
    value = getattr(chapter_adam, name)
    owner = value if callable(value) else importlib.import_module(f'chapter_adam.{chapter_adam.ROOM_OF[name]}')
    examples = doctest.DocTestParser().get_examples(owner.__doc__)
    assert any(name in example.source + example.want for example in examples)
