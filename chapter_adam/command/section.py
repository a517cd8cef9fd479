"""`chapter-adam run`: both runs on one seed, the book's two lines, a table, and the figures with their data."""
from dataclasses import asdict

from . import seeds
from ..book import line, run_gluon, run_scratch
from ..core import airfoil
from ..core.history import rounded, to_json
from ..output import figures
from ..output.files import write_text
from ..output.report import BOOK, Report, is_books
from ..output.terminal import progress
from ..rules import adam, init_adam_states

FIGURES = 6  # of the losses in the files: beyond them processors differ


def run(options):
    """Each run's figure is written as soon as the run is done."""
    report, runs = Report(options), {}
    report.say('')
    for name in BOOK:
        runs[name] = run_ = train(name, options, report)
        report.print(line(run_) if options.quiet else f'{run_.settings["label"]:20}{line(run_)}')
        report.write(name, rounded(run_.curve(), FIGURES), figures.curve(run_))
    floor, gap = airfoil.least_squares_floor(report.features, report.labels), largest_gap(runs)
    curves = {name: run_.curve() for name, run_ in runs.items()}
    report.write('comparison', rounded({'floor': floor, 'largest_gap': rounded(gap, 1), **curves}, FIGURES),
                 figures.comparison(runs['scratch'], runs['gluon'], floor))
    runs.update({f'{name}_hybridized': train(name, options, report, hybridize=True) for name in BOOK})
    write_text(report.out / 'run.timing.json', to_json({name: run_.timing() for name, run_ in runs.items()}))
    report.say('\n' + table(runs, floor))
    facts = many_seeds(options, report, floor)
    words = seeds.words(facts) if facts else "not the book's settings: chapter-adam seeds shows their spread"
    report.say(f'\n{words}\n')
    report.say_written('scratch, gluon and comparison')
    report.end({'floor': floor, 'largest_gap': largest_gap(runs), 'book': BOOK, 'seeds': facts,
                'runs': {name: asdict(run_) for name, run_ in runs.items()}})


def train(name, options, report, hybridize=False):
    """One of the section's two runs, 'scratch' or 'gluon'."""
    data = report.features, report.labels
    common = {'batch_size': options.batch_size, 'num_epochs': options.epochs, 'seed': options.seed,
              'hybridize': hybridize}
    with progress(f'{name} hybridized' if hybridize else name, options.epochs) as watch:
        if name == 'gluon':
            return run_gluon('adam', {'learning_rate': options.lr}, *data, watch=watch, **common)
        states = init_adam_states(report.features.shape[1])
        return run_scratch(adam, states, {'lr': options.lr, 't': 1}, *data, watch=watch, **common)


def many_seeds(options, report, floor):
    """The summary of seeds 0 to 999, if the settings are the book's and somebody reads it; else None."""
    if report.quiet or not is_books(options):
        return None
    return seeds.summary(*seeds.both(report, range(1000), options), floor)


def table(runs, floor):
    """The results beside the book's."""
    rows = [f'{"":32}{"final loss":>11}{"sec/epoch":>11}{"training only":>15}{"book: loss":>12}{"sec/epoch":>11}']
    for name, run in runs.items():
        book = ''.join(f'{value:{width}.6f}' for value, width in zip(BOOK.get(name, ()), (12, 11)))
        rows.append(f'{run.settings["label"]:32}{run.losses[-1]:11.6f}{run.seconds_per_epoch:11.6f}'
                    f'{run.train_seconds_per_epoch:15.6f}{book}')
    books = f'{"":12}{BOOK["scratch"][1] / BOOK["gluon"][1]:11.2f}'
    for name, book in (('scratch', books), ('scratch_hybridized', '')):
        run, gluon, label = runs[name], runs['gluon'], f'ratio {name.replace("_", " ")} / Gluon'
        rows.append(f'{label:43}{run.seconds_per_epoch / gluon.seconds_per_epoch:11.2f}'
                    f'{run.train_seconds_per_epoch / gluon.train_seconds_per_epoch:15.2f}{book}')
    rows.append(f'{"least-squares floor":32}{floor:11.6f}')
    rows.append(f'{"largest gap of the curves":32}{largest_gap(runs):11.1e}')
    return '\n'.join(rows)


def largest_gap(runs):
    """The largest difference between any two of the curves at any record."""
    return max(max(losses) - min(losses) for losses in zip(*(run.losses for run in runs.values())))
