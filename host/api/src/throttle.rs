//! Limits what comes without a token: what devices may ask for, those behind one address and those with the key of one host
//! app (F110), and how often somebody may be wrong about a secret (K9, P4).
//!
//! Requests of devices prove nothing. The key is in every copy of the host app, and a guid is the client's word, so that
//! one client with invented guids could use up the places of a gray task. An address is what a client cannot invent.
//!
//! The buckets are governor's: one atomic number for each address, in a map of many parts, each with a lock of its own.
//! A check of another address waits for none of them.

mod tries;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use ipnet::IpNet;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use berth_base::{
    clock::{duration, in_words},
    error::{Code, Error, Result},
    ids::Digest,
};
use berth_model::{check::Key, rollout::Side};

use self::tries::{Tries, Try};
use crate::client_ip::ClientIp;

/// Settings of what may be asked for without a token, such as `3000/1m`: at most 3000 at once, and 3000 come back over a minute. `off`
/// is for no limit. An address is an IPv4 address or an IPv6 network of 64 bits. Loopback and trusted proxies have no
/// limit of their own, as they stand for many clients.
#[derive(Clone, Debug, clap::Args)]
pub struct DeviceLimits {
    /// Requests of devices (checks, reports, downloads) from one address, or off.
    #[arg(long = "device-rate", env = "BERTH_DEVICE_RATE", default_value = PER_ADDRESS, value_name = "COUNT/TIME")]
    pub per_address: Limit,
    /// Requests of devices with the key of one host app, from any address, or off. Everybody can read the key in the
    /// app, so whoever uses up this limit locks out all others of the host app but those that lists name.
    #[arg(long = "device-key-rate", env = "BERTH_DEVICE_KEY_RATE", default_value = OFF, value_name = "COUNT/TIME")]
    pub per_key: Limit,
    /// Devices that one address may bring newly into gray tasks, and as many that guards compare with, or off. Further ones get the
    /// online version for now.
    #[arg(long = "device-newcomers", env = "BERTH_DEVICE_NEWCOMERS", default_value = NEWCOMERS, value_name = "COUNT/TIME")]
    pub newcomers: Limit,
    /// Wrong AppSecrets of MiniApps from one address, or off. Right ones have no limit.
    #[arg(long = "secret-tries", env = "BERTH_SECRET_TRIES", default_value = TRIES, value_name = "COUNT/TIME")]
    pub secret_tries: Limit,
    /// Wrong passwords from one address, or off. Right ones have no limit.
    #[arg(long = "password-tries", env = "BERTH_PASSWORD_TRIES", default_value = TRIES, value_name = "COUNT/TIME")]
    pub password_tries: Limit,
    /// Wrong passwords for one sign-in name, from any address, or off. Who has used it up is refused for a while, and so is
    /// whoever has the right password; sessions that are there go on.
    #[arg(long = "name-tries", env = "BERTH_NAME_TRIES", default_value = NAME_TRIES, value_name = "COUNT/TIME")]
    pub name_tries: Limit,
    /// Visits of the identity provider that are begun from one address, to sign in or to accept an invitation, or off. Each is kept for
    /// 15 minutes.
    #[arg(long = "visit-rate", env = "BERTH_VISIT_RATE", default_value = VISITS, value_name = "COUNT/TIME")]
    pub visits: Limit,
    /// Batches of logs from one address, or off. They have a limit of their own, so that logs never use up what checks
    /// may ask.
    #[arg(long = "device-log-rate", env = "BERTH_DEVICE_LOG_RATE", default_value = LOGS, value_name = "COUNT/TIME")]
    pub logs: Limit,
}

