"""The calls of the chapter's other sections, in cells of our own: nothing but the import line names this package."""
import warnings

import matplotlib
import pytest

matplotlib.use('agg')

IMPORT = 'import chapter_adam as gb\nfrom mxnet import nd\nfeatures, labels = gb.get_data_ch7(n=100)\n'
SGD = '''
gb.set_figsize()
eta = 0.4

def f(x1, x2):
    return 0.1 * x1 ** 2 + 2 * x2 ** 2

def gd(x1, x2, s1, s2):
    return x1 - eta * 0.2 * x1, x2 - eta * 4 * x2, 0, 0

gb.show_trace_2d(f, gb.train_2d(gd))

def sgd(params, states, hyperparams):
    for p in params:
        p[:] -= hyperparams['lr'] * p.grad

def train(size, rate, epochs=2):
    return gb.train_ch7(sgd, None, {'lr': rate}, features, labels, size, epochs)

runs = [train(10, 0.05), train(100, 0.3, 9), train(1, 0.005),
        gb.train_gluon_ch7('sgd', {'learning_rate': 0.05}, features, labels, 10)]
'''
MOMENTUM = '''
def momentum_2d(x1, x2, v1, v2):
    v1, v2 = 0.5 * v1 + 0.6 * 0.2 * x1, 0.5 * v2 + 0.6 * 4 * x2
    return x1 - v1, x2 - v2, v1, v2

gb.show_trace_2d(lambda x1, x2: 0.1 * x1 ** 2 + 2 * x2 ** 2, gb.train_2d(momentum_2d))

def init_momentum_states():
    return nd.zeros((features.shape[1], 1)), nd.zeros(1)

def sgd_momentum(params, states, hyperparams):
    for p, v in zip(params, states):
        v[:] = hyperparams['momentum'] * v + hyperparams['lr'] * p.grad
        p[:] -= v

runs = [gb.train_ch7(sgd_momentum, init_momentum_states(), {'lr': lr, 'momentum': m}, features, labels)
        for lr, m in [(0.02, 0.5), (0.02, 0.9), (0.004, 0.9)]]
runs += [gb.train_gluon_ch7('sgd', {'learning_rate': 0.004, 'momentum': 0.9}, features, labels)]
'''
ADADELTA = '''
def init_adadelta_states():
    return [[nd.zeros((features.shape[1], 1)), nd.zeros((features.shape[1], 1))], [nd.zeros(1), nd.zeros(1)]]

def adadelta(params, states, hyperparams):
    rho = hyperparams['rho']
    for p, (s, delta) in zip(params, states):
        s[:] = rho * s + (1 - rho) * p.grad.square()
        g = ((delta + 1e-5) / (s + 1e-5)).sqrt() * p.grad
        p[:] -= g
        delta[:] = rho * delta + (1 - rho) * g * g

runs = [gb.train_ch7(adadelta, init_adadelta_states(), {'rho': 0.9}, features, labels),
        gb.train_gluon_ch7('adadelta', {'rho': 0.9}, features, labels)]
'''
FROM_ZERO = '''
w, b = nd.random.normal(scale=0.01, shape=(5, 1)), nd.zeros(1)
for p in (w, b):
    p.attach_grad()
with __import__('mxnet').autograd.record():
    loss = gb.squared_loss(gb.linreg(features, w, b), labels).mean()
loss.backward()
runs = [0.5, float(loss.asscalar())]
gb.plt.plot(runs)
'''


@pytest.mark.parametrize('cells', [SGD, MOMENTUM, ADADELTA], ids=['sgd', 'momentum', 'adadelta'])
def test_the_cells_of_a_section_run_and_gluons_curve_is_that_of_a_rule(cells, capsys):
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        exec(IMPORT + cells, names)
    names['gb'].plt.close('all')
    *scratch, gluon = [run.losses for run in names['runs']]
    assert capsys.readouterr().out.count('loss: ') == len(scratch) + 1
    assert all(losses[-1] < 0.8 * losses[0] for losses in [*scratch, gluon])
    assert any(losses == pytest.approx(gluon, abs=1e-4) for losses in scratch if len(losses) == len(gluon))


def test_the_model_and_the_loss_of_the_chapter():
    names = {}
    exec(IMPORT + FROM_ZERO, names)
    names['gb'].plt.close('all')
    assert names['runs'][1] == pytest.approx(float(names['labels'].square().mean().asscalar()) / 2, rel=0.05)


def test_twenty_steps_in_two_dimensions_and_their_picture(capsys):
    import chapter_adam as gb
    points = gb.train_2d(lambda x1, x2, s1, s2: (x1 + 0.25, x2 - 0.5, s1 + 1, s2 + s1))
    assert points[0] == (-5, -2) and points[-1] == (0, -12) and len(points) == 21
    assert capsys.readouterr().out == 'epoch 20, x1 0.000000, x2 -12.000000\n'
    gb.plt.figure()
    gb.show_trace_2d(lambda x1, x2: x1 ** 2 + x2 ** 2, points)
    axes = gb.plt.gca()
    assert axes.lines[0].get_xydata().tolist() == [list(map(float, point)) for point in points]
    assert axes.get_ylim()[0] < -12 and (axes.get_xlabel(), axes.get_ylabel()) == ('x1', 'x2')
    gb.set_figsize((4, 3))
    assert gb.plt.rcParams['figure.figsize'] == [4, 3]
    gb.plt.close('all')
    gb.plt.rcdefaults()
