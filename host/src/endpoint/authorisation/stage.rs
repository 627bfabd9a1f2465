//! How far a run of authorising a channel is. Pure: a stage carries its data, and a move consumes it.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Millis,
    error::{Code, Error},
    ids::{ChannelId, EndpointAppId},
    text::text_enum,
};

text_enum! {
    /// By which way WeChat's authorisation code came. It comes by both; the first one counts.
    Door {
        /// The merchant's browser came back.
        Redirect = "redirect",
        /// WeChat told us.
        Push = "push",
    }
}

text_enum! {
    /// How far an authorisation of a channel is, in a word.
    #[schema(as = AuthorisationState)]
    StageName {
        /// It waits for the merchant.
        Started = "started",
        /// The merchant agreed.
        Authorised = "authorised",
        /// The grant is recorded.
        Granted = "granted",
        /// It waits for somebody to choose the endpoint application.
        Choosing = "choosing",
        /// Done.
        Bound = "bound",
        /// Given up.
        Abandoned = "abandoned",
        /// It cannot go on.
        Failed = "failed",
    }
}

/// What the merchant granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The channel's own id: a WeChat appid.
    pub app_id: String,
    /// What people call it; none before the platform was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The categories of functions that were granted, by the platform's numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<i64>,
    /// Categories that we need and that were not granted. The channel works, in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<i64>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stage {
    /// Begun. With a link, it waits for the merchant until then.
    Started {
        /// Until when the link is good.
        link_until: Option<Millis>,
    },
    /// The merchant agreed, and a code came that can be turned, once, into a grant.
    Authorised {
        /// How it came.
        by: Door,
    },
    /// The grant is recorded.
    Granted {
        /// It.
        grant: Grant,
    },
    /// It waits for somebody to say which endpoint application the channel is for.
    Choosing {
        /// The grant.
        grant: Grant,
    },
    /// Done: the channel is authorised and bound.
    Bound {
        /// The grant.
        grant: Grant,
        /// The channel.
        channel: ChannelId,
        /// The endpoint application (CID).
        endpoint_app: EndpointAppId,
    },
    /// Given up.
    Abandoned {
        /// Who gave it up; `berth` when its time was over.
        by: String,
        /// What was granted, if it came that far.
        grant: Option<Grant>,
    },
    /// It cannot go on as it is.
    Failed {
        /// The stable reason: `code-invalid`, `channel-bound` …
        reason: String,
        /// In words.
        detail: String,
        /// What was granted, if it came that far.
        grant: Option<Grant>,
    },
}

/// A move that the stage does not allow.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidTransition {
    from: &'static str,
    to: &'static str,
}

impl From<InvalidTransition> for Error {
    fn from(InvalidTransition { from, to }: InvalidTransition) -> Self {
        let detail = format!("The authorisation is {from}, so it cannot become {to}.");
        Self::new(Code::AuthorisationState, detail).with("state", from)
    }
}

type Moved = Result<Stage, InvalidTransition>;

impl Stage {
    /// At the beginning.
    pub fn begin() -> Self {
        Self::Started { link_until: None }
    }

