//! Reads what clients send into the types of the API. Refusals speak the words of the API and not those of the parsers.

mod characters;
mod query;

pub use berth_base::read::json;
pub use characters::whole_characters;
pub use query::{read as query, read_some as some_query};
