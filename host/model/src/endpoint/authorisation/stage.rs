//! The stages of an authorisation run. Pure: a stage carries its data, and a transition consumes it.

use serde::{Deserialize, Serialize};

use berth_base::{
    clock::Millis,
    error::{Code, Error},
    ids::{ChannelId, EndpointAppId},
    text::text_enum,
};

text_enum! {
    /// How WeChat's authorisation code arrived. It comes both ways, and the first one counts.
    Door {
        /// With the merchant's browser, which WeChat sent back.
        Redirect = "redirect",
        /// With a push from WeChat.
        Push = "push",
    }
}

text_enum! {
    /// The stage of an authorisation of a channel, in a word.
    #[schema(as = AuthorisationState)]
    StageName {
        /// It waits for the merchant.
        Started = "started",
        /// The merchant agreed, and the code is not redeemed yet.
        Authorised = "authorised",
        /// The grant is recorded, and the channel is not bound yet.
        Granted = "granted",
        /// It waits for somebody to choose the endpoint application.
        Choosing = "choosing",
        /// The channel is authorised and bound.
        Bound = "bound",
        /// Somebody, or its time limit, ended it.
        Abandoned = "abandoned",
        /// A step failed for good.
        Failed = "failed",
    }
}

/// What the merchant granted to this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The id of the channel on its platform, such as a WeChat appid.
    pub app_id: String,
    /// The name of the channel; `None` before the platform was asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The categories of functions that were granted, by the platform's numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<i64>,
    /// Categories that this host needs and that were not granted. The channel works without them, in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<i64>,
    /// Whether the platform gave no tokens, so that no call can be made in the name of the channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_tokens: bool,
}

/// The stage of an authorisation run, with the data that it has there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stage {
    /// The run has begun. Once it has a link it waits for the merchant.
    Started {
        /// Until when the link is valid; `None` while there is no link.
        link_until: Option<Millis>,
    },
    /// The merchant agreed, and a code came that can be exchanged for a grant once.
    Authorised {
        /// How the code came.
        by: Door,
    },
    /// The grant is recorded.
    Granted {
        /// What the merchant granted.
        grant: Grant,
    },
    /// The run waits for somebody to choose the endpoint application.
    Choosing {
        /// What the merchant granted.
        grant: Grant,
    },
    /// The channel is authorised and bound.
    Bound {
        /// What the merchant granted.
        grant: Grant,
        /// The channel that was authorised.
        channel: ChannelId,
        /// The endpoint application (CID) that it is bound to.
        endpoint_app: EndpointAppId,
    },
    /// Somebody, or its time limit, ended the run.
    Abandoned {
        /// The account that abandoned it; `berth` when its time was over.
        by: String,
        /// What was granted, if it came that far.
        grant: Option<Grant>,
    },
    /// A step failed for good.
    Failed {
        /// The stable reason, such as `code-invalid` or `channel-bound`.
        reason: String,
        /// The reason in words.
        detail: String,
        /// What was granted, if it came that far and is still worth something.
        grant: Option<Grant>,
    },
}

/// A transition that the stage does not allow. As an [`Error`] it is `authorisation-state`.
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
    /// The first stage, without a link.
    pub fn begin() -> Self {
        Self::Started { link_until: None }
    }

    /// The name of the stage on the wire and in the database.
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

    /// Whether the run has not ended: it goes on by itself, or waits for somebody.
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

    /// The run has a link for the merchant, valid until `until`.
    pub fn offer(self, until: Millis) -> Moved {
        match self {
            Self::Started { .. } => Ok(Self::Started { link_until: Some(until) }),
            other => other.refuse("started"),
        }
    }

    /// A code came, which can be exchanged for a grant.
    pub fn deliver(self, by: Door) -> Moved {
        match self {
            Self::Started { .. } => Ok(Self::Authorised { by }),
            other => other.refuse("authorised"),
        }
    }

    /// The code was exchanged for a grant, or the merchant vouches for the channel.
    pub fn granted(self, grant: Grant) -> Moved {
        match self {
            Self::Authorised { .. } | Self::Started { .. } => Ok(Self::Granted { grant }),
            other => other.refuse("granted"),
        }
    }

    /// The run has to wait until somebody chooses an endpoint application.
    pub fn choosing(self, described: Grant) -> Moved {
        match self {
            Self::Granted { .. } => Ok(Self::Choosing { grant: described }),
            other => other.refuse("choosing"),
        }
    }

    /// The channel is bound to an endpoint application.
    pub fn bound(self, described: Grant, channel: ChannelId, endpoint_app: EndpointAppId) -> Moved {
        match self {
            Self::Granted { .. } | Self::Choosing { .. } => Ok(Self::Bound { grant: described, channel, endpoint_app }),
            other => other.refuse("bound"),
        }
    }

    /// `by` abandons the run: an account, or `berth` when its time is over. One that failed is given up for good.
    pub fn abandoned(self, by: &str) -> Moved {
        match self.is_open() || matches!(self, Self::Failed { .. }) {
            true => Ok(Self::Abandoned { by: by.to_owned(), grant: self.grant().cloned() }),
            false => self.refuse("abandoned"),
        }
    }

    /// A step failed for good. The grant is kept, so that a restart goes on from it.
    pub fn failed(self, reason: &str, detail: &str) -> Moved {
        match self.is_open() {
            true => {
                let grant = self.grant().cloned();
                Ok(Self::Failed { reason: reason.to_owned(), detail: detail.to_owned(), grant })
            }
            false => self.refuse("failed"),
        }
    }

    /// A step failed for good and the grant is worthless: a restart begins with a new link.
    pub fn forgotten(self, reason: &str, detail: &str) -> Moved {
        match self.is_open() {
            true => Ok(Self::Failed { reason: reason.to_owned(), detail: detail.to_owned(), grant: None }),
            false => self.refuse("failed"),
        }
    }

    /// The run starts again: from the grant when there is one, else with a new link.
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
    use berth_base::clock::SystemRandom;

    fn grant() -> Grant {
        Grant { app_id: "wx1".into(), name: None, categories: vec![], missing: vec![], without_tokens: false }
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
        assert_eq!(names(|s| s.abandoned("usr")), ["started", "authorised", "granted", "choosing", "failed"]);
        assert_eq!(names(|s| s.failed("x", "")), ["started", "authorised", "granted", "choosing"]);
        assert_eq!(names(|s| s.forgotten("x", "")), ["started", "authorised", "granted", "choosing"]);
        assert_eq!(names(Stage::restarted), ["started", "abandoned", "failed"]);
    }

    #[test]
    fn e10_what_was_granted_is_not_asked_for_again() {
        let choosing = Stage::Choosing { grant: grant() };
        let again = choosing.clone().abandoned("berth").unwrap().restarted().unwrap();
        assert_eq!(again, Stage::Granted { grant: grant() });
        let dismissed = choosing.clone().failed("x", "").unwrap().abandoned("usr").unwrap();
        assert_eq!(dismissed.restarted().unwrap(), Stage::Granted { grant: grant() });
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
