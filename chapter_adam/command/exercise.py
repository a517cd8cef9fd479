"""`chapter-adam exercise`: runs exercises (folder `exercises`, whose __init__.py says what one must have), prints
question and answer, and draws the figure.
"""
import json
import textwrap
from time import perf_counter

from .. import exercises
from ..output.report import Report
from ..output.terminal import progress

ENOUGH, WIDTH = 100, 110  # the seeds that the sentences are made for, and the default; characters a line
FALSE, FEW = 'DOES NOT HOLD HERE: ', 'TOO FEW SEEDS TO TELL: '


def run(options):
    """Returns 1 if a sentence does not hold on runs enough."""
    if options.list:
        for name in exercises.discover():
            print(f'{name:20}{exercises.load(name).QUESTION}')
        return 0
    known = exercises.discover()
    if options.name not in (*known, 'all'):
        options.usage(f'expected an exercise ({", ".join(known)}) or all, got {options.name or "none"}')
    modules = {name: exercises.load(name) for name in known if options.name in (name, 'all')}
    report, results, few = Report(options), {}, options.seeds < ENOUGH
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for number, (name, module) in enumerate(modules.items(), 1):
        began = perf_counter()
        with progress(f'{name}, {number} of {len(modules)}', 100, '%') as watch:
            facts = module.run(report.features, report.labels, seeds, lambda part: watch(round(100 * part)))
        facts = json.loads(json.dumps(facts, allow_nan=False))  # figure and answer use what a reader of the file can
        answer = [{'sentence': sentence, 'holds': bool(holds)} for sentence, holds in module.answer(facts)]
        seconds = perf_counter() - began
        report.say(f'\n{textwrap.fill(module.QUESTION, WIDTH)}\n')
        for each in answer:
            mark = '' if each['holds'] else FEW if few else FALSE
            report.print(textwrap.fill(mark + each['sentence'], WIDTH, subsequent_indent='  '))
        timing = report.write_all(f'exercise-{name}', facts, seconds, module.figure)
        results[name] = {'question': module.QUESTION, 'answer': answer, 'facts': facts, 'timing': timing}
    report.end(results)
    return int(not few and not all(each['holds'] for result in results.values() for each in result['answer']))
