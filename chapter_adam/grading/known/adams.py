"""Adam's known mistakes, each as the pieces of the oracle that it writes otherwise: to add one, add an entry."""
from .mistake import mistake

V, S = 'v <- beta1 v + (1 - beta1) g.', 's <- beta2 s + (1 - beta2) g * g.'
SQUARES, OTHER = 's averages g * g.', 'This is another rule.'
V_HAT, S_HAT, WRITE = 'Divide v by 1 - beta1 ** t.', 'Divide s by 1 - beta2 ** t.', 'Write 1 - beta ** t.'
ABOVE, ROOT, PARENTHESES = 'v_hat goes above the root.', 'Divide by the root of s_hat.', (
    'Write / (sqrt(s_hat) + eps), with parentheses.')
AFTER = 'Add eps after taking the root.'
BELONG, RATE = 'beta1 belongs to v, beta2 to s.', 'The rate is lr sqrt(1 - beta2 ** t) / (1 - beta1 ** t).'
OLD_V, OLD_S = 'old_v / (1 - beta1 ** t)', 'old_s / (1 - beta2 ** t)'

CLOCK = [
    mistake('t never advanced', "End the rule with hyperparams['t'] = t + 1.", t='first', t_moved=False),
    mistake('power t forgotten', 'Divide by 1 - beta ** t, with the number t of the step.', t='1'),
    mistake('power t forgotten in v_hat', V_HAT, v_hat='v / (1 - beta1)'),
    mistake('power t forgotten in s_hat', S_HAT, s_hat='s / (1 - beta2)'),
    mistake('t advanced once per parameter', 'Advance t after the loop over the parameters.',
            t='first + 2 * (k - first) + owner'),
    mistake('t advanced once per parameter', 'Advance t by 1, after the loop over the parameters.',
            t='first + 2 * (k - first)'),
    *[mistake('t advanced in the loop and not kept', "End the rule with hyperparams['t'] = t + 1, after the loop.",
              t=f'first + owner + {before}', t_moved=False) for before in (0, 1)],
    mistake('t advanced once per parameter', 'Advance t once, after the loop over the parameters.',
            t='first + 2 * (k - first) + owner + 1'),
    mistake('t advanced twice', 'Advance t once, at the end of the rule.', t='first + 2 * (k - first) + 1'),
    mistake('t starts at 2', 'Advance t at the end of the rule: the first step has t = 1.', t='k + 1'),
    mistake('t starts at 0', 'The first step has t = 1.', t='k - 1'),
]
CORRECTION = [
    mistake('no bias correction', 'Divide v by 1 - beta1 ** t and s by 1 - beta2 ** t.', v_hat='v', s_hat='s'),
    mistake('only v corrected', 'Divide s by 1 - beta2 ** t too.', s_hat='s'),
    mistake('only s corrected', 'Divide v by 1 - beta1 ** t too.', v_hat='v'),
    mistake('corrected twice', 'Divide by 1 - beta ** t once.', alone=True,
            v_hat='v / (1 - beta1 ** t) ** 2', s_hat='s / (1 - beta2 ** t) ** 2'),
    mistake('corrected averages stored', 'Keep v and s as they are and give v_hat and s_hat names of their own.',
            keep_v='v_hat', keep_s='s_hat'),
    mistake('corrected v stored', 'Keep v as it is and give v_hat a name of its own.', keep_v='v_hat'),
    mistake('corrected s stored', 'Keep s as it is and give s_hat a name of its own.', keep_s='s_hat'),
    mistake('correction multiplied', 'Divide by 1 - beta ** t.',
            v_hat='v * (1 - beta1 ** t)', s_hat='s * (1 - beta2 ** t)'),
    mistake('correction of v multiplied', V_HAT, v_hat='v * (1 - beta1 ** t)', alone=True),
    mistake('correction of s multiplied', S_HAT, s_hat='s * (1 - beta2 ** t)', alone=True),
    mistake('beta * t instead of beta ** t', WRITE, v_hat='v / (1 - beta1 * t)', s_hat='s / (1 - beta2 * t)'),
    mistake('beta ** t instead of 1 - beta ** t', WRITE, v_hat='v / beta1 ** t', s_hat='s / beta2 ** t', alone=True),
    mistake('(1 - beta) ** t instead of 1 - beta ** t', WRITE, alone=True,
            v_hat='v / (1 - beta1) ** t', s_hat='s / (1 - beta2) ** t'),
    mistake('1 - beta ** t without parentheses', 'Write v / (1 - beta1 ** t) and s / (1 - beta2 ** t).', alone=True,
            v_hat='v - beta1 ** t', s_hat='s - beta2 ** t'),
    mistake('betas swapped in the correction', 'v is corrected with beta1, s with beta2.',
            v_hat='v / (1 - beta2 ** t)', s_hat='s / (1 - beta1 ** t)'),
    mistake('v corrected with beta2', 'v is corrected with beta1.', v_hat='v / (1 - beta2 ** t)'),
    mistake('s corrected with beta1', 's is corrected with beta2.', s_hat='s / (1 - beta1 ** t)'),
    mistake('root taken before the correction', 'Divide s by 1 - beta2 ** t before taking the root.',
            root='sqrt(s) / (1 - beta2 ** t) + eps'),
    mistake('s_hat made from v', S_HAT, s_hat='v / (1 - beta2 ** t)', alone=True),
    mistake('v_hat made from s', V_HAT, v_hat='s / (1 - beta1 ** t)', alone=True),
    mistake('root of the correction forgotten', RATE, alone=True,
            v_hat='v * (1 - beta2 ** t) / (1 - beta1 ** t)', s_hat='s'),
    mistake('folded rate upside down', RATE, alone=True,
            v_hat='v * (1 - beta1 ** t) / sqrt(1 - beta2 ** t)', s_hat='s'),
]
BETAS = [
    mistake('betas swapped', BELONG, beta1="given['beta2']", beta2="given['beta1']"),
    mistake('betas swapped in the averages', BELONG,
            v='beta2 * v + (1 - beta2) * g', s='beta1 * s + (1 - beta1) * g ** 2'),
    mistake('beta1 used for both', 's has beta2.', s='beta1 * s + (1 - beta1) * g ** 2', s_hat='s / (1 - beta1 ** t)'),
    mistake('beta2 used for both', 'v has beta1.', v='beta2 * v + (1 - beta2) * g', v_hat='v / (1 - beta2 ** t)'),
    mistake('beta1 used in the average of s', 's has beta2.', s='beta1 * s + (1 - beta1) * g ** 2', alone=True),
    mistake('beta2 used in the average of v', 'v has beta1.', v='beta2 * v + (1 - beta2) * g', alone=True),
]
EPS = [
    mistake('eps-hat', '', root='sqrt(below) + eps / sqrt(1 - beta2 ** t)',
            convention="Gluon's and Keras's: eps is added to the root of the uncorrected s"),
    mistake('eps inside the root', AFTER, root='sqrt(below + eps)'),
    *[mistake('eps outside, without parentheses', PARENTHESES, root='sqrt(below)', shift=shift)
      for shift in ('move - eps', 'move + eps', 'move + lr * eps')],
    mistake('eps forgotten', 'Add eps to the root: a gradient that is always 0 gives 0 / 0.', root='sqrt(below)'),
    mistake('eps / (1 - beta2 ** t)', 'eps is added to sqrt(s_hat) as it is.', alone=True,
            root='sqrt(below) + eps / (1 - beta2 ** t)'),
    mistake('eps inside the root of the uncorrected s', AFTER, root='sqrt((s + eps) / (1 - beta2 ** t))', alone=True),
    mistake('eps subtracted', 'Add eps.', root='sqrt(below) - eps', alone=True),
    mistake('root forgotten', ROOT, root='below + eps'),
    mistake('division forgotten', ROOT, root='1.0'),
    mistake('v_hat forgotten', ABOVE, step='lr / root', alone=True),
    mistake('g instead of v_hat', ABOVE, step='lr * g / root'),
    mistake('multiplied by the root', ROOT, step='lr * above * root', alone=True),
]
AVERAGES = [
    mistake('square forgotten', SQUARES, s='beta2 * s + (1 - beta2) * g'),
    mistake('absolute value instead of square', SQUARES, s='beta2 * s + (1 - beta2) * abs(g)'),
    mistake('v and s swapped', 'v_hat goes above, the root of s_hat below.', above='s_hat', below='v_hat'),
    mistake('g and g * g swapped', 'v averages g, s averages g * g.', alone=True,
            v='beta1 * v + (1 - beta1) * g ** 2', s='beta2 * s + (1 - beta2) * g'),
    mistake('factor 1 - beta2 in v', V, v='beta1 * v + (1 - beta2) * g'),
    mistake('factor 1 - beta1 in s', S, s='beta2 * s + (1 - beta1) * g ** 2'),
    mistake('v in place of s in the average of s', S, s='beta2 * v + (1 - beta2) * g ** 2', alone=True),
    mistake('s in place of v in the average of v', V, v='beta1 * s + (1 - beta1) * g', alone=True),
    mistake('s averages v', SQUARES, s='beta2 * s + (1 - beta2) * v', alone=True),
    mistake('v averages p', 'v averages g, the gradient.', v='beta1 * v + (1 - beta1) * p', alone=True),
    mistake('v averages g * g', 'v averages g.', v='beta1 * v + (1 - beta1) * g ** 2', alone=True),
    mistake('factor (1 - beta1) forgotten', V, v='beta1 * v + g'),
    mistake('factor (1 - beta2) forgotten', S, s='beta2 * s + g ** 2'),
    mistake('factor beta1 forgotten', V, v='v + (1 - beta1) * g'),
    mistake('factor beta2 forgotten', S, s='s + (1 - beta2) * g ** 2'),
    mistake('s is a sum', S, s='s + g ** 2', alone=True),
    mistake('s is a maximum', S, s='maximum(beta2 * s, g ** 2)', alone=True),
    mistake('beta1 and 1 - beta1 swapped', V, v='(1 - beta1) * v + beta1 * g'),
    mistake('beta2 and 1 - beta2 swapped', S, s='(1 - beta2) * s + beta2 * g ** 2'),
    mistake('sign of g in v turned round', V, v='beta1 * v - (1 - beta1) * g', alone=True),
    mistake('v is not averaged', V, v='g', v_hat='g'),
    mistake('s is not averaged', S, s='g ** 2', s_hat='g ** 2'),
    mistake('s averages v * v', SQUARES, s='beta2 * s + (1 - beta2) * v ** 2', alone=True),
    mistake('s averages v_hat * v_hat', SQUARES, alone=True,
            s='beta2 * s + (1 - beta2) * (v / (1 - beta1 ** t)) ** 2'),
    mistake('s averages g * v', SQUARES, s='beta2 * s + (1 - beta2) * g * v', alone=True),
    mistake('the old v is used', 'Update v before it is used.', v_hat=OLD_V),
    mistake('the old s is used', 'Update s before it is used.', s_hat=OLD_S),
    mistake('p updated before v and s', 'Update v and s before they are used.', v_hat=OLD_V, s_hat=OLD_S),
]
CONSTANTS = [
    *[mistake(f'another beta1: {beta}', 'beta1 is 0.9.', alone=True, v=f'{beta} * v + (1 - {beta}) * g',
              v_hat=f'v / (1 - {beta} ** t)') for beta in (0.5, 0.8, 0.95, 0.99)],
    *[mistake(f'another beta2: {beta}', 'beta2 is 0.999.', alone=True, s=f'{beta} * s + (1 - {beta}) * g ** 2',
              s_hat=f's / (1 - {beta} ** t)') for beta in (0.95, 0.98, 0.99, 0.9999)],
]
OTHER_RULES = [
    mistake('NAdam', OTHER, alone=True,
            v_hat='beta1 * v / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1 ** t)'),
    mistake('NAdam', OTHER, v_hat='(beta1 * v + (1 - beta1) * g) / (1 - beta1 ** t)', alone=True),
    mistake('AdaMax', OTHER, s='maximum(beta2 * s, abs(g))', root='s + eps', alone=True),
    mistake('AdaBelief', OTHER, s='beta2 * s + (1 - beta2) * (g - v) ** 2', alone=True),
    mistake("Yogi's s, corrected", OTHER, s='s + (1 - beta2) * sign(g ** 2 - s) * g ** 2', alone=True),
    mistake("Yogi's s without g * g, corrected", OTHER, s='s + (1 - beta2) * sign(g ** 2 - s)', alone=True),
]
L2 = [mistake(f'gradient plus {decay:g} p', 'Take p.grad as it is: the rule has no weight decay.', alone=True,
              g=f'g + {decay} * p') for decay in (1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1)]
ADAMS = CLOCK + CORRECTION + BETAS + EPS + AVERAGES + CONSTANTS + OTHER_RULES + L2
