"""How tasks of trio wait: for a turn, for the timer, and no longer than they may."""

import contextlib
import ctypes.util

# To name its threads, trio asks another process where a library is; what that does costs a model
# nothing. So this module is imported before anything that imports trio.
ctypes.util.find_library = lambda _name: None

import trio


# What waits by the timer.
sleep = trio.sleep


class Bell:
    """What wakes a task."""

    __slots__ = ("_event", "_token")

    def __init__(self):
        self._event, self._token = trio.Event(), trio.lowlevel.current_trio_token()

    async def wait(self):
        """Awaits that it is rung."""
        await self._event.wait()

    @staticmethod
    def ring(bells):
        """Rings some from any thread, by one call for all of them."""
        bells[0]._token.run_sync_soon(wake, bells)


def wake(bells):
    """Wakes the tasks that await these."""
    for one in bells:
        one._event.set()


def start(probe_task):
    """Starts a probe task."""
    trio.lowlevel.spawn_system_task(probe_task.on_loop, sleep)


@contextlib.asynccontextmanager
async def until(left):
    """Is the context of what is given up after so many seconds."""
    try:
        with trio.fail_after(left):
            yield
    except trio.TooSlowError:
        raise TimeoutError from None


def within(left):
    """Returns the context of a fetch that is given up after so many seconds, if there is a
    limit."""
    return contextlib.nullcontext() if left is None else until(left)
