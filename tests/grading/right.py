"""Adams that are right, written as readers write them: RIGHT names each with what `check` is given besides."""
import math
from functools import partial
from itertools import count

import numpy as np
from mxnet import nd

import chapter_adam as gb

RIGHT = {}


def right(**given):
    """Puts a rule into RIGHT. `make=True`: the function makes the rule, anew for each check."""
    def put(function):
        make = given.pop('make', False)
        RIGHT[function.__name__] = (function if make else lambda: function), given
        return function
    return put


def pairs(make):
    """States of both parameters, w (d, 1) and b (1,)."""
    return lambda d: [make((d, 1)), make((1,))]


@right()
def the_papers_order(params, states, hyperparams):
    t, lr = hyperparams['t'], hyperparams['lr']
    for p, (m, v) in zip(params, states):
        g = p.grad
        m[:] = 0.9 * m + (1 - 0.9) * g
        v[:] = 0.999 * v + (1 - 0.999) * g ** 2
        m_hat = m / (1 - 0.9 ** t)
        v_hat = v / (1 - 0.999 ** t)
        p[:] = p - lr * m_hat / (nd.sqrt(v_hat) + 1e-6)
    hyperparams['t'] += 1


@right()
def with_differences(params, states, hyperparams):
    """Averages as steps towards the new value, the gradient's."""
    for p, (v, s) in zip(params, states):
        v += 0.1 * (p.grad - v)
        s += 0.001 * (p.grad * p.grad - s)
        p -= hyperparams['lr'] * (v / (1 - 0.9 ** hyperparams['t'])) / (
            (s / (1 - 0.999 ** hyperparams['t'])).sqrt() + 1e-6)
    hyperparams['t'] = hyperparams['t'] + 1


@right()
def eps_of_pytorch(params, states, hyperparams):
    b1, b2, eps = 0.9, 0.999, 1e-8
    for (v, s), p in zip(states, params):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * nd.square(p.grad)
        p[:] -= hyperparams['lr'] * v / (1 - b1 ** hyperparams['t']) / (
            nd.sqrt(s / (1 - b2 ** hyperparams['t'])) + eps)
    hyperparams['t'] += 1


@right()
def eps_of_keras(params, states, hyperparams):
    for i, p in enumerate(params):
        v, s = states[i]
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        v_hat, s_hat = v / (1 - 0.9 ** hyperparams['t']), s / (1 - 0.999 ** hyperparams['t'])
        p[:] = p - hyperparams['lr'] * v_hat / (s_hat.sqrt() + 1e-7)
    hyperparams['t'] += 1


@right()
def one_expression(params, states, hyperparams):
    lr, t = hyperparams['lr'], hyperparams['t']
    hyperparams['t'] = t + 1
    for p, state in zip(params, states):
        state[0][:] = state[0] * 0.9 + p.grad * 0.1
        state[1][:] = state[1] * 0.999 + p.grad * p.grad * 0.001
        p[:] = p - state[0] / (1 - 0.9 ** t) * lr / ((state[1] / (1 - 0.999 ** t)) ** 0.5 + 1e-6)


@right()
def folded_as_pytorch(params, states, hyperparams):
    """The step size and the root's correction apart."""
    t = hyperparams['t']
    step_size = hyperparams['lr'] / (1 - 0.9 ** t)
    root = math.sqrt(1 - 0.999 ** t)
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - step_size * v / (s.sqrt() / root + 1e-6)
    hyperparams['t'] += 1


@right()
def folded_with_its_eps(params, states, hyperparams):
    """Keras's rate, and the eps that goes with it."""
    t = hyperparams['t']
    root = (1 - 0.999 ** t) ** 0.5
    lr_t = hyperparams['lr'] * root / (1 - 0.9 ** t)
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - lr_t * v / (s.sqrt() + 1e-6 * root)
    hyperparams['t'] = t + 1


