//! Hashes of passwords: argon2id with the parameters that OWASP advises (19 MiB, two passes, one lane) (P3).
//!
//! A hash is dear on purpose, in time and in memory. It is made beside the threads that answer requests, a few at a time; who
//! comes when too many wait already is sent away with the time after which to come again (P4).

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use berth_base::{
    clock::Random,
    error::{Code, Error, Result},
    secret::Secret,
};

/// The memory of one hash, in KiB.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many hashes are made at once.
const AT_ONCE: usize = 2;
/// How many may be made or wait. The last of them waits for about half a second.
const PLACES: usize = 32;
/// After how many seconds somebody who was sent away should come again.
const AGAIN_SECONDS: u64 = 1;

/// Makes and compares hashes of passwords.
pub struct Passwords {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// What comes of comparing a password with a hash.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// Whether it is the password.
    pub is_right: bool,
    /// A hash to put in the place of the one that is stored, as that was made with other parameters than today's.
    pub renewed: Option<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// `unavailable` when too many wait.
    pub async fn hash(&self, password: Secret, random: &dyn Random) -> Result<String> {
        let salt = salt(random);
        self.take_turn(move || hash(&password, &salt)).await?
    }

    /// Whether this is the password that was hashed. Without a hash the answer is no, after the same work: how long it takes
    /// does not tell whether there is an account (F87).
    ///
    /// # Errors
    /// `unavailable` when too many wait.
    pub async fn compare(&self, password: Secret, stored: Option<String>, random: &dyn Random) -> Result<Compared> {
        let salt = salt(random);
        self.take_turn(move || compare(&password, stored.as_deref(), &salt)).await?
    }

    /// Does the work when it is its turn. The turn belongs to the work and not to the request, whose client may leave.
    async fn take_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| too_many())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(Error::internal)?;
        let work = move || {
            let done = work();
            drop((turn, place));
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn too_many() -> Error {
    let detail = "Too many passwords are being looked at just now. Try again in a moment.";
    Error::new(Code::Unavailable, detail).retry_after(AGAIN_SECONDS)
}

fn salt(random: &dyn Random) -> [u8; 16] {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    salt
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The errors of the crate say nothing of the password.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(anyhow::anyhow!("a password could not be hashed: {error}"))
}

fn hash(password: &Secret, salt: &[u8]) -> Result<String> {
    let hash = argon2()?.hash_password_with_salt(password.expose().as_bytes(), salt).map_err(failed)?;
    Ok(hash.to_string())
}

fn compare(password: &Secret, stored: Option<&str>, salt: &[u8]) -> Result<Compared> {
    let Some(stored) = stored else {
        hash(password, salt)?;
        return Ok(Compared { is_right: false, renewed: None });
    };
    let stored = PasswordHash::new(stored).map_err(failed)?;
    let is_right = argon2()?.verify_password(password.expose().as_bytes(), &stored).is_ok();
    let renewed = if is_right && !is_of_today(&stored) { Some(hash(password, salt)?) } else { None };
    Ok(Compared { is_right, renewed })
}

fn is_of_today(stored: &PasswordHash) -> bool {
    let today = (Algorithm::Argon2id.ident(), Some(u32::from(Version::V0x13)));
    let params = |params: Params| (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES);
    (stored.algorithm, stored.version) == today && Params::try_from(stored).is_ok_and(params)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::clock::SystemRandom;

    use super::*;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn p3_a_password_is_found_again_by_its_hash_which_is_never_the_same() {
        let passwords = Passwords::default();
        let hashed = async || passwords.hash(secret("correct pony pile"), &SystemRandom).await.unwrap();
        let (one, other) = (hashed().await, hashed().await);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        let compared = async |password: &str, hash: Option<&str>| {
            passwords.compare(secret(password), hash.map(str::to_owned), &SystemRandom).await.unwrap()
        };
        for (password, hash, is_right) in [
            ("correct pony pile", Some(one.as_str()), true),
            ("correct pony pile", Some(other.as_str()), true),
            ("Correct pony pile", Some(one.as_str()), false),
            ("correct pony pile", None, false),
        ] {
            assert_eq!(compared(password, hash).await, Compared { is_right, renewed: None }, "{password} {hash:?}");
        }
    }

    #[tokio::test]
    async fn p3_a_hash_of_other_parameters_is_renewed_when_the_password_is_right() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let weaker = weaker.hash_password_with_salt(b"correct pony pile", &[7; 16]).unwrap().to_string();
        let passwords = Passwords::default();
        let compared = async |password: &str| {
            passwords.compare(secret(password), Some(weaker.clone()), &SystemRandom).await.unwrap()
        };
        assert_eq!(compared("another pony pile").await, Compared { is_right: false, renewed: None });
        let right = compared("correct pony pile").await;
        assert!(right.is_right && right.renewed.unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p4_a_crowd_is_sent_away_with_the_time_after_which_to_come_again() {
        let passwords = Passwords::default();
        let held = passwords.turns.acquire_many(AT_ONCE as u32).await.unwrap();
        let come = || passwords.take_turn(|| ());
        let mut crowd: Vec<_> = (0..PLACES).map(|_| Box::pin(come())).collect();
        for one in &mut crowd {
            assert!(futures_util::poll!(one).is_pending());
        }
        let refused = come().await.unwrap_err();
        assert_eq!((refused.code, &refused.fields["retry_after_seconds"]), (Code::Unavailable, &1.into()));
        drop(held);
        for one in crowd {
            one.await.unwrap();
        }
        come().await.unwrap();
    }
}
