//! What is tried, under which confinement, and what must come of it.

use super::actions::*;
use super::world::World;
use caraway_loaders_worker::confine::{Ability, Confinement, Ports};
use libc::{EACCES, EAGAIN, EBADF, EFBIG, EMFILE, ENOMEM, ENOSYS, EPERM, EXDEV};
use std::time::Duration;

type Action = fn(&World) -> std::io::Result<()>;

pub(crate) enum Expect {
    Works,
    Errno(i32),
    Signal(i32),
    /// `apply` is an error that begins like this.
    Refused(fn(&World) -> String),
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) confine: fn(&mut Confinement, &World),
    pub(crate) action: Action,
    pub(crate) expect: Expect,
    /// What the confinement cannot be applied without, on top of files and calls.
    pub(crate) needs: &'static [Ability],
    /// Whether the same must work where nothing is confined, so that it is known to fail for that reason.
    pub(crate) control: bool,
    /// Whether it keeps the host's descriptor.
    pub(crate) keeps: bool,
}

impl Row {
    fn needs(mut self, abilities: &'static [Ability]) -> Self {
        self.needs = abilities;
        self
    }

    fn without_control(mut self) -> Self {
        self.control = false;
        self
    }
}

fn row(name: &'static str, confine: fn(&mut Confinement, &World), action: Action, expect: Expect) -> Row {
    let control = matches!(expect, Expect::Errno(_));
    Row { name, confine, action, expect, needs: &[], control, keeps: false }
}

fn works(name: &'static str, confine: fn(&mut Confinement, &World), action: Action) -> Row {
    row(name, confine, action, Expect::Works)
}

fn fails(name: &'static str, confine: fn(&mut Confinement, &World), action: Action, number: i32) -> Row {
    row(name, confine, action, Expect::Errno(number))
}

fn nothing(_: &mut Confinement, _: &World) {}

fn reads(confinement: &mut Confinement, world: &World) {
    confinement.read = vec![world.path("in")];
}

fn writes(confinement: &mut Confinement, world: &World) {
    reads(confinement, world);
    only_writes(confinement, world);
}

fn only_writes(confinement: &mut Confinement, world: &World) {
    confinement.write = vec![world.path("in")];
}

fn one_port(confinement: &mut Confinement, world: &World) {
    confinement.connect = Ports::Only(vec![world.port]);
}

fn all_ports(confinement: &mut Confinement, world: &World) {
    confinement.connect = Ports::Any;
    confinement.write = vec![world.path("in")];
}

fn programs(confinement: &mut Confinement, world: &World) {
    confinement.programs = true;
    confinement.read = vec![world.path("in")];
}

fn memory(confinement: &mut Confinement, _: &World) {
    confinement.memory = Some(100 << 20);
}

fn hardly_any_memory(confinement: &mut Confinement, _: &World) {
    confinement.memory = Some(4096);
}

fn second(confinement: &mut Confinement, _: &World) {
    confinement.cpu = Some(Duration::from_millis(300));
}

fn small_files(confinement: &mut Confinement, world: &World) {
    writes(confinement, world);
    confinement.file_size = 4096;
}

fn dumps(_: &mut Confinement, _: &World) {
    allow_dumps();
}

fn missing_folder(confinement: &mut Confinement, world: &World) {
    confinement.read = vec![world.path("in"), world.path("no-such-folder")];
}

fn second_thread(_: &mut Confinement, _: &World) {
    std::thread::spawn(|| std::thread::sleep(Duration::from_secs(600)));
}

const PORTS: &[Ability] = &[Ability::Ports];
const SIGNALS: &[Ability] = &[Ability::Signals];

pub(crate) fn all() -> Vec<Row> {
    let mut all = files();
    all.extend(network());
    all.extend(processes());
    all.extend(limits());
    all
}

/// Does nothing until long after its host should have ended.
pub(crate) fn patient() -> Row {
    works("patient", nothing, |_| wait_long())
}

