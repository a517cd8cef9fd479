"""PyTorch from scratch: the section's loop with tensors and autograd, minibatches sliced from the shuffled rows.

One thread: with these sizes a second one only costs.
"""
import torch

LABELS = {'': 'PyTorch: scratch'}
FAMILY = 'others'
ENVIRONMENT = 'torch'
REQUIRES = ('torch', 'numpy')
SAME_DRAWS = True
MANY = ('',)


def prepare(task, variant):
    torch.set_num_threads(1)
    features, labels = torch.from_numpy(task.features), torch.from_numpy(task.labels)

    def loss(X, y, w, b):
        return ((X @ w + b - y.reshape(-1, 1)) ** 2).mean() / 2

    def evaluate(w, b):
        with torch.no_grad():
            task.record(loss(features, labels, w, b))

    def train():
        w, b = params = [torch.tensor(start, requires_grad=True) for start in (task.w, task.b)]
        states = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]
        t = 1
        evaluate(w, b)
        for order in task.epochs():
            X, y = features[order], labels[order]
            for batch in task.batches:
                loss(X[batch], y[batch], w, b).backward()
                adam(params, states, t, task)
                if t in task.records:
                    evaluate(w, b)
                t += 1
    return train


@torch.no_grad()
def adam(params, states, t, task):
    for p, (v, s) in zip(params, states):
        v[:] = task.beta1 * v + (1 - task.beta1) * p.grad
        s[:] = task.beta2 * s + (1 - task.beta2) * torch.square(p.grad)
        v_hat, s_hat = v / (1 - task.beta1 ** t), s / (1 - task.beta2 ** t)
        p[:] -= task.lr * v_hat / (torch.sqrt(s_hat) + task.eps)
        p.grad.zero_()


def prepare_many(task, variant):
    """The same for many runs: one run's gradient under `vmap`, the update on arrays with a leading axis of runs."""
    features, labels = torch.from_numpy(task.features), torch.from_numpy(task.labels)

    def loss(w, b, X, y):
        return (((X @ w + b)[:, 0] - y) ** 2).mean() / 2

    gradient = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))

    def train(seeds):
        w, b, orders = map(torch.from_numpy, task.draw(seeds))
        params = [w, b]
        states, t = [(torch.zeros_like(p), torch.zeros_like(p)) for p in params], 0
        for epoch in range(orders.shape[1]):
            for batch in task.batches:
                rows, t = orders[:, epoch, batch].long(), t + 1
                for p, (v, s), g in zip(params, states, gradient(*params, features[rows], labels[rows])):
                    v.mul_(task.beta1).add_(g, alpha=1 - task.beta1)
                    s.mul_(task.beta2).addcmul_(g, g, value=1 - task.beta2)
                    p -= task.lr / (1 - task.beta1 ** t) * v / ((s / (1 - task.beta2 ** t)).sqrt() + task.eps)
        return torch.func.vmap(loss, in_dims=(0, 0, None, None))(*params, features, labels).numpy()
    return train
