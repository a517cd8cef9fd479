"""The section's exercises, answered by runs: one file each. A file put here is one more; nothing registers it.

The file `learning_rate.py` is the exercise `learning-rate`: `chapter-adam exercise learning-rate`. A file whose name
starts with an underscore is none but a helper, one idea that exercises share or that would hide what they are about:
`_float64` (trainings step by step in float64), `_sweep` (many rates as one ensemble), `_numbers` (rounding, looking
up), `_drawing` (four panels, texts at points) and so on. An exercise imports the rooms of this package and the helpers
that it needs, and no other exercise:

    '''Momentum in Adam's place.'''
    import numpy as np

    from ..output import figures
    from ..many.ensemble import train_ensemble
    from ..rules.optimizers import RULES

    QUESTION = 'What does momentum do to the final loss?'     one text, written out, as a student would read it


    def run(features, labels, seeds, watch=None):             all that takes time; returns the facts
        rule, states = RULES['momentum']
        runs = train_ensemble(rule, states(features.shape[1]), {'lr': 0.01, 't': 1}, features, labels, seeds=seeds,
                              watch=watch and (lambda done: watch(done / len(seeds))))
        return {'settings': runs.settings, 'median': float(np.median(runs.final))}


    def figure(facts):                                        a matplotlib Figure, drawn from the facts alone
        figure, axes = figures.new_figure((5, 3))
        ...                                               each x axis with a label
        return figure


    def answer(facts):                                        sentences, each with whether it is true of these facts
        return [(f'Momentum ends at {facts["median"]:.4f}, above the 0.2441 of Adam.', facts["median"] > 0.2441)]

`run` gets the data (NDArrays (N, d) and (N,)), a `range` of seeds, from which alone its randomness may come, and
`watch`, None or a function to be called as watch(part) with the part that is done, from 0 to 1. The facts are a dict of
what JSON has (numbers, texts, None, lists, dicts with texts as keys; no NumPy, no NaN), with the settings that a reader
needs to repeat the run, and without times: two runs must give the same.

`figure` and `answer` get the facts as they were read back from JSON. The project's style is on while `figure` draws.

A sentence takes every number from the facts, and `holds` is computed from them by what the sentence says: where a run
contradicts it, the command says so and fails, and so does the test of the committed facts.

That file is all that is needed to list it, to run it and to test it. To commit it, commit what the command drew beside
it (figures/exercise-NAME.svg, .png and .json) and give it an entry in figures/README.md.
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
    texts = [node.value.value for node in body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
             and getattr(node.targets[0], 'id', None) == 'QUESTION']
    if not (texts and isinstance(texts[0], str)):
        raise ValueError(f"{path}: an exercise must declare QUESTION = '...'; see {__file__}")
    return texts[0]


def load(name):
    """The exercise's module, once its file has the form."""
    question(name)
    return import_module(f'.{discover()[name].stem}', __name__)
