"""Rules as readers write them, each awkward in a way of its own: RULES and ENDING name functions that make one.

`make()` returns (rule, what it has seen): a fresh rule with fresh counters, and a list of plain values and of functions
that return some when the training is over.
"""
import contextlib
import functools
import io
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from chapter_adam import adam, hybridize, sgd, train_ensemble
from chapter_adam.compat import mxnet

nd, autograd = mxnet.nd, mxnet.autograd
RULES, ENDING = {}, {}


def stays_lazy(make):
    RULES[make.__name__] = make
    return make


def ends(make):
    """Of a rule that a graph cannot hold: it goes on eagerly."""
    ENDING[make.__name__] = make
    return make


def each(step):
    """A rule that does the same to each parameter: step(p, v, s, h, seen)."""
    @functools.wraps(step)
    def make():
        seen = []

        def rule(params, states, hyperparams):
            for p, (v, s) in zip(params, states):
                step(p, v, s, hyperparams, seen)
            hyperparams['t'] += 1
        return rule, seen
    return make


def values(arrays):
    """A function that returns what is then in the arrays."""
    return lambda: [array.asnumpy().tolist() for array in arrays]


# What Python keeps: numbers, arrays and results from step to step.

@stays_lazy
def keeps_states_in_an_object():
    class Momentum:
        def __init__(self):
            self.v, self.calls = {}, itertools.count()

        def __call__(self, params, states, hyperparams):
            seen.append(next(self.calls))
            for at, p in enumerate(params):
                if at not in self.v:
                    self.v[at] = nd.zeros(p.shape)
                self.v[at][:] = 0.9 * self.v[at] + p.grad
                p[:] -= hyperparams['lr'] * self.v[at]
    seen = []
    return Momentum(), seen


@stays_lazy
def rebinds_states_in_an_object():
    kept, seen = SimpleNamespace(v=[None, None]), []

    def rule(params, states, hyperparams):
        for at, p in enumerate(params):
            kept.v[at] = p.grad if kept.v[at] is None else 0.9 * kept.v[at] + p.grad
            p -= hyperparams['lr'] * kept.v[at]
    return rule, seen


