//! Real-time logs (D4): takes them in, masks them, keeps them for their time, and reads them.
//!
//! Between HTTP and the store is a queue of bounded size with one worker. Nothing here touches the database of the host on
//! the way of an entry: who is bound comes from the index of checks, and masks are kept in memory. So a log store that
//! stalls holds up those who send logs, and nobody else.

mod export;
mod figures;
mod masks;
mod read;
mod retain;
mod stream;
mod take;
mod write;

pub use berth_model::log::*;
pub use export::{LogExport, LogExportConfig, release as release_export, run as run_export};
pub use figures::Figures;
pub use masks::{get_masks, run as run_masks, set_masks};
pub use read::list;
pub use retain::run as run_retention;
pub use stream::{Item, open as open_stream};
pub use take::{expect, take};
pub use write::LogQueue;

use std::sync::{Arc, RwLock};

use berth_base::clock::Clock;
use berth_logs::{LogConfig, LogStore};
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};

use self::{masks::Masks, write::Request};

/// The logs of a host.
pub struct Logs {
    /// Where they are kept.
    pub store: Arc<dyn LogStore>,
    /// What was taken in by this host.
    pub figures: Figures,
    config: LogConfig,
    clock: Arc<dyn Clock>,
    masks: RwLock<Option<Arc<Masks>>>,
    /// Held while the masks are read anew.
    refreshing: Mutex<()>,
    queue: mpsc::UnboundedSender<Request>,
    /// A permit for each byte that may wait.
    room: Arc<Semaphore>,
    arrived: Arc<Notify>,
}

impl Logs {
    /// Logs in a store, and the queue for their worker.
    pub fn new(config: LogConfig, store: Arc<dyn LogStore>, clock: Arc<dyn Clock>) -> (Self, LogQueue) {
        let (queue, requests) = mpsc::unbounded_channel();
        let arrived = Arc::new(Notify::new());
        let worker = LogQueue::new(requests, store.clone(), config.day_limits(), arrived.clone());
        let room = Arc::new(Semaphore::new((config.log_queue_mib as usize) << 20));
        let (figures, masks) = (Figures::default(), RwLock::default());
        (Self { store, figures, config, clock, masks, refreshing: Mutex::default(), queue, room, arrived }, worker)
    }

    /// How many bytes of entries wait to be written.
    pub fn waiting_bytes(&self) -> usize {
        ((self.config.log_queue_mib as usize) << 20).saturating_sub(self.room.available_permits())
    }
}
