//! The bucket of a device (G11). Every policy that takes a share of the devices uses these, so that a share of one is a share of
//! the other.

/// The number of buckets of a task; each is a hundredth of a percent.
pub const BUCKETS: u32 = 10_000;

/// The bucket of a device, from 0 to 9,999. The key is the id of a task, or what stands for it.
pub fn bucket(key: &str, guid: &str) -> u32 {
    murmur3_32(format!("{key}:{guid}").as_bytes(), 0) % BUCKETS
}

/// MurmurHash3_x86_32, as Austin Appleby published it.
pub fn murmur3_32(key: &[u8], seed: u32) -> u32 {
    let (blocks, tail) = key.as_chunks::<4>();
    let body = |hash: u32, block: &[u8; 4]| {
        let hash = hash ^ scramble(u32::from_le_bytes(*block));
        hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    };
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    let hash = blocks.iter().fold(seed, body) ^ scramble(u32::from_le_bytes(last));
    finish(hash ^ key.len() as u32)
}

fn scramble(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn finish(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
