"""`chapter-adam run`: what it prints and writes, and that its options reach the runs."""
import json
import re
from types import SimpleNamespace

import outside
import pytest

from chapter_adam import History
from chapter_adam.command import cli, parser, section

LINE = r'loss: (0\.\d{6}), \d+\.\d{6} sec per epoch'
CURVES = ('scratch', 'gluon', 'comparison')
RUNS = {'scratch', 'gluon', 'scratch_hybridized', 'gluon_hybridized'}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def files(*kinds):
    return sorted([f'{name}.{kind}' for name in CURVES for kind in ('json', *kinds)] + ['run.timing.json'])


@pytest.fixture(scope='module')
def default(tmp_path_factory):
    """`python -m chapter_adam` in an empty folder where much is broken: the finished process, with `folder`."""
    folder = tmp_path_factory.mktemp('default')
    (folder / 'matplotlibrc').write_bytes(b'\xff\xfe broken: [')
    process = outside.python('-W', 'error', '-bb', '-m', 'chapter_adam', cwd=folder, MPLBACKEND='nosuch',
                             HOME='/proc/nowhere')  # where no user, root included, can make a folder
    (folder / 'matplotlibrc').unlink()
    process.folder = folder
    return process


def test_the_default_run_prints_the_books_two_lines_and_a_table(default):
    progress = all(line.endswith((' epochs', ' runs')) for line in default.stderr.splitlines())  # on a slow machine
    assert default.returncode == 0 and progress
    (scratch,), (gluon,) = (re.findall(rf'^{name} +{LINE}$', default.stdout, re.M)
                            for name in ('adam from scratch', 'Gluon adam'))
    # The 5 % and 95 % quantiles of a thousand seeds: an ordinary draw, as the book's 0.243957 and 0.242933 were.
    assert 0.24278 < float(scratch) < 0.24766
    assert abs(float(scratch) - float(gluon)) < 1e-5
    for words in ('1503 rows, 5 features', 'final loss', 'sec/epoch', 'least-squares floor +0.242145',
                  f'adam from scratch +{scratch} .* 0.243957 +0.449113', f'Gluon adam +{gluon} .* 0.242933 +0.182535',
                  'ratio scratch / Gluon', 'adam from scratch, hybridized +0', 'Gluon adam, hybridized +0',
                  'ratio scratch hybridized / Gluon', r'largest gap of the curves +\d\.\de-0\d',
                  '1,000 seeds, final loss from scratch', 'written to figures: '):
        assert re.search(words, default.stdout), words


def test_it_writes_figures_and_their_data(default):
    folder = default.folder / 'figures'
    assert names(default.folder) == ['figures'] and names(folder) == files('png', 'svg')
    timing = json.loads((folder / 'run.timing.json').read_text())
    run = History(**json.loads((folder / 'scratch.json').read_text()), **timing['scratch'])
    assert len(run.losses) == 31 and run.settings['hyperparams'] == {'lr': 0.01, 't': 1}
    comparison = json.loads((folder / 'comparison.json').read_text())
    assert comparison['floor'] == 0.242145 and comparison['scratch']['losses'] == run.losses
    assert comparison['largest_gap'] < 1e-5
    # Beyond six figures processors differ.
    assert all(float(f'{loss:.6g}') == loss for loss in (*run.losses, *run.weights, run.bias))


def test_options_reach_the_runs_and_json_is_all_of_standard_output(small, undrawn, capsys):
    assert cli.main(['run', *small, '--seed', '7', '--lr', '0.5', '--epochs', '3', '--batch-size', '4', '--json']) == 0
    out, err = capsys.readouterr()
    results, runs = json.loads(out), json.loads(out)['runs']
    assert err == '' and set(results) == {'floor', 'largest_gap', 'book', 'seeds', 'runs'} and set(runs) == RUNS
    expected = {'seed': 7, 'num_epochs': 3, 'batch_size': 4, 'rows': 30, 'features': 5}
    assert all(run['settings'].items() >= expected.items() for run in runs.values())
    assert [run['settings']['hyperparams'] for run in runs.values()] == 2 * [
        {'lr': 0.5, 't': 1}, {'learning_rate': 0.5}]
    run = History.from_json(json.dumps(runs['gluon']))
    assert run.epochs[-1] == 3 and run.seconds_per_epoch > 0 and run.machine['cores']


def test_a_second_run_changes_no_byte_but_the_times(small, tmp_path, capsys):
    """What git sees depends on the numbers alone."""
    target = tmp_path / 'new' / 'all.json'
    assert cli.main([*small, '--out', 'one', '--json', str(target)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f'{small[1]}: 30 rows, 5 features, standardised\n') and 'least-squares floor' in out
    assert "not the book's settings" in out and set(json.loads(target.read_text())['runs']) == RUNS
    assert cli.main([*small, '--quiet', '--format', 'SVG,svg', '--out', 'two']) == 0
    assert re.fullmatch(f'{LINE}\n{LINE}\n', capsys.readouterr().out)
    assert names(tmp_path / 'one') == names(tmp_path / 'two') == files('svg')
    for name in {*files('svg')} - {'run.timing.json'}:
        assert (tmp_path / 'one' / name).read_bytes() == (tmp_path / 'two' / name).read_bytes(), name


def timed(label, loss, seconds, training_alone):
    return History((0.5, loss), (0.0, 2.0), seconds, training_alone, settings={'label': label})


def test_the_table_has_each_number_in_its_column():
    runs = {'scratch': timed('from scratch', 0.25, 6, 5), 'gluon': timed('Gluon', 0.26, 2, 1),
            'scratch_hybridized': timed('fast', 0.25, 1, 0.25), 'gluon_hybridized': timed('Gluon fast', 0.26, 3, 4)}
    lines = [re.split(' {2,}', line.strip()) for line in section.table(runs, 0.242).splitlines()]
    assert lines == [
        ['final loss', 'sec/epoch', 'training only', 'book: loss', 'sec/epoch'],
        ['from scratch', '0.250000', '6.000000', '5.000000', '0.243957', '0.449113'],
        ['Gluon', '0.260000', '2.000000', '1.000000', '0.242933', '0.182535'],
        ['fast', '0.250000', '1.000000', '0.250000'],
        ['Gluon fast', '0.260000', '3.000000', '4.000000'],
        ['ratio scratch / Gluon', '3.00', '5.00', '2.46'],
        ['ratio scratch hybridized / Gluon', '0.50', '0.25'],
        ['least-squares floor', '0.242000'],
        ['largest gap of the curves', '1.0e-02'],
    ]


@pytest.mark.parametrize('options, seeds', [
    ('', range(1000)), ('--epochs 3', None), ('--quiet', None)])
def test_the_run_is_placed_among_seeds_0_to_999_if_it_has_the_books_settings(monkeypatch, options, seeds):
    asked = []
    monkeypatch.setattr(section.seeds, 'both', lambda report, chosen, options: asked.append(chosen) or 'xy')
    monkeypatch.setattr(section.seeds, 'summary', lambda scratch, gluon, floor: 'the facts')
    chosen = parser.parser().parse_args(['run', *options.split()])
    facts = section.many_seeds(chosen, SimpleNamespace(quiet=chosen.quiet), 0.242)
    assert (asked, facts) == (([seeds], 'the facts') if seeds else ([], None))