@stays_lazy
def keeps_its_past():
    seen, past = [], []

    def rule(params, states, hyperparams):
        w, b = params
        past.append((w.copy(), w - b, w))
        for p in params:
            p[:] = p - hyperparams['lr'] * p.grad
        seen.append([float(a.asnumpy().sum()) for a in past[len(past) // 2]] if len(past) % 7 == 0 else None)
    return rule, [seen, lambda: [values(triple)() for triple in past]]


@stays_lazy
def keeps_results_and_writes_to_them_later():
    past = []

    def rule(params, states, hyperparams):
        for p in params:
            g = p.grad.copy()
            g /= 2
            past.append(g)
            g += 1
            p[:] = p - hyperparams['lr'] * g
            if len(past) > 6:
                past[-5][:] = past[-5] * 2
    return rule, [values(past)]


@stays_lazy
def keeps_parameters_and_looks_at_their_gradients():
    kept, seen = [], []

    def rule(params, states, hyperparams):
        kept.extend([] if kept else params)
        seen.append([a is b for a, b in zip(kept, params)])
        for p in kept:
            p[:] = p - hyperparams['lr'] * p.grad
    return rule, [seen, values(kept), lambda: values([p.grad for p in kept])()]


@stays_lazy
def has_a_view_of_its_own_array():
    array = nd.zeros((5, 1))
    view = array.reshape((-1,))

    def rule(params, states, hyperparams):
        array[:] = params[0].grad * 2
        params[0][:] -= hyperparams['lr'] * array
    return rule, [values([array, view])]


@stays_lazy
def an_array_of_its_own_that_changes():
    rate, seen = nd.array([0.01]), []

    def rule(params, states, hyperparams):
        for p in params:
            p[:] = p - rate * p.grad
        rate[:] = rate * 0.99
        seen.append(rate.asscalar().item())
    return rule, seen


@stays_lazy
def arrays_of_its_own_that_join_behind_one_that_stays():
    shift, arrays = nd.array([[1], [2], [3], [4], [5]]), [nd.zeros((5, 1)) for _ in range(3)]

    def rule(params, states, hyperparams):
        w, b = params
        for array in arrays:
            array[:] = w.grad + shift
        w[:] = w - hyperparams['lr'] * sum(arrays)
    return rule, [lambda: values([*arrays, shift])()]


@stays_lazy
def an_array_of_its_own_with_a_gradient():
    array = nd.zeros((5, 1))
    array.attach_grad()
    array.grad[:] = 3

    def rule(params, states, hyperparams):
        w, b = params
        array[:] = 0.9 * array + w.grad
        array.grad[:] = array.grad * 0.5 + array
        w[:] = w - hyperparams['lr'] * array.grad
    return rule, [lambda: values([array, array.grad])()]


@stays_lazy
def arrays_of_its_own_with_gradients():
    one, other = nd.ones((5, 1)) * 5, nd.ones((5, 1)) * 7
    for factor, array in enumerate((one, other)):
        array.attach_grad()
        array.grad[:] = factor + 1

    def rule(params, states, hyperparams):
        w, b = params
        one[:], other[:] = w.grad, w.grad
        w[:] = w - hyperparams['lr'] * w.grad * one.grad
    return rule, [lambda: values([one, other, one.grad, other.grad])()]


@stays_lazy
def an_array_of_its_own_on_another_device():
    array, seen = nd.ones((5, 1), ctx=mxnet.cpu(1)), []

    def rule(params, states, hyperparams):
        w, b = params
        array[:] = w.grad
        seen.append(str(array.context))
        w[:] = w - hyperparams['lr'] * array.as_in_context(w.context)
    return rule, [seen, values([array])]


@stays_lazy
def lets_an_array_go_but_not_its_view():
    view, kept, steps = nd.zeros(5), [], itertools.count(1)
    kept.append(view.reshape((5, 1)))

    def rule(params, states, hyperparams):
        w, b = params
        w[:] = w - hyperparams['lr'] * w.grad
        for array in kept:
            array[:] = w * 2
        if next(steps) == 8:
            kept.clear()
    return rule, [lambda: values([view])()]


@stays_lazy
def its_own_rows_in_a_ring():
    ring, steps = nd.zeros((4, 5, 1)), itertools.count()

    def rule(params, states, hyperparams):
        w, b = params
        ring[next(steps) % 4] = w.grad
        w[:] = w - hyperparams['lr'] * ring.mean(axis=0)
    return rule, [values([ring])]


# What it asks.

@stays_lazy
@each
def reads_values(p, v, s, h, seen):
    norm = p.grad.norm().asscalar()
    with contextlib.redirect_stdout(io.StringIO()) as text:
        print(p, [p.grad], f'{p.grad.mean().asscalar():.4f}', float(p.max().asscalar()))
    seen.append([float(norm), text.getvalue(), bool(p.sum() > 0), p.grad.asnumpy().tolist()])
    if p.grad.norm() > 0.3:
        p[:] = p - h['lr'] * p.grad / max(1.0, float(norm))


@stays_lazy
@each
def asks_what_it_is(p, v, s, h, seen):
    seen.append([type(p) is nd.NDArray, isinstance(p, nd.NDArray), p.shape, p.ndim, p.size, len(p), str(p.context),
                 str(p.ctx), p.dtype is np.float32, p.stype, p.T.shape, p is p, type(p.grad).__name__, p.writable != 0])
    p[:] = p - h['lr'] * p.grad.as_in_context(mxnet.cpu())


# What it computes.

@stays_lazy
@each
def uses_functions_of_nd(p, v, s, h, seen):
    g = nd.clip(nd.maximum(p.grad, nd.sign(p.grad) * 1e-4), -1, 1) + nd.softmax(p, axis=0) * nd.stack(v, s).sum() * 1e-3
    s[:] = nd.where(nd.abs(g) > 0.1, 0.9 * s + 0.1 * nd.square(g), nd.broadcast_maximum(s, g * g))
    p[:] = p - h['lr'] * nd.slice_axis(nd.concat(g, v, dim=0), axis=0, begin=0, end=len(p)) / nd.sqrt(s + 1e-6)


@stays_lazy
@each
def changes_bounds_at_each_step(p, v, s, h, seen):
    p[:] = p - h['lr'] * p.grad.clip(-1 / h['t'], 1 / h['t'])


@stays_lazy
@each
def numbers_of_numpy(p, v, s, h, seen):
    rate = np.float32(h['lr']) * np.sqrt(np.float64(h['t'])) / np.int64(3)
    v[:] = np.float64(0.5) * v + p.grad * np.float32(0.25)
    p[:] = p - rate * v / (2 + abs(v)) ** 2 + (1 - True) * v


@stays_lazy
@each
def zeros_of_both_signs(p, v, s, h, seen):
    p[:] = p - h['lr'] * p.grad * (1 + nd.clip(1e-3 / ((p * p + 1) * (0.0 if h['t'] % 2 else -0.0)), -0.5, 0.5))


@stays_lazy
def zeros_of_one_sign_for_the_weights_and_in_time_another_for_the_bias():
    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for zero, p in zip((0.0, -0.0 if hyperparams['t'] > 22 else 0.0), params):
            p[:] = p - hyperparams['lr'] * p.grad * (1 + nd.clip(1e-3 / ((p * p + 1) * zero), -0.5, 0.5))
    return rule, []


@stays_lazy
@each
def halves_its_rate_every_eleven_steps(p, v, s, h, seen):
    p[:] = p - h['lr'] * 0.5 ** (h['t'] // 12) * p.grad


@stays_lazy
def trains_the_bias_faster_from_the_twelfth_step_on():
    def rule(params, states, hyperparams):
        hyperparams['t'] += 1
        for faster, p in zip((1.0, 3.0 if hyperparams['t'] > 12 else 1.0), params):
            p[:] = p - hyperparams['lr'] * faster * p.grad
    return rule, []


@stays_lazy
@each
def mixes_the_numbers_of_an_array(p, v, s, h, seen):
    p[:] = p - h['lr'] * p.grad * nd.softmax(p.grad, axis=0)


@stays_lazy
@each
def sorts(p, v, s, h, seen):
    """With its default axis this cannot be part of a CachedOp."""
    p[:] = p - h['lr'] * nd.sort(p.grad)


@stays_lazy
def makes_parameters_of_states_alone():
    def rule(params, states, hyperparams):
        for p, (z, _), faster in zip(params, states, (False, True)):
            z[:] = z + p.grad
            once = -0.1 * z
            three_times = once * 3
            p[:] = three_times if faster else once
    return rule, []


@stays_lazy
def updates_the_bias_first():
    def rule(params, states, hyperparams):
        return adam(params[::-1], states[::-1], hyperparams)
    return rule, []


@stays_lazy
def goes_backwards_and_swaps_the_states_of_the_bias():
    def rule(params, states, hyperparams):
        for p, (v, s) in ((params[1], states[1][::-1]), (params[0], states[0])):
            v[:] = 0.9 * v + 0.1 * p.grad
            p[:] = p - hyperparams['lr'] * v
        params.clear()
    return rule, []


@stays_lazy
def calls_a_hybridized_rule():
    fast = hybridize(adam)
    return lambda params, states, hyperparams: fast(params, states, hyperparams), []


@stays_lazy
@each
def catches_an_error_of_its_own(p, v, s, h, seen):
    try:
        p + nd.ones((17, 3))
    except mxnet.base.MXNetError as error:
        seen.append(type(error).__name__)
    p[:] = p - h['lr'] * p.grad


@stays_lazy
def works_in_another_thread_which_differentiates_something_else():
    pool = ThreadPoolExecutor(1)

    def update(p):
        with autograd.record():
            nd.ones(1).square()
        p[:] = p - 0.01 * p.grad
    return lambda params, states, hyperparams: list(pool.map(update, params)), []


# Where it writes.

@stays_lazy
@each
def writes_to_out(p, v, s, h, seen):
    nd.broadcast_mul(v, nd.array([0.9]), out=v)
    nd.elemwise_add(v, p.grad, out=v)
    (h['lr'] * v).copyto(s)
    nd.elemwise_sub(p, s, out=p)


@stays_lazy
@each
def writes_to_its_own_results(p, v, s, h, seen):
    g = p.grad * 1
    g += 0.1 * p
    g *= 2
    g[:] = nd.clip(g, -3, 3, out=g) + 0.01
    s += sum([g, g * 0.5, v])
    p -= h['lr'] * g


@stays_lazy
@each
def takes_fresh_memory_at_each_step(p, v, s, h, seen):
    g, zeros = nd.empty(p.shape), nd.zeros(p.shape)
    zeros[:] = p.grad
    nd.broadcast_mul(zeros, nd.array([2]), out=g)
    p -= h['lr'] * g.astype('float32')


@stays_lazy
@each
def sets_values_of_other_types_and_shapes(p, v, s, h, seen):
    v[:] = 0.125 * h['t']
    s[:] = np.full(s.shape, 3)
    p[:] = p - h['lr'] * (p.grad + 0.001 * v * s) * nd.array(p.grad).sign().abs()
    s[:] = p.argsort(axis=0, dtype='int32')
    p[:] = p + 1e-3 * s
    v[:] = nd.ones((1,), dtype='float64')


@stays_lazy
@each
def computes_in_float64(p, v, s, h, seen):
    p[:] = (p.astype('float64') - h['lr'] * p.grad.astype('float64').exp().log()).astype('float32')


@stays_lazy
def adds_up_in_float64():
    total = nd.zeros(1, dtype='float64')

    def rule(params, states, hyperparams):
        w, b = params
        total[:] = total + nd.cast(b.grad, 'float64') / 3
        b[:] = b - hyperparams['lr'] * (b.grad + 0.1 * nd.cast(total, 'float32'))
    return rule, [values([total])]


@stays_lazy
def shrinks_an_array_in_float64():
    array, steps = nd.zeros((5, 1), dtype='float64'), itertools.count()

    def rule(params, states, hyperparams):
        w, b = params
        array[:] = array / 3 if next(steps) else nd.cast(w.grad, 'float64') / 3
        w[:] = w - hyperparams['lr'] * w.grad
    return rule, [values([array])]


@stays_lazy
def moves_a_state_and_lets_arrays_of_its_own_go():
    kept, brief, steps = [nd.zeros((5, 1)), nd.zeros((5, 1))], [nd.zeros(1)], itertools.count(1)

    def rule(params, states, hyperparams):
        step, (w, b), (v, _) = next(steps), params, states[0]
        if step % 11 == 0:
            v[:] = w
            kept[:] = [kept[1], nd.zeros((5, 1))]
            brief.clear()
        for array in brief:
            array[:] = array + b.grad
            b[:] = b - hyperparams['lr'] * array
        kept[1][:] = kept[1] * 0.9 + w.grad
        kept[0][:] = kept[0] + kept[1]
        w[:] = w - hyperparams['lr'] * (w.grad + 0.1 * v + 0.01 * kept[0])
    return rule, [lambda: values(kept)()]


@stays_lazy
def lets_an_array_go_while_another_comes():
    kept, steps = [nd.zeros((5, 1)), nd.zeros((5, 1))], itertools.count(1)

    def rule(params, states, hyperparams):
        w, b = params
        if next(steps) % 8 == 0:
            kept[:] = [kept[1], nd.zeros((5, 1))]
        for at, array in enumerate(kept):
            array[:] = array * 0.9 + (at + 1) * w.grad
        w[:] = w - hyperparams['lr'] * (kept[0] + 0.5 * kept[1])
    return rule, [lambda: values(kept)()]


@stays_lazy
def gives_one_root_the_value_of_another():
    def rule(params, states, hyperparams):
        for p, (v, s) in zip(params, states):
            v[:], s[:] = p, v
            p[:] = p - hyperparams['lr'] * (p.grad + 0.1 * (v - s))
    return rule, []


# What no graph can hold.

@ends
def writes_to_a_gradient_that_it_has_kept():
    array = nd.ones((5, 1))
    array.attach_grad()
    grad = array.grad

    def rule(params, states, hyperparams):
        w, b = params
        grad[:] = w.grad * 2
        array[:] = w.grad
        w[:] = w - hyperparams['lr'] * array.grad
    return rule, [lambda: values([array, array.grad])()]


@ends
@each
def keeps_the_last_step_and_then_looks_at_it(p, v, s, h, seen):
    p[:] = p - h['lr'] * (v - 0.5 * s)
    s[:] = v
    if h['t'] == 15:
        seen.append(s.reshape((-1,)).asnumpy().tolist())
    if h['t'] > 15:
        v[:] = 0.9 * v + p.grad
    else:
        v[:] = v + p.grad
        s[:] = v


@ends
def keeps_a_view_and_reads_it():
    views, seen = [], []

    def rule(params, states, hyperparams):
        views.extend([] if views else [p.reshape((-1,)) for p in params])
        for p, view in zip(params, views):
            p[:] = p - hyperparams['lr'] * p.grad
            seen.append(view.asnumpy().tolist())
    return rule, seen


def looks_at_a_view_of_its_own(look):
    def make():
        array, seen = nd.zeros((5, 1)), []
        view = array.reshape((-1,))

        def rule(params, states, hyperparams):
            array[:] = params[0].grad * 2
            params[0][:] -= hyperparams['lr'] * array
            seen.append(look(view))
        return rule, seen
    return make


ENDING.update({
    'reads_a_view': looks_at_a_view_of_its_own(lambda view: view.sum().asscalar()),
    'pickles_a_view': looks_at_a_view_of_its_own(lambda view: pickle.loads(pickle.dumps(view)).asnumpy().tolist()),
    'fills_a_view': looks_at_a_view_of_its_own(lambda view: view._sync_copyfrom(np.ones(5, np.float32)))})


@ends
@each
def writes_and_reads_slices(p, v, s, h, seen):
    p[0] = 0.5
    if len(p) > 1:
        p[1:] -= h['lr'] * p.grad[1:]
    p -= h['lr'] * (p.grad + 0.01 * p[-1])


@ends
@each
def flattens_by_a_view(p, v, s, h, seen):
    flat = p.reshape((-1,))
    flat -= h['lr'] * p.grad.reshape((-1,))


@ends
@each
def runs_a_kernel_that_writes_to_its_inputs(p, v, s, h, seen):
    nd.adam_update(p, p.grad, v, s, lr=h['lr'], out=p)


@ends
@each
def draws_an_array(p, v, s, h, seen):
    mxnet.random.seed(h['t'])
    p[:] = p - h['lr'] * p.grad * nd.random.exponential_like(p)


@ends
def differentiates():
    def rule(params, states, hyperparams):
        for p in params:
            g = p.grad.copy()
            with autograd.record():
                penalty = (p * p).sum()
            penalty.backward()
            p[:] = p - hyperparams['lr'] * (g + 0.01 * p.grad)
    return rule, []


@ends
@each
def takes_or_raises(p, v, s, h, seen):
    try:
        nd.take(p, nd.array([0 if h['t'] < 14 else 9]), mode='raise', axis=0)
    except mxnet.base.MXNetError:
        seen.append(h['t'])
    p[:] = p - h['lr'] * p.grad


@ends
@each
def writes_where_it_does_not_fit(p, v, s, h, seen):
    for write in (lambda: nd.mean(p.grad, out=v), lambda: p.grad.sum().copyto(v), lambda: v.__iadd__(p.expand_dims(0))):
        try:
            write()
        except (mxnet.base.MXNetError, ValueError) as error:
            seen.append(type(error).__name__)
    p[:] = p - h['lr'] * (p.grad + v)


@ends
def trains_many_runs_within():
    runs = []

    def rule(params, states, hyperparams):
        if not runs:
            X = np.random.default_rng(0).normal(size=(20, 2))
            runs.extend(train_ensemble(sgd, None, {'lr': [0.1, 0.2]}, X, X[:, 0], seeds=[1, 2]).final)
        for p in params:
            p[:] = p - hyperparams['lr'] * p.grad
    return rule, runs
