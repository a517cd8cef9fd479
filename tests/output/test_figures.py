"""Figures, by what is on them; and that drawing changes nothing but the figure."""
import matplotlib
import matplotlib.pyplot as plt
import pytest

from chapter_adam import History
from chapter_adam.output import figures, many_seeds

KEEP = 'chapter_adam'  # the name of the figure that all runs of a script share


def run(label='adam from scratch', shift=0.0, **hyperparams):
    return History(losses=(0.5 + shift, 0.3, 0.25), epochs=(0.0, 0.8, 2.0), seconds_per_epoch=1,
                   train_seconds_per_epoch=1,
                   settings={'label': label, 'seed': 3, 'hyperparams': hyperparams or {'lr': 0.01, 't': 1}})


@pytest.fixture(autouse=True)
def nothing_left_open():
    plt.close('all')
    yield
    plt.close('all')


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def data(line):
    return tuple(line.get_xdata()), tuple(line.get_ydata())


def test_curve_is_the_books_figure():
    figure = figures.curve(run(shift=1e-8))  # the digit in which processors differ is not drawn
    axes, = figure.axes
    line, = axes.lines
    assert data(line) == (run().epochs, run().losses)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'loss')
    assert axes.get_title() == 'adam from scratch, lr 0.01'
    assert tuple(figure.get_size_inches()) == (3.5, 2.5)


@pytest.mark.parametrize('hyperparams, title', [
    ({'lr': 0.01, 't': 1}, 'adam, lr 0.01'), ({'learning_rate': 1e-5}, 'adam, lr 1e-05'), ({'rate': 3}, 'adam'),
    ({'lr': '<function half at 0x7f>'}, 'adam, lr scheduled'),
], ids=str)
def test_title_names_the_rate_where_there_is_one(hyperparams, title):
    assert figures.title(run('adam', **hyperparams)) == title


@pytest.mark.parametrize('shift, verdict', [(1e-6, 'coincide'), (2e-5, 'coincide'), (1e-3, 'differ')])
def test_comparison_has_both_curves_the_floor_and_the_gap(shift, verdict):
    scratch, gluon = run(), run('Gluon adam', shift)
    top, bottom = figures.comparison(scratch, gluon, floor=0.242145).axes
    assert [data(line) for line in top.lines[:2]] == [(r.epochs, r.losses) for r in (scratch, gluon)]
    assert set(top.lines[2].get_ydata()) == {0.242145}
    assert legend(top) == ['adam from scratch', 'Gluon adam', 'least-squares floor 0.2421']
    assert top.get_title() == f'Same start, same batches (seed 3): the two curves {verdict}'
    gap = 0 if shift < 5e-6 else shift  # what a processor's rounding gives is not drawn
    assert data(bottom.lines[0]) == (scratch.epochs, pytest.approx((gap, 0, 0), abs=1e-12))
    assert (bottom.get_xlabel(), bottom.get_ylabel()) == ('epoch', '|scratch - Gluon|')
    assert [text.get_text() for text in bottom.texts] == [f'largest: {shift:.0e}']


BANDS = {'least': [0.48, 0.243], '5 %': [0.49, 0.2431], 'median': [0.5, 0.244], '95 %': [0.51, 0.247],
         'most': [0.52, 0.25]}
SEEDS = {
    'runs': 1000, 'diverged': [], 'floor': 0.242, 'curves': {'epochs': [0.0, 2.0], 'scratch': BANDS, 'gluon': BANDS},
    'pairs': {'effect_interval': [-1e-5, 1e-5]}, 'histogram': {'edges': [0.242, 0.244, 0.246], 'scratch': [700, 300],
                                                               'gluon': [699, 301]},
    'book': {'scratch': {'loss': 0.243957, 'percentile': 46.0}, 'gluon': {'loss': 0.242933, 'percentile': 11.0}}}


