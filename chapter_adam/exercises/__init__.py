"""The section's exercises, answered by trainings: one file a question.

A file put here is one more exercise: `learning_rate.py` is `chapter-adam exercise learning-rate`. It must define:

    QUESTION                                   one text, as a student would read it
    run(features, labels, seeds, watch=None)   all that takes time; returns the facts, a dict
    answer(facts)                              pairs of a sentence and whether it holds
    figure(facts)                              a matplotlib Figure; each x axis with a label

`run` gets the data as NDArrays (N, d) and (N,) and a `range` of seeds, its only source of randomness; it may call
watch(part) with the part that is done, from 0 to 1. Facts hold what JSON holds (no NumPy, no NaN), the settings, and
no times: two runs give the same. `answer` and `figure` get the facts as they were read back from JSON.

A sentence takes every number from the facts, and whether it holds is computed from them: where a run contradicts it,
the command says so and fails, and so does the test of the committed facts.

`tools` is what the exercises share; an exercise imports no other exercise. To commit one, commit the three files that
the command drew (figures/exercise-NAME.svg, .png and .json) and give it an entry in figures/README.md.
"""
from importlib import import_module
from pathlib import Path


def discover():
    """The names of the exercises in the folder, sorted."""
    return sorted(path.stem.replace('_', '-') for path in Path(__file__).parent.glob('[!_]*.py'))


def load(name):
    """The exercise's module."""
    return import_module(f'.{name.replace("-", "_")}', __name__)
