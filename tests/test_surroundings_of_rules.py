"""What a rule sees besides its arguments: a traced rule follows every change of it, or is refused; never stale."""
import builtins
import collections
import contextlib
import dataclasses
import datetime
import enum
import functools
import itertools
import math
import operator
import random
import sys
import threading
import types
from fractions import Fraction

import mxnet
import numpy as np
import pytest
from mxnet import nd

import chapter_adam as gb
from chapter_adam import UntraceableError, hybridize


def parameter(value=1.0):
    p = nd.full((3, 1), value)
    p.attach_grad()
    p.grad[:] = 2
    return p


def steps(rule, params=None, states=None, hyperparams=None, between=None, count=6):
    """The first parameter's first number after each step."""
    params = params or [parameter()]
    hyperparams = {'lr': 0.1, 't': 1} if hyperparams is None else hyperparams
    out = []
    for k in range(count):
        if between:
            between(k)
        rule(params, states, hyperparams)
        out.append(float(params[0][0, 0].asscalar()))
    return out, list(hyperparams.items()), list(map(type, hyperparams.values()))


def agree(make, **arguments):
    """Eager and traced do the same, the arguments made anew for each by functions."""
    eager, traced = (steps(kind(make()), **{name: value if name in ('between', 'count') else value()
                                            for name, value in arguments.items()}) for kind in (_eager, hybridize))
    np.testing.assert_equal(traced, eager)


def _eager(rule):
    return rule


def refuse(make, words='cannot become a graph', **arguments):
    """Eager it runs; traced it is refused."""
    eager, traced = ({name: value if name in ('between', 'count') else value() for name, value in arguments.items()}
                     for _ in range(2))
    steps(make(), **eager)
    with pytest.raises(UntraceableError, match=words) as caught:
        steps(hybridize(make()), **traced)
    assert 'hybridize=False' in str(caught.value)


# --- a state of the rule's own

N = 0


class Clock:
    now = 0


def tick(cache={'n': 0}):
    cache['n'] += 1
    return cache['n']


def sub(params, factor):
    for p in params:
        p[:] -= factor * p.grad


def global_inside(params, states, h):
    def inner():
        global N
        N += 1
        return N
    sub(params, h['lr'] / inner())


def by_globals(params, states, h):
    globals()['N'] += 1
    sub(params, h['lr'] / N)


def outer_variable():
    n = 0

    def rule(params, states, h):
        def inner():
            nonlocal n
            n += 1
            return n
        sub(params, h['lr'] / inner())
    return rule


def decorated():
    @functools.wraps(global_inside)
    def wrapper(*arguments):
        return global_inside(*arguments)
    return wrapper


def class_attribute(params, states, h):
    Clock.now += 1
    sub(params, 0.5 if Clock.now % 4 == 0 else 0.1)


def default_of_a_helper(params, states, h):
    sub(params, 0.5 if tick() % 4 == 0 else 0.1)


class ObjectInside:
    def __init__(self):
        self.clock = types.SimpleNamespace(n=0)

    def __call__(self, params, states, h):
        self.clock.n += 1
        sub(params, 0.5 if self.clock.n % 4 == 0 else 0.1)


def generator():
    schedule = (lr for lr in itertools.repeat(0.1))
    return lambda params, states, h: sub(params, next(schedule))


def draws_rarely(params, states, h):
    sub(params, 0.5 if random.random() < 0.01 else 0.1)


def draws_numpy(params, states, h):
    sub(params, 0.5 if np.random.default_rng().random() < 0.01 else 0.1)


def draws_mxnet(params, states, h):
    sub(params, 0.5 if nd.random_uniform(shape=(1,)).asscalar() < 0.01 else 0.1)


def shuffles(params, states, h):
    params[0][:] -= nd.shuffle(params[0])


def asks_the_mode(params, states, h):
    sub(params, 0.1 if mxnet.autograd.is_training() else 0.5)


def talks(params, states, h):
    sub(params, 0.1)
    print('a step')


@pytest.mark.parametrize('make, words', [
    (lambda: global_inside, 'N .= 1.*changes N'), (lambda: by_globals, 'globals'), (outer_variable, 'changes n'),
    (decorated, 'changes N'), (lambda: class_attribute, 'state of its own'),
    (lambda: default_of_a_helper, 'state of its own'), (ObjectInside, 'state of its own'),
    (generator, '`schedule`, a generator'), (lambda: draws_rarely, '`random`'), (lambda: draws_numpy, 'numpy'),
    (lambda: draws_mxnet, 'draws at random'), (lambda: shuffles, 'nd.shuffle'), (lambda: asks_the_mode, 'autograd'),
    (lambda: talks, 'print'),
])
def test_what_a_graph_would_not_repeat_is_refused(make, words):
    refuse(make, words)


