//! Whether a MiniApp is on the shelf, and what follows when it is not (A2, A3): the one place that says so.

use super::MiniApp;
use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
};

/// What is known of a MiniApp's place.
#[derive(Clone, Copy, Debug)]
pub struct OnShelf<'a> {
    id: &'a MiniAppId,
    on: bool,
    note: &'a str,
}

impl<'a> OnShelf<'a> {
    /// From what a row or the index says.
    pub fn of(id: &'a MiniAppId, on: bool, note: &'a str) -> Self {
        Self { id, on, note }
    }

    /// Whether it is: devices get service, gray tasks start.
    pub fn is(self) -> bool {
        self.on
    }

    /// Refuses devices and downloads when it is not.
    ///
    /// # Errors
    /// `package-off-shelf`, with the reason that its team gave.
    pub fn require_for_service(self) -> Result<()> {
        if self.on { Ok(()) } else { Err(Error::new(Code::PackageOffShelf, self.why_not())) }
    }

    /// Refuses to publish and to start gray tasks when it is not.
    ///
    /// # Errors
    /// `mini-app-off-shelf`.
    pub fn require_for_release(self) -> Result<()> {
        if self.on {
            return Ok(());
        }
        let command = format!("berth app shelf {} on", self.id);
        let text = format!("{} is off the shelf. Put it back on the shelf first: `{command}`.", self.id);
        Err(Error::new(Code::MiniAppOffShelf, text).next(command))
    }

    /// That it is off the shelf, in words.
    pub fn why_not(self) -> String {
        let reason = if self.note.is_empty() { String::new() } else { format!(" Reason: {}", self.note) };
        format!("{} is off the shelf and must not run.{reason}", self.id)
    }
}

impl MiniApp {
    /// Its place.
    pub fn shelf(&self) -> OnShelf<'_> {
        OnShelf::of(&self.id, self.on_shelf, &self.shelf_note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_off_the_shelf_service_is_refused_with_the_reason_and_releases_with_the_way_back() {
        let id: MiniAppId = "shop".parse().expect("id");
        let off = |note| OnShelf::of(&id, false, note);
        let refused = off("recalled").require_for_service().expect_err("off");
        assert_eq!(
            (refused.code, refused.detail.ends_with("must not run. Reason: recalled")),
            (Code::PackageOffShelf, true)
        );
        assert!(off("").why_not().ends_with("must not run."));
        let refused = off("").require_for_release().expect_err("off");
        assert_eq!(
            (refused.code, refused.fields["next"].as_str()),
            (Code::MiniAppOffShelf, Some("berth app shelf shop on"))
        );
    }

    #[test]
    fn a3_back_on_the_shelf_nothing_is_refused() {
        let id: MiniAppId = "shop".parse().expect("id");
        let on = OnShelf::of(&id, true, "");
        assert!(on.is() && on.require_for_service().is_ok() && on.require_for_release().is_ok());
    }
}
