"""What a race's data says, in words and numbers: medians, speeds, the table and the figure's title."""
import numpy as np

OURS = 'ours-scratch-hybridized'
ORIGINALS = ('gluonbook-scratch', 'gluonbook-gluon')  # the times that the others are compared with
NOTES = ('ms: median of {repeats} per run and epoch, ± half of the interquartile range', 'clock: {clock}',
         "x: times as fast as the original's, at its best; first: preparing and the first training, compiling included")


def quartiles(peer):
    """For each number of runs: the lower quartile, the median and the upper quartile, in milliseconds."""
    return {int(runs): np.quantile(samples, (0.25, 0.5, 0.75)) * 1e3
            for runs, samples in peer['seconds_per_run_epoch'].items()}


def best(peer):
    """The number of runs at once with the lowest median, and that median; None, inf if it was not timed."""
    medians = {runs: median for runs, (_, median, _) in quartiles(peer).items()}
    runs = min(medians, key=medians.get, default=None)
    return runs, medians.get(runs, np.inf)


def slowest_first(result):
    """The competitors with times, by name."""
    timed = [(name, peer) for name, peer in result['peers'].items() if peer['seconds_per_run_epoch']]
    return dict(sorted(timed, key=lambda item: -best(item[1])[1]))


def speed(result, peer, original=ORIGINALS[0]):
    """How many times as fast as the original's a competitor is, or None."""
    base = slowest_first(result).get(original)
    return best(base)[1] / best(peer)[1] if base else None


def digits(value, count=2):
    """At least so many digits, no power of ten: 44, 6.4, 0.070, 4,058; nothing for None."""
    if value is None:
        return ''
    return f'{value:,.0f}' if value >= 10 ** (count - 1) else f'{value:#.{count}g}'.rstrip('.')


def title(result):
    """How fast ours is."""
    peer = result['peers'].get(OURS, {'seconds_per_run_epoch': {}})
    (runs, median), original = best(peer), speed(result, peer)
    at_once = f', {runs:,} runs at once' if runs and runs > 1 else ''
    return f'Ours, hybridized: {digits(original)} times as fast as the original{at_once}' if median and original else ''


def table(result):
    """A row for each timed competitor, then why the others are not timed."""
    sizes = result['sizes']
    heads = ['ms/epoch'] if sizes == [1] else [f'{runs:,} runs' for runs in sizes]
    lines = [f'{"":30}' + ''.join(f'{head:>14}' for head in heads)
             + f'{"x scratch":>11}{"x Gluon":>9}{"final loss":>12}{"first":>9}  version']
    for peer in slowest_first(result).values():
        times = quartiles(peer)
        cells = ''.join(f'{_cell(times[runs]) if runs in times else "-":>14}' for runs in sizes)
        scratch, gluon = (digits(speed(result, peer, original)) for original in ORIGINALS)
        _, (package, version), *_ = peer['versions'].items()
        lines.append(f'{peer["label"]:30}{cells}{scratch:>11}{gluon:>9}{peer["final_loss"]:12.6f}'
                     f'{peer["prepare_seconds"]:7.1f} s  {package} {version}')
    lines += [f'{peer["label"]:30}  {peer["state"]}: {peer["reason"]}' for peer in result['peers'].values()
              if peer['state'] != 'timed']
    return '\n'.join([*lines, '', *(note.format(**result) for note in NOTES)])


def _cell(times):
    low, median, high = times
    return f'{digits(median, 3)} ±{(high - low) / 2 / median:.0%}'