def test_a_callable_hyperparameter_with_a_state_of_its_own():
    def hyperparams():
        count = itertools.count(1)
        return {'lr': lambda: 1 / next(count)}
    refuse(lambda: lambda params, states, h: sub(params, h['lr']()), hyperparams=hyperparams)


class Velocities:
    def __init__(self):
        self.v = [nd.zeros((3, 1))]

    def __call__(self, params, states, h):
        for p, v in zip(params, self.v):
            v[:] = 0.9 * v + h['lr'] * p.grad
            p[:] -= v


def lazy_velocities():
    velocities, rates, seen = [], {}, set()

    def rule(params, states, h):
        if not velocities:
            velocities.extend(nd.zeros_like(p) for p in params)
        rates.update(lr=h['lr'])
        seen.add(len(velocities))
        for p, v in zip(params, velocities):
            v[:] = 0.9 * v + h['lr'] * p.grad
            p[:] -= v
    return rule


def scheduled():
    schedule = mxnet.lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=0.1)
    return lambda params, states, h: sub(params, schedule(h['t'] + 5))


def counting():
    counts = np.zeros(1)

    def rule(params, states, h):
        counts[:] += 1
        sub(params, float(counts[0]))
    return rule


@pytest.mark.parametrize('make', [Velocities, lazy_velocities, scheduled, counting])
def test_a_refusal_leaves_the_rule_as_it_was(make):
    """The message advises hybridize=False: that must then start where a fresh rule does."""
    refused = make()
    with pytest.raises(UntraceableError):
        steps(hybridize(refused))
    assert steps(refused) == steps(make())


def test_the_line_is_the_rules_where_a_library_is_refused(caplog):
    import logging
    refuse(lambda: lambda ps, s, h: logging.info('step'), r'line \d+ `refuse\(lambda: lambda ps, s, h: logging.info')


# --- surroundings that change between calls

config = types.ModuleType('config')
NESTED = types.SimpleNamespace(optimizer=types.SimpleNamespace())
ARRAY, LONG = nd.array([0.1]), np.full(2000, 0.1)
LR, HELPER, ACTIVATION = 0.1, None, nd.sign


class Schedule:
    lr = 0.1

    def get(self):
        return self.lr


schedule = Schedule()
get = schedule.get


def slow(g):
    return 0.1 * g


def quick(g):
    return 0.5 * g


def scaled(g):
    return LR * g


def rate():
    return LR


def setting(value):
    global LR, HELPER, ACTIVATION
    LR, HELPER, ACTIVATION = value, slow if value == 0.1 else quick, nd.sign if value == 0.1 else nd.tanh
    config.lr = NESTED.optimizer.lr = schedule.lr = Clock.lr = value
    ARRAY[:] = LONG[500] = value


SEEN = {
    'global of a helper': lambda ps, s, h: ps[0].__setitem__(..., ps[0] - scaled(ps[0].grad)),
    'helper': lambda ps, s, h: ps[0].__setitem__(..., ps[0] - HELPER(ps[0].grad)),
    'module': lambda ps, s, h: sub(ps, config.lr),
    'class': lambda ps, s, h: sub(ps, Clock.lr),
    'object in an object': lambda ps, s, h: sub(ps, NESTED.optimizer.lr),
    'NDArray': lambda ps, s, h: sub(ps, float(ARRAY.asscalar())),
    'long array': lambda ps, s, h: sub(ps, float(LONG[500])),
    'operator': lambda ps, s, h: ps[0].__setitem__(..., ps[0] - ACTIVATION(ps[0].grad)),
    'bound method': lambda ps, s, h: sub(ps, get()),
    'partial': functools.partial(lambda ps, s, h, of: sub(ps, of.lr), of=config),
    'callable hyperparameter': lambda ps, s, h: sub(ps, h['lr']()),
}


@pytest.mark.parametrize('name', SEEN)
def test_a_change_takes_effect(name):
    agree(lambda: SEEN[name], between=lambda k: setting(0.1 if k < 3 else 0.5), hyperparams=lambda: {'lr': rate})


class Meta(type):
    lr = 0.1


class OfMeta(metaclass=Meta):
    pass


class Callable:
    lr = 0.1

    def __call__(self):
        return self.lr


