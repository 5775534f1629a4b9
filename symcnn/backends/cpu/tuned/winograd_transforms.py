r"""The transforms of Winograd's convolution.

Toom and Cook multiply two polynomials by way of their values at a few points; transposed, that becomes a short
convolution. In two dimensions a tile of e x e outputs of a k x k window, with ``e + k - 1 = 6``, is

.. math:: Y = A^T \bigl[ (G w G^T) \odot (B^T x B) \bigr] A

and costs 36 multiplications instead of e * e * k * k: 4 times fewer for k = 3, e = 4 and 2.8 times for k = 5, e = 2.
Both use the same six points, hence the same B. The sum over input channels is taken between the brackets, where it is
36 matrix products. Gradients are the transposed maps: A takes that of Y to the points, B and G^T those of x and w back.

The points are 0, +-3/4, +-3/2 and infinity. In float32 they are about twice as accurate as the customary 0, +-1, +-2
and as cheap, since opposite numbers share their even and odd parts. Barabasz et al., *Error analysis and improving the
accuracy of Winograd convolution for deep neural networks* (2020), compare others.

Each transform is emitted as LLVM instructions: all channels, one vector after the other, first the columns of a tile
and then its rows. Its planes stay in registers, or near.
"""

from fractions import Fraction
from math import prod

from llvmlite import ir
from numba import float32, int64, types
from numba.core import cgutils

from symcnn.backends.cpu.simd import Vector, emit_fma, emit_lane_range, emit_load, emit_store
from symcnn.backends.jit import intrinsic

POINTS = tuple(Fraction(n, 4) for n in (0, 3, -3, 6, -6))
EXTENT = len(POINTS) + 1  # of a tile of inputs; the last point is infinity
VALUES = EXTENT * EXTENT
OPPOSITE = ((1, 2), (3, 4))

Matrix = list[list[Fraction]]


def powers(count: int) -> Matrix:
    """The values of 1, x, ..., x^(count - 1) at the points, at infinity of the last alone. A of `count` outputs."""
    return [[p**i for i in range(count)] for p in POINTS] + [[Fraction(i == count - 1) for i in range(count)]]


def scaled_powers(count: int) -> Matrix:
    """`powers`, each row divided by the product of the distances to the other points. G of `count` taps."""
    scales = [prod(p - q for q in POINTS if q != p) for p in POINTS] + [Fraction(1)]
    return [[x / scale for x in row] for row, scale in zip(powers(count), scales, strict=True)]


def vanishing_polynomials() -> Matrix:
    """Row i holds the coefficients of the polynomial that is 0 at every point but number i. B^T."""
    rows = []
    for i in range(EXTENT):
        row = [Fraction(1)]
        for q in POINTS[:i] + POINTS[i + 1 :]:
            row = [a - q * b for a, b in zip([0, *row], [*row, 0], strict=True)]
        rows.append(row + [Fraction(0)] * (EXTENT - len(row)))
    return rows


def transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def leads_to_points(matrix: Matrix) -> bool:
    """Whether rows of opposite points differ in the signs of the odd columns; if not, columns differ so in the rows."""
    return len(matrix) == EXTENT and all(
        matrix[minus] == [-c if i % 2 else c for i, c in enumerate(matrix[plus])] for plus, minus in OPPOSITE
    )


# -- Emitting ---------------------------------------------------------------------------------------------------------


