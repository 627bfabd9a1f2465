//! Messages in any order, any number of times, from many senders at two hosts lead to the same state as the history in
//! its order, and each change emits one event.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::*;
use crate::endpoint::org;

const MERCHANTS: u64 = 3;
const INSTANCES: u64 = 4;
const SENDERS: usize = 8;

/// A pseudo-random generator that gives the same numbers on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.roll(place as u64 + 1) as usize);
        }
    }
}

/// The prefix of all ids of one of two compared histories. Apart from it the ids are the same in both.
#[derive(Clone, Copy)]
struct World(&'static str);

impl World {
    fn merchant(self, number: u64) -> MerchantId {
        format!("{}-bos-{number}", self.0).parse().unwrap()
    }

    fn instance(self, merchant: u64, number: u64) -> String {
        format!("{}-i-{merchant}-{number}", self.0)
    }

    /// The messages after the first purchases, in the order in which they happened.
    fn history(self, seed: u64) -> Vec<Value> {
        let mut dice = Dice(seed * 0x9E37_79B9 + 1);
        let mut messages = Vec::new();
        for number in 0..60 {
            let (merchant, instance) = (dice.roll(MERCHANTS), dice.roll(INSTANCES));
            let kind = ["purchase", "renew", "renew", "unsubscribe"][dice.roll(4) as usize];
            let at = dice.roll(12) as i64 + 1;
            let id = format!("{}-m-{seed}-{number}", self.0);
            let mut one =
                message(self.merchant(merchant).as_str(), &self.instance(merchant, instance), &id, kind, at - 100);
            match dice.roll(4) {
                0 => one = and(one, "expires_at", DAWN.plus_seconds(-1)),
                1 => one = and(one, "expires_at", DAWN.plus_seconds(3600)),
                2 => one = and(one, "name", format!("name {number}")),
                _ => {}
            }
            messages.push(one);
        }
        let rank = |one: &Value| ["purchase", "renew", "unsubscribe"].iter().position(|kind| one["kind"] == **kind);
        messages.sort_by_key(|one| (one["at"].to_string(), rank(one), one["id"].to_string()));
        messages
    }

    /// Creates the merchants with their first purchases, a custom endpoint application of two of the products each, and
    /// a node where products are open.
    async fn prepare(self, host: &TestHost) -> Vec<EndpointAppId> {
        let mut chosen = Vec::new();
        for merchant in 0..MERCHANTS {
            let id = create_merchant(host, self.merchant(merchant).as_str()).await;
            for number in 0..INSTANCES {
                let first = format!("{}-first-{merchant}-{number}", self.0);
                let first = message(id.as_str(), &self.instance(merchant, number), &first, "purchase", -100);
                apply(host, &[first]).await;
            }
            let products = [self.instance(merchant, 0), self.instance(merchant, 1)];
            let cid = choose(host, &id, &[&products[0], &products[1]]).await;
            self.open_on_a_node(host, merchant, &cid).await;
            chosen.push(cid);
        }
        chosen
    }

    async fn open_on_a_node(self, host: &TestHost, merchant: u64, cid: &EndpointAppId) {
        let (app, caller, bos) = (&host.app, &host.caller, self.merchant(merchant));
        let new = json!({"merchant": bos, "name": "N", "id": format!("{}-vid-{merchant}", self.0)});
        let node = org::create(&app.db, caller, serde_json::from_value(new).unwrap()).await.unwrap().id;
        for instance in [0, 2] {
            let instance = self.instance(merchant, instance).parse().unwrap();
            org::open(&app.db, caller, &node, &instance).await.unwrap();
        }
        for cid in [cid, &defaults(host, &bos).await[0].app.id] {
            org::assign(&app.db, caller, cid, &node).await.unwrap();
        }
    }

    /// Everything that the messages lead to, as text that is the same in both worlds.
    async fn picture(self, host: &TestHost, chosen: &[EndpointAppId]) -> Vec<String> {
        let mut lines = Vec::new();
        for (merchant, cid) in (0..MERCHANTS).zip(chosen) {
            let id = self.merchant(merchant);
            for one in instances(host, &id).await {
                lines.push(json!(one).to_string());
            }
            let defaults = defaults(host, &id).await;
            assert_eq!(defaults.len(), 1);
            for endpoint in [&defaults[0], &endpoint(&host.app, host, cid).await] {
                lines.push(format!("{} {:?} {:?}", endpoint.app.name, held(endpoint), endpoint.org_nodes));
            }
        }
        lines.iter().map(|line| line.replace(self.0, "world")).collect()
    }
}

/// Every message once or more, shuffled, cut into requests of one to five, and dealt to senders.
fn dealt(mut messages: Vec<Value>, seed: u64) -> Vec<Vec<Vec<Value>>> {
    let mut dice = Dice(seed + 77);
    for number in 0..messages.len() / 2 {
        let place = dice.roll(messages.len() as u64) as usize;
        messages.push(messages[(place + number) % messages.len()].clone());
    }
    dice.shuffle(&mut messages);
    let mut hands = vec![Vec::new(); SENDERS];
    while !messages.is_empty() {
        let rest = messages.split_off(messages.len().min(dice.roll(5) as usize + 1));
        hands[dice.roll(SENDERS as u64) as usize].push(std::mem::replace(&mut messages, rest));
    }
    hands
}

async fn send(host: &TestHost, hand: Vec<Vec<Value>>) {
    for request in hand {
        for receipt in deliver(host, &request).await {
            assert_ne!(receipt.outcome, ReceiptOutcome::Parked, "{receipt:?}");
        }
    }
}

/// Rebuilds the state from the events alone and compares it: each change emitted exactly one event.
async fn the_events_tell_all(host: &TestHost, world: World, chosen: &[EndpointAppId]) {
    for (merchant, cid) in (0..MERCHANTS).zip(chosen) {
        let id = world.merchant(merchant);
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        let mut holds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for event in told(host, &id).await {
            let data: Value = serde_json::from_str(event.data.get()).unwrap();
            let product = data["product_instance"].as_str().unwrap_or_default().to_owned();
            match event.kind.as_str() {
                "product_instance.created" => assert!(known.insert(event.subject, data).is_none()),
                "product_instance.changed" => {
                    let before = known.insert(event.subject, data.clone());
                    assert!(before.is_some_and(|before| before != data), "nothing changed");
                }
                "endpoint.created" => assert!(holds.insert(event.subject, BTreeSet::new()).is_none()),
                "endpoint.product_added" => assert!(holds.get_mut(&event.subject).unwrap().insert(product)),
                "endpoint.product_removed" => assert!(holds.get_mut(&event.subject).unwrap().remove(&product)),
                _ => {}
            }
        }
        let there: BTreeMap<_, _> =
            instances(host, &id).await.into_iter().map(|one| (one.id.to_string(), json!(one))).collect();
        assert_eq!(known, there);
        let default = defaults(host, &id).await.remove(0);
        for endpoint in [default, endpoint(&host.app, host, cid).await] {
            let expected: BTreeSet<_> = held(&endpoint).iter().map(ToString::to_string).collect();
            assert_eq!(holds.remove(endpoint.app.id.as_str()), Some(expected));
        }
        assert!(holds.is_empty(), "one default, one chosen");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e1_e2_e4_i6_messages_in_any_order_from_many_senders_come_to_the_orderly_end() {
    for seed in 1..=4 {
        let host = crate::testing::host().await;
        let beside = host.beside().await;
        let (orderly, mixed) = (World("orderly"), World("mixed"));
        let expected = orderly.prepare(&host).await;
        for one in orderly.history(seed) {
            apply(&host, &[one]).await;
        }
        let chosen = mixed.prepare(&host).await;
        let hands = dealt(mixed.history(seed), seed).into_iter().enumerate();
        join_all(hands.map(|(number, hand)| send(if number % 2 == 0 { &host } else { &beside }, hand))).await;
        assert_eq!(mixed.picture(&beside, &chosen).await, orderly.picture(&host, &expected).await, "seed {seed}");
        the_events_tell_all(&host, mixed, &chosen).await;
        the_events_tell_all(&host, orderly, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e1_the_default_endpoint_application_is_created_once_however_many_buy_at_once() {
    let host = crate::testing::host().await;
    let beside = host.beside().await;
    let merchant = create_merchant(&host, "bos-rush").await;
    let rush = (0..24).map(|number| {
        let kind = if number % 3 == 0 { "renew" } else { "purchase" };
        let one = message("bos-rush", &format!("i-{}", number % 5), &format!("m-{number}"), kind, -number);
        let host = if number % 2 == 0 { &host } else { &beside };
        async move { deliver(host, &[one]).await }
    });
    join_all(rush).await;
    assert_eq!(defaults(&host, &merchant).await.len(), 1);
    assert_eq!(held(&defaults(&host, &merchant).await[0]).len(), 5);
    assert_eq!(told_of(&host, &merchant, "endpoint.created").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e1_of_messages_that_contradict_each_other_one_is_applied_wherever_they_arrive() {
    let host = crate::testing::host().await;
    let beside = host.beside().await;
    for number in 0..4 {
        create_merchant(&host, &format!("bos-{number}")).await;
    }
    for round in 0..6 {
        // One message id, and one product instance, in the hands of four merchants.
        let same_id = (0..4)
            .map(|n| message(&format!("bos-{n}"), &format!("i-{round}-{n}"), &format!("m-{round}"), "purchase", 0));
        let same_instance = (0..4).map(|n| {
            message(&format!("bos-{n}"), &format!("shared-{round}"), &format!("s-{round}-{n}"), "purchase", 0)
        });
        for contest in [same_id.collect::<Vec<_>>(), same_instance.collect()] {
            let sent = contest.iter().enumerate().map(|(n, one)| {
                let host = if n % 2 == 0 { &host } else { &beside };
                async move { outcomes(host, std::slice::from_ref(one)).await.remove(0) }
            });
            let mut said = join_all(sent).await;
            said.sort();
            assert_eq!(said[0], "applied");
            assert!(
                said[1..].iter().all(|one| ["message-contradicts", "merchant-differs"].contains(&one.as_str())),
                "{said:?}"
            );
        }
    }
}

#[tokio::test]
async fn e4_an_unsubscription_that_arrives_late_ends_only_what_was_chosen_before_it() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-late").await;
    apply(&host, &[message("bos-late", "i-1", "bought", "purchase", -50)]).await;
    let early = choose(&host, &merchant, &["i-1"]).await;
    apply(&host, &[message("bos-late", "i-1", "renewed", "renew", -10)]).await;
    let late = choose(&host, &merchant, &["i-1"]).await;
    apply(&host, &[message("bos-late", "i-1", "left", "unsubscribe", -30)]).await;
    assert!(held(&endpoint(&host.app, &host, &early).await).is_empty(), "chosen before");
    assert_eq!(held(&endpoint(&host.app, &host, &late).await).len(), 1, "chosen after");
    assert_eq!(held(&defaults(&host, &merchant).await[0]).len(), 1, "bought again");
}

#[tokio::test]
async fn e4_an_unsubscription_of_the_very_moment_of_the_purchase_ends_what_was_chosen() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-tie").await;
    apply(&host, &[message("bos-tie", "i-1", "z-bought", "purchase", -50)]).await;
    let chosen = choose(&host, &merchant, &["i-1"]).await;
    apply(&host, &[message("bos-tie", "i-1", "a-left", "unsubscribe", -50)]).await;
    assert!(held(&endpoint(&host.app, &host, &chosen).await).is_empty());
    assert!(held(&defaults(&host, &merchant).await[0]).is_empty());
}

#[tokio::test]
async fn e4_what_is_chosen_again_is_ended_only_by_a_later_unsubscription() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-again").await;
    apply(&host, &[message("bos-again", "i-1", "bought", "purchase", -50)]).await;
    let chosen = choose(&host, &merchant, &["i-1"]).await;
    apply(&host, &[message("bos-again", "i-1", "renewed", "renew", -10)]).await;
    let told_before = told(&host, &merchant).await.len();
    app::add_product(&host.app.db, &host.caller, &chosen, &"i-1".parse().unwrap()).await.unwrap();
    assert_eq!(told(&host, &merchant).await.len(), told_before, "it was in it already");
    apply(&host, &[message("bos-again", "i-1", "left", "unsubscribe", -30)]).await;
    assert_eq!(held(&endpoint(&host.app, &host, &chosen).await).len(), 1, "chosen after that");
    apply(&host, &[message("bos-again", "i-1", "left-again", "unsubscribe", -5)]).await;
    assert!(held(&endpoint(&host.app, &host, &chosen).await).is_empty());
}
