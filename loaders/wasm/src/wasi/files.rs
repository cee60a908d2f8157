//! `wasi:filesystem`: wasmtime's, held to what is granted.
//!
//! wasmtime keeps every path below its folder, by handle: neither `..` nor a link leads out. Here is what it does
//! not keep:
//!
//! - only regular files and folders are opened, without waiting for whoever is at the other end of a FIFO, and
//!   nothing that the kernel shows of processes: `/proc` holds the environment of the host;
//! - what is open for writing alone is not read;
//! - a file with several names is not written, as the others may lie elsewhere; no such names are made, and no
//!   links that lead out of a folder, which would be traps for others;
//! - what is denied is not opened by another name.

use super::Guest;
use super::file_streams::{Reader, Writer};
use super::folders::identity;
use super::wait::wait;
use cap_fs_ext::{FollowSymlinks, MetadataExt, OpenOptionsFollowExt};
use cap_std::fs::{Dir as Folder, Metadata, OpenOptions, OpenOptionsExt};
use std::path::{Component, Path};
use std::sync::{Arc, Weak};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types as async_types;
use wasmtime_wasi::p2::bindings::sync::filesystem::types;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult, ReaddirIterator};
use wasmtime_wasi::{FsPerms, OpenMode};

type Fd = Resource<Descriptor>;

/// How many files and folders a guest may have open: the process has only so many descriptors.
const MAX_OPEN: usize = 128;

/// What a guest has opened. Streams keep a file open, too, when its descriptor has been dropped.
#[derive(Default)]
pub(super) struct Opened(Vec<Weak<std::fs::File>>);

impl Opened {
    fn check(&mut self) -> FsResult<()> {
        if self.0.len() >= MAX_OPEN {
            self.0.retain(|file| file.strong_count() > 0);
        }
        if self.0.len() >= MAX_OPEN { Err(async_types::ErrorCode::Quota.into()) } else { Ok(()) }
    }

    fn add(&mut self, file: &Arc<std::fs::File>) {
        self.0.push(Arc::downgrade(file));
    }
}

/// What a guest is told of what it may not do.
fn refused<T>() -> FsResult<T> {
    Err(async_types::ErrorCode::NotPermitted.into())
}

/// Drives an operation to its end; a limit that is used up stops the guest.
fn done<T>(operation: impl Future<Output = FsResult<T>>) -> FsResult<T> {
    wait(operation).map_err(FsError::trap)?
}

/// Whether the contents of what is opened from there may be seen.
fn is_readable(dir: &Dir) -> bool {
    dir.open_mode.contains(OpenMode::READ)
}

impl Guest {
    fn filesystem(&mut self) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView { ctx: self.context.filesystem(), table: &mut self.table }
    }

    fn dir(&self, fd: &Fd) -> FsResult<&Dir> {
        match self.table.get(fd)? {
            Descriptor::Dir(dir) => Ok(dir),
            Descriptor::File(_) => Err(async_types::ErrorCode::NotDirectory.into()),
        }
    }

    fn file(&self, fd: &Fd) -> FsResult<&File> {
        match self.table.get(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(async_types::ErrorCode::IsDirectory.into()),
        }
    }

    fn file_to_write(&self, fd: &Fd) -> FsResult<&File> {
        let file = self.file(fd)?;
        if file.perms == FsPerms::ReadOnly || !file.open_mode.contains(OpenMode::WRITE) {
            return refused();
        }
        Ok(file)
    }

    /// Refuses to look into a folder that is open for writing alone.
    fn look_into(&self, fd: &Fd) -> FsResult<()> {
        if is_readable(self.dir(fd)?) { Ok(()) } else { refused() }
    }

    /// Refuses what no guest may open.
    fn check_opened(&self, file: &std::fs::File, metadata: &Metadata) -> FsResult<()> {
        if !(metadata.is_file() || metadata.is_dir()) {
            return refused();
        }
        #[cfg(target_os = "linux")]
        if rustix::fs::fstatfs(file).map_err(std::io::Error::from)?.f_type == rustix::fs::PROC_SUPER_MAGIC {
            return refused();
        }
        #[cfg(not(target_os = "linux"))]
        let _ = file;
        let is_denied = |path: &std::path::PathBuf| {
            let denied = std::fs::metadata(path).map(Metadata::from_just_metadata);
            denied.is_ok_and(|denied| identity(&denied) == identity(metadata))
        };
        if self.folders.denied.iter().any(is_denied) { refused() } else { Ok(()) }
    }
}

