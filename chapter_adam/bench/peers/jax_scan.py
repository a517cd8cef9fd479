"""JAX: an epoch as one compiled `scan` over the minibatches, the evaluations in it; compiled ahead of the clock."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np

LABELS = {'': 'JAX jit(scan)', 'draws': 'JAX jit(scan), jax.random'}
FAMILY = 'others'
ENVIRONMENT = 'arrays'
REQUIRES = ('jax', 'numpy')
SAME_DRAWS = {'': True, 'draws': False}  # the second draws starts and orders with JAX's own generator
MANY = ('', 'draws')


def keys(task, seed):
    """JAX's keys of a run: for its start, and for the order of each epoch."""
    return jax.random.split(jax.random.key(seed), 1 + len(task.orders))


def draw_start(task, key):
    return 0.01 * jax.random.normal(key, task.w.shape), jnp.zeros(1)


def draw_order(task, key):
    return jax.random.permutation(key, len(task.labels))


def prepare(task, variant):
    features, labels = jnp.array(task.features), jnp.array(task.labels)
    size, steps = task.batches[0].stop, len(task.batches)
    full = sum(batch.stop - batch.start == size for batch in task.batches)

    def loss(params, X, y):
        w, b = params
        return jnp.mean(((X @ w + b)[:, 0] - y) ** 2) / 2

    def step(state, inputs):
        params, v, s, t = state
        X, y, record = inputs
        g = jax.grad(loss)(params, X, y)
        v = jax.tree.map(lambda v, g: task.beta1 * v + (1 - task.beta1) * g, v, g)
        s = jax.tree.map(lambda s, g: task.beta2 * s + (1 - task.beta2) * g * g, s, g)
        params = jax.tree.map(lambda p, v, s: p - task.lr * v / (1 - task.beta1 ** t) / (
            jnp.sqrt(s / (1 - task.beta2 ** t)) + task.eps), params, v, s)
        recorded = jax.lax.cond(record, lambda: loss(params, features, labels), lambda: jnp.nan)
        return (params, v, s, t + 1), recorded

    def epoch(state, order, record):
        X, y, cut = features[order], labels[order], full * size
        batches = X[:cut].reshape(full, size, -1), y[:cut].reshape(full, size), record[:full]
        state, losses = jax.lax.scan(step, state, batches)
        if full < steps:
            state, last = step(state, (X[cut:], y[cut:], record[full]))
            losses = jnp.append(losses, last)
        return state, losses

    given, seeds, own = (jnp.array(task.w), jnp.array(task.b)), itertools.count(), variant == 'draws'
    zeros = jax.tree.map(jnp.zeros_like, given)
    start_of, order_of = (jax.jit(lambda key, draw=draw: draw(task, key)) for draw in (draw_start, draw_order))
    due = np.array([t in task.records for t in range(1, len(task.orders) * steps + 1)]).reshape(-1, steps)
    compiled = jax.jit(epoch).lower((given, zeros, zeros, jnp.float32(1)), task.orders[0], due[0]).compile()

    def train():
        first, *others = keys(task, next(seeds))
        start = start_of(first) if own else given
        state = start, zeros, zeros, jnp.float32(1)
        task.record(loss(start, features, labels))
        for order, record, key in zip(task.epochs(), due, others):
            state, losses = compiled(state, order_of(key) if own else order, record)
            for value in np.asarray(losses)[record]:
                task.record(value)
    return train


def prepare_many(task, variant):
    """The same for many runs: one run's training under `vmap`, compiled once for each number of runs."""
    features, labels, sizes = jnp.array(task.features), jnp.array(task.labels), task.batches[0].stop
    cut = len(task.labels) - len(task.labels) % sizes

    def loss(params, X, y):
        w, b = params
        return jnp.mean(((X @ w + b)[:, 0] - y) ** 2) / 2

    def step(state, rows):
        params, v, s, t = state
        g = jax.grad(loss)(params, features[rows], labels[rows])
        v = jax.tree.map(lambda v, g: task.beta1 * v + (1 - task.beta1) * g, v, g)
        s = jax.tree.map(lambda s, g: task.beta2 * s + (1 - task.beta2) * g * g, s, g)
        params = jax.tree.map(lambda p, v, s: p - task.lr * v / (1 - task.beta1 ** t) / (
            jnp.sqrt(s / (1 - task.beta2 ** t)) + task.eps), params, v, s)
        return (params, v, s, t + 1), None

    def one(w, b, orders):
        zeros = jnp.zeros_like(w), jnp.zeros_like(b)
        state = (w, b), zeros, zeros, jnp.float32(1)
        for order in orders:
            state, _ = jax.lax.scan(step, state, order[:cut].reshape(-1, sizes))
            if cut < len(order):
                state, _ = step(state, order[cut:])
        return loss(state[0], features, labels)

    def drawn(seed):
        first, *others = keys(task, seed)
        return one(*draw_start(task, first), [draw_order(task, key) for key in others])

    compiled = {}

    def train(seeds):
        inputs = (np.array(seeds),) if variant == 'draws' else task.draw(seeds)
        if len(seeds) not in compiled:
            compiled[len(seeds)] = jax.jit(jax.vmap(drawn if variant == 'draws' else one)).lower(*inputs).compile()
        return np.asarray(compiled[len(seeds)](*inputs))
    return train
