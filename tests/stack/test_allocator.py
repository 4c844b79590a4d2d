"""The stack's threads share one arena of the C library."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import textwrap

import pytest

ARENAS = textwrap.dedent(
    """
    import ctypes, os, sys, tempfile, threading
    from otelkit_stack.allocator import keep_to_one_arena

    if sys.argv[1] == "one":
        keep_to_one_arena()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
    gate = threading.Barrier(4)

    def allocate():
        gate.wait(10)
        libc.malloc(1000)
        gate.wait(10)

    threads = [threading.Thread(target=allocate) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with tempfile.NamedTemporaryFile() as file:
        stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        print(open(file.name).read().count("<heap nr="))
    """
)


def arenas(argument: str) -> int:
    ran = subprocess.run([sys.executable, "-c", ARENAS, argument], capture_output=True, text=True, check=True)
    return int(ran.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="this C library is not glibc, and has no arenas")
def test_threads_share_one_arena():
    assert arenas("one") == 1
    assert arenas("as it comes") > 1
