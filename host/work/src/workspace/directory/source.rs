//! What a source of an address book gives, whatever it is.

use std::fmt;

use berth_base::error::{Code, Error};
use berth_model::workspace::directory::Book;

/// Why a source does not give an address book. The words are for people, and never contain an address that carries a token.
#[derive(Debug)]
pub enum Trouble {
    /// It knows who asks, and refuses.
    Denied(String),
    /// There is no answer, or it wants to be left alone for a while.
    Unreachable(String),
    /// What it answers is no address book.
    Wrong(String),
    /// This host failed.
    Host(Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) | Self::Unreachable(why) | Self::Wrong(why) => f.write_str(why),
            Self::Host(error) => f.write_str(&error.detail),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Denied(why) => Self::new(Code::DirectoryDenied, why),
            Trouble::Unreachable(why) => Self::new(Code::DirectoryUnreachable, why),
            Trouble::Wrong(why) => Self::new(Code::DirectoryWrong, why),
            Trouble::Host(error) => error,
        }
    }
}

/// Where an organisation keeps its address book. It is read as a whole, as the sources that are known cannot tell what has changed
/// since a moment; they can only tell that something has, which brings the next sync forward.
pub trait Source: Sync {
    /// Tries whether it lets this host in.
    fn enter(&self) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Adds its departments, which form a tree.
    fn departments(&self, book: &mut Book) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Adds its people, each with the departments that list them. The departments are in the book already.
    fn people(&self, book: &mut Book) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Adds its tags, each with the people and departments that have it.
    fn tags(&self, book: &mut Book) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Somebody of `ids` whom it has all the same. Who moves from one department to another while it is read is in neither list, and
    /// has not left.
    fn still_has(&self, ids: &[&str]) -> impl Future<Output = Result<Option<String>, Trouble>> + Send;
}

/// Reads all of an address book.
///
/// # Errors
/// [`Trouble`]; what was read so far is worth nothing then.
pub(super) async fn pull(source: &impl Source) -> Result<Book, Trouble> {
    let mut book = Book::default();
    source.departments(&mut book).await?;
    source.people(&mut book).await?;
    source.tags(&mut book).await?;
    book.settled().map_err(|flaw| Trouble::Wrong(format!("The directory's answer is no address book: {flaw}.")))
}
