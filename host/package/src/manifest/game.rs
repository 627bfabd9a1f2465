//! The `game.json` of mini-games, which have no pages but a script that starts them, and subpackages that are fetched
//! when they are needed.

use serde_json::{Map, Value};

use super::{Facts, GAME_JSON, Subpackage, declared, page_path};
use crate::refusal;
use berth_base::error::{Error, Result};

/// The start script `game.js` without its ending. It stands for the one page of a game.
const ENTRY: &str = "game";

/// Reads the facts of a `game.json`.
pub fn read(members: &Map<String, Value>) -> Result<Facts> {
    let subpackages = subpackage_items(members)?.iter().map(subpackage).collect::<Result<_>>()?;
    Ok(Facts {
        pages: vec![ENTRY.into()],
        subpackages,
        id: declared(GAME_JSON, members, "mini_app_id").or_else(|| declared(GAME_JSON, members, "app_id")),
        version: declared(GAME_JSON, members, "version"),
        ..Facts::default()
    })
}

/// The list of subpackages. Both spellings are in use; a manifest with both is refused, as it could be read in two
/// ways.
fn subpackage_items(members: &Map<String, Value>) -> Result<&[Value]> {
    match (members.get("subpackages"), members.get("subPackages")) {
        (Some(_), Some(_)) => Err(wrong("subpackages", "stands beside \"subPackages\": keep one of the two spellings")),
        (None, None) => Ok(&[]),
        (Some(list), None) | (None, Some(list)) => {
            list.as_array().map(Vec::as_slice).ok_or_else(|| wrong("subpackages", "must be a list"))
        }
    }
}

/// Reads a subpackage of a game. Its root is a folder with a `game.js`, or a script.
fn subpackage(item: &Value) -> Result<Subpackage> {
    let member = "subpackages[].root";
    let root = item.get("root").and_then(Value::as_str).ok_or_else(|| wrong(member, "must be a folder or a script"))?;
    let root = page_path("", root).map_err(|why| wrong(member, &why))?;
    let name = item.get("name").and_then(Value::as_str).map(Into::into);
    let independent = item.get("independent").and_then(Value::as_bool).unwrap_or(false);
    Ok(Subpackage { root, name, independent, pages: Vec::new() })
}

fn wrong(member: &str, rule: &str) -> Error {
    refusal::manifest("manifest-shape", GAME_JSON, format!("{member} {rule}.")).with("member", member)
}
