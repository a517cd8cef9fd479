"""Adams that are wrong, as students write them: WRONG has for each the mistake that `check` is to name, and the lines
of a right one that it writes otherwise."""
from right import ADAM, rule  # noqa: F401

CLOCK, LAST = "\n    hyperparams['t'] = t + 1", 'p[:] = p - lr * v_hat / (s_hat.sqrt() + eps)'
NO_V, NO_S = ('v / (1 - beta1 ** t)', 'v'), ('s / (1 - beta2 ** t)', 's')
LATE = [(CLOCK, ''), ("lr, t = hyperparams['lr'], hyperparams['t']",
                      "hyperparams['t'] += 1\n    lr, t = hyperparams['lr'], hyperparams['t']")]

# The mistake, or the two; and what is written instead of what.
WRONG = [
    ('t never advanced', (CLOCK, "\n    hyperparams = dict(hyperparams, t=t + 1)")),
    ('power t forgotten', ('beta1 ** t', 'beta1'), ('beta2 ** t', 'beta2')),
    ('t advanced once per parameter', (CLOCK, "\n        t += 1\n    hyperparams['t'] = t")),
    ('t advanced once per parameter', (CLOCK, "\n        hyperparams['t'] += 1")),
    ('t advanced in the loop and not kept', (CLOCK, '\n        t += 1')),
    ('t starts at 2', *LATE),
    ('no bias correction', NO_V, NO_S),
    ('only v corrected', NO_S),
    ('v corrected with beta2', ('v / (1 - beta1 ** t)', 'v / (1 - beta2 ** t)')),
    ('beta * t instead of beta ** t', ('beta1 ** t', 'beta1 * t'), ('beta2 ** t', 'beta2 * t')),
    ('corrected averages stored', ('v_hat = v', 'v[:] = v_hat = v'), ('s_hat = s', 's[:] = s_hat = s')),
    ('root taken before the correction', ('s_hat.sqrt()', 's.sqrt() / (1 - beta2 ** t)')),
    ('betas swapped', ('0.9, 0.999', '0.999, 0.9')),
    ('another beta2: 0.99', ('0.9, 0.999', '0.9, 0.99')),
    ('eps inside the root', ('(s_hat.sqrt() + eps)', 'nd.sqrt(s_hat + 1e-8)')),
    ('eps outside, without parentheses', ('(s_hat.sqrt() + eps)', 's_hat.sqrt() + eps')),
    ('eps forgotten', ('(s_hat.sqrt() + eps)', 's_hat.sqrt()')),
    ('square forgotten', ('* g * g', '* g')),
    ('v and s swapped', ('v_hat / (s_hat.sqrt()', 's_hat / (v_hat.sqrt()')),
    ('factor (1 - beta2) forgotten', ('(1 - beta2) * g * g', 'g * g')),
    ('factor 1 - beta1 in s', ('(1 - beta2) * g * g', '(1 - beta1) * g * g')),
    ('p updated before v and s', ('v_hat = v', 'v_hat = old_v'), ('s_hat = s', 's_hat = old_s'),
     ('g = p.grad', 'g, old_v, old_s = p.grad, v.copy(), s.copy()')),
    ('sign turned round', ('p - lr', 'p + lr')),
    ('v and s rebound', ('v[:] =', 'v ='), ('s[:] =', 's =')),
    ('p rebound', ('p[:] =', 'p =')),
    ('p not kept', ('p[:] = p - lr', 'p[:] = -lr')),
    ('one state for both parameters',
     ('for p, (v, s) in zip(params, states)', 'v, s = states[0]\n    for p in params')),
    ('one v for both parameters', ('        g = p.grad', '        v = states[0][0]\n        g = p.grad')),
    ('every step times 0.5', ('p - lr * v_hat', 'p - 0.01 * v_hat')),
    ('gradient times 0.1', ('g = p.grad', 'g = p.grad / 10')),
    ('gradient of the last parameter for both', ('g = p.grad', 'g = params[1].grad')),
    ('gradient plus 0.1 p', ('g = p.grad\n', 'g = p.grad + 0.1 * p\n')),
    ('weight decay of 0.1', ('p - lr * v_hat', 'p - lr * 0.1 * p - lr * v_hat')),
    ('only the last parameter updated', ('        ' + LAST, '    ' + LAST)),
    ('lr divided by sqrt(t)', ('lr * v_hat', 'lr / t ** 0.5 * v_hat')),
    ("hyperparams['eps'] not used", ("1e-6\n", "hyperparams.get('eps', 1e-6)\n"), ('sqrt() + eps', 'sqrt() + 1e-6')),
    ('raises NameError', ('v_hat /', 'vhat /')),
    # Two at once.
    (('v rebound', 'only the first parameter updated'), ('v[:] =', 'v ='),
     (CLOCK, "\n        hyperparams['t'] = t + 1\n        return")),
    (('betas swapped', 'eps-hat'), ('0.9, 0.999', '0.999, 0.9'), ('+ eps', '+ eps / (1 - beta2 ** t) ** 0.5')),
    (('eps outside, without parentheses', 'sign turned round'), ('p - lr', 'p + lr'),
     ('(s_hat.sqrt() + eps)', 's_hat.sqrt() + eps')),
    (('t advanced once per parameter', 'factor (1 - beta2) forgotten'), (CLOCK, "\n        hyperparams['t'] += 1"),
     ('(1 - beta2) * g * g', 'g * g')),
    (('square forgotten', 's rebound'), ('* g * g', '* g'), ('s[:] =', 's =')),
]
# No entry fits: the step and the parameter at which each first differs.
UNKNOWN = [
    (8, 'w', ('(1 - beta1) * g\n', '(1 - beta1) * (g if t < 8 else 2 * g)\n')),
    (3, 'b', (CLOCK, "\n    if t >= 3:\n        params[1][:] -= 0.001" + CLOCK)),
    (1, 'w', ('* g * g', '* g ** 4')),
]
