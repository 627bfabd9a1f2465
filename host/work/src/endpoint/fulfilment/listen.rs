//! Takes fulfilment messages from a NATS JetStream subject. A message is acknowledged once what became of it is stored,
//! also when it was parked; one that is delivered again changes nothing. Several hosts share the work.

use super::intake::Intake;
use crate::nats::NatsConfig;
use std::time::Duration;

use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, Consumer, pull},
    context::GetStreamByNameErrorKind,
    stream::{self, RetentionPolicy},
};
use futures_util::{StreamExt, future::join_all};
use serde_json::Value;

use berth_model::endpoint::fulfilment::Receipts;

use crate::endpoint::{fulfilment, fulfilment::intake};
use berth_base::error::{Code, Error, Result};

use crate::nats;

/// The name of the durable consumer that all hosts share.
const NAME: &str = "berth";
const ACTOR: &str = "nats";
/// How many messages of NATS are taken at once.
const BATCH: usize = 256;
/// NATS delivers a message again when it was not acknowledged for this long.
const AGAIN: Duration = Duration::from_secs(30);
/// A message that could not be stored is delivered again after this long, and does not hold up others meanwhile.
const LATER: Duration = Duration::from_secs(300);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Where fulfilment messages come from besides the API.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ListenConfig {
    /// A NATS JetStream subject from which fulfilment messages are taken, such as `berth.fulfilments`. A stream for it is
    /// created when there is none.
    #[arg(long, env = "BERTH_NATS_FULFILMENTS", value_name = "SUBJECT", requires = "nats_url")]
    pub nats_fulfilments: Option<String>,
}

/// Takes messages in an endless loop. Returns at once when no subject is configured.
pub async fn run(intake: Intake, server: NatsConfig, config: ListenConfig) {
    let Some(subject) = config.nats_fulfilments else { return };
    loop {
        if let Err(error) = listen(&intake, &server, &subject).await {
            tracing::warn!(?error, subject, "fulfilment messages cannot be taken from NATS for now; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(intake: &Intake, server: &NatsConfig, subject: &str) -> Result<()> {
    let context = nats::connect(server).await?;
    let arriving = consumer(&context, subject).await?.messages().await.map_err(unavailable)?;
    let mut arriving = arriving.ready_chunks(BATCH);
    while let Some(batch) = arriving.next().await {
        let batch: Vec<_> = batch.into_iter().collect::<Result<_, _>>().map_err(unavailable)?;
        // Each is a request of its own to the intake, which puts them together and keeps them from failing each other.
        let takes = batch.iter().map(|message| take(intake, &message.payload));
        let (mut down, mut taken) = (None, Vec::new());
        for (message, done) in batch.iter().zip(join_all(takes).await) {
            match answer(done) {
                Ok(kind) => taken.push((message, kind)),
                Err(error) => down = Some(error),
            }
        }
        for (message, kind) in taken {
            message.ack_with(kind).await.map_err(|error| unavailable(std::io::Error::other(error)))?;
        }
        down.map_or(Ok(()), Err)?;
    }
    Ok(())
}

#[tracing::instrument(name = "fulfilment.take", skip_all)]
async fn take(intake: &Intake, payload: &[u8]) -> Result<Receipts> {
    fulfilment::receive(intake, ACTOR, &read(payload)).await
}

/// What NATS is told about a message.
///
/// # Errors
/// A failure that affects all messages at present: the message is not acknowledged, and NATS delivers it again.
fn answer(done: Result<Receipts>) -> Result<AckKind> {
    match done {
        Ok(_) => Ok(AckKind::Ack),
        Err(error) if intake::passes(&error) => Err(error),
        Err(error) => {
            tracing::error!(?error, "a message from NATS could not be stored; it comes again");
            Ok(AckKind::Nak(Some(LATER)))
        }
    }
}

/// The durable consumer of the subject, which all hosts share. Creates its stream when there is none.
async fn consumer(context: &jetstream::Context, subject: &str) -> Result<Consumer<pull::Config>> {
    let name = match context.stream_by_subject(subject).await {
        Ok(name) => name,
        Err(error) if error.kind() == GetStreamByNameErrorKind::NotFound => create_stream(context, subject).await?,
        Err(error) => return Err(unavailable(error)),
    };
    let config = pull::Config {
        durable_name: Some(NAME.into()),
        filter_subject: subject.into(),
        ack_policy: AckPolicy::Explicit,
        ack_wait: AGAIN,
        ..pull::Config::default()
    };
    let stream = context.get_stream(name).await.map_err(unavailable)?;
    stream.get_or_create_consumer(NAME, config).await.map_err(unavailable)
}

/// Creates a stream named after the subject (`BERTH_FULFILMENTS`), which drops messages once they are acknowledged.
async fn create_stream(context: &jetstream::Context, subject: &str) -> Result<String> {
    let name = subject.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let config = stream::Config {
        name: name.clone(),
        subjects: vec![subject.into()],
        retention: RetentionPolicy::WorkQueue,
        ..stream::Config::default()
    };
    context.get_or_create_stream(config).await.map_err(unavailable)?;
    Ok(name)
}

/// The messages in a payload. A payload that cannot be read is one message, which will be parked.
fn read(payload: &[u8]) -> Vec<Value> {
    let value =
        serde_json::from_slice(payload).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(payload).into_owned()));
    fulfilment::messages_of(value.clone()).unwrap_or_else(|_| vec![value])
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Unavailable, "NATS JetStream gave no message.").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f77_one_that_fails_comes_again_later_and_holds_up_nothing() {
        let failed = |code| answer(Err(Error::new(code, "no")));
        assert!(matches!(answer(Ok(Receipts { results: Vec::new() })), Ok(AckKind::Ack)));
        assert!(matches!(failed(Code::Internal), Ok(AckKind::Nak(Some(LATER)))));
        assert!(matches!(failed(Code::InvalidField), Ok(AckKind::Nak(Some(LATER)))));
        assert!(failed(Code::Unavailable).is_err() && failed(Code::StorageFull).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_one_message_to_be_parked() {
        assert_eq!(read(b"{\"id\": 1}").len(), 1);
        assert_eq!(read(b"{\"messages\": [{}, {}]}").len(), 2);
        assert_eq!(read(b"{\"messages\": 7}").len(), 1);
        assert_eq!(read(b"\xff\x00 what"), [Value::from("\u{fffd}\u{0} what")]);
    }
}
