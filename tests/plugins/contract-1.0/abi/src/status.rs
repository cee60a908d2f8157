/// What [`Function::call`](crate::Function::call) and [`Plugin::attach`](crate::Plugin::attach) give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// The result is in `out`.
    Ok = 0,
    /// The function failed; `out` is a message, as a `string` result is.
    Failed = 1,
    /// The function panicked; `out` is a message, as a `string` result is.
    Panicked = 2,
    /// The host gave no memory for the result; nothing is in `out`.
    OutOfMemory = 3,
}

impl Status {
    /// The status that a number stands for; `None` for those of a later contract.
    pub fn from_code(code: i32) -> Option<Self> {
        [Self::Ok, Self::Failed, Self::Panicked, Self::OutOfMemory].into_iter().find(|s| *s as i32 == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_ones_of_the_contract() {
        for (code, status) in [
            (0, Some(Status::Ok)),
            (1, Some(Status::Failed)),
            (2, Some(Status::Panicked)),
            (3, Some(Status::OutOfMemory)),
            (4, None),
            (-1, None),
        ] {
            assert_eq!(Status::from_code(code), status);
        }
    }
}
