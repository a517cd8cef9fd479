"""`chapter-adam exercise`: runs exercises (folder `exercises`, whose __init__.py says what one must have), prints
question and answer, and draws the figure.
"""
import json
import sys
import textwrap
from time import perf_counter

from .. import exercises
from ..output.report import start, write_json, write_results
from ..output.terminal import progress

MARK, WIDTH = 'DOES NOT HOLD HERE: ', 110


def run(options):
    """Returns 1 if a sentence does not hold on these runs."""
    if options.list:
        return list_questions()
    modules = {name: exercises.load(name) for name in chosen(options)}  # before any work: each file has the form
    files = [f'exercise-{name}{end}' for name in modules for end in ('', '.timing')]
    out, _, features, labels = start(options, files)
    seeds, results = range(options.first_seed, options.first_seed + options.seeds), {}
    for name, module in modules.items():
        result = results[name] = work(name, module, features, labels, seeds)
        if options.json != '-':
            print('\n'.join(lines(result, options.quiet)))
        result['timing'] = write_results(options, out, f'exercise-{name}', result['facts'], result.pop('seconds'),
                                         module.figure)
    write_json(options.json, results)
    return int(not all(each['holds'] for result in results.values() for each in result['answer']))


def chosen(options):
    """The names of the exercises that the command line means."""
    known, name = list(exercises.discover()), options.name
    if name not in ('all', *known):
        problem = f'no exercise is called {name!r}; there are' if name else 'name an exercise:'
        options.usage(f'{problem} {", ".join(known)}, all; or --list')
    return known if name == 'all' else [name]


def list_questions():
    """What each exercise asks. A file that lacks the form is named on stderr and hides no other: returns 1 then."""
    failed = 0
    for name in exercises.discover():
        try:
            print(f'{name:20}{exercises.question(name)}')
        except ValueError as error:
            failed = 1
            print(f'chapter-adam: {error}', file=sys.stderr)
    return failed


def work(name, module, features, labels, seeds):
    """An exercise's run and answer, and the seconds they took."""
    began = perf_counter()
    with progress(name, 100, '%') as bar:
        facts = module.run(features, labels, seeds, bar and (lambda part: bar(round(100 * part))))
    facts = plain(name, facts)
    return {'question': module.QUESTION, 'answer': judged(name, module.answer(facts)), 'facts': facts,
            'seconds': perf_counter() - began}


def plain(name, facts):
    """The facts as they are read back from the file, or ValueError: figure and answer use what a reader can read."""
    try:
        return json.loads(json.dumps(facts, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f'exercise {name}: the facts must be plain JSON: {error}') from None


def judged(name, sentences):
    """The answer's sentences as [{'sentence': ..., 'holds': ...}]."""
    for each in sentences:
        if not (len(each) == 2 and isinstance(each[0], str) and each[1] in (True, False)):
            raise ValueError(f'exercise {name}: an answer is pairs of a sentence and whether it holds, got {each!r}')
    return [{'sentence': sentence, 'holds': bool(holds)} for sentence, holds in sentences]


def lines(result, quiet=False):
    """Question and answer as they are printed; the answer alone if quiet."""
    question = [] if quiet else ['', *textwrap.wrap(result['question'], WIDTH), '']
    sentences = [('' if each['holds'] else MARK) + each['sentence'] for each in result['answer']]
    return question + [line for each in sentences for line in textwrap.wrap(each, WIDTH, subsequent_indent='  ')]
