"""What a function's code refers to, sets and asks, read off its instructions without running it."""
import dis
import functools
import types

GLOBAL_WRITES, OUTER_WRITES = ('STORE_GLOBAL', 'DELETE_GLOBAL'), ('STORE_DEREF', 'DELETE_DEREF')
ATTRIBUTE_WRITES = ('STORE_ATTR', 'DELETE_ATTR')
HANDLERS = ('SETUP_FINALLY', 'PUSH_EXC_INFO', 'SETUP_WITH', 'BEFORE_WITH')


@functools.lru_cache(maxsize=1000)
def reads(code):
    """What code refers to, that of functions inside it included: (globals, imports with their dots, attributes)."""
    steps, inner = list(dis.get_instructions(code)), [c for c in code.co_consts if isinstance(c, types.CodeType)]
    # Names such as @pytest_ar are not the author's: pytest writes them into its `assert`s.
    found = [{s.argval for s in steps if s.opname in ('LOAD_GLOBAL', 'LOAD_NAME') and s.argval.isidentifier()},
             {'.' * level.argval + name.argval for level, _, name in zip(steps, steps[1:], steps[2:])
              if name.opname == 'IMPORT_NAME'},
             {*code.co_names, *_asked_by_text(steps)}]
    for code in inner:
        found = [mine | theirs for mine, theirs in zip(found, map(set, reads(code)))]
    return tuple(tuple(sorted(names)) for names in found)


def _asked_by_text(steps):
    """The names in `getattr(x.y, 'name')`; '*' where one is made in another way."""
    for k, step in enumerate(steps):
        if step.argval in ('getattr', 'hasattr'):
            rest = steps[k + 1:]
            while rest[0].opname.startswith('LOAD_') and rest[0].opname != 'LOAD_CONST':
                del rest[0]
            then = [s.opname for s in rest[1:3]]
            if then and then[0].startswith('LOAD_'):  # a third argument
                del then[0]
            given = then and then[0].startswith(('CALL', 'PRECALL')) and isinstance(rest[0].argval, str)
            yield rest[0].argval if given else '*'


@functools.lru_cache(maxsize=1000)
def writes(code):
    """The first name that code sets though it is not its own, or None; functions inside may set their function's."""
    return _written(code, frozenset(code.co_freevars))


def _written(code, outer):
    steps = list(dis.get_instructions(code))
    for k, step in enumerate(steps):
        if step.opname in GLOBAL_WRITES or step.opname in OUTER_WRITES and step.argval in outer:
            return step.argval
        # An object's attribute, but for one that is being made; an entry of something global. To see whether they
        # change is not enough: they may be set to what they were.
        if step.opname in ATTRIBUTE_WRITES and code.co_name not in ('__init__', '__new__', '__post_init__'):
            return step.argval
        if step.opname == 'STORE_SUBSCR' and (holder := _holder(steps[:k])):
            if holder.opname == 'LOAD_GLOBAL' or holder.opname == 'LOAD_DEREF' and holder.argval in outer:
                return holder.argval
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return next(filter(None, (_written(c, outer.intersection(c.co_freevars)) for c in inner)), None)


def _holder(steps):
    """What pushes x in `x[key] = value`, for a key that is a constant, a name or an attribute; steps: up to there."""
    k = len(steps) - 1
    while k > 0 and steps[k].opname == 'LOAD_ATTR':
        k -= 1
    return steps[k - 1] if k > 0 else None


@functools.lru_cache(maxsize=1000)
def handles_errors(code):
    """Whether code goes on after some errors: a `try`, or a `with`, which may suppress them."""
    return code.co_name == '__exit__' or any(step.opname in HANDLERS for step in dis.get_instructions(code)) or any(
        handles_errors(c) for c in code.co_consts if isinstance(c, types.CodeType))


@functools.lru_cache(maxsize=1000)
def tests_identity(code):
    """Whether code asks if something is True or is False, itself and not by its truth."""
    steps = list(dis.get_instructions(code))
    return any(step.opname == 'IS_OP' and before.opname == 'LOAD_CONST' and type(before.argval) is bool
               for before, step in zip(steps, steps[1:])) or any(
        tests_identity(c) for c in code.co_consts if isinstance(c, types.CodeType))


@functools.lru_cache(maxsize=1000)
def compares_numbers_by_identity(code):
    """The names of what code compares by `is` and that may be a number, '' for an entry such as h['t'].

    A constant (None, True) or an attribute (nd.sqrt, Mode.B) on the right is not a number.
    """
    steps, found = list(dis.get_instructions(code)), set()
    for k, step in enumerate(steps):
        if step.opname == 'IS_OP' and steps[k - 1].opname not in ('LOAD_CONST', 'LOAD_ATTR'):
            if steps[k - 1].opname in ('LOAD_GLOBAL', 'LOAD_DEREF'):
                found.add(steps[k - 1].argval)
            elif _is_entry(steps[:k]) or steps[k - 1].opname == 'LOAD_FAST' and _is_entry(steps[:k - 1]):
                found.add('')
    inner = (compares_numbers_by_identity(c) for c in code.co_consts if isinstance(c, types.CodeType))
    return frozenset(found).union(*inner)


def _is_entry(steps):
    """Whether the last thing that instructions push is x['name']."""
    return len(steps) > 1 and steps[-1].opname == 'BINARY_SUBSCR' and isinstance(steps[-2].argval, str)


def line_of(code, name):
    """The number of the first line that refers to a name."""
    line = code.co_firstlineno
    for step in dis.get_instructions(code):
        line = getattr(step, 'line_number', None) or (step.starts_line if step.starts_line else line)
        if step.argval == name:
            return line
    return next((line_of(c, name) for c in code.co_consts if isinstance(c, types.CodeType) and name in _all(c)),
                code.co_firstlineno)


def _all(code):
    return {*code.co_freevars, *(name for names in reads(code) for name in names)}
