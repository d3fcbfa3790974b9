"""Keeps the first thread of a process from running, as a debugger does, until that is killed."""

import ctypes, os, sys

SEIZE, INTERRUPT = 0x4206, 0x4207

pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
for request in SEIZE, INTERRUPT:
    if libc.ptrace(request, pid, None, None) != 0:
        sys.exit(f'Cannot hold process {pid}: {os.strerror(ctypes.get_errno())}')
os.waitpid(pid, 0)
print('holds', flush=True)
os.waitpid(pid, 0)
