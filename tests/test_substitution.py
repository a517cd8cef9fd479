"""Wherever a rule finds `nd` and `math`, in methods, schedules or other modules, they are traced; then put back."""
import builtins
import collections
import dataclasses
import functools
import math
import signal
import sys
import threading
import types

import numpy as np
import pytest
from mxnet import nd

from chapter_adam import UntraceableError, hybridize, substitution
from chapter_adam.substitution import substituted
from chapter_adam.surroundings import surroundings
from chapter_adam.tracing import Tape

HELPERS = '''
import math
from mxnet import nd
from mxnet.ndarray import sqrt
def root(s): return nd.sqrt(s)
def slower(t): return 1 / math.sqrt(t)
'''


@pytest.fixture(autouse=True)
def helpers(monkeypatch, tmp_path):
    """Modules of the reader's, which rules import: one is loaded, one is on the path."""
    module = types.ModuleType('helpers')
    exec(HELPERS, vars(module))
    monkeypatch.setitem(sys.modules, 'helpers', module)
    (tmp_path / 'imported_late.py').write_text(HELPERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(globals(), 'helpers', module)
    return module


def updates(root, slower=lambda t: 1 / t):
    """A rule made of the reader's own root of an array and schedule of t."""
    def rule(params, states, h):
        for p in params:
            p[:] -= h['lr'] * slower(h['t']) * p.grad / (root(p.grad * p.grad) + p * p)
        h['t'] += 1
    return rule


class Method:
    def __init__(self):
        self.power = 0.5

    def root(self, s):
        return nd.sqrt(s) + nd.exp(s - self.power)

    @staticmethod
    def square(s):
        return nd.square(s)

    @classmethod
    def slower(cls, t):
        return 1 / math.sqrt(t)

    @property
    def two(self):
        return math.sqrt(4)

    def __call__(self, params, states, h):
        for p in params:
            p[:] -= h['lr'] * self.two * self.slower(h['t']) * p.grad / (self.root(p) + self.square(p.grad))
        h['t'] += 1


class Derived(Method):
    def root(self, s):
        return super().root(s) + nd.tanh(s)

    def __call__(self, params, states, h):
        super().__call__(params, states, h)


class Cosine:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, t):
        return (1 + math.cos(math.pi * t / self.steps)) / 2


class Namespaced:
    sqrt, maths = staticmethod(nd.sqrt), math


class InItsBody:
    cos, sqrt = math.cos, nd.sqrt

    def slower(self, t):
        return 1 + self.cos(t)


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ('sqrt',)
    sqrt: object


class Kinds:
    def of(self, x):
        return 0.5 if type(x) is int else 1.5


def warm(t):
    return min(1, math.sqrt(t) / 5)


def attributes():
    made = types.SimpleNamespace(sqrt=nd.sqrt, maths=math)
    return updates(lambda s: made.sqrt(s), lambda t: made.maths.exp(-t))


def outer_variable():
    module, maths = nd, math
    return updates(lambda s: module.sqrt(s), lambda t: maths.log1p(t))


def defaults():
    def root(s, sqrt=nd.sqrt, *, also=nd.tanh):
        return sqrt(s) + also(s)
    return updates(root)


def one_of_a_dict():
    schedules = {'warm': warm, 'exp': lambda t: math.exp(-t)}
    return updates(nd.sqrt, lambda t: schedules['warm'](t) * schedules['exp'](t))


def imported_inside():
    def root(s):
        from helpers import root
        import mxnet as mx
        return root(s) + mx.nd.tanh(s)

    def slower(t):
        import math as maths
        return 1 / maths.sqrt(t)
    return updates(root, slower)


def which_is_which():
    return updates(lambda s: nd.sqrt(s) if OF['sqrt'] is nd.sqrt else nd.square(s))


def imported_late():
    sys.modules.pop('imported_late', None)

    def root(s):
        from imported_late import root
        return root(s)
    return updates(root)


OF = {'sqrt': nd.sqrt}
BY_DEFAULT, SLOTTED = collections.defaultdict(int, sqrt=nd.sqrt), Slotted(nd.sqrt)
PAIR = (nd.sqrt, nd.tanh)
LIST = [nd.sqrt]
CLIPPED = functools.partial(nd.clip, a_min=0.5, a_max=3)
KINDS = Kinds()


