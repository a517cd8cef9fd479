"""The race: every competitor passes the gate, then each repeat times all of them in turn."""
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from . import gate
from .process import Failure, stage, started
from ..core import airfoil, training

GATE_SECONDS = 0.3  # a competitor trains at the gate at least so long,
GATE_RUNS = 2, 10  # and at least so often; more often, to rule out chance, while its clock looks wrong


@dataclass
class Entry:
    """One competitor in the race.

    Attributes:
        state: 'timed', 'skipped' (a package is missing), 'failed' (it has ended, or does not answer) or 'refused'
            (by the gate); `reason` says why.
        process: see `process.Process`; None if it has not started.
        final_loss, gap: its last loss, and how far its losses are from the reference (None with its own draws).
        samples: the seconds per epoch of each repeat.
    """
    competitor: object
    state: str = 'timed'
    reason: str = ''
    process: object = None
    final_loss: float = None
    gap: float = None
    samples: list = field(default_factory=list)

    def drop(self, state, reason):
        self.state, self.reason = state, ' '.join(str(reason).split())

    def outcome(self):
        return 'passes the gate' if self.state == 'timed' else f'{self.state}: {self.reason}'

    @contextmanager
    def dropped_on_failure(self):
        """A failure in the block drops this competitor; the race goes on."""
        try:
            yield
        except Failure as failure:
            self.drop(failure.state, failure)


def section_task(seed=0, num_epochs=2, batch_size=10):
    """The section's training as arrays: data, the seed's start and orders, and the steps that record the loss."""
    features, labels = (a.asnumpy() for a in airfoil.get_data_ch7())
    draws, step, records = training.Draws(seed), 0, []
    w, b = draws.start(features.shape[1])
    for parts in training.stretches(len(labels), batch_size, num_epochs):
        for part in parts:
            step += len(list(part.batches(batch_size)))
            records += [step] if part.record else []
    return {'features': features, 'labels': labels, 'w': w, 'b': b, 'batch_size': batch_size,
            'orders': np.array([draws.order(len(labels)) for _ in range(num_epochs)]),
            'records': records, 'hyperparams': (0.01, 0.9, 0.999, 1e-6)}


def run(competitors, repeats, say=lambda _text: None, environments=None):
    """Races the competitors and returns their entries; `say` is called with a line of progress.

    A repeat times every competitor once, so that a slow minute of the machine slows all alike. `environments` is the
    folder of their environments, the clone's by default.
    """
    entries, task = [Entry(c) for c in competitors], section_task()
    expected = gate.reference(task)
    with ExitStack() as stack:
        folder = stack.enter_context(stage(task))
        for number, entry in enumerate(entries, 1):
            with entry.dropped_on_failure():
                entry.process = stack.enter_context(started(entry.competitor, folder, environments))
                admit(entry, expected)
            say(f'{number}/{len(entries)} {entry.competitor.label}: {entry.outcome()}')
        for repeat in range(repeats):
            start = time.monotonic()
            for entry in entries:
                if entry.state == 'timed':
                    with entry.dropped_on_failure():
                        entry.samples.append(epoch_seconds(entry))
            say(f'repeat {repeat + 1} of {repeats}, {time.monotonic() - start:.1f} s')
    return entries


def admit(entry, expected):
    """The gate: drops the entry if its losses or its clock are wrong. These trainings warm it up, too."""
    answers, end, (least, most) = {1: [], 2: []}, time.monotonic() + GATE_SECONDS, GATE_RUNS
    while len(answers[2]) < least or time.monotonic() < end or len(answers[2]) < most and clock(entry, answers):
        for num_epochs, given in answers.items():
            given.append(entry.process.train(num_epochs))
    losses, finals = answers[2][0]['losses'], [answer['losses'][-1] for answer in answers[2]]
    own_draws = entry.competitor.own_draws
    reason = gate.finals_verdict(finals) if own_draws else gate.losses_verdict(losses, expected)
    if reason := reason or clock(entry, answers):
        return entry.drop('refused', reason)
    entry.final_loss, entry.gap = float(np.median(finals)), None if own_draws else gate.largest_gap(losses, expected)


def clock(entry, answers):
    """Why the competitor's clock is refused, or None; `answers` are those to trainings of one and of two epochs."""
    if entry.competitor.whole_call:  # it is timed from outside
        return None
    one, two = (min(answer['wall'] for answer in given) for given in answers.values())
    return gate.clock_verdict(min(answer['seconds'] for answer in answers[2]), two - one)


def epoch_seconds(entry):
    """The seconds of the last of two epochs.

    The worker reads its clock at each recorded loss. A library that hands over its losses at the end is timed from
    outside: two epochs, less one.
    """
    if entry.competitor.whole_call:
        one, two = (entry.process.train(num_epochs)['wall'] for num_epochs in (1, 2))
        return two - one
    return entry.process.train(2)['seconds']