def test_seeds_has_the_bands_and_the_final_losses():
    with figures.style():
        left, right = many_seeds.seeds(SEEDS).axes
    assert [list(line.get_ydata()) for line in left.lines[:6]] == [
        BANDS[name] for name in ('median', 'least', 'most', '5 %', '95 %', 'median')]
    assert legend(left) == ['scratch, all', 'scratch, 5-95 %', 'scratch, median', 'Gluon, all', 'Gluon, 5-95 %',
                            'Gluon, median', 'least-squares floor']
    heights = [stairs.get_data().values.tolist() for stairs in right.patches]
    assert heights == [[700, 300], [699, 301]]
    assert [text.get_text() for text in right.texts] == ['the book, scratch:\n0.243957, above 46 %',
                                                         'the book, Gluon:\n0.242933, above 11 %']


def choices(**final):
    return {'runs': 1000, 'diverged': [], 'standard_deviation_of_seeds': 1.6e-3,
            'effects': {name: {'curve_typical': 1e-3 * size, 'curve_largest': 2e-3, 'final_typical': size}
                        for name, size in final.items()}}


@pytest.mark.parametrize('effects, title', [
    ({'a': 3e-3, 'b': 1e-3}, 'Only the a outweighs the seed (1,000 seeds, paired)'),
    ({'a': 1e-4}, 'No choice outweighs the seed (1,000 seeds, paired)'),
    ({'a': 2e-3, 'b': 3e-3, 'c': 0}, 'Only the a and the b outweigh the seed (1,000 seeds, paired)')])
def test_choices_has_a_row_for_each_and_says_what_matters(effects, title):
    with figures.style():
        axes, = many_seeds.choices(choices(**effects)).axes
    assert axes.get_title() == title
    assert [label.get_text() for label in axes.get_yticklabels()] == sorted(effects, key=effects.get)
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == 'D']
    assert diamonds == sorted(effects.values())


def test_saved_bytes_depend_on_the_data_alone(tmp_path):
    """Each time a new figure: no date, no random id, no version in the file, no setting of the reader's."""
    saved = []
    for name, settings in (('one', {}), ('two', {'svg.fonttype': 'path', 'savefig.dpi': 30, 'font.size': 20})):
        (tmp_path / name).mkdir()
        with matplotlib.rc_context(settings):
            figure = figures.curve(run())
            saved.append(figures.save(figure, tmp_path / name / 'curve'))
    assert [path.name for path in saved[0]] == ['curve.svg', 'curve.png']
    for one, two in zip(*saved):
        assert one.read_bytes() == two.read_bytes()
    svg, png = (path.read_bytes() for path in saved[0])
    assert b'<dc:date>' not in svg and matplotlib.__version__.encode() not in svg + png
    assert b'adam from scratch' in svg  # text stays text: short, searchable, the same on every machine
    assert png.startswith(b'\x89PNG')


def test_drawing_leaves_matplotlibs_settings_and_pyplot_alone(tmp_path):
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # what an earlier test may have left behind would hide a change
        before = dict(matplotlib.rcParams)
        figures.save(figures.curve(run()), tmp_path / 'curve', ['svg'])
        assert plt.get_fignums() == []
        figures.show(run())
        assert dict(matplotlib.rcParams) == before


def test_show_draws_the_books_curve_and_adds_the_next():
    readers = plt.figure()
    figure = figures.show(run())
    axes, = figure.axes
    assert readers.axes == []
    plt.close(readers)
    assert data(axes.lines[0]) == (run().epochs, run().losses)
    assert tuple(figure.get_size_inches()) == (3.5, 2.5)
    assert axes.get_legend() is None  # of one curve it would say nothing
    assert figures.show(run('Gluon adam', learning_rate=0.1)) is figure and plt.get_figlabels() == [KEEP]
    assert legend(axes) == ['adam from scratch, lr 0.01', 'Gluon adam, lr 0.1']
    for _ in range(48):  # matplotlib warns beyond twenty open figures, and here a warning is a failure
        figures.show(run())
    assert plt.get_fignums() == [figure.number] and len(axes.lines) == 50 and len(legend(axes)) <= 8
    plt.close(figure)
    assert len(figures.show(run()).gca().lines) == 1