fn files() -> Vec<Row> {
    vec![
        works("read_granted", reads, |w| read(&w.path("in/file"))),
        works("list_granted", reads, |w| list(&w.path("in"))),
        fails("read_other", reads, |w| read(&w.path("out/file")), EACCES),
        fails("read_other_by_dots", reads, |w| read(&w.path("in/../out/file")), EACCES),
        fails("read_other_by_link", reads, |w| read(&w.path("in/link")), EACCES),
        fails("read_other_by_own_root", reads, |w| read(&through_root(&w.path("out/file"))), EACCES),
        fails("read_other_by_working_folder", reads, read_beside, EACCES),
        fails("read_without_grant", nothing, |w| read(&w.path("in/file")), EACCES),
        fails("list_the_root", reads, |_| list("/".as_ref()), EACCES),
        fails("read_users", reads, |_| read("/etc/passwd".as_ref()), EACCES),
        fails("write_what_may_be_read", reads, |w| write(&w.path("in/file")), EACCES),
        fails("empty_what_may_be_read", reads, |w| truncate(&w.path("in/file")), EACCES),
        fails("remove_what_may_be_read", reads, |w| std::fs::remove_file(w.path("in/file")), EACCES),
        fails("create_where_may_be_read", reads, |w| write(&w.path("in/new")), EACCES),
        works("change_granted", writes, change),
        works("write_what_may_not_be_read", only_writes, |w| write(&w.path("in/new"))),
        fails("read_what_may_be_written", only_writes, |w| read(&w.path("in/file")), EACCES),
        fails("list_what_may_be_written", only_writes, |w| list(&w.path("in")), EACCES),
        fails("write_other", writes, |w| write(&w.path("out/file")), EACCES),
        fails("write_other_by_link", writes, |w| write(&w.path("in/link")), EACCES),
        fails("move_out", writes, |w| std::fs::rename(w.path("in/file"), w.path("out/new")), EACCES),
        fails("link_in", writes, |w| std::fs::hard_link(w.path("out/file"), w.path("in/new")), EXDEV),
        fails("make_a_socket", writes, |w| make_socket(&w.path("in/new")), EACCES),
        fails("mode_of_a_path", writes, |w| set_mode(&w.path("in/file"), 0o600), EPERM),
        fails("mode_of_another_path", writes, |w| set_mode(&w.path("out/file"), 0o600), EPERM),
        fails("mode_of_what_may_be_read", reads, |w| set_mode_of_open(&w.path("in/file"), 0o600), EPERM),
        works("mode_of_an_open_file", writes, |w| set_mode_of_open(&w.path("in/file"), 0o600)),
        fails("mode_with_setuid", writes, |w| set_mode_of_open(&w.path("in/file"), 0o4700), EPERM),
        fails("mode_with_setgid", writes, |w| set_mode_of_open(&w.path("in/file"), 0o2700), EPERM),
        fails("create_with_setuid", writes, |w| create(&w.path("in/new"), libc::O_CREAT, 0o4700), EPERM),
        fails(
            "create_unnamed_with_setuid",
            writes,
            |w| create(&w.path("in"), libc::O_TMPFILE, 0o4700),
            EPERM,
        ),
        works("create_unnamed_and_name", writes, |w| create_and_name(&w.path("in"), &w.path("in/new"))),
        fails(
            "create_unnamed_and_name_it_elsewhere",
            writes,
            |w| create_and_name(&w.path("in"), &w.path("out/new")),
            EACCES,
        ),
        works("copy", writes, |w| std::fs::copy(w.path("in/file"), w.path("in/new")).map(drop)),
        fails("times_of_a_path", writes, |w| set_times(&w.path("in/file")), EPERM),
        fails("times_of_what_may_be_read", reads, |w| set_times_of_open(&w.path("in/file")), EPERM),
        works("times_of_an_open_file", writes, |w| set_times_of_open(&w.path("in/file"))),
        fails("watch_other", reads, |w| watch(&w.path("out")), EPERM),
        fails(
            "read_the_hosts_variables",
            reads,
            |w| read(format!("/proc/{}/environ", w.host).as_ref()),
            EACCES,
        ),
        works("own_variables", nothing, own_variables),
        works("own_state", nothing, |_| read("/proc/self/status".as_ref())),
        works("own_state_in_a_thread", nothing, |_| in_thread(|| read("/proc/thread-self/status".as_ref()))),
        works("nothing_and_randomness", nothing, |_| devices()),
        fails("read_names_without_network", nothing, |_| read("/etc/hosts".as_ref()), EACCES),
        works("read_names_with_network", all_ports, |_| read("/etc/hosts".as_ref())),
        row(
            "missing_folder",
            missing_folder,
            |_| Ok(()),
            Expect::Refused(|w| {
                format!("E0801: cannot grant {}: No such file", w.path("no-such-folder").display())
            }),
        ),
    ]
}

