//! Calls for official accounts: silent OAuth, the account's own access token, template messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use berth_base::secret::Secret;

use super::{Answer, Client, Refusal, answer};

/// By whose word an account's visitors are asked for.
#[derive(Debug)]
pub(crate) enum Acting<'a> {
    /// The account's own secret.
    Secret(&'a Secret),
    /// The third-party platform, by its app id and its access token.
    Platform(&'a str, &'a Secret),
}

/// Whom an OAuth code names.
#[derive(Deserialize)]
pub(crate) struct OauthUser {
    /// WeChat's OpenID of the visitor.
    pub openid: String,
    /// 1 when the visitor looks at a snapshot of the page, without having come in: the OpenID is nobody's then.
    #[serde(default)]
    pub is_snapshotuser: i64,
}

/// An access token of an official account.
#[derive(Debug, Deserialize)]
pub(crate) struct StableToken {
    /// The access token.
    pub access_token: Secret,
    /// Seconds for which it is valid.
    pub expires_in: i64,
}

/// A template message for WeChat.
pub(crate) struct NewTemplateMessage<'a> {
    /// WeChat's OpenID of the receiver.
    pub open_id: &'a str,
    /// The account's id of the template.
    pub template_id: &'a str,
    /// What it opens.
    pub url: Option<&'a str>,
    /// The values of its fields.
    pub data: &'a BTreeMap<String, String>,
    /// By which WeChat recognises a message that it has taken already.
    pub id: &'a str,
}

impl Client {
    /// Exchanges the OAuth code of a visitor of an account for their OpenID. WeChat allows this once for each code.
    pub(crate) async fn oauth_user(&self, app_id: &str, acting: Acting<'_>, code: &Secret) -> Answer<OauthUser> {
        let (path, by) = match acting {
            Acting::Secret(secret) => ("/sns/oauth2/access_token", [("secret", secret.expose()), ("", "")]),
            Acting::Platform(id, token) => (
                "/sns/oauth2/component/access_token",
                [("component_appid", id), ("component_access_token", token.expose())],
            ),
        };
        let mut query = vec![("appid", app_id), ("code", code.expose()), ("grant_type", "authorization_code")];
        query.extend(by.into_iter().filter(|(name, _)| !name.is_empty()));
        answer(self.http.get(self.url(path, &query)?)).await
    }

    /// Asks for the access token of an account by its secret. WeChat gives the same one to everybody who asks until it ends
    /// soon, so that hosts need not agree on who asks.
    pub(crate) async fn stable_token(&self, app_id: &str, secret: &Secret) -> Answer<StableToken> {
        let body = json!({"grant_type": "client_credential", "appid": app_id, "secret": secret.expose()});
        answer(self.http.post(self.url("/cgi-bin/stable_token", &[])?).json(&body)).await
    }

    /// Sends a template message. Returns WeChat's id of it.
    pub(crate) async fn send_template(&self, token: &Secret, message: &NewTemplateMessage<'_>) -> Answer<String> {
        let values = message.data.iter().map(|(field, value)| (field.clone(), json!({"value": value})));
        let mut body = json!({
            "touser": message.open_id,
            "template_id": message.template_id,
            "data": values.collect::<serde_json::Map<String, Value>>(),
            "client_msg_id": message.id,
        });
        if let Some(url) = message.url {
            body["url"] = json!(url);
        }
        let url = self.url("/cgi-bin/message/template/send", &[("access_token", token.expose())])?;
        let taken: Value = answer(self.http.post(url).json(&body)).await?;
        match &taken["msgid"] {
            Value::Number(id) => Ok(id.to_string()),
            Value::String(id) => Ok(id.clone()),
            _ => Err(Refusal::Unreachable("its answer names no message".into())),
        }
    }
}
