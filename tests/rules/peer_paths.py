"""Makes peer_paths.json: 50 steps of PyTorch's and optax's optimisers in float64, so that every test run has them.

Run in an environment that has one of them (and NumPy); the other's paths stay as they are in the file:

    .peers/torch/bin/python tests/rules/peer_paths.py
    uv run --no-project --with optax python tests/rules/peer_paths.py

The gradients are those of oracle.noisy_gradients. What each path has to do with our rules says test_peers.PEERS.
"""
import importlib.util
import json
from pathlib import Path

import numpy as np
import oracle

FILE = Path(__file__).with_name('peer_paths.json')
LR, EPS = 0.02, 0.1  # eps large, so that where it stands shows
BETAS = (0.9, 0.9)  # the second moment forgets within the 50 steps, so that AMSGrad's and Yogi's difference shows
HALVED = 25  # the step from which a halved learning rate holds


def undone(t):
    """The rate and the eps that take Adam's correction back."""
    root = (1 - BETAS[1] ** t) ** 0.5
    return {'lr': LR * (1 - BETAS[0] ** t) / root, 'eps': EPS / root}


def torch_path(make, change=lambda t: {}):
    import torch
    p = torch.tensor(oracle.first_point().astype(float), requires_grad=True)
    optimizer, path = make(torch.optim, [p]), []
    for t, g in enumerate(oracle.noisy_gradients(), 1):
        optimizer.param_groups[0].update(change(t))
        p.grad = torch.tensor(g.astype(float))
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return path


def optax_path(make, change=lambda t: {}):
    import jax
    jax.config.update('jax_enable_x64', True)
    import optax
    p, path = jax.numpy.array(oracle.first_point().astype(float)), []
    state = make(optax, LR, EPS).init(p)
    for t, g in enumerate(oracle.noisy_gradients(), 1):
        now = {'lr': LR, 'eps': EPS, **change(t)}
        steps, state = make(optax, now['lr'], now['eps']).update(jax.numpy.array(g.astype(float)), state, p)
        p = optax.apply_updates(p, steps)
        path.append(np.asarray(p))
    return path


def halved(t):
    return {'lr': LR / 2 if t >= HALVED else LR}


b1, b2 = BETAS
TORCH = {
    'SGD': (lambda o, p: o.SGD(p, LR),),
    'SGD, momentum': (lambda o, p: o.SGD(p, LR, momentum=0.9),),
    'SGD, momentum, lr halved': (lambda o, p: o.SGD(p, LR, momentum=0.9), halved),
    'RMSprop, eps 0': (lambda o, p: o.RMSprop(p, LR, alpha=0.9, eps=0),),
    'RMSprop': (lambda o, p: o.RMSprop(p, LR, alpha=0.9, eps=EPS),),
    'Adam': (lambda o, p: o.Adam(p, LR, betas=BETAS, eps=EPS),),
    'Adam, correction undone': (lambda o, p: o.Adam(p, LR, betas=BETAS, eps=EPS), undone),
    'Adam, amsgrad': (lambda o, p: o.Adam(p, LR, betas=BETAS, eps=EPS, amsgrad=True),),
}
OPTAX = {
    'sgd': (lambda o, lr, eps: o.sgd(lr),),
    'sgd, momentum': (lambda o, lr, eps: o.sgd(lr, momentum=0.9),),
    'sgd, momentum, lr halved': (lambda o, lr, eps: o.sgd(lr, momentum=0.9), halved),
    'rmsprop': (lambda o, lr, eps: o.rmsprop(lr, decay=0.9, eps=eps),),
    'adam': (lambda o, lr, eps: o.adam(lr, b1, b2, eps),),
    'adam, correction undone': (lambda o, lr, eps: o.adam(lr, b1, b2, eps), undone),
    'amsgrad': (lambda o, lr, eps: o.amsgrad(lr, b1, b2, eps),),
    'amsgrad, no correction': (lambda o, lr, eps: o.amsgrad(lr, b1, b2, eps, bias_correction_mu=False,
                                                            bias_correction_nu=False),),
    'yogi': (lambda o, lr, eps: o.yogi(lr, b1, b2, eps),),
}


def main():
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for library, cases, path in (('torch', TORCH, torch_path), ('optax', OPTAX, optax_path)):
        if importlib.util.find_spec(library):
            version = importlib.import_module(library).__version__
            known[library] = {'version': version, 'paths': {
                name: [np.round(point.ravel(), 9).tolist() for point in path(*case)] for name, case in cases.items()}}
    lines = (f'"{library}": {{"version": "{known[library]["version"]}", "paths": {{\n' + ',\n'.join(
        f'"{name}": {json.dumps(path)}' for name, path in known[library]['paths'].items()) + '}}'
        for library in sorted(known))
    FILE.write_text('{' + ',\n'.join(lines) + '}\n')


if __name__ == '__main__':
    main()
