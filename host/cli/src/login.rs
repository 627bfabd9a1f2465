//! `berth login`, `berth logout` and `berth whoami`.

use serde_json::{Value, json};

use super::{
    answer::read,
    call::Call,
    client::{Credential, server_url},
    credentials::Login,
    failure::{Done, Failure},
    paint::{Paint, said},
    session::Session,
    table::{Card, Cell, Table},
};
use berth_model::access::Me;

/// Verifies a token and stores it. A host whose token is stored, and still taken, becomes current again without a question.
pub async fn login(session: &mut Session) -> Done {
    let mut credentials = session.load_credentials()?;
    let server = match session.global.server.clone().or_else(|| credentials.current.clone()) {
        Some(server) => server_url(&server)?,
        None => server_url(&ask(session, "Server (such as https://berth.example)", false)?)?,
    };
    let stored = credentials.token(&server).map(str::to_owned);
    let (token, me) = accepted_token(session, &server, stored).await?;
    credentials.servers.insert(server.clone(), Login { token, account: me.account.name.clone() });
    credentials.current = Some(server.clone());
    session.save_credentials(&credentials)?;
    let document = json!({"server": server, "account": me.account});
    let sentence = format!("Logged in to {server} as {} ({}).", me.account.name, me.account.id);
    session.out.done(&document, super::paint::clean(&sentence))?;
    let stored = credentials.token(&server);
    for variable in session.environment.overriding(&server, stored) {
        session.out.note(format!(
            "warning: {variable} is set in this environment and takes precedence, so other commands do not use this login. Run: unset {variable}"
        ));
    }
    Ok(())
}

/// A token that the host takes, and whose it is. On a terminal a stored one serves as long as it is taken.
async fn accepted_token(session: &mut Session, server: &str, stored: Option<String>) -> Result<(String, Me), Failure> {
    if let (None, true, Some(token)) = (&session.global.token, session.attended, &stored) {
        match whose(session, server, token).await {
            Err(Failure::Refused(problem)) if ["invalid-token", "expired-token"].contains(&&*problem.kind) => {
                session
                    .out
                    .note(format!("The stored token is not taken any more: {}", super::paint::clean(&problem.detail)));
            }
            known => return Ok((token.clone(), known?)),
        }
    }
    let token = given_token(session, stored)?;
    let me = whose(session, server, &token).await?;
    Ok((token, me))
}

async fn whose(session: &Session, server: &str, token: &str) -> Result<Me, Failure> {
    read(&session.connect(server, Credential::Token(token.to_owned()))?.value(Call::get("/v1/me")).await?)
}

/// The token: from the option, or else what is typed, or else, where nobody is there to be asked, the stored one.
fn given_token(session: &mut Session, stored: Option<String>) -> Result<String, Failure> {
    if let Some(token) = &session.global.token {
        return not_empty(token);
    }
    let typed = ask(session, "Token (it is not shown)", true)?;
    if !typed.is_empty() {
        return Ok(typed);
    }
    stored.filter(|_| !session.attended).ok_or_else(|| {
        Failure::usage(
            "No token was given. Create one with `berth admin token` on the host's machine, or ask its admin.",
        )
    })
}

/// Refuses an empty token, which mostly comes from a command that printed none.
fn not_empty(token: &str) -> Result<String, Failure> {
    match token.trim() {
        "" => Err(Failure::usage(
            "The token is empty. What was to print it has failed: run `berth admin token --data-dir DIR` by itself, with the folder of that host.",
        )),
        token => Ok(token.to_owned()),
    }
}

/// What the person types: into a terminal, or as a line of stdin.
pub(crate) fn ask(session: &mut Session, what: &str, secret: bool) -> Result<String, Failure> {
    if !session.attended {
        return session.read_line();
    }
    session.out.note(format!("{what}:"));
    let (true, Some(terminal)) = (secret, &session.terminal) else { return session.read_line() };
    let line = terminal.read_secure_line();
    line.map(|line| line.trim().to_owned())
        .map_err(|error| Failure::usage(format!("Cannot read what you type: {error}.")))
}

/// Removes a token from this machine. It stays valid on the host until `berth token revoke`.
pub(crate) fn logout(session: &mut Session) -> Done {
    let mut credentials = session.load_credentials()?;
    let server = session.global.server.clone().or_else(|| credentials.current.clone());
    let server = server.ok_or_else(|| Failure::usage("You are logged in to no host."))?;
    let server = server_url(&server)?;
    if credentials.servers.remove(&server).is_none() {
        return Err(Failure::usage(format!("You are not logged in to {server}.")));
    }
    if credentials.current.as_deref() == Some(server.as_str()) {
        credentials.current = credentials.servers.keys().next().cloned();
    }
    session.save_credentials(&credentials)?;
    let next = credentials.current.as_ref().map_or(String::new(), |next| format!(" The current host is now {next}."));
    session
        .out
        .done(&json!({"server": server, "current": credentials.current}), format!("Logged out of {server}.{next}"))?;
    if session.environment.token.is_some() {
        session.out.note(
            "warning: BERTH_TOKEN is set in this environment, so other commands still send it. Run: unset BERTH_TOKEN",
        );
    }
    Ok(())
}

/// Shows the account, its roles and the token.
pub async fn whoami(session: &mut Session) -> Done {
    let client = session.client()?;
    let mut answer = client.value(Call::get("/v1/me")).await?;
    if let Value::Object(members) = &mut answer {
        members.insert("server".into(), client.base().into());
    }
    session.out.show(&answer, |me: Me, paint| view(client.base(), &me, paint))
}

fn view(server: &str, me: &Me, paint: &Paint) -> String {
    let scopes: Vec<_> = me.token.scopes.iter().map(|scope| scope.as_str()).collect();
    let card = Card::default()
        .field("server", server)
        .field("account", Cell::strong(&me.account.id))
        .field("name", me.account.name.as_str())
        .maybe("signs in as", me.sign_in_name.as_deref())
        .field("token", format!("{} {}", me.token.id, me.token.name))
        .field("token may", scopes.join(", "))
        .maybe("expires", me.token.expires_at.map(|at| paint.when(at)));
    if me.grants.is_empty() {
        return format!(
            "{}\n\nNo role yet. Create a team with `berth team create NAME`, or ask an admin for a role.",
            card.render(paint)
        );
    }
    let mut table = Table::new(["SCOPE", "ID", "ROLE"]);
    for grant in &me.grants {
        table.row([Cell::of(grant.scope), Cell::any(said(&grant.id)), Cell::of(grant.role)]);
    }
    format!("{}\n\n{}", card.render(paint), table.render(paint))
}