fn network() -> Vec<Row> {
    vec![
        fails("connect", nothing, |w| connect(w.port), EPERM),
        works("connect_to_granted", one_port, |w| connect(w.port)).needs(PORTS),
        fails("connect_to_other", one_port, |w| connect(w.other_port), EACCES).needs(PORTS),
        fails("connect_to_other_by_sending", one_port, |w| fast_open(w.other_port), EPERM).needs(PORTS),
        fails("udp_with_one_port", one_port, |w| send_udp(w.udp_port), EPERM).needs(PORTS),
        fails("mptcp_with_one_port", one_port, |_| socket(libc::AF_INET, libc::SOCK_STREAM, 262), EPERM)
            .needs(PORTS)
            .without_control(),
        works("connect_with_all_ports", all_ports, |w| connect(w.other_port)),
        works("udp_with_all_ports", all_ports, |w| send_udp(w.udp_port)),
        fails("bind", all_ports, |_| bind(), EACCES),
        fails("listen", all_ports, |_| listen(), EPERM),
        fails("raw_socket", all_ports, |_| socket(libc::AF_INET, libc::SOCK_RAW, 1), EPERM).without_control(),
        fails("netlink", all_ports, |_| socket(libc::AF_NETLINK, libc::SOCK_RAW, 0), EPERM),
        fails("unix_socket", all_ports, |w| connect_unix(&w.path("in/socket")), EPERM),
        works("unix_pair", nothing, |_| pair(libc::SOCK_STREAM)),
        fails("unix_datagram_pair", nothing, |_| pair(libc::SOCK_DGRAM), EPERM),
    ]
}

