"""Adams that are right, written as readers write them: RIGHT names each with what `check` is given besides."""
from functools import partial
from itertools import count

import numpy as np
from mxnet import nd

import chapter_adam as gb

RIGHT = {}
ADAM = '''
def adam(params, states, hyperparams):
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        g = p.grad
        v[:] = beta1 * v + (1 - beta1) * g
        s[:] = beta2 * s + (1 - beta2) * g * g
        v_hat = v / (1 - beta1 ** t)
        s_hat = s / (1 - beta2 ** t)
        p[:] = p - lr * v_hat / (s_hat.sqrt() + eps)
    hyperparams['t'] = t + 1
'''


def right(**given):
    """Puts a rule into RIGHT. `make=True`: the function makes the rule, anew for each check."""
    def put(function):
        make = given.pop('make', False)
        RIGHT[function.__name__] = (function if make else lambda: function), given
        return function
    return put


def rule(*changes):
    """The right text with some of its lines changed, as a function."""
    text = ADAM
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    names = {'nd': nd}
    exec(compile(text, 'my_rules.py', 'exec'), names)
    return names['adam']


def pairs(make):
    """States of both parameters, w (d, 1) and b (1,)."""
    return lambda d: [make((d, 1)), make((1,))]


def update(p, v, s, lr, t, beta1=0.9, beta2=0.999, eps=1e-6):
    """A step of one parameter, for the rules that are of interest for something else."""
    v[:] = beta1 * v + (1 - beta1) * p.grad
    s[:] = beta2 * s + (1 - beta2) * p.grad.square()
    p[:] = p - lr * (v / (1 - beta1 ** t)) / ((s / (1 - beta2 ** t)).sqrt() + eps)


def move(p, v, s, lr, t):
    """The last line alone."""
    p[:] = p - lr * (v / (1 - 0.9 ** t)) / ((s / (1 - 0.999 ** t)).sqrt() + 1e-6)


# The arithmetic: what is written instead of what in a right text.
V, S = 'v[:] = beta1 * v + (1 - beta1) * g', 's[:] = beta2 * s + (1 - beta2) * g * g'
FIRST = "lr, t = hyperparams['lr'], hyperparams['t']\n"
STYLES = {
    'steps towards the gradient': [(V, 'v += (1 - beta1) * (g - v)'), (S, 's += (1 - beta2) * (g * g - s)')],
    'v of the other sign': [('+ (1 - beta1) * g', '- (1 - beta1) * g'), ('p - lr', 'p + lr')],
    'sums instead of averages': [(V, 'v[:] = beta1 * v + g'), ('v / (1', 'v * (1 - beta1) / (1'),
                                 (S, 's[:] = beta2 * s + g * g'), ('s / (1', 's * (1 - beta2) / (1')],
    "Keras's rate with its eps": [(FIRST, f'{FIRST}    root = (1 - beta2 ** t) ** 0.5\n    lr = lr * root\n'),
                                  ('s / (1 - beta2 ** t)', 's'), ('+ eps', '+ eps * root')],
    'powers kept in hyperparams': [
        (FIRST, """lr, get = hyperparams['lr'], hyperparams.get
    power1 = hyperparams['power1'] = get('power1', 1) * 0.9
    power2 = hyperparams['power2'] = get('power2', 1) * 0.999
"""), ('beta1 ** t', 'power1'), ('beta2 ** t', 'power2'), ("\n    hyperparams['t'] = t + 1", '')],
}
RIGHT.update({name: (partial(rule, *changes), {}) for name, changes in STYLES.items()})


@right()
def the_kernel_with_the_bridge(params, states, hyperparams):
    """MXNet's own operator, which takes 1 - beta2 in float32."""
    t = hyperparams['t']
    root = (1 - 0.999 ** t) ** 0.5
    for p, (v, s) in zip(params, states):
        nd.adam_update(p, p.grad, v, s, lr=hyperparams['lr'] * root / (1 - 0.9 ** t), epsilon=1e-6 * root, out=p)
    hyperparams['t'] = t + 1


# The states


@right(states=pairs(lambda shape: {'first': nd.zeros(shape), 'second': nd.zeros(shape)}))
def dicts_rebound(params, states, hyperparams):
    for p, state in zip(params, states):
        state['first'] = 0.9 * state['first'] + 0.1 * p.grad
        state['second'] = 0.999 * state['second'] + 0.001 * p.grad.square()
        move(p, state['first'], state['second'], hyperparams['lr'], hyperparams['t'])
    hyperparams['t'] += 1


