"""The book's two calls: run, print the line, draw the curve; and the same runs without a word."""
import numpy as np

from .core import checks
from .core.history import History
from .core.models import GluonModel, LazyModel, ScratchModel
from .advice import draws_noted, explained, warn_of_slips, watched, with_origin
from .compat import mxnet
from .core.training import DivergenceError, Draws, fit
from .rules import is_own


def train_ch7(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
              seed=0, hybridize=False, record_every=100, plot=True):
    """Trains linear regression with a rule written from scratch; prints the final loss and the seconds per epoch.

    Args:
        trainer_fn: a rule of the book's form, trainer_fn(params, states, hyperparams), such as `adam`.
        states: the rule's states, one entry per parameter (w, then b); None or () for a rule without any.
        hyperparams: the rule's dict, for `adam` with 'lr' and 't'. Neither it nor `states` is changed: a training
            works on copies, so that a second call repeats the first.
        features, labels: (N, d) and (N,), NDArrays or anything that NumPy understands.
        batch_size: examples per step; an epoch's last batch may be shorter and is divided by its own size.
        num_epochs: passes over the data, each in a new order.
        seed: decides the start and every order; None draws one and notes it in the History's settings.
        hybridize: make the arrays lazy and run ten steps, gradients and rule, as one graph: the same curve, some twenty
            times as fast. The rule runs as it stands, at every step.
        record_every: record the loss whenever a multiple of so many examples is crossed; None: at start and end.
        plot: draw the curve into the pyplot figure 'chapter_adam' (in a notebook, a new one for each cell).

    Returns:
        The run as a `History`.

    Raises:
        TypeError, ValueError: an argument is wrong; says which, its value and what was expected.
        DivergenceError: the loss stopped being a finite number; says after which step.

    >>> from chapter_adam import adam, init_adam_states
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> run = train_ch7(adam, init_adam_states(2), {'lr': 0.1, 't': 1}, x, x[:, 0], num_epochs=20, plot=False)
    ... # doctest: +ELLIPSIS
    loss: 0.001..., ... sec per epoch
    """
    plot = checks.flag('plot', plot)
    history = run_scratch(trainer_fn, states, hyperparams, features, labels, batch_size, num_epochs,
                          seed=seed, hybridize=hybridize, record_every=record_every)
    return _report(history, plot)


def train_gluon_ch7(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                    seed=0, hybridize=False, record_every=100, full_division=False, plot=True):
    """The same training with Gluon: nn.Dense(1), L2Loss and Trainer(trainer_name, trainer_hyperparams).

    With the same seed, start and batches are those of `train_ch7`, so the curves of the same rule coincide.

    Args:
        trainer_name: the name of a Gluon optimiser, such as 'adam'; or one, `mxnet.optimizer.Adam()`, and then
        trainer_hyperparams: {} or None. Else its arguments, such as {'learning_rate': 0.01}. Neither is changed.
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
    history = run_gluon(trainer_name, trainer_hyperparams, features, labels, batch_size, num_epochs,
                        seed=seed, hybridize=hybridize, record_every=record_every, full_division=full_division)
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


def run_scratch(trainer_fn, states, hyperparams, features, labels, batch_size=10, num_epochs=2, *,
                seed=0, hybridize=False, record_every=100, watch=None):
    """`train_ch7` without a word; `watch` is called as watch(epochs_done, loss) at each record."""
    trainer_fn, hybridize = checks.rule(trainer_fn), checks.flag('hybridize', hybridize)
    run, watch = _Run(features, labels, batch_size, num_epochs, seed, record_every), checks.watch(watch)
    own_states, own_hyperparams = checks.copies(states, hyperparams)
    if is_own(trainer_fn):
        checks.ranges(hyperparams)
    name = getattr(trainer_fn, '__name__', type(trainer_fn).__name__)
    settings = run.settings(f'{name} from scratch', 'scratch', name, own_hyperparams, hybridize)
    own_hyperparams, (w, b) = watched(own_hyperparams), run.start()
    model = (LazyModel if hybridize else ScratchModel)(w, b, trainer_fn, own_states, own_hyperparams)

    def again(wrapped):
        model = ScratchModel(*run.start(), wrapped(trainer_fn), *checks.copies(states, hyperparams))
        run.fit(model, settings, None)

    try:
        with explained(name, hyperparams), draws_noted(name):
            history = run.fit(model, settings, watch)
    except DivergenceError as error:
        raise with_origin(error, again) from None
    left = [p for p, is_left in (('the weights', np.array_equal(history.weights, w[:, 0])),
                                 ('the bias', history.bias == b[0])) if is_left]
    warn_of_slips(name, own_hyperparams, run.steps, left, is_own(trainer_fn), own_states)
    return history


def run_gluon(trainer_name, trainer_hyperparams, features, labels, batch_size=10, num_epochs=2, *,
              seed=0, hybridize=False, record_every=100, full_division=False, watch=None):
    """`train_gluon_ch7` without a word."""
    name, optimizer = checks.gluon_optimizer(trainer_name, trainer_hyperparams)
    hybridize, full_division = checks.flag('hybridize', hybridize), checks.flag('full_division', full_division)
    run = _Run(features, labels, batch_size, num_epochs, seed, record_every)
    settings = run.settings(f'Gluon {name}', 'gluon', name, trainer_hyperparams or {}, hybridize)
    settings['full_division'] = full_division
    # Gluon's arrays are NDArrays, after npx.set_np() too.
    with explained(f"Gluon's {name}", trainer_hyperparams), mxnet.util.np_array(False):
        model = GluonModel(*run.start(), optimizer, run.batch_size, full_division, hybridize)
        return run.fit(model, settings, watch)


class _Run:
    """What both trainings have in common: checked arguments, the draws of the seed, and the settings as data."""

    def __init__(self, features, labels, batch_size, num_epochs, seed, record_every):
        self.features, self.labels, self.batch_size, self.num_epochs, self.record_every = checks.training(
            features, labels, batch_size, num_epochs, record_every)
        # Fresh entropy is drawn here, not left to the generator, so that the run's settings can repeat it.
        seed = checks.seed(seed)
        self.seed = np.random.SeedSequence().entropy if seed is None else seed
        self.steps = self.num_epochs * -(-len(self.labels) // self.batch_size)

    def start(self):
        """The parameters at the start; the draws of the seed begin anew."""
        self.draws = Draws(self.seed)
        return self.draws.start(self.features.shape[1])

    def settings(self, label, method, rule, hyperparams, hybridize):
        plain = {key: checks.plain(value) for key, value in hyperparams.items()}
        return {'label': label + (', hybridized' if hybridize else ''), 'method': method, 'rule': rule,
                'hyperparams': plain, 'hybridize': hybridize,
                'batch_size': self.batch_size, 'num_epochs': self.num_epochs, 'seed': self.seed,
                'rows': len(self.labels), 'features': self.features.shape[1], 'record_every': self.record_every}

    def fit(self, model, settings, watch):
        losses, epochs, seconds, train_seconds = fit(model, self.draws, self.features, self.labels, self.batch_size,
                                                     self.num_epochs, self.record_every, watch)
        w, b = model.parameters()
        return History(tuple(losses), tuple(epochs), seconds, train_seconds,
                       tuple(w[:, 0].tolist()), float(b[0]), settings)
