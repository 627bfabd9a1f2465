//! `berth token`: API tokens.

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    failure::Done,
    handle::account_id,
    paint::{Ink, Paint},
    parse::Moment,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::TokenId;
use berth_model::access::{IssueToken, IssuedToken, Token as TokenView, TokenScope};

/// The subcommands of `berth token`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth token create ci --scope read --scope develop --expires +90d
  berth token list
  berth token revoke tok_01…")]
pub enum Token {
    /// Create a token; its secret is shown only now
    Create {
        /// What it is for: ci, laptop
        name: String,
        /// What it may be used for; everything that your roles allow when absent
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<TokenScope>,
        /// When it expires: +90d, or RFC 3339; never when absent
        #[arg(long, value_name = "TIME")]
        expires: Option<Moment>,
        /// For another account, by its id or name (platform admins)
        #[arg(long)]
        account: Option<String>,
    },
    /// List your tokens
    List,
    /// Revoke a token at once
    Revoke {
        /// The token
        id: TokenId,
    },
}

/// Runs `berth token`.
pub async fn run(command: Token, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Token::Create { name, scopes, expires, account } => {
            let account = match account {
                Some(account) => Some(account_id(&client, &account).await?),
                None => None,
            };
            let scopes = (!scopes.is_empty()).then_some(scopes);
            let new =
                IssueToken { account, name, scopes, expires_at: expires.map(|at| at.resolve(session.clock.now())) };
            let answer = client.value(Call::create("/v1/tokens").json(&new)).await?;
            session.out.show(&answer, |issued: IssuedToken, paint| issued_view(&issued, paint))
        }
        Token::List => {
            let items = client.items(Call::get("/v1/tokens")).await?;
            session.out.list(items, ["ID", "NAME", "MAY", "STATE", "EXPIRES"], "No tokens.", token_row)
        }
        Token::Revoke { id } => {
            session.confirm(&format!("Revoke {id}, for ever and at once?"))?;
            client.value(Call::delete(format!("/v1/tokens/{id}"))).await?;
            session.out.done(&json!({"id": id, "revoked": true}), format!("{id} is revoked."))
        }
    }
}

fn scopes(token: &TokenView) -> String {
    token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

fn token_row(token: TokenView, paint: &Paint) -> [Cell; 5] {
    let state = match (token.revoked_at, token.expires_at) {
        (Some(_), _) => Cell::new(Ink::Faint, "revoked"),
        (None, Some(at)) if at <= paint.now => Cell::new(Ink::Faint, "expired"),
        _ => Cell::new(Ink::Good, "valid"),
    };
    [Cell::strong(&token.id), Cell::of(&token.name), scopes(&token).into(), state, paint.when_any(token.expires_at)]
}

fn issued_view(issued: &IssuedToken, paint: &Paint) -> String {
    let card = Card::default()
        .field("id", Cell::strong(&issued.token.id))
        .field("account", Cell::of(&issued.token.account))
        .field("name", issued.token.name.as_str())
        .field("may", scopes(&issued.token))
        .maybe("expires", issued.token.expires_at.map(|at| paint.when(at)))
        .field("secret", Cell::strong(&issued.secret));
    format!("{}\n\nThe secret is shown this once.", card.render(paint))
}
