//! What a worker's process may do, held to by the kernel.
