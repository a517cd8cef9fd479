"""The competitors of `chapter-adam bench`: one file each. A file put in this folder takes part; nothing registers it.

A peer's file imports its own framework and NumPy, nothing else of this package or of another peer, and declares

    LABELS = {'': 'NumPy'}         what it is called in the table; with several variants, {'scratch': '...', ...}
    FAMILY = 'others'              its colour in the figure: one of FAMILIES
    ENVIRONMENT = 'arrays'         where it runs: in 'main', or in that of a NAME.txt beside it, the pinned packages
                                   from which `make bench` builds `.peers/NAME` (in this Python if that is not there)
    REQUIRES = ('numpy',)          what it imports (and what must be there), the framework first
    SAME_DRAWS = True              True: it starts from `task.w`, `task.b` and follows `task.epochs()`;
                                   False: it draws its own start and shuffles; {'': True, 'own': False}: by variant

    def prepare(task, variant):    everything done once, such as compiling; returns the function to be timed:
        def train():               one whole training from the start. It hands its losses over with
            ...                    `task.record(loss)` inside of `task.epochs()`, which is the clock, or, where it
        return train               brings a clock of its own, with `task.report(seconds, losses)`

A peer that can train many seeded runs at once (the race of `chapter-adam bench --many`) also declares

    MANY = ('',)                   which of its variants can

    def prepare_many(task, variant):
        def train(seeds):          trains a run for each seed, from the start and the orders that `task.draw(seeds)`
            ...                    gives; returns their final losses
        return train

`task` is what is to be trained; `__main__.Task` says what is in it. Each variant runs in a process of its own, in the
Python of its environment; the working directory is an empty folder beside `../data`, which holds the data file.

The training is the section's: two epochs of Adam (lr, beta1, beta2, eps: `task.lr` and so on), batches of 10 of the
1503 rows, the last of 3 and divided by 3, and 30 evaluations of the loss over all rows, at `task.records`. What is
timed is the last epoch with its 15 evaluations, as in the book's printed line. A peer that departs says so in its file.

It is admitted by its answer (room `gate`): the whole curve where the draws are the same, else the final loss.
"""
import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FAMILIES = ('the original', 'later edition', 'ours', 'others')
DECLARED = ('LABELS', 'FAMILY', 'ENVIRONMENT', 'REQUIRES', 'SAME_DRAWS')


@dataclass(frozen=True)
class Competitor:
    """One variant of one peer, as its file declares it."""
    name: str
    path: Path
    variant: str
    label: str
    family: str
    environment: str
    requires: tuple
    same_draws: bool
    many: bool


def discover(folder=FOLDER):
    """Every competitor in the folder, by name: 'file' or 'file-variant'. Raises ValueError for an incomplete file."""
    found = {}
    for path in sorted(folder.glob('[!_]*.py')):
        labels, family, environment, requires, same_draws, many = declarations(path)
        for variant, label in labels.items():
            name = f'{path.stem}-{variant}' if variant else path.stem
            found[name] = Competitor(name, path, variant, label, family, environment, tuple(requires),
                                     same_draws[variant],
                                     variant in many)
    return found


def named(competitors, name):
    """Those of the competitors that a name means: one by its own, all variants by their file's."""
    return [c for c in competitors.values() if name in (c.name, c.path.stem)]


def declarations(path):
    """What a peer's file declares, in the order of DECLARED, and MANY; read, not run: its framework may be absent.

    SAME_DRAWS by variant, also where one word is for all of them.
    """
    values = {'MANY': ()}
    for node in ast.parse(path.read_text(encoding='utf-8'), str(path)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) in (*DECLARED, 'MANY'):
            values[node.targets[0].id] = ast.literal_eval(node.value)
    if missing := [name for name in DECLARED if name not in values]:
        raise ValueError(f'{path}: a peer must declare {", ".join(missing)}; see {FOLDER / "__init__.py"}')
    if values['FAMILY'] not in FAMILIES:
        raise ValueError(f'{path}: FAMILY must be one of {", ".join(FAMILIES)}, got {values["FAMILY"]!r}')
    if not isinstance(values['SAME_DRAWS'], dict):
        values['SAME_DRAWS'] = dict.fromkeys(values['LABELS'], values['SAME_DRAWS'])
    return [values[name] for name in (*DECLARED, 'MANY')]