ORDERED = collections.OrderedDict(a=0.1, b=0.5)
CALLABLE, WITH_GRADIENT = Callable(), parameter()
Made = dataclasses.make_dataclass('Made', [('x', int, 1)])


def setting_afar(value):
    Clock.lr = Meta.lr = Callable.lr = Made.lr = value
    np.lr_of_a_reader = value
    np.rate_of_a_reader = rate_of_tenth if value == 0.1 else rate_of_half
    sys.modules['package_of_a_reader.config'].lr = value
    ORDERED.move_to_end('b' if value == 0.1 else 'a')
    WITH_GRADIENT.grad[:] = value


def rate_of_tenth():
    return 0.1


def rate_of_half():
    return 0.5


sys.modules['package_of_a_reader'] = types.ModuleType('package_of_a_reader')
sys.modules['package_of_a_reader.config'] = types.ModuleType('package_of_a_reader.config')
RELATIVE = {'__name__': 'package_of_a_reader.rules', '__package__': 'package_of_a_reader', 'sub': sub}
exec('def rule(params, states, h):\n    from .config import lr\n    sub(params, lr)', RELATIVE)


def asking():
    return getattr


AFAR = {
    'names in a tuple': lambda ps, s, h: sub(ps, sum(getattr(Clock, name) for name in ('lr', 'now'))),
    'a name that is made': lambda ps, s, h: sub(ps, getattr(Clock, f'{"l"}r')),
    'getattr under another name': lambda ps, s, h: sub(ps, asking()(Clock, 'lr')),
    'with a third argument': lambda ps, s, h: sub(ps, getattr(Clock, 'lr', 0.2)),
    'dotted names': lambda ps, s, h: sub(ps, operator.attrgetter('__class__.lr')(Clock())),
    'an attribute that comes': lambda ps, s, h: sub(ps, 0.1 if getattr(Clock, 'lr', 0) == 0.1 else 0.2),
    'metaclass': lambda ps, s, h: sub(ps, OfMeta.lr),
    'made dataclass': lambda ps, s, h: sub(ps, Made.lr),
    'order': lambda ps, s, h: sub(ps, next(iter(ORDERED.values()))),
    'gradient': lambda ps, s, h: sub(ps, float(WITH_GRADIENT.grad[0, 0].asscalar())),
    'library': lambda ps, s, h: sub(ps, np.lr_of_a_reader),
    'function in a library': lambda ps, s, h: sub(ps, np.rate_of_a_reader()),
    'relative import': types.FunctionType(RELATIVE['rule'].__code__, RELATIVE),
    'class of a callable': lambda ps, s, h: sub(ps, h['lr']()),
}


@pytest.mark.parametrize('name', AFAR)
def test_a_change_afar_takes_effect(name, monkeypatch):
    monkeypatch.setattr(np, 'lr_of_a_reader', 0.1, raising=False)
    monkeypatch.setattr(np, 'rate_of_a_reader', rate_of_tenth, raising=False)
    agree(lambda: AFAR[name], between=lambda k: setting_afar(0.1 if k < 3 else 0.5),
          hyperparams=lambda: {'lr': CALLABLE} if name == 'class of a callable' else {})


MEMO, AUTO = {}, object()


def keeps_in_an_alias(params, states, h):
    memo = MEMO
    memo['lr'] = h['lr']
    sub(params, h['lr'])


@pytest.mark.parametrize('rule, words, hyperparams', [
    (keeps_in_an_alias, 'state of its own', {'lr': 0.1}),
    (lambda ps, s, h: sub(ps, 0.1 if h['mode'] is AUTO else 0.5), 'also refers to by a name', {'mode': AUTO}),
    (lambda ps, s, h: sub(ps, 0.1 / datetime.datetime.now().year), 'a class of datetime', {}),
    (lambda ps, s, h: sub(ps, 0.1 if builtins.type(h['lr']) is float else 0.5), 'builtins', {'lr': 0.1}),
    (lambda ps, s, h: sub(ps, 0.1 if np.errstate(all='raise') else 0.5), 'errstate', {}),
])
def test_what_would_go_unnoticed_is_refused(rule, words, hyperparams):
    MEMO['lr'] = 0.1  # what the rule will write: to compare before and after is not enough
    refuse(lambda: rule, words, hyperparams=lambda: hyperparams)


COUNTER, OWN_LIST = collections.Counter(), type('OwnList', (list,), {})([1])


