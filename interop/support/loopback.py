"""Brings up the loopback device of the network namespace it is started in, then becomes the command it is given."""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS = 0x8914
IFF_UP = 1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
# What changes the network must know that nobody else uses it.
os.environ["KEYLESS_INTEROP_OWN_NETWORK"] = "1"
os.execvp(sys.argv[1], sys.argv[1:])