/// Mobile carriers put tens of thousands of devices behind one address. A device asks a few times a day.
const PER_ADDRESS: &str = "3000/1m";
/// Less than most caps, more than the new devices of one address in most hours.
const NEWCOMERS: &str = "200/1h";
/// More than a server gets wrong whose secret was reset under it, before somebody looks.
const TRIES: &str = "30/1m";
/// A person is not wrong so often; who guesses has no more than 100 guesses a day.
const NAME_TRIES: &str = "10/2h24m";
/// An office behind one address comes to work within some minutes.
const VISITS: &str = "300/5m";
/// A device sends a batch every few seconds while somebody uses it.
const LOGS: &str = "6000/1m";
const OFF: &str = "off";
/// What each device or account that a list names may ask for, whatever others have used up.
const RESERVE: Rate = Rate { count: NonZeroU32::new(60).unwrap(), time: Duration::from_secs(60) };
/// How many refusals of one account the log of acts keeps: more than people and their programs run into, less than whoever wants
/// to fill it up could send.
const REFUSALS: Rate = Rate { count: NonZeroU32::new(300).unwrap(), time: Duration::from_secs(3600) };
/// How often buckets that are full again are forgotten.
const SWEEP: Duration = Duration::from_secs(60);

impl Default for DeviceLimits {
    /// The defaults of the command line.
    fn default() -> Self {
        let default = |text: &str| text.parse().unwrap_or(Limit(None));
        Self {
            per_address: default(PER_ADDRESS),
            per_key: default(OFF),
            newcomers: default(NEWCOMERS),
            secret_tries: default(TRIES),
            password_tries: default(TRIES),
            name_tries: default(NAME_TRIES),
            visits: default(VISITS),
            logs: default(LOGS),
        }
    }
}

/// A rate, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<Rate>);

/// At most `count` at once, and `count` come back evenly over `time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// Over which time they come back.
    pub time: Duration,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == OFF {
            return Ok(Self(None));
        }
        let rule = || "expected a rate such as 3000/1m or 20/1s, or off".to_owned();
        let (count, time) = text.split_once('/').ok_or_else(rule)?;
        let rate = Rate { count: count.parse().map_err(|_| rule())?, time: duration(time).map_err(|_| rule())? };
        rate.quota().ok_or_else(rule)?;
        Ok(Self(Some(rate)))
    }
}

impl Rate {
    /// `None` for more than one in a nanosecond.
    fn quota(self) -> Option<Quota> {
        Quota::with_period(self.time / self.count.get()).map(|quota| quota.allow_burst(self.count))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, in_words(self.time))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rate) => rate.fmt(f),
            None => f.write_str(OFF),
        }
    }
}

