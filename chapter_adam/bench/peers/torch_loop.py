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

    def evaluate(w, b):
        with torch.no_grad():
            task.record(loss(w, b, features, labels))

    def train():
        w, b = params = [torch.tensor(start, requires_grad=True) for start in (task.w, task.b)]
        update = scratch_adam(task, params) if variant == 'scratch' else library_adam(task, params, variant)
        t = 1
        evaluate(w, b)
        for order in task.orders:
            X, y = features[order], labels[order]
            for batch in task.batches:
                loss(w, b, X[batch], y[batch]).backward()
                update(t)
                if t in task.records:
                    evaluate(w, b)
                t += 1
    return train


def scratch_loss(w, b, X, y):
    return ((X @ w + b - y) ** 2).mean() / 2


def library_loss(w, b, X, y):
    return mse_loss(torch.addmm(b, X, w), y) / 2


def scratch_adam(task, params):
    """The section's rule; returns its step."""
    states = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]

    @torch.no_grad()
    def update(t):
        for p, (v, s) in zip(params, states):
            v[:] = task.beta1 * v + (1 - task.beta1) * p.grad
            s[:] = task.beta2 * s + (1 - task.beta2) * torch.square(p.grad)
            v_hat, s_hat = v / (1 - task.beta1 ** t), s / (1 - task.beta2 ** t)
            p[:] -= task.lr * v_hat / (torch.sqrt(s_hat) + task.eps)
            p.grad.zero_()
    return update


def library_adam(task, params, variant):
    """PyTorch's optimiser; returns its step."""
    adam = torch.optim.Adam(params, lr=task.lr, betas=(task.beta1, task.beta2), eps=task.eps, **{variant: True})

    def update(_t):
        adam.step()
        adam.zero_grad()
    return update


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
