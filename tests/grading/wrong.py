"""Adams that are wrong, as students write them: WRONG has for each the mistake that `check` is to name, and the lines
of a right one that it writes otherwise."""
from mxnet import nd

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
CLOCK, LAST = "\n    hyperparams['t'] = t + 1", 'p[:] = p - lr * v_hat / (s_hat.sqrt() + eps)'
NO_V, NO_S = ('v / (1 - beta1 ** t)', 'v'), ('s / (1 - beta2 ** t)', 's')
LATE = [(CLOCK, ''), ("lr, t = hyperparams['lr'], hyperparams['t']",
                      "hyperparams['t'] += 1\n    lr, t = hyperparams['lr'], hyperparams['t']")]

# The mistake, or the two; and what is written instead of what.
WRONG = [
    ('t never advanced', (CLOCK, '')),
    ('t never advanced', (CLOCK, "\n    t = t + 1")),
    ('t never advanced', (CLOCK, "\n    hyperparams = dict(hyperparams, t=t + 1)")),
    ('power t forgotten', ('beta1 ** t', 'beta1'), ('beta2 ** t', 'beta2')),
    ('t advanced once per parameter', (CLOCK, "\n        t += 1\n    hyperparams['t'] = t")),
    ('t advanced once per parameter', (CLOCK, "\n        hyperparams['t'] += 1")),
    ('t starts at 2', *LATE),
    ('no bias correction', NO_V, NO_S),
    ('only v corrected', NO_S),
    ('only s corrected', NO_V),
    ('betas swapped', ('0.9, 0.999', '0.999, 0.9')),
    ('betas swapped in the averages', ('beta1 * v + (1 - beta1)', 'beta2 * v + (1 - beta2)'),
     ('beta2 * s + (1 - beta2)', 'beta1 * s + (1 - beta1)')),
    ('eps inside the root', ('(s_hat.sqrt() + eps)', '(s_hat + eps).sqrt()')),
    ('eps inside the root', ('(s_hat.sqrt() + eps)', 'nd.sqrt(s_hat + 1e-8)')),
    ('eps outside, without parentheses', ('(s_hat.sqrt() + eps)', 's_hat.sqrt() + eps')),
    ('eps outside, without parentheses', ('lr * v_hat / (s_hat.sqrt() + eps)', '(lr * v_hat / s_hat.sqrt() + eps)')),
    ('eps forgotten', ('(s_hat.sqrt() + eps)', 's_hat.sqrt()')),
    ('square forgotten', ('* g * g', '* g')),
    ('absolute value instead of square', ('* g * g', '* g.abs()')),
    ('root forgotten', ('s_hat.sqrt()', 's_hat')),
    ('v and s swapped', ('v_hat / (s_hat.sqrt()', 's_hat / (v_hat.sqrt()')),
    ('sign turned round', ('p - lr', 'p + lr')),
    ('v rebound', ('v[:] =', 'v =')),
    ('s rebound', ('s[:] =', 's =')),
    ('v and s rebound', ('v[:] =', 'v ='), ('s[:] =', 's =')),
    ('p rebound', ('p[:] =', 'p =')),
    ('p rebound', (LAST, 'p = p - lr * v_hat / (s_hat.sqrt() + eps)')),
    ('p not kept', ('p[:] = p - lr', 'p[:] = -lr')),
    ('one state for both parameters',
     ('for p, (v, s) in zip(params, states)', 'v, s = states[0]\n    for p in params')),
    ('one v for both parameters', ('        g = p.grad', '        v = states[0][0]\n        g = p.grad')),
    ('lr not used', ('p - lr * v_hat', 'p - v_hat')),
    ('lr used twice', ('p - lr * v_hat', 'p - lr * lr * v_hat')),
    ('every step times 0.5', ('p - lr * v_hat', 'p - 0.01 * v_hat')),
    ('factor (1 - beta1) forgotten', ('(1 - beta1) * g', 'g')),
    ('factor (1 - beta2) forgotten', ('(1 - beta2) * g * g', 'g * g')),
    ('beta1 and 1 - beta1 swapped', ('beta1 * v + (1 - beta1) * g', '(1 - beta1) * v + beta1 * g')),
    ('v corrected with beta2', ('v / (1 - beta1 ** t)', 'v / (1 - beta2 ** t)')),
    ('s corrected with beta1', ('s / (1 - beta2 ** t)', 's / (1 - beta1 ** t)')),
    ('beta * t instead of beta ** t', ('beta1 ** t', 'beta1 * t'), ('beta2 ** t', 'beta2 * t')),
    ('corrected averages stored', ('v_hat = v', 'v[:] = v_hat = v'), ('s_hat = s', 's[:] = s_hat = s')),
    ('correction multiplied', ('v / (1', 'v * (1'), ('s / (1', 's * (1')),
    ('g instead of v_hat', ('lr * v_hat', 'lr * g')),
    ('s averages v * v', ('* g * g', '* v * v')),
    ('only the first parameter updated', (CLOCK, "\n        hyperparams['t'] = t + 1\n        return")),
    ('only the last parameter updated', ('        ' + LAST, '    ' + LAST)),
    ('power t forgotten in v_hat', ('beta1 ** t', 'beta1')),
    ('s_hat made from v', ('s / (1 - beta2 ** t)', 'v / (1 - beta2 ** t)')),
    ('v_hat forgotten', ('lr * v_hat', 'lr')),
    ('factor 1 - beta1 in s', ('(1 - beta2) * g * g', '(1 - beta1) * g * g')),
    ('v in place of s in the average of s', ('beta2 * s', 'beta2 * v')),
    ('gradient times 0.1', ('g = p.grad', 'g = p.grad / 10')),
    ('p instead of its gradient', ('g = p.grad', 'g = p')),
    ('gradient of the last parameter for both', ('g = p.grad', 'g = params[1].grad')),
    ('t advanced twice', ('    lr, t', "    hyperparams['t'] += 1\n    lr, t")),
    ('weight decay of 0.1', ('p - lr * v_hat', 'p - lr * 0.1 * p - lr * v_hat')),
    ('root taken before the correction', ('s_hat.sqrt()', 's.sqrt() / (1 - beta2 ** t)')),
    ('p updated before v and s', ('v_hat = v', 'v_hat = old_v'), ('s_hat = s', 's_hat = old_s'),
     ('g = p.grad', 'g, old_v, old_s = p.grad, v.copy(), s.copy()')),
    ('another beta2: 0.99', ('0.9, 0.999', '0.9, 0.99')),
    ("hyperparams['eps'] not used", ("1e-6\n", "hyperparams.get('eps', 1e-6)\n"), ('sqrt() + eps', 'sqrt() + 1e-6')),
    ('lr divided by sqrt(t)', ('lr * v_hat', 'lr / t ** 0.5 * v_hat')),
    ('raises KeyError', ("hyperparams['lr']", "hyperparams['learning_rate']")),
    ('raises NameError', ('v_hat /', 'vhat /')),
    ('gradient plus 0.1 p', ('g = p.grad\n', 'g = p.grad + 0.1 * p\n')),
    ('1 - beta ** t without parentheses', ('(1 - beta1 ** t)', '1 - beta1 ** t'),
     ('(1 - beta2 ** t)', '1 - beta2 ** t')),
    ('t advanced in the loop and not kept', (CLOCK, '\n        t += 1')),
    # Two at once.
    (('v rebound', 'only the first parameter updated'), ('v[:] =', 'v ='),
     (CLOCK, "\n        hyperparams['t'] = t + 1\n        return")),
    (('sign turned round', 'lr used twice'), ('p - lr', 'p + lr * lr')),
    (('betas swapped', 'eps-hat'), ('0.9, 0.999', '0.999, 0.9'), ('+ eps', '+ eps / (1 - beta2 ** t) ** 0.5')),
    (('only v corrected', 'betas swapped'), ('0.9, 0.999', '0.999, 0.9'), NO_S),
    (('eps-hat', 'v and s swapped'), ('lr * v_hat / (s_hat.sqrt() + eps)',
                                      'lr * s_hat / (v_hat.sqrt() + eps / (1 - beta2 ** t) ** 0.5)')),
    (('betas swapped', 'square forgotten'), ('0.9, 0.999', '0.999, 0.9'), ('* g * g', '* g')),
    (('eps outside, without parentheses', 'sign turned round'), ('p - lr', 'p + lr'),
     ('(s_hat.sqrt() + eps)', 's_hat.sqrt() + eps')),
    (('t starts at 2', 'betas swapped'), *LATE, ('0.9, 0.999', '0.999, 0.9')),
    (('no bias correction', 'eps inside the root'), NO_V, NO_S, ('(s_hat.sqrt() + eps)', '(s_hat + eps).sqrt()')),
    (('t never advanced', 'v rebound'), (CLOCK, ''), ('v[:] =', 'v =')),
    (('eps inside the root', 'sign turned round'), ('p - lr', 'p + lr'),
     ('(s_hat.sqrt() + eps)', '(s_hat + eps).sqrt()')),
    (('only v corrected', 'lr not used'), NO_S, ('p - lr * v_hat', 'p - v_hat')),
    (('t advanced once per parameter', 'factor (1 - beta2) forgotten'), (CLOCK, "\n        hyperparams['t'] += 1"),
     ('(1 - beta2) * g * g', 'g * g')),
    (('square forgotten', 's rebound'), ('* g * g', '* g'), ('s[:] =', 's =')),
]
# No entry fits: the step and the parameter at which each first differs.
UNKNOWN = [
    (8, 'w', ('(1 - beta1) * g\n', '(1 - beta1) * (g if t < 8 else 2 * g)\n')),
    (10, 'b', (CLOCK, "\n    if t >= 10:\n        params[1][:] -= 0.001" + CLOCK)),
    (1, 'w', ('* g * g', '* g ** 4')),
    (13, 'w', ("hyperparams['t'] = t + 1", "hyperparams['t'] = min(t + 1, 12)")),
    (1, 'w', ('g = p.grad\n', 'g = p.grad + 0.3 * p\n')),
    (2, 'w', ('g = p.grad\n', 'g = p.grad.clip(-1, 1)\n')),
    (11, 'w', ('v_hat = v', 'v_hat = (0 if t == 11 else 1) * v')),
]


def rule(*changes):
    """The right text with some of its lines changed, as a function."""
    text = ADAM
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    names = {'nd': nd}
    exec(compile(text, 'my_rules.py', 'exec'), names)
    return names['adam']
