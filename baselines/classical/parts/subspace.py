"""Singular values above a bound for a matrix that changes little from call to call: warm starts, and a proof of completeness.

A Rayleigh-Ritz step finds orthonormal columns U, with rows right = U.T @ matrix, in the subspace that the last matrices lead
to expect. They leave rest = matrix - U @ right. To first order the singular vectors are then the columns of U + Z with

    Z[:, j] = (values[j]^2 - rest @ rest.T)^-1 @ rest @ right[j],

which a Chebyshev iteration gives. A few digits of Z and of the rest matter: they are float32, all else is float64.

The proof is by inertia. Let C = rest @ right.T and b the bound, and let the rest be below c < b. The eigenvalues of
matrix @ matrix.T above b^2 are as many as the positive ones of diag(values^2) - b^2 + C.T @ (b^2 - rest @ rest.T)^-1 @ C, which
are the values above b and no others if those below it have b^2 - diag(values^2) - C.T @ C / (b^2 - c^2) positive definite.
Both conditions are Cholesky factorisations.
"""

import math

import torch
import torch.nn.functional as F
from scipy.linalg.blas import ssymm, ssyrk  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import spotrf  # pyright: ignore[reportAttributeAccessIssue]

from irsam_zoo.baselines.classical.parts.proximal import LeadingSpectrum, leading_spectrum

# Smaller matrices are decomposed whole: it costs less.
SMALLEST = 600
# Ritz vectors are kept down to this part of the bound that is expected next, and at least so many beyond those wanted.
MARGIN, SPARE = 0.93, 20
# Part of the bound that the rest must be below.
PROVED = 0.95
# Rayleigh-Ritz steps at most: where Z leaves out too much, U + Z spans the subspace of the next one.
ROUNDS = 5
# Chebyshev iteration: it ends with a step that changes the shrunk matrix by less than this part of the accuracy. Between two
# Rayleigh-Ritz steps a few will do.
LAST_STEP, MOST_STEPS, FEW_STEPS = 0.1, 12, 3
# Degree of the polynomial that brings new columns into the subspace.
DEGREE = 8
# Rounding of a Gram matrix in float32, as a part of its trace.
ROUNDING = 1e-6
# Smaller entries of the rest count as 0: their products are subnormal in float32, with which a processor is 20 times slower.
NEGLIGIBLE = 1e-18


