"""`chapter-adam bench`: times the section's training by this project, the original, later editions and others."""
import sys

from . import figure, race, results
from ..core import history
from ..output import figures
from ..output.files import usable_folder, write_text


def run(options):
    """Lists the competitors or races them; prints a table, writes JSON and a figure."""
    if options.list:
        print('\n'.join(f'{c.name:26}{c.label:32}{c.environment}' for c in options.only))
        return
    out, name = usable_folder(options.out), 'bench_many' if options.many else 'bench'
    say = quiet if options.quiet else tell
    say(f'{options.repeats} repeats; one with all competitors takes about a minute')
    result = race.run(options.only, options.repeats, options.runs if options.many else (), say)
    print(results.table(result))
    if not results.slowest_first(result):
        raise ValueError('no competitor could be timed; the table says why')
    write_text(out / f'{name}.json', history.to_json(result))
    figures.save(figure.draw(result), out / name, options.formats)
    if not options.quiet:
        print(f'\nwritten to {out}: {name} as {", ".join(["json", *options.formats])}')


def tell(text):
    """Progress goes to standard error, also into a pipe."""
    if sys.stderr:  # None if the shell closed it (`2>&-`)
        print(f'bench: {text}', file=sys.stderr, flush=True)


def quiet(_text):
    """No progress."""
