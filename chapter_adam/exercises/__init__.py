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
import ast
from importlib import import_module
from pathlib import Path

SIGNATURES = {'run': ['features', 'labels', 'seeds', 'watch'], 'figure': ['facts'], 'answer': ['facts']}


def discover():
    """The exercises in the folder: their files by name."""
    files = (path for folder in __path__ for path in Path(folder).glob('[!_]*.py'))
    return {path.stem.replace('_', '-'): path for path in sorted(files, key=lambda path: path.stem)}


def question(name):
    """What an exercise asks; read, not run. Raises ValueError if its file lacks a part of the form."""
    path = discover()[name]
    try:
        body = ast.parse(path.read_text(encoding='utf-8')).body
    except SyntaxError as error:
        raise ValueError(f'{path}, line {error.lineno}: {error.msg}') from None
    functions = {node.name: [argument.arg for argument in node.args.args] for node in body
                 if isinstance(node, ast.FunctionDef)}
    for function, arguments in SIGNATURES.items():
        if functions.get(function) != arguments:
            raise ValueError(f'{path}: an exercise must define {function}({", ".join(arguments)}); see {__file__}')
    for node in body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) == 'QUESTION':
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                return node.value.value
    raise ValueError(f"{path}: an exercise must declare QUESTION = '...'; see {__file__}")


def load(name):
    """The exercise's module, once its file has the form."""
    question(name)
    return import_module(f'.{discover()[name].stem}', __name__)
