//! What the origin answers, as a function of the seed and the id, known to both sides.
//!
//! `SplitMix64` is the generator of Steele, Lea and Flood (OOPSLA 2014) with the constants of the
//! public-domain version by Vigna. It is small enough to be written again in any language.

use crate::DelayRange;

/// The field of a reply that repeats the id of the request.
pub const ID_FIELD: &str = "inflight-id";
/// How many different bodies there are.
pub const BODIES: usize = 64;
/// How many ids a turn can have; the origin's delay depends on the place among them alone. It is a
/// multiple of [`BODIES`], so that the body does too.
pub const IDS_A_TURN: u64 = 10_000_000;
/// How many ids a participant can have in a block.
const IDS_A_PARTICIPANT: u64 = 100_000 * IDS_A_TURN;
/// The smallest id of a block: all have sixteen digits, so that no request is longer than another.
const FIRST_ID: u64 = 1_000 * IDS_A_PARTICIPANT;

/// Returns the first id of a turn: its high digits are the participant's and the turn's, so that no
/// two turns of a block share one.
pub fn first_id(participant: u64, turn: u32) -> u64 {
    FIRST_ID + participant * IDS_A_PARTICIPANT + u64::from(turn) * IDS_A_TURN
}

/// Returns the first output of `SplitMix64` started at `state`.
pub fn split_mix_64(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns the origin's delay for an id, in milliseconds: the same for every participant that takes
/// its turn with this seed.
pub fn delay_ms(seed: u64, id: u64, range: DelayRange) -> u64 {
    range.lo + split_mix_64(seed ^ (id % IDS_A_TURN)) % (range.hi - range.lo + 1)
}

/// Returns the body for an id: the little-endian outputs of the `SplitMix64` that starts at
/// `SplitMix64(seed xor (id mod 64))`, cut to `length`.
pub fn body(seed: u64, id: u64, length: u32) -> Vec<u8> {
    let length = length as usize;
    let mut state = split_mix_64(seed ^ place(id) as u64);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&split_mix_64(state).to_le_bytes());
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    bytes.truncate(length);
    bytes
}

/// Returns which of the bodies an id has.
pub fn place(id: u64) -> usize {
    usize::try_from(id % BODIES as u64).expect("the remainder is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_64_is_the_published_generator() {
        // The first outputs for state 1234567, as listed by Rosetta Code's "Pseudo-random numbers".
        let mut state = 1_234_567_u64;
        let mut outputs = Vec::new();
        for _ in 0..5 {
            outputs.push(split_mix_64(state));
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn every_delay_lies_in_its_range_and_both_ends_occur() {
        let range = DelayRange { lo: 16, hi: 48 };
        let delays: Vec<u64> = (0..2_000).map(|id| delay_ms(7, id, range)).collect();
        assert_eq!(delays.iter().min(), Some(&16));
        assert_eq!(delays.iter().max(), Some(&48));
    }

    #[test]
    fn bodies_repeat_after_64_ids_and_differ_before() {
        assert_eq!(body(1, 3, 128), body(1, 67, 128));
        assert_ne!(body(1, 3, 128), body(1, 4, 128));
        assert_ne!(body(1, 3, 128), body(2, 3, 128));
        assert_eq!(body(1, 3, 5).len(), 5);
    }
}
