//! What a child does.

use super::world::World;
use libc::{c_int, c_long};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CapabilitySet;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr;

/// Stands for a program that ran and failed.
pub(crate) const PROGRAM_FAILED: i32 = libc::ECANCELED;

/// What `wait_long` prints first.
pub(crate) const WAITING: &str = "waiting";

/// Makes a system call.
pub(crate) fn call(number: c_long, arguments: [c_long; 4]) -> io::Result<()> {
    let [a, b, c, d] = arguments;
    // SAFETY: the rows make calls that take numbers, or null where a pointer belongs, which the kernel refuses.
    check(unsafe { libc::syscall(number, a, b, c, d) })
}

fn check(result: c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn read(path: &Path) -> io::Result<()> {
    File::open(path)?.read_to_end(&mut Vec::new())?;
    Ok(())
}

pub(crate) fn list(path: &Path) -> io::Result<()> {
    fs::read_dir(path)?.try_for_each(|entry| entry.map(drop))
}

pub(crate) fn read_beside(world: &World) -> io::Result<()> {
    std::env::set_current_dir(world.path("out"))?;
    read("file".as_ref())
}

pub(crate) fn write(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)?.write_all(b"x")
}

pub(crate) fn truncate(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends with NUL.
    check(unsafe { libc::truncate(path.as_ptr(), 0) }.into())
}

pub(crate) fn change(world: &World) -> io::Result<()> {
    let new = world.path("in/new");
    fs::create_dir(&new)?;
    fs::write(new.join("a"), "1")?;
    fs::rename(new.join("a"), world.path("in/b"))?;
    fs::hard_link(world.path("in/b"), new.join("c"))?;
    write(&world.path("in/file"))?;
    truncate(&world.path("in/file"))?;
    list(&new)?;
    fs::remove_dir_all(new)
}

pub(crate) fn make_socket(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends with NUL.
    check(unsafe { libc::mknod(path.as_ptr(), libc::S_IFSOCK | 0o600, 0) }.into())
}

/// The same file, by way of the process's own folder.
pub(crate) fn through_root(path: &Path) -> PathBuf {
    Path::new("/proc/self/root").join(path.strip_prefix("/").unwrap())
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

pub(crate) fn set_mode_of_open(path: &Path, mode: u32) -> io::Result<()> {
    File::open(path)?.set_permissions(fs::Permissions::from_mode(mode))
}

pub(crate) fn create(path: &Path, flags: c_int, mode: u32) -> io::Result<()> {
    OpenOptions::new().write(true).custom_flags(flags).mode(mode).open(path).map(drop)
}

/// As files are replaced at once: made without a name, then given one.
pub(crate) fn create_and_name(folder: &Path, path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).open(folder)?;
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    let here = rustix::fs::CWD;
    rustix::fs::linkat(here, own, here, path, rustix::fs::AtFlags::SYMLINK_FOLLOW)?;
    Ok(())
}

pub(crate) fn set_times(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends with NUL, and no times, which means now.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), ptr::null(), 0) }.into())
}

pub(crate) fn set_times_of_open(path: &Path) -> io::Result<()> {
    File::open(path)?.set_modified(std::time::UNIX_EPOCH)
}

pub(crate) fn watch(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends with NUL, and a descriptor that is open.
    unsafe { check(libc::inotify_add_watch(libc::inotify_init(), path.as_ptr(), libc::IN_OPEN).into()) }
}

pub(crate) fn own_variables(_: &World) -> io::Result<()> {
    let text = fs::read_to_string("/proc/self/environ")?;
    match text.split_terminator('\0').find(|variable| !variable.starts_with("CARAWAY_TEST_")) {
        None if !text.is_empty() => Ok(()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }
}

pub(crate) fn devices() -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(&mut [0; 8])?;
    OpenOptions::new().write(true).open("/dev/null")?.write_all(b"x")
}

pub(crate) fn connect(port: u16) -> io::Result<()> {
    TcpStream::connect(("127.0.0.1", port)).map(drop)
}

/// Connects by sending, without `connect`.
pub(crate) fn fast_open(port: u16) -> io::Result<()> {
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(std::net::Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    };
    // SAFETY: the buffer is of one byte, and the address of its size.
    let sent = unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let size = size_of_val(&address) as libc::socklen_t;
        libc::sendto(socket, b"x".as_ptr().cast(), 1, libc::MSG_FASTOPEN, (&raw const address).cast(), size)
    };
    check(sent as c_long)
}

