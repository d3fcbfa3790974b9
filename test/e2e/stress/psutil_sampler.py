"""Runs in the container: prints what psutil sees, once a second for as many seconds as its argument says."""

import json
import sys
import time

import psutil

end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    disks = psutil.disk_io_counters(perdisk=True, nowrap=False)
    print(json.dumps({
        'total': memory.total, 'available': memory.available, 'percent': memory.percent,
        'swapTotal': swap.total, 'swapFree': swap.free,
        'count': psutil.cpu_count(),
        'cpu': list(psutil.cpu_times()),
        'cpus': [list(times) for times in psutil.cpu_times(percpu=True)],
        'disks': {name: list(counters) for name, counters in disks.items()},
    }), flush=True)
    time.sleep(1)