@pytest.mark.parametrize('make', [
    Method, Derived, lambda: Derived().__call__, attributes, outer_variable, defaults, one_of_a_dict, imported_inside,
    which_is_which, lambda: updates(nd.sqrt, Cosine(20)), lambda: updates(lambda s: helpers.root(s)),
    lambda: updates(lambda s: helpers.sqrt(s), lambda t: helpers.slower(t)), lambda: updates(lambda s: OF['sqrt'](s)),
    lambda: updates(lambda s: PAIR[0](s) + PAIR[1](s)), lambda: updates(lambda s: LIST[0](s)),
    lambda: updates(lambda s: CLIPPED(s)), lambda: updates(functools.partial(nd.clip, a_min=0.5, a_max=3)),
    lambda: updates(lambda s: Namespaced.sqrt(s), lambda t: Namespaced.maths.sqrt(t)),
    lambda: updates(nd.sqrt, lambda t: KINDS.of(t)), lambda: functools.partial(updates(nd.sqrt)),
    lambda: updates(nd.sqrt, lambda t: round(1 / t, 2) + math.floor(t / 2) + math.ceil(t / 3) + math.trunc(t / 4)),
    lambda: updates(nd.sqrt, lambda t: round(10 / t)), imported_late, lambda: updates(nd.sqrt, InItsBody().slower),
    lambda: updates(lambda s: BY_DEFAULT['sqrt'](s)), lambda: updates(lambda s: SLOTTED.sqrt(s)),
    lambda: updates(lambda s: SLOTTED.sqrt(s) + len(SLOTTED.sqrt.__name__))])
def test_what_a_rule_calls_is_traced(make):
    assert_agree(make, {})


def with_root(root, params, states, h, slower=math.exp):
    params[0][:] -= h['lr'] * slower(-h['t']) * root(params[0].grad * params[0].grad)
    h['t'] += 1


def test_functions_of_nd_and_math_in_a_rule_that_is_a_partial_are_traced():
    assert_agree(lambda: functools.partial(with_root, nd.sqrt, slower=math.expm1), {})


def over(function, t):
    return 1 / function(t)


@pytest.mark.parametrize('schedule', [
    Cosine(20), warm, functools.partial(pow, 0.9), lambda t: math.exp(-t), functools.partial(over, math.sqrt)])
def test_a_schedule_among_the_hyperparameters_is_traced(schedule):
    def rule(params, states, h):
        params[0][:] -= h['lr'] * h['schedule'](h['t']) * params[0].grad
        h['t'] += 1
    assert_agree(lambda: rule, {'schedule': schedule})


def assert_agree(make, more):
    curves = []
    for rule in (make(), hybridize(make())):
        p, h, curve = parameter(), {'lr': 0.05, 't': 1, **more}, []
        for _ in range(8):
            rule([p], None, h)
            curve.append(p.asnumpy())
        curves.append(curve)
    np.testing.assert_allclose(*curves, rtol=1e-6)


def parameter():
    p = nd.array([[0.5], [1.0], [2.0]])
    p.attach_grad()
    p.grad[:] = nd.array([[1.0], [-2.0], [0.1]])
    return p


def branches(params, states, h):
    made = KINDS.of(h['t']) * PAIR[0](helpers.root(params[0]))
    if made.sum() > 1:
        params[0][:] = 0


@pytest.mark.parametrize('rule', [branches, updates(lambda s: Namespaced.sqrt(s) + LIST[0](s) + Method().root(s))])
def test_all_is_put_back(rule):
    holders = [globals(), vars(helpers), OF, vars(Namespaced), {'import': builtins.__import__}]
    before = [dict(holder) for holder in holders], list(LIST), PAIR
    try:
        hybridize(rule)([parameter()], None, {'lr': 0.1, 't': 1})
    except UntraceableError:
        assert rule is branches
    now = [dict(holder) for holder in holders[:-1]] + [{'import': builtins.__import__}], list(LIST), PAIR
    assert now == before and 'type' not in globals()


