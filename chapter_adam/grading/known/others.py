"""The known mistakes of the other rules, and those that every rule can have: in its states and in its last line."""
import re
from functools import cache
from itertools import combinations

import numpy as np

from .adams import ADAMS, AVERAGES, BETAS, EPS, OTHER, SQUARES
from .mistake import mistake
from .oracles import CORRECTED, ORACLES, value

IN_PLACE = 'Write in place, {0}[:] = ...; {0} = ... only gives a new array that name.'
EACH_ITS_OWN = 'Give each parameter states of its own.'
# Of every rule that has the pieces.
MOVES = [
    mistake('sign turned round', 'Subtract the step from the parameter.', p='p + shift'),
    mistake('lr not used', 'Multiply the step by lr.', move='step / lr'),
    mistake('lr used twice', 'Multiply the step by lr once.', move='step * lr'),
    mistake('divided by lr', 'Multiply the step by lr.', move='step / lr ** 2', alone=True),
    mistake('p instead of its gradient', 'The gradient of p is p.grad.', g='p'),
    mistake('sign of the gradient', 'Take p.grad as it is.', g='sign(g)'),
    mistake('gradient of the last parameter for both', 'Each parameter has its own gradient.', g='g[-1:]'),
    mistake('gradient of the first parameter for both', 'Each parameter has its own gradient.', g='0 * g + g[0]',
            in_turn=True),
    mistake('p not kept', 'Write p[:] = p - step.', p='-shift'),
    mistake('p not kept', 'Write p[:] = p - step.', p='shift'),
    mistake('p rebound', IN_PLACE.format('p'), p='p', needs_states=True),
    mistake('only the first parameter updated', 'Go over all parameters; does a return stand inside the loop?',
            p='where(owner == 0, p - shift, p)'),
    mistake('only the last parameter updated', 'Go over all parameters; are lines outside of the loop?',
            p='where(owner == 1, p - shift, p)'),
    mistake('lr divided by sqrt(t)', 'lr stays as it is.', move='step / sqrt(k)', alone=True),
    mistake('lr divided by t', 'lr stays as it is.', move='step / k', alone=True),
    mistake('no parameter changed', 'Write into the arrays, p[:] = ...; what a rule returns is not used.', p='p',
            alone=True),
]
SIZES = [
    mistake('eps outside the root', '', root='sqrt(s) + eps', convention="PyTorch's: eps is added to the root"),
    mistake('eps forgotten', 'Add eps: a gradient that is always 0 gives 0 / 0.', root='sqrt(s)'),
    mistake('root forgotten', 'Divide by the root.', root='s + eps'),
]
# Of the rules without correction, where swapped betas are swapped in the averages alone.
PLAIN = [each for each in BETAS + EPS + AVERAGES if each.names != ('betas swapped in the averages',)
         and not each.pieces.keys() & {'v_hat', 's_hat'} and '** t' not in each.pieces.get('root', '')]


def squares(beta):
    """The mistakes in s <- beta s + (1 - beta) g * g."""
    advice = f's <- {beta} s + (1 - {beta}) ...'
    return [mistake('square forgotten', SQUARES, s=f'{beta} * s + (1 - {beta}) * g'),
            mistake(f'factor (1 - {beta}) forgotten', advice, s=f'{beta} * s + g ** 2'),
            mistake(f'{beta} and 1 - {beta} swapped', advice, s=f'(1 - {beta}) * s + {beta} * g ** 2')]


