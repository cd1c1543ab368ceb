"""Numbers that every language computes alike."""

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


def split_mix_64(state):
    """Returns the first output of SplitMix64 started at a state."""
    z = (state + GAMMA) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def histogram(times):
    """Returns values, rounded to three digits, with their counts."""
    counts = {}
    for time_ns in times:
        value = three_digits(time_ns)
        counts[value] = counts.get(value, 0) + 1
    return sorted(counts.items())


def three_digits(value):
    """Rounds to three significant decimal digits."""
    unit = 10 ** max(0, len(str(value)) - 3)
    return (value + unit // 2) // unit * unit
