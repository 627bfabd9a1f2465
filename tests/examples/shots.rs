//! Pictures of every page of the console: wide and narrow, light and dark, in both languages, to look at.
//!
//! `shots FOLDER [PART]`, with `BERTH_TEST_BROWSER` as `tests/setup/browser.sh start DIR` prints it. `PART` picks the pages whose
//! address contains it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "its output is its purpose, and a failure is its end")]

use std::{fs, path::PathBuf};

use berth_tests::{
    Database, Host,
    browser::Browser,
    there_is,
    tour::{all_pages, furnished, window},
};

/// Name, width in pixels, language and theme of each series of pictures.
const SERIES: [(&str, u32, &str, &str); 4] = [
    ("wide-light-en", 1280, "en", "light"),
    ("wide-dark-zh", 1280, "zh-CN", "dark"),
    ("narrow-light-zh", 360, "zh-CN", "light"),
    ("narrow-dark-en", 360, "en", "dark"),
];

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().expect("the folder for the pictures"));
    let part = args.next().unwrap_or_default();
    let driver = there_is("BERTH_TEST_BROWSER").expect("a browser");
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut pages: Vec<_> = all_pages(&browser).await.into_iter().map(|page| page.address).collect();
    pages.retain(|address| address.contains(&part));
    for (series, width, language, theme) in SERIES {
        fs::create_dir_all(folder.join(series)).unwrap();
        let window = window(&scene, &driver, width).await;
        window.narrow_to(width).await;
        window.keep("berth_language", language).await;
        window.keep("berth_theme", theme).await;
        for (number, address) in pages.iter().enumerate() {
            window.go(&format!("{}{address}", scene.host.url)).await;
            let name = address.trim_start_matches('/').replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
            let file = folder.join(series).join(format!("{number:03}-{:.60}.png", name));
            fs::write(&file, window.picture().await).unwrap();
        }
        window.close().await;
        println!("{} pictures in {}", pages.len(), folder.join(series).display());
    }
    scene.host.stop().await;
}