pub(crate) fn send_udp(port: u16) -> io::Result<()> {
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", ("127.0.0.1", port)).map(drop)
}

pub(crate) fn socket(family: c_int, kind: c_int, protocol: c_int) -> io::Result<()> {
    // SAFETY: it takes numbers.
    check(unsafe { libc::socket(family, kind, protocol) }.into())
}

pub(crate) fn bind() -> io::Result<()> {
    TcpListener::bind("127.0.0.1:0").map(drop)
}

pub(crate) fn listen() -> io::Result<()> {
    // SAFETY: it takes numbers.
    check(unsafe { libc::listen(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0), 1) }.into())
}

pub(crate) fn connect_unix(path: &Path) -> io::Result<()> {
    UnixStream::connect(path).map(drop)
}

pub(crate) fn pair(kind: c_int) -> io::Result<()> {
    let mut pair = [0; 2];
    // SAFETY: there is room for two descriptors.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr()) }.into())
}

pub(crate) fn fork() -> io::Result<()> {
    // SAFETY: the child does nothing but end.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(0);
        }
        check(child.into())
    }
}

/// A child of this process's parent.
pub(crate) fn sibling() -> io::Result<()> {
    // SAFETY: as above, on a copy of the same stack.
    unsafe {
        let child =
            libc::syscall(libc::SYS_clone, c_long::from(libc::CLONE_PARENT | libc::SIGCHLD), 0, 0, 0, 0);
        if child == 0 {
            libc::_exit(0);
        }
        check(child)
    }
}

pub(crate) fn run(program: &str, arguments: &[&Path]) -> io::Result<()> {
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::from_raw_os_error(PROGRAM_FAILED)) }
}

pub(crate) fn exec(program: &str) -> io::Result<()> {
    Err(Command::new(program).exec())
}

/// Asks whether a signal could be sent.
pub(crate) fn signal(process: i32) -> io::Result<()> {
    call(libc::SYS_kill, [process.into(), 0, 0, 0])
}

pub(crate) fn signal_thread(process: i32) -> io::Result<()> {
    call(libc::SYS_tgkill, [process.into(), process.into(), 0, 0])
}

pub(crate) fn signal_itself(signal: c_int) -> io::Result<()> {
    // SAFETY: it takes a number. The handlers of the standard library pass on what is not theirs.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        check(libc::raise(signal).into())
    }
}

pub(crate) fn limits_of(process: i32) -> io::Result<()> {
    call(libc::SYS_prlimit64, [process.into(), libc::RLIMIT_NOFILE as c_long, 0, 0])
}

pub(crate) fn priority_of(process: i32) -> io::Result<()> {
    // SAFETY: it takes numbers.
    let now = unsafe { libc::getpriority(libc::PRIO_PROCESS, process as libc::id_t) };
    call(libc::SYS_setpriority, [libc::PRIO_PROCESS as c_long, process.into(), now.into(), 0])
}

pub(crate) fn join_group_of(process: i32) -> io::Result<()> {
    // SAFETY: it takes a number.
    let group = unsafe { libc::getpgid(process) };
    call(libc::SYS_setpgid, [0, group.into(), 0, 0])
}

pub(crate) fn death_signal(signal: c_int) -> io::Result<()> {
    call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), signal.into(), 0, 0])
}

pub(crate) fn wait_long() -> io::Result<()> {
    println!("{WAITING}");
    std::thread::sleep(std::time::Duration::from_secs(30));
    Ok(())
}

pub(crate) fn trace() -> io::Result<()> {
    call(libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0])
}

pub(crate) fn type_into_terminal() -> io::Result<()> {
    call(libc::SYS_ioctl, [0, libc::TIOCSTI as c_long, 0, 0])
}

/// Calls that are refused before anybody looks at their arguments.
pub(crate) fn all_denied() -> io::Result<()> {
    let calls = [
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_kcmp,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_setsid,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_bpf,
        libc::SYS_io_uring_setup,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_acct,
        libc::SYS_syslog,
        libc::SYS_quotactl,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_adjtimex,
        libc::SYS_sethostname,
        libc::SYS_personality,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_memfd_secret,
        libc::SYS_shmget,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        libc::SYS_setuid,
        libc::SYS_setgroups,
        libc::SYS_capset,
        libc::SYS_name_to_handle_at,
        libc::SYS_open_by_handle_at,
        libc::SYS_fanotify_init,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_setxattr,
    ];
    for number in calls {
        let refused = call(number, [0; 4]).err().and_then(|error| error.raw_os_error());
        if refused != Some(libc::EPERM) {
            return Err(io::Error::other(format!("call {number}: {refused:?}")));
        }
    }
    Ok(())
}

