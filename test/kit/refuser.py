"""
Has the kernel refuse everything at a mount: INIT is answered with an error. The mount is a new one at a path, which lives
until stdin ends, or one of which process PID has the connection: refuser.py PATH, refuser.py --of PID.
"""

import ctypes, os, struct, sys

NOSUID_NODEV = 6
PIDFD_GETFD = 438
INIT = 26
EIO = 5

libc = ctypes.CDLL(None, use_errno=True)


def mount(path):
    fuse = os.open('/dev/fuse', os.O_RDWR)
    data = f'fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other'.encode()
    if libc.mount(b'lxcfs', path.encode(), b'fuse.lxcfs', NOSUID_NODEV, data) != 0:
        sys.exit(f'Cannot mount at {path}: {os.strerror(ctypes.get_errno())}')
    return fuse


def take_from(pid):
    fds = f'/proc/{pid}/fd'
    for fd in os.listdir(fds):
        if os.readlink(f'{fds}/{fd}') == '/dev/fuse':
            return libc.syscall(PIDFD_GETFD, os.pidfd_open(pid), int(fd), 0)
    sys.exit(f'Cannot find /dev/fuse: process {pid} has none')


def refuse(fuse):
    request = os.read(fuse, 65536)
    opcode, unique = struct.unpack_from('<IQ', request, 4)
    if opcode != INIT:
        sys.exit(f'Cannot refuse INIT: {opcode} was sent')
    os.write(fuse, struct.pack('<IiQ', 16, -EIO, unique))


if sys.argv[1] == '--of':
    refuse(take_from(int(sys.argv[2])))
else:
    refuse(mount(sys.argv[1]))
    print('refuses', flush=True)
    sys.stdin.read()
