"""The examples in the docstrings are true."""
import doctest
import importlib
import pkgutil

import pytest

import chapter_adam

# The chapter is a script, `__main__` runs the command, and the competitors need frameworks of their own.
MODULES = [module.name for module in pkgutil.walk_packages(chapter_adam.__path__, 'chapter_adam.')
           if not module.name.endswith(('.chapter', '.__main__')) and '.peers.' not in module.name]


@pytest.mark.parametrize('name', MODULES)
def test_examples_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_calls_of_the_book_have_examples():
    for name in ('get_data_ch7', 'train_ch7', 'train_gluon_ch7', 'train_ensemble', 'train_gluon_ensemble', 'hybridize',
                 'History', 'Ensemble', *chapter_adam.RULES):
        assert doctest.DocTestParser().get_examples(getattr(chapter_adam, name).__doc__), name
