"""The section's main job: both runs on one seed, the book's two lines, a table, and the figures with their data."""
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from . import airfoil, figures, history, training
from .book import line
from .files import usable_folder, write_text
from .optimizers import adam, init_adam_states

# What the book printed: final loss, seconds per epoch.
BOOK = {'scratch': (0.243957, 0.449113), 'gluon': (0.242933, 0.182535)}


def run(options):
    """`chapter-adam run`. Each run's figure is written as soon as the run is done."""
    out = usable_folder(options.out)
    if options.json not in (None, '-'):
        usable_folder(Path(options.json).parent)
    say = _silent if options.quiet or options.json == '-' else print
    features, labels = airfoil.get_data_ch7(path=options.data)
    say(data_line(options.data, features))
    say()
    runs = {}
    for name, train in (('scratch', _scratch), ('gluon', _gluon)):
        with progress(name, options.epochs) as watch:
            runs[name] = train(options, features, labels, watch)
        if options.json != '-':
            print(line(runs[name]) if options.quiet else f'{runs[name].settings["label"]:20}{line(runs[name])}')
        write_curve(runs[name], out / name, options.formats)
    floor = airfoil.least_squares_floor(features, labels)
    write_comparison(runs, floor, out / 'comparison', options.formats)
    write_text(out / 'run.timing.json', history.to_json({name: run.timing() for name, run in runs.items()}))
    say()
    say(table(runs, floor))
    say(f'\nwritten to {out}: scratch, gluon and comparison as {", ".join(options.formats)} and json')
    write_json(options.json, {'floor': floor, 'largest_gap': largest_gap(runs), 'book': BOOK,
                              'runs': {name: asdict(run) for name, run in runs.items()}})


def _scratch(options, features, labels, watch):
    return training.train_scratch(adam, init_adam_states(features.shape[1]), {'lr': options.lr, 't': 1}, features,
                                  labels, options.batch_size, options.epochs, seed=options.seed, watch=watch)


def _gluon(options, features, labels, watch):
    return training.train_gluon('adam', {'learning_rate': options.lr}, features, labels, options.batch_size,
                                options.epochs, seed=options.seed, watch=watch)


def data_line(path, features):
    """What was loaded, in one line."""
    source = f'{path}: ' if path else 'NASA airfoil self-noise: '
    proof = '' if path else f'; SHA-1 {airfoil.SHA1[:8]}... verified'
    return f'{source}{features.shape[0]} rows, {features.shape[1]} features, standardised{proof}'


def table(runs, floor):
    """The results beside the book's."""
    rows = [f'{"":24}{"final loss":>12}{"sec/epoch":>12}{"training only":>15}{"book: loss":>13}{"sec/epoch":>12}']
    for name, run_ in runs.items():
        loss, seconds = BOOK[name]
        rows.append(f'{run_.settings["label"]:24}{run_.losses[-1]:12.6f}{run_.seconds_per_epoch:12.6f}'
                    f'{run_.train_seconds_per_epoch:15.6f}{loss:13.6f}{seconds:12.6f}')
    scratch, gluon = runs['scratch'], runs['gluon']
    rows.append(f'{"ratio scratch / Gluon":24}{"":12}{scratch.seconds_per_epoch / gluon.seconds_per_epoch:12.2f}'
                f'{scratch.train_seconds_per_epoch / gluon.train_seconds_per_epoch:15.2f}{"":13}'
                f'{BOOK["scratch"][1] / BOOK["gluon"][1]:12.2f}')
    rows.append(f'{"least-squares floor":24}{floor:12.6f}')
    rows.append(f'{"largest gap of curves":24}{largest_gap(runs):12.1e}')
    return '\n'.join(rows)


def largest_gap(runs):
    """The largest difference between the two curves at any record."""
    return max(abs(a - b) for a, b in zip(runs['scratch'].losses, runs['gluon'].losses))


def write_curve(run_, stem, formats):
    """One run: its data, and the figure drawn from it."""
    write_text(stem.with_name(f'{stem.name}.json'), history.to_json(run_.curve()))
    figures.save(figures.curve(run_), stem, formats)


def write_comparison(runs, floor, stem, formats):
    data = {'floor': floor, 'largest_gap': largest_gap(runs), **{name: run_.curve() for name, run_ in runs.items()}}
    write_text(stem.with_name(f'{stem.name}.json'), history.to_json(data))
    figures.save(figures.comparison(runs['scratch'], runs['gluon'], floor), stem, formats)


def write_json(target, data):
    """Everything, to standard output ('-'), to a file, or nowhere (None)."""
    if target == '-':
        print(history.to_json(data), end='')
    elif target is not None:
        write_text(target, history.to_json(data))


@contextmanager
def progress(name, epochs):
    """A progress bar on a terminal, nothing in a pipe; yields the `watch` of a training."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm
    with tqdm(total=epochs, desc=name, leave=False, bar_format='{desc} {bar} {n:.2f}/{total} epochs{postfix}') as bar:
        def watch(done, loss):
            bar.set_postfix_str(f'loss {loss:.4f}', refresh=False)
            bar.update(done - bar.n)
        yield watch


def _silent(*_words):
    """Takes the place of print where nothing but the results is asked for."""
