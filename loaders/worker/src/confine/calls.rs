//! System calls that a worker does not have, kept from it by seccomp.
//!
//! What is listed is denied, since native code may need anything else; what is newer than the list does not exist.

use super::filter::{Calls, has, is, is_not, is_pointer, machine, masked, word};
use super::{Confinement, Ports, refused};
use caraway_loaders_core::Error;
use libc::c_long;
use seccompiler::{BackendError, BpfProgram, sock_filter};

/// `mseal`, of Linux 6.10: the newest call that was looked at. They are numbered alike on all machines since 424.
const NEWEST: u32 = 462;
// Not in libc for all machines.
const FCHMODAT2: c_long = 452;
const STATMOUNT: c_long = 457;
const LISTMOUNT: c_long = 458;

/// Denied to all.
const DENIED: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // The process group is what the host ends.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    STATMOUNT,
    LISTMOUNT,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // The kernel and the machine.
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Keys, and memory that no limit counts or other processes share.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // Who it is.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    // Files by other means than paths, and what Landlock does not look at: watching them, and changing what is not content.
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_inotify_add_watch,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    // Nothing is served.
    libc::SYS_listen,
];

/// Older forms of these, and what only this machine has.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    /* create_module */ 174,
    /* kexec_file_load */ 320,
];
#[cfg(target_arch = "aarch64")]
const DENIED_HERE: &[c_long] = &[/* kexec_file_load */ 294];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const DENIED_HERE: &[c_long] = &[];

/// Ways to start a process that take no flags.
#[cfg(target_arch = "x86_64")]
const FORKS: &[c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: &[c_long] = &[];

/// Commands to terminals (typing into them, among others), and to files: owners of signals, attributes.
const IOCTLS: &[u64] = &[
    0x5412,      // TIOCSTI
    0x541c,      // TIOCLINUX
    0x540e,      // TIOCSCTTY
    0x8901,      // FIOSETOWN
    0x8902,      // SIOCSPGRP
    0x4008_6602, // FS_IOC_SETFLAGS
    0x4004_6602, // FS_IOC32_SETFLAGS
    0x401c_5820, // FS_IOC_FSSETXATTR
];

/// The programs that keep calls from a worker, to be installed in this order.
pub(super) fn filters(confinement: &Confinement, signals_are_scoped: bool) -> Result<Vec<BpfProgram>, Error> {
    let own = u64::from(std::process::id());
    let built = || -> Result<_, BackendError> {
        let denied = denied(confinement, own, signals_are_scoped)?.compile(libc::EPERM)?;
        Ok(vec![newer(), absent(confinement).compile(libc::ENOSYS)?, denied])
    };
    built().map_err(|e| refused("filter system calls", &e))
}

/// Whether the kernel has filters for this machine.
pub(super) fn holds_calls() -> bool {
    machine().is_ok() && rustix::thread::secure_computing_mode().is_ok()
}

/// What does not exist, so that libraries take the next best: their flags are behind a pointer, or no limit counts them.
fn absent(confinement: &Confinement) -> Calls {
    let mut calls = Calls::default();
    calls.deny(libc::SYS_clone3);
    calls.deny(libc::SYS_openat2);
    if confinement.memory.is_some() {
        calls.deny(libc::SYS_memfd_create);
    }
    calls
}

fn denied(confinement: &Confinement, own: u64, signals_are_scoped: bool) -> Result<Calls, BackendError> {
    let mut calls = Calls::default();
    for call in DENIED.iter().chain(DENIED_HERE) {
        calls.deny(*call);
    }
    for command in IOCTLS {
        calls.deny_if(libc::SYS_ioctl, &[is(1, *command)])?;
    }
    for command in [libc::F_SETOWN, /* F_SETOWN_EX */ 15] {
        calls.deny_if(libc::SYS_fcntl, &[is(1, word(command))])?;
    }
    // It can set the signal again, and not take it back.
    calls.deny_if(libc::SYS_prctl, &[is(0, word(libc::PR_SET_PDEATHSIG)), is_not(1, word(libc::SIGKILL))])?;
    calls.deny_if(libc::SYS_personality, &[is_not(0, 0xffff_ffff)])?;
    attributes(&mut calls, !confinement.write.is_empty())?;
    processes(&mut calls, confinement.programs, own, signals_are_scoped)?;
    sockets(&mut calls, &confinement.connect)?;
    if confinement.memory.is_some() {
        memory(&mut calls)?;
    }
    Ok(calls)
}

/// Modes and times of files. No filter sees which file a descriptor is of, so whoever may write can change those of all
/// files that it can open.
fn attributes(calls: &mut Calls, writes: bool) -> Result<(), BackendError> {
    if writes {
        calls.deny_if(libc::SYS_utimensat, &[is_pointer(1)])?;
    } else {
        calls.deny(libc::SYS_fchmod);
        calls.deny(libc::SYS_utimensat);
    }
    // Files that run with the rights of their owner, for others.
    for bit in [libc::S_ISUID, libc::S_ISGID].map(u64::from) {
        calls.deny_if(libc::SYS_fchmod, &[has(1, bit)])?;
        calls.deny_if(libc::SYS_mknodat, &[has(2, bit)])?;
        for creates in [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY] {
            calls.deny_if(libc::SYS_openat, &[has(2, word(creates)), has(3, bit)])?;
            #[cfg(target_arch = "x86_64")]
            calls.deny_if(libc::SYS_open, &[has(1, word(creates)), has(2, bit)])?;
        }
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_creat, libc::SYS_mknod] {
            calls.deny_if(call, &[has(1, bit)])?;
        }
    }
    Ok(())
}

