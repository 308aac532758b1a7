//! BLAKE-512, the finalist of the SHA-3 competition, from which circomlib derives keys and nonces.
//!
//! Written out here since the crate `blake-hash`, with which the tests compare it, panics on
//! `wasm32-unknown-unknown`.

use zeroize::Zeroizing;

const BLOCK: usize = 128;
/// The bytes of a block from which on there is no room for the padding: one byte and the length.
const FULL: usize = BLOCK - 17;
const ROUNDS: usize = 16;

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The first digits of pi.
const PI: [u64; 16] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
    0x2ffd_72db_d01a_dfb7,
    0xb8e1_afed_6a26_7e96,
    0xba7c_9045_f12c_7f99,
    0x24a1_9947_b391_6cf7,
    0x0801_f2e2_858e_fc16,
    0x6369_20d8_7157_4e69,
];

/// The order of the words of a block in each round; after the tenth round it begins again.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The places of the four words of each of the eight steps of a round: columns, then diagonals.
const STEPS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// The hash of `message` without salt.
pub(super) fn blake512(message: &[u8]) -> Zeroizing<[u8; 64]> {
    let mut state = IV;
    let bits = (message.len() as u128) * 8;
    let mut blocks = message.chunks_exact(BLOCK);
    let mut hashed = 0;
    for block in &mut blocks {
        hashed += 8 * BLOCK as u128;
        compress(&mut state, block, hashed);
    }
    // The rest, one bit, zeros, one bit, and the length.
    let rest = blocks.remainder();
    let mut last = Zeroizing::new([0u8; 2 * BLOCK]);
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let end = if rest.len() > FULL { 2 * BLOCK } else { BLOCK };
    last[end - 17] |= 1;
    last[end - 16..end].copy_from_slice(&bits.to_be_bytes());
    for (index, block) in last[..end].chunks_exact(BLOCK).enumerate() {
        // A block without bits of the message counts none.
        let has_bits = index == 0 && !rest.is_empty();
        compress(&mut state, block, if has_bits { bits } else { 0 });
    }
    let mut out = Zeroizing::new([0u8; 64]);
    for (bytes, word) in out.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// Takes a block. `bits` is the number of bits of the message up to its end.
fn compress(state: &mut [u64; 8], block: &[u8], bits: u128) {
    let mut words = Zeroizing::new([0u64; 16]);
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let (low, high) = (bits as u64, (bits >> 64) as u64);
    let mut v = Zeroizing::new([0u64; 16]);
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&PI[..8]);
    for (place, count) in [(12, low), (13, low), (14, high), (15, high)] {
        v[place] ^= count;
    }
    for round in 0..ROUNDS {
        let order = &SIGMA[round % SIGMA.len()];
        for (step, [a, b, c, d]) in STEPS.into_iter().enumerate() {
            let (x, y) = (order[2 * step], order[2 * step + 1]);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(words[x] ^ PI[y]);
            v[d] = (v[d] ^ v[a]).rotate_right(32);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(25);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(words[y] ^ PI[x]);
            v[d] = (v[d] ^ v[a]).rotate_right(16);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(11);
        }
    }
    for (index, word) in state.iter_mut().enumerate() {
        *word ^= v[index] ^ v[index + 8];
    }
}

#[cfg(test)]
mod tests {
    use blake_hash::{Blake512, Digest};

    use super::*;

    #[test]
    fn messages_of_all_lengths_have_the_hash_of_another_implementation() {
        let message: Vec<u8> = (0..400usize).map(|i| (i * 31 + i / 7) as u8).collect();
        for length in 0..message.len() {
            let expected = Blake512::digest(&message[..length]);
            assert_eq!(blake512(&message[..length])[..], expected[..], "{length} bytes");
        }
    }
}
