"""PyTorch: the section's loop and rule with tensors and autograd, and the same loop with `optim.Adam`.

One thread: with these sizes a second one only costs. With `optim.Adam`, `addmm` and `mse_loss` on plain tensors were
the fastest; `nn.Linear`, `linear` and `@` took a little longer.
"""
import torch
from torch.nn.functional import mse_loss


def prepare(task, variant):
    torch.set_num_threads(1)
    features, labels = torch.from_numpy(task.features), torch.from_numpy(task.labels)[:, None]
    loss = scratch_loss if variant == 'scratch' else library_loss

    def train():
        w, b = params = [torch.tensor(start, requires_grad=True) for start in (task.w, task.b)]
        update, over_all = adam(task, params, variant), torch.no_grad()(lambda: loss(w, b, features, labels))
        for X, y in task.steps(features, labels, over_all):
            loss(w, b, X, y).backward()
            update()
            for p in params:
                p.grad = None
    return train


def adam(task, params, variant):
    """A step as a function: of the section's rule, or of PyTorch's optimiser."""
    if variant == 'scratch':
        rule, *states = task.rule(torch)
        return torch.no_grad()(lambda: rule(params, *states))
    return torch.optim.Adam(params, lr=task.lr, betas=(task.beta1, task.beta2), eps=task.eps, **{variant: True}).step


def scratch_loss(w, b, X, y):
    return ((X @ w + b - y) ** 2).mean() / 2


def library_loss(w, b, X, y):
    return mse_loss(torch.addmm(b, X, w), y) / 2


def prepare_many(task, variant):
    """The same for many runs: one run's gradient under `vmap`, the update on arrays with a leading axis of runs."""
    features, labels = torch.from_numpy(task.features), torch.from_numpy(task.labels)[:, None]
    gradient = torch.func.vmap(torch.func.grad(scratch_loss, argnums=(0, 1)))

    def train(runs):
        w, b, orders = map(torch.from_numpy, task.draw(runs))
        params = [w, b]
        states, t = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params], 0
        for epoch in range(orders.shape[1]):
            for batch in task.batches:
                rows, t = orders[:, epoch, batch].long(), t + 1
                for p, (v, s), g in zip(params, states, gradient(*params, features[rows], labels[rows])):
                    v.mul_(task.beta1).add_(g, alpha=1 - task.beta1)
                    s.mul_(task.beta2).addcmul_(g, g, value=1 - task.beta2)
                    p -= task.lr / (1 - task.beta1 ** t) * v / ((s / (1 - task.beta2 ** t)).sqrt() + task.eps)
        return torch.func.vmap(scratch_loss, in_dims=(0, 0, None, None))(*params, features, labels).numpy()
    return train
