"""How greenlets of gevent wait: for a turn, and for the timer."""

import gevent
import gevent.event


# What waits by the timer.
sleep = gevent.sleep


class Bell:
    """What wakes a greenlet."""

    __slots__ = ("_event", "_watcher")

    def __init__(self):
        self._event = gevent.event.Event()
        # It keeps the loop from leaving, which knows nothing of other threads that may wake it.
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._event.set)

    def wait(self):
        """Waits until it has been rung."""
        self._event.wait()
        self._watcher.close()

    @staticmethod
    def ring(bells):
        """Rings some from any thread."""
        for one in bells:
            one._watcher.send()


def start(probe_task):
    """Starts a probe task."""
    return gevent.spawn(probe_task.block, sleep)