class Arithmetic:
    """Emits sums of vectors with constant coefficients."""

    def __init__(self, builder, vector):
        self.builder, self.vector = builder, vector

    def constant(self, number: Fraction):
        return ir.Constant(ir.VectorType(ir.FloatType(), self.vector.lanes), [float(number)] * self.vector.lanes)

    def sum(self, coefficients, values):
        """The sum of ``coefficient * value``, in as few instructions as there are terms if one coefficient is 1."""
        terms = [(c, x) for c, x in zip(coefficients, values, strict=True) if c]
        (c, found), *rest = sorted(terms, key=lambda term: term[0] != 1)
        if c != 1:
            found = self.builder.fmul(self.constant(c), found)
        for c, x in rest:
            found = (
                self.builder.fadd(found, x)
                if c == 1
                else emit_fma(self.builder, self.vector, self.constant(c), x, found)
            )
        return found

    def apply(self, matrix: Matrix, values: list) -> list:
        """``matrix @ values`` for a matrix that leads to the points or from the points."""
        return self._to_points(matrix, values) if leads_to_points(matrix) else self._from_points(matrix, values)

    def _to_points(self, matrix, values):
        """At opposite points the even powers are the same and the odd ones opposite."""
        found = {i: self.sum(matrix[i], values) for i in (0, EXTENT - 1)}
        for plus, minus in OPPOSITE:
            row = matrix[plus]
            scale = [c for c in row[1::2] if c][-1]
            even = self.sum(row[::2], values[::2])
            odd = self.sum([c / scale for c in row[1::2]], values[1::2])
            for i, factor in ((plus, scale), (minus, -scale)):
                found[i] = emit_fma(self.builder, self.vector, self.constant(factor), odd, even)
        return [found[i] for i in range(EXTENT)]

    def _from_points(self, matrix, values):
        """Opposite points enter a result either as their sum or as their difference."""
        pairs = [
            {1: self.builder.fadd(values[plus], values[minus]), -1: self.builder.fsub(values[plus], values[minus])}
            for plus, minus in OPPOSITE
        ]
        found = []
        for row in matrix:
            chosen = [
                pair[1 if row[plus] == row[minus] else -1] for pair, (plus, minus) in zip(pairs, OPPOSITE, strict=True)
            ]
            coefficients = [row[0], row[-1], *(row[plus] for plus, _ in OPPOSITE)]
            found.append(self.sum(coefficients, [values[0], values[-1], *chosen]))
        return found


class Planes:
    """Element k of a tile lies `step` elements after element k - 1."""

    pointer = types.CPointer(float32)

    @staticmethod
    def find(builder, start, step, k):
        return builder.gep(start, [builder.mul(step, ir.Constant(step.type, k))])


class Table:
    """Element k of a tile lies at the address that a table holds at k; `step` is not used."""

    pointer = types.CPointer(int64)

    @staticmethod
    def find(builder, table, step, k):
        address = builder.load(builder.gep(table, [ir.Constant(step.type, k)]))
        return builder.inttoptr(address, ir.PointerType(ir.FloatType()))


def _transform(matrix: Matrix, source, target, adds=False):
    """``transform(channels, source, source_step, target, target_step)``: ``matrix @ X @ matrix.T`` for every channel.

    X and the result are row-major; `source` and `target` say how their elements are found, each in its first channel.
    If it `adds`, the result is added to what is there. There must be at least as many channels as lanes, since the last
    vector overlaps the one before it.
    """
    rows, columns = len(matrix), len(matrix[0])
    vector = Vector(float32)

    @intrinsic
    def transform(typing, channels, from_, from_step, to, to_step):
        def generate(context, builder, signature, arguments):
            channels, from_, from_step, to, to_step = arguments
            arithmetic = Arithmetic(builder, vector)
            lanes = ir.Constant(channels.type, vector.lanes)
            last = builder.sub(channels, lanes)
            with cgutils.for_range_slice(builder, ir.Constant(channels.type, 0), channels, lanes) as (first, _):
                channel = builder.select(builder.icmp_signed("<", first, last), first, last)
                new = emit_lane_range(builder, vector, builder.sub(first, channel), lanes) if adds else None
                half_done = []
                for j in range(columns):
                    places = [source.find(builder, from_, from_step, i * columns + j) for i in range(columns)]
                    loaded = [emit_load(builder, vector, place, channel) for place in places]
                    half_done.append(arithmetic.apply(matrix, loaded))
                for i in range(rows):
                    done = arithmetic.apply(matrix, [column[i] for column in half_done])
                    for j, value in enumerate(done):
                        place = target.find(builder, to, to_step, i * rows + j)
                        if adds:
                            value = builder.fadd(emit_load(builder, vector, place, channel), value)
                        emit_store(builder, vector, place, channel, value, new)
            return context.get_dummy_value()

        return types.void(int64, source.pointer, int64, target.pointer, int64), generate

    return transform


# -- The transforms, most keyed by the size of the window -------------------------------------------------------------

TILE = {kernel: EXTENT + 1 - kernel for kernel in (3, 5)}  # outputs along a side of a tile

transform_input = _transform(vanishing_polynomials(), Table, Planes)
transform_input_gradient = _transform(transposed(vanishing_polynomials()), Planes, Table, adds=True)
transform_output = {k: _transform(transposed(powers(e)), Planes, Table) for k, e in TILE.items()}
transform_output_gradient = {k: _transform(powers(e), Table, Planes) for k, e in TILE.items()}
transform_weights = {k: _transform(scaled_powers(k), Planes, Planes) for k in TILE}
transform_weight_gradient = {k: _transform(transposed(scaled_powers(k)), Planes, Planes) for k in TILE}
