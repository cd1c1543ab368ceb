"""Writes the reference values that the tests of this crate compare with.

Usage: python3 make.py, with numpy, scipy and R (`Rscript`) installed; README.md names the versions.
Every value comes from a program that shares no code with the crate: SciPy, R, or an enumeration.
"""

import itertools
import pathlib
import subprocess

import numpy
import scipy
from scipy import stats

HERE = pathlib.Path(__file__).parent
RANDOM = numpy.random.default_rng(20_240_229)


def write(name, header, rows):
    """Writes one table; a cell that is a list becomes numbers separated by spaces."""

    def cell(value):
        return (
            " ".join(map(cell, value)) if isinstance(value, (list, numpy.ndarray)) else str(value)
        )

    lines = [header] + [",".join(map(cell, row)) for row in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


def r(expression):
    """Returns the numbers that R prints for an expression, all digits kept."""
    script = f"cat(format({expression}, digits = 17, scientific = TRUE))"
    return subprocess.run(
        ["Rscript", "-e", script], check=True, capture_output=True, text=True
    ).stdout.split()


def vector(values):
    """Returns the R expression of a vector."""
    return f"c({','.join(map(str, values))})"


def noise(n, scale=1.0, digits=4):
    """Returns n heavy-tailed numbers with few digits, so that every program reads the same ones."""
    return [float(value) for value in numpy.round(RANDOM.standard_t(3, n) * scale, digits)]


def signed_rank_p():
    """Enumerates all signs; differences of 0 are dropped beforehand, as Wilcoxon did."""
    samples = [noise(n) for n in (3, 5, 6, 7, 9, 12)]
    samples += [
        [1, 1, 2, -2, 3, 3],
        [0, 1, -1, 2, 2, 2, 3, 0],
        [-1, -1, -1, -1, 5, 6, 7],
        [0.5, -0.5],
    ]
    for sample in samples:
        nonzero = numpy.array([value for value in sample if value != 0])
        ranks = stats.rankdata(numpy.abs(nonzero))
        middle = ranks.sum() / 2
        observed = abs(ranks[nonzero > 0].sum() - middle)
        sums = [numpy.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
        p = numpy.mean(numpy.abs(numpy.array(sums) - middle) >= observed - 1e-9)
        if len(set(numpy.abs(nonzero))) == len(nonzero):
            exact = stats.wilcoxon(nonzero, method="exact").pvalue
            assert abs(p - exact) < 1e-12, (p, exact)
        yield sample, float(p)


def signed_rank_critical():
    """R's quantile is the least w with P(W+ <= w) >= alpha / 2, so that q is the same number."""
    for n in (5, 6, 8, 10, 11, 12, 15, 18, 20, 24, 25, 30, 40):
        for alpha in (0.05, 0.01, 0.05 / 9, 0.05 / 45):
            yield n, alpha, int(float(r(f"qsignrank({alpha} / 2, {n})")[0]))


def hodges_lehmann():
    """R's wilcox.test with conf.int, which is exact where no sizes are equal."""
    for n, alpha in (
        (6, 0.05),
        (7, 0.05),
        (12, 0.05),
        (12, 0.05 / 9),
        (20, 0.05),
        (24, 0.05 / 45),
        (30, 0.01),
    ):
        sample = noise(n, 0.02, digits=7)
        assert len(set(map(abs, sample))) == n
        test = (
            f"t <- wilcox.test({vector(sample)}, conf.int=TRUE, exact=TRUE, conf.level={1 - alpha})"
        )
        low, high = r(f"{{{test}; c(t$conf.int)}}")
        averages = [(a + b) / 2 for i, a in enumerate(sample) for b in sample[i:]]
        yield sample, alpha, float(numpy.median(averages)), low, high


def median():
    """The rank of the lower end: the binomial quantile, as the sign test has it."""
    for n in (6, 8, 9, 12, 20, 24, 30, 101):
        for alpha in (0.05, 0.1):
            yield n, alpha, int(stats.binom.ppf(alpha / 2, n, 0.5))


def bonferroni():
    """The formula."""
    families = [numpy.round(RANDOM.uniform(0, 0.2, k), 6) for k in (2, 5, 9, 45)]
    families += [[0.01, 0.01, 0.04, 0.03], [0.0001, 0.9, 0.02, 1.0]]
    for family in families:
        adjusted = [min(1.0, len(family) * float(p)) for p in family]
        yield [float(p) for p in family], adjusted


def student():
    """SciPy's t.ppf."""
    for degrees in (1, 2, 3, 4, 5, 8, 11, 19, 23, 29, 60, 199):
        for probability in (0.001, 0.2, 0.6, 0.8, 0.975, 0.995, 0.9995, 0.999999):
            yield probability, degrees, float(stats.t.ppf(probability, degrees))


def effect():
    """The formula with SciPy's quantiles."""
    for n, alpha in ((2, 0.05), (6, 0.05), (12, 0.05), (20, 0.05), (20, 0.01), (31, 0.05)):
        sample = noise(n, 0.015)
        quantiles = stats.t.ppf(1 - alpha / 2, n - 1) + stats.t.ppf(0.8, n - 1)
        yield sample, alpha, float(quantiles * numpy.std(sample, ddof=1) / numpy.sqrt(n))


def mean_cost():
    """SciPy's paired percentile bootstrap with so many resamples that its own error is small."""
    for n in (20, 24, 40):
        reference = numpy.round(20 * numpy.exp(0.02 * numpy.array(noise(n))), 3)
        costs = numpy.round(reference * 1.03 * numpy.exp(0.02 * numpy.array(noise(n))), 3)
        interval = stats.bootstrap(
            (costs, reference),
            lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis),
            n_resamples=200_000,
            batch=10_000,
            paired=True,
            vectorized=True,
            method="percentile",
            rng=numpy.random.default_rng(1),
        ).confidence_interval
        ratio = float(costs.sum() / reference.sum())
        yield costs, reference, ratio, float(interval.low), float(interval.high)


def theil_sen():
    """SciPy's line; the interval from all orders of y (n <= 8), counted against the x at hand."""
    settings = (
        [1, 2, 3, 4, 5, 6],
        [1, 4, 16, 64, 256, 1024, 4096],
        [1, 1, 2, 2, 3, 3],
        [1, 1, 1, 8, 8, 64, 64],
    )
    for x, alpha in itertools.product(settings, (0.05, 0.1)):
        y = [round(3 + 0.5 * a + b, 4) for a, b in zip(x, noise(len(x)), strict=True)]
        pairs = [(i, j) for i, j in itertools.combinations(range(len(x)), 2) if x[i] != x[j]]
        slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs)
        orders = numpy.array(list(itertools.permutations(range(len(x)))))
        descents = sum((orders[:, i] > orders[:, j]).astype(int) for i, j in pairs)
        below = [numpy.mean(descents <= count) for count in range(len(pairs) + 1)]
        k = sum(share <= alpha / 2 for share in below)
        assert k > 0, (x, alpha)
        line = stats.theilslopes(y, x, method="joint")
        yield (
            x,
            y,
            alpha,
            float(line.slope),
            float(slopes[k - 1]),
            float(slopes[-k]),
            float(line.intercept),
        )


