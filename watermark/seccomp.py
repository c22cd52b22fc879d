"""A system call filter for code that reads hostile input: it computes, reads and writes what is already open, exits.

The filter is an allow list of classic BPF (Linux, `Documentation/userspace-api/seccomp_filter.rst`), so a call that
nobody thought of, or that a later kernel brings, is denied: no socket, no file opened or looked up, no process
started, signalled or traced, no `io_uring`. It needs no privilege and cannot be taken off again.
"""

import ctypes
import errno
import platform
import struct
import sys

from watermark.errors import SandboxUnavailable

# Allowed calls and their numbers on x86_64 and on aarch64 (None where there is no such call).
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # what is already open
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "lseek": (8, 62),
    "poll": (7, None),
    "ppoll": (271, 73),
    # memory
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    # its own signals and threads
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    # time, random numbers, facts about itself
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    # the end
    "exit": (60, 93),
    "exit_group": (231, 94),
}

# linux/audit.h: the machine's ELF number with the flags "64 bit" and "little endian".
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}

# linux/bpf_common.h and linux/seccomp.h
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_OFFSET_CALL, _OFFSET_ARCH = 0, 4
_RET_KILL_PROCESS, _RET_ERRNO, _RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
# The filter binds every thread of the process: a library may have started one while it was loaded.
_FLAG_TSYNC = 1
_PR_SET_NO_NEW_PRIVS = 38


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def network_filter_available() -> bool:
    """Whether this kernel and machine take the filter. Installs nothing."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in _AUDIT_ARCH or sys.maxsize < 2**32:
        return False
    action = ctypes.c_uint32(_RET_KILL_PROCESS)
    return bool(_libc().syscall(_SECCOMP_CALL[machine], _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0)


def install_filter() -> None:
    """Bind this process and all its threads by the filter, for good. Raises `SandboxUnavailable` if that fails."""
    machine = platform.machine()
    code = filter_program(machine)
    program = _Program(len(code) // 8, code)
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise SandboxUnavailable("The kernel does not let the child give up privileges.")
    if libc.syscall(_SECCOMP_CALL[machine], _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(program)) != 0:
        raise SandboxUnavailable("The kernel refused the system call filter of the child.")


def filter_program(machine: str) -> bytes:
    """The filter for `x86_64` or `aarch64` as `struct sock_filter[]`.

    Another architecture's calls (32 bit, too) end the process, since their numbers mean other things. The x32 calls
    of x86_64 have bit 30 set in their number and so are on no list.
    """
    column = 0 if machine == "x86_64" else 1
    instructions = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
        (_LOAD, 0, 0, _OFFSET_CALL),
    ]
    for numbers in _ALLOWED.values():
        number = numbers[column]
        if number is not None:
            instructions += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _RET_ALLOW)]
    instructions.append((_RETURN, 0, 0, _RET_ERRNO | errno.EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
