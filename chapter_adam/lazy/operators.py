"""The operators that a record may hold: those that compute one new array from others and do nothing else.

One that draws at random, keeps a state or writes to its inputs is not listed. It ends the laziness, and so does one
that the lists merely lack: that costs time, never the result.
"""
import ctypes
from dataclasses import dataclass

import numpy as np

from ..compat import mxnet

# An operator with one number: the same one with an array of one number, and whether the number is on the left.
TWINS = {f'_{name}_scalar': (f'broadcast_{twin or name}', False) for name, twin in dict(
    plus='add', minus='sub', mul='', div='', power='', mod='', maximum='', minimum='', greater='', greater_equal='',
    lesser='', lesser_equal='', equal='', not_equal='').items()}
TWINS.update({f'_r{name[1:]}': (TWINS[name][0], True) for name in
              ('_minus_scalar', '_div_scalar', '_power_scalar', '_mod_scalar')})
# Each number of the result depends on the numbers at the same place alone: nothing is summed, sorted or moved.
ELEMENTWISE = {*TWINS, *(twin for twin, _ in TWINS.values()), *'''
    elemwise_add elemwise_sub elemwise_mul elemwise_div broadcast_hypot broadcast_logical_and broadcast_logical_or
    broadcast_logical_xor negative abs sign round rint fix floor ceil trunc square sqrt rsqrt cbrt rcbrt exp expm1 log
    log10 log2 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh degrees radians sigmoid
    relu softsign hard_sigmoid erf erfinv gamma gammaln smooth_l1 reciprocal logical_not add_n zeros_like ones_like
    _copy Cast clip where'''.split()}
OTHERS = '''
    sum mean prod nansum nanprod max min norm argmax argmin L2Normalization dot batch_dot transpose Reshape Flatten
    expand_dims squeeze SwapAxis slice slice_axis slice_like reverse tile repeat Concat stack take pick softmax
    log_softmax softmin sort argsort broadcast_to broadcast_axis broadcast_like cumsum one_hot diag linalg_gemm2
    _slice_assign _slice_assign_scalar'''.split()


@dataclass(frozen=True)
class Operator:
    """An MXNet operator with its keywords, pairs of texts. Of one in TWINS, the record keeps the number."""
    name: str
    keywords: tuple = ()

    @property
    def takes_number(self):
        return self.name in TWINS

    @property
    def is_elementwise(self):
        return self.name in ELEMENTWISE

    def shape(self, shapes):
        """The shape of an elementwise operator's result."""
        return np.broadcast_shapes(*shapes)

    def apply(self, F, arrays, number=None):
        """The result, with F = mxnet.nd for NDArrays or mxnet.sym for symbols; `number` may be one of these too."""
        if not self.takes_number or isinstance(number, float):
            keywords = {'scalar': number} if self.takes_number else dict(self.keywords)
            return getattr(F._internal if self.name.startswith('_') else F.op, self.name)(*arrays, **keywords)
        twin, number_first = TWINS[self.name]
        return getattr(F, twin)(*((number, *arrays) if number_first else (*arrays, number)))


def _address(name):
    found = ctypes.c_void_p()
    mxnet.base.check_call(mxnet.base._LIB.NNGetOpHandle(mxnet.base.c_str(name), ctypes.byref(found)))
    return found.value


NAME_OF = {_address(name): name for name in [*OTHERS, *ELEMENTWISE]}
