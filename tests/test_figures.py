"""Figures, by what is on them; and that drawing changes nothing but the figure."""
import sys

import matplotlib
import matplotlib.pyplot as plt
import pytest

from chapter_adam import History, adam, figures, init_adam_states, train_ch7, train_gluon_ch7

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
    figure = figures.curve(run())
    axes, = figure.axes
    line, = axes.lines
    assert data(line) == (run().epochs, run().losses)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'loss')
    assert axes.get_title() == 'adam from scratch, lr 0.01'
    assert tuple(figure.get_size_inches()) == (3.5, 2.5)


@pytest.mark.parametrize('hyperparams, title', [
    ({'lr': 0.01, 't': 1}, 'adam, lr 0.01'), ({'learning_rate': 1e-5}, 'adam, lr 1e-05'), ({'rate': 3}, 'adam'),
], ids=str)
def test_title_names_the_rate_where_there_is_one(hyperparams, title):
    assert figures.title(run('adam', **hyperparams)) == title


def test_comparison_has_both_curves_the_floor_and_the_gap():
    scratch, gluon = run(), run('Gluon adam', shift=1e-6)
    top, bottom = figures.comparison(scratch, gluon, floor=0.242145).axes
    assert [data(line) for line in top.lines[:2]] == [(r.epochs, r.losses) for r in (scratch, gluon)]
    assert set(top.lines[2].get_ydata()) == {0.242145}
    assert legend(top) == ['adam from scratch', 'Gluon adam', 'least-squares floor 0.2421']
    assert data(bottom.lines[0]) == (scratch.epochs, pytest.approx((1e-6, 0, 0), abs=1e-12))
    assert (bottom.get_xlabel(), bottom.get_ylabel()) == ('epoch', '|scratch - Gluon|')
    assert [text.get_text() for text in bottom.texts] == ['largest: 1.0e-06']


@pytest.mark.parametrize('shift, verdict', [(1e-6, 'the two curves coincide'), (1e-3, 'the two curves differ')])
def test_comparison_says_what_is_to_be_seen(shift, verdict):
    top = figures.comparison(run(), run('Gluon adam', shift), 0.24).axes[0]
    assert top.get_title() == f'Same start, same batches (seed 3): {verdict}'


def test_saved_bytes_depend_on_the_data_alone(tmp_path):
    """Each time a new figure: no date, no random id, no version in the file."""
    files = []
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        figure = figures.comparison(run(), run('Gluon adam', 1e-6), 0.24)
        files.append(figures.save(figure, tmp_path / name / 'curve'))
    assert [path.name for path in files[0]] == ['curve.svg', 'curve.png']
    for one, two in zip(*files):
        assert one.read_bytes() == two.read_bytes()
    svg, png = (path.read_bytes() for path in files[0])
    assert b'<dc:date>' not in svg and matplotlib.__version__.encode() not in svg + png
    assert b'least-squares floor' in svg  # text stays text: short, searchable, the same on every machine
    assert png.startswith(b'\x89PNG')


def test_saved_bytes_do_not_depend_on_the_readers_settings(tmp_path):
    before = figures.save(figures.curve(run()), tmp_path / 'before')
    with matplotlib.rc_context({'svg.fonttype': 'path', 'savefig.dpi': 30, 'lines.linewidth': 9}):
        after = figures.save(figures.curve(run()), tmp_path / 'after')
    assert [path.read_bytes() for path in before] == [path.read_bytes() for path in after]


def test_other_data_give_another_file(tmp_path):
    one, = figures.save(figures.curve(run()), tmp_path / 'one', ['svg'])
    two, = figures.save(figures.curve(run(shift=0.1)), tmp_path / 'two', ['svg'])
    assert one.read_bytes() != two.read_bytes()


def test_a_failed_save_leaves_the_old_figure(tmp_path, monkeypatch):
    path, = figures.save(figures.curve(run()), tmp_path / 'curve', ['svg'])
    before, figure = path.read_bytes(), figures.curve(run(shift=0.1))

    def half(stream, **_options):
        stream.write(b'<svg>')
        raise KeyboardInterrupt
    monkeypatch.setattr(figure, 'savefig', half)
    with pytest.raises(KeyboardInterrupt):
        figures.save(figure, tmp_path / 'curve', ['svg'])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_drawing_leaves_matplotlibs_settings_and_pyplot_alone(tmp_path):
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # what an earlier test may have left behind would hide a change
        before = dict(matplotlib.rcParams)
        figures.save(figures.curve(run()), tmp_path / 'curve')
        figures.save(figures.comparison(run(), run('Gluon adam'), 0.24), tmp_path / 'comparison')
        assert plt.get_fignums() == []
        figures.show(run())
        assert dict(matplotlib.rcParams) == before


