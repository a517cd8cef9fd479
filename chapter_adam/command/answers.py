"""`chapter-adam exercise`: runs exercises (folder `exercises`), prints the answers, draws the figures.

What an exercise must have is said in the folder's __init__.py; here is what is done with it.
"""
import json
import sys
import textwrap
from time import perf_counter

from .. import exercises
from ..core import history
from ..output import figures
from ..output.files import write_text
from ..output.report import progress, start, write_json

MARK, WIDTH = 'DOES NOT HOLD HERE: ', 110


def run(options):
    """`chapter-adam exercise`: returns 1 if a sentence does not hold on these runs."""
    if options.list:
        return list_questions()
    modules = {name: exercises.load(name) for name in options.names}  # before any work: each file has the form
    own = [f'exercise-{name}{end}' for name in modules for end in ('', '.timing')]
    out, say, features, labels = start(options, own)
    seeds, results = range(options.seed, options.seed + options.seeds), {}
    for name, module in modules.items():
        result = results[name] = work(name, module, features, labels, seeds)
        if options.json != '-':
            print('\n'.join(lines(result, options.quiet)))
        save(out / f'exercise-{name}', module, result, options.formats)
        say(f'written to {out}: exercise-{name} as {", ".join(options.formats)} and json\n')
    write_json(options.json, results)
    return int(not all(each['holds'] for result in results.values() for each in result['answer']))


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
    """An exercise's run and answer, with its times: a dict that JSON holds."""
    began = perf_counter()
    with progress(name, 100, '%') as bar:
        facts = module.run(features, labels, seeds, bar and (lambda part: bar(round(100 * part))))
    facts = plain(name, facts)
    return {'question': module.QUESTION, 'answer': judged(name, module.answer(facts)), 'facts': facts,
            'timing': {'seconds': perf_counter() - began, 'versions': history.versions(),
                       'machine': history.machine()}}


def plain(name, facts):
    """The facts as the file will hold them, or ValueError: what is drawn and said is what a reader can read."""
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


def save(stem, module, result, formats):
    """Writes stem.json (the facts), stem.svg and so on; and the times, which differ each time, to stem.timing.json."""
    write_text(stem.with_name(f'{stem.name}.json'), history.to_json(result['facts']))
    write_text(stem.with_name(f'{stem.name}.timing.json'), history.to_json(result['timing']))
    with figures.style():
        figure = module.figure(result['facts'])
    figures.save(figure, stem, formats)
