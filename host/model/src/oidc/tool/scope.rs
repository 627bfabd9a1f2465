//! What an internal tool may know of a member.

/// The scopes of a login, besides `openid`. Those that are not known are left aside (OpenID Connect Core, §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// `profile`: the names.
    pub profile: bool,
    /// `email`: the e-mail address.
    pub email: bool,
    /// `departments`: the departments that they are in.
    pub departments: bool,
    /// `offline_access`: other tokens without the browser.
    pub offline_access: bool,
}

impl Scopes {
    /// Reads the parameter `scope`.
    pub fn read(text: &str) -> Self {
        let has = |name| text.split(' ').any(|one| one == name);
        Self {
            profile: has("profile"),
            email: has("email"),
            departments: has("departments"),
            offline_access: has("offline_access"),
        }
    }

    /// What was granted, in the words of the parameter.
    pub fn granted(&self) -> String {
        let all = [
            (true, super::super::SCOPE),
            (self.profile, "profile"),
            (self.email, "email"),
            (self.departments, "departments"),
            (self.offline_access, "offline_access"),
        ];
        all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w7_scopes_that_are_not_known_are_left_aside() {
        let scopes = Scopes::read("email openid phone departments");
        assert_eq!(scopes.granted(), "openid email departments");
        assert_eq!(Scopes::read(&scopes.granted()), scopes);
        assert_eq!(Scopes::read("").granted(), "openid");
    }
}
