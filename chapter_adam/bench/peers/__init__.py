"""The competitors of `chapter-adam bench`: each file in this folder takes part.

A file imports its framework and NumPy, nothing else of this package, and declares

    LABELS = {'': 'NumPy'}         the name of each of its variants in the table, such as {'scratch': '...', ...}
    FAMILY = 'others'              its colour in the figure: one of FAMILIES
    ENVIRONMENT = 'arrays'         where it runs: 'main', or .peers/NAME, made from scripts/peers/NAME.txt
    REQUIRES = ('numpy',)          the packages that it needs, the framework first

and, where they apply, the variants that

    OWN_DRAWS = ('',)              draw their own start and orders
    WHOLE_CALL = ('',)             call a library's own loop, which hands over its losses at the end
    MANY = ('',)                   can train many runs at once (`bench --many`)

It defines

    def prepare(task, variant):    does what is done once, such as compiling; returns
        def train():               one training: `task.num_epochs` epochs of Adam on minibatches `task.batches`, from
            ...                    `task.w`, `task.b`, in `task.orders`. It hands each loss to `task.record`: at the
        return train               start, and after the steps in `task.records`, or at the end of their epoch.

    def prepare_many(task, variant):
        def train(runs):           trains so many runs from the starts and in the orders of `task.draw(runs)`;
            ...                    returns their final losses
        return train

`worker.Task` says what is in `task`. Each variant runs in its own process, in an empty folder beside `../data`, which
holds the data file. A file says in its docstring how its training departs from the section's. `gate` decides whether
its losses and its clock are right.
"""
import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FAMILIES = ('the original', 'later edition', 'ours', 'others')
DECLARED = ('LABELS', 'FAMILY', 'ENVIRONMENT', 'REQUIRES')
OPTIONAL = ('OWN_DRAWS', 'WHOLE_CALL', 'MANY')


@dataclass(frozen=True)
class Competitor:
    """One variant of one file."""
    name: str
    path: Path
    variant: str
    label: str
    family: str
    environment: str
    requires: tuple
    own_draws: bool
    whole_call: bool
    many: bool


def discover(folder=FOLDER):
    """Every competitor in the folder, by name: 'file' or 'file-variant'. Raises ValueError for an incomplete file."""
    found = {}
    for path in sorted(folder.glob('[!_]*.py')):
        labels, family, environment, requires, *optional = declarations(path)
        for variant, label in labels.items():
            name = f'{path.stem}-{variant}' if variant else path.stem
            found[name] = Competitor(name, path, variant, label, family, environment, requires,
                                     *(variant in variants for variants in optional))
    return found


def named(competitors, name):
    """The competitors that a name means: one by its own, all variants by their file's."""
    return [c for c in competitors.values() if name in (c.name, c.path.stem)]


def declarations(path):
    """What a file declares, in the order of DECLARED and OPTIONAL; read, not run: its framework may be absent."""
    values = dict.fromkeys(OPTIONAL, ())
    for node in ast.parse(path.read_text(encoding='utf-8'), str(path)).body:
        for target in getattr(node, 'targets', ()):
            if getattr(target, 'id', None) in DECLARED + OPTIONAL:
                values[target.id] = ast.literal_eval(node.value)
    if missing := [name for name in DECLARED if name not in values]:
        raise ValueError(f'{path}: a competitor must declare {", ".join(missing)}; see {FOLDER / "__init__.py"}')
    if values['FAMILY'] not in FAMILIES:
        raise ValueError(f'{path}: FAMILY must be one of {", ".join(FAMILIES)}, got {values["FAMILY"]!r}')
    return [values[name] for name in DECLARED + OPTIONAL]