/// Buckets of one limit, one for each `K`.
struct Buckets<K: Eq + std::hash::Hash + Clone, C: Clock> {
    rate: Rate,
    buckets: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Eq + std::hash::Hash + Clone, C: Clock + Clone> Buckets<K, C> {
    fn new(limit: Limit, clock: &C) -> Option<Self> {
        let rate = limit.0?;
        Some(Self { rate, buckets: RateLimiter::dashmap_with_clock(rate.quota()?, clock.clone()) })
    }

    /// Takes one; when there is none, says how long it takes until there is.
    fn take(&self, key: &K) -> Result<(), Duration> {
        self.buckets.check_key(key).map_err(|later| later.wait_time_from(self.buckets.clock().now()))
    }

    /// Forgets buckets that are full.
    fn sweep(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    limit: &'static str,
}

/// Holds clients without a token to the [`DeviceLimits`].
pub struct Throttle<C: Clock = MonotonicClock> {
    exempt: Vec<IpNet>,
    per_address: Option<Buckets<IpAddr, C>>,
    per_key: Option<Buckets<String, C>>,
    newcomers: Option<Buckets<(IpAddr, Side), C>>,
    logs: Option<Buckets<IpAddr, C>>,
    visits: Option<Buckets<IpAddr, C>>,
    named: Option<Buckets<Key, C>>,
    tries: Option<Tries<IpAddr, C>>,
    passwords: Option<Tries<IpAddr, C>>,
    names: Option<Tries<Digest, C>>,
    refusals: Option<Buckets<String, C>>,
    refused: Family<Labels, Counter>,
}

impl Throttle {
    /// With full buckets. `exempt` are the networks of trusted proxies.
    pub fn new(limits: &DeviceLimits, exempt: Vec<IpNet>) -> Self {
        Self::with_clock(limits, exempt, &MonotonicClock)
    }

    /// Forgets buckets that are full again, for ever, so that memory holds only the addresses of the last minutes.
    pub async fn run_sweeper(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let throttle = self.clone();
            // A panic of the sweep is reported by its hook, and the next one is tried.
            let _ = tokio::task::spawn_blocking(move || throttle.sweep()).await;
        }
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn with_clock(limits: &DeviceLimits, exempt: Vec<IpNet>, clock: &C) -> Self {
        Self {
            exempt,
            per_address: Buckets::new(limits.per_address, clock),
            per_key: Buckets::new(limits.per_key, clock),
            newcomers: Buckets::new(limits.newcomers, clock),
            logs: Buckets::new(limits.logs, clock),
            visits: Buckets::new(limits.visits, clock),
            named: Buckets::new(Limit(Some(RESERVE)), clock),
            tries: Tries::new("secret", |address| format!("Wrong secrets from {address}"), limits.secret_tries, clock),
            passwords: Tries::new(
                "password",
                |address| format!("Wrong passwords from {address}"),
                limits.password_tries,
                clock,
            ),
            names: Tries::new("name", |_| "Wrong passwords for this name".into(), limits.name_tries, clock),
            refusals: Buckets::new(Limit(Some(REFUSALS)), clock),
            refused: Family::default(),
        }
    }

    /// Lets a request of a device pass. `key` looks up the key of the host app that the request has sent, and is `None`
    /// when no host app has it. `named` finds what the request says of itself that a list names, and is asked only when a
    /// limit is reached: such devices have a reserve of their own.
    ///
    /// # Errors
    /// `too-many-requests`, with the time after which the limit admits a request again.
    pub fn pass(
        &self,
        client: Option<ClientIp>,
        key: impl FnOnce() -> Option<String>,
        named: impl FnOnce() -> Option<Key>,
    ) -> Result<()> {
        let Err(reached) = self.within(client, key) else { return Ok(()) };
        if named().zip(self.named.as_ref()).is_some_and(|(one, reserve)| reserve.take(&one).is_ok()) {
            return Ok(());
        }
        self.count(reached.limit);
        Err(reached.into())
    }

    fn within(&self, client: Option<ClientIp>, key: impl FnOnce() -> Option<String>) -> Result<(), Reached> {
        if let Some((buckets, address)) = self.per_address.as_ref().zip(self.bucket_of(client)) {
            let reached =
                |wait| Reached { limit: "address", who: format!("Devices of {address}"), rate: buckets.rate, wait };
            buckets.take(&address).map_err(reached)?;
        }
        if let Some(buckets) = &self.per_key
            && let Some(key) = key()
        {
            let reached =
                |wait| Reached { limit: "key", who: "Devices of this host app".into(), rate: buckets.rate, wait };
            buckets.take(&key).map_err(reached)?;
        }
        Ok(())
    }

    /// Lets a batch of logs pass.
    ///
    /// # Errors
    /// `too-many-requests`, with the time after which the limit admits a batch again.
    pub fn pass_logs(&self, client: Option<ClientIp>) -> Result<()> {
        self.take(self.logs.as_ref(), client, "logs", "Logs of")
    }

    /// Lets a visit of the identity provider begin (P21).
    ///
    /// # Errors
    /// `too-many-requests`, with the time after which the limit admits a visit again.
    pub fn pass_visit(&self, client: Option<ClientIp>) -> Result<()> {
        self.take(self.visits.as_ref(), client, "visits", "Visits of the identity provider from")
    }

    /// Takes one of those that an address may have.
    fn take(
        &self,
        buckets: Option<&Buckets<IpAddr, C>>,
        client: Option<ClientIp>,
        limit: &'static str,
        what: &str,
    ) -> Result<()> {
        let Some((buckets, address)) = buckets.zip(self.bucket_of(client)) else { return Ok(()) };
        let reached = |wait| Reached { limit, who: format!("{what} {address}"), rate: buckets.rate, wait };
        buckets.take(&address).map_err(|wait| self.refuse(reached(wait)))
    }

    /// Whether the client may bring one more device into a gray task, or beside one, now. Each side is counted by itself: for a
    /// device that is admitted there may be several beside the task.
    pub fn newcomer(&self, client: Option<ClientIp>, side: Side) -> bool {
        let Some((buckets, address)) = self.newcomers.as_ref().zip(self.bucket_of(client)) else { return true };
        let may = buckets.take(&(address, side)).is_ok();
        if !may {
            self.count("newcomers");
        }
        may
    }

    /// Whether the log of acts keeps one more request of this account that was refused (P9).
    pub fn keeps_refusal(&self, account: &str) -> bool {
        let kept = self.refusals.as_ref().is_none_or(|buckets| buckets.take(&account.to_owned()).is_ok());
        if !kept {
            self.count("refusals");
        }
        kept
    }

    /// Does what takes a secret, unless the client was wrong about secrets too often (K9).
    ///
    /// # Errors
    /// `too-many-requests`, with the time after which it may try again, and those of the work.
    pub async fn try_secret<T>(&self, client: Option<ClientIp>, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some((tries, address)) = self.tries.as_ref().zip(self.bucket_of(client)) else { return work.await };
        let begun = tries.begin(address).await.map_err(|reached| self.refuse(reached))?;
        let done = work.await;
        let is_wrong = |code| matches!(code, Code::InvalidAppSecret | Code::InvalidInvitation);
        if done.as_ref().is_err_and(|error| is_wrong(error.code)) {
            begun.wrong();
        }
        done
    }

    /// Does what takes a password, unless the client was wrong about passwords too often, or somebody was about this sign-in
    /// name (P4). Loopback has a limit by the name, too.
    ///
    /// # Errors
    /// `too-many-requests`, with the time after which to try again, and those of the work.
    pub async fn try_password<T>(
        &self,
        client: Option<ClientIp>,
        name: Digest,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let by_address = match self.passwords.as_ref().zip(self.bucket_of(client)) {
            Some((tries, address)) => Some(tries.begin(address).await.map_err(|reached| self.refuse(reached))?),
            None => None,
        };
        let by_name = match &self.names {
            Some(tries) => Some(tries.begin(name).await.map_err(|reached| self.refuse(reached))?),
            None => None,
        };
        let done = work.await;
        if done.as_ref().is_err_and(|error| error.code == Code::WrongCredentials) {
            by_address.into_iter().for_each(Try::wrong);
            by_name.into_iter().for_each(Try::wrong);
        }
        done
    }

    fn refuse(&self, reached: Reached) -> Error {
        self.count(reached.limit);
        reached.into()
    }

    /// The address under which a client is counted; `None` for who has no limit.
    fn bucket_of(&self, client: Option<ClientIp>) -> Option<IpAddr> {
        let ClientIp(address) = client?;
        let exempt = address.is_loopback() || self.exempt.iter().any(|net| net.contains(&address));
        (!exempt).then_some(match address {
            IpAddr::V4(_) => address,
            // Every customer has at least so many addresses.
            IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        })
    }

    fn sweep(&self) {
        self.per_address.iter().for_each(Buckets::sweep);
        self.per_key.iter().for_each(Buckets::sweep);
        self.newcomers.iter().for_each(Buckets::sweep);
        self.logs.iter().chain(&self.visits).for_each(Buckets::sweep);
        self.named.iter().for_each(Buckets::sweep);
        self.tries.iter().chain(&self.passwords).for_each(Tries::sweep);
        self.names.iter().for_each(Tries::sweep);
        self.refusals.iter().for_each(Buckets::sweep);
    }

    fn count(&self, limit: &'static str) {
        self.refused.get_or_create(&Labels { limit }).inc();
    }

    /// Shows on `/metrics` how often each limit was reached.
    pub fn register(&self, metrics: &crate::metrics::Metrics) {
        let help = "Requests refused and devices not admitted, by the limit that was reached";
        metrics.register("device_limits_reached", help, self.refused.clone());
    }
}

/// A limit that is reached.
struct Reached {
    limit: &'static str,
    who: String,
    rate: Rate,
    wait: Duration,
}

impl From<Reached> for Error {
    fn from(Reached { limit, who, rate, wait }: Reached) -> Self {
        let cure = match limit {
            "address" | "logs" | "visits" => {
                " If this is the address of a proxy, the operator names it by --trusted-proxy."
            }
            _ => "",
        };
        let detail = format!("{who} have used up the limit of {rate} requests.{cure}");
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(Code::TooManyRequests, detail).retry_after(seconds.max(1))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use futures_util::future::join_all;
    use governor::clock::FakeRelativeClock;
    use serde_json::Value;

    use super::*;

    fn limits(per_address: &str, per_key: &str, newcomers: &str) -> DeviceLimits {
        let limit = |text: &str| text.parse().unwrap();
        DeviceLimits {
            per_address: limit(per_address),
            per_key: limit(per_key),
            newcomers: limit(newcomers),
            secret_tries: limit("2/20s"),
            password_tries: limit("2/20s"),
            name_tries: limit("3/30s"),
            visits: limit("2/20s"),
            logs: Limit(None),
        }
    }

    fn throttle(limits: &DeviceLimits) -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Throttle::with_clock(limits, vec!["10.0.0.0/8".parse().unwrap()], &clock), clock)
    }

    fn from(address: &str) -> Option<ClientIp> {
        Some(ClientIp(address.parse().unwrap()))
    }

    fn nobody() -> Option<Key> {
        None
    }

    fn none() -> Option<String> {
        None
    }

    #[test]
    fn p9_an_account_does_not_fill_the_log_of_acts_by_what_is_refused() {
        let (throttle, clock) = throttle(&limits("off", "off", "off"));
        let kept = |account: &str| (0..400).filter(|_| throttle.keeps_refusal(account)).count();
        assert_eq!((kept("usr_1"), kept("usr_1"), kept("usr_2")), (300, 0, 300));
        clock.advance(Duration::from_secs(120));
        assert_eq!(kept("usr_1"), 10);
    }

    #[test]
    fn a_limit_is_read_as_it_is_shown_and_what_is_none_is_refused() {
        for (text, shown) in [("3000/1m", "3000/1m"), ("20/1s", "20/1s"), ("7/90s", "7/1m 30s"), ("off", "off")] {
            assert_eq!(text.parse::<Limit>().map(|limit| limit.to_string()), Ok(shown.into()), "{text}");
        }
        for wrong in ["", "10", "0/1s", "-1/1s", "1/0s", "10/soon", "4000000000/1ms", "OFF"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
        assert_eq!(DeviceLimits::default().per_address.to_string(), PER_ADDRESS);
        assert_eq!(DeviceLimits::default().newcomers.to_string(), NEWCOMERS);
    }

    /// After how many seconds a refusal says to come back.
    fn wait(refusal: &Error) -> Value {
        refusal.retry_after_seconds().into()
    }

    #[test]
    fn f110_who_has_used_up_the_limit_is_told_when_to_come_back_and_may_then() {
        let (throttle, clock) = throttle(&limits("10/20s", "off", "off"));
        let pass = |address| throttle.pass(from(address), none, nobody).map_err(|error| wait(&error));
        assert!((0..10).all(|_| pass("1.1.1.1").is_ok()));
        assert_eq!(pass("1.1.1.1"), Err(Value::from(2)), "one comes back every two seconds");
        assert_eq!(pass("2.2.2.2"), Ok(()), "others have their own");
        clock.advance(Duration::from_millis(500));
        assert_eq!(pass("1.1.1.1"), Err(Value::from(2)), "a second and a half, rounded up");
        clock.advance(Duration::from_millis(1500));
        assert_eq!((pass("1.1.1.1"), pass("1.1.1.1")), (Ok(()), Err(Value::from(2))));
        clock.advance(Duration::from_secs(20));
        throttle.sweep();
        assert!((0..10).all(|_| pass("1.1.1.1").is_ok()));
    }

    #[test]
    fn f110_loopback_and_trusted_proxies_stand_for_many_and_have_no_limit_and_an_ipv6_network_is_one_client() {
        let (throttle, _) = throttle(&limits("1/1h", "off", "1/1h"));
        for free in [from("127.0.0.1"), from("::1"), from("10.1.2.3"), None] {
            assert!(
                (0..5).all(|_| throttle.pass(free, none, nobody).is_ok() && throttle.newcomer(free, Side::Gray)),
                "{free:?}"
            );
        }
        assert!(throttle.pass(from("2001:db8::1"), none, nobody).is_ok());
        assert!(throttle.pass(from("2001:db8::ffff:1"), none, nobody).is_err());
        assert!(throttle.pass(from("2001:db8:0:1::1"), none, nobody).is_ok());
    }

    #[test]
    fn f110_a_key_has_a_limit_over_all_addresses() {
        let (throttle, _) = throttle(&limits("off", "2/1h", "off"));
        let pass = |address, key: Option<&str>| throttle.pass(from(address), || key.map(str::to_owned), nobody).is_ok();
        assert_eq!([pass("1.1.1.1", Some("pk_1")), pass("127.0.0.1", Some("pk_1"))], [true, true]);
        assert_eq!([pass("3.3.3.3", Some("pk_1")), pass("3.3.3.3", Some("pk_2"))], [false, true]);
        assert!((0..9).all(|_| pass("3.3.3.3", None)), "keys that nobody has take no memory");
    }

    #[test]
    fn f110_who_is_named_has_a_reserve_of_its_own() {
        let (throttle, _) = throttle(&limits("1/1h", "off", "off"));
        let pass = |named: Option<&str>| throttle.pass(from("1.1.1.1"), none, || named.map(Key::of)).is_ok();
        assert_eq!([pass(None), pass(None)], [true, false]);
        assert!((0..RESERVE.count.get()).all(|_| pass(Some("alice"))));
        assert_eq!([pass(Some("alice")), pass(Some("bob"))], [false, true]);
    }

    #[test]
    fn f110_an_address_brings_a_limited_number_of_new_devices() {
        let (throttle, clock) = throttle(&limits("off", "off", "2/1m"));
        let newcomer = |side| throttle.newcomer(from("1.1.1.1"), side);
        for side in [Side::Gray, Side::Beside] {
            assert_eq!([newcomer(side), newcomer(side), newcomer(side)], [true, true, false], "{side:?}");
        }
        clock.advance(Duration::from_secs(30));
        assert_eq!([newcomer(Side::Gray), newcomer(Side::Gray)], [true, false]);
    }

    #[test]
    fn p21_an_address_begins_a_limited_number_of_visits() {
        let (throttle, clock) = throttle(&limits("off", "off", "off"));
        let visit = |address| throttle.pass_visit(from(address)).map_err(|error| wait(&error));
        assert_eq!([visit("1.1.1.1"), visit("1.1.1.1")], [Ok(()), Ok(())]);
        assert_eq!([visit("1.1.1.1"), visit("2.2.2.2")], [Err(Value::from(10)), Ok(())], "others have their own");
        assert!((0..9).all(|_| visit("127.0.0.1").is_ok() && visit("10.1.2.3").is_ok()), "they stand for many");
        clock.advance(Duration::from_secs(10));
        throttle.sweep();
        assert_eq!([visit("1.1.1.1"), visit("1.1.1.1")], [Ok(()), Err(Value::from(10))]);
    }

    /// What comes of a try from an address: of a right secret nothing, of a wrong one its code, and when it is refused the wait.
    async fn tried(throttle: &Throttle<FakeRelativeClock>, address: &str, is_right: bool) -> Value {
        let work = async {
            tokio::task::yield_now().await;
            is_right.then_some(()).ok_or_else(|| Error::new(Code::InvalidAppSecret, "wrong"))
        };
        match throttle.try_secret(from(address), work).await {
            Ok(()) => Value::Null,
            Err(error) if error.code == Code::TooManyRequests => wait(&error),
            Err(error) => Value::from(error.code.slug()),
        }
    }

    #[tokio::test]
    async fn k9_f87_an_address_that_was_wrong_too_often_is_refused_before_its_secret_is_looked_at() {
        let (throttle, clock) = throttle(&limits("off", "off", "off"));
        for _ in 0..100 {
            assert_eq!(tried(&throttle, "1.1.1.1", true).await, Value::Null, "what is right has no limit");
        }
        for _ in 0..2 {
            assert_eq!(tried(&throttle, "1.1.1.1", false).await, "invalid-app-secret");
        }
        assert_eq!(tried(&throttle, "1.1.1.1", true).await, 10, "one comes back every ten seconds");
        for other in ["2.2.2.2", "127.0.0.1"] {
            assert_eq!(tried(&throttle, other, true).await, Value::Null, "others are not concerned");
        }
        clock.advance(Duration::from_secs(9));
        throttle.sweep();
        assert_eq!(tried(&throttle, "1.1.1.1", true).await, 1);
        clock.advance(Duration::from_secs(1));
        throttle.sweep();
        assert_eq!(tried(&throttle, "1.1.1.1", true).await, Value::Null);
        for _ in 0..9 {
            assert_eq!(tried(&throttle, "127.0.0.1", false).await, "invalid-app-secret", "loopback stands for many");
        }
    }

    #[tokio::test]
    async fn k9_who_tries_many_secrets_at_once_has_no_more_tries_and_right_ones_wait_their_turn() {
        let (throttle, _) = throttle(&limits("off", "off", "off"));
        let at_once = async |is_right| join_all((0..50).map(|_| tried(&throttle, "1.1.1.1", is_right))).await;
        assert_eq!(at_once(true).await, vec![Value::Null; 50]);
        let wrong = at_once(false).await;
        let looked_at = wrong.iter().filter(|said| **said == "invalid-app-secret").count();
        assert_eq!((looked_at, wrong.iter().filter(|said| **said == 10).count()), (2, 48));
    }

    /// What comes of a sign-in from an address by a name: of a right password nothing, of a wrong one its code, and when it is
    /// refused the wait.
    async fn signed_in(throttle: &Throttle<FakeRelativeClock>, address: &str, name: &Digest, is_right: bool) -> Value {
        let work = async { is_right.then_some(()).ok_or_else(|| Error::new(Code::WrongCredentials, "wrong")) };
        match throttle.try_password(from(address), name.clone(), work).await {
            Ok(()) => Value::Null,
            Err(error) if error.code == Code::TooManyRequests => wait(&error),
            Err(error) => Value::from(error.code.slug()),
        }
    }

    #[tokio::test]
    async fn p4_f87_passwords_are_tried_seldom_from_an_address_and_seldom_for_a_name() {
        let (throttle, clock) = throttle(&limits("off", "off", "off"));
        let (ann, bob) = (Digest::of(b"ann"), Digest::of(b"bob"));
        let right = async |address, name: &Digest| signed_in(&throttle, address, name, true).await;
        for name in [&ann, &bob] {
            assert_eq!(signed_in(&throttle, "1.1.1.1", name, false).await, "wrong-credentials");
        }
        assert_eq!([right("1.1.1.1", &ann).await, right("1.1.1.1", &bob).await], [10, 10], "the address");
        assert_eq!([right("2.2.2.2", &ann).await, right("127.0.0.1", &bob).await], [Value::Null, Value::Null]);
        for _ in 0..2 {
            assert_eq!(signed_in(&throttle, "127.0.0.1", &ann, false).await, "wrong-credentials");
        }
        assert_eq!([right("2.2.2.2", &ann).await, right("127.0.0.1", &ann).await], [10, 10], "the name");
        assert_eq!(right("2.2.2.2", &bob).await, Value::Null, "others are not concerned");
        clock.advance(Duration::from_secs(10));
        throttle.sweep();
        assert_eq!([right("1.1.1.1", &ann).await, right("127.0.0.1", &ann).await], [Value::Null, Value::Null]);
    }

    /// A check is to cost little more than a bare handler: the limiter must not show. In a debug build it may take more.
    #[test]
    fn f110_the_limit_costs_about_nothing() {
        let throttle = Throttle::new(&limits("4000000000/1h", "4000000000/1h", "off"), Vec::new());
        let round = || {
            let begun = std::time::Instant::now();
            assert!((0..1000).all(|_| throttle.pass(from("1.1.1.1"), || Some("pk_1".into()), nobody).is_ok()));
            begun.elapsed() / 1000
        };
        let best = (0..50).map(|_| round()).min().unwrap();
        assert!(best < Duration::from_micros(if cfg!(debug_assertions) { 20 } else { 1 }), "{best:?}");
    }
}
