"""The page's random numbers are NumPy's; its rules follow the float64 oracle at every step; mistakes are caught."""
import re

import numpy as np
import oracle
from engine import HERE, ask, run_node, source
from test_rules import OTHERS

from chapter_adam import rules


def test_the_modules_pass_their_own_tests():
    done = run_node('--test', '--test-isolation=none', *sorted(HERE.glob('*.test.mjs')))
    assert done.returncode == 0, done.stdout
    assert int(re.search(r'pass (\d+)', done.stdout)[1]) > 5


# random numbers

LARGE = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12345, 2 ** 53 - 1]


def drawn(seed, draws):
    """What NumPy draws."""
    generator = np.random.default_rng(seed)
    return [getattr(generator, method)(*given) for method, *given in draws]


def test_a_thousand_seeds_draw_numpys_starts_and_orders():
    seeds, draws = [*range(1000), *LARGE], [('normal', 0, 0.01, 5), ('permutation', 1503), ('permutation', 7)]
    answer, = ask('random', [{'seeds': seeds, 'draws': draws}])
    for seed, (start, *orders) in zip(seeds, answer):
        expected, *theirs = drawn(seed, draws)
        assert (np.array(start, np.float32) == expected.astype(np.float32)).all(), seed
        assert orders == [order.tolist() for order in theirs], seed


MISTAKES_IN_RANDOM = [
    ('[low, high] =', '[high, low] ='), ('0x9fccf645', '0x9fccf641'), ('>>> 26', '>>> 27'), ('turn >>> 5', '0'),
    ('this.increment[0] |= 1', ''), ('stream[k - 1] >>> 31', '0'), ('seed / WORD', '0'), ('k % 4', 'k & 1'),
    ('from !== to', 'from < to'), ('carry(c0)', '0'), ('carry(c1)', '0'), ('carry(c2)', '0'), ('word >>> 16', '0'),
    ('* 2 ** 21', '* 2 ** 20'), ('low >>> 11', 'low >>> 12'), ('this.spare[0] = this.bits[1]', ''),
    ('other > last', 'other >= last'), ('last > 0', 'last > 1'), ('0x100 ? -1 : 1', '0x200 ? -1 : 1'),
    ('0x1fffffff', '0xfffffff'), ('0x20000 ?', '0x40000 ?'), ('k === 1 ? 0', 'k === 1 ? 1'), ('2 * y', 'y / 2'),
    ('top - bottom', 'top'), ('3.654152885361009', '3.6541528854'), ('0.00492867323397465', '0.00492867324'),
]


def test_every_branch_draws_numpys_numbers_and_mistakes_are_caught():
    """The 300 normal numbers of seed 461 come from every part of the ziggurat: layers, edges, the tail."""
    orders = [('permutation', n) for n in (1, 2, 7, 33, 150)]
    seeds, draws = [461, *LARGE[-3:]], [('normal', 3, 2, 300), *orders, ('normal', 0, 1, 3), *orders]
    expected = [np.concatenate(drawn(seed, draws)) for seed in seeds]

    def are_numpys(answer):  # but for the last digit of a logarithm
        return all(np.allclose(sum(ours, []), each, rtol=1e-13, atol=1e-14) for ours, each in zip(answer, expected))

    assert [old for old, _ in MISTAKES_IN_RANDOM if source('random').count(old) != 1] == []
    request = {'seeds': seeds, 'draws': draws}
    right, *mutants = ask('random', [request, *({**request, 'edit': edit} for edit in MISTAKES_IN_RANDOM)])
    assert are_numpys(right)
    assert [edit for edit, mutant in zip(MISTAKES_IN_RANDOM, mutants)
            if 'error' not in mutant and are_numpys(mutant)] == []


# rules

GRADIENTS, START = oracle.noisy_gradients((6,)), np.linspace(-1, 1, 6)
PROBLEM = {'gradients': np.array(GRADIENTS).tolist(), 'start': START.tolist()}
SWITCHES = [({'correction': 'none'}, oracle.uncorrected), ({'epsPlace': 'inside'}, oracle.epsilon_inside),
            ({'epsPlace': 'hat'}, oracle.epsilon_hat), ({'firstT': 2}, oracle.late_clock)]
# (rule, what the page is given, the oracle's path)
CASES = [(name, given, oracle.RULES[name](GRADIENTS, START, **given))
         for name in oracle.RULES for given in ({}, OTHERS[name], {'lr': 0.3})]
CASES += [('adam', {**switch, 'eps': eps}, oracle.adam(GRADIENTS, START, eps=eps, move=move))
          for switch, move in SWITCHES for eps in (1e-6, 0.1)]


def paths(name=None, edit=None):
    """Requests for the paths of all cases, or of one rule."""
    return [{'rule': rule, 'hyperparams': given, 'edit': edit} for rule, given, _ in CASES if name in (None, rule)]


def off(found, name=None):
    """How far paths are from the oracle's, relative to its largest number; nan if any number is none."""
    expected = [path for rule, _, path in CASES if name in (None, rule)]
    return np.max([np.abs(np.array(ours, float) - path).max() / np.abs(path).max()
                   for ours, path in zip(found, expected)])


def test_every_rule_follows_the_oracle_at_every_step():
    assert off(ask('path', paths(), **PROBLEM)) < 1e-12
    assert [*dict(bodies())] == [*rules.RULES]


def bodies():
    """(name, text) of each rule of the page."""
    return re.findall(r'^  (\w+): (rule\(.*?^  \}\),)$', source('rules'), re.M | re.S)


def mistakes_in(body):
    """Texts of a rule with a line of its loop left out, or one sign, factor or name changed."""
    for line in re.findall(r'^      .*;$', body, re.M):
        changes = [('1 - ', ''), (' + ', ' - '), ('-=', '+='), ('beta1', 'beta2'), ('sqrt(', '(')]
        for changed in {'', *(line.replace(old, new, 1) for old, new in changes)} - {line}:
            yield body.replace(line, changed)


MISTAKES_IN_ADAM = [('t - 1 + firstT', 't + firstT'), ('eps / sqrt(rest)', 'eps'), ("=== 'none'", "!== 'none'"),
                    ('sqrt(sHat + eps)', 'sqrt(sHat) + eps'), ('1 - beta2 **', '1 - beta1 **')]


def test_mistakes_in_a_rule_are_caught():
    mutants = [(name, [body, mutant]) for name, body in bodies() for mutant in mistakes_in(body)]
    mutants += [('adam', edit) for edit in MISTAKES_IN_ADAM]
    assert len(mutants) > 70 and all(source('rules').count(old) == 1 for _, (old, _) in mutants)
    requests = [paths(name, edit) for name, edit in mutants]
    found = iter(ask('path', sum(requests, []), **PROBLEM))
    for (name, edit), asked in zip(mutants, requests):
        answer = [next(found) for _ in asked]
        assert any('error' in path for path in answer) or not off(answer, name) < 1e-6, edit
