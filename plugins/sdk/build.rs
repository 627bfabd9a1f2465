//! Encodes each world of `wit/` as the section that tells a host for which world a policy was built.

use std::{env, fs, path::Path};

use wit_component::{StringEncoding, metadata};
use wit_parser::Resolve;

const WIT: &str = "../../wit";
const WORLDS: [&str; 3] = ["auditor", "grayscale", "guard"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={WIT}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(WIT)?;
    let out = env::var("OUT_DIR")?;
    for world in WORLDS {
        let id = resolve.select_world(&[package], Some(world))?;
        let section = metadata::encode(&resolve, id, StringEncoding::UTF8, None)?;
        fs::write(Path::new(&out).join(world), section)?;
    }
    Ok(())
}
