//! Channels whose platform gives this host no authorisation: the merchant vouches for them.

use futures_util::future::BoxFuture;

use berth_model::endpoint::authorisation::Grant;
use berth_store::endpoint::authorisation::Authorisation;

use super::authoriser::{Authoriser, Beginning, Redeemed};
use berth_base::{
    error::{Code, Error, Result},
    secret::Secret,
};
use berth_store::{Db, Tx};

use crate::wechat::accounts::Failure;

/// Authorises a channel by the merchant's word alone, without calling any platform.
pub(crate) struct Vouching;

impl Authoriser for Vouching {
    fn begin<'a>(&'a self, _: &'a Db, flow: &'a Authorisation) -> BoxFuture<'a, Result<Beginning, Failure>> {
        let vouched = flow.vouched.as_ref().map(|vouched| Grant {
            app_id: vouched.app_id.clone(),
            name: Some(vouched.name.clone()),
            categories: vec![],
            missing: vec![],
            without_tokens: false,
        });
        let missing = || Error::field("vouched", "say which channel it is.").into();
        Box::pin(async move { vouched.map(Beginning::Vouched).ok_or_else(missing) })
    }

    fn redeem<'a>(
        &'a self,
        _: &'a Db,
        _: &'a Authorisation,
        _: &'a Secret,
    ) -> BoxFuture<'a, Result<Redeemed, Failure>> {
        Box::pin(async {
            Err(Error::new(Code::AuthorisationState, "This kind of channel is authorised without a code.").into())
        })
    }

    fn describe<'a>(
        &'a self,
        _: &'a Db,
        _: &'a Authorisation,
        grant: &'a Grant,
    ) -> BoxFuture<'a, Result<Grant, Failure>> {
        Box::pin(async { Ok(grant.clone()) })
    }

    fn holds<'a>(&'a self, _: &'a mut Tx, _: &'a Grant) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(true) })
    }
}
