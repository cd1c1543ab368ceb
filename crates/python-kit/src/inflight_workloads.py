"""The workloads, as the crate `workload` has them: one entry each."""


class Batch:
    """So many fetches, at most `in_flight` at once, in a process of their own."""

    is_resident = False

    @staticmethod
    def surplus(cell):
        """Returns how many fetches follow the window."""
        return 0


class Steady:
    """Always `in_flight` at once, in one turn after the other: a fetch a slot follows the
    window."""

    is_resident = True

    @staticmethod
    def surplus(cell):
        """Returns how many fetches follow the window."""
        return cell["in_flight"]


class Paced:
    """Fetches that arrive at a rate, in one turn after the other."""

    is_resident = True

    @staticmethod
    def surplus(cell):
        """Returns how many fetches follow the window."""
        return 0


class Churn(Steady):
    """Always `in_flight` at once, each on a connection of its own, which the origin ends."""


class Hold(Batch):
    """All at once, held by the origin until what they take was read."""


WORKLOADS = {"batch": Batch, "steady": Steady, "paced": Paced, "churn": Churn, "hold": Hold}
