"""The book's two calls: run, print the line, draw the curve."""
from .core import checks, training


def train_ch7(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
              seed=0, hybridize=False, record_every=100, plot=True):
    """Trains linear regression with a rule written from scratch; prints the final loss and the seconds per epoch.

    Args:
        trainer_fn: a rule of the book's form, trainer_fn(params, states, hyperparams), such as `adam`.
        states: the rule's states, one entry per parameter (w, then b); None or () for a rule without any.
        hyperparams: the rule's dict, for `adam` with 'lr' and 't'. Neither it nor `states` is changed:
            a training works on copies, so that a second call repeats the first.
        features, labels: (N, d) and (N,), NDArrays or anything that NumPy understands.
        batch_size: examples per step; an epoch's last batch may be shorter and is divided by its own size.
        num_epochs: passes over the data, each in a new order.
        seed: decides the start and every order; None draws one and notes it in the History's settings.
        hybridize: run the whole step, forward, gradient and rule, as one graph (rooms `hybridization`, `fused`):
            the same curve within 2e-6, some twenty times as fast. The rule itself is not changed.
        record_every: record the loss whenever a multiple of so many examples is crossed; None: at start and end.
        plot: draw the curve into the pyplot figure 'chapter_adam' (in a notebook, a new one for each cell).

    Returns:
        The run as a `History`.

    Raises:
        TypeError, ValueError: an argument is wrong; says which, its value and what was expected.
        DivergenceError: the loss stopped being a finite number; says after which step.
        UntraceableError (a TypeError): with `hybridize`, the rule does what a graph cannot; says what and where.

    >>> from chapter_adam import adam, init_adam_states
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> run = train_ch7(adam, init_adam_states(2), {'lr': 0.1, 't': 1}, x, x[:, 0], num_epochs=20, plot=False)
    ... # doctest: +ELLIPSIS
    loss: 0.001..., ... sec per epoch
    """
    plot = checks.flag('plot', plot)
    history = training.train_scratch(trainer_fn, states, hyperparams, features, labels, batch_size, num_epochs,
                                     seed=seed, hybridize=hybridize, record_every=record_every)
    return _report(history, plot)


def train_gluon_ch7(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                    seed=0, hybridize=False, record_every=100, full_division=False, plot=True):
    """The same training with Gluon: nn.Dense(1), L2Loss and Trainer(trainer_name, trainer_hyperparams).

    With the same seed, start and batches are those of `train_ch7`, so the curves of the same rule coincide.

    Args:
        trainer_name: the name of a Gluon optimiser, such as 'adam'.
        trainer_hyperparams: its arguments, such as {'learning_rate': 0.01}; not changed.
        hybridize: make a graph of the net and one of the loss, as the book's own chapter on it does.
        full_division: divide the short last batch's gradient by `batch_size` too, as the original did, and not by
            its own number of rows. The only visible difference between the original's two runs that is not chance.
        The others, what is returned and what is raised: as in `train_ch7`.

    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> run = train_gluon_ch7('adam', {'learning_rate': 0.1}, x, x[:, 0], num_epochs=20, plot=False)
    ... # doctest: +ELLIPSIS
    loss: 0.001..., ... sec per epoch
    """
    plot = checks.flag('plot', plot)
    history = training.train_gluon(trainer_name, trainer_hyperparams, features, labels, batch_size, num_epochs,
                                   seed=seed, hybridize=hybridize, record_every=record_every,
                                   full_division=full_division)
    return _report(history, plot)


def line(history):
    """The book's line about a run.

    >>> from chapter_adam import History
    >>> line(History((0.5, 0.25), (0.0, 2.0), 0.1, 0.1))
    'loss: 0.250000, 0.100000 sec per epoch'
    """
    return f'loss: {history.losses[-1]:f}, {history.seconds_per_epoch:f} sec per epoch'


def _report(history, plot):
    print(line(history))
    if plot:
        from .output import figures
        figures.show(history)
    return history
