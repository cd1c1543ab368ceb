"""A pool of threads, one a slot, with requests: one session, shared."""

from concurrent.futures import ThreadPoolExecutor

import inflight
import inflight_requests
import requests


def fetch_all(plan, slots):
    """Carries the fetches of all slots, a job each."""
    count = plan["cell"]["in_flight"]
    with inflight_requests.session(plan) as session, ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(inflight_requests.drive, session, slot) for slot in slots]
        for job in jobs:
            job.result()


inflight.serve({"requests": requests.__version__}, fetch_all)
