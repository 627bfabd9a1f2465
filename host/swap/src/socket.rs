//! Messages of a WebSocket (RFC 6455). Text messages are gathered, so that OpenIDs in them can be swapped; all else goes on as it
//! comes, byte for byte: binary and compressed messages, texts that are too large, and control frames, which may stand between the
//! frames of a message.

/// What a side has sent, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Goes on as it is.
    Bytes(Vec<u8>),
    /// A whole text message.
    Text(Text),
}

/// A text message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// The frames as they came.
    pub(crate) frames: Vec<u8>,
    /// What it says.
    pub(crate) says: Vec<u8>,
    /// By which its frames are masked, if they are: those of clients.
    mask: Option<[u8; 4]>,
}

impl Text {
    /// The frame of a message that says this instead.
    pub(crate) fn saying(&self, text: &[u8]) -> Vec<u8> {
        frame(TEXT, text, self.mask)
    }

    /// The frame that ends the connection instead of the message, with a code of RFC 6455, section 7.4.1.
    pub(crate) fn ending(&self, code: u16) -> Vec<u8> {
        frame(CLOSE, &code.to_be_bytes(), self.mask)
    }
}

const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const LAST: u8 = 0x80;
const COMPRESSED_OR_SO: u8 = 0x70;
const MASKED: u8 = 0x80;

/// A single frame. A mask that was used before does no harm here: what it keeps from is text that looks like another protocol to
/// proxies on the way, and this text is JSON.
fn frame(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if mask.is_some() { MASKED } else { 0 };
    let mut frame = vec![LAST | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..126), _) => frame.push(masked | length),
        (_, Ok(length)) => {
            frame.push(masked | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    frame.extend(unmasked(payload, mask, 0));
    frame
}

/// Masks or unmasks what stands at this place of a frame.
fn unmasked(payload: &[u8], mask: Option<[u8; 4]>, place: u64) -> impl Iterator<Item = u8> + '_ {
    let mask = mask.unwrap_or_default();
    (place..).zip(payload).map(move |(place, byte)| byte ^ mask[(place % 4) as usize])
}

/// Takes apart what a side sends, in whatever parts it comes.
pub(crate) struct Reader {
    /// How many bytes of a message are gathered at most, with what frames it.
    most: usize,
    /// The first bytes of a frame, until its length and mask are known.
    head: Vec<u8>,
    frame: Option<Frame>,
    message: Message,
}

/// The frame that is being read.
#[derive(Clone, Copy)]
struct Frame {
    is_last: bool,
    is_control: bool,
    mask: Option<[u8; 4]>,
    /// How much of it was read, and how much there is.
    place: u64,
    length: u64,
}

/// The message that is being read.
enum Message {
    /// Goes on as it comes, or there is none.
    Passed,
    Gathered(Text),
}

impl Reader {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, head: Vec::new(), frame: None, message: Message::Passed }
    }

    /// What follows from more bytes.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            match self.frame {
                None => {
                    self.head.push(bytes[0]);
                    bytes = &bytes[1..];
                    if let Some(length) = length_of(&self.head) {
                        self.begin(length, &mut pieces);
                    }
                }
                Some(frame) => {
                    let left = usize::try_from(frame.length - frame.place).unwrap_or(usize::MAX);
                    let (some, rest) = bytes.split_at(left.min(bytes.len()));
                    bytes = rest;
                    self.go_on(frame, some, &mut pieces);
                }
            }
        }
        pieces
    }

    /// A frame begins, whose head is complete.
    fn begin(&mut self, length: u64, pieces: &mut Vec<Piece>) {
        let head = std::mem::take(&mut self.head);
        let opcode = head[0] & 0x0f;
        let mask = if head[1] & MASKED == 0 { None } else { head.last_chunk::<4>().copied() };
        let is_control = opcode >= CLOSE;
        let frame = Frame { is_last: head[0] & LAST != 0, is_control, mask, place: 0, length };
        if !is_control {
            self.begin_data(&head, mask, length, pieces);
        }
        match &mut self.message {
            Message::Gathered(text) if !is_control => text.frames.extend(head),
            _ => pieces.push(Piece::Bytes(head)),
        }
        self.frame = Some(frame);
        self.go_on(frame, &[], pieces);
    }

    /// Decides whether the message of a frame is gathered.
    fn begin_data(&mut self, head: &[u8], mask: Option<[u8; 4]>, length: u64, pieces: &mut Vec<Piece>) {
        match head[0] & (COMPRESSED_OR_SO | 0x0f) {
            CONTINUED => {}
            TEXT => self.pass(pieces, Message::Gathered(Text { mask, ..Text::default() })),
            _ => self.pass(pieces, Message::Passed),
        }
        if let Message::Gathered(text) = &self.message
            && (text.frames.len() as u64).saturating_add(length) > self.most as u64
        {
            self.pass(pieces, Message::Passed);
        }
    }

    /// Lets what was gathered go on as it is, and what follows be this.
    fn pass(&mut self, pieces: &mut Vec<Piece>, next: Message) {
        if let Message::Gathered(text) = std::mem::replace(&mut self.message, next) {
            pieces.push(Piece::Bytes(text.frames));
        }
    }

    /// More of a frame, which may be its end.
    fn go_on(&mut self, mut frame: Frame, some: &[u8], pieces: &mut Vec<Piece>) {
        match &mut self.message {
            Message::Gathered(text) if !frame.is_control => {
                text.frames.extend(some);
                text.says.extend(unmasked(some, frame.mask, frame.place));
            }
            _ if some.is_empty() => {}
            _ => pieces.push(Piece::Bytes(some.to_vec())),
        }
        frame.place += some.len() as u64;
        self.frame = (frame.place < frame.length).then_some(frame);
        if self.frame.is_none()
            && frame.is_last
            && !frame.is_control
            && let Message::Gathered(text) = std::mem::replace(&mut self.message, Message::Passed)
        {
            pieces.push(Piece::Text(text));
        }
    }
}