@right(states=lambda d: {'v': [nd.zeros((d, 1)), nd.zeros(1)], 's': [nd.zeros((d, 1)), nd.zeros(1)]})
def states_in_a_dict(params, states, hyperparams):
    for i, p in enumerate(params):
        states['v'][i][:] = 0.9 * states['v'][i] + 0.1 * p.grad
        states['s'][i][:] = 0.999 * states['s'][i] + 0.001 * p.grad ** 2
        v_hat = states['v'][i] / (1 - 0.9 ** hyperparams['t'])
        s_hat = states['s'][i] / (1 - 0.999 ** hyperparams['t'])
        p[:] = p - hyperparams['lr'] * v_hat / (s_hat.sqrt() + 1e-6)
    hyperparams['t'] += 1


@right(states=pairs(lambda shape: {'first': nd.zeros(shape), 'second': nd.zeros(shape)}))
def dicts_rebound(params, states, hyperparams):
    t = hyperparams['t']
    for p, state in zip(params, states):
        state['first'] = 0.9 * state['first'] + 0.1 * p.grad
        state['second'] = 0.999 * state['second'] + 0.001 * p.grad.square()
        p[:] = p - hyperparams['lr'] * (state['first'] / (1 - 0.9 ** t)) / (
            (state['second'] / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right(states=pairs(lambda shape: [nd.zeros(shape), nd.zeros(shape)]))
def rebound_in_a_list(params, states, hyperparams):
    for i, p in enumerate(params):
        v, s = states[i]
        v = 0.9 * v + 0.1 * p.grad
        s = 0.999 * s + 0.001 * p.grad.square()
        states[i] = [v, s]
        p[:] = p - hyperparams['lr'] * v / (1 - 0.9 ** hyperparams['t']) / (
            (s / (1 - 0.999 ** hyperparams['t'])).sqrt() + 1e-6)
    hyperparams['t'] += 1


@right(states=lambda d: ([nd.zeros((d, 1)), nd.zeros(1)], [nd.zeros((d, 1)), nd.zeros(1)]))
def all_v_then_all_s(params, states, hyperparams):
    vs, sqrs = states
    for p, v, sqr in zip(params, vs, sqrs):
        g = p.grad
        v[:] = 0.9 * v + 0.1 * g
        sqr[:] = 0.999 * sqr + 0.001 * nd.square(g)
        v_bias_corr = v / (1 - 0.9 ** hyperparams['t'])
        sqr_bias_corr = sqr / (1 - 0.999 ** hyperparams['t'])
        p[:] = p - hyperparams['lr'] * v_bias_corr / (nd.sqrt(sqr_bias_corr) + 1e-6)
    hyperparams['t'] += 1


@right(states=pairs(lambda shape: [nd.zeros(shape), nd.zeros(shape), 0]))
def clock_in_the_states(params, states, hyperparams):
    for p, state in zip(params, states):
        state[2] += 1
        state[0] = 0.9 * state[0] + 0.1 * p.grad
        state[1] = 0.999 * state[1] + 0.001 * p.grad ** 2
        p[:] = p - hyperparams['lr'] * (state[0] / (1 - 0.9 ** state[2])) / (
            nd.sqrt(state[1] / (1 - 0.999 ** state[2])) + 1e-6)


@right(states=pairs(lambda shape: (nd.zeros(shape), nd.zeros(shape), nd.zeros(1))))
def clock_in_an_array(params, states, hyperparams):
    """beta ** t is computed in float32."""
    for p, (v, s, t) in zip(params, states):
        t += 1
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad ** 2
        p[:] = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)


@right(make=True)
def clock_in_a_closure():
    steps = count(1)

    def adam(params, states, hyperparams):
        t = next(steps)
        for p, (v, s) in zip(params, states):
            v[:] = 0.9 * v + 0.1 * p.grad
            s[:] = 0.999 * s + 0.001 * p.grad.square()
            p[:] = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    return adam


@right(make=True)
def clock_of_the_module():
    names = {'t': 0}
    exec("""
def adam(params, states, hyperparams):
    global t
    t += 1
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
""", names)
    return names['adam']


@right(make=True)
def clock_in_a_helper_and_a_dict():
    names = {'gb': gb, 'clock': {'t': 0}, 'steps': 0}
    exec("""
def tick():
    global steps
    steps += 1
    return steps

def adam(params, states, hyperparams):
    clock['t'] += 1
    adam.t += 1
    assert clock['t'] == adam.t == tick()
    gb.adam(params, states, {'lr': hyperparams['lr'], 't': adam.t})
adam.t = 0
""", names)
    return names['adam']


class Adam:
    """Keeps everything to itself."""

    def __init__(self):
        self.t, self.v, self.s = 0, {}, {}

    def __call__(self, params, states, hyperparams):
        self.t += 1
        for i, p in enumerate(params):
            self.v[i] = 0.9 * self.v.get(i, 0) + 0.1 * p.grad
            self.s[i] = 0.999 * self.s.get(i, 0) + 0.001 * p.grad.square()
            p[:] = p - hyperparams['lr'] * (self.v[i] / (1 - 0.9 ** self.t)) / (
                (self.s[i] / (1 - 0.999 ** self.t)).sqrt() + 1e-6)


@right(make=True)
def an_object():
    return Adam()


class Average:
    """A moving average that knows its correction."""

    def __init__(self, shape, beta):
        self.value, self.beta, self.steps = nd.zeros(shape), beta, 0

    def update(self, new):
        self.steps += 1
        self.value = self.beta * self.value + (1 - self.beta) * new
        return self.value / (1 - self.beta ** self.steps)


@right(states=pairs(lambda shape: (Average(shape, 0.9), Average(shape, 0.999))))
def helper_class(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        p[:] = p - hyperparams['lr'] * v.update(p.grad) / (s.update(p.grad.square()).sqrt() + 1e-6)


def ema(old, new, beta):
    return beta * old + (1 - beta) * new


def debias(average, beta, t):
    return average / (1 - beta ** t)


@right()
def helper_functions(params, states, hyperparams):
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = ema(v, p.grad, 0.9)
        s[:] = ema(s, p.grad.square(), 0.999)
        p[:] = p - hyperparams['lr'] * debias(v, 0.9, t) / (debias(s, 0.999, t).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right(hyperparams={'learning_rate': 0.05, 'epsilon': 1e-8, 'beta_1': 0.9, 'beta_2': 0.99, 'step': 1})
def other_keys(params, states, hyperparams):
    step, b1, b2 = hyperparams['step'], hyperparams['beta_1'], hyperparams['beta_2']
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad.square()
        p[:] = p - hyperparams['learning_rate'] * (v / (1 - b1 ** step)) / (
            (s / (1 - b2 ** step)).sqrt() + hyperparams['epsilon'])
    hyperparams['step'] += 1


@right(hyperparams={'alpha': 0.05, 'betas': (0.8, 0.99), 't': 0})
def clock_from_zero(params, states, hyperparams):
    hyperparams['t'] += 1
    t, (b1, b2) = hyperparams['t'], hyperparams['betas']
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad.square()
        p[:] = p - hyperparams['alpha'] * (v / (1 - b1 ** t)) / ((s / (1 - b2 ** t)).sqrt() + 1e-6)


@right()
def all_hyperparameters_read(params, states, hyperparams):
    def get(key, default):
        return hyperparams[key] if key in hyperparams else default

    lr, t = hyperparams['lr'], hyperparams['t']
    beta1, beta2, eps = get('beta1', 0.9), get('beta2', 0.999), get('eps', 1e-8)
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        p[:] = p - lr * (v / (1 - beta1 ** t)) / ((s / (1 - beta2 ** t)).sqrt() + eps)
    hyperparams.update(t=t + 1)


@right()
def no_defaults(params, states, hyperparams):
    lr, t, eps = hyperparams['lr'], hyperparams['t'], hyperparams['eps']
    b1, b2 = hyperparams['beta1'], hyperparams['beta2']
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad.square()
        p[:] = p - lr * (v / (1 - b1 ** t)) / ((s / (1 - b2 ** t)).sqrt() + eps)
    hyperparams['t'] += 1


@right()
def keywords(params, states, hyperparams):
    def update(p, v, s, lr, t, beta1=0.9, beta2=0.999, eps=1e-6):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        p[:] = p - lr * (v / (1 - beta1 ** t)) / ((s / (1 - beta2 ** t)).sqrt() + eps)

    for p, (v, s) in zip(params, states):
        update(p, v, s, **hyperparams)
    hyperparams['t'] += 1


@right()
def number_by_number(params, states, hyperparams):
    """Without arrays: lists of numbers, in double precision but for what is stored."""
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        new = []
        rows = zip(*(array.asnumpy().ravel().tolist() for array in (p, p.grad, v, s)))
        for x, g, m, n in rows:
            m, n = 0.9 * m + 0.1 * g, 0.999 * n + 0.001 * g * g
            step = hyperparams['lr'] * (m / (1 - 0.9 ** t)) / (math.sqrt(n / (1 - 0.999 ** t)) + 1e-6)
            new.append((x - step, m, n))
        for array, values in zip((p, v, s), zip(*new)):
            array[:] = nd.array(values).reshape(array.shape)
    hyperparams['t'] += 1


@right(states=pairs(lambda shape: [np.zeros(shape), np.zeros(shape)]))
def through_numpy(params, states, hyperparams):
    t = hyperparams['t']
    for p, state in zip(params, states):
        g = p.grad.asnumpy()
        state[0] = 0.9 * state[0] + 0.1 * g
        state[1] = 0.999 * state[1] + 0.001 * g ** 2
        p[:] = p - nd.array(hyperparams['lr'] * state[0] / (1 - 0.9 ** t) / (
            np.sqrt(state[1] / (1 - 0.999 ** t)) + 1e-6))
    hyperparams['t'] += 1


@right()
def unrolled(params, states, hyperparams):
    (w, b), ((v_w, s_w), (v_b, s_b)), t, lr = params, states, hyperparams['t'], hyperparams['lr']
    v_w[:] = 0.9 * v_w + 0.1 * w.grad
    v_b[:] = 0.9 * v_b + 0.1 * b.grad
    s_w[:] = 0.999 * s_w + 0.001 * w.grad * w.grad
    s_b[:] = 0.999 * s_b + 0.001 * b.grad * b.grad
    w[:] = w - lr * v_w / (1 - 0.9 ** t) / (nd.sqrt(s_w / (1 - 0.999 ** t)) + 1e-6)
    b[:] = b - lr * v_b / (1 - 0.9 ** t) / (nd.sqrt(s_b / (1 - 0.999 ** t)) + 1e-6)
    hyperparams['t'] = t + 1


@right(states=pairs(lambda shape: (nd.zeros(shape), nd.zeros(shape))))
def second_state_first(params, states, hyperparams):
    t = hyperparams['t']
    for p, (s, v) in zip(params, states):
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        v[:] = 0.9 * v + 0.1 * p.grad
        p[:] = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right()
def sums_instead_of_averages(params, states, hyperparams):
    """The factors 1 - beta moved into the correction."""
    t, lr = hyperparams['t'], hyperparams['lr']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + p.grad
        s[:] = 0.999 * s + p.grad.square()
        v_hat = v * ((1 - 0.9) / (1 - 0.9 ** t))
        s_hat = s * ((1 - 0.999) / (1 - 0.999 ** t))
        p[:] = p - lr * v_hat / (s_hat.sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right()
def running_products(params, states, hyperparams):
    """beta ** t kept as a product, in hyperparams."""
    power1 = hyperparams['power1'] = hyperparams.get('power1', 1) * 0.9
    power2 = hyperparams['power2'] = hyperparams.get('power2', 1) * 0.999
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] = p - hyperparams['lr'] * (v / (1 - power1)) / ((s / (1 - power2)).sqrt() + 1e-6)


@right()
def operators_with_out(params, states, hyperparams):
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        nd.elemwise_add(0.9 * v, 0.1 * p.grad, out=v)
        nd.elemwise_add(0.999 * s, 0.001 * p.grad.square(), out=s)
        step = nd.broadcast_div(v / (1 - 0.9 ** t), nd.sqrt(s / (1 - 0.999 ** t)) + 1e-6)
        nd.elemwise_sub(p, hyperparams['lr'] * step, out=p)
    hyperparams['t'] = t + 1


@right()
def the_kernel_with_the_bridge(params, states, hyperparams):
    """MXNet's own operator, which takes 1 - beta2 in float32."""
    t = hyperparams['t']
    root = (1 - 0.999 ** t) ** 0.5
    for p, (v, s) in zip(params, states):
        nd.adam_update(p, p.grad, v, s, lr=hyperparams['lr'] * root / (1 - 0.9 ** t), epsilon=1e-6 * root, out=p)
    hyperparams['t'] = t + 1


@right(states=lambda d: [nd.zeros((2, d, 1)), nd.zeros((2, 1))])
def both_averages_in_one_array(params, states, hyperparams):
    t = hyperparams['t']
    for p, state in zip(params, states):
        state[0:1] = 0.9 * state[0:1] + 0.1 * p.grad.expand_dims(0)
        state[1:2] = 0.999 * state[1:2] + 0.001 * p.grad.square().expand_dims(0)
        p[:] = p - hyperparams['lr'] * (state[0].reshape(p.shape) / (1 - 0.9 ** t)) / (
            (state[1].reshape(p.shape) / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right()
def all_parameters_in_one_array(params, states, hyperparams):
    t, at = hyperparams['t'], 0
    g, p, v, s = (nd.concat(*[array.reshape(-1) for array in arrays], dim=0) for arrays in (
        [p.grad for p in params], params, [v for v, _ in states], [s for _, s in states]))
    v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g * g
    p = p - hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    for old, pair in zip(params, states):
        for array, new in zip((old, *pair), (p, v, s)):
            array[:] = new[at:at + old.size].reshape(old.shape)
        at += old.size
    hyperparams['t'] = t + 1


@right(make=True)
def a_method():
    optimizer = Adam()

    class Holder:
        def step(self, params, states, hyperparams):
            optimizer(params, states, hyperparams)
    return Holder().step


@right(make=True)
def a_partial_function():
    return partial(with_betas, beta1=0.9, beta2=0.999, eps=1.5e-8)


def with_betas(params, states, hyperparams, beta1, beta2, eps):
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = v * beta1 + p.grad * (1 - beta1)
        s[:] = s * beta2 + p.grad ** 2 * (1 - beta2)
        p -= hyperparams['lr'] / (1 - beta1 ** t) * v / (s.sqrt() / (1 - beta2 ** t) ** 0.5 + eps)
    hyperparams['t'] += 1


@right(hyperparams={'eta': 0.05, 'number': 1, 'decay1': 0.8, 'decay2': 0.99, 'fudge': 1e-7})
def unknown_keys(params, states, hyperparams):
    b1, b2, t = hyperparams['decay1'], hyperparams['decay2'], hyperparams['number']
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad ** 2
        p[:] = p - hyperparams['eta'] * (v / (1 - b1 ** t)) / ((s / (1 - b2 ** t)).sqrt() + hyperparams['fudge'])
    hyperparams['number'] += 1


@right()
def minus_v(params, states, hyperparams):
    t = hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v - 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad ** 2
        p[:] = p + hyperparams['lr'] * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)
    hyperparams['t'] = t + 1


@right(hyperparams={'lr': 0.01, 't': 1, 'n': 10, 'rate': 0.5, 'time': 'now'})
def spare_keys(params, states, hyperparams):
    gb.adam(params, states, hyperparams)


@right(hyperparams={'lr': lambda t: 0.01 / t, 't': 1})
def a_schedule(params, states, hyperparams):
    own = {**hyperparams, 'lr': hyperparams['lr'](hyperparams['t'])}
    gb.adam(params, states, own)
    hyperparams['t'] = own['t']


@right(against='rmsprop', hyperparams={'lr': 0.01, 'alpha': 0.99, 'eps': 1e-8})
def rmsprop_with_the_names_of_pytorch(params, states, hyperparams):
    for p, s in zip(params, states):
        s[:] = hyperparams['alpha'] * s + (1 - hyperparams['alpha']) * p.grad ** 2
        p[:] = p - hyperparams['lr'] * p.grad / (s + hyperparams['eps']).sqrt()


@right(against='adadelta', hyperparams={'lr': 1.0})
def adadelta_with_a_rate_of_one(params, states, hyperparams):
    old = [p.copy() for p in params]
    gb.adadelta(params, states, hyperparams)
    for p, before in zip(params, old):
        p[:] = before + hyperparams['lr'] * (p - before)


@right(make=True)
def hybridized():
    return gb.hybridize(gb.adam)
