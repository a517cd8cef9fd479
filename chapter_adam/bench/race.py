"""The race: in each repeat every competitor trains in a new process of its own, and passes the gate or not.

They take turns, so that a slow minute of the machine slows all alike. Nothing is kept from one repeat to the next.
"""
from . import gate, process
from .worker import CHECKED, Task
from ..core import airfoil, history, training

ORIGINAL = 'gluonbook-scratch'  # the only one in the race of many runs that trains one at a time
SETTINGS = {'rows': 1503, 'batch_size': 10, 'num_epochs': 2, 'lr': 0.01, 'beta1': 0.9, 'beta2': 0.999, 'eps': 1e-6,
            'seed': 0}
CLOCK = 'wall time of the last of two epochs, evaluations included; d2l and gluonbook: two epochs less one'
CLOCK_OF_MANY = 'everything from the seeds to the final losses, without compilation; the original: its last epoch'


def section_task():
    """The section's training as plain data, of which `worker.Task` is made."""
    features, labels = (array.asnumpy().tolist() for array in airfoil.get_data_ch7())
    step, records = 0, []
    for parts in training.stretches(len(labels), SETTINGS['batch_size'], SETTINGS['num_epochs']):
        for part in parts:
            step += len(list(part.batches(SETTINGS['batch_size'])))
            records += [step] if part.record else []
    return {**SETTINGS, 'features': features, 'labels': labels, 'records': records}


def run(competitors, repeats, sizes=(), watch=None):
    """The race as data: machine, settings, and each competitor with every sample.

    `sizes`: numbers of runs to train at once; none: the section's own training. `watch` gets each line of progress.
    """
    competitors = [c for c in competitors if c.many or c.name == ORIGINAL or not sizes]
    if not competitors:
        raise ValueError('none of these competitors can train many runs; without --only, those run that can')
    peers, task = {c.name: blank(c) for c in competitors}, section_task()
    curves = references(Task(**task), min(CHECKED, max(sizes, default=1)))
    for repeat in range(1, repeats + 1):
        for number, c in enumerate(competitors, 1):
            peer = peers[c.name]
            if peer['state'] == 'timed':
                take_part(c, peer, task, curves, sizes if c.many else ())
                passed = 'passes the gate' if peer['state'] == 'timed' else f'{peer["state"]}: {peer["reason"]}'
                if watch:
                    watch(f'repeat {repeat} of {repeats}, {number}/{len(peers)} {c.label}: {passed}')
    return {'machine': history.machine(), 'clock': CLOCK_OF_MANY if sizes else CLOCK, 'repeats': repeats,
            'settings': SETTINGS, 'sizes': list(sizes) or [1], 'peers': peers}


def references(task, runs):
    """The reference's losses for the first seeds."""
    return [gate.reference(task, *drawn) for drawn in zip(*task.draw(runs))]


def blank(competitor):
    """A competitor's part of the result before the race."""
    return {'label': competitor.label, 'family': competitor.family, 'state': 'timed', 'reason': '', 'versions': {},
            'prepare_seconds': None, 'final_loss': None, 'gap_to_reference': None, 'seconds_per_run_epoch': {}}


def take_part(competitor, peer, task, curves, sizes):
    """Adds a sample for each number of runs. A competitor that fails or is refused once loses all its samples."""
    try:
        for runs in sizes or (0,):
            answer = process.run(competitor, task, runs)
            expected = [curve[-1] for curve in curves[:runs]] if runs else curves[0]
            if reason := gate.verdict(answer, expected, competitor.closed):
                raise process.Out('refused', reason)
            peer.update({name: answer[name] for name in ('versions', 'prepare_seconds')},
                        final_loss=answer['losses'][0 if runs else -1],
                        gap_to_reference=None if competitor.closed else gate.largest_gap(answer['losses'], expected))
            peer['seconds_per_run_epoch'].setdefault(str(runs or 1), []).append(answer['seconds'])
    except process.Out as out:
        peer['state'], peer['reason'] = out.args
        peer['seconds_per_run_epoch'] = {}