/// The length of a frame, once its head is complete.
fn length_of(head: &[u8]) -> Option<u64> {
    let (said, mask) = (head.get(1)? & 0x7f, if head[1] & MASKED == 0 { 0 } else { 4 });
    let (length, end) = match said {
        126 => (u64::from(u16::from_be_bytes(*head[2..].first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*head[2..].first_chunk()?), 10),
        length => (length.into(), 2),
    };
    (head.len() >= end + mask).then_some(length)
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);

    /// What a reader makes of bytes that come in parts of this size, with the bytes that go on put together.
    fn read(bytes: &[u8], size: usize, most: usize) -> Vec<Piece> {
        let mut reader = Reader::new(most);
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in bytes.chunks(size).flat_map(|some| reader.read(some)) {
            match (piece, pieces.last_mut()) {
                (Piece::Bytes(more), Some(Piece::Bytes(bytes))) => bytes.extend(more),
                (piece, _) => pieces.push(piece),
            }
        }
        pieces
    }

    /// A frame that is not the last one of its message.
    fn first(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = frame(opcode, payload, MASK);
        frame[0] &= !LAST;
        frame
    }

    fn said(pieces: &[Piece]) -> Vec<&[u8]> {
        let texts = pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None });
        texts.map(|text| text.says.as_slice()).collect()
    }

    #[test]
    fn u9_a_text_message_is_gathered_whatever_its_frames_and_parts_and_control_frames_go_on_at_once() {
        let frames = [first(TEXT, b"{\"a\""), first(CONTINUED, b""), frame(CONTINUED, b":1}", MASK)].concat();
        let ping = frame(9, b"now", MASK);
        let mixed =
            [&first(TEXT, b"{\"a\"")[..], &ping, &first(CONTINUED, b""), &frame(CONTINUED, b":1}", MASK)].concat();
        for size in 1..mixed.len() {
            let text = Text { frames: frames.clone(), says: b"{\"a\":1}".to_vec(), mask: MASK };
            assert_eq!(read(&mixed, size, 100), [Piece::Bytes(ping.clone()), Piece::Text(text)], "{size}");
        }
        for length in [0, 125, 126, 65_535, 65_536] {
            let says = vec![b'x'; length];
            for mask in [None, MASK] {
                let whole = frame(TEXT, &says, mask);
                let pieces = read(&whole, 1000, 100_000);
                assert_eq!(said(&pieces), [says.as_slice()], "{length}");
                let [Piece::Text(text)] = &pieces[..] else { panic!("{length}") };
                assert_eq!((&text.frames, text.saying(&says)), (&whole, whole.clone()));
            }
        }
    }

    #[test]
    fn u9_what_is_no_text_or_too_large_goes_on_byte_for_byte_and_what_follows_is_read() {
        let mut compressed = frame(TEXT, b"{}", MASK);
        compressed[0] |= 0x40;
        let large = [first(TEXT, b"12345678"), first(CONTINUED, b"9012"), frame(CONTINUED, b"3", MASK)].concat();
        let last = frame(TEXT, b"{}", MASK);
        for passed in
            [frame(2, b"binary", MASK), compressed, large, frame(TEXT, &[7; 300], None), frame(CLOSE, &[], MASK)]
        {
            for size in [1, 2, 7, 1000] {
                let pieces = read(&[&passed[..], &last].concat(), size, 10);
                assert_eq!((&pieces[0], said(&pieces)), (&Piece::Bytes(passed.clone()), vec![&b"{}"[..]]), "{size}");
            }
        }
        assert_eq!(Text { mask: None, ..Text::default() }.ending(1008), [0x88, 2, 3, 0xf0]);
    }

    #[test]
    fn u9_what_is_no_web_socket_goes_on_byte_for_byte() {
        assert_eq!(read(b"ping", 4, 10), [Piece::Bytes(b"ping".to_vec())]);
    }
}
