"""Many seeded runs as figures, drawn from the facts that the commands `seeds` and `choices` write."""
from .figures import FLOOR, GLUON, SCRATCH, new_figure

FEWEST = 30  # seeds below which nothing is concluded


def too_few(facts):
    """Says so where the facts come from too few seeds, else ''."""
    runs = facts['runs'] - len(facts['diverged'])
    return f'{runs} seed{"s" * (runs > 1)}: too few to tell ({FEWEST} are needed)' if runs < FEWEST else ''


def coincide(facts):
    """Whether both methods have one distribution: a difference of means below 1 % of the seeds' standard deviation."""
    return max(map(abs, facts['pairs']['effect_interval'])) < 0.01


def ordinary(book):
    """Whether a loss of the book is among the middle nine tenths of the runs."""
    return 5 <= book['percentile'] <= 95


def seeds(facts):
    """Two methods: bands over the epochs, and beside them the final losses with the book's two."""
    figure, (left, right) = new_figure((8.6, 3.8), columns=2, width_ratios=(1.25, 1))
    _draw_bands(left, facts)
    _draw_finals(right, facts)
    figure.suptitle(seeds_title(facts), fontsize='medium')
    return figure


def seeds_title(facts):
    """What the figure shows: whether the bands coincide, and where the book's losses lie."""
    if few := too_few(facts):
        return few
    title = f'{facts["runs"]:,} seeds: the bands of both methods {"coincide" if coincide(facts) else "differ"}'
    if facts['book']:
        fine = all(map(ordinary, facts['book'].values()))
        title += f', and the book\'s two losses are {"ordinary draws" if fine else "not both among the middle 90 %"}'
    return title


def _draw_bands(axes, facts):
    epochs, scratch = facts['curves']['epochs'], facts['curves']['scratch']
    axes.fill_between(epochs, scratch['least'], scratch['most'], color=SCRATCH, alpha=0.12, linewidth=0,
                      label='scratch, all')
    axes.fill_between(epochs, scratch['5 %'], scratch['95 %'], color=SCRATCH, alpha=0.35, linewidth=0,
                      label='scratch, 5-95 %')
    axes.plot(epochs, scratch['median'], color=SCRATCH, linewidth=3, alpha=0.6, label='scratch, median')
    for levels, dashes, name in ((('least', 'most'), ':', 'all'), (('5 %', '95 %'), '--', '5-95 %'),
                                 (('median',), '-', 'median')):
        for level, label in zip(levels, (f'Gluon, {name}', None)):
            axes.plot(epochs, facts['curves']['gluon'][level], color=GLUON, linestyle=dashes, linewidth=1, label=label)
    axes.axhline(facts['floor'], color=FLOOR, linestyle='--', linewidth=1, label='least-squares floor')
    axes.set(xlabel='epoch', ylabel='loss')
    axes.legend(fontsize='x-small')


def _draw_finals(axes, facts):
    finals = facts['histogram']
    axes.stairs(finals['scratch'], finals['edges'], fill=True, color=SCRATCH, alpha=0.35, label='scratch')
    axes.stairs(finals['gluon'], finals['edges'], color=GLUON, linewidth=1.2, label='Gluon')
    for (name, book), color, y in zip(facts['book'].items(), (SCRATCH, GLUON), (0.6, 0.4)):
        axes.axvline(book['loss'], color=color, linewidth=1.5)
        above = '' if too_few(facts) else f', above {book["percentile"]:.0f} %'
        axes.annotate(f'the book, {name.replace("gluon", "Gluon")}:\n{book["loss"]:.6f}{above}', (book['loss'], y),
                      xytext=(0.45, y - 0.02), xycoords=('data', 'axes fraction'), textcoords='axes fraction',
                      fontsize='small', arrowprops={'arrowstyle': '-', 'color': color})
    axes.axvline(facts['floor'], color=FLOOR, linestyle='--', linewidth=1, label='least-squares floor')
    axes.set(xlabel='final loss (the last bin holds all above)', ylabel='runs')
    axes.locator_params(axis='x', nbins=5)
    axes.legend(fontsize='small')


def choices(facts):
    """How far each choice moves the loss, on a log axis, beside how far the seed does."""
    effects = sorted(facts['effects'].items(), key=lambda item: item[1]['curve_typical'])
    figure, axes = new_figure((7.2, 3.4))
    for y, (_, effect) in enumerate(effects):
        axes.plot([effect['curve_typical'], effect['curve_largest']], [y, y], color=SCRATCH, linewidth=5, alpha=0.3,
                  solid_capstyle='butt', label='on the curve: median seed to worst seed' if y == 0 else None)
        axes.plot(effect['curve_typical'], y, 'o', color=SCRATCH)
        axes.plot(effect['final_typical'], y, 'D', color='tab:red', markersize=5,
                  label='on the final loss: median seed' if y == 0 else None)
    axes.axvline(facts['standard_deviation_of_seeds'], color=FLOOR, linestyle='--',
                 label='seed to seed (standard deviation)')
    axes.set(xscale='log', xlabel='change of the loss', yticks=range(len(effects)),
             yticklabels=[name for name, _ in effects], ylim=(-0.6, len(effects) - 0.4),
             title=choices_title(facts))
    axes.title.set_fontsize('medium')
    axes.title.set(x=1, horizontalalignment='right')
    axes.grid(False, axis='y')
    axes.legend(fontsize='small', loc='upper left', frameon=True)
    return figure


def choices_title(facts):
    """What the figure shows: which choices move the final loss further than the seed does."""
    if few := too_few(facts):
        return few
    spread = facts['standard_deviation_of_seeds']
    seen = [f'the {name}' for name, effect in facts['effects'].items() if effect['final_typical'] > spread]
    finding = f'Only {" and ".join(seen)} outweigh{"s" * (len(seen) == 1)}' if seen else 'No choice outweighs'
    return f'{finding} the seed ({facts["runs"]:,} seeds, paired)'
