//! The draft of an agreement, and the versions that are published of it (D5, D10).

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
    text,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::kind,
    privacy::{
        self, KindOfInfo, NewPrivacyVersion, PrivacyAgreement, PrivacyChanges, PrivacyChangesQuery, PrivacyDraft,
        PrivacyDraftChanged, PrivacyHead, PrivacyPublished, PrivacyVersion, renews, texts,
    },
};
use berth_store::{Db, Tx};

use crate::{mini_app, settings::Precondition};

/// The kinds of personal information. Any token that may read anything may ask.
pub fn kinds(caller: &Caller) -> Result<Vec<KindOfInfo>> {
    caller.require_scope(TokenScope::Read)?;
    Ok(privacy::kinds()?.to_vec())
}

/// The draft of a MiniApp's agreement, for a caller who may read the MiniApp.
pub async fn draft(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<PrivacyDraft> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    present(&mut tx, id).await
}

/// The draft as it is; an empty one when it was never changed.
pub(super) async fn present(tx: &mut Tx, id: &MiniAppId) -> Result<PrivacyDraft> {
    let (agreement, changed) = match tx.privacy_draft(id).await? {
        Some((agreement, at, by)) => (agreement, Some((at, by))),
        None => (PrivacyAgreement::default(), None),
    };
    let missing = agreement.missing(tx.now());
    let (changed_at, changed_by) = changed.unzip();
    Ok(PrivacyDraft { mini_app: id.clone(), agreement, missing, changed_at, changed_by })
}

/// Sets the draft in place of the one that there is. It may lack anything.
///
/// # Errors
/// `invalid-field`; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "privacy_draft.set", skip_all, fields(mini_app = %id))]
pub async fn set_draft(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    agreement: PrivacyAgreement,
    still: &Precondition<'_, PrivacyDraft>,
) -> Result<PrivacyDraft> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let before = present(&mut tx, id).await?;
    still(&before)?;
    let agreement = agreement.checked()?;
    if before.changed_at.is_some() && before.agreement == agreement {
        return Ok(before);
    }
    let actor = caller.account.as_str();
    tx.set_privacy_draft(id, &agreement, actor).await?;
    let changes = privacy::changes(&before.agreement, &agreement);
    let data = PrivacyDraftChanged { mini_app: id.clone(), changes };
    tx.tell(kind::PRIVACY_DRAFT_CHANGED, id, actor, &data).for_mini_app(id);
    let after = present(&mut tx, id).await?;
    tx.commit().await?;
    Ok(after)
}

/// Publishes the draft as the next version, which holds from this moment on: checks tell it, and users are asked again if
/// what has changed asks for it.
///
/// # Errors
/// `privacy-incomplete` with all that is missing; `privacy-unchanged`; what `still` refuses of the draft; `invalid-field` for
/// the note; `not-found`; `missing-grant`.
#[tracing::instrument(name = "privacy.publish", skip_all, fields(mini_app = %id))]
pub async fn publish(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    new: NewPrivacyVersion,
    still: &Precondition<'_, PrivacyDraft>,
) -> Result<PrivacyVersion> {
    let mut tx = db.begin().await?;
    let app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let draft = present(&mut tx, id).await?;
    still(&draft)?;
    require_complete(&draft)?;
    let note = text::prose("note", &new.note, 500)?;
    let before = tx.privacy_version(id, None).await?;
    let changes = privacy::changes(&said(before.as_ref()), &draft.agreement);
    if let Some(before) = before.as_ref().filter(|_| changes.is_empty() && !new.renew) {
        return Err(unchanged(before));
    }
    let number = before.as_ref().map_or(1, |before| before.head.version + 1);
    let renews = before.is_none() || new.renew || renews(&changes);
    let since = before.filter(|_| !renews).map_or(number, |before| before.head.needs_consent_since);
    let effective_on = draft.agreement.effective_day(tx.now()).to_string();
    let texts = texts(&app.name, Some(number), &effective_on, &draft.agreement);
    let head = PrivacyHead {
        version: number,
        effective_on,
        digest: texts.digest()?,
        renews,
        needs_consent_since: since,
        note,
        published_at: tx.now(),
        published_by: caller.account.to_string(),
    };
    let version = PrivacyVersion { mini_app: id.clone(), head, agreement: draft.agreement, changes };
    tx.insert_privacy_version(&version, &texts).await?;
    let PrivacyVersion { mini_app, head, changes, .. } = version.clone();
    let data = PrivacyPublished { mini_app, head, changes };
    tx.tell(kind::PRIVACY_PUBLISHED, id, caller.account.as_str(), &data).for_mini_app(id);
    tx.commit().await?;
    Ok(version)
}

fn require_complete(draft: &PrivacyDraft) -> Result<()> {
    let Some(first) = draft.missing.first() else { return Ok(()) };
    let id = &draft.mini_app;
    let text = format!("The draft lacks something, at {}: {}", first.pointer, first.rule);
    let refusal = Error::new(Code::PrivacyIncomplete, text).with("errors", &draft.missing);
    Err(refusal.with("pointer", &first.pointer).next(format!("berth privacy show {id} --draft")))
}

fn unchanged(before: &PrivacyVersion) -> Error {
    let text = format!("The draft says what version {} says.", before.head.version);
    Error::new(Code::PrivacyUnchanged, text).with("version", before.head.version)
}

fn said(version: Option<&PrivacyVersion>) -> PrivacyAgreement {
    version.map(|version| version.agreement.clone()).unwrap_or_default()
}

/// One version of a MiniApp's agreement, for a caller who may read the MiniApp.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn version(db: &Db, caller: &Caller, id: &MiniAppId, version: i64) -> Result<PrivacyVersion> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    required(&mut tx, id, Some(version)).await
}

async fn required(tx: &mut Tx, id: &MiniAppId, version: Option<i64>) -> Result<PrivacyVersion> {
    tx.privacy_version(id, version).await?.ok_or_else(|| no_version(id, version))
}

/// The refusal of a version that there is not.
pub(super) fn no_version(id: &MiniAppId, version: Option<i64>) -> Error {
    let which = version.map(|version| format!("{version} ")).unwrap_or_default();
    Error::not_found("privacy agreement", format!("{which}of {id}")).next(format!("berth privacy versions {id}"))
}

/// The versions of a MiniApp's agreement, newest first, for a caller who may read the MiniApp.
pub async fn versions(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<PrivacyHead>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.privacy_heads(id).await
}

/// How a version differs from another one, or the draft from what holds.
///
/// # Errors
/// `not-found` for a version that there is not; `missing-grant`.
pub async fn changes(db: &Db, caller: &Caller, id: &MiniAppId, query: &PrivacyChangesQuery) -> Result<PrivacyChanges> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let before = match query.from {
        Some(from) => Some(required(&mut tx, id, Some(from)).await?),
        None => tx.privacy_version(id, None).await?,
    };
    let after = match query.to {
        Some(to) => required(&mut tx, id, Some(to)).await?.agreement,
        None => present(&mut tx, id).await?.agreement,
    };
    let changes = privacy::changes(&said(before.as_ref()), &after);
    let from = before.map(|before| before.head.version);
    Ok(PrivacyChanges { from, to: query.to, renews: from.is_none() || renews(&changes), changes })
}
