"""The known mistakes of the other rules, and those that every rule can have: in its states and in its last line."""
from types import SimpleNamespace

import numpy as np

from .adams import ADAMS, AVERAGES, BETAS, EPS
from .mistake import mistake
from .oracles import average, corrected, gradient, square


def before(name):
    """The piece that takes a state as it was before this step."""
    return lambda x: x.before[name]


def shared(name, piece):
    """The piece of a state that is one for all parameters, which change it one after the other."""
    def in_turn(x):
        last, results = getattr(x, name)[..., -1:], []
        for k in range(x.g.shape[-1]):
            last = piece(SimpleNamespace(**{**vars(x), name: last, 'g': x.g[..., k:k + 1]}))
            results.append(last)
        return np.concatenate(results, axis=-1)
    return in_turn


def of_one_parameter(index):
    return lambda x: np.where(x.owner == index, x.p - x.shift, x.p)


IN_PLACE = 'Write in place, {0}[:] = ...; {0} = ... only gives a new array that name.'
# Of every rule that has the pieces.
MOVES = [
    mistake('sign turned round', 'Subtract the step from the parameter.', p=lambda x: x.p + x.shift),
    mistake('lr not used', 'Multiply the step by lr.', move=lambda x: x.step / x.lr),
    mistake('lr used twice', 'Multiply the step by lr once.', move=lambda x: x.step * x.lr),
    mistake('divided by lr', 'Multiply the step by lr.', move=lambda x: x.step / x.lr ** 2, alone=True),
    mistake('p instead of its gradient', 'The gradient of p is p.grad.', g=lambda x: x.p),
    mistake('sign of the gradient', 'Take p.grad as it is.', g=lambda x: np.sign(x.g)),
    mistake('gradient of the last parameter for both', 'Each parameter has its own gradient.', g=lambda x: x.g[-1:]),
    mistake('gradient of the first parameter for both', 'Each parameter has its own gradient.',
            g=lambda x: np.full_like(x.g, x.g[0]), in_turn=True),
    mistake('p not kept', 'Write p[:] = p - step.', p=lambda x: -x.shift),
    mistake('p not kept', 'Write p[:] = p - step.', p=lambda x: x.shift),
    mistake('p rebound', IN_PLACE.format('p'), p=lambda x: x.p, needs_states=True),
    mistake('only the first parameter updated', 'Go over all parameters; does a return stand inside the loop?',
            p=of_one_parameter(0)),
    mistake('only the last parameter updated', 'Go over all parameters; are lines outside of the loop?',
            p=of_one_parameter(1)),
    mistake('lr divided by sqrt(t)', 'lr stays as it is.', move=lambda x: x.step / np.sqrt(x.k), alone=True),
    mistake('lr divided by t', 'lr stays as it is.', move=lambda x: x.step / x.k, alone=True),
]
OUTSIDE = mistake('eps outside the root', '', root=lambda x: np.sqrt(x.s) + x.eps,
                  convention="PyTorch's: eps is added to the root")
SIZES = [
    mistake('eps forgotten', 'Add eps: a gradient that is always 0 gives 0 / 0.', root=lambda x: np.sqrt(x.s)),
    mistake('root forgotten', 'Divide by the root.', root=lambda x: x.s + x.eps),
]
# What needs no correction, for the rules without it.
PLAIN = [each for each in BETAS + EPS + AVERAGES if not each.pieces.keys() & {'v_hat', 's_hat'}
         and each.name not in (
             'betas swapped in the averages', 'eps-hat', 'eps / (1 - beta2 ** t)',
             'eps inside the root of the uncorrected s')]
CORRECTED = {'v_hat': corrected('v', 'beta1'), 's_hat': corrected('s', 'beta2')}


def one_average(name, value, beta):
    """The mistakes in an average <- beta average + (1 - beta) value."""
    return [mistake(f'factor (1 - {beta}) forgotten', f'{name} <- {beta} {name} + (1 - {beta}) ...',
                    **{name: lambda x: getattr(x, beta) * getattr(x, name) + value(x)}),
            mistake(f'{beta} and 1 - {beta} swapped', f'{name} <- {beta} {name} + (1 - {beta}) ...',
                    **{name: lambda x: (1 - getattr(x, beta)) * getattr(x, name) + getattr(x, beta) * value(x)})]