def drift():
    """R's cor.test, exact up to n = 9 without ties; with ties all orders are enumerated."""
    for n in (5, 7, 8, 9):
        sample = noise(n)
        test = f"t <- cor.test(1:{n}, {vector(sample)}, method='spearman', exact=TRUE)"
        yield sample, *r(f"{{{test}; c(t$estimate, t$p.value)}}")
    tied = [1, 1, 2, 1, 3, 3, 2]
    rho = stats.spearmanr(range(7), tied).statistic
    orders = set(itertools.permutations(tied))
    hits = sum(
        abs(stats.spearmanr(range(7), order).statistic) >= abs(rho) - 1e-9 for order in orders
    )
    yield tied, float(rho), hits / len(orders)


def histogram():
    """NumPy's quantile by the inverted distribution function; the values are 1, 2, 3, ..."""
    for size in (3, 10, 40):
        counts = RANDOM.integers(0, 200, size)
        values = numpy.repeat(numpy.arange(1, size + 1), counts)
        for share in (0.01, 0.25, 0.5, 0.9, 0.99, 0.999):
            yield counts, share, int(numpy.quantile(values, share, method="inverted_cdf"))


def apart(n, m):
    """Returns two samples without a tie, of which the second lies a little higher."""
    old = noise(n, 0.02, digits=7)
    new = [round(value + 0.015, 7) for value in noise(m, 0.02, digits=7)]
    assert len(set(old + new)) == n + m
    return old, new


