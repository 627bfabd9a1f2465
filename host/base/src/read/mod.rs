//! Reads JSON that others have written into the types of the API. What is wrong with it is said in the words of the API and
//! not in those of the parsers.

mod fault;
mod json;

pub use fault::Fault;
pub use json::{Misfit, read as json, value, where_it_ends};
