"""JAX: an epoch is one compiled `scan` over the minibatches, its evaluations included; compiled ahead of the clock."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np

LABELS = {'': 'JAX jit(scan)', 'draws': 'JAX jit(scan), jax.random'}
FAMILY = 'others'
ENVIRONMENT = 'arrays'
REQUIRES = ('jax', 'numpy')
OWN_DRAWS = ('draws',)  # by JAX's own generator
MANY = ('', 'draws')


def prepare(task, variant):
    steps, due_at = len(task.batches), range(1, len(task.orders) * len(task.batches) + 1)
    due = np.array([t in task.records for t in due_at]).reshape(-1, steps)
    given, seeds, own = (jnp.array(task.w), jnp.array(task.b)), itertools.count(), variant == 'draws'
    epoch, loss = functions(task)
    start_of, order_of = (jax.jit(lambda key, draw=draw: draw(task, key)) for draw in (draw_start, draw_order))
    compiled = jax.jit(epoch).lower(initial(*given), task.orders[0], due[0]).compile()

    def train():
        first, *others = keys(task, next(seeds))
        start = start_of(first) if own else given
        state = initial(*start)
        task.record(loss(start))
        for order, record, key in zip(task.orders, due, others):
            state, losses = compiled(state, order_of(key) if own else order, record)
            for value in np.asarray(losses)[record]:
                task.record(value)
    return train


def prepare_many(task, variant):
    """One run's training under `vmap`, compiled once for each number of runs."""
    epoch, loss = functions(task)
    compiled = {}

    def one(w, b, orders):
        state = initial(w, b)
        for order in orders:
            state, _ = epoch(state, order)
        return loss(state[0])

    def drawn(seed):
        first, *others = keys(task, seed)
        return one(*draw_start(task, first), [draw_order(task, key) for key in others])

    def train(runs):
        inputs = (np.arange(runs),) if variant == 'draws' else task.draw(runs)
        if runs not in compiled:
            compiled[runs] = jax.jit(jax.vmap(drawn if variant == 'draws' else one)).lower(*inputs).compile()
        return compiled[runs](*inputs)
    return train


def keys(task, seed):
    """JAX's keys of a run: for its start, and for the order of each epoch."""
    return jax.random.split(jax.random.key(seed), 1 + len(task.orders))


def draw_start(task, key):
    return 0.01 * jax.random.normal(key, task.w.shape), jnp.zeros(1)


def draw_order(task, key):
    return jax.random.permutation(key, len(task.labels))


def initial(w, b):
    """Adam's state before the first step."""
    zeros = jnp.zeros_like(w), jnp.zeros_like(b)
    return (w, b), zeros, zeros, jnp.float32(1)


def functions(task):
    """An epoch, and the loss over all rows."""
    features, labels, size = jnp.array(task.features), jnp.array(task.labels), task.batches[0].stop
    full = len(labels) // size

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
        batches = order[:full * size].reshape(full, size)
        state, losses = jax.lax.scan(step, state, (batches, None if due is None else due[:full]))
        if full * size < len(order):
            state, last = step(state, (order[full * size:], None if due is None else due[full]))
            losses = None if due is None else jnp.append(losses, last)
        return state, losses

    return epoch, loss
