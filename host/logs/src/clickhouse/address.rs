//! The address of a ClickHouse server, as settings have it.

use berth_base::{
    error::{Code, Error, Result},
    secret::Secret,
};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// A server, a database there, and who asks.
pub struct Address {
    /// Where requests go. It names neither user nor password, so that it may stand in logs.
    pub server: Url,
    /// The user; ClickHouse's own default one when none is named.
    pub user: Option<String>,
    /// The password of the user.
    pub password: Option<Secret>,
    /// The database.
    pub database: String,
}

impl Address {
    /// From `http(s)://user:password@host:8123/database`. User and password may be left out; signs that have a meaning in
    /// addresses are written as `%2F` and so on.
    ///
    /// # Errors
    /// `bad-request`; it never repeats the address, which has a password.
    pub fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text).map_err(|error| wrong(&format!("It is no address: {error}.")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("It must begin with http:// or https:// and name a server."));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("It must end with the name of the database: settings belong to the user in ClickHouse."));
        }
        let database = plain(url.path().trim_start_matches('/'))?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if database.is_empty() || !database.chars().all(is_name) {
            return Err(wrong("It must end with the name of one database: letters, digits, _ and -."));
        }
        let user = Some(plain(url.username())?).filter(|user| !user.is_empty());
        let password = url.password().map(plain).transpose()?.map(Secret::from);
        if password.is_some() && user.is_none() {
            return Err(wrong("It has a password and no user."));
        }
        let mut server = url;
        server.set_path("/");
        // Neither fails for an http address with a host.
        let _ = server.set_username("");
        let _ = server.set_password(None);
        Ok(Self { server, user, password, database })
    }
}

/// A part of an address in plain, as a header can have it.
fn plain(part: &str) -> Result<String> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| wrong("A part of it is no UTF-8."))?;
    if text.chars().any(char::is_control) {
        return Err(wrong("User, password and database have no control characters."));
    }
    Ok(text.into_owned())
}

fn wrong(why: &str) -> Error {
    let text = format!(
        "The address of the log store cannot be used. {why} --log-url is http(s)://user:password@host:8123/database."
    );
    Error::new(Code::BadRequest, text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn d15_an_address_names_server_database_and_who_asks() {
        for (text, server, user, password, database) in [
            ("http://127.0.0.1:8123/logs", "http://127.0.0.1:8123/", None, None, "logs"),
            ("https://ch.example/berth-logs", "https://ch.example/", None, None, "berth-logs"),
            ("http://berth@[::1]:8123/l_1", "http://[::1]:8123/", Some("berth"), None, "l_1"),
            ("https://b%40x:p%3A%2F%25%E6%94%AF@h:1/db", "https://h:1/", Some("b@x"), Some("p:/%支"), "db"),
        ] {
            let address = Address::parse(text).unwrap();
            let exposed = address.password.as_ref().map(Secret::expose);
            let found = (address.server.as_str(), address.user.as_deref(), exposed, address.database.as_str());
            assert_eq!(found, (server, user, password, database), "{text}");
        }
    }

    #[test]
    fn d15_a_wrong_address_is_refused_and_its_password_not_repeated() {
        for (text, why) in [
            ("clickhouse", "no address"),
            ("http://", "no address"),
            ("tcp://u:canary@h:9000/db", "http://"),
            ("http://u:canary@h:8123", "one database"),
            ("http://u:canary@h:8123/", "one database"),
            ("http://u:canary@h:8123/a/b", "one database"),
            ("http://u:canary@h:8123/a;b", "one database"),
            ("http://u:canary@h:8123/db?max_threads=1", "settings"),
            ("http://u:canary@h:8123/db#x", "settings"),
            ("http://:canary@h:8123/db", "no user"),
            ("http://u:canary%0a@h:8123/db", "control"),
            ("http://u:canary@h:99999/db", "no address"),
        ] {
            let error = Address::parse(text).err().unwrap();
            let said = format!("{error:?}");
            assert!(error.code == Code::BadRequest && said.contains(why) && !said.contains("canary"), "{text}: {said}");
        }
    }
}
