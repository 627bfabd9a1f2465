//! Reading server-sent events, as far as the host writes them: `id` and one line of `data`.

/// A message with data.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its `id`, a number with us.
    pub id: Option<u64>,
    /// Its `data`.
    pub data: String,
}

/// What has arrived and is not complete.
#[derive(Default)]
pub struct Lines {
    rest: Vec<u8>,
    id: Option<u64>,
    data: Option<String>,
    last: Option<u64>,
}

impl Lines {
    /// The `id` of the last message that was complete, with data or without: where to go on.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// The messages that `chunk` completes.
    pub fn take(&mut self, chunk: &[u8]) -> Vec<Message> {
        self.rest.extend_from_slice(chunk);
        let mut messages = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            messages.extend(self.line(String::from_utf8_lossy(&line).trim_end()));
        }
        messages
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        match line.split_once(": ") {
            Some(("id", id)) => self.id = id.parse().ok(),
            Some(("data", data)) => self.data = Some(data.to_owned()),
            // An empty line ends a message.
            None if line.is_empty() => {
                let id = self.id.take();
                self.last = id.or(self.last);
                return Some(Message { id, data: self.data.take()? });
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_however_they_are_cut() {
        let text = "id: 7\nevent: a.b\ndata: {\"a\": \"ü\"}\n\nid: 8\ndata: {}\n\nid: 9\n: nothing happened\n\n";
        for size in [1, 2, 3, 7, 1000] {
            let mut lines = Lines::default();
            let read: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| lines.take(chunk)).collect();
            let message = |id, data: &str| Message { id: Some(id), data: data.into() };
            assert_eq!(read, [message(7, "{\"a\": \"ü\"}"), message(8, "{}")], "in pieces of {size}");
            assert_eq!(lines.last(), Some(9), "where nothing happened is where to go on");
        }
    }
}