/// Starting processes, and doing something to others.
fn processes(
    calls: &mut Calls,
    programs: bool,
    own: u64,
    signals_are_scoped: bool,
) -> Result<(), BackendError> {
    for flag in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        // A child of the host's, which nobody there waits for.
        libc::CLONE_PARENT,
    ] {
        calls.deny_if(libc::SYS_clone, &[has(0, word(flag))])?;
    }
    for (call, argument) in [
        (libc::SYS_prlimit64, 0),
        (libc::SYS_sched_setaffinity, 0),
        (libc::SYS_sched_setparam, 0),
        (libc::SYS_sched_setscheduler, 0),
        (libc::SYS_sched_setattr, 0),
        (libc::SYS_migrate_pages, 0),
        (libc::SYS_move_pages, 0),
        (libc::SYS_setpriority, 1),
        (libc::SYS_ioprio_set, 1),
    ] {
        calls.deny_if(call, &[is_not(argument, 0), is_not(argument, own)])?;
    }
    // Of processes, and not of groups or users.
    calls.deny_if(libc::SYS_setpriority, &[is_not(0, word(libc::PRIO_PROCESS as i32))])?;
    calls.deny_if(libc::SYS_ioprio_set, &[is_not(0, /* IOPRIO_WHO_PROCESS */ 1)])?;
    if !signals_are_scoped {
        calls.deny(libc::SYS_tkill);
    }
    if programs {
        return Ok(());
    }
    for call in FORKS {
        calls.deny(*call);
    }
    calls.deny_if(libc::SYS_clone, &[masked(0, word(libc::CLONE_THREAD), 0)])?;
    for call in [libc::SYS_execve, libc::SYS_execveat, libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal] {
        calls.deny(call);
    }
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        calls.deny_if(call, &[is_not(0, own)])?;
    }
    Ok(())
}

/// Sockets other than those that Landlock can hold to ports; with all ports, UDP. Pairs stay within the process.
fn sockets(calls: &mut Calls, connect: &Ports) -> Result<(), BackendError> {
    calls.deny_if(libc::SYS_socketpair, &[is_not(0, word(libc::AF_UNIX))])?;
    // The others can be sent from to any address.
    let pairs = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET];
    calls.deny_but(libc::SYS_socketpair, 1, &pairs)?;
    // This connects without asking Landlock.
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        calls.deny_if(call, &[has(flags, word(libc::MSG_FASTOPEN))])?;
    }
    let (kinds, protocols): (&[i32], &[i32]) = match connect {
        Ports::None => {
            for call in [libc::SYS_socket, libc::SYS_connect, libc::SYS_bind] {
                calls.deny(call);
            }
            return Ok(());
        }
        Ports::Only(_) => (&[libc::SOCK_STREAM], &[0, libc::IPPROTO_TCP]),
        Ports::Any => (&[libc::SOCK_STREAM, libc::SOCK_DGRAM], &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP]),
    };
    let families = [libc::AF_INET, libc::AF_INET6].map(|family| is_not(0, word(family)));
    calls.deny_if(libc::SYS_socket, &families)?;
    calls.deny_but(libc::SYS_socket, 1, kinds)?;
    let protocols: Vec<_> = protocols.iter().map(|protocol| is_not(2, word(*protocol))).collect();
    calls.deny_if(libc::SYS_socket, &protocols)
}

/// Mappings that `RLIMIT_DATA` does not count.
fn memory(calls: &mut Calls) -> Result<(), BackendError> {
    let kind = word(libc::MAP_TYPE | libc::MAP_ANONYMOUS);
    calls.deny_if(libc::SYS_mmap, &[masked(3, kind, word(libc::MAP_SHARED | libc::MAP_ANONYMOUS))])?;
    calls.deny_if(libc::SYS_mmap, &[has(3, word(libc::MAP_GROWSDOWN))])
}

/// Calls that newer kernels have, and those of another ABI of the same machine (x32).
fn newer() -> BpfProgram {
    let statement = |code: u32, k: u32| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    vec![
        // The call's number is the first word of what a filter sees.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        sock_filter { jf: 1, ..statement(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, NEWEST) },
        statement(libc::BPF_RET | libc::BPF_K, absent),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ]
}
