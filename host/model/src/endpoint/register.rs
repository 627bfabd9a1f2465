//! The state of a product instance as a function of the messages about it alone, whatever their order and repetition: a
//! last-writer-wins register. Pure.

use serde::{Deserialize, Serialize};

use super::{InstanceState, fulfilment::MessageKind};
use berth_base::{clock::Millis, ids::MessageId};

/// Identifies what a message said, and orders messages. The newer one is the greater one: by the sender's clock, then
/// by kind, then by the message's id, so that any two messages have the same order on every host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Said {
    /// The message's time, by the sender's clock.
    pub at: Millis,
    /// The message's kind.
    pub kind: MessageKind,
    /// The message's id.
    pub by: MessageId,
}

/// What the messages so far say of a product instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// The newest message.
    pub newest: Said,
    /// When the instance expires, by the newest message; never when `None`.
    pub expires_at: Option<Millis>,
    /// The newest name, with the message that gave it: newer messages may have none.
    pub name: Option<(Said, String)>,
    /// When it was last unsubscribed, whatever came after. What was chosen then or before does not hold any more (E4).
    pub left_at: Option<Millis>,
}

impl Register {
    /// The register of one message.
    pub fn of(said: Said, expires_at: Option<Millis>, name: Option<String>) -> Self {
        Self {
            left_at: (said.kind == MessageKind::Unsubscribe).then_some(said.at),
            expires_at,
            name: name.map(|name| (said.clone(), name)),
            newest: said,
        }
    }

    /// What the messages of both say together. Commutative, associative and idempotent, as long as one message id
    /// stands for one message.
    pub fn join(self, other: Self) -> Self {
        let (newer, older) = if self.newest >= other.newest { (self, other) } else { (other, self) };
        Self {
            name: newer.name.max(older.name),
            left_at: newer.left_at.max(older.left_at),
            newest: newer.newest,
            expires_at: newer.expires_at,
        }
    }

    /// The state of the product instance at the time `now`.
    pub fn state(&self, now: Millis) -> InstanceState {
        match (self.newest.kind, self.expires_at) {
            (MessageKind::Unsubscribe, _) => InstanceState::Unsubscribed,
            (MessageKind::Purchase | MessageKind::Renew, Some(at)) if at <= now => InstanceState::Expired,
            (MessageKind::Purchase | MessageKind::Renew, _) => InstanceState::Active,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    /// Few moments and few ids, so that they meet often; the id says what the message says.
    fn message() -> impl Strategy<Value = Register> {
        let kind = prop_oneof![Just(MessageKind::Purchase), Just(MessageKind::Renew), Just(MessageKind::Unsubscribe)];
        (0..6i64, kind, option::of(0..9i64), option::of(0..3u8)).prop_map(|(at, kind, expires, name)| {
            let by = format!("{at}-{kind}-{expires:?}-{name:?}").replace(['(', ')'], ".").parse().unwrap();
            Register::of(Said { at: Millis(at), kind, by }, expires.map(Millis), name.map(|name| name.to_string()))
        })
    }

    fn fold(messages: impl IntoIterator<Item = Register>) -> Option<Register> {
        messages.into_iter().reduce(Register::join)
    }

    /// A history, and another telling of it: every message at least once, in any order.
    fn told_twice() -> impl Strategy<Value = (Vec<Register>, Vec<Register>)> {
        vec(message(), 1..12).prop_flat_map(|history| {
            let again = vec(prop::sample::select(history.clone()), 0..12);
            let retold = again.prop_map({
                let history = history.clone();
                move |again| [history.clone(), again].concat()
            });
            (Just(history), retold.prop_shuffle())
        })
    }

    proptest! {
        #[test]
        fn e1_the_order_and_repetition_of_messages_do_not_matter((history, retold) in told_twice()) {
            prop_assert_eq!(fold(history), fold(retold));
        }

        #[test]
        fn e1_a_history_may_be_split_and_merged_anywhere(
            left in vec(message(), 1..8), right in vec(message(), 1..8), more in vec(message(), 1..8)
        ) {
            let whole = fold([left.clone(), right.clone(), more.clone()].concat());
            let (a, b, c) = (fold(left).unwrap(), fold(right).unwrap(), fold(more).unwrap());
            prop_assert_eq!(whole.clone(), Some(a.clone().join(b.clone()).join(c.clone())));
            prop_assert_eq!(whole.clone(), Some(a.clone().join(b.clone().join(c.clone()))));
            prop_assert_eq!(whole, Some(c.join(a).join(b)));
        }

        #[test]
        fn e1_joining_with_itself_changes_nothing(one in vec(message(), 1..8)) {
            let one = fold(one).unwrap();
            prop_assert_eq!(one.clone().join(one.clone()), one);
        }

        #[test]
        fn e4_the_last_unsubscription_is_remembered(history in vec(message(), 1..12)) {
            let unsubscribed = history.iter().filter(|one| one.newest.kind == MessageKind::Unsubscribe);
            let last = unsubscribed.map(|one| one.newest.at).max();
            prop_assert_eq!(fold(history).unwrap().left_at, last);
        }
    }

    fn said(at: i64, kind: MessageKind, by: &str) -> Said {
        Said { at: Millis(at), kind, by: by.parse().unwrap() }
    }

    #[test]
    fn e4_an_unsubscription_wins_over_a_purchase_of_the_same_moment() {
        let bought = Register::of(said(5, MessageKind::Purchase, "z"), None, None);
        let left = Register::of(said(5, MessageKind::Unsubscribe, "a"), None, None);
        assert_eq!(left.clone().join(bought.clone()).state(Millis(9)), InstanceState::Unsubscribed);
        assert_eq!(bought.join(left).state(Millis(9)), InstanceState::Unsubscribed);
    }

    #[test]
    fn e2_an_instance_is_active_until_the_moment_it_expires() {
        let one = Register::of(said(1, MessageKind::Purchase, "a"), Some(Millis(10)), None);
        assert_eq!(one.state(Millis(9)), InstanceState::Active);
        assert_eq!(one.state(Millis(10)), InstanceState::Expired);
        let renewed = one.join(Register::of(said(2, MessageKind::Renew, "b"), Some(Millis(20)), None));
        assert_eq!(renewed.state(Millis(10)), InstanceState::Active);
    }

    #[test]
    fn a_message_without_a_name_leaves_the_name() {
        let named = Register::of(said(1, MessageKind::Purchase, "a"), None, Some("Mall".into()));
        let unnamed = Register::of(said(2, MessageKind::Renew, "b"), None, None);
        assert_eq!(named.join(unnamed).name.unwrap().1, "Mall");
    }
}