fn processes() -> Vec<Row> {
    vec![
        fails("fork", nothing, |_| fork(), EPERM),
        fails("spawn", nothing, |_| run("/bin/true", &[]), EPERM),
        fails("exec", nothing, |_| exec("/bin/true"), EPERM).without_control(),
        works("spawn_with_programs", programs, |_| run("/bin/true", &[])).needs(SIGNALS),
        works("program_reads_granted", programs, |w| run("/bin/cat", &[&w.path("in/file")])).needs(SIGNALS),
        fails("program_reads_other", programs, |w| run("/bin/cat", &[&w.path("out/file")]), PROGRAM_FAILED)
            .needs(SIGNALS),
        fails("signal_to_the_host", nothing, |w| signal(w.host), EPERM),
        fails("signal_to_the_host_with_programs", programs, |w| signal(w.host), EPERM).needs(SIGNALS),
        fails("signal_to_the_hosts_thread", nothing, |w| signal_thread(w.host), EPERM),
        fails("signal_to_all", nothing, |_| signal(-1), EPERM),
        row("signal_to_itself", nothing, |_| signal_itself(libc::SIGTERM), Expect::Signal(libc::SIGTERM)),
        row("abort", nothing, |_| std::process::abort(), Expect::Signal(libc::SIGABRT)),
        row("fault", nothing, |_| signal_itself(libc::SIGSEGV), Expect::Signal(libc::SIGSEGV)),
        fails("limits_of_the_host", nothing, |w| limits_of(w.host), EPERM),
        works("limits_of_itself", nothing, |_| limits_of(0)),
        fails("priority_of_the_host", nothing, |w| priority_of(w.host), EPERM),
        fails("leave_the_group", nothing, |w| join_group_of(w.host), EPERM),
        fails("leave_the_group_with_programs", programs, |w| join_group_of(w.host), EPERM).needs(SIGNALS),
        fails("child_of_the_host", programs, |_| sibling(), EPERM).needs(SIGNALS),
        fails("outlive_the_host", nothing, |_| death_signal(0), EPERM),
        works("die_with_the_host", nothing, |_| death_signal(libc::SIGKILL)),
        fails("trace", nothing, |_| trace(), EPERM),
        fails("type_into_a_terminal", nothing, |_| type_into_terminal(), EPERM).without_control(),
        works("dangerous_calls", nothing, |_| all_denied()),
        fails("new_processes_by_a_pointer", nothing, |_| call(libc::SYS_clone3, [0; 4]), ENOSYS)
            .without_control(),
        fails("opening_by_a_pointer", nothing, |_| call(libc::SYS_openat2, [0; 4]), ENOSYS).without_control(),
        fails("newer_calls", nothing, |_| call(463, [-1, 0, 0, 0]), ENOSYS).without_control(),
        #[cfg(target_arch = "x86_64")]
        fails("calls_of_x32", nothing, |_| call(0x4000_0000 | libc::SYS_getpid, [0; 4]), ENOSYS)
            .without_control(),
        fails("inherited_descriptor", nothing, |w| descriptor(w.descriptor), EBADF).without_control(),
        Row { keeps: true, ..works("kept_descriptor", nothing, |w| descriptor(w.descriptor)) },
        Row { keeps: true, ..fails("descriptor_after_a_kept_one", nothing, |_| descriptor(LATER), EBADF) }
            .without_control(),
        works("threads", nothing, |_| threads()),
        works("library_of_the_system", nothing, |_| library()),
        works("code_made_while_it_runs", nothing, |_| executable_memory()),
        row(
            "second_thread",
            second_thread,
            |_| Ok(()),
            Expect::Refused(|_| {
                "E0304: cannot confine this process: cannot hold all threads: there are 2".to_owned()
            }),
        ),
    ]
}

fn limits() -> Vec<Row> {
    vec![
        fails("memory_of_rust", memory, |_| reserve(1 << 30), ENOMEM),
        fails("memory_of_c", memory, |_| allocate_blocks(300), ENOMEM),
        fails("memory_in_many_threads", memory, |_| in_thread(|| allocate_blocks(300)), ENOMEM),
        fails("memory_as_a_stack", memory, |_| large_stack(), EAGAIN),
        fails("memory_shared", memory, |_| map(libc::MAP_SHARED | libc::MAP_ANONYMOUS), EPERM),
        fails(
            "memory_that_grows_downward",
            memory,
            |_| map(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN),
            EPERM,
        ),
        fails("memory_as_a_file", memory, |_| memory_file(), ENOSYS),
        works("memory_within_the_limit", memory, |_| allocate_blocks(50)),
        works("address_space_beyond_the_limit", memory, |_| reserve_addresses(4 << 30)),
        works("threads_within_the_limit", memory, |_| threads()),
        row(
            "memory_that_is_used_already",
            hardly_any_memory,
            |_| Ok(()),
            Expect::Refused(|_| "E0702: 4096 bytes of memory are too few: a worker begins with ".to_owned()),
        ),
        row("processor_time", second, |_| spin(), Expect::Signal(libc::SIGXCPU)),
        row("processor_time_ignored", second, |_| spin_on(), Expect::Signal(libc::SIGKILL)),
        fails("open_files", nothing, |_| open_many(300), EMFILE),
        fails("size_of_a_file", small_files, |w| write_much(&w.path("in/file"), 8192), EFBIG),
        works("no_dumps", dumps, |_| no_dumps()),
        works("no_rights_of_root", nothing, |_| no_rights()),
        fails("raise_a_limit", nothing, |_| raise_limit(), EPERM).without_control(),
    ]
}