OWN = {
    'sgd': [],
    'adam': ADAMS,
    'momentum': [
        mistake('factor (1 - momentum)', 'The book has v <- momentum v + lr g, without it.',
                v='momentum * v + (1 - momentum) * lr * g'),
        mistake('v is not averaged', 'v <- momentum v + lr g.', v='lr * g'),
        mistake('sign of g in v turned round', 'v <- momentum v + lr g.', v='momentum * v - lr * g'),
        mistake("Nesterov's momentum", OTHER, step='momentum * v + lr * g')],
    'adagrad': [*SIZES, mistake('square forgotten', 's adds g * g.', s='s + g'),
                mistake('s is not a sum', 's <- s + g * g.', s='g ** 2')],
    'rmsprop': [*SIZES, *squares('gamma')],
    'adadelta': [
        mistake('delta not used', 'Multiply by the root of delta + eps.', root='sqrt(s + eps)'),
        mistake('quotient upside down', 'The step is sqrt((delta + eps) / (s + eps)) g.', step='g * root'),
        mistake('delta averages g * g', 'delta averages the squares of the steps.',
                delta='rho * delta + (1 - rho) * g ** 2'),
        mistake('delta averages the steps', 'delta averages the squares of the steps.',
                delta='rho * delta + (1 - rho) * step'),
        mistake('eps only below', 'Add eps to delta too: without it no step is ever taken.',
                root='sqrt((s + eps) / delta)'),
        mistake('lr used', 'Adadelta has no learning rate.', move='lr * step'),
        *squares('rho')],
    'adam_uncorrected': PLAIN,
    'amsgrad': [
        *PLAIN, mistake('bias correction', '', convention="PyTorch's: both averages are corrected",
                        **CORRECTED | {'s_hat': 'top / (1 - beta2 ** t)'}),
        mistake('the largest corrected s', 'top is the largest s itself.',
                **CORRECTED | {'top': 'maximum(top, s / (1 - beta2 ** t))', 's_hat': 'top'}),
        mistake('top not used', 'Divide by the root of top.', s_hat='s')],
    'yogi': [
        *PLAIN, mistake('bias correction', '', convention="later editions' and optax's: both averages are corrected",
                        **CORRECTED),
        mistake('factor g * g forgotten', 's <- s + (1 - beta2) sign(g * g - s) g * g.',
                s='s + (1 - beta2) * sign(g ** 2 - s)'),
        mistake("sign of s's change turned round", 's <- s + (1 - beta2) sign(g * g - s) g * g.',
                s='s + (1 - beta2) * sign(s - g ** 2) * g ** 2')],
}


def shared(name, piece):
    """The piece of a state that is one for w and b, each one number: w changes it first."""
    def in_turn(x):
        w = value(piece, {**x, name: x[name][..., -1:]})[..., :1]
        return np.concatenate([w, value(piece, {**x, name: w})[..., 1:]], axis=-1)
    return in_turn


def of_states(oracle):
    """The mistakes with states: of each, and of both where there are v and s."""
    rebound = [mistake(f'{name} rebound', IN_PLACE.format(name), needs_states=True, **{f'keep_{name}': f'old_{name}'})
               for name in oracle.states]
    pieces = {name: shared(name, oracle.pieces[name]) for name in oracle.states}
    in_turn = [mistake(f'one {name} for both parameters', f'Give each parameter a {name} of its own.', in_turn=True,
                       **{name: piece}) for name, piece in pieces.items()]
    if oracle.states[:2] == ('v', 's'):
        both = {name: pieces[name] for name in ('v', 's')}
        in_turn.insert(0, mistake('one state for both parameters', EACH_ITS_OWN, **both, in_turn=True))
        rebound += [mistake('v and s rebound', IN_PLACE.format('v'), keep_v='old_v', keep_s='old_s', needs_states=True),
                    mistake('v and s are one array', 'Give v and s an array each.', keep_v='s',
                            s=re.sub(r'\bs\b', 'v', oracle.pieces['s']),
                            v_hat=re.sub(r'\bv\b', 's', oracle.pieces['v_hat']))]
    elif len(oracle.states) == 1:
        in_turn = [mistake('one state for both parameters', in_turn[0].advice, **pieces, in_turn=True)]
    return rebound, in_turn


@cache
def mistakes_of(against):
    """The mistakes that a rule can have, each with its oracle: its own, those of its states and of its last line."""
    oracle = ORACLES[against]
    rebound, in_turn = of_states(oracle)
    moves = [each for each in MOVES if against != 'adadelta' or 'lr' not in each.names[0]]
    return [(each, oracle.changed(each.pieces)) for each in OWN[against] + rebound + moves + in_turn]


@cache
def pairs_of(against):
    """Two at once, where they write other pieces otherwise."""
    singles = [(each, wrong) for each, wrong in mistakes_of(against) if not each.alone]
    return [(one + two, wrong.changed(two.pieces)) for (one, wrong), (two, _) in combinations(singles, 2)
            if not one.pieces.keys() & two.pieces.keys()]
