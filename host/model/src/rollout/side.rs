/// On which side of a gray task a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The task has admitted it.
    Gray,
    /// It got the online version meanwhile, and a guard compares the task with it (G13).
    Beside,
}