def test_all_is_put_back_where_the_rule_has_made_a_list_shorter():
    fewer, kept = [nd.sqrt, nd.tanh], [nd.exp]

    def rule(params, states, h):
        mine = fewer
        params[0][:] -= mine.pop()(kept[0](params[0].grad))
    with pytest.raises(UntraceableError, match='something else at each call'):
        hybridize(rule)([parameter()], None, {})
    assert fewer == [nd.sqrt, nd.tanh] and kept == [nd.exp]


def test_the_libraries_themselves_are_left_alone():
    """Somebody else, MXNet included, may look there meanwhile."""
    before = vars(sys.modules['mxnet.ndarray']).copy()
    with substituted([surroundings(Method())], Tape()):
        assert nd.sqrt is not before['sqrt']
        assert vars(sys.modules['mxnet.ndarray']) == before


def test_what_the_rule_puts_in_such_a_place_is_seen():
    table = {'sqrt': nd.sqrt}

    def rule(params, states, h):
        mine = table
        mine['sqrt'] = nd.tanh
        params[0][:] -= table['sqrt'](params[0].grad)
    with pytest.raises(UntraceableError, match='something else at each call'):
        hybridize(rule)([parameter()], None, {})


def test_another_thread_sees_the_module_itself():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(nd.random.uniform(shape=(1,)).shape))
    with substituted([surroundings(Method())], Tape()):
        with pytest.raises(UntraceableError, match='uses mxnet.ndarray.random'):
            nd.random
        thread.start()
        thread.join()
    assert seen == [(1,)]


class Shared:
    def __init__(self):
        self.act, self.schedule = nd.tanh, {'cos': math.cos}

    def __call__(self, params, states, h):
        for p in params:
            p[:] -= h['lr'] * (2 + self.schedule['cos'](h['t'])) * self.act(p.grad)
        h['t'] += 1


def test_ctrl_c_waits_until_all_is_put_back(ctrl_c, monkeypatch):
    table, put = {'sqrt': nd.sqrt}, substitution._put

    def struck_first(walks, tape, done):
        put(walks, tape, done)
        done.insert(0, (lambda before: signal.raise_signal(signal.SIGINT), None))
    monkeypatch.setattr(substitution, '_put', struck_first)
    with pytest.raises(KeyboardInterrupt):
        with substituted([surroundings(lambda: table['sqrt'])], Tape()):
            assert table['sqrt'] is not nd.sqrt
    assert table == {'sqrt': nd.sqrt} and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_handler_of_pythons_or_in_another_thread_nothing_is_held(monkeypatch):
    monkeypatch.setattr(signal, 'signal', lambda *_: pytest.fail('touched the handler'))
    thread = threading.Thread(target=lambda: hybridize(Method())([parameter()], None, {'lr': 0.1, 't': 1}))
    thread.start()
    thread.join()
    monkeypatch.setattr(signal, 'getsignal', lambda _number: signal.SIG_IGN)
    hybridize(Method())([parameter()], None, {'lr': 0.1, 't': 1})


def test_threads_that_trace_one_object_do_not_meet():
    """Each waits for the others' stand-ins to be gone, before it looks around and before it keeps what it saw."""
    shared, wrong, interval = Shared(), [], sys.getswitchinterval()

    def work():
        for _ in range(6):
            try:
                hybridize(shared)([parameter()], None, {'lr': 0.1, 't': 1})
            except Exception as error:
                wrong.append(error)
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong and shared.act is nd.tanh and shared.schedule == {'cos': math.cos}


def test_a_list_with_a_hyperparameter_is_named():
    def rule(params, states, h):
        params[0][:] -= nd.array([h['lr']]) * params[0]
    with pytest.raises(UntraceableError, match='passes a list with a hyperparameter to nd.array'):
        hybridize(rule)([parameter()], None, {'lr': 0.1})


def test_a_keyword_of_math_is_named():
    def rule(params, states, h):
        params[0][:] -= h['t'] * math.isclose(h['t'], 3, rel_tol=0.1)
    with pytest.raises(UntraceableError, match='calls math.isclose with a hyperparameter and a keyword'):
        hybridize(rule)([parameter()], None, {'t': 1})
