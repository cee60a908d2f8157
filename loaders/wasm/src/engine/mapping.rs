//! Memory that artifacts are read into, and run from.

use crate::artifact::Artifact;
use memmap2::{Advice, Mmap, MmapMut, MmapOptions};
use parking_lot::Mutex;
use rustix::mm::{MprotectFlags, mprotect};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;
use wasmtime::{Config, CustomCodeMemory, Engine, Result};

/// The size of a page.
const PAGE: usize = 4 << 10;

/// The size of a large page, which is had and given back sooner than many small ones.
const LARGE_PAGE: usize = 2 << 20;

/// How much of a large page has to be used, in bytes.
const MIN_USED: usize = 512 << 10;

/// An artifact in memory of this process's own, which cannot be written to any more.
pub(crate) struct Image {
    mapping: Mmap,
    /// Where the artifact is in it; it begins with a page.
    range: Range<usize>,
}

impl Image {
    /// Reads `size` bytes of a file; `None` if it has fewer.
    pub(crate) fn read(mut file: impl Read, size: usize) -> Option<Self> {
        let (mut mapping, start) = memory(size)?;
        let range = start..start + size;
        file.read_exact(mapping.get_mut(range.clone())?).ok()?;
        Some(Self { mapping: mapping.make_read_only().ok()?, range })
    }

    fn contains(&self, address: usize) -> bool {
        self.as_ptr_range().contains(&std::ptr::without_provenance(address))
    }
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping[self.range.clone()]
    }
}

/// Memory for so many bytes, in large pages as far as the system has some, and where the bytes begin in it.
fn memory(size: usize) -> Option<(MmapMut, usize)> {
    let large = size.checked_add(LARGE_PAGE - MIN_USED)? / LARGE_PAGE * LARGE_PAGE;
    if large == 0 {
        return Some((MmapOptions::new().len(size).populate().map_anon().ok()?, 0));
    }
    // With room to begin where a large page can.
    let mapping = MmapOptions::new().len(size.max(large).checked_add(LARGE_PAGE)?).map_anon().ok()?;
    let address = mapping.as_ptr().addr();
    let start = address.next_multiple_of(LARGE_PAGE) - address;
    // Without it, these are small pages.
    let _ = mapping.advise_range(Advice::HugePage, start, large);
    Some((mapping, start))
}

/// The images that an engine's artifacts run from, by where they begin.
///
/// wasmtime asks it to make code executable, and tells it when nothing needs the code any more. It asks so for
/// code in memory of its own, too.
#[derive(Default)]
pub(crate) struct Images(Mutex<BTreeMap<usize, Arc<Image>>>);

impl Images {
    /// Has the engine of this configuration ask here.
    pub(super) fn serve(self: &Arc<Self>, config: &mut Config) {
        config.with_custom_code_memory(Some(self.clone()));
    }

    /// Loads an artifact, which keeps the image until it is dropped.
    ///
    /// # Safety
    ///
    /// The image is what `serialize` gave, of an artifact without information for native unwinding; and the
    /// engine asks here.
    pub(super) unsafe fn load<A: Artifact>(&self, engine: &Engine, image: Image) -> Result<A> {
        let image = Arc::new(image);
        let start = image.as_ptr().addr();
        self.0.lock().insert(start, image.clone());
        // SAFETY: the bytes are the caller's promise. They are in memory that is not writable and stays until
        // wasmtime says that it does not need it, by `unpublish_executable`. It says so when it drops the artifact's
        // `CodeMemory`, which has not been registered for lookups since before that; what that drops afterwards are
        // registrations of native unwinding, of which there are none, and of debuggers, which have a copy.
        let artifact = unsafe { A::from_memory(engine, NonNull::from(&**image)) };
        if artifact.is_err() {
            // If wasmtime got as far as publishing it, it is gone. Nothing else can be at its address as long as
            // `image` is here.
            self.0.lock().remove(&start);
        }
        artifact
    }

    /// Forgets the image that has this address in it.
    fn take(&self, address: usize) -> Option<Arc<Image>> {
        let mut images = self.0.lock();
        let (start, image) = images.range(..=address).next_back()?;
        if !image.contains(address) {
            return None;
        }
        let start = *start;
        images.remove(&start)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }
}

impl CustomCodeMemory for Images {
    fn required_alignment(&self) -> usize {
        PAGE
    }

    fn publish_executable(&self, code: *const u8, len: usize) -> Result<()> {
        // Processors of this kind see by themselves that code was written.
        protect(code, len, MprotectFlags::READ | MprotectFlags::EXEC)
    }

    fn unpublish_executable(&self, code: *const u8, len: usize) -> Result<()> {
        if self.take(code.addr()).is_some() || len == 0 {
            return Ok(());
        }
        protect(code, len, MprotectFlags::READ | MprotectFlags::WRITE)
    }
}

fn protect(code: *const u8, len: usize, flags: MprotectFlags) -> Result<()> {
    // SAFETY: only wasmtime calls it, with the code of one artifact. It fills whole pages, which are mapped, and runs
    // only while it is published.
    unsafe { mprotect(code.cast_mut().cast(), len, flags) }?;
    Ok(())
}
