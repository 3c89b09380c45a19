"""Integers of fewer than 8 bits, packed into whole bytes: without it a 4-bit weight takes as much of a file as int8.

The values of an array lie on a grid, ``integer = lowest + step * digit``, and a digit takes as many bits as the largest
one needs. Digits lie one behind the other in words, the fewest bytes that hold whole digits: 8 digits of 3 bits fill 3
bytes. Word j holds the digits ``j, j + words, j + 2 * words, ...`` of the flattened array, so that packing and
unpacking go along rows.

A device without operators for bits unpacks with two constant matrices. ``split`` shifts each byte down to each place
where a digit begins, ``join`` takes from each piece what belongs to the next digit, and adds the parts of a digit
that lie in two bytes:

    digits = join @ floor(split @ bytes)

Each factor is a power of two, times the step where there is one, and each piece an integer below 256. So the result is
exact in float32, and also where a device rounds the factors of a product to TF32 or float16 and adds up in float32.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int8] | npt.NDArray[np.uint8]

INTEGERS: Final = (np.dtype(np.int8), np.dtype(np.uint8))
"""The data types that can be packed."""

_BYTE: Final = 8
_CHUNK: Final = 1 << 20
_MOST_AXES: Final = 32


@dataclass(frozen=True)
class IntegerGrid:
    """The evenly spaced integers that the values of an array lie on.

    Parameters
    ----------
    bits : int
        The bits of a digit, 1 to 8.
    lowest : int
        The integer of digit 0.
    step : int
        The distance between neighbours.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """

    bits: int
    lowest: int = 0
    step: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.bits <= _BYTE and -128 <= self.lowest <= 255 and 1 <= self.step <= 255):
            raise ParameterError(f"no array of int8 or uint8 lies on {self}.")

    @classmethod
    def of(cls, values: Integers) -> "IntegerGrid":
        """Return the coarsest grid that holds all values of an array.

        Golden Stick's SLB, for example, stores 1 bit as -1 and 1, and 4 bits as the odd integers from -15 to 15.

        Parameters
        ----------
        values : ndarray of int8 or uint8
            The array; one without values has 1 bit.

        Raises
        ------
        ParameterError
            If the array is of another data type.
        """
        found = _distinct(values)
        if not found.size:
            return cls(1)
        lowest = int(found.min())
        # Of a single value the greatest common divisor is 0.
        step = int(np.gcd.reduce(found - lowest)) or 1
        largest = (int(found.max()) - lowest) // step
        return cls(max(1, largest.bit_length()), lowest, step)

    @property
    def word_digits(self) -> int:
        """The digits in a word."""
        return _BYTE // math.gcd(self.bits, _BYTE)

    @property
    def word_bytes(self) -> int:
        """The bytes of a word."""
        return self.bits // math.gcd(self.bits, _BYTE)

    def words(self, size: int) -> int:
        """Return how many words hold so many digits; the last digits of the last words may be unused."""
        return -(-size // self.word_digits)

    def matrices(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return what the bytes are multiplied by.

        Returns
        -------
        split : ndarray of float32, shape (pieces, word_bytes)
        join : ndarray of float32, shape (word_digits, pieces)
        """
        edges = range(0, _BYTE * self.word_bytes, self.bits)
        # A digit that is cut by the edge of a byte begins anew there.
        starts = sorted({*edges, *range(0, _BYTE * self.word_bytes, _BYTE)})
        split = np.zeros((len(starts), self.word_bytes), np.float32)
        join = np.zeros((self.word_digits, len(starts)), np.float32)
        for piece, start in enumerate(starts):
            digit, place = divmod(start, self.bits)
            split[piece, start // _BYTE] = 0.5 ** (start % _BYTE)
            join[digit, piece] = 2.0**place
            end = starts[piece + 1] if piece + 1 < len(starts) else 0
            if end % _BYTE:
                join[digit, piece + 1] = -(2.0 ** (place + end - start))
        return split, join


@dataclass(frozen=True)
class PackedIntegers:
    """An array of integers, packed.

    Parameters
    ----------
    data : ndarray of uint8, shape (word_bytes, words)
        The bytes.
    grid : IntegerGrid
        What the digits in them stand for.
    shape : tuple of int
        The shape of the array.
    dtype : dtype
        Its data type, int8 or uint8.

    Raises
    ------
    ParameterError
        If the bytes are not those of an array of this shape.
    """

    data: Bytes
    grid: IntegerGrid
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    def __post_init__(self) -> None:
        _check_dtype(self.dtype)
        is_shape = len(self.shape) <= _MOST_AXES and min(self.shape, default=0) >= 0
        wanted = (self.grid.word_bytes, self.grid.words(self.size)) if is_shape else ()
        if self.data.dtype != np.uint8 or self.data.shape != wanted:
            raise ParameterError(
                f"{self.data.dtype} bytes of shape {self.data.shape} don't hold {self.grid.bits}-bit integers of "
                f"shape {self.shape}."
            )

    @property
    def size(self) -> int:
        """The number of integers."""
        return math.prod(self.shape)

    def unpack(self) -> Integers:
        """Return the integers.

        Raises
        ------
        ParameterError
            If they are beyond their data type.
        """
        bits, digits = self.grid.bits, np.empty((self.grid.word_digits, self.data.shape[1]), np.uint8)
        for index in range(self.grid.word_digits):
            row, place = divmod(index * bits, _BYTE)
            digits[index] = self.data[row] >> place
            if place + bits > _BYTE:
                digits[index] |= self.data[row + 1] << (_BYTE - place)
        digits &= (1 << bits) - 1
        used = digits.reshape(-1)[: self.size]
        limits = np.iinfo(np.int8 if self.dtype == np.int8 else np.uint8)
        highest = self.grid.lowest + self.grid.step * int(used.max(initial=0))
        if self.grid.lowest < limits.min or highest > limits.max:
            raise ParameterError(f"packed integers from {self.grid.lowest} to {highest} are beyond {self.dtype}.")
        # Modulo 256, as in two's complement, where -1 is 255.
        integers = (used * np.uint8(self.grid.step) + np.uint8(self.grid.lowest % 256)).reshape(self.shape)
        return integers.view(np.int8) if self.dtype == np.int8 else integers


def pack(values: Integers) -> PackedIntegers:
    """Pack integers into the fewest bits that hold each of them.

    Parameters
    ----------
    values : ndarray of int8 or uint8
        The integers, of any shape.

    Raises
    ------
    ParameterError
        If they are of another data type.
    """
    grid = IntegerGrid.of(values)
    words = grid.words(values.size)
    digits = np.zeros(grid.word_digits * words, np.uint8)
    # Modulo 256, where a difference of two int8 has room.
    np.subtract(_as_bytes(values), np.uint8(grid.lowest % 256), out=digits[: values.size])
    digits //= np.uint8(grid.step)
    digits[values.size :] = 0
    data = np.zeros((grid.word_bytes, words), np.uint8)
    for index, digit in enumerate(digits.reshape(grid.word_digits, words)):
        row, place = divmod(index * grid.bits, _BYTE)
        data[row] |= digit << place
        if place + grid.bits > _BYTE:
            data[row + 1] |= digit >> (_BYTE - place)
    return PackedIntegers(data, grid, values.shape, values.dtype)


def packed_size_bytes(values: Integers) -> int:
    """Return the bytes that integers take once they are packed.

    Parameters
    ----------
    values : ndarray of int8 or uint8
        The integers, of any shape.

    Raises
    ------
    ParameterError
        If they are of another data type.
    """
    grid = IntegerGrid.of(values)
    return grid.word_bytes * grid.words(values.size)


def unpacked(packed: npt.NDArray[np.generic]) -> npt.NDArray[np.int8]:
    """Return 4-bit integers one an int8, from what MindSpore calls ``qint4x2``, as Golden Stick writes it.

    Two lie in a byte, neighbours along the last axis, the first in the lower half.
    """
    pairs = packed.astype(np.int8)
    integers = np.empty((*packed.shape[:-1], 2 * packed.shape[-1]), np.int8)
    # Shifted up and down again, so that the sign comes along.
    integers[..., 0::2] = np.left_shift(pairs, 4) >> 4
    integers[..., 1::2] = pairs >> 4
    return integers


def _distinct(values: Integers) -> npt.NDArray[np.int64]:
    """Return the different values of an array, counted by pieces, since numpy counts in numbers of 8 bytes."""
    _check_dtype(values.dtype)
    flat, seen = _as_bytes(values), np.zeros(256, bool)
    for start in range(0, flat.size, _CHUNK):
        seen |= np.bincount(flat[start : start + _CHUNK], minlength=256) > 0
    return np.flatnonzero(seen).astype(np.uint8).view(values.dtype).astype(np.int64)


def _as_bytes(values: Integers) -> Bytes:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


def _check_dtype(dtype: np.dtype[np.generic]) -> None:
    if dtype not in INTEGERS:
        raise ParameterError(f"integers are packed from int8 or uint8, not from {dtype}.")
