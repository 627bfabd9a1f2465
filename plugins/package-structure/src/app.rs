//! Checks what the manifest asks for without naming a page: the app's script, custom bars, workers, the theme.

use berth_policy::{Finding, serde_json::Value};
use berth_policy_layout::{Lack, components::bars, modules::workers, path};

use crate::{Subject, tabs, theme, unbuilt};

/// Reports a missing script of the app, missing bars, workers and themes.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    [script(subject), worker_folder(subject), theme::check(subject)]
        .into_iter()
        .flatten()
        .chain(bars(&subject.layout).into_iter().filter_map(|(asked, stem)| bar(subject, asked, stem)))
        .collect()
}

fn script(subject: &Subject<'_>) -> Option<Finding> {
    let layout = &subject.layout;
    // A MiniApp of the W3C may consist of documents alone.
    if layout.manifest.path != "app.json"
        || layout.is_bundled()
        || layout.with_ending("app", &["js", "mjs", "cjs"]).is_some()
    {
        return None;
    }
    let (message, fix) = match layout.with_ending("app", &["ts", "tsx", "vue"]) {
        Some(source) => (
            format!("There is no app.js; {source} is a source, which no device reads."),
            unbuilt::remedy(subject, &[source]),
        ),
        None => {
            let add = "Add app.js, or pack the folder that the build writes.";
            ("There is no app.js, so the app cannot start.".into(), subject.remedy(&["app.js".into()], add))
        }
    };
    Some(Finding::error("app-without-script", message).at(layout.manifest.place_of("pages")).fix(fix))
}

/// Reports a bar whose component is not there. By the documentation of the vendors such a component is all that is drawn as
/// the bar: without it the app runs and has none. Many apps, and builds of uni-app, ask for a bar of their own only to have
/// none, and draw one in each of their pages, so that is a warning where pages may do that. What is there must be whole, as
/// it is compiled.
///
/// Source: developers.weixin.qq.com, "Custom tabBar" of mini-programs.
fn bar(subject: &Subject<'_>, asked: &str, stem: &str) -> Option<Finding> {
    if subject.layout.is_bundled() {
        return None;
    }
    let lack = subject.layout.lack(stem)?;
    let place = subject.layout.manifest.place_of(asked);
    if lack == Lack::Everything && tabs::may_draw_the_bar(subject) {
        let message =
            format!("The manifest asks for a bar of its own ({asked}), and there is no {stem}, so there is none.");
        let fix = format!("Add the component {stem}, or see that each page with a tab draws the bar itself.");
        return Some(Finding::warning("bar-missing", message).at(place).fix(fix));
    }
    let markup = subject.layout.markup();
    let message =
        format!("The manifest asks for a bar of its own ({asked}), and {stem}.js or {stem}.{markup} is not there.");
    let fix = format!("Add the component {stem}, or remove {asked}.");
    Some(Finding::error("bar-missing", message).at(place).fix(fix))
}

/// Reports a missing folder of workers, which the manifest states as a text or as `{"path": …}`.
pub fn worker_folder(subject: &Subject<'_>) -> Option<Finding> {
    let folder = workers(&subject.layout)?;
    if subject.layout.has_folder(&folder) || subject.layout.has(&folder) {
        return None;
    }
    let message = format!("The folder of the workers, {folder}, does not exist.");
    let place = subject.layout.manifest.place_of("workers");
    Some(
        Finding::error("workers-missing", message)
            .at(place)
            .fix("Add the folder, or remove workers from the manifest."),
    )
}

/// The path of a file that a member of the manifest names; `None` when the member is not a text.
pub fn named(value: Option<&Value>) -> Option<String> {
    Some(path::clean(value?.as_str()?))
}