/// How something is to be opened.
struct Way {
    follow: FollowSymlinks,
    read: bool,
    write: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    directory: bool,
}

impl Way {
    fn new(path: types::PathFlags, open: types::OpenFlags, flags: types::DescriptorFlags) -> Self {
        use types::{DescriptorFlags, OpenFlags, PathFlags};
        let create = open.contains(OpenFlags::CREATE);
        let truncate = open.contains(OpenFlags::TRUNCATE);
        let write = flags.contains(DescriptorFlags::WRITE) || create || truncate;
        let follow = path.contains(PathFlags::SYMLINK_FOLLOW);
        Self {
            follow: if follow { FollowSymlinks::Yes } else { FollowSymlinks::No },
            // What is opened for neither is opened for reading.
            read: flags.contains(DescriptorFlags::READ) || !write,
            write,
            create,
            exclusive: create && open.contains(OpenFlags::EXCLUSIVE),
            truncate,
            directory: open.contains(OpenFlags::DIRECTORY),
        }
    }

    fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        // It is cut off only when it was looked at.
        options.read(self.read).write(self.write).follow(self.follow);
        options.create(self.create).create_new(self.exclusive);
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        options
    }
}

impl preopens::Host for &mut Guest {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        let mut directories = Vec::with_capacity(self.folders.open.len());
        for (dir, name) in &self.folders.open {
            directories.push((self.table.push(Descriptor::Dir(dir.clone()))?, name.clone()));
        }
        Ok(directories)
    }
}

impl types::Host for &mut Guest {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        Ok(async_types::Host::convert_error_code(&mut self.filesystem(), error)?.into())
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        let code = async_types::Host::filesystem_error_code(&mut self.filesystem(), error)?;
        Ok(code.map(types::ErrorCode::from))
    }
}

impl types::HostDescriptor for &mut Guest {
    fn open_at(
        &mut self,
        fd: Fd,
        path_flags: types::PathFlags,
        path: String,
        open_flags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Fd> {
        use types::DescriptorFlags as Flags;
        self.opened.check()?;
        let dir = self.dir(&fd)?;
        let (perms, rights) = (dir.perms, dir.open_mode);
        let way = Way::new(path_flags, open_flags, flags);
        if flags
            .intersects(Flags::FILE_INTEGRITY_SYNC | Flags::DATA_INTEGRITY_SYNC | Flags::REQUESTED_WRITE_SYNC)
        {
            return Err(async_types::ErrorCode::Unsupported.into());
        }
        if way.directory && (way.create || way.truncate) {
            return Err(async_types::ErrorCode::Invalid.into());
        }
        if way.write && perms == FsPerms::ReadOnly {
            return refused();
        }
        let folder = Folder::from_std_file(dir.dir.try_clone()?);
        // Opening a device can have effects.
        let before = match way.follow {
            FollowSymlinks::Yes => folder.metadata(&path),
            FollowSymlinks::No => folder.symlink_metadata(&path),
        };
        if before.is_ok_and(|found| !(found.is_file() || found.is_dir() || found.is_symlink())) {
            return refused();
        }
        let file = folder.open_with(&path, &way.options())?;
        let metadata = file.metadata()?;
        let file = file.into_std();
        self.check_opened(&file, &metadata)?;
        if metadata.is_dir() {
            let dir = Dir::new(file, perms, rights, true);
            self.opened.add(&dir.dir);
            return Ok(self.table.push(Descriptor::Dir(dir))?);
        }
        if way.directory {
            return Err(async_types::ErrorCode::NotDirectory.into());
        }
        if (way.read && !rights.contains(OpenMode::READ)) || (way.write && metadata.nlink() > 1) {
            return refused();
        }
        if way.truncate {
            file.set_len(0)?;
        }
        let mut mode = OpenMode::empty();
        mode.set(OpenMode::READ, way.read);
        mode.set(OpenMode::WRITE, way.write);
        let file = File::new(file, perms, mode, true);
        self.opened.add(&file.file);
        Ok(self.table.push(Descriptor::File(file))?)
    }

    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(Reader::new(self.file(&fd)?, offset));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(Writer::new(self.file_to_write(&fd)?, Some(offset)));
        Ok(self.table.push(stream)?)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(Writer::new(self.file_to_write(&fd)?, None));
        Ok(self.table.push(stream)?)
    }

    fn link_at(&mut self, _: Fd, _: types::PathFlags, _: String, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        let inward = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(&target).components().all(inward) {
            return refused();
        }
        done(async_types::HostDescriptor::symlink_at(&mut self.filesystem(), fd, target, path))
    }

