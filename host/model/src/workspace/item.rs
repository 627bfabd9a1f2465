//! What a workspace has for its members: applications, and MiniApps that it has linked (W1).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{ApplicationId, MiniAppId},
    text::{self, text_enum},
};
use serde::{Deserialize, Serialize};
use url::Url;

text_enum! {
    /// What an application is.
    ApplicationKind {
        /// An address that anybody could open; the workspace puts it before those whom it is for.
        Link = "link",
        /// A tool of the organisation at an address that it protects itself.
        InternalTool = "internal_tool",
    }
}

text_enum! {
    /// What a member may open.
    ItemKind {
        /// An application of the workspace.
        Application = "application",
        /// A linked MiniApp.
        MiniApp = "mini_app",
    }
}

/// An application of a workspace, for its members only (W4).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspaceApplication)]
pub struct Application {
    /// Id of the application.
    pub id: ApplicationId,
    /// What it is.
    pub kind: ApplicationKind,
    /// The name that people see, 1 to 64 characters.
    pub name: String,
    /// What it is for, at most 500 characters; may be empty.
    pub description: String,
    /// The address that it opens.
    pub url: String,
    /// When it was added.
    pub added_at: Millis,
}

/// An application to add.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWorkspaceApplication)]
pub struct NewApplication {
    /// What it is.
    pub kind: ApplicationKind,
    /// The name that people see, 1 to 64 characters.
    pub name: String,
    /// What it is for, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The address that it opens: http or https, without a user and a password.
    pub url: String,
}

/// Changes to an application. Absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditWorkspaceApplication)]
pub struct EditApplication {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The new address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl NewApplication {
    /// The application, with a fresh id.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(self, id: ApplicationId, now: Millis) -> Result<Application> {
        Ok(Application {
            id,
            kind: self.kind,
            name: text::name("name", &self.name, 64)?,
            description: text::prose("description", &self.description, 500)?,
            url: address(&self.url)?,
            added_at: now,
        })
    }
}

impl EditApplication {
    /// The application with the changes.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn apply(self, mut to: Application) -> Result<Application> {
        if let Some(name) = self.name {
            to.name = text::name("name", &name, 64)?;
        }
        if let Some(description) = self.description {
            to.description = text::prose("description", &description, 500)?;
        }
        if let Some(url) = self.url {
            to.url = address(&url)?;
        }
        Ok(to)
    }
}

/// An address that a portal may link to. Anything but http and https could run in the page that shows it.
fn address(text: &str) -> Result<String> {
    let wrong = |why: &str| Error::field("url", why);
    let url: Url = text.trim().parse().map_err(|_| wrong("expected an address such as https://wiki.example.com/."))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must begin with https:// or http://."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not have a user and a password in it."));
    }
    if url.as_str().len() > 2000 {
        return Err(wrong("must have at most 2,000 characters."));
    }
    Ok(url.into())
}

/// A MiniApp that a workspace has linked.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LinkedMiniApp {
    /// The MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub name: String,
    /// Whether it has an online version and is on the shelf; nobody is shown one that is not.
    pub online: bool,
    /// When it was linked.
    pub added_at: Millis,
}

/// An application or a linked MiniApp, as it is stored.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Item {
    /// Id of the application or the MiniApp. Only the former has an underscore in it.
    pub id: String,
    /// Which of both it is.
    pub kind: ItemKind,
    /// What an application is; `None` for a MiniApp.
    pub form: Option<ApplicationKind>,
    /// The name that people see.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The address of an application; empty for a MiniApp.
    pub url: String,
    /// Whether it can be opened: a MiniApp that is online and on the shelf, or an application.
    pub online: bool,
    /// When it was added.
    pub added_at: Millis,
}

impl Item {
    /// The application, if it is one.
    pub fn application(self) -> Option<Application> {
        let Self { id, form, name, description, url, added_at, .. } = self;
        Some(Application { id: id.parse().ok()?, kind: form?, name, description, url, added_at })
    }

    /// The linked MiniApp, if it is one.
    pub fn mini_app(self) -> Option<LinkedMiniApp> {
        let mini_app = (self.kind == ItemKind::MiniApp).then(|| self.id.parse().ok()).flatten()?;
        Some(LinkedMiniApp { mini_app, name: self.name, online: self.online, added_at: self.added_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w1_a_portal_links_to_pages_and_to_nothing_that_could_run_in_it() {
        for good in ["https://wiki.example.com", "http://10.0.0.7:8080/a?b=c", " https://wiki.example.com/x "] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "wiki", "", "https://a:b@c.example/"]
        {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
