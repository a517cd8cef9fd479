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
    for name in BOOK:
        runs[name] = _train(name, options, features, labels)
        if options.json != '-':
            print(line(runs[name]) if options.quiet else f'{runs[name].settings["label"]:20}{line(runs[name])}')
        write_curve(runs[name], out / name, options.formats)
    floor = airfoil.least_squares_floor(features, labels)
    write_comparison(runs, floor, out / 'comparison', options.formats)
    runs.update({f'{name}_hybridized': _train(name, options, features, labels, hybridize=True) for name in BOOK})
    write_text(out / 'run.timing.json', history.to_json({name: run.timing() for name, run in runs.items()}))
    say()
    say(table(runs, floor))
    say(f'\nwritten to {out}: scratch, gluon and comparison as {", ".join(options.formats)} and json')
    write_json(options.json, {'floor': floor, 'largest_gap': largest_gap(runs), 'book': BOOK,
                              'runs': {name: asdict(run) for name, run in runs.items()}})


def _train(name, options, features, labels, hybridize=False):
    """One of the section's two runs, 'scratch' or 'gluon'."""
    common = {'batch_size': options.batch_size, 'num_epochs': options.epochs, 'seed': options.seed,
              'hybridize': hybridize}
    with progress(f'{name} hybridized' if hybridize else name, options.epochs) as watch:
        if name == 'gluon':
            return training.train_gluon('adam', {'learning_rate': options.lr}, features, labels, watch=watch, **common)
        return training.train_scratch(adam, init_adam_states(features.shape[1]), {'lr': options.lr, 't': 1},
                                      features, labels, watch=watch, **common)


def data_line(path, features):
    """What was loaded, in one line."""
    source = f'{path}: ' if path else 'NASA airfoil self-noise: '
    proof = '' if path else f'; SHA-1 {airfoil.SHA1[:8]}... verified'
    return f'{source}{features.shape[0]} rows, {features.shape[1]} features, standardised{proof}'


def table(runs, floor):
    """The results beside the book's."""
    rows = [f'{"":32}{"final loss":>11}{"sec/epoch":>11}{"training only":>15}{"book: loss":>12}{"sec/epoch":>11}']
    for name, run_ in runs.items():
        book = ''.join(f'{value:{width}.6f}' for value, width in zip(BOOK.get(name, ()), (12, 11)))
        rows.append(f'{run_.settings["label"]:32}{run_.losses[-1]:11.6f}{run_.seconds_per_epoch:11.6f}'
                    f'{run_.train_seconds_per_epoch:15.6f}{book}')
    ratio = ratios(runs['scratch'], runs['gluon'])
    rows.append(f'{"ratio scratch / Gluon":43}{ratio[0]:11.2f}{ratio[1]:15.2f}{"":12}'
                f'{BOOK["scratch"][1] / BOOK["gluon"][1]:11.2f}')
    if 'scratch_hybridized' in runs:
        ratio = ratios(runs['scratch_hybridized'], runs['gluon'])
        rows.append(f'{"ratio scratch hybridized / Gluon":43}{ratio[0]:11.2f}{ratio[1]:15.2f}')
    rows.append(f'{"least-squares floor":32}{floor:11.6f}')
    rows.append(f'{"largest gap of the curves":32}{largest_gap(runs):11.1e}')
    return '\n'.join(rows)


def ratios(run_, other):
    """How many times as long one run takes as another, by both clocks."""
    return (run_.seconds_per_epoch / other.seconds_per_epoch,
            run_.train_seconds_per_epoch / other.train_seconds_per_epoch)


def largest_gap(runs):
    """The largest difference between any two of the curves at any record."""
    return max(max(losses) - min(losses) for losses in zip(*(run_.losses for run_ in runs.values())))


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
