"""JAX: an epoch is one compiled `scan` over the minibatches, its evaluations included."""
import jax
import jax.numpy as jnp
import numpy as np


def prepare(task, variant):
    epoch, loss = map(jax.jit, functions(task))
    start = initial(jnp.array(task.w), jnp.array(task.b))

    def train():
        state = start
        task.record(loss(state[0]))
        for order, due in zip(task.orders, task.due):
            state, losses = epoch(state, order, due)
            for value in np.asarray(losses)[due]:
                task.record(value)
    return train


def prepare_many(task, variant):
    """One run's training under `vmap`."""
    epoch, loss = functions(task)

    @jax.jit
    @jax.vmap
    def train(w, b, orders):
        state = initial(w, b)
        for order in orders:
            state, _ = epoch(state, order)
        return loss(state[0])
    return lambda runs: train(*task.draw(runs))


def initial(w, b):
    """Adam's state before the first step."""
    zeros = jnp.zeros_like(w), jnp.zeros_like(b)
    return (w, b), zeros, zeros, jnp.float32(1)


def functions(task):
    """An epoch, and the loss over all rows."""
    features, labels, size = jnp.array(task.features), jnp.array(task.labels), task.batches[0].stop
    short = len(labels) % size  # rows of the last batch; the section has one

    def loss(params, X=features, y=labels):
        w, b = params
        return jnp.mean(((X @ w + b)[:, 0] - y) ** 2) / 2

    def step(state, batch):
        params, v, s, t = state
        rows, due = batch
        g = jax.grad(loss)(params, features[rows], labels[rows])
        v = jax.tree.map(lambda v, g: task.beta1 * v + (1 - task.beta1) * g, v, g)
        s = jax.tree.map(lambda s, g: task.beta2 * s + (1 - task.beta2) * g * g, s, g)
        params = jax.tree.map(lambda p, v, s: p - task.lr * v / (1 - task.beta1 ** t) / (
            jnp.sqrt(s / (1 - task.beta2 ** t)) + task.eps), params, v, s)
        recorded = None if due is None else jax.lax.cond(due, lambda: loss(params), lambda: jnp.nan)
        return (params, v, s, t + 1), recorded

    def epoch(state, order, due=None):
        """The state after it, and for each step the loss where it is due."""
        first, last = (None, None) if due is None else (due[:-1], due[-1])
        state, losses = jax.lax.scan(step, state, (order[:-short].reshape(-1, size), first))
        state, loss_at_end = step(state, (order[-short:], last))
        return state, None if due is None else jnp.append(losses, loss_at_end)

    return epoch, loss
