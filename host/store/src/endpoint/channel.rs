use super::{push_if, push_known};
use berth_base::{
    error::Result,
    ids::{ChannelId, EndpointAppId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    endpoint::{
        Channel,
        channel::{ChannelKind, ChannelQuery},
    },
};

use crate::{Tx, execute, fetch, fetch_built};

impl Tx {
    /// The channel with this id.
    pub async fn channel(&mut self, id: &ChannelId) -> Result<Option<Channel>> {
        Ok(fetch!(self, fetch_optional, Channel, "SELECT * FROM channel WHERE id = $1", id)?)
    }

    /// The channel of this kind with this app id, whichever merchant has it.
    pub async fn channel_by_app_id(&mut self, kind: ChannelKind, app_id: &str) -> Result<Option<Channel>> {
        const SQL: &str = "SELECT * FROM channel WHERE kind = $1 AND app_id = $2";
        Ok(fetch!(self, fetch_optional, Channel, SQL, kind, app_id)?)
    }

    /// Adds a channel. Returns `false` when a merchant has the same one already.
    pub async fn insert_channel(&mut self, channel: &Channel) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO channel (id, merchant_id, kind, app_id, name, state, authorised_by, authorised_at, proof, state_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8) ON CONFLICT (kind, app_id) DO NOTHING",
            &channel.id,
            &channel.merchant,
            channel.kind,
            &channel.app_id,
            &channel.name,
            channel.state,
            &channel.authorised_by,
            channel.authorised_at,
            channel.proof
        )?;
        Ok(added > 0)
    }

    /// Stores the name and state of a channel, who authorised it, when, and by what proof.
    pub async fn set_channel(&mut self, channel: &Channel) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "UPDATE channel SET name = $2, state = $3, authorised_by = $4, authorised_at = $5, proof = $6,
                state_at = CASE WHEN state = $3 THEN state_at ELSE $7 END
             WHERE id = $1",
            &channel.id,
            &channel.name,
            channel.state,
            &channel.authorised_by,
            channel.authorised_at,
            channel.proof,
            now
        )?;
        Ok(())
    }

    /// Binds a channel to another endpoint application, or to none, as `channel` says. Returns `false`, and changes
    /// nothing, when it is not bound to `from` any more.
    pub async fn rebind_channel(&mut self, channel: &Channel, from: Option<&EndpointAppId>) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE channel SET endpoint_app_id = $2, bound_by = $3, bound_at = $4
             WHERE id = $1 AND COALESCE(endpoint_app_id, '') = $5",
            &channel.id,
            channel.endpoint_app.as_ref(),
            channel.bound_by.as_deref(),
            channel.bound_at,
            from.map(EndpointAppId::as_str).unwrap_or_default()
        )?;
        Ok(changed > 0)
    }

    /// Deletes a channel.
    pub async fn delete_channel(&mut self, id: &ChannelId) -> Result<()> {
        execute!(self, "DELETE FROM channel WHERE id = $1", id)?;
        Ok(())
    }

    /// A page of the channels that match `query` and that the caller may know about, by id, and one more than the page
    /// holds.
    pub async fn channels_known_to(
        &mut self,
        caller: &Caller,
        query: &ChannelQuery,
        page: &PageQuery,
    ) -> Result<Vec<Channel>> {
        let kind = query.kind.map(ChannelKind::as_str);
        Ok(fetch_built!(self, Channel, |q| {
            q.push("SELECT * FROM channel c WHERE c.id > ").push_bind(page.after());
            push_known!(q, caller, "c.merchant_id");
            push_if!(q, &query.merchant, " AND c.merchant_id = ", "");
            push_if!(q, &query.endpoint_app, " AND c.endpoint_app_id = ", "");
            push_if!(q, kind, " AND c.kind = ", "");
            push_if!(q, &query.app_id, " AND c.app_id = ", "");
            q.push(" ORDER BY c.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}
