"""Rules as readers write them, each awkward in a way of its own: RULES and ENDING name functions that make one.

`make()` returns (rule, what it has seen): a fresh rule with fresh counters, and a list that it appends plain values to.
"""
import copy
import functools
import itertools
import math
import pickle
from types import SimpleNamespace

import numpy as np

from chapter_adam import adam, hybridize
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


clock = 0


@stays_lazy
def counts_in_a_global():
    global clock
    clock, seen = 0, []

    def rule(params, states, hyperparams):
        global clock
        clock += 1
        seen.append(clock)
        for p in params:
            p[:] = p - hyperparams['lr'] / math.sqrt(clock) * p.grad
    return rule, seen


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
def is_a_partial_with_a_schedule():
    def rule(schedule, params, states, hyperparams):
        hyperparams['t'] += 1
        seen.append(schedule(hyperparams['t']))
        for p in params:
            p[:] = p - schedule(hyperparams['t']) * p.grad
    seen = []
    return functools.partial(rule, lambda t: 0.01 if t % 20 < 10 else 0.02 / t), seen


@stays_lazy
def draws_numbers_of_its_own():
    generator, seen = np.random.default_rng(5), []

    def rule(params, states, hyperparams):
        for p in params:
            seen.append(float(generator.normal()))
            p[:] = p - hyperparams['lr'] * (1 + 0.1 * seen[-1]) * p.grad
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
        if len(past) == 20:
            seen.append([[float(a.asnumpy().sum()) for a in triple] for triple in past])
    return rule, seen


@stays_lazy
@each
def reads_values(p, v, s, h, seen):
    norm = p.grad.norm().asscalar()
    seen.append([float(norm), str(p), bool(p.sum() > 0), p.grad.asnumpy().tolist()])
    p[:] = p - h['lr'] * p.grad / max(1.0, float(norm))


@stays_lazy
@each
def asks_what_it_is(p, v, s, h, seen):
    seen.append([type(p) is nd.NDArray, isinstance(p, nd.NDArray), p.shape, p.ndim, p.size, len(p), str(p.context),
                 str(p.ctx), p.dtype is np.float32, p.stype, p.T.shape, p is p, type(p.grad).__name__, p.writable != 0])
    p[:] = p - h['lr'] * p.grad


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
def writes_to_out(p, v, s, h, seen):
    nd.broadcast_mul(v, nd.array([0.9]), out=v)
    nd.elemwise_add(v, p.grad, out=v)
    (h['lr'] * v).copyto(s)
    nd.elemwise_sub(p, s, out=p)


@stays_lazy
@each
def works_in_place(p, v, s, h, seen):
    v *= 0.9
    v += 0.1 * p.grad
    s[:] = v
    s /= 1 - 0.9 ** h['t']
    p -= h['lr'] * s


@stays_lazy
@each
def clips_the_gradient_itself(p, v, s, h, seen):
    g = p.grad
    g[:] = g.clip(-0.5, 0.5)
    g *= 2
    p[:] = p - h['lr'] * g


@stays_lazy
@each
def numbers_of_numpy(p, v, s, h, seen):
    rate = np.float32(h['lr']) * np.sqrt(np.float64(h['t'])) / np.int64(3)
    v[:] = np.float64(0.5) * v + p.grad * np.float32(0.25)
    p[:] = p - rate * v / (2 + abs(v)) ** 2 + (1 - True) * v


@stays_lazy
@each
def sets_numbers_and_lists(p, v, s, h, seen):
    v[:] = 0.125 * h['t']
    s[:] = np.full(s.shape, 0.5)
    p[:] = p - h['lr'] * (p.grad + 0.001 * v * s)
    v[:] = nd.ones((1,))


@stays_lazy
@each
def assigns_one_value_twice(p, v, s, h, seen):
    v[:] = 0.9 * v + p.grad
    s[:] = v
    p[:] = p - h['lr'] * s


@stays_lazy
@each
def compares(p, v, s, h, seen):
    p[:] = p - h['lr'] * ((p.grad > 0) - (p.grad < 0)) * (p == p) * nd.abs(p.grad)


@stays_lazy
def goes_backwards_over_the_parameters():
    def rule(params, states, hyperparams):
        for p, (v, s) in reversed(list(zip(params, states))):
            v[:] = 0.9 * v + 0.1 * p.grad
            p[:] = p - hyperparams['lr'] * v
        params.clear()
    return rule, []


@stays_lazy
def moves_weights_alone():
    def rule(params, states, hyperparams):
        params[0][:] = params[0] - hyperparams['lr'] * params[0].grad * params[1].exp()
    return rule, []


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
def calls_a_hybridized_rule():
    fast = hybridize(adam)
    return lambda params, states, hyperparams: fast(params, states, hyperparams), []


@stays_lazy
def catches_an_error_of_its_own():
    def rule(params, states, hyperparams):
        for p in params:
            try:
                p + nd.ones((17, 3))
            except mxnet.base.MXNetError as error:
                seen.append(type(error).__name__)
            p[:] = p - hyperparams['lr'] * p.grad
    seen = []
    return rule, seen


@stays_lazy
def copies_deeply():
    def rule(params, states, hyperparams):
        for p in params:
            seen.append(copy.deepcopy(p.grad.asnumpy()).tolist())
            p[:] = p - hyperparams['lr'] * p.grad.copy().as_in_context(mxnet.cpu())
    seen = []
    return rule, seen


@ends
@each
def writes_row_by_row(p, v, s, h, seen):
    for row in range(len(p)):
        p[row] = p[row] - h['lr'] * p.grad[row]


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
        if not views:
            views.extend(p.reshape((-1,)) for p in params)
        for p, view in zip(params, views):
            p[:] = p - hyperparams['lr'] * p.grad
            seen.append(view.asnumpy().tolist())
    return rule, seen


@ends
def writes_through_a_view():
    def rule(params, states, hyperparams):
        for p in params:
            p[0:1][:] = 0.5
            p[:] = p - hyperparams['lr'] * p.grad
    return rule, []


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
def writes_where_a_mask_says(p, v, s, h, seen):
    p[nd.array([0])] = p[0:1] - h['lr'] * p.grad[0:1]


@ends
@each
def changes_the_type(p, v, s, h, seen):
    p[:] = (p.astype('float64') - h['lr'] * p.grad.astype('float64').exp().log()).astype('float32') * (
        nd.topk(p, k=1, ret_typ='value') > -1e9)


@ends
@each
def pickles(p, v, s, h, seen):
    p[:] = p - h['lr'] * pickle.loads(pickle.dumps(p.grad))