def two_sample_shift():
    """R's wilcox.test of two samples, which is exact where no values are equal."""
    for n, m, alpha in (
        (4, 4, 0.05),
        (5, 8, 0.05),
        (6, 6, 0.05),
        (12, 12, 0.05),
        (12, 12, 0.05 / 12),
        (20, 12, 0.05 / 10),
        (30, 30, 0.01),
        (40, 25, 0.05 / 45),
    ):
        old, new = apart(n, m)
        arguments = f"{vector(new)}, {vector(old)}, conf.int=TRUE, exact=TRUE"
        test = f"t <- wilcox.test({arguments}, conf.level={1 - alpha})"
        low, high = r(f"{{{test}; c(t$conf.int)}}")
        differences = [b - a for a in old for b in new]
        yield old, new, alpha, float(numpy.median(differences)), low, high


def two_sample_p():
    """R's exact p-value and an enumeration of all choices, which alone is exact with ties."""
    samples = [apart(n, m) for n, m in ((2, 3), (4, 4), (5, 8), (7, 7), (9, 6), (30, 24))]
    samples += [
        ([1, 1, 2, 3], [2, 3, 3, 4]),
        ([1, 2, 2, 2, 5], [2, 2, 6, 6, 7, 7]),
        ([0, 0, 0, 1], [0, 0, 1, 1, 1]),
        ([0.5, 0.5, 3], [0.5, 3, 3, 4, 4, 9, 9]),
    ]
    for old, new in samples:
        tied = len(set(old + new)) < len(old + new)
        exact = None if tied else r(f"wilcox.test({vector(new)}, {vector(old)}, exact=TRUE)$p.value")
        if len(old + new) > 20:
            yield old, new, exact[0]
            continue
        ranks = stats.rankdata(old + new)
        middle = ranks.sum() * len(old) / len(ranks)
        observed = abs(ranks[: len(old)].sum() - middle)
        sums = [sum(choice) for choice in itertools.combinations(ranks, len(old))]
        p = float(numpy.mean(numpy.abs(numpy.array(sums) - middle) >= observed - 1e-9))
        assert tied or abs(p - float(exact[0])) < 1e-12, (p, exact)
        yield old, new, p


def polish():
    """R's medpolish, whose columns become levels when the overall value is added."""
    for n, m in ((4, 3), (7, 4), (24, 9)):
        values = [float(v) for v in numpy.round(RANDOM.standard_t(3, n * m) + 5, 4)]
        table = f"matrix({vector(values)}, nrow={n}, byrow=TRUE)"
        test = f"p <- medpolish({table}, eps=0, maxiter=4, trace.iter=FALSE)"
        yield m, values, r(f"{{{test}; p$row}}"), r(f"{{{test}; p$overall + p$col}}")


TABLES = {
    signed_rank_p: "differences,p",
    signed_rank_critical: "n,alpha,q",
    hodges_lehmann: "differences,alpha,estimate,low,high",
    median: "n,alpha,rank of the lower end",
    bonferroni: "p values,adjusted",
    student: "probability,degrees,quantile",
    effect: "noise,alpha,effect",
    mean_cost: "costs,reference,ratio,low,high",
    theil_sen: "x,y,alpha,slope,low,high,intercept",
    drift: "residuals,correlation,p",
    histogram: "counts of the values 1 2 3 ...,quantile,value",
    two_sample_shift: "old,new,alpha,estimate,low,high",
    two_sample_p: "old,new,p",
    polish: "columns,values row by row,row effects,levels of the columns",
}

for table, header in TABLES.items():
    write(f"{table.__name__}.csv", header, table())

print("numpy", numpy.__version__, "scipy", scipy.__version__, "R", r("as.character(getRversion())"))
