"""What a known mistake is: its name, what to do about it, and the pieces of the oracle that it writes otherwise."""
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Mistake:
    """One mistake, or two at once, which have two names.

    `convention`: who does it so on purpose; then it is not called wrong. `t_moved`: only if hyperparams['t'] was
    changed by the rule, or was not. `in_turn`: only where every parameter is one number. `alone`: it is not tried
    together with another. `needs_states`: only if the rule's states show it too.
    """
    names: tuple
    advice: str
    pieces: dict
    convention: str = ''
    t_moved: bool = None
    in_turn: bool = False
    alone: bool = False
    needs_states: bool = False

    def __add__(self, other):
        """Both at once."""
        return Mistake(self.names + other.names, f'{self.advice} {other.advice}'.strip(),
                       {**self.pieces, **other.pieces}, self.convention and other.convention,
                       self.t_moved if other.t_moved is None else other.t_moved, self.in_turn or other.in_turn,
                       needs_states=self.needs_states or other.needs_states)


MARKS = [field.name for field in fields(Mistake)[3:]]


def mistake(name, advice, **pieces):
    """A mistake of its marks and pieces."""
    marks = {key: pieces.pop(key) for key in MARKS if key in pieces}
    return Mistake((name,), advice, pieces, **marks)
