"""PyTorch's own `optim.Adam`, as it comes, with `foreach` and with `fused`; minibatches sliced from the shuffled rows.

Two plain tensors, `addmm` and `mse_loss`, on one thread: of `nn.Linear`, `linear`, `@` and these, with one thread and
two, they were the fastest by a little.
"""
import torch
from torch.nn.functional import mse_loss

LABELS = {'default': 'PyTorch: optim.Adam', 'foreach': 'PyTorch: optim.Adam(foreach)',
          'fused': 'PyTorch: optim.Adam(fused)'}
FAMILY = 'others'
ENVIRONMENT = 'torch'
REQUIRES = ('torch', 'numpy')
SAME_DRAWS = True


def prepare(task, variant):
    torch.set_num_threads(1)
    features, labels = torch.from_numpy(task.features), torch.from_numpy(task.labels)[:, None]
    how = {} if variant == 'default' else {variant: True}

    def loss(X, y, w, b):
        return mse_loss(torch.addmm(b, X, w), y) / 2

    def evaluate(w, b):
        with torch.no_grad():
            task.record(loss(features, labels, w, b))

    def train():
        w, b = params = [torch.tensor(start, requires_grad=True) for start in (task.w, task.b)]
        adam = torch.optim.Adam(params, lr=task.lr, betas=(task.beta1, task.beta2), eps=task.eps, **how)
        t = 1
        evaluate(w, b)
        for order in task.epochs():
            X, y = features[order], labels[order]
            for batch in task.batches:
                adam.zero_grad()
                loss(X[batch], y[batch], w, b).backward()
                adam.step()
                if t in task.records:
                    evaluate(w, b)
                t += 1
    return train