@right(states=pairs(lambda shape: (nd.zeros(shape), nd.zeros(shape))))
def second_state_first(params, states, hyperparams):
    for p, (s, v) in zip(params, states):
        update(p, v, s, hyperparams['lr'], hyperparams['t'])
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


class Average:
    """A moving average that knows its correction."""

    def __init__(self, shape, beta):
        self.value, self.beta, self.steps = nd.zeros(shape), beta, 0

    def update(self, new):
        self.steps += 1
        self.value = self.beta * self.value + (1 - self.beta) * new
        return self.value / (1 - self.beta ** self.steps)


@right(states=pairs(lambda shape: (Average(shape, 0.9), Average(shape, 0.999))))
def objects_as_states(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        p[:] = p - hyperparams['lr'] * v.update(p.grad) / (s.update(p.grad.square()).sqrt() + 1e-6)


# The clock, and what else a rule keeps


@right(states=pairs(lambda shape: (nd.zeros(shape), nd.zeros(shape), nd.zeros(1))))
def clock_in_an_array(params, states, hyperparams):
    """beta ** t is computed in float32."""
    for p, (v, s, t) in zip(params, states):
        t += 1
        update(p, v, s, hyperparams['lr'], t)


@right(make=True)
def clock_in_a_closure():
    steps = count(1)

    def adam(params, states, hyperparams):
        gb.adam(params, states, {'lr': hyperparams['lr'], 't': next(steps)})
    return adam


@right(make=True)
def clocks_of_a_module():
    """A number, a number of a helper's, an entry of a dict, and an attribute of the rule's."""
    names = {'gb': gb, 'clock': {'t': 0}, 'steps': 0, 't': 0}
    exec("""
def tick():
    global steps
    steps += 1
    return steps

def adam(params, states, hyperparams):
    global t
    t += 1
    clock['t'] += 1
    adam.t += 1
    assert clock['t'] == adam.t == t == tick()
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
            move(p, self.v[i], self.s[i], hyperparams['lr'], self.t)


@right(make=True)
def an_object():
    return Adam()


@right(make=True)
def a_method():
    optimizer = Adam()

    class Holder:
        def step(self, params, states, hyperparams):
            optimizer(params, states, hyperparams)
    return Holder().step


@right(make=True)
def a_partial_function():
    def adam(params, states, hyperparams, beta1, eps):
        for p, (v, s) in zip(params, states):
            update(p, v, s, hyperparams['lr'], hyperparams['t'], beta1, eps=eps)
        hyperparams['t'] += 1
    return partial(adam, beta1=0.9, eps=1.5e-8)


@right(make=True)
def hybridized():
    return gb.hybridize(gb.adam)


# The hyperparameters


@right(hyperparams={'learning_rate': 0.05, 'epsilon': 1e-8, 'beta_1': 0.9, 'beta_2': 0.99, 'step': 1})
def other_keys(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        update(p, v, s, hyperparams['learning_rate'], hyperparams['step'], hyperparams['beta_1'],
               hyperparams['beta_2'], hyperparams['epsilon'])
    hyperparams['step'] += 1


@right(hyperparams={'eta': 0.05, 'number': 1, 'decay1': 0.8, 'decay2': 0.99, 'fudge': 1e-7})
def unknown_keys(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        update(p, v, s, hyperparams['eta'], hyperparams['number'], hyperparams['decay1'], hyperparams['decay2'],
               hyperparams['fudge'])
    hyperparams['number'] += 1


@right(hyperparams={'alpha': 0.05, 'betas': (0.8, 0.99), 't': 0})
def clock_from_zero(params, states, hyperparams):
    hyperparams['t'] += 1
    for p, (v, s) in zip(params, states):
        update(p, v, s, hyperparams['alpha'], hyperparams['t'], *hyperparams['betas'])


@right()
def all_hyperparameters_read(params, states, hyperparams):
    def get(key, default):
        return hyperparams[key] if key in hyperparams else default

    for p, (v, s) in zip(params, states):
        update(p, v, s, hyperparams['lr'], hyperparams['t'], get('beta1', 0.9), get('beta2', 0.999), get('eps', 1e-8))
    hyperparams.update(t=hyperparams['t'] + 1)


@right()
def no_defaults(params, states, hyperparams):
    lr, t, beta1, beta2, eps = (hyperparams[key] for key in ('lr', 't', 'beta1', 'beta2', 'eps'))
    for p, (v, s) in zip(params, states):
        update(p, v, s, lr, t, beta1, beta2, eps)
    hyperparams['t'] += 1


@right()
def keywords(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        update(p, v, s, **hyperparams)
    hyperparams['t'] += 1


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