@pytest.mark.parametrize('count', [lambda: COUNTER.update(steps=1), lambda: OWN_LIST.append(1)])
def test_what_a_refused_rule_counts_in_is_as_before(count):
    def rule(params, states, h):
        count()
        sub(params, 0.1)
    before = COUNTER.copy(), list(OWN_LIST)
    with pytest.raises(UntraceableError):
        hybridize(rule)([parameter()], None, {})
    assert (COUNTER, list(OWN_LIST)) == before


class Setting:
    a, b = nd.sqrt, nd.tanh


@pytest.mark.parametrize('act', [lambda: setattr(Setting, 'a', Setting.b), lambda: delattr(Setting, 'b')])
def test_attributes_set_by_function_are_a_state_too(act):
    def rule(params, states, h):
        act()
        sub(params, 0.1)
    with pytest.raises(UntraceableError, match='calls (set|del)attr'):
        hybridize(rule)([parameter()], None, {})
    assert vars(Setting)['a'] is nd.sqrt and vars(Setting)['b'] is nd.tanh


def test_a_callable_hyperparameters_own_except_does_not_take_another_way():
    def rate(t):
        try:
            return 1 / (t - 3)
        except ZeroDivisionError:
            return 0.5

    def rule(params, states, h):
        sub(params, h['rate'](h['t']))
        h['t'] += 1
    refuse(lambda: rule, 'ZeroDivisionError', hyperparams=lambda: {'t': 1, 'rate': rate})


def test_a_schedule_among_the_hyperparameters_may_use_math():
    def rule(params, states, h):
        lr = h['lr']
        if callable(lr):
            lr = lr(h['t'])
        sub(params, lr)
        h['t'] += 1
    for lr in (0.1, lambda t: 0.1 * math.cos(t)):
        agree(lambda: rule, hyperparams=lambda lr=lr: {'lr': lr, 't': 1})


