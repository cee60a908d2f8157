//! What is around a child: a folder that it may be granted, one that it is not, servers, and a descriptor of the host's.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const FOLDER: &str = "CARAWAY_TEST_FOLDER";
const NUMBERS: &str = "CARAWAY_TEST_NUMBERS";

/// What a child was told, and in the host what holds it in place.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    /// Ports of two TCP servers and one of UDP.
    pub(crate) port: u16,
    pub(crate) other_port: u16,
    pub(crate) udp_port: u16,
    /// A descriptor that the host opened without a thought for children.
    pub(crate) descriptor: i32,
    /// The host's process.
    pub(crate) host: i32,
    _kept: Option<Kept>,
}

type Kept = (TempDir, TcpListener, TcpListener, UdpSocket, UnixListener, fs::File);

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        for name in ["in", "out"] {
            fs::create_dir(path.join(name)).unwrap();
            fs::write(path.join(name).join("file"), "text").unwrap();
            fs::set_permissions(path.join(name).join("file"), fs::Permissions::from_mode(0o640)).unwrap();
        }
        symlink("../out/file", path.join("in/link")).unwrap();
        let tcp = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (first, second, udp) = (tcp(), tcp(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let unix = UnixListener::bind(path.join("in/socket")).unwrap();
        let careless = fs::File::open(path.join("out/file")).unwrap();
        rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).unwrap();
        Self {
            folder: path,
            port: first.local_addr().unwrap().port(),
            other_port: second.local_addr().unwrap().port(),
            udp_port: udp.local_addr().unwrap().port(),
            descriptor: careless.as_raw_fd(),
            host: std::process::id() as i32,
            _kept: Some((folder, first, second, udp, unix, careless)),
        }
    }

    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let numbers = [
            i32::from(self.port),
            i32::from(self.other_port),
            i32::from(self.udp_port),
            self.descriptor,
            self.host,
        ];
        let numbers = numbers.map(|number| number.to_string()).join(" ");
        [(FOLDER, self.folder.to_str().unwrap().to_owned()), (NUMBERS, numbers)]
    }

    pub(crate) fn inherited() -> Self {
        let numbers = std::env::var(NUMBERS).unwrap();
        let numbers: Vec<i32> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let port = |number: i32| u16::try_from(number).unwrap();
        super::actions::descriptor(numbers[3]).unwrap();
        Self {
            folder: std::env::var(FOLDER).unwrap().into(),
            port: port(numbers[0]),
            other_port: port(numbers[1]),
            udp_port: port(numbers[2]),
            descriptor: numbers[3],
            host: numbers[4],
            _kept: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(Path::new(name))
    }
}