class TrackedSpectrum:
    """`leading_spectrum` for a sequence of similar matrices of one shape, each time from the singular vectors of the last.

    Arguments:
        accuracy: Norm of the error that is allowed in the matrix of shrunk singular values, as a part of the bound.
    """

    def __init__(self, accuracy):
        self._accuracy = accuracy
        self._bases = []  # orthonormal columns after each of the last matrices, the latest first
        self._rank, self._bound = 0, math.inf

    def leading(self, matrix, *, above=math.inf, at_least=0):
        """The singular values that exceed a bound, and no fewer than a given number of them.

        It is proved for every matrix that no others exceed the bound. Where the proof fails, the matrix is decomposed.

        Arguments:
            matrix: MxN float64 tensor.
            above: Singular values above it are wanted.
            at_least: Number of singular values wanted in any case; min(M, N) at most is returned.

        Returns:
            LeadingSpectrum: On the matrix's device.
        """
        if matrix.device.type != "cpu" or min(matrix.shape) < SMALLEST:
            found = leading_spectrum(matrix, above=above, at_least=at_least, expected=self._rank)
        else:
            try:
                found = self._track(matrix, above, at_least)
            except torch.linalg.LinAlgError:  # pyright: ignore[reportPrivateImportUsage]
                # The columns of a basis have become dependent.
                found = None
            found = found or self._decompose(matrix, above, at_least)
        self._rank, self._bound = len(found.values), above
        return found

    def _lowest(self, above):
        """Ritz values down to this one are kept, as the bound may fall as much again."""
        falling = min(1.0, above / self._bound) if self._bound < math.inf else 1.0
        return MARGIN * falling * above

    def _decompose(self, matrix, above, at_least):
        spare = max(at_least, 1) if above < math.inf else at_least + SPARE
        lowest = MARGIN * self._lowest(above)
        found = leading_spectrum(matrix, above=lowest, at_least=spare, expected=self._rank)
        self._bases = [found.left]
        return found[: max(at_least, int((found.values > above).sum()))]

    def _expected_basis(self, steady):
        """The last basis, with the wanted columns moved on as they moved last: the changes of a basis are smooth.

        Quadratic extrapolation from three bases is better than linear from two, but only while the bound stays.
        """
        if len(self._bases) == 1:
            return self._bases[0]
        basis = self._bases[0].clone()
        lead = basis[:, : self._rank]
        back = [older @ (older.T @ lead) for older in self._bases[1 : 3 if steady else 2]]
        lead.copy_(2 * lead - back[0] if len(back) == 1 else 3 * (lead - back[0]) + back[1])
        return basis

    def _track(self, matrix, above, at_least):
        """The spectrum from the bases of the last ones; None where there is no such, or where the proof fails."""
        if not self._bases or above == math.inf:
            return None
        lowest = self._lowest(above)
        basis = self._expected_basis(steady=above == self._bound)
        for _ in range(ROUNDS):
            left, right, values = rayleigh_ritz(matrix, basis)
            wanted = max(int((values > above).sum()), at_least)
            if wanted > len(values):
                return None
            kept = max(int((values > lowest).sum()), wanted + SPARE)
            left, right, values = left[:, :kept], right[:kept], values[:kept]
            bound = min(above, values[wanted - 1].item()) if wanted else above
            gain = values if at_least else (values - bound).clamp_(min=0)  # of the values, once shrunk
            gain = torch.where(torch.arange(len(values)) < wanted, gain, 0)
            rest = Rest(matrix, left, right)
            coupling = rest.matrix @ right.T.float()
            steps = rest.steps_outward(coupling, values)
            outward = next(steps)
            complete = is_complete(coupling[:, wanted:], values[wanted:], bound)
            if complete and left_out(coupling, outward, values, gain, wanted) < self._accuracy:
                break
            basis = left + outward + sum(next(steps) for _ in range(FEW_STEPS - 1))
        else:
            return None
        if not rest.is_below(PROVED * bound):
            return None
        for _ in range(MOST_STEPS):
            step = next(steps)
            outward += step
            if torch.linalg.vector_norm(step * gain) < LAST_STEP * self._accuracy * bound:
                break
        else:
            return None
        left, right = left + outward, right + outward.T @ rest.matrix
        fresh = rest.leading_columns(SPARE + kept // 8, 0.9 * lowest) if values[-1] > 1.02 * lowest else left[:, :0]
        self._bases = [orthonormal(torch.cat([left, fresh], 1)), *self._bases[:2]]
        values = (values.square() + (coupling * outward).sum(0)).sqrt()[:wanted]
        return LeadingSpectrum(left, right, values)[values.argsort(descending=True)]


def rayleigh_ritz(matrix, basis):
    """Singular triplets of a matrix within the span of some columns: left MxK, right KxN with the values' lengths, values."""
    factor = torch.linalg.cholesky(basis.T @ basis)
    rows = basis.T @ matrix
    gram = torch.linalg.solve_triangular(factor, rows @ rows.T, upper=False)
    gram = torch.linalg.solve_triangular(factor, gram.T, upper=False)
    vectors = torch.linalg.solve_triangular(factor.T, torch.linalg.eigh(gram).eigenvectors.flip(1), upper=True)
    right = vectors.T @ rows
    return basis @ vectors, right, torch.linalg.vector_norm(right, dim=1)


def orthonormal(columns):
    """Orthonormal columns of the same span, for columns that nearly are."""
    factor = torch.linalg.cholesky(columns.T @ columns)
    return torch.linalg.solve_triangular(factor, columns.T, upper=False).T


def is_complete(coupling, values, bound):
    """Whether the rest, once it is below PROVED * bound, lifts none of these values, which are not above the bound, over it."""
    coupling = coupling.double()
    margin = torch.diag(bound**2 - values.square()) - coupling.T @ coupling / ((1 - PROVED**2) * bound**2)
    return torch.linalg.cholesky_ex(margin).info.item() == 0


def left_out(coupling, outward, values, gain, wanted):
    """Estimate of what the first order leaves out of the shrunk matrix, as a part of the bound: rotations among the columns."""
    inverse = values.clamp(min=values[wanted - 1]).reciprocal().float() if wanted else values.float()
    rotations = (coupling * inverse)[:, :wanted].T @ (outward * inverse)
    # A wanted column and a spare one mix by their distance, and matter by what shrinking leaves of the wanted one.
    distance = (values[:wanted, None] - values[wanted:]).clamp(min=1e-9)
    rotations[:, wanted:] *= gain[:wanted, None] / distance
    among, across = rotations[:, :wanted], rotations[:, wanted:]
    return (torch.linalg.vector_norm(among).item() + torch.linalg.vector_norm(across).item()) / 2


class Rest:
    """What some singular triplets leave of a matrix, in float32.

    Attributes:
        matrix: matrix - left @ right, MxN.
        square: Its squared Frobenius norm.
    """

    def __init__(self, matrix, left, right):
        self.matrix = torch.empty(matrix.shape, dtype=torch.float32)
        for start in range(0, len(matrix), 128):  # small temporaries stay in the cache
            rows = slice(start, start + 128)
            self.matrix[rows] = F.hardshrink(torch.addmm(matrix[rows], left[rows], right, alpha=-1), NEGLIGIBLE)
        self.square = torch.linalg.vector_norm(self.matrix).item() ** 2
        self._gram = None

    def is_below(self, bound):
        """Whether the largest singular value is below a bound for certain, by the norm or by a Cholesky factorisation."""
        if self.square < bound**2:
            return True
        self._gram = ssyrk(1.0, self.matrix.numpy().T, trans=1)
        shifted = -self._gram
        shifted.flat[:: len(shifted) + 1] += bound**2 - ROUNDING * self.square
        return spotrf(shifted, lower=0, clean=0, overwrite_a=1)[1] == 0

    def times(self, columns):
        """rest @ rest.T @ columns."""
        if self._gram is None:
            return self.matrix @ (self.matrix.T @ columns)
        return torch.from_numpy(ssymm(1.0, self._gram, columns.T.numpy(), side=1)).T

    def steps_outward(self, coupling, values):
        """Steps of the Chebyshev iteration for (values[j]^2 - rest @ rest.T) @ Z[:, j] = coupling[:, j], each column its own.

        The Gram matrix is taken to reach from 0 to the square of the lowest value. Every partial sum is nearer to Z than 0 is.
        """
        squares = values.square()
        half = max(min(squares[-1].item(), self.square) / 2, torch.finfo(torch.float32).tiny)
        ratio = (squares / half - 1).clamp_(min=1)
        shrinking = 1 / ratio
        step = coupling * (shrinking / half).float()
        while True:
            yield step
            coupling = coupling - step * squares.float() + self.times(step)
            following = 1 / (2 * ratio - shrinking)
            step = step * (following * shrinking).float() + coupling * (2 * following / half).float()
            shrinking = following

    def leading_columns(self, count, above):
        """Orthonormal columns that nearly hold the left singular vectors of singular values above a bound."""
        half = above**2 / 2
        start = torch.randn(self.matrix.shape[1], count, generator=torch.Generator().manual_seed(0))
        before = self.matrix @ start
        now = self.times(before) / half - before
        for _ in range(DEGREE - 1):
            before, now = now, 2 * (self.times(now) / half - now) - before
        return torch.linalg.qr(now.double()).Q