class Swallows(contextlib.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True


@Swallows()
def swallowed(t):
    return 1 / (t - 3)


def test_a_decorator_that_swallows_errors_does_not_take_another_way():
    def rule(params, states, h):
        sub(params, 0.1 if swallowed(h['t']) is None else 0.5)
        h['t'] += 1
    refuse(lambda: rule, 'ZeroDivisionError', hyperparams=lambda: {'t': 1})


kind_of = type


def test_a_name_that_is_given_looks_at_nothing_else():
    module = types.ModuleType('module')
    module.lr, module.lock = 0.1, threading.Lock()
    agree(lambda: lambda ps, s, h: sub(ps, getattr(module, 'lr', 0.2) + getattr(module, 'lr')))
    refuse(lambda: lambda ps, s, h: sub(ps, getattr(module, f'{"l"}r', 0.2)), 'lock')


def test_type_under_another_name():
    agree(lambda: lambda ps, s, h: sub(ps, 0.1 if kind_of(h['lr']) is float else 0.5))


def test_an_import_inside_a_rule():
    def rule(params, states, h):
        import math
        from mxnet import nd
        h['t'] += 1
        for p in params:
            p[:] = p - h['lr'] * math.cos(h['t']) * nd.sign(p.grad)
    agree(lambda: rule)


def test_a_number_that_nothing_uses_still_raises_its_error():
    def rule(params, states, h):
        1 / (h['t'] - 3)
        h['t'] += 1
        sub(params, 0.1)
    for kind in (_eager, hybridize):
        with pytest.raises(ZeroDivisionError):
            steps(kind(rule))


def test_states_in_a_class_of_ones_own_are_refused():
    refuse(lambda: halves, 'tuples, lists and dicts', states=lambda: types.new_class('Own', (dict,))())


@pytest.mark.parametrize('kind', [collections.abc.Iterable, collections.abc.Sized, collections.abc.Callable])
def test_a_number_is_none_of_these(kind):
    agree(lambda: lambda ps, s, h: sub(ps, 0.5 if isinstance(h['lr'], kind) else 0.1))


def test_traces_do_not_pile_up(monkeypatch):
    fast = hybridize(lambda params, states, h: sub(params, 0.1 if N < 1000 else 0.2))
    for n in range(80):
        monkeypatch.setitem(globals(), 'N', n)
        fast([parameter()], None, {})
    assert sum(map(len, fast.traces.values())) == 64


# --- arrays that are one, or none

def halves(params, states, h):
    for p in params:
        p[:] = p * 0.5


def reads_a_state(params, states, h):
    params[0][:] = params[0] * 0.5
    params[0].grad[:] += 1
    params[0][:] += states[0].sum()


def test_one_parameter_twice():
    agree(lambda: halves, params=lambda: [parameter()] * 2)


@pytest.mark.parametrize('part, refused', [
    (lambda p: p.detach(), False), (lambda p: p.grad, False),
    (lambda p: p.reshape((3,)), True), (lambda p: p[0:2], True),
], ids=['detach', 'grad', 'reshape', 'slice'])
def test_a_state_that_shares_a_buffer(part, refused):
    results = []
    for rule in (reads_a_state, hybridize(reads_a_state)):
        p = parameter()
        if rule is not reads_a_state and refused:
            with pytest.raises(UntraceableError, match='a view of'):
                steps(rule, [p], [part(p)])
            return
        results.append(steps(rule, [p], [part(p)], count=3))
    assert results[0] == results[1]


def test_sharing_and_gradients_that_come_and_go():
    def rule(params, states, h):
        a, b = states
        a[:] = a + 1
        b[:] = b * 0.5 + a
        params[0][:] = b if params[0].grad is None else b + 1
    results = []
    for fast in (rule, hybridize(rule)):
        for k in range(6):
            a = nd.zeros((3, 1))
            p = parameter() if k % 3 else nd.ones((3, 1))
            fast([p], [a, a if k % 2 else nd.zeros((3, 1))], {})
            results.append(p.asnumpy().tolist())
    assert results[:6] == results[6:]


@pytest.mark.parametrize('make, words', [
    (lambda: nd.ones((3, 1), dtype='float64'), 'float64'), (lambda: nd.ones((3, 1), ctx=mxnet.cpu(1)), r'cpu\(1\)'),
])
def test_other_arrays_are_refused_at_a_later_call_too(make, words):
    fast = hybridize(halves)
    fast([nd.ones((3, 1))], None, {})
    with pytest.raises(UntraceableError, match=words):
        fast([make()], None, {})


# --- stand-ins answer like what they stand for, or not at all

class Mode(enum.IntEnum):
    A, B = 1, 2


KINDS = nd.NDArray, np.ndarray
SCHEDULE = {1: 0.3, 2: 0.2}
cached = functools.lru_cache(lambda t: 0.1 / t)


def chosen(test):
    return lambda: lambda params, states, h: sub(params, 0.1 if test(params[0], h) else 0.5)


@pytest.mark.parametrize('test', [
    lambda p, h: type(p) is nd.NDArray, lambda p, h: isinstance(p, KINDS), lambda p, h: p.__class__ is nd.NDArray,
    lambda p, h: type(h['lr']) is float, lambda p, h: h['m'] is Mode.B, lambda p, h: isinstance(10 ** h['e'], int),
    lambda p, h: h['lr'] is not None and h['lr'] != 'auto',
    lambda p, h: isinstance(p, collections.abc.Hashable),
])
def test_types_are_those_of_the_real_things(test):
    def rule(params, states, h):
        sub(params, 0.1 if test(params[0], h) else 0.5)
        h['e'] -= 1
    agree(lambda: rule, hyperparams=lambda: {'lr': 0.1, 'm': Mode.B, 'e': 2})


@pytest.mark.parametrize('test', [
    lambda p, h: hasattr(h['lr'], 'hex'), lambda p, h: getattr(h['lr'], 'real', 0) > 0,
    lambda p, h: cached(h['t']) > 0, lambda p, h: hash(p), lambda p, h: h['t'].bit_length(),
])
def test_what_a_stand_in_cannot_answer_is_refused(test):
    refuse(chosen(test))


def swallows(action):
    def rule(params, states, h):
        lr = 0.1
        with contextlib.suppress(Exception):
            lr = action(h)
        sub(params, lr)
        h['t'] += 1
    return lambda: rule


@pytest.mark.parametrize('action', [
    lambda h: divmod(h['t'], 2)[1], lambda h: 1 / (h['t'] - 3), lambda h: math.exp(1000 * (h['t'] - 2)),
])
def test_the_rules_own_except_does_not_take_another_way(action):
    refuse(swallows(action))


@pytest.mark.parametrize('low, high', [(-1.0, 1.0), (math.nan, math.nan), (0.5, -0.5), (-math.inf, 1.0)])
def test_clip_is_clip(low, high):
    def rule(params, states, h):
        params[0][:] = nd.clip(params[0], h['low'], h['high']) + nd.clip(data=params[0], a_min=-1, a_max=2)
    for start in (-5.0, 0.0, 5.0):
        agree(lambda: rule, params=lambda: [parameter(start)], hyperparams=lambda: {'low': low, 'high': high}, count=2)


# --- what is left in the arguments

def first_key_last(params, states, h):
    key = next(iter(h))
    h[key] = h.pop(key)
    sub(params, 0.1 if key == 'a' else 0.5)


class Text(str, enum.Enum):
    A = 'a'


@pytest.mark.parametrize('value', [Fraction(1, 3), Text.A, np.float64(0.5), True, None, 'text', math.inf], ids=str)
def test_what_is_written_keeps_its_kind(value):
    def rule(params, states, h):
        h['x'] = value
        sub(params, 0.1)
    agree(lambda: rule)


def test_the_order_of_hyperparameters():
    agree(lambda: first_key_last, hyperparams=lambda: {'a': 1, 'b': 2})


def test_hyperparameters_alone_and_a_sum_into_a_column():
    def rule(params, states, h):
        h['t'] += 1
        if h['t'] > 3:
            params[0][:] = nd.sum(params[0])
    agree(lambda: rule)


def grows(params, states, h):
    states[0].append(None)
    sub(params, 0.1 / len(states[0]))


def renames(params, states, h):
    key = next(iter(states))
    states['new' if key == 'old' else 'old'] = states.pop(key)
    sub(params, 0.1 if key == 'old' else 0.5)


@pytest.mark.parametrize('rule, states', [(grows, lambda: [[]]), (renames, lambda: {'old': nd.zeros(1)})])
def test_states_nested_in_another_way_are_refused(rule, states):
    refuse(lambda: rule, 'nested', states=states)


def test_a_tuple_of_parameters_and_a_returned_value():
    agree(lambda: lambda ps, s, h: sub(ps, 0.1 if isinstance(ps, tuple) else 0.5), params=lambda: (parameter(),))
    refuse(lambda: lambda ps, s, h: 'value', 'returns')


def test_expressions_grow_with_their_operations_alone():
    def rule(params, states, h):
        x = 1.0
        for _ in range(300):
            x = 0.5 * (x + h['lr'] / x)
        sub(params, x)
    agree(lambda: rule, count=2)


def test_lines_are_named_for_objects_and_partials_too():
    class Rule:
        def __call__(self, params, states, h):
            params[0][0] = 1
    for rule in (Rule(), functools.partial(Rule().__call__)):
        with pytest.raises(UntraceableError, match=r'params\[0\]\[0\] = 1'):
            steps(hybridize(rule))


# --- ensembles

@pytest.mark.parametrize('value', [None, True, 'a'])
def test_a_sequence_with_one_value_per_run_holds_numbers(airfoil, value):
    with pytest.raises(TypeError, match=r"hyperparams\['x'\].*must be a number"):
        gb.train_ensemble(halves, None, {'x': [value, 1]}, *airfoil, seeds=[0, 1])


def overwrites(params, states, h):
    sub(params, h['lr'])
    h['lr'] = 0.05


def pops(params, states, h):
    sub(params, h.pop('lr', 0.05))


def ignores(params, states, h):
    sub(params, 0.05)


@pytest.mark.parametrize('rule', [overwrites, pops, ignores])
def test_a_sequence_that_does_not_last(airfoil, rule):
    together = gb.train_ensemble(rule, None, {'lr': [0.1, 0.2]}, *airfoil, seeds=[0, 1], num_epochs=1)
    for seed, lr in enumerate((0.1, 0.2)):
        single = gb.train_ch7(rule, None, {'lr': lr}, *airfoil, seed=seed, num_epochs=1, plot=False)
        assert np.abs(together.losses[:, seed] - single.losses).max() < 1e-5


def test_a_refusal_in_an_ensemble_does_not_send_the_reader_into_another(airfoil):
    def rule(params, states, h):
        sub(params, 0.1 if params[0].sum().asscalar() > 1 else 0.5)
    with pytest.raises(UntraceableError, match='asscalar.*train_ch7 runs it, one seed at a time'):
        gb.train_ensemble(rule, None, {}, *airfoil, seeds=[0, 1])


def test_the_type_of_a_sequences_number(airfoil):
    def rule(params, states, h):
        sub(params, h['lr'] if isinstance(h['lr'], float) else 0.001)
    runs = gb.train_ensemble(rule, None, {'lr': [0.1, 0.2]}, *airfoil, seeds=[0, 1], num_epochs=1)
    single = gb.train_ch7(rule, None, {'lr': 0.2}, *airfoil, seed=1, num_epochs=1, plot=False)
    assert np.abs(runs.losses[:, 1] - single.losses).max() < 1e-5
