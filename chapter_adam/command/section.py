"""`chapter-adam run`: both runs on one seed, the book's two lines, a table, and the figures with their data."""
from dataclasses import asdict

from . import seeds
from ..book import line, run_gluon, run_scratch
from ..core import airfoil, history
from ..output import figures
from ..output.files import write_text
from ..output.report import BOOK, is_books, start, write_json
from ..output.terminal import progress
from ..rules import adam, init_adam_states

FIGURES = 6  # of the losses in the files: beyond them processors differ


def run(options):
    """Each run's figure is written as soon as the run is done."""
    out, say, features, labels = start(options, (*BOOK, 'comparison', 'run.timing'))
    say('')
    runs = {}
    for name in BOOK:
        runs[name] = train(name, options, features, labels)
        if options.json != '-':
            print(line(runs[name]) if options.quiet else f'{runs[name].settings["label"]:20}{line(runs[name])}')
        write_curve(runs[name], out / name, options.formats)
    floor = airfoil.least_squares_floor(features, labels)
    write_comparison(runs, floor, out / 'comparison', options.formats)
    runs.update({f'{name}_hybridized': train(name, options, features, labels, hybridize=True) for name in BOOK})
    write_text(out / 'run.timing.json', history.to_json({name: run.timing() for name, run in runs.items()}))
    say('\n' + table(runs, floor))
    facts = many_seeds(options, features, labels, floor)
    say('\n' + (seeds.words(facts) if facts else "not the book's settings: chapter-adam seeds shows their spread"))
    say(f'\nwritten to {out}: scratch, gluon and comparison as {", ".join(options.formats)} and json')
    write_json(options.json, {'floor': floor, 'largest_gap': largest_gap(runs), 'book': BOOK, 'seeds': facts,
                              'runs': {name: asdict(run) for name, run in runs.items()}})


def train(name, options, features, labels, hybridize=False):
    """One of the section's two runs, 'scratch' or 'gluon'."""
    common = {'batch_size': options.batch_size, 'num_epochs': options.epochs, 'seed': options.seed,
              'hybridize': hybridize}
    with progress(f'{name} hybridized' if hybridize else name, options.epochs) as watch:
        if name == 'gluon':
            return run_gluon('adam', {'learning_rate': options.lr}, features, labels, watch=watch, **common)
        return run_scratch(adam, init_adam_states(features.shape[1]), {'lr': options.lr, 't': 1}, features, labels,
                           watch=watch, **common)


def many_seeds(options, features, labels, floor):
    """The summary of seeds 0 to 999, if the settings are the book's and somebody reads it; else None."""
    if options.quiet or not is_books(options):
        return None
    return seeds.summary(*seeds.both(features, labels, range(1000), options), floor)


def table(runs, floor):
    """The results beside the book's."""
    rows = [f'{"":32}{"final loss":>11}{"sec/epoch":>11}{"training only":>15}{"book: loss":>12}{"sec/epoch":>11}']
    for name, run in runs.items():
        book = ''.join(f'{value:{width}.6f}' for value, width in zip(BOOK.get(name, ()), (12, 11)))
        rows.append(f'{run.settings["label"]:32}{run.losses[-1]:11.6f}{run.seconds_per_epoch:11.6f}'
                    f'{run.train_seconds_per_epoch:15.6f}{book}')
    ratio = ratios(runs['scratch'], runs['gluon'])
    rows.append(f'{"ratio scratch / Gluon":43}{ratio[0]:11.2f}{ratio[1]:15.2f}{"":12}'
                f'{BOOK["scratch"][1] / BOOK["gluon"][1]:11.2f}')
    ratio = ratios(runs['scratch_hybridized'], runs['gluon'])
    rows.append(f'{"ratio scratch hybridized / Gluon":43}{ratio[0]:11.2f}{ratio[1]:15.2f}')
    rows.append(f'{"least-squares floor":32}{floor:11.6f}')
    rows.append(f'{"largest gap of the curves":32}{largest_gap(runs):11.1e}')
    return '\n'.join(rows)


def ratios(run, other):
    """How many times as long one run takes as another, by both clocks."""
    return (run.seconds_per_epoch / other.seconds_per_epoch,
            run.train_seconds_per_epoch / other.train_seconds_per_epoch)


def largest_gap(runs):
    """The largest difference between any two of the curves at any record."""
    return max(max(losses) - min(losses) for losses in zip(*(run.losses for run in runs.values())))


def write_curve(run, stem, formats):
    """One run: its data, and the figure drawn from it."""
    write_text(stem.with_name(f'{stem.name}.json'), history.to_json(run.curve(), FIGURES))
    figures.save(figures.curve(run), stem, formats)


def write_comparison(runs, floor, stem, formats):
    data = {'floor': floor, 'largest_gap': history.rounded(largest_gap(runs), 1),
            **{name: run.curve() for name, run in runs.items()}}
    write_text(stem.with_name(f'{stem.name}.json'), history.to_json(data, FIGURES))
    figures.save(figures.comparison(runs['scratch'], runs['gluon'], floor), stem, formats)
