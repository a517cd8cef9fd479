"""Python numbers computed from hyperparameters, written down as a program that computes them again.

Each subexpression gets a name of its own, so that the program grows with the number of operations alone.
"""
import math

import numpy as np


class Program:
    """Definitions of names, in the order in which they were made.

    Attributes:
        names: expression -> its name.
        parts: name -> (expression, the names in it).
        given: name -> object, for constants that have no exact text.
    """

    def __init__(self):
        self.names, self.parts, self.given = {}, {}, {}

    def define(self, template, *names):
        """The name of an expression; `template` has a {} for each name."""
        source = template.format(*names)
        if source not in self.names:
            self.names[source] = f'x{len(self.names)}'
            self.parts[self.names[source]] = source, names
        return self.names[source]

    def constant(self, value):
        """A constant's text, or a name for the object itself."""
        if type(value) in (int, bool, type(None)) or type(value) is float and math.isfinite(value):
            return f'({value!r})'
        name = next((name for name, known in self.given.items() if known is value), f'c{len(self.given)}')
        self.given[name] = value
        return name

    def needed(self, names, done):
        """The definitions of names, and before them those that they are made of; `done` is filled."""
        lines, stack = [], [*reversed(names)]
        while stack:
            name = stack[-1]
            missing = [part for part in self.parts.get(name, ('', ()))[1] if part in self.parts and part not in done]
            if name in self.parts and name not in done and missing:
                stack.extend(missing)
                continue
            stack.pop()
            if name in self.parts and name not in done:
                done.add(name)
                lines.append(f'{name} = {self.parts[name][0]}')
        return lines

    def evaluator(self, names, first=()):
        """A function of the hyperparameters' dict that computes the named numbers, as a tuple.

        What is `first` is computed too, for the errors that it may raise.
        """
        lines = self.needed([*first, *names], set())
        return self._function([*lines, f'return ({"".join(name + ", " for name in names)})'])

    def unused(self, names):
        """The numbers that none of the named ones is made of."""
        used = set()
        self.needed(names, used)
        return [name for name in self.parts if name not in used]

    def checker(self, guards, everything):
        """A function that tells whether each guard (name, test) holds; `everything`: and whether nothing raises."""
        done, lines = set(), []
        for name, test in guards:
            lines += [*self.needed([name], done), f'if not ({test}): return False']
        if everything:
            lines += self.needed(list(self.parts), done)
        body = ['try:', *('    ' + line for line in lines or ['pass']), 'except Exception: return False']
        return self._function([*body, 'return True'])

    def _function(self, lines):
        names = {'math': math, 'np': np, **self.given}
        exec('\n    '.join(['def function(h):', *lines]), names)
        return names['function']
