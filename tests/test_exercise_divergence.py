"""The exercise `divergence` against the rules written once more, in float64 and for one problem at a time."""
import json
from math import sqrt

import outside
import pytest

from chapter_adam.exercises import divergence

FACTS = json.loads((outside.CLONE / 'figures' / 'exercise-divergence.json').read_text())


def walk(rule, period, beta1, beta2, steps=30000):
    """The positions after 30, 300, ... steps from 0, and what the last period's slopes are divided by."""
    x, v, s, top, at, sizes = 0.0, 0.0, 0.0, 0.0, {}, []
    for t in range(1, steps + 1):
        g = period * 4 / 3 if t % period == 1 else -1.0
        v = beta1 * v + (1 - beta1) * g
        if rule == 'yogi':
            s += (1 - beta2) * g * g * ((g * g > s) - (g * g < s))
        else:
            s = beta2 * s + (1 - beta2) * g * g
        top = max(top, s)
        size = sqrt({'adam': s / (1 - beta2 ** t), 'amsgrad': top, 'yogi': s}[rule])
        step = v / (1 - beta1 ** t) if rule == 'adam' else v
        x = min(1.0, max(-1.0, x - 0.5 / sqrt(t) * step / (size + (1e-3 if rule == 'yogi' else 1e-6))))
        sizes.append(size)
        if t in (30, 300, 3000, 30000):
            at[str(t)] = x
    return at, sizes[-period:]


@pytest.mark.parametrize('rule', divergence.NAMES)
@pytest.mark.parametrize('betas, name, period', [('paper', 'short', 3), ('book', 'short', 3), ('book', 'long', 5000)])
def test_positions_are_those_of_float64(rule, betas, name, period):
    facts = FACTS['runs'][betas][rule][name]
    at, sizes = walk(rule, period, *FACTS['settings']['betas'][betas].values())
    assert facts['at'] == pytest.approx(at, abs=2e-3)
    if rule == 'adam':
        assert min(facts['size']) == pytest.approx(min(sizes), rel=0.03) and max(facts['size']) == pytest.approx(
            max(sizes), rel=1e-3)


def test_a_planted_wrong_number_breaks_its_sentence():
    for path, wrong, broken in [(('runs', 'paper', 'adam', 'short', 'at', '30000'), -1.0, 0),
                                (('runs', 'paper', 'adam', 'short', 'up'), 1.0, 1),
                                (('runs', 'paper', 'amsgrad', 'short', 'down'), 0.5, 1),
                                (('drawn', 'yogi', 'most'), 0.1, 2),
                                (('runs', 'book', 'adam', 'short', 'at', '30'), 1.0, 3),
                                (('runs', 'book', 'amsgrad', 'long', 'at', '30000'), 1.0, 4),
                                (('runs', 'book', 'adam', 'ends'), [1.0, -1.0] * 6, 5)]:
        facts = json.loads(json.dumps(FACTS))
        place = facts
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = wrong
        assert [holds for _, holds in divergence.answer(facts)] == [k != broken for k in range(6)], path