OWN = {
    'adam': ADAMS,
    'momentum': [
        mistake('factor (1 - momentum)', 'The book has v <- momentum v + lr g, without it.',
                v=lambda x: x.momentum * x.v + (1 - x.momentum) * x.lr * x.g),
        mistake('v is not averaged', 'v <- momentum v + lr g.', v=lambda x: x.lr * x.g),
        mistake('sign of g in v turned round', 'v <- momentum v + lr g.', v=lambda x: x.momentum * x.v - x.lr * x.g),
        mistake("Nesterov's momentum", 'This is another rule.', step=lambda x: x.momentum * x.v + x.lr * x.g)],
    'adagrad': [OUTSIDE, *SIZES, mistake('square forgotten', 's adds g * g.', s=lambda x: x.s + x.g),
                mistake('s is not a sum', 's <- s + g * g.', s=square)],
    'rmsprop': [OUTSIDE, *SIZES, mistake('square forgotten', 's averages g * g.', s=average('s', gradient, 'gamma')),
                *one_average('s', square, 'gamma')],
    'adadelta': [
        mistake('delta not used', 'Multiply by the root of delta + eps.', root=lambda x: np.sqrt(x.s + x.eps)),
        mistake('quotient upside down', 'The step is sqrt((delta + eps) / (s + eps)) g.',
                step=lambda x: x.g * x.root),
        mistake('delta averages g * g', 'delta averages the squares of the steps.',
                delta=average('delta', square, 'rho')),
        mistake('delta averages the steps', 'delta averages the squares of the steps.',
                delta=average('delta', lambda x: x.step, 'rho')),
        mistake('eps only below', 'Add eps to delta too: without it no step is ever taken.',
                root=lambda x: np.sqrt((x.s + x.eps) / x.delta)),
        mistake('lr used', 'Adadelta has no learning rate.', move=lambda x: x.lr * x.step),
        *one_average('s', square, 'rho')],
    'adam_uncorrected': PLAIN,
    'amsgrad': [
        *PLAIN, mistake('bias correction', '', convention="PyTorch's: both averages are corrected",
                        **CORRECTED | {'s_hat': lambda x: x.top / (1 - x.beta2 ** x.t)}),
        mistake('the largest corrected s', 'top is the largest s itself.', **CORRECTED | {
            'top': lambda x: np.maximum(x.top, x.s / (1 - x.beta2 ** x.t)), 's_hat': lambda x: x.top}),
        mistake('top not used', 'Divide by the root of top.', s_hat=lambda x: x.s)],
    'yogi': [
        *PLAIN, mistake('bias correction', '', convention="later editions' and optax's: both averages are corrected",
                        **CORRECTED),
        mistake('factor g * g forgotten', 's <- s + (1 - beta2) sign(g * g - s) g * g.',
                s=lambda x: x.s + (1 - x.beta2) * np.sign(x.g ** 2 - x.s)),
        mistake("sign of s's change turned round", 's <- s + (1 - beta2) sign(g * g - s) g * g.',
                s=lambda x: x.s + (1 - x.beta2) * np.sign(x.s - x.g ** 2) * x.g ** 2)],
    'sgd': [],
}


def mistakes_of(against, oracle):
    """The mistakes that a rule can have: its own, and those of its states and of its last line."""
    rebound = [mistake(f'{name} rebound', IN_PLACE.format(name), needs_states=True,
                       **{f'keep_{name}': before(name)})
               for name in oracle.states]
    in_turn = [mistake(f'one {name} for both parameters', f'Give each parameter a {name} of its own.',
                       **{name: shared(name, oracle.pieces[name])}, in_turn=True) for name in oracle.states]
    if oracle.states[:2] == ('v', 's'):
        in_turn.insert(0, mistake('one state for both parameters', 'Give each parameter states of its own.',
                                  v=shared('v', oracle.pieces['v']), s=shared('s', oracle.pieces['s']), in_turn=True))
        rebound += [mistake('v and s rebound', IN_PLACE.format('v'), keep_v=before('v'), keep_s=before('s'),
                            needs_states=True),
                    mistake('v and s are one array', 'Give v and s an array each.',
                            s=lambda x: oracle.pieces['s'](SimpleNamespace(**{**vars(x), 's': x.v})),
                            v_hat=lambda x: oracle.pieces['v_hat'](SimpleNamespace(**{**vars(x), 'v': x.s})),
                            keep_v=lambda x: x.s)]
    elif len(oracle.states) == 1:
        in_turn[0] = mistake('one state for both parameters', in_turn[0].advice, **in_turn[0].pieces, in_turn=True)
    moves = [each for each in MOVES if against != 'adadelta' or 'lr' not in each.name]
    return OWN[against] + rebound + moves + in_turn
