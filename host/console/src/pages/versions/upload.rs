//! Uploading a package with a browser.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    http::Method,
    routing::get,
};
use berth_model::{access::Action, mini_app::MiniApp, version::Version};

use super::super::mini_apps::{head, mini_app};
use crate::{
    Console,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, invalid},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    // The API has a limit of its own for packages, and says it.
    Router::new().route("/ui/mini-apps/{id}/upload", get(form).post(upload)).layer(DefaultBodyLimit::disable())
}

#[derive(askama::Template)]
#[template(path = "versions/upload.html")]
struct Form<'a> {
    t: Texts,
    app: &'a MiniApp,
    filled: &'a Filled,
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    if !visit.can(Action::Develop, &app.scope()) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let title = visit.t.upload_version();
    let mut head = head(visit, title, Some(&app));
    head.above.push((visit.t.versions().into(), at!("/ui/mini-apps/{}/versions", id)));
    visit.page(head, &Form { t: visit.t, app: &app, filled })
}

/// What the form said before its file.
#[derive(Default)]
struct Said {
    version: String,
    submit: bool,
}

async fn upload(visit: Visit, Path(id): Path<String>, form: Multipart) -> Answer {
    let mut said = Said::default();
    match send(&visit, &id, form, &mut said).await {
        Ok((version, not_submitted)) => {
            let number = &version.version;
            let was_there = !version.state.may_be_submitted();
            let told = match (not_submitted, said.submit) {
                _ if was_there => visit.t.uploaded_before(number),
                (Some(why), _) => visit.t.uploaded_not_submitted(number, why),
                (None, true) => visit.t.uploaded_and_submitted(number),
                (None, false) => visit.t.uploaded(number),
            };
            done(&at!("/ui/mini-apps/{}/versions/{}", id, number), &told)
        }
        Err(refused) => {
            let mut values = vec![("version".to_owned(), said.version)];
            values.extend(said.submit.then(|| ("submit".to_owned(), "on".to_owned())));
            let filled = Filled::with(values).refused(refused).or_show(&visit)?;
            show(&visit, &id, &filled).await
        }
    }
}

/// The version that is there now, and why it was not submitted though that was wanted.
type Sent = (Version, Option<String>);

/// Reads the form as it comes, and passes its file on without keeping it.
async fn send(visit: &Visit, id: &str, mut form: Multipart, said: &mut Said) -> Result<Sent, Refused> {
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "version" => said.version = field.text().await?.trim().to_owned(),
            "submit" => said.submit = true,
            "package" => {
                let file = field.file_name().unwrap_or_default().to_owned();
                let name = package_name(visit.t, id, &file, &said.version)?;
                let path = at!("/v1/packages/{}", name);
                let version = visit.api.pass_on(Method::PUT, &path, field, "application/zip").await?;
                let not_submitted = submitted(visit, &version, said.submit).await.err();
                return Ok((version, not_submitted.map(|refused| refused.in_short(visit.t))));
            }
            _ => {}
        }
    }
    Err(invalid(visit.t, "package", visit.t.no_file()))
}

/// Submits the version where that is wanted and it was not before.
async fn submitted(visit: &Visit, version: &Version, submit: bool) -> Result<(), Refused> {
    if submit && version.state.may_be_submitted() {
        let path = at!("/v1/mini-apps/{}/versions/{}/submit", version.mini_app, version.version);
        visit.api.just(Method::POST, &path).await?;
    }
    Ok(())
}

/// The name that the API knows the package by.
fn package_name(t: Texts, id: &str, file: &str, version: &str) -> Result<String, Refused> {
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    match (file, version) {
        ("", _) => Err(invalid(t, "package", t.no_file())),
        (file, "") if file.ends_with(".apkg") => match file.starts_with(&format!("{id}_")) {
            true => Ok(file.to_owned()),
            false => Err(invalid(t, "package", &t.package_of_another(file, id))),
        },
        (_, "") => Err(invalid(t, "version", t.no_version_number())),
        (_, version) => Ok(format!("{id}_{version}.apkg")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn a_package_is_named_by_its_file_or_by_the_form() {
        let t = Texts(Language::English);
        let name = |file, version| package_name(t, "coffee", file, version);
        assert_eq!(name("coffee_1.0.0.apkg", "").unwrap(), "coffee_1.0.0.apkg");
        assert_eq!(name("C:\\out\\dist.zip", "1.2.0").unwrap(), "coffee_1.2.0.apkg");
        assert!(
            name("tea_1.0.0.apkg", "").is_err() && name("coffee-2_1.0.0.apkg", "").is_err(),
            "that of another MiniApp"
        );
        assert!(name("dist.zip", "").is_err() && name("", "1.0.0").is_err());
    }
}