/// A descriptor that a child makes before it detaches itself.
pub(crate) const LATER: i32 = 200;

pub(crate) fn duplicate(number: i32) -> io::Result<()> {
    // SAFETY: it takes numbers, and nothing else uses the new one.
    check(unsafe { libc::dup2(number, LATER) }.into())
}

pub(crate) fn descriptor(number: i32) -> io::Result<()> {
    // SAFETY: it takes numbers.
    check(unsafe { libc::fcntl(number, libc::F_GETFD) }.into())
}

pub(crate) fn in_thread(action: fn() -> io::Result<()>) -> io::Result<()> {
    std::thread::Builder::new().spawn(action)?.join().unwrap()
}

pub(crate) fn threads() -> io::Result<()> {
    let threads: Vec<_> = (0..8_u64)
        .map(|i| {
            std::thread::Builder::new()
                .spawn(move || (0..1000).map(|j| vec![i; 16 + j].len() as u64).sum::<u64>())
        })
        .collect::<io::Result<_>>()?;
    let sums: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    if sums == [515_500; 8] { Ok(()) } else { Err(io::Error::other(format!("{sums:?}"))) }
}

pub(crate) fn library() -> io::Result<()> {
    // SAFETY: a library of the system's, whose constructors do nothing.
    unsafe { libloading::os::unix::Library::new("libresolv.so.2") }.map(drop).map_err(io::Error::other)
}

pub(crate) fn executable_memory() -> io::Result<()> {
    // SAFETY: a new mapping, which nothing else uses.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        check(libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC).into())
    }
}

pub(crate) fn reserve(bytes: usize) -> io::Result<()> {
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    std::hint::black_box(&memory);
    Ok(())
}

/// Blocks of 1 MiB, by `malloc`.
pub(crate) fn allocate_blocks(count: usize) -> io::Result<()> {
    for _ in 0..count {
        // SAFETY: the block is not used.
        if std::hint::black_box(unsafe { libc::malloc(1 << 20) }).is_null() {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

pub(crate) fn large_stack() -> io::Result<()> {
    std::thread::Builder::new().stack_size(1 << 30).spawn(|| ())?.join().unwrap();
    Ok(())
}

pub(crate) fn map(flags: c_int) -> io::Result<()> {
    // SAFETY: a new mapping, which nothing uses.
    let mapped =
        unsafe { libc::mmap(ptr::null_mut(), 1 << 20, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Address space that nothing can be written to.
pub(crate) fn reserve_addresses(bytes: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, which nothing uses.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn memory_file() -> io::Result<()> {
    rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(())
}

pub(crate) fn spin() -> io::Result<()> {
    loop {
        std::hint::spin_loop();
    }
}

/// Pays no heed to the first signal.
pub(crate) fn spin_on() -> io::Result<()> {
    // SAFETY: ignoring a signal installs no code.
    unsafe { libc::signal(libc::SIGXCPU, libc::SIG_IGN) };
    spin()
}

pub(crate) fn open_many(count: usize) -> io::Result<()> {
    let files: Vec<File> = (0..count).map(|_| File::open("/dev/null")).collect::<io::Result<_>>()?;
    std::hint::black_box(files.last().map(|file| file.as_raw_fd()));
    Ok(())
}

pub(crate) fn write_much(path: &Path, bytes: usize) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(&vec![0; bytes])
}

pub(crate) fn raise_limit() -> io::Result<()> {
    let more = libc::rlimit { rlim_cur: 100_000_000, rlim_max: 100_000_000 };
    // SAFETY: a limit that is read.
    check(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &more) }.into())?;
    let most = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: as above.
    check(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &most) }.into())
}

/// Makes dumps as large as this process may.
pub(crate) fn allow_dumps() {
    let most = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).unwrap();
}

pub(crate) fn no_dumps() -> io::Result<()> {
    match getrlimit(Resource::Core).current {
        Some(0 | 1) => Ok(()),
        other => Err(io::Error::other(format!("{other:?} bytes"))),
    }
}

pub(crate) fn no_rights() -> io::Result<()> {
    let sets = rustix::thread::capabilities(None)?;
    let rights = sets.effective | sets.permitted | sets.inheritable;
    match rights.difference(CapabilitySet::DAC_OVERRIDE).is_empty() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{rights:?}"))),
    }
}
