"""What a known mistake is: its name, what to do about it, and the pieces of the oracle that it writes otherwise."""
from dataclasses import dataclass, field


MARKS = 'convention', 't_moved', 'in_turn', 'alone', 'needs_states'


@dataclass(frozen=True)
class Mistake:
    """A name, advice, and pieces.

    `convention`: who does it so on purpose; then it is not called wrong. `t_moved`: only if hyperparams['t'] was
    changed by the rule, or was not. `in_turn`: only where every parameter is one number. `oracle`: the rule that it is
    instead. `alone`: it is not tried together with another. `needs_states`: only if the rule's states show it too.
    """
    name: str
    advice: str
    pieces: dict = field(hash=False)
    convention: str = ''
    t_moved: bool = None
    in_turn: bool = False
    oracle: object = None
    alone: bool = False
    needs_states: bool = False

    @property
    def names(self):
        return (self.name,)


@dataclass(frozen=True)
class Pair(Mistake):
    """Two mistakes at once."""
    names: tuple = ()


def mistake(name, advice, **pieces):
    marks = {key: pieces.pop(key) for key in MARKS if key in pieces}
    return Mistake(name, advice, pieces, **marks)


def pairs_of(singles):
    """Two at once, where they write other pieces otherwise."""
    singles = [each for each in singles if not each.alone]
    for k, one in enumerate(singles):
        for two in singles[k + 1:]:
            if not one.pieces.keys() & two.pieces.keys():
                yield Pair(f'{one.name}; {two.name}', f'{one.advice} {two.advice}'.strip(),
                           {**one.pieces, **two.pieces}, names=(one.name, two.name),
                           in_turn=one.in_turn or two.in_turn,
                           convention=one.convention and two.convention,
                           needs_states=one.needs_states or two.needs_states)