    /// Its name on the wire and in the database.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Authorised { .. } => "authorised",
            Self::Granted { .. } => "granted",
            Self::Choosing { .. } => "choosing",
            Self::Bound { .. } => "bound",
            Self::Abandoned { .. } => "abandoned",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether it goes on, by itself or by somebody.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Bound { .. } | Self::Abandoned { .. } | Self::Failed { .. })
    }

    /// What was granted, if it came that far.
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Granted { grant } | Self::Choosing { grant } | Self::Bound { grant, .. } => Some(grant),
            Self::Abandoned { grant, .. } | Self::Failed { grant, .. } => grant.as_ref(),
            Self::Started { .. } | Self::Authorised { .. } => None,
        }
    }

    fn refuse(&self, to: &'static str) -> Moved {
        Err(InvalidTransition { from: self.name(), to })
    }

    /// There is a link for the merchant.
    pub fn offer(self, until: Millis) -> Moved {
        match self {
            Self::Started { .. } => Ok(Self::Started { link_until: Some(until) }),
            other => other.refuse("started"),
        }
    }

    /// A code came.
    pub fn deliver(self, by: Door) -> Moved {
        match self {
            Self::Started { .. } => Ok(Self::Authorised { by }),
            other => other.refuse("authorised"),
        }
    }

    /// The code was turned into a grant, or somebody vouches for the channel.
    pub fn granted(self, grant: Grant) -> Moved {
        match self {
            Self::Authorised { .. } | Self::Started { .. } => Ok(Self::Granted { grant }),
            other => other.refuse("granted"),
        }
    }

    /// Nobody has said which endpoint application.
    pub fn choosing(self, described: Grant) -> Moved {
        match self {
            Self::Granted { .. } => Ok(Self::Choosing { grant: described }),
            other => other.refuse("choosing"),
        }
    }

    /// The channel is bound.
    pub fn bound(self, described: Grant, channel: ChannelId, endpoint_app: EndpointAppId) -> Moved {
        match self {
            Self::Granted { .. } | Self::Choosing { .. } => Ok(Self::Bound { grant: described, channel, endpoint_app }),
            other => other.refuse("bound"),
        }
    }

    /// Somebody, or the time, gives it up.
    pub fn abandoned(self, by: &str) -> Moved {
        match self.is_open() {
            true => Ok(Self::Abandoned { by: by.to_owned(), grant: self.grant().cloned() }),
            false => self.refuse("abandoned"),
        }
    }

    /// It cannot go on.
    pub fn failed(self, reason: &str, detail: &str) -> Moved {
        match self.is_open() {
            true => {
                let grant = self.grant().cloned();
                Ok(Self::Failed { reason: reason.to_owned(), detail: detail.to_owned(), grant })
            }
            false => self.refuse("failed"),
        }
    }

    /// It cannot go on, and what was granted is worth nothing: starting again begins at the beginning.
    pub fn forgotten(self, reason: &str, detail: &str) -> Moved {
        match self.is_open() {
            true => Ok(Self::Failed { reason: reason.to_owned(), detail: detail.to_owned(), grant: None }),
            false => self.refuse("failed"),
        }
    }

    /// It starts again: from the grant when there is one, else with a new link.
    pub fn restarted(self) -> Moved {
        match self {
            Self::Failed { grant, .. } | Self::Abandoned { grant, .. } => {
                Ok(grant.map_or_else(Self::begin, |grant| Self::Granted { grant }))
            }
            Self::Started { .. } => Ok(Self::begin()),
            other => other.refuse("started"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    fn grant() -> Grant {
        Grant { app_id: "wx1".into(), name: None, categories: vec![], missing: vec![] }
    }

    fn one_of_each() -> Vec<Stage> {
        let started = Stage::begin();
        let authorised = started.clone().deliver(Door::Push).unwrap();
        let granted = authorised.clone().granted(grant()).unwrap();
        let choosing = granted.clone().choosing(grant()).unwrap();
        let (channel, app) =
            (ChannelId::generate(Millis(0), &SystemRandom), EndpointAppId::generate(Millis(0), &SystemRandom));
        let bound = choosing.clone().bound(grant(), channel, app).unwrap();
        let abandoned = choosing.clone().abandoned("usr").unwrap();
        let failed = authorised.clone().failed("code-invalid", "").unwrap();
        vec![started, authorised, granted, choosing, bound, abandoned, failed]
    }

    fn names(allowed: impl Fn(Stage) -> Moved) -> Vec<&'static str> {
        one_of_each().iter().filter(|stage| allowed((*stage).clone()).is_ok()).map(Stage::name).collect()
    }

    #[test]
    fn e10_a_stage_allows_these_moves_and_no_others() {
        assert_eq!(names(|s| s.offer(Millis(1))), ["started"]);
        assert_eq!(names(|s| s.deliver(Door::Redirect)), ["started"], "a code is used once");
        assert_eq!(names(|s| s.granted(grant())), ["started", "authorised"]);
        assert_eq!(names(|s| s.choosing(grant())), ["granted"]);
        assert_eq!(names(|s| s.abandoned("usr")), ["started", "authorised", "granted", "choosing"]);
        assert_eq!(names(|s| s.failed("x", "")), ["started", "authorised", "granted", "choosing"]);
        assert_eq!(names(|s| s.forgotten("x", "")), ["started", "authorised", "granted", "choosing"]);
        assert_eq!(names(Stage::restarted), ["started", "abandoned", "failed"]);
    }

    #[test]
    fn e10_what_was_granted_is_not_asked_for_again() {
        let choosing = Stage::Choosing { grant: grant() };
        let again = choosing.clone().abandoned("berth").unwrap().restarted().unwrap();
        assert_eq!(again, Stage::Granted { grant: grant() });
        assert_eq!(choosing.forgotten("x", "").unwrap().restarted().unwrap(), Stage::begin());
    }

    #[test]
    fn e10_every_stage_is_stored_with_its_data() {
        for stage in one_of_each() {
            let text = serde_json::to_value(&stage).unwrap();
            assert_eq!(text["state"], stage.name());
            assert_eq!(stage.name().parse::<StageName>().unwrap().as_str(), stage.name());
            assert_eq!(serde_json::from_value::<Stage>(text).unwrap(), stage);
        }
    }
}
