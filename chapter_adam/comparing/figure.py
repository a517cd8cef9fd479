"""The race as a figure: a band for each rule over the least-squares floor."""
from ..output.figures import FLOOR, new_figure


def draw(facts, axes=None):
    """Median and 5-95 % of each rule's curves; a figure of its own if there are no axes."""
    if axes is None:
        figure, axes = new_figure((6.4, 4))
    tops, ends = [], []
    for k, (name, each) in enumerate(facts['rules'].items()):
        if each['curve'] is None:
            axes.plot([], [], color=f'C{k}', label=f'{name}: all diverged')
            continue
        low, median, high = (each['curve'][level] for level in ('5 %', 'median', '95 %'))
        label = name if each['lr'] is None else f'{name}, lr {each["lr"]:.3g}'
        axes.fill_between(facts['epochs'], low, high, color=f'C{k}', alpha=0.25, linewidth=0)
        axes.plot(facts['epochs'], median, color=f'C{k}', label=f'{label}: {median[-1]:.4g}')
        tops.append(median[0])
        ends.append(median[-1])
    axes.axhline(facts['floor'], color=FLOOR, linestyle=':', label=f'least-squares floor {facts["floor"]:.4f}')
    if tops:  # a rule that goes far up is cut off
        top = max(*tops, min(ends)) * 1.05
        axes.set_ylim(facts['floor'] - 0.05 * (top - facts['floor']), top)
    axes.set(xlabel='epoch', ylabel='loss', title=f'{facts["seeds"]} seeds: median and 5-95 %')
    axes.title.set_fontsize('medium')
    axes.legend(fontsize='small')
    return axes.figure
