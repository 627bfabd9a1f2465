//! Codes and tokens of internal tools, and whether one is good.

use berth_base::{
    clock::Millis,
    ids::{ApplicationId, Digest, MemberId, SignOnId},
    text::text_enum,
};

use super::super::{Exchange, Verdict, challenge_of};

/// An authorisation code that was issued for a member. The code itself is not kept.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ToolCode {
    /// The hash of the code.
    pub code_sha256: Digest,
    /// The internal tool, whose server alone exchanges it.
    pub application_id: ApplicationId,
    /// The member.
    pub member_id: MemberId,
    /// The sign-on that it came from.
    pub sign_on_id: SignOnId,
    /// When the member has shown who they are, if that is known.
    pub signed_on_at: Option<Millis>,
    /// What was granted.
    pub scope: String,
    /// Where the browser went with it.
    pub redirect_uri: String,
    /// What the exchange has to fit (RFC 7636).
    pub code_challenge: String,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// When it stops being good.
    pub expires_at: Millis,
    /// When it was exchanged, if it was.
    pub used_at: Option<Millis>,
}

impl ToolCode {
    /// Judges an exchange by the server of `client`, which has proved that it is that.
    pub fn judge(&self, client: &ApplicationId, exchange: &Exchange, now: Millis) -> Verdict {
        let fits = self.redirect_uri == exchange.redirect_uri
            && self.code_challenge == challenge_of(exchange.code_verifier.expose());
        match self.used_at {
            _ if self.application_id != *client => Verdict::Refused,
            Some(_) => Verdict::Again,
            None if fits && now < self.expires_at => Verdict::Good,
            None => Verdict::Refused,
        }
    }
}

text_enum! {
    /// What a token of an internal tool is for.
    TokenKind {
        /// Asks who the member is.
        Access = "access",
        /// Gets other tokens, once.
        Refresh = "refresh",
    }
}

/// A token of an internal tool for a member. The token itself is not kept.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ToolToken {
    /// The hash of the token.
    pub token_sha256: Digest,
    /// What it is for.
    pub kind: TokenKind,
    /// The hash of the code from which it came, at first.
    pub code_sha256: Digest,
    /// The internal tool that has it.
    pub application_id: ApplicationId,
    /// The member.
    pub member_id: MemberId,
    /// The sign-on that it came from.
    pub sign_on_id: SignOnId,
    /// When the member has shown who they are, if that is known.
    pub signed_on_at: Option<Millis>,
    /// What was granted.
    pub scope: String,
    /// The generation of the client secret for which it was given.
    pub generation: i64,
    /// When it stops being good.
    pub expires_at: Millis,
    /// When a refresh token was used, if it was.
    pub used_at: Option<Millis>,
}

impl ToolToken {
    /// Judges that the server of `client`, which has proved itself by the secret of this `generation`, wants other tokens.
    pub fn judge(&self, client: &ApplicationId, generation: i64, now: Millis) -> Verdict {
        let good = self.generation == generation && now < self.expires_at;
        match self.used_at {
            _ if self.application_id != *client || self.kind != TokenKind::Refresh => Verdict::Refused,
            Some(_) => Verdict::Again,
            None if good => Verdict::Good,
            None => Verdict::Refused,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn id<T: std::str::FromStr>(prefix: &str, digit: u8) -> T {
        format!("{prefix}_{}", digit.to_string().repeat(26)).parse().ok().unwrap()
    }

    #[test]
    fn w6_a_code_is_good_once_in_time_for_its_tool_address_and_verifier() {
        let code = ToolCode {
            code_sha256: Digest::of(b"code"),
            application_id: id("wapp", 1),
            member_id: id("mem", 1),
            sign_on_id: id("so", 1),
            signed_on_at: None,
            scope: "openid".into(),
            redirect_uri: "https://a.example/".into(),
            code_challenge: challenge_of("v"),
            nonce: None,
            expires_at: Millis(60_000),
            used_at: None,
        };
        let used = ToolCode { used_at: Some(Millis(1)), ..code.clone() };
        let judge = |code: &ToolCode, client: u8, uri: &str, verifier: &str, now| {
            let (code_verifier, redirect_uri) = (verifier.to_owned().into(), uri.to_owned());
            let exchange = Exchange { code: "code".to_owned().into(), redirect_uri, code_verifier };
            code.judge(&id("wapp", client), &exchange, Millis(now))
        };
        assert_eq!(judge(&code, 1, "https://a.example/", "v", 59_999), Verdict::Good);
        assert_eq!(judge(&code, 1, "https://a.example/", "v", 60_000), Verdict::Refused);
        assert_eq!(judge(&code, 1, "https://a.example", "v", 0), Verdict::Refused);
        assert_eq!(judge(&code, 1, "https://a.example/", "w", 0), Verdict::Refused);
        assert_eq!(judge(&code, 2, "https://a.example/", "v", 0), Verdict::Refused);
        assert_eq!(judge(&used, 1, "https://a.example/", "w", 90_000), Verdict::Again);
        assert_eq!(judge(&used, 2, "https://a.example/", "v", 2), Verdict::Refused, "others end nothing");
    }

    #[test]
    fn w8_a_refresh_token_is_good_once_for_its_tool_until_the_secret_is_reset() {
        let token = ToolToken {
            token_sha256: Digest::of(b"token"),
            kind: TokenKind::Refresh,
            code_sha256: Digest::of(b"code"),
            application_id: id("wapp", 1),
            member_id: id("mem", 1),
            sign_on_id: id("so", 1),
            signed_on_at: None,
            scope: "openid offline_access".into(),
            generation: 3,
            expires_at: Millis(60_000),
            used_at: None,
        };
        let judge =
            |token: &ToolToken, client, generation, now| token.judge(&id("wapp", client), generation, Millis(now));
        assert_eq!(judge(&token, 1, 3, 59_999), Verdict::Good);
        assert_eq!(judge(&token, 1, 4, 0), Verdict::Refused);
        assert_eq!(judge(&token, 1, 3, 60_000), Verdict::Refused);
        assert_eq!(judge(&token, 2, 3, 0), Verdict::Refused);
        assert_eq!(judge(&ToolToken { used_at: Some(Millis(1)), ..token.clone() }, 1, 3, 0), Verdict::Again);
        assert_eq!(judge(&ToolToken { kind: TokenKind::Access, ..token }, 1, 3, 0), Verdict::Refused);
    }
}