    fn rename_at(&mut self, fd: Fd, path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        if is_readable(self.dir(&fd)?) != is_readable(self.dir(&new_fd)?) {
            return refused();
        }
        let mut files = self.filesystem();
        done(async_types::HostDescriptor::rename_at(&mut files, fd, path, new_fd, new_path))
    }

    fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.look_into(&fd)?;
        done(async_types::HostDescriptor::readlink_at(&mut self.filesystem(), fd, path))
    }

    fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<ReaddirIterator>> {
        self.look_into(&fd)?;
        done(async_types::HostDescriptor::read_directory(&mut self.filesystem(), fd))
    }

    fn stat_at(&mut self, fd: Fd, flags: types::PathFlags, path: String) -> FsResult<types::DescriptorStat> {
        self.look_into(&fd)?;
        let mut files = self.filesystem();
        Ok(done(async_types::HostDescriptor::stat_at(&mut files, fd, flags.into(), path))?.into())
    }

    fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        self.look_into(&fd)?;
        let mut files = self.filesystem();
        Ok(done(async_types::HostDescriptor::metadata_hash_at(&mut files, fd, flags.into(), path))?.into())
    }

    fn advise(&mut self, fd: Fd, offset: u64, len: u64, advice: types::Advice) -> FsResult<()> {
        let mut files = self.filesystem();
        done(async_types::HostDescriptor::advise(&mut files, fd, offset, len, advice.into()))
    }

    fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        done(async_types::HostDescriptor::sync_data(&mut self.filesystem(), fd))
    }

    fn sync(&mut self, fd: Fd) -> FsResult<()> {
        done(async_types::HostDescriptor::sync(&mut self.filesystem(), fd))
    }

    fn get_flags(&mut self, fd: Fd) -> FsResult<types::DescriptorFlags> {
        Ok(done(async_types::HostDescriptor::get_flags(&mut self.filesystem(), fd))?.into())
    }

    fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
        Ok(done(async_types::HostDescriptor::get_type(&mut self.filesystem(), fd))?.into())
    }

    fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
        Ok(done(async_types::HostDescriptor::stat(&mut self.filesystem(), fd))?.into())
    }

    fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
        Ok(done(async_types::HostDescriptor::metadata_hash(&mut self.filesystem(), fd))?.into())
    }

    fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        wait(async_types::HostDescriptor::is_same_object(&mut self.filesystem(), a, b))?
    }

    fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        done(async_types::HostDescriptor::set_size(&mut self.filesystem(), fd, size))
    }

    fn set_times(
        &mut self,
        fd: Fd,
        accessed: types::NewTimestamp,
        modified: types::NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (accessed.into(), modified.into());
        done(async_types::HostDescriptor::set_times(&mut self.filesystem(), fd, accessed, modified))
    }

    fn set_times_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
        accessed: types::NewTimestamp,
        modified: types::NewTimestamp,
    ) -> FsResult<()> {
        let (flags, accessed, modified) = (flags.into(), accessed.into(), modified.into());
        let mut files = self.filesystem();
        done(async_types::HostDescriptor::set_times_at(&mut files, fd, flags, path, accessed, modified))
    }

    fn read(&mut self, fd: Fd, len: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        done(async_types::HostDescriptor::read(&mut self.filesystem(), fd, len, offset))
    }

    fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        done(async_types::HostDescriptor::write(&mut self.filesystem(), fd, bytes, offset))
    }

    fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        done(async_types::HostDescriptor::create_directory_at(&mut self.filesystem(), fd, path))
    }

    fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        done(async_types::HostDescriptor::remove_directory_at(&mut self.filesystem(), fd, path))
    }

    fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        done(async_types::HostDescriptor::unlink_file_at(&mut self.filesystem(), fd, path))
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        async_types::HostDescriptor::drop(&mut self.filesystem(), fd)
    }
}

impl types::HostDirectoryEntryStream for &mut Guest {
    fn read_directory_entry(
        &mut self,
        stream: Resource<ReaddirIterator>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        let mut files = self.filesystem();
        let entry = done(async_types::HostDirectoryEntryStream::read_directory_entry(&mut files, stream))?;
        Ok(entry.map(types::DirectoryEntry::from))
    }

    fn drop(&mut self, stream: Resource<ReaddirIterator>) -> wasmtime::Result<()> {
        async_types::HostDirectoryEntryStream::drop(&mut self.filesystem(), stream)
    }
}