def test_show_draws_the_books_curve():
    figure = figures.show(run())
    axes, = figure.axes
    assert data(axes.lines[0]) == (run().epochs, run().losses)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'loss')
    assert tuple(figure.get_size_inches()) == (3.5, 2.5)
    assert axes.get_legend() is None  # of one curve it would say nothing


def test_show_again_adds_to_the_same_figure():
    first = figures.show(run())
    second = figures.show(run('Gluon adam', learning_rate=0.1))
    assert second is first and plt.get_figlabels() == [KEEP]
    assert legend(first.gca()) == ['adam from scratch, lr 0.01', 'Gluon adam, lr 0.1']


def test_fifty_shows_open_one_figure_without_an_endless_legend():
    """matplotlib warns beyond twenty open figures, and here a warning is a failure."""
    for _ in range(50):
        figure = figures.show(run())
    assert plt.get_fignums() == [figure.number] and len(figure.gca().lines) == 50
    assert len(legend(figure.gca())) <= 8


def test_show_after_close_begins_anew():
    plt.close(figures.show(run()))
    assert len(figures.show(run()).gca().lines) == 1


def test_show_does_not_draw_into_the_readers_own_figure():
    own = plt.figure()
    figures.show(run())
    assert own.axes == []


def test_a_users_matplotlib_settings_stay_out_of_the_files(tmp_path):
    import matplotlib
    history = History((0.5, 0.3), (0.0, 1.0), 1.0, 1.0, (0.1,), 0.0, {'label': 'a run', 'hyperparams': {'lr': 0.1}})
    plain = figures.save(figures.curve(history), tmp_path / 'plain', ('svg',))[0].read_bytes()
    with matplotlib.rc_context({'axes.facecolor': 'lightgrey', 'font.size': 20}):
        styled = figures.save(figures.curve(history), tmp_path / 'styled', ('svg',))[0].read_bytes()
        assert matplotlib.rcParams['font.size'] == 20
    assert plain == styled


def scratch_call(data, **plot):
    return train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, *data, **plot)


def gluon_call(data, **plot):
    return train_gluon_ch7('adam', {'learning_rate': 0.01}, *data, **plot)


CALLS = pytest.mark.parametrize('call', [scratch_call, gluon_call], ids=['train_ch7', 'train_gluon_ch7'])


@CALLS
@pytest.mark.parametrize('plot', [{}, {'plot': True}], ids=['by default', 'plot=True'])
def test_the_books_calls_draw_their_run(airfoil, call, plot):
    history = call([a[:30] for a in airfoil], **plot)
    assert plt.get_figlabels() == [KEEP]
    line, = plt.figure(KEEP).gca().lines
    assert data(line) == (history.epochs, history.losses)


@CALLS
def test_a_call_without_a_plot_needs_no_matplotlib(airfoil, call, monkeypatch):
    for module in ('matplotlib', 'matplotlib.pyplot'):
        monkeypatch.setitem(sys.modules, module, None)  # to import it is an ImportError
    call([a[:30] for a in airfoil], plot=False)
    assert plt.get_fignums() == []


@pytest.mark.parametrize('gap, percentiles, words', [
    (1e-4, (46, 11), 'coincide, and the book\'s two losses are ordinary draws'), (-0.02, (46, 11), 'differ'),
    (1e-4, (46, 2), 'not both among the middle 90 %')])
def test_the_title_over_the_seeds_is_what_they_say(gap, percentiles, words):
    facts = {'runs': 1000, 'pairs': {'effect_interval': [gap - 1e-3, gap + 1e-3]},
             'book': dict(zip(('scratch', 'gluon'), ({'percentile': each} for each in percentiles)))}
    assert words in figures.seeds_title(facts)


@pytest.mark.parametrize('effects, words', [({'a': 3e-3, 'b': 1e-3}, 'at the end: a ('), ({'a': 1e-4}, 'none of these'),
                                            ({'a': 2e-3, 'b': 3e-3}, 'at the end: a, b (')])
def test_the_title_over_the_choices_names_what_matters(effects, words):
    facts = {'runs': 1000, 'standard_deviation_of_seeds': 1.6e-3,
             'effects': {name: {'final_typical': size} for name, size in effects.items()}}
    assert words in figures.choices_title(facts)
